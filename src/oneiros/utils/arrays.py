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
    classes, num_classes = _class_numbers("to_categorical", x, num_classes)
    hot = np.zeros((classes.size, num_classes), dtype)
    hot[np.arange(classes.size), classes.ravel()] = 1
    return hot.reshape(*classes.shape, num_classes)


def to_ordinal(y, num_classes=None, dtype="float32"):
    """For class ``k`` of ``num_classes`` ordered ones, ``k`` ones, then zeros: shape ``(..., num_classes - 1)``.

    >>> to_ordinal([0, 2], 3).tolist()
    [[0.0, 0.0], [1.0, 1.0]]
    """
    classes, num_classes = _class_numbers("to_ordinal", y, num_classes)
    return (np.arange(num_classes - 1) < classes[..., None]).astype(dtype)


def _class_numbers(function, x, num_classes):
    """Checked integers, without a last axis of length 1, and how many classes there are."""
    classes = np.array(x)
    if classes.dtype.kind not in "biuf":
        raise InputDataError(f"{function}: expected class numbers. Received dtype {classes.dtype}")
    if classes.ndim > 1 and classes.shape[-1] == 1:
        classes = classes[..., 0]
    classes = classes.astype("int64")
    if num_classes is None:
        if not classes.size:
            raise InputDataError(f"{function}: empty input; pass num_classes.")
        num_classes = int(classes.max()) + 1
    wrong = np.argwhere((classes < 0) | (classes >= num_classes))
    if len(wrong):
        place = tuple(wrong[0].tolist())
        raise InputDataError(f"{function}: class {classes[place]} at {place} not in [0, {num_classes})")
    return classes, num_classes


def normalize(x, axis=-1, order=2):
    """``x`` divided by its norm of the given order along ``axis``; zero vectors stay zero.

    >>> normalize([[3.0, 4.0]])
    array([[0.6, 0.8]])
    """
    x = np.asarray(x)
    norm = np.atleast_1d(np.linalg.norm(x, order, axis))
    norm[norm == 0] = 1
    return x / np.expand_dims(norm, axis)
