"""`keras.ops.numpy`: NumPy's functions, of symbols too. Most are rows of one table over `jax.numpy`."""

import builtins

import jax
import jax.numpy as jnp
import numpy as np

from ..core import config, op
from .math import divide_no_nan  # noqa: F401 - a name of keras.ops.numpy
from .table import as_float, define, dims, of_floats, operand, tensor, tensors, to_dtype

# The functions that jax.numpy has under the same name and with the same arguments.
_SAME_AS_JAX = {
    "x": "abs absolute angle arccos arccosh arcsin arcsinh arctan arctanh bitwise_invert bitwise_not cbrt conj "
    "conjugate copy corrcoef cos cosh deg2rad exp exp2 expm1 fabs fliplr flipud i0 imag isfinite isinf isnan "
    "isneginf isposinf isreal log log10 log1p log2 logical_not negative nonzero rad2deg ravel real reciprocal sign "
    "signbit sin sinc sinh sqrt square tan tanh trunc",
    "x1, x2": "add arctan2 divide dot equal floor_divide fmax fmin fmod gcd greater greater_equal heaviside hypot "
    "inner kron lcm ldexp less less_equal logaddexp logaddexp2 logical_and logical_or logical_xor matmul maximum "
    "minimum mod multiply nextafter not_equal outer power subtract true_divide vdot",
    "x, y": "bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor left_shift right_shift",
    "x, axis=None, keepdims=False": "all amax amin any argmax argmin mean median nanargmax nanargmin nanmax nanmean "
    "nanmedian nanmin nanprod nanstd nansum nanvar ptp std sum var",
    "x, axis=None, keepdims=False, initial=None": "max min",
    "x, axis=None, keepdims=False, dtype=None": "prod",
    "x, q, axis=None, method='linear', keepdims=False": "nanpercentile nanquantile percentile quantile",
    "x, axis=None, dtype=None": "cumprod cumsum nancumprod nancumsum",
    "x, axis=-1": "argsort sort",
    "x, axis": "expand_dims",
    "x, axis=None": "count_nonzero flip squeeze",
    "x, axis=None, weights=None": "average",
    "x, kth, axis=-1": "argpartition",
    "x, k=0": "diag diagflat tril triu",
    "x, offset=0, axis1=0, axis2=1": "diagonal trace",
    "x, indices_or_sections": "dsplit hsplit vsplit",
    "x, indices_or_sections, axis=0": "array_split split",
    "x, source, destination": "moveaxis",
    "x, axis1, axis2": "swapaxes",
    "x, axes=None": "transpose",
    "x, shift, axis=None": "roll",
    "x, indices, axis=None": "take take_along_axis",
    "x, repeats, axis=None": "repeat",
    "x, decimals=0": "round",
    "x, nan=0.0, posinf=None, neginf=None": "nan_to_num",
    "x, N=None, increasing=False": "vander",
    "x, bins=10, range=None": "histogram",
    "x, bins": "digitize",
    "xs": "dstack hstack vstack",
    "xs, axis=0": "concatenate",
    "a, n=1, axis=-1": "diff",
    "y, x=None, dx=1.0, axis=-1": "trapezoid",
    "array, k=1, axes=(0, 1)": "rot90",
    "x1, x2, axis=None": "append",
    "x1, x2, axes=2": "tensordot",
    "x1, x2, mode='valid'": "correlate",
    "x1, x2, axisa=-1, axisb=-1, axisc=-1, axis=None": "cross",
    "x1, x2, rtol=1e-05, atol=1e-08, equal_nan=False": "allclose isclose",
    "x1, x2, assume_unique=False, invert=False": "isin",
    "indices, shape": "unravel_index",
    "sorted_sequence, values, side='left'": "searchsorted",
    "start, stop, num=50, endpoint=True, dtype=None, axis=0": "geomspace",
    "start, stop, num=50, endpoint=True, base=10, dtype=None, axis=0": "logspace",
    "start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0": "linspace",
}
for _signature, _names in _SAME_AS_JAX.items():
    define(globals(), _signature, _names, jnp)
define(globals(), "x", "ceil floor", {"ceil": of_floats(jnp.ceil), "floor": of_floats(jnp.floor)})


@op
def arange(start, stop=None, step=None, dtype=None):
    """Evenly spaced numbers from `start` (0 if it is the only one) up to, not including, `stop`."""
    numbers = [x for x in (start, stop, step) if x is not None]
    if dtype is None and builtins.any(jnp.issubdtype(jnp.result_type(x), jnp.floating) for x in numbers):
        dtype = config.floatx()
    return jnp.arange(start, stop, step, dtype)


@op
def array(x, dtype=None):
    """A copy of `x` as an array."""
    return jnp.array(tensor(x), dtype)


def _window(name):
    def window(x):
        return getattr(jnp, name)(int(x)).astype(config.floatx())

    window.__name__ = name
    window.__doc__ = f"The {name} window of `x` samples."
    return op(window)


bartlett, blackman, hamming, hanning = map(_window, ("bartlett", "blackman", "hamming", "hanning"))


@op
def kaiser(x, beta):
    """The Kaiser window of `x` samples."""
    return jnp.kaiser(int(x), beta).astype(config.floatx())


@op
def bincount(x, weights=None, minlength=0, sparse=False):
    """How often each of 0, 1, ... occurs in `x`, or in each row of it. Compiled code needs a `minlength`: longer
    counts are cut there."""
    x = tensor(x)
    traced = isinstance(x, jax.core.Tracer)
    length = minlength if traced else builtins.max(minlength, int(x.max()) + 1 if x.size else 0)
    if traced and not minlength:
        raise ValueError("bincount in compiled code: the number of bins must be known. Give `minlength`.")
    weights = None if weights is None else tensor(weights)

    def count(x, weights):
        return jnp.bincount(x, weights, length=length)

    if x.ndim == 1:
        return count(x, weights)
    return jax.vmap(count, (0, None if weights is None else 0))(x, weights)


