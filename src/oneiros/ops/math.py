"""Functions of `keras.ops` beyond NumPy: segments, spectra, special functions."""

import builtins

import jax
import jax.numpy as jnp
from jax import Array

from ..core import op
from .table import Axes, DType, Tensor, as_float, define, operand, tensor, to_dtype


@define({"erf": jax.lax.erf, "erfc": jax.lax.erfc, "erfinv": jax.lax.erf_inv, "rsqrt": jax.lax.rsqrt})
def _special(x: Tensor, *, function) -> Array:
    """A function of one tensor of floats.

    Summaries:
        erf: The error function, element by element.
        erfc: The complementary error function ``1 - erf(x)``, element by element.
        erfinv: The inverse of the error function, element by element.
        rsqrt: ``1 / sqrt(x)``, element by element.

    Args:
        x: Tensor of numbers; integers become `floatx()`.

    Returns:
        A tensor of the shape of `x`.

    >>> erf([0.0]).tolist()
    [0.0]

    >>> erfc([0.0]).tolist()
    [1.0]

    >>> erfinv([0.0]).tolist()
    [0.0]

    >>> rsqrt([4.0]).tolist()
    [0.5]
    """
    return function(as_float(x))


@op
def logsumexp(x: Tensor, axis: Axes = None, keepdims: bool = False) -> Array:
    """Computes ``log(sum(exp(x)))`` along axes without overflow.

    Args:
        x: Tensor of numbers.
        axis: Axis or axes to reduce over; ``None`` for all of them.
        keepdims: Whether the reduced axes stay, with size 1.

    Returns:
        A tensor without the reduced axes.

    >>> logsumexp([1000.0, 0.0]).tolist()
    1000.0
    """
    return jax.nn.logsumexp(as_float(x), axis=axis, keepdims=keepdims)


@op
def cdist(x: Tensor, y: Tensor) -> Array:
    """Euclidean distances between all pairs of vectors of two tensors.

    Args:
        x: Vectors ``(..., m, d)``.
        y: Vectors ``(..., n, d)``.

    Returns:
        Distances ``(..., m, n)``.

    >>> cdist([[0.0, 0.0]], [[3.0, 4.0], [0.0, 1.0]]).tolist()
    [[5.0, 1.0]]
    """
    x, y = as_float(x), as_float(y)
    squares = jnp.sum(jnp.square(x[..., :, None, :] - y[..., None, :, :]), -1)
    positive = squares > 0  # the gradient of the root is infinite at 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, squares, 1)), 0)


@op
def divide_no_nan(x1: Tensor, x2: Tensor) -> Array:
    """Divides `x1` by `x2`, and returns 0 where `x2` is 0.

    Args:
        x1: Tensor of numbers.
        x2: Tensor that broadcasts against `x1`.

    Returns:
        A tensor of the broadcast shape. Its gradients are finite as well.

    >>> divide_no_nan([1.0, 1.0], [2.0, 0.0]).tolist()
    [0.5, 0.0]
    """
    x1, x2 = operand(x1), operand(x2)
    zero = jnp.equal(x2, 0)
    return jnp.where(zero, 0, jnp.divide(x1, jnp.where(zero, 1, x2)))


@op
def in_top_k(targets: Tensor, predictions: Tensor, k: int) -> Array:
    """Whether each target class is among the `k` best predictions of its row.

    Args:
        targets: Integers ``(...)``.
        predictions: Scores ``(..., classes)``.
        k: Number of predictions to consider. A target whose score equals the lowest of them counts as found.

    Returns:
        Booleans ``(...)``; false for classes that do not exist and for scores that are not finite.

    >>> in_top_k([1, 0], [[0.1, 0.7, 0.2], [0.1, 0.7, 0.2]], k=2).tolist()
    [True, False]
    """
    targets, predictions = tensor(targets).astype("int32"), tensor(predictions)
    score = jnp.take_along_axis(predictions, targets[..., None], -1, mode="clip")
    known = (targets >= 0) & (targets < predictions.shape[-1]) & jnp.isfinite(score[..., 0])
    return known & (jnp.sum(predictions > score, -1) < k)


@op
def top_k(x: Tensor, k: int, sorted: bool = True) -> tuple[Array, Array]:
    """The `k` largest values along the last axis, and their indices.

    Args:
        x: Tensor of numbers.
        k: Number of values.
        sorted: Not used; the values are always in descending order.

    Returns:
        ``(values, indices)``, both ``(..., k)``.

    >>> [part.tolist() for part in top_k([1, 9, 5], 2)]
    [[9, 5], [1, 2]]
    """
    return tuple(jax.lax.top_k(tensor(x), k))


