"""Elementwise functions, reductions, products and shapes, with the names and defaults of Keras 2."""

import builtins
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np

from ...core import config
from ...core.config import standardize_data_format
from ...ops import math as ops_math
from ...ops.table import as_float, define, dims, operand, tensor, tensors, to_dtype
from .recording import ShapeSymbol, function_of_tensors
from .state import is_sparse


def _as_bool(reduce):
    return lambda x, axis, keepdims: reduce(tensor(x).astype(bool), axis, keepdims=keepdims)


def _of_numbers(reduce):
    """Reductions of booleans and integers that give floats."""
    return lambda x, axis, keepdims: reduce(as_float(x), _axes(axis), keepdims=keepdims)


def _axes(axis):
    return tuple(axis) if isinstance(axis, list) else axis


def _plain(reduce):
    return lambda x, axis, keepdims: reduce(tensor(x), _axes(axis), keepdims=keepdims)


def _clip(x, min_value, max_value):
    low = -jnp.inf if min_value is None else operand(min_value)
    high = jnp.inf if max_value is None else operand(max_value)
    return jnp.clip(tensor(x), low, jnp.maximum(low, high))


_FUNCTIONS = {
    "x": {
        "abs": jnp.abs,
        "cos": jnp.cos,
        "exp": jnp.exp,
        "flatten": jnp.ravel,
        "log": jnp.log,
        "round": jnp.round,
        "sign": jnp.sign,
        "sin": jnp.sin,
        "sqrt": lambda x: jnp.sqrt(jnp.maximum(x, 0)),
        "square": jnp.square,
        "tanh": jnp.tanh,
        "transpose": jnp.transpose,
        "batch_flatten": lambda x: x.reshape(x.shape[0], math.prod(x.shape[1:])),
    },
    "x, y": {
        "equal": jnp.equal,
        "greater": jnp.greater,
        "greater_equal": jnp.greater_equal,
        "less": jnp.less,
        "less_equal": jnp.less_equal,
        "lesser": jnp.less,
        "lesser_equal": jnp.less_equal,
        "maximum": jnp.maximum,
        "minimum": jnp.minimum,
        "not_equal": jnp.not_equal,
    },
    "x, a": {"pow": jnp.power},
    "x, axis=None, keepdims=False": {
        "all": _as_bool(jnp.all),
        "any": _as_bool(jnp.any),
        "b_any": _as_bool(jnp.any),
        "logsumexp": _of_numbers(jax.nn.logsumexp),
        "max": _plain(jnp.max),
        "mean": _of_numbers(jnp.mean),
        "min": _plain(jnp.min),
        "std": _of_numbers(jnp.std),
        "sum": _plain(jnp.sum),
        "var": _of_numbers(jnp.var),
    },
    "x, axis=-1": {
        "argmax": lambda x, axis: jnp.argmax(x, axis),
        "argmin": lambda x, axis: jnp.argmin(x, axis),
        "expand_dims": lambda x, axis: jnp.expand_dims(x, axis),
    },
    "x, axis": {"squeeze": lambda x, axis: jnp.squeeze(x, axis)},
    "x, axis=0": {
        "cumprod": lambda x, axis: jnp.cumprod(x, axis),
        "cumsum": lambda x, axis: jnp.cumsum(x, axis),
    },
    "x, min_value, max_value": {"clip": _clip},
    "x, pattern": {"permute_dimensions": lambda x, pattern: jnp.transpose(x, dims(pattern))},
    "x, axes": {"reverse": lambda x, axes: jnp.flip(x, _axes(axes))},
    "x, dtype=None, name=None": {
        "ones_like": lambda x, dtype, name: jnp.ones_like(x, dtype),
        "zeros_like": lambda x, dtype, name: jnp.zeros_like(x, dtype),
    },
    "x, n": {
        "repeat": lambda x, n: jnp.repeat(x[:, None], int(n), 1),
        "tile": lambda x, n: jnp.tile(x, dims(n)),
    },
    "x, rep, axis": {"repeat_elements": lambda x, rep, axis: jnp.repeat(x, int(rep), axis)},
}


def _of_arrays(function):
    def call(x, *args, **options):
        return function(tensor(x), *args, **options)

    call.__doc__ = function.__doc__
    return call


for _signature, _rows in _FUNCTIONS.items():
    _library = {name: _of_arrays(function) for name, function in _rows.items()}
    define(globals(), _signature, " ".join(_rows), _library, function_of_tensors)


