"""Batches as tuples, for your own training steps."""

from typing import Any

from oneiros.core.errors import InputDataError


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Packs inputs, targets and weights into a batch, as data sets yield it.

    Args:
        x: the inputs.
        y: the targets.
        sample_weight: the weights of the samples.

    Returns:
        ``(x, y, sample_weight)``, ``(x, y)``, or `x` alone (as ``(x,)`` if it is a list or tuple itself).

    >>> pack_x_y_sample_weight(1), pack_x_y_sample_weight(1, 2), pack_x_y_sample_weight([1, 2])
    (1, (1, 2), ([1, 2],))
    """
    if sample_weight is not None:
        return x, y, sample_weight
    if y is not None:
        return x, y
    return (x,) if isinstance(x, (tuple, list)) else x


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Unpacks a batch into inputs, targets and weights.

    Args:
        data: ``x``, ``(x,)``, ``(x, y)`` or ``(x, y, sample_weight)``.

    Returns:
        ``(x, y, sample_weight)``, with ``None`` for what is missing.

    Raises:
        InputDataError: the tuple is empty, or has more than three entries.

    >>> unpack_x_y_sample_weight((1, 2)), unpack_x_y_sample_weight(1)
    ((1, 2, None), (1, None, None))
    """
    if not isinstance(data, (tuple, list)):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise InputDataError(
            f"Expected a batch of the form x, (x, y) or (x, y, sample_weight). Received: {len(data)} entries."
        )
    return (*data, None, None)[:3]
