"""Functions of `keras.ops` beyond NumPy: segments, spectra, special functions."""

import builtins

import jax
import jax.numpy as jnp

from ..core import op
from .table import as_float, define, of_floats, operand, tensor, to_dtype

_SPECIAL = {"erf": jax.lax.erf, "erfc": jax.lax.erfc, "erfinv": jax.lax.erf_inv, "rsqrt": jax.lax.rsqrt}
define(globals(), "x", " ".join(_SPECIAL), {name: of_floats(f) for name, f in _SPECIAL.items()})
define(globals(), "x, axis=None, keepdims=False", "logsumexp", {"logsumexp": of_floats(jax.nn.logsumexp)})


@op
def cdist(x, y):
    """Euclidean distances between the rows of `x` ``(..., m, d)`` and of `y` ``(..., n, d)``: ``(..., m, n)``."""
    x, y = as_float(x), as_float(y)
    squares = jnp.sum(jnp.square(x[..., :, None, :] - y[..., None, :, :]), -1)
    positive = squares > 0  # the gradient of the root is infinite at 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, squares, 1)), 0)


@op
def divide_no_nan(x1, x2):
    """``x1 / x2``, and 0 where `x2` is 0."""
    x1, x2 = operand(x1), operand(x2)
    zero = jnp.equal(x2, 0)
    return jnp.where(zero, 0, jnp.divide(x1, jnp.where(zero, 1, x2)))


@op
def in_top_k(targets, predictions, k):
    """Whether each target class is among the `k` best predictions of its row (ties count as being among them)."""
    targets, predictions = tensor(targets).astype("int32"), tensor(predictions)
    score = jnp.take_along_axis(predictions, targets[..., None], -1, mode="clip")
    known = (targets >= 0) & (targets < predictions.shape[-1]) & jnp.isfinite(score[..., 0])
    return known & (jnp.sum(predictions > score, -1) < k)


@op
def top_k(x, k, sorted=True):
    """The `k` largest values of each row, the largest first, and their indices."""
    return tuple(jax.lax.top_k(tensor(x), k))


