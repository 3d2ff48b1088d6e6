"""Whether code in files may be run: only if the caller says so."""

from .config import settings
from .context import current, within

CONSENT = "safe_mode=False, by enable_unsafe_deserialization(), or by `oneiros run --trust-files SCRIPT`"


def in_safe_mode() -> bool:
    """Whether code in configurations is refused: as the innermost `loading` says, or else unless there was consent."""
    flag = current().safe_mode
    return not settings.unsafe_deserialization if flag is None else flag


def enable_unsafe_deserialization() -> None:
    """Allows, for the whole process, the code of Lambda layers in files to be run."""
    settings.unsafe_deserialization = True


def loading(safe_mode=None):
    """A context for reading a configuration.

    Args:
        safe_mode: whether code in it is refused; `None` leaves that as it is outside.
    """
    return within(safe_mode=current().safe_mode if safe_mode is None else bool(safe_mode))
