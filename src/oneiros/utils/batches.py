"""Batches as tuples, for training steps of one's own."""

from oneiros.core.errors import InputDataError


def pack_x_y_sample_weight(x, y=None, sample_weight=None):
    """What a data set yields for inputs, targets and weights: as short a tuple as says it.

    >>> pack_x_y_sample_weight(1), pack_x_y_sample_weight(1, 2), pack_x_y_sample_weight([1, 2])
    (1, (1, 2), ([1, 2],))
    """
    if sample_weight is not None:
        return x, y, sample_weight
    if y is not None:
        return x, y
    return (x,) if isinstance(x, (tuple, list)) else x


def unpack_x_y_sample_weight(data):
    """Inputs, targets and weights of what a data set yields; ``None`` for what is not there.

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
