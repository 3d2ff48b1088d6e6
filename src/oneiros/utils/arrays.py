"""Small functions on label and feature arrays."""

import numpy as np

from oneiros.core.errors import InputDataError


def to_categorical(x, num_classes=None, dtype=None):
    """One-hot rows for class numbers: shape ``(...)`` or ``(..., 1)`` to ``(..., num_classes)``.

    ``num_classes`` defaults to the largest class plus one; ``dtype`` to float64, as in Keras. Raises ``InputDataError``
    for a class outside ``[0, num_classes)``.

    >>> to_categorical([0, 2], 3)
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    classes = np.array(x)
    if classes.dtype.kind not in "biuf":
        raise InputDataError(f"to_categorical: expected class numbers. Received dtype {classes.dtype}")
    shape = classes.shape
    if len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    classes = classes.astype("int64").reshape(-1)
    if num_classes is None:
        if not classes.size:
            raise InputDataError("to_categorical: empty input; pass num_classes.")
        num_classes = int(classes.max()) + 1
    wrong = np.flatnonzero((classes < 0) | (classes >= num_classes))
    if wrong.size:
        row = wrong[0]
        raise InputDataError(f"to_categorical: class {classes[row]} at {row} not in [0, {num_classes})")
    hot = np.zeros((classes.size, num_classes), dtype)
    hot[np.arange(classes.size), classes] = 1
    return hot.reshape(*shape, num_classes)


def normalize(x, axis=-1, order=2):
    """``x`` divided by its norm of the given order along ``axis``; zero vectors stay zero.

    >>> normalize([[3.0, 4.0]])
    array([[0.6, 0.8]])
    """
    x = np.asarray(x)
    norm = np.atleast_1d(np.linalg.norm(x, order, axis))
    norm[norm == 0] = 1
    return x / np.expand_dims(norm, axis)