def _of_shapes(fn):
    """Integers outside of arrays (shapes) give such integers, known while code is traced."""

    def call(*args, **kwargs):
        x = args[0] if args else next(iter(kwargs.values()))
        parts = x if isinstance(x, (list, tuple)) else [x]
        if not parts or not builtins.all(isinstance(p, (int, np.integer, np.ndarray, list, tuple)) for p in parts):
            return fn(*args, **kwargs)
        with jax.ensure_compile_time_eval():
            result = fn(*args, **kwargs)
        return np.asarray(result) if jnp.issubdtype(result.dtype, jnp.integer) else result

    functools.update_wrapper(call, fn)
    recorded = function_of_tensors(call)

    @functools.wraps(fn)
    def public(x, *args, **kwargs):
        parts = x if isinstance(x, (list, tuple)) else [x]
        sources = {id(p.source): p.source for p in parts if isinstance(p, ShapeSymbol)}
        if len(sources) == 1 and builtins.all(isinstance(p, (int, np.integer, ShapeSymbol)) for p in parts):
            return ShapeSymbol(functools.partial(call, **kwargs), (x, *args), *sources.values())
        return recorded(x, *args, **kwargs)

    return public


@_of_shapes
def prod(x, axis=None, keepdims=False):
    """The product of the elements along `axis`."""
    return jnp.prod(tensor(x), _axes(axis), keepdims=keepdims)


@_of_shapes
def stack(x, axis=0):
    """Tensors joined along a new axis."""
    return jnp.stack(tensors(x), axis)


@_of_shapes
def concatenate(tensors, axis=-1):
    """Tensors joined along an axis; sparse ones give a sparse one."""
    if builtins.all(is_sparse(x) for x in tensors):
        from jax.experimental import sparse

        parts = [sparse.BCOO.from_scipy_sparse(x) if hasattr(x, "tocoo") else x for x in tensors]
        return sparse.bcoo_concatenate(parts, dimension=axis % parts[0].ndim)
    return jnp.concatenate([tensor(x) for x in tensors], axis)


@_of_shapes
def cast(x, dtype):
    """`x` in another type."""
    return tensor(x).astype(to_dtype(dtype))


def cast_to_floatx(x):
    """A NumPy array of type `floatx()`; a tensor or symbol stays one."""
    if hasattr(x, "dtype") and not isinstance(x, (np.ndarray, np.generic)):
        return cast(x, config.floatx())
    return np.asarray(x, config.floatx())


@function_of_tensors
def identity(x, name=None):
    """A tensor of the same values."""
    return tensor(x)


@function_of_tensors
def arange(start, stop=None, step=1, dtype="int32"):
    """Numbers from `start` up to, not including, `stop`; with one number, from 0 up to it."""
    if stop is None:
        start, stop = 0, builtins.max(int(start), 0)
    return jnp.arange(start, stop, step, to_dtype(dtype))


@function_of_tensors
def reshape(x, shape):
    """The same elements in another shape, one dimension of which may be -1."""
    return tensor(x).reshape(dims(-1 if d is None else d for d in shape))


@function_of_tensors
def gather(reference, indices):
    """The rows of `reference` at integer indices."""
    return tensor(reference)[tensor(indices).astype("int32")]


@function_of_tensors
def one_hot(indices, num_classes):
    """1 at the place that each integer names along a new last axis, 0 elsewhere."""
    return jax.nn.one_hot(tensor(indices).astype("int32"), int(num_classes), dtype=config.floatx())


@function_of_tensors
def in_top_k(predictions, targets, k):
    """Whether each target class is among the `k` best predictions of its row."""
    return ops_math.in_top_k(targets, predictions, int(k))


@function_of_tensors
def dot(x, y):
    """The matrix product; of higher ranks, over the last axis of `x` and the last but one of `y`.

    >>> dot(jnp.ones((2, 3)), jnp.ones((4, 3, 5))).shape
    (2, 4, 5)
    """
    if is_sparse(x) or is_sparse(y):
        return _sparse(x) @ _sparse(y)
    return jnp.dot(tensor(x), tensor(y))


def _sparse(x):
    if not hasattr(x, "tocoo"):
        return x if is_sparse(x) else tensor(x)
    from jax.experimental import sparse

    return sparse.BCOO.from_scipy_sparse(x)