@op
def broadcast_to(x, shape):
    """`x`, repeated to `shape`."""
    return jnp.broadcast_to(tensor(x), dims(shape))


@op
def clip(x, x_min, x_max):
    """`x` limited to the range from `x_min` to `x_max`."""
    return jnp.clip(tensor(x), operand(x_min), operand(x_max))


@op
def einsum(subscripts, *operands, **kwargs):
    """Einstein's summation.

    >>> einsum("ij,j->i", [[1, 2], [3, 4]], [1, 1]).tolist()
    [3, 7]
    """
    return jnp.einsum(subscripts, *tensors(operands))


@op
def eye(N, M=None, k=0, dtype=None):
    """Ones on the diagonal `k`, zeros elsewhere, in `N` rows and `M` columns."""
    return jnp.eye(N, M, k, to_dtype(dtype))


@op
def identity(n, dtype=None):
    """The identity matrix of `n` rows."""
    return jnp.identity(n, to_dtype(dtype))


@op
def tri(N, M=None, k=0, dtype=None):
    """Ones at and below the diagonal `k`, zeros above."""
    return jnp.tri(N, M, k, to_dtype(dtype))


@op
def zeros(shape, dtype=None):
    """Zeros, of `floatx()` unless told otherwise."""
    return jnp.zeros(dims(shape), to_dtype(dtype))


@op
def ones(shape, dtype=None):
    """Ones, of `floatx()` unless told otherwise."""
    return jnp.ones(dims(shape), to_dtype(dtype))


@op
def empty(shape, dtype=None):
    """An array whose values do not matter (they are zeros)."""
    return jnp.zeros(dims(shape), to_dtype(dtype))


@op
def full(shape, fill_value, dtype=None):
    """One value everywhere, of `floatx()` unless told otherwise."""
    return jnp.full(dims(shape), tensor(fill_value), to_dtype(dtype))


@op
def zeros_like(x, dtype=None):
    """Zeros of the shape and type of `x`."""
    return jnp.zeros_like(tensor(x), dtype)


@op
def ones_like(x, dtype=None):
    """Ones of the shape and type of `x`."""
    return jnp.ones_like(tensor(x), dtype)


@op
def empty_like(x, dtype=None):
    """An array of the shape and type of `x` whose values do not matter (they are zeros)."""
    return jnp.zeros_like(tensor(x), dtype)


@op
def full_like(x, fill_value, dtype=None):
    """One value everywhere, in the shape and type of `x`."""
    return jnp.full_like(tensor(x), tensor(fill_value), dtype)


@op
def get_item(x, key):
    """``x[key]``."""
    return tensor(x)[key]


@op
def meshgrid(*x, indexing="xy"):
    """Grids of coordinates from vectors of them."""
    return jnp.meshgrid(*tensors(x), indexing=indexing)


def ndim(x):
    """The number of dimensions, of a symbol too."""
    return len(x.shape) if hasattr(x, "shape") else tensor(x).ndim


@op
def pad(x, pad_width, mode="constant", constant_values=None):
    """Values added around `x`: `pad_width` of them, ``(before, after)`` for all dimensions or for each."""
    options = {"constant_values": constant_values or 0} if mode == "constant" else {}
    return jnp.pad(tensor(x), pad_width, mode=mode, **options)


@op
def reshape(x, newshape):
    """The same elements in another shape. One dimension may be -1; ``None`` keeps the dimension at its place."""
    x = tensor(x)
    shape = (newshape,) if isinstance(newshape, (int, np.integer)) else tuple(newshape)
    unknown = [d for d in shape if d is None or d == -1]
    if len(unknown) == 1:
        shape = tuple(-1 if d is None else d for d in shape)
    return x.reshape(dims(x.shape[i] if d is None else d for i, d in enumerate(shape)))


@op
def select(condlist, choicelist, default=0):
    """Each element from the first choice whose condition holds there."""
    return jnp.select(tensors(condlist), tensors(choicelist), default)


@op
def size(x):
    """The number of elements."""
    return tensor(x).size


@op
def slogdet(x):
    """The sign of the determinant, and the logarithm of its absolute value."""
    return tuple(jnp.linalg.slogdet(as_float(x)))


@op
def stack(x, axis=0):
    """Arrays joined along a new axis."""
    return jnp.stack(tensors(x), axis)


@op
def tile(x, repeats):
    """`x` repeated along each dimension."""
    return jnp.tile(tensor(x), dims(repeats))


@op
def unique(
    x, sorted=True, return_index=False, return_inverse=False, return_counts=False, axis=None, size=None, fill_value=None
):
    """The different values of `x`. Compiled code needs `size`, how many there are (filled up with `fill_value`)."""
    flags = {"return_index": return_index, "return_inverse": return_inverse, "return_counts": return_counts}
    return jnp.unique(tensor(x), axis=axis, size=size, fill_value=fill_value, **flags)


def vectorize(pyfunc, *, excluded=None, signature=None):
    """A function of scalars (or of what `signature` says) made one of arrays."""
    return op(jnp.vectorize(pyfunc, excluded=excluded or frozenset(), signature=signature))


@op
def view(x, dtype=None):
    """The same memory read as another type."""
    return tensor(x).view(dtype)


@op
def where(condition, x1=None, x2=None):
    """`x1` where the condition holds, else `x2`; with the condition alone, the indices where it holds."""
    if x1 is None and x2 is None:
        return jnp.where(tensor(condition))
    return jnp.where(tensor(condition), operand(x1), operand(x2))