@op
def extract_sequences(x, sequence_length, sequence_stride):
    """Overlapping windows over the last axis: ``(..., time)`` to ``(..., windows, sequence_length)``."""
    x = tensor(x)
    count = builtins.max((x.shape[-1] - sequence_length) // sequence_stride + 1, 0)
    return x[..., sequence_stride * jnp.arange(count)[:, None] + jnp.arange(sequence_length)]


def _segment(name):
    reduce = getattr(jax.ops, name)

    def segment(data, segment_ids, num_segments=None, sorted=False):
        data, segment_ids = tensor(data), tensor(segment_ids)
        if num_segments is None:
            if isinstance(segment_ids, jax.core.Tracer):
                raise ValueError(f"{name} in compiled code: give `num_segments`, how many segments there are.")
            num_segments = int(segment_ids.max()) + 1 if segment_ids.size else 0
        return reduce(data, segment_ids, num_segments, indices_are_sorted=sorted)

    segment.__name__ = name
    segment.__doc__ = f"The {name.removeprefix('segment_')} of the rows of `data` that have the same segment id."
    return op(segment)


segment_max, segment_min, segment_prod, segment_sum = (
    _segment(f"segment_{kind}") for kind in ("max", "min", "prod", "sum")
)


# Spectra. Complex numbers are pairs (real part, imaginary part), as Keras has them.


def _complex(x):
    real, imaginary = map(as_float, x)
    return jax.lax.complex(real, imaginary)


def _parts(x):
    return jnp.real(x), jnp.imag(x)


@op
def fft(x):
    """The discrete Fourier transform of a pair (real, imaginary) over the last axis."""
    return _parts(jnp.fft.fft(_complex(x)))


@op
def fft2(x):
    """The discrete Fourier transform of a pair (real, imaginary) over the last two axes."""
    return _parts(jnp.fft.fft2(_complex(x)))


@op
def ifft2(x):
    """The inverse of `fft2`."""
    return _parts(jnp.fft.ifft2(_complex(x)))


@op
def rfft(x, fft_length=None):
    """The Fourier transform of real numbers over the last axis, as a pair (real, imaginary)."""
    return _parts(jnp.fft.rfft(as_float(x), fft_length))


@op
def irfft(x, fft_length=None):
    """The inverse of `rfft`."""
    return jnp.fft.irfft(_complex(x), fft_length)


def _stft_window(window, sequence_length, fft_length, dtype):
    """A window by name ('hann', 'hamming', periodic), as an array, or None; zeros around it up to `fft_length`."""
    if window is None:
        window = jnp.ones(sequence_length, dtype)
    elif isinstance(window, str):
        known = {"hann": jnp.hanning, "hamming": jnp.hamming}
        if window not in known:
            raise ValueError(f"window must be 'hann', 'hamming', None or an array. Received: {window!r}")
        window = known[window](sequence_length + 1)[:-1]
    before = (fft_length - sequence_length) // 2
    return jnp.pad(tensor(window).astype(dtype), (before, fft_length - sequence_length - before))


@op
def stft(x, sequence_length, sequence_stride, fft_length, window="hann", center=True):
    """The short-time Fourier transform over the last axis: a pair (real, imaginary) ``(..., frames, frequencies)``."""
    x = as_float(x)
    if center:
        around = [(0, 0)] * (x.ndim - 1) + [(fft_length // 2, fft_length // 2)]
        x = jnp.pad(x, around, mode="reflect")
    frames = extract_sequences(x, fft_length, sequence_stride)
    return _parts(jnp.fft.rfft(frames * _stft_window(window, sequence_length, fft_length, x.dtype)))


@op
def istft(x, sequence_length, sequence_stride, fft_length, length=None, window="hann", center=True):
    """The inverse of `stft`: frames are overlapped, added, and divided by the sum of the squared windows."""
    frames = jnp.fft.irfft(_complex(x), fft_length)
    window = _stft_window(window, sequence_length, fft_length, frames.dtype)
    count = frames.shape[-2]
    total = (count - 1) * sequence_stride + fft_length
    places = sequence_stride * jnp.arange(count)[:, None] + jnp.arange(fft_length)

    def overlap(frames):
        return jnp.zeros((*frames.shape[:-2], total), frames.dtype).at[..., places].add(frames)

    weight = overlap(jnp.broadcast_to(jnp.square(window), (count, fft_length)))
    signal = overlap(frames * window) / jnp.where(weight > 1e-10, weight, 1)
    start = fft_length // 2 if center else 0
    end = start + length if length is not None else total - start
    return signal[..., start:end]


@op
def view_as_complex(x):
    """Complex numbers from pairs along the last axis."""
    x = as_float(x)
    if x.shape[-1] != 2:
        raise ValueError(f"view_as_complex: the last dimension must be 2. Received shape {x.shape}.")
    return jax.lax.complex(x[..., 0], x[..., 1])


@op
def view_as_real(x):
    """Real and imaginary parts along a new last axis."""
    return jnp.stack(_parts(tensor(x)), -1)


@op
def saturate_cast(x, dtype):
    """`x` in another type, limited to that type's range."""
    x, dtype = tensor(x), to_dtype(dtype)
    if jnp.issubdtype(dtype, jnp.bool_):
        return x.astype(dtype)
    limits = jnp.finfo(dtype) if jnp.issubdtype(dtype, jnp.floating) else jnp.iinfo(dtype)
    if jnp.issubdtype(x.dtype, jnp.integer) and jnp.issubdtype(dtype, jnp.integer):
        own = jnp.iinfo(x.dtype)
        return jnp.clip(x, builtins.max(limits.min, own.min), builtins.min(limits.max, own.max)).astype(dtype)
    return jnp.clip(x, float(limits.min), float(limits.max)).astype(dtype)