@function_of_tensors
def batch_dot(x, y, axes=None):
    """For each example the product over one axis of `x` and one of `y`.

    axes: these two, counted with the batch axis (one number for both); default: the last of `x`, the last but one of
    `y` (the last, if it has two). The result has the other axes of `x`, then those of `y`, at least ``(N, 1)``.

    >>> batch_dot(jnp.ones((8, 20)), jnp.ones((8, 30, 20)), axes=(1, 2)).shape
    (8, 30)
    """
    x, y = tensor(x), tensor(y)
    if builtins.min(x.ndim, y.ndim) < 2:
        raise ValueError(f"batch_dot: expected at least two dimensions. Received shapes {x.shape} and {y.shape}.")
    if axes is None:
        axes = (x.ndim - 1, builtins.max(y.ndim - 2, 1))
    axes = (axes, axes) if isinstance(axes, (int, np.integer)) else tuple(axes)
    a, b = axes[0] % x.ndim, axes[1] % y.ndim
    if 0 in (a, b):
        raise ValueError(f"batch_dot: the batch axis 0 cannot be summed over. Received: axes={axes}")
    if x.shape[a] != y.shape[b]:
        raise ValueError(f"batch_dot: cannot sum over the axes {axes} of shapes {x.shape} and {y.shape}: sizes differ.")
    result = jax.lax.dot_general(x, y, (((a,), (b,)), ((0,), (0,))))
    return result[:, None] if result.ndim == 1 else result


# Padding and resizing


def layout(data_format):
    """'channels_last' or 'channels_first'; Keras 1's 'tf', 'th' and 'default' too."""
    known = {"tf": "channels_last", "th": "channels_first", "default": None}
    return standardize_data_format(known.get(data_format, data_format))


@function_of_tensors
def temporal_padding(x, padding=(1, 1)):
    """Zeros before and after the steps of ``(N, time, features)``."""
    pair = (padding, padding) if isinstance(padding, int) else tuple(padding)
    return jnp.pad(tensor(x), ((0, 0), pair, (0, 0)))


def _spatial_padding(x, padding, data_format):
    pads = [(p, p) if isinstance(p, int) else tuple(p) for p in padding]
    around = [(0, 0), *pads, (0, 0)] if layout(data_format) == "channels_last" else [(0, 0), (0, 0), *pads]
    return jnp.pad(tensor(x), around)


@function_of_tensors
def spatial_2d_padding(x, padding=((1, 1), (1, 1)), data_format=None):
    """Zeros around the rows and columns of images."""
    return _spatial_padding(x, padding, data_format)


@function_of_tensors
def spatial_3d_padding(x, padding=((1, 1), (1, 1), (1, 1)), data_format=None):
    """Zeros around the three dimensions of volumes."""
    return _spatial_padding(x, padding, data_format)


@function_of_tensors
def asymmetric_temporal_padding(x, left_pad=1, right_pad=1):
    """Zeros before and after the steps of ``(N, time, features)``."""
    return jnp.pad(tensor(x), ((0, 0), (left_pad, right_pad), (0, 0)))


@function_of_tensors
def asymmetric_spatial_2d_padding(x, top_pad=1, bottom_pad=1, left_pad=1, right_pad=1, data_format=None):
    """Zeros around the rows and columns of images."""
    return _spatial_padding(x, ((top_pad, bottom_pad), (left_pad, right_pad)), data_format)


def _repeated(x, factors, data_format):
    x, first = tensor(x), 1 if layout(data_format) == "channels_last" else 2
    for axis, factor in enumerate(factors, first):
        x = jnp.repeat(x, int(factor), axis)
    return x


@function_of_tensors
def resize_images(x, height_factor, width_factor, data_format, interpolation="nearest"):
    """Images enlarged by integer factors; interpolation: 'nearest' or 'bilinear'."""
    if interpolation == "nearest":
        return _repeated(x, (height_factor, width_factor), data_format)
    if interpolation != "bilinear":
        raise ValueError(f"resize_images: interpolation must be 'nearest' or 'bilinear'. Received: {interpolation!r}")
    x, first = tensor(x), 1 if layout(data_format) == "channels_last" else 2
    size = list(x.shape)
    size[first : first + 2] = size[first] * int(height_factor), size[first + 1] * int(width_factor)
    return jax.image.resize(x, size, "linear")


@function_of_tensors
def resize_volumes(x, depth_factor, height_factor, width_factor, data_format):
    """Volumes enlarged by integer factors."""
    return _repeated(x, (depth_factor, height_factor, width_factor), data_format)


def pattern_broadcast(x, broadcastable):
    """`x`: here any dimension of 1 broadcasts."""
    return x


def print_tensor(x, message="", summarize=3):
    """`x`, which is printed after the message whenever it is computed."""
    return _printed(x, message)


@function_of_tensors
def _printed(x, message):
    x = tensor(x)
    jax.debug.callback(lambda value: print(message, value, flush=True), x)
    return x
