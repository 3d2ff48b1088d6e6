"""Small functions for arrays of labels and features."""

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from oneiros.core.errors import InputDataError


def to_categorical(x: npt.ArrayLike, num_classes: int | None = None, dtype: npt.DTypeLike = None) -> np.ndarray:
    """Converts class indices to one-hot rows.

    Args:
        x: class indices, shape ``(...)`` or ``(..., 1)``.
        num_classes: number of classes; by default the largest index plus one.
        dtype: data type of the result; by default float64.

    Returns:
        An array of shape ``(..., num_classes)``: 1 at the class, 0 elsewhere.

    Raises:
        InputDataError: an index is outside ``[0, num_classes)``.

    >>> to_categorical([0, 2], 3)
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    classes, num_classes = _class_numbers("to_categorical", x, num_classes)
    hot = np.zeros((classes.size, num_classes), dtype)
    hot[np.arange(classes.size), classes.ravel()] = 1
    return hot.reshape(*classes.shape, num_classes)


def to_ordinal(y: npt.ArrayLike, num_classes: int | None = None, dtype: npt.DTypeLike = "float32") -> np.ndarray:
    """Converts class indices to rows for ordinal regression: class ``k`` becomes ``k`` ones, followed by zeros.

    Args:
        y: class indices, shape ``(...)`` or ``(..., 1)``.
        num_classes: number of classes; by default the largest index plus one.
        dtype: data type of the result.

    Returns:
        An array of shape ``(..., num_classes - 1)``.

    Raises:
        InputDataError: an index is outside ``[0, num_classes)``.

    >>> to_ordinal([0, 2], 3).tolist()
    [[0.0, 0.0], [1.0, 1.0]]
    """
    classes, num_classes = _class_numbers("to_ordinal", y, num_classes)
    return (np.arange(num_classes - 1) < classes[..., None]).astype(dtype)


def _class_numbers(function, x, num_classes):
    """The class indices as checked integers, without a last axis of size 1, and the number of classes."""
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


def normalize(x: npt.ArrayLike, axis: int = -1, order: int = 2) -> np.ndarray | jax.Array:
    """Divides an array by its norms along an axis.

    Args:
        x: the array.
        axis: axis of the vectors.
        order: order of the norm, as in `numpy.linalg.norm`.

    Returns:
        An array of the same shape: of JAX for one of JAX, else of NumPy. Vectors of zeros stay zero.

    >>> normalize([[3.0, 4.0]])
    array([[0.6, 0.8]])
    """
    library = jnp if isinstance(x, jax.Array) else np
    x = library.asarray(x)
    norm = library.atleast_1d(library.linalg.norm(x, order, axis))
    return x / library.expand_dims(library.where(norm == 0, 1, norm), axis)
