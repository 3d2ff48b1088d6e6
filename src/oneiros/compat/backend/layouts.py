"""The order of axes as each generation calls it."""

from ...core.config import standardize_data_format


def layout(data_format: str | None) -> str:
    """'channels_last' or 'channels_first'; Keras 1's 'tf', 'th' and 'default' too."""
    known = {"tf": "channels_last", "th": "channels_first", "default": None}
    return standardize_data_format(known.get(data_format, data_format))
