"""Spectrograms: how strong each frequency is in each frame of a sound."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from ...core import epsilon
from ...core.checks import one_of, positive_int
from ...core.errors import InputDataError
from ...core.fields import field, optional
from ...initializers import STFT
from ...kernels.convolution import conv, conv_output_length
from ...ops import stft
from ..arguments import DATA_FORMAT, Padding, PositiveInt
from ..base import Layer
from ..data_format import Spatial


def _power(real, imag):
    return jnp.square(real) + jnp.square(imag)


def _log(real, imag):
    return jnp.log(jnp.maximum(_power(real, imag), epsilon())) / 2


def _magnitude(real, imag):
    return jnp.sqrt(jnp.maximum(_power(real, imag), epsilon()))


def _density(real, imag):
    """The power of all frequencies: each but the first and the last stands for a negative one too."""
    return _power(real, imag) * np.array([1, *[2] * (real.shape[-1] - 2), 1][: real.shape[-1]], real.dtype)


def _angle(real, imag):
    return jnp.arctan2(imag, real)


def _both(real, imag):
    return jnp.concatenate([real, imag], -1)


# What is made of the real and the imaginary part, by mode. The first two modes need one of them only.
_MODES: dict[str, Callable | None] = {"real": None, "imag": None, "log": _log, "magnitude": _magnitude}
_MODES |= {"psd": _density, "angle": _angle, "stft": _both}


def _window(name, value):
    """The name of a window, or its values as a configuration can hold them."""
    if value is None or isinstance(value, str):
        return value
    values = np.asarray(value, float)
    if values.ndim != 1:
        raise InputDataError(f"{name}: expected a name, `None` or a vector. Received: {name}={value!r}")
    return values.tolist()


class STFTSpectrogram(Spatial):
    """The short-time Fourier transform of sounds, as a convolution whose kernels can be trained.

    A window slides over the signal. Each position is a frame, and its Fourier transform one row of the result. With
    ``trainable=False`` the kernels stay what they are.

    Shapes: floats ``(batch, time, channels)`` to ``(batch, frames, channels * frequencies)``, or with `expand_dims` to
    images ``(batch, frames, frequencies, channels)``. There are ``fft_length // 2 + 1`` frequencies, twice as many with
    ``mode="stft"``. The weights `real_kernel` and `imag_kernel` are of shape ``(frame_length, 1, frequencies)``.
    From Allen & Rabiner, "A Unified Approach to Short-Time Fourier Analysis and Synthesis", 1977.

    >>> STFTSpectrogram(frame_length=256, frame_step=128, padding="same")(np.zeros((3, 1600, 1), "float32")).shape
    (3, 13, 129)
    """

    rank = 1

    mode: str = field(
        partial(one_of, allowed=tuple(_MODES)),
        default="log",
        first=True,
        doc='What is returned: `"log"` (logarithm of the magnitude), `"magnitude"`, `"psd"` (power spectral density), '
        '`"real"`, `"imag"`, `"angle"`, or `"stft"` (real parts, then imaginary ones).',
    )
    frame_length: PositiveInt = field(default=256, first=True, doc="Number of samples in a frame.")
    frame_step: int = field(
        optional(positive_int),
        default=None,
        first=True,
        doc="Samples from one frame to the next. `None` is half of `frame_length`.",
    )
    fft_length: int = field(
        optional(positive_int),
        default=None,
        first=True,
        doc="Length of the Fourier transform. `None` is the next power of two from `frame_length`.",
    )
    window: Any = field(
        _window,
        default="hann",
        first=True,
        doc="The window: a name for `scipy.signal.get_window`, its values, or `None` for none.",
    )
    periodic: bool = field(default=False, first=True, doc="Whether the window is periodic instead of symmetric.")
    scaling: str = field(
        partial(one_of, allowed=("density", "spectrum", None)),
        default="density",
        first=True,
        doc='What the window is divided by: the root of the sum of its squares (`"density"`), its sum '
        '(`"spectrum"`), or nothing (`None`).',
    )
    padding: Padding = field(default="valid", first=True)
    expand_dims: bool = field(
        default=False,
        first=True,
        doc="Whether the frequencies get an axis of their own, as in images.",
    )
    data_format: str = field(default=None, doc=DATA_FORMAT)

    def __post_init__(self):
        super().__post_init__()
        length = self.frame_length
        self._step, self._fft = (
            self.frame_step or max(length // 2, 1),
            self.fft_length or 2 ** (length - 1).bit_length(),
        )
        if self._step > length:
            raise InputDataError(
                "STFTSpectrogram: frame_step must not be greater than frame_length. Received: "
                f"frame_step={self.frame_step}, frame_length={length}"
            )
        if self._fft < length:
            raise InputDataError(
                "STFTSpectrogram: fft_length must not be less than frame_length. Received: "
                f"fft_length={self.fft_length}, frame_length={length}"
            )
        self._parts = [self.mode] if _MODES[self.mode] is None else ["real", "imag"]
        if self.window is not None:
            self._initializer("real")((length, 1, 2))  # complains of a wrong window

    def _initializer(self, side):
        return STFT(side, self.window, self.scaling, self.periodic)

    def build(self, input_shape: tuple) -> None:
        self.real_kernel = self.imag_kernel = None
        shape = (self.frame_length, 1, self._fft // 2 + 1)
        for part in self._parts:
            weight = self.add_weight(f"{part}_kernel", shape, initializer=self._initializer(part))
            setattr(self, f"{part}_kernel", weight)

    def call(self, inputs: Array) -> Array:
        if not jnp.issubdtype(inputs.dtype, jnp.floating):
            raise TypeError(
                f"Layer {self.name} (STFTSpectrogram): expected floats. Received inputs of type {inputs.dtype}."
            )
        return super().call(inputs)

    def transform(self, x: Array) -> Array:
        """The spectrograms of signals ``(batch, time, channels)``."""
        batch, time, channels = x.shape
        signals = jnp.moveaxis(x, -1, 1).reshape(batch * channels, time, 1)
        kernels = [getattr(self, f"{part}_kernel").value.astype(x.dtype) for part in self._parts]
        parts = [conv(signals, kernel, self._step, self.padding) for kernel in kernels]
        result = parts[0] if len(parts) == 1 else _MODES[self.mode](*parts)
        result = jnp.moveaxis(result.reshape(batch, channels, *result.shape[1:]), 1, -1)
        return result if self.expand_dims else jnp.swapaxes(result, 2, 3).reshape(*result.shape[:2], -1)

    def transform_shape(self, shape: tuple) -> tuple:
        """The shape of the spectrograms of signals ``(batch, time, channels)``."""
        batch, time, channels = shape
        frames = self.window_lengths([time], [self.frame_length], [self._step], self.padding)[0]
        bins = (self._fft // 2 + 1) * (2 if self.mode == "stft" else 1)
        if self.expand_dims:
            return batch, frames, bins, channels
        return batch, frames, None if channels is None else bins * channels


class MelSpectrogram(Layer):
    """Spectrograms of sounds whose frequencies are spaced as people hear them.

    The magnitudes of a short-time Fourier transform are summed in overlapping triangles that are equally wide on the
    mel scale, ``1127 * log(1 + hertz / 700)``. Frames are centred; both ends of the signal are continued by reflection.

    Shapes: ``(..., samples)`` to ``(..., num_mel_bins, frames)``. From Davis & Mermelstein, "Comparison of Parametric
    Representations for Monosyllabic Word Recognition in Continuously Spoken Sentences", 1980.

    >>> MelSpectrogram(num_mel_bins=64, sampling_rate=8000, sequence_stride=256)(np.zeros((2, 16000))).shape
    (2, 64, 63)
    """

    fft_length: PositiveInt = field(default=2048, doc="Length of the Fourier transform of each frame.")
    sequence_stride: PositiveInt = field(default=512, doc="Samples from one frame to the next.")
    sequence_length: int = field(
        optional(positive_int), default=None, doc="Length of the window. Defaults to `fft_length`."
    )
    window: Any = field(
        _window, default="hann", doc='The window: `"hann"`, `"hamming"`, its values, or `None` for none.'
    )
    sampling_rate: float = field(default=16000, doc="Samples in a second.")
    num_mel_bins: PositiveInt = field(default=128, doc="Number of triangles.")
    min_freq: float = field(default=20.0, doc="Frequency at which the lowest triangle begins, in hertz.")
    max_freq: float = field(
        default=None, doc="Frequency at which the highest triangle ends. Defaults to half of `sampling_rate`."
    )
    power_to_db: bool = field(default=True, doc="Whether the powers are converted to decibels.")
    top_db: float = field(
        default=80.0, doc="How far below the largest value of the batch the smallest may be. `None`: any distance."
    )
    mag_exp: float = field(default=2.0, doc="Exponent of the magnitudes: 1 for magnitudes, 2 for powers.")
    min_power: float = field(default=1e-10, doc="Smallest power that is told from silence.")
    ref_power: float = field(default=1.0, doc="The power of 0 decibels.")

    def __post_init__(self):
        super().__post_init__()
        self.sequence_length = self.sequence_length or self.fft_length
        self.max_freq = self.max_freq or int(self.sampling_rate / 2)
        if self.sequence_length > self.fft_length:
            raise InputDataError(
                "MelSpectrogram: fft_length must be greater than or equal to sequence_length. Received: "
                f"sequence_length={self.sequence_length}, fft_length={self.fft_length}"
            )
        if isinstance(self.window, str):
            self.window = one_of("window", self.window, ("hann", "hamming"))
        elif self.window is not None and len(self.window) != self.sequence_length:
            raise InputDataError(
                f"MelSpectrogram: expected a window of length {self.sequence_length}. Received one of length "
                f"{len(self.window)}."
            )

    def linear_to_mel_weight_matrix(
        self,
        num_mel_bins: int = 20,
        num_spectrogram_bins: int = 129,
        sampling_rate: float = 8000,
        lower_edge_hertz: float = 125.0,
        upper_edge_hertz: float = 3800.0,
        dtype: str = "float32",
    ) -> Array:
        """The matrix that turns a spectrogram ``(..., bins)`` into a mel spectrogram ``(..., mel bins)``.

        Args:
            num_mel_bins: Number of triangles.
            num_spectrogram_bins: Number of frequencies of the spectrogram, from 0 to half of the sampling rate.
            sampling_rate: Samples in a second.
            lower_edge_hertz: Where the lowest triangle begins.
            upper_edge_hertz: Where the highest triangle ends.
            dtype: Type of the result.

        Returns:
            An array ``(num_spectrogram_bins, num_mel_bins)``. The frequency 0 is left out.
        """

        def mel(hertz):
            return 1127 * np.log1p(hertz / 700)

        places = mel(np.linspace(0, sampling_rate / 2, num_spectrogram_bins))[:, None]
        edges = np.linspace(mel(lower_edge_hertz), mel(upper_edge_hertz), num_mel_bins + 2)
        rising = (places - edges[:-2]) / (edges[1:-1] - edges[:-2])
        falling = (edges[2:] - places) / (edges[2:] - edges[1:-1])
        weights = np.maximum(0, np.minimum(rising, falling))
        weights[0] = 0
        return jnp.asarray(weights, dtype)

    def call(self, inputs: Array) -> Array:
        dtype = jnp.promote_types(inputs.dtype, "float32")  # there are no shorter Fourier transforms
        real, imag = stft(
            inputs.astype(dtype), self.sequence_length, self.sequence_stride, self.fft_length, self.window
        )
        power = _power(real, imag)
        if self.mag_exp != 2:
            heard = power > 0  # at 0, the derivative of the root is infinite
            power = jnp.where(heard, jnp.where(heard, power, 1) ** (self.mag_exp / 2), 0)
        weights = self.linear_to_mel_weight_matrix(
            *(self.num_mel_bins, self.fft_length // 2 + 1, self.sampling_rate, self.min_freq, self.max_freq, dtype)
        )
        result = jnp.swapaxes(power @ weights, -1, -2)
        return (self._decibels(result) if self.power_to_db else result).astype(self.compute_dtype)

    def _decibels(self, power):
        reference = max(abs(self.ref_power), self.min_power)
        decibels = 10 * (jnp.log10(jnp.maximum(power, self.min_power)) - np.log10(reference))
        return decibels if self.top_db is None else jnp.maximum(decibels, decibels.max() - self.top_db)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        *lead, samples = input_shape
        if samples is not None:
            samples = conv_output_length(
                samples + self.fft_length // 2 * 2, self.fft_length, "valid", self.sequence_stride
            )
        return (*lead, self.num_mel_bins, samples)