@op
def extract_sequences(x: Tensor, sequence_length: int, sequence_stride: int) -> Array:
    """Extracts (overlapping) windows of the last axis.

    Args:
        x: ``(..., time)``.
        sequence_length: Length of each window.
        sequence_stride: Distance between the starts of successive windows.

    Returns:
        Windows ``(..., windows, sequence_length)``.

    >>> extract_sequences([1, 2, 3, 4], 2, 1).tolist()
    [[1, 2], [2, 3], [3, 4]]
    """
    x = tensor(x)
    count = builtins.max((x.shape[-1] - sequence_length) // sequence_stride + 1, 0)
    return x[..., sequence_stride * jnp.arange(count)[:, None] + jnp.arange(sequence_length)]


@define(jax.ops, "segment_max segment_min segment_prod segment_sum")
def _segment(
    data: Tensor, segment_ids: Tensor, num_segments: int | None = None, sorted: bool = False, *, function
) -> Array:
    """Reduces the rows that have the same segment id.

    Summaries:
        segment_max: The largest elements of the rows that have the same segment id.
        segment_min: The smallest elements of the rows that have the same segment id.
        segment_prod: The product of the rows that have the same segment id.
        segment_sum: The sum of the rows that have the same segment id.

    Args:
        data: ``(n, ...)``.
        segment_ids: Integers ``(n,)``: the segment of each row.
        num_segments: Number of segments; by default the largest id plus 1. It is required in compiled code.
        sorted: Whether the ids are in ascending order, which makes the operation faster.

    Returns:
        One row for each segment: ``(num_segments, ...)``.

    Raises:
        ValueError: In compiled code without `num_segments`.

    >>> segment_sum([1, 2, 3], [0, 0, 1]).tolist()
    [3, 3]

    >>> segment_max([1, 2, 3], [0, 0, 1]).tolist()
    [2, 3]

    >>> segment_min([1, 2, 3], [0, 0, 1]).tolist()
    [1, 3]

    >>> segment_prod([1, 2, 3], [0, 0, 1]).tolist()
    [2, 3]
    """
    data, segment_ids = tensor(data), tensor(segment_ids)
    if num_segments is None:
        if isinstance(segment_ids, jax.core.Tracer):
            raise ValueError(f"{function.__name__} in compiled code: give `num_segments`, how many segments there are.")
        num_segments = int(segment_ids.max()) + 1 if segment_ids.size else 0
    return function(data, segment_ids, num_segments, indices_are_sorted=sorted)


# Spectra. Complex numbers are pairs (real part, imaginary part), as in Keras.


def _complex(x):
    real, imaginary = map(as_float, x)
    return jax.lax.complex(real, imaginary)


def _parts(x):
    return jnp.real(x), jnp.imag(x)


@op
def fft(x: tuple[Tensor, Tensor]) -> tuple[Array, Array]:
    """The discrete Fourier transform along the last axis.

    Args:
        x: Complex numbers as a pair (real part, imaginary part), both ``(..., n)``.

    Returns:
        The transform as a pair of the same shapes.

    >>> [part.tolist() for part in fft(([1.0, 1.0], [0.0, 0.0]))]
    [[2.0, 0.0], [0.0, 0.0]]
    """
    return _parts(jnp.fft.fft(_complex(x)))


@op
def fft2(x: tuple[Tensor, Tensor]) -> tuple[Array, Array]:
    """The discrete Fourier transform along the last two axes.

    Args:
        x: Complex numbers as a pair (real part, imaginary part), both ``(..., m, n)``.

    Returns:
        The transform as a pair of the same shapes.

    >>> fft2(([[1.0, 1.0]], [[0.0, 0.0]]))[0].tolist()
    [[2.0, 0.0]]
    """
    return _parts(jnp.fft.fft2(_complex(x)))


@op
def ifft2(x: tuple[Tensor, Tensor]) -> tuple[Array, Array]:
    """The inverse of `fft2`.

    Args:
        x: Complex numbers as a pair (real part, imaginary part), both ``(..., m, n)``.

    Returns:
        The inverse transform as a pair of the same shapes.

    >>> ifft2(([[2.0, 0.0]], [[0.0, 0.0]]))[0].tolist()
    [[1.0, 1.0]]
    """
    return _parts(jnp.fft.ifft2(_complex(x)))


@op
def rfft(x: Tensor, fft_length: int | None = None) -> tuple[Array, Array]:
    """The discrete Fourier transform of real numbers along the last axis.

    Args:
        x: ``(..., n)`` real numbers.
        fft_length: Length to which the axis is truncated or padded with zeros; `n` by default.

    Returns:
        A pair (real part, imaginary part), both ``(..., fft_length // 2 + 1)``.

    >>> rfft([1.0, 2.0, 3.0])[0].round(2).tolist()
    [6.0, -1.5]
    """
    return _parts(jnp.fft.rfft(as_float(x), fft_length))


@op
def irfft(x: tuple[Tensor, Tensor], fft_length: int | None = None) -> Array:
    """The inverse of `rfft`.

    Args:
        x: A pair (real part, imaginary part), both ``(..., n)``.
        fft_length: Length of the result; ``2 * (n - 1)`` by default.

    Returns:
        Real numbers ``(..., fft_length)``.

    >>> irfft(rfft([1.0, 2.0, 3.0]), 3).round(2).tolist()
    [1.0, 2.0, 3.0]
    """
    return jnp.fft.irfft(_complex(x), fft_length)


def _stft_window(window, sequence_length, fft_length, dtype):
    """A window by name ('hann', 'hamming', periodic), or an array, with zeros around it; `None`: ones everywhere."""
    if window is None:
        return jnp.ones(fft_length, dtype)
    if isinstance(window, str):
        known = {"hann": jnp.hanning, "hamming": jnp.hamming}
        if window not in known:
            raise ValueError(f"window must be 'hann', 'hamming', None or an array. Received: {window!r}")
        window = known[window](sequence_length + 1)[:-1]
    before = (fft_length - sequence_length) // 2
    return jnp.pad(tensor(window).astype(dtype), (before, fft_length - sequence_length - before))


@op
def stft(
    x: Tensor,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: str | Tensor | None = "hann",
    center: bool = True,
) -> tuple[Array, Array]:
    """The short-time Fourier transform along the last axis.

    Args:
        x: ``(..., time)`` real numbers.
        sequence_length: Length of the window.
        sequence_stride: Distance between the starts of successive frames.
        fft_length: Length of each frame. The window is padded with zeros on both sides to this length.
        window: 'hann', 'hamming', a vector of `sequence_length` numbers, or ``None`` for whole frames as they are.
        center: Whether frames are centred at the multiples of the stride. Then both ends are padded by reflection.

    Returns:
        A pair (real part, imaginary part), both ``(..., frames, fft_length // 2 + 1)``.

    Raises:
        ValueError: If the name of the window is unknown.

    >>> stft(jnp.ones(16), 4, 2, 4)[0].shape
    (9, 3)
    """
    x = as_float(x)
    if center:
        around = [(0, 0)] * (x.ndim - 1) + [(fft_length // 2, fft_length // 2)]
        x = jnp.pad(x, around, mode="reflect")
    frames = extract_sequences(x, fft_length, sequence_stride)
    return _parts(jnp.fft.rfft(frames * _stft_window(window, sequence_length, fft_length, x.dtype)))


@op
def istft(
    x: tuple[Tensor, Tensor],
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: str | Tensor | None = "hann",
    center: bool = True,
) -> Array:
    """The inverse of `stft`, from frames that overlap (Griffin & Lim 1984).

    Frames are multiplied by the window, added where they overlap, and divided by the sum of the squared windows.

    Args:
        x: A pair (real part, imaginary part), both ``(..., frames, fft_length // 2 + 1)``.
        sequence_length: Length of the window.
        sequence_stride: Distance between the starts of successive frames.
        fft_length: Length of each frame.
        length: Length of the result; by default, all that the frames determine.
        window: The window, as given to `stft`.
        center: Whether frames are centred, as given to `stft`.

    Returns:
        Real numbers ``(..., length)``.

    Raises:
        ValueError: If the name of the window is unknown.

    >>> istft(stft(jnp.arange(8.0), 4, 2, 4), 4, 2, 4).round(2).tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    """
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
def view_as_complex(x: Tensor) -> Array:
    """Converts pairs along the last axis to complex numbers.

    Args:
        x: ``(..., 2)``: real and imaginary parts.

    Returns:
        Complex numbers ``(...)``.

    Raises:
        ValueError: If the last dimension is not 2.

    >>> view_as_complex([1.0, 2.0]).tolist()
    (1+2j)
    """
    x = as_float(x)
    if x.shape[-1] != 2:
        raise ValueError(f"view_as_complex: the last dimension must be 2. Received shape {x.shape}.")
    return jax.lax.complex(x[..., 0], x[..., 1])


@op
def view_as_real(x: Tensor) -> Array:
    """Converts complex numbers to pairs along a new last axis.

    Args:
        x: Complex numbers ``(...)``.

    Returns:
        Real and imaginary parts ``(..., 2)``.

    >>> view_as_real(jnp.array(1 + 2j)).tolist()
    [1.0, 2.0]
    """
    return jnp.stack(_parts(tensor(x)), -1)


@op
def saturate_cast(x: Tensor, dtype: DType) -> Array:
    """Converts to another data type, and clips to its range.

    Args:
        x: Tensor of numbers.
        dtype: The other data type.

    Returns:
        A tensor of the shape of `x`.

    >>> saturate_cast([-5, 300], "uint8").tolist()
    [0, 255]
    """
    x, dtype = tensor(x), to_dtype(dtype)
    if jnp.issubdtype(dtype, jnp.bool_):
        return x.astype(dtype)
    limits = jnp.finfo(dtype) if jnp.issubdtype(dtype, jnp.floating) else jnp.iinfo(dtype)
    if jnp.issubdtype(x.dtype, jnp.integer) and jnp.issubdtype(dtype, jnp.integer):
        own = jnp.iinfo(x.dtype)
        return jnp.clip(x, builtins.max(limits.min, own.min), builtins.min(limits.max, own.max)).astype(dtype)
    return jnp.clip(x, float(limits.min), float(limits.max)).astype(dtype)
