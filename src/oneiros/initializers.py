"""Initial values of weights: ``initializer(shape, dtype)``.

They are computed by NumPy, so that nothing needs to be compiled. Without a seed, one is drawn from the state of
`core.random`.
"""

import functools
import inspect
import math
import typing
from collections.abc import Sequence as _Sequence
from functools import partial
from typing import Any

import numpy as np
from jax import Array

from . import core
from .core.checks import one_of
from .core.config import behaviour
from .core.errors import InputDataError
from .core.fields import field

_kind = core.kind("initializer")


class Initializer(core.Configurable):
    """Base class of initializers. Subclasses define ``__call__(shape, dtype=None)``.

    The library's own define ``values(shape)`` instead, which returns a NumPy array.

    >>> class Fives(Initializer):
    ...     def __call__(self, shape, dtype=None):
    ...         return np.full(shape, 5.0, dtype)
    >>> Fives()((2,)).tolist()
    [5.0, 5.0]
    """

    kind = "initializer"

    def __call__(self, shape: int | _Sequence[int], dtype: Any = None, **kwargs) -> Array:
        """Makes the values.

        Args:
            shape: Shape of the weight.
            dtype: Type of the values; `floatx()` by default.
            **kwargs: Accepted; they have no effect.
        """
        shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(int(d) for d in shape)
        return core.to_array(self.values(shape), dtype or core.floatx())

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        """The values as a NumPy array. The library's initializers define it."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(shape, dtype=None).")

    def clone(self) -> "Initializer":
        """A new initializer with the same configuration."""
        return type(self).from_config(self.get_config())


class Constant(Initializer):
    """All elements are `value`.

    >>> Constant(2.0)((1, 2)).tolist()
    [[2.0, 2.0]]
    """

    value: typing.Any = field(default=0.0, doc="A number, or an array that broadcasts to the shape.")

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.broadcast_to(np.asarray(self.value), shape)


class Zeros(Initializer):
    """All elements are 0.

    >>> np.asarray(Zeros()((3,))).round(3).tolist()
    [0.0, 0.0, 0.0]
    """

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.zeros(shape, np.float32)


class Ones(Initializer):
    """All elements are 1.

    >>> np.asarray(Ones()((3,))).round(3).tolist()
    [1.0, 1.0, 1.0]
    """

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.ones(shape, np.float32)


class _Random(Initializer):
    seed: typing.Any = field(
        default=None,
        last=True,
        doc="Seed of the values: an integer, a `SeedGenerator`, or `None` to draw a seed. With an integer each call "
        "returns the same values; in Keras 3, with `None` too. With a generator each call returns others.",
    )

    @property
    def rng(self):
        if isinstance(self.seed, core.SeedGenerator):
            return np.random.default_rng(np.asarray(self.seed.next()))
        if self.seed is not None:
            return np.random.default_rng(int(self.seed) % 2**63)
        if behaviour.unseeded_values_repeat:
            self.__dict__.setdefault("_drawn", core.draw_seed())
            return np.random.default_rng(self._drawn)
        return np.random.default_rng(core.draw_seed())


def _truncated(rng, shape):
    """Standard normal values. Those outside of [-2, 2] are drawn again."""
    values = rng.standard_normal(math.prod(shape), np.float32)
    while len(outside := np.flatnonzero(np.abs(values) > 2)):
        values[outside] = rng.standard_normal(len(outside), np.float32)
    return values.reshape(shape)


def _positive(name, value):
    if not value > 0:
        raise InputDataError(f"{name} must be positive. Received: {name}={value!r}")
    return value


class RandomNormal(_Random):
    """Values from a normal distribution.

    >>> np.asarray(RandomNormal(seed=0)((3,)), float).round(3).tolist()
    [0.056, -0.069, -0.021]
    """

    mean: float = field(default=0.0, doc="Mean of the values.")
    stddev: float = field(default=0.05, doc="Standard deviation of the values.")

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        return self.rng.standard_normal(shape, np.float32) * np.float32(self.stddev) + np.float32(self.mean)


class TruncatedNormal(RandomNormal):
    """Values from a normal distribution; those beyond two standard deviations from the mean are drawn again.

    >>> np.asarray(TruncatedNormal(seed=0)((3,)), float).round(3).tolist()
    [0.056, -0.069, -0.021]
    """

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        return _truncated(self.rng, shape) * np.float32(self.stddev) + np.float32(self.mean)


class RandomUniform(_Random):
    """Values from a uniform distribution on [minval, maxval).

    >>> np.asarray(RandomUniform(seed=0)((3,)), float).round(3).tolist()
    [0.035, 0.014, 0.001]
    """

    minval: float = field(default=-0.05, doc="Lower bound of the values, inclusive.")
    maxval: float = field(default=0.05, doc="Upper bound of the values, exclusive.")

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        return self.rng.random(shape, np.float32) * np.float32(self.maxval - self.minval) + np.float32(self.minval)


def compute_fans(
    shape: _Sequence[int], input_axes: _Sequence[int] | None = None, output_axes: _Sequence[int] | None = None
) -> tuple[float, float]:
    """The numbers of inputs that one output depends on, and of outputs that depend on one input.

    Args:
        shape: Shape of the kernel ``(..., in, out)``. The leading axes are those of the window of a convolution.
        input_axes: Axes of the inputs, if they are not the second to last.
        output_axes: Axes of the outputs, if they are not the last.

    Returns:
        A tuple ``(fan_in, fan_out)``.

    >>> compute_fans((3, 3, 8, 16))
    (72, 144)
    """
    if input_axes is not None or output_axes is not None:
        rest = math.prod(d for i, d in enumerate(shape) if i not in _axes(input_axes, output_axes, shape))
        return tuple(rest * math.prod(shape[a] for a in axes or ()) for axes in (input_axes, output_axes))
    if len(shape) < 2:
        return (math.prod(shape),) * 2
    receptive = math.prod(shape[:-2])
    return shape[-2] * receptive, shape[-1] * receptive


def _axes(input_axes, output_axes, shape):
    return {a % len(shape) for a in (*(input_axes or ()), *(output_axes or ()))}


_MODES = {"fan_in": lambda i, o: i, "fan_out": lambda i, o: o, "fan_avg": lambda i, o: (i + o) / 2}
_DISTRIBUTIONS = {
    # The standard deviation of the standard normal cut off at 2 is 0.87962566...
    "truncated_normal": lambda rng, shape: _truncated(rng, shape) / np.float32(0.87962566103423978),
    "untruncated_normal": lambda rng, shape: rng.standard_normal(shape, np.float32),
    "uniform": lambda rng, shape: (rng.random(shape, np.float32) * 2 - 1) * np.float32(math.sqrt(3)),
    "normal": _truncated,  # Keras 2.1's: cut off and not corrected for it
}


class VarianceScaling(_Random):
    """Random values with the variance ``scale / n``, where n is the number of inputs or outputs.

    >>> np.asarray(VarianceScaling(scale=2.0, seed=0)((3, 1)), float).round(3).tolist()
    [[1.037], [-1.288], [-0.396]]
    """

    scale: float = field(_positive, default=1.0, doc="Factor of the variance.")
    mode: str = field(
        partial(one_of, allowed=tuple(_MODES)),
        default="fan_in",
        doc='What n is: the number of inputs (`"fan_in"`) or of outputs (`"fan_out"`), or their mean (`"fan_avg"`).',
    )
    distribution: str = field(
        partial(one_of, allowed=tuple(_DISTRIBUTIONS)),
        default="truncated_normal",
        doc='`"truncated_normal"`, `"untruncated_normal"`, `"uniform"`, or `"normal"`: that of Keras 2.1, which is '
        "truncated without a correction of the variance.",
    )
    input_axes: list = field(default=None, last=True, doc="Axes of the inputs, if they are not the second to last.")
    output_axes: list = field(default=None, last=True, doc="Axes of the outputs, if they are not the last.")

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        fans = compute_fans(shape, self.input_axes, self.output_axes)
        stddev = math.sqrt(self.scale / max(1.0, _MODES[self.mode](*fans)))
        is_named = type(self) is not VarianceScaling and self.distribution == "truncated_normal"
        draw = _DISTRIBUTIONS[behaviour.scaled_normals if is_named else self.distribution]
        return draw(self.rng, shape) * np.float32(stddev)


class GlorotUniform(VarianceScaling):
    """Uniform values with the variance ``2 / (inputs + outputs)`` (Glorot & Bengio 2010).

    >>> np.asarray(GlorotUniform(seed=0)((3, 1)), float).round(3).tolist()
    [[0.859], [0.335], [0.027]]
    """

    scale, mode, distribution = 1.0, "fan_avg", "uniform"


class GlorotNormal(VarianceScaling):
    """Truncated normal values with the variance ``2 / (inputs + outputs)`` (Glorot & Bengio 2010).

    >>> np.asarray(GlorotNormal(seed=0)((3, 1)), float).round(3).tolist()
    [[0.898], [-1.115], [-0.343]]
    """

    scale, mode, distribution = 1.0, "fan_avg", "truncated_normal"


class HeUniform(VarianceScaling):
    """Uniform values with the variance ``2 / inputs`` (He et al. 2015).

    >>> np.asarray(HeUniform(seed=0)((3, 1)), float).round(3).tolist()
    [[0.992], [0.387], [0.031]]
    """

    scale, mode, distribution = 2.0, "fan_in", "uniform"


class HeNormal(VarianceScaling):
    """Truncated normal values with the variance ``2 / inputs`` (He et al. 2015).

    >>> np.asarray(HeNormal(seed=0)((3, 1)), float).round(3).tolist()
    [[1.037], [-1.288], [-0.396]]
    """

    scale, mode, distribution = 2.0, "fan_in", "truncated_normal"


class LecunUniform(VarianceScaling):
    """Uniform values with the variance ``1 / inputs`` (LeCun et al. 1998).

    >>> np.asarray(LecunUniform(seed=0)((3, 1)), float).round(3).tolist()
    [[0.701], [0.274], [0.022]]
    """

    scale, mode, distribution = 1.0, "fan_in", "uniform"


class LecunNormal(VarianceScaling):
    """Truncated normal values with the variance ``1 / inputs`` (LeCun et al. 1998).

    >>> np.asarray(LecunNormal(seed=0)((3, 1)), float).round(3).tolist()
    [[0.734], [-0.91], [-0.28]]
    """

    scale, mode, distribution = 1.0, "fan_in", "truncated_normal"


class Orthogonal(_Random):
    """`gain` times a random matrix with orthonormal rows or columns (Saxe et al. 2014).

    A weight with more than two axes is treated as a matrix whose columns are the last axis.

    >>> w = np.asarray(Orthogonal(seed=0)((2, 2)))
    >>> np.allclose(w @ w.T, np.eye(2), atol=1e-6)
    True
    """

    gain: float = field(default=1.0, doc="Factor of the matrix.")

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        if len(shape) < 2:
            raise ValueError(f"Orthogonal: expected a shape of at least two dimensions. Received: shape={shape}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        normal = self.rng.standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(normal)
        q = q * np.sign(np.diag(r))  # makes the distribution uniform over all such matrices
        return self.gain * (q if rows >= columns else q.T).reshape(shape)


class Identity(Initializer):
    """`gain` on the diagonal of a matrix, and 0 elsewhere.

    >>> np.asarray(Identity()((2, 2))).round(3).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    gain: float = field(default=1.0, doc="The value on the diagonal.")

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        if len(shape) != 2:
            raise ValueError(f"Identity: expected the shape of a matrix. Received: shape={shape}")
        if behaviour.identity_of_squares and shape[0] != shape[1]:
            raise ValueError(f"Identity: expected the shape of a square matrix. Received: shape={shape}")
        return self.gain * np.eye(*shape)


class STFT(Initializer):
    """The kernel ``(frame, channels, frequencies)`` that makes a convolution a short-time Fourier transform.

    >>> STFT()((8, 1, 5)).shape
    (8, 1, 5)
    """

    side: str = field(
        partial(one_of, allowed=("real", "imag")), default="real", doc='Part of the transform: `"real"` or `"imag"`.'
    )
    window: Any = field(
        default="hann", doc="Name of a window for `scipy.signal.get_window`, its values, or `None` for none."
    )
    scaling: str = field(
        partial(one_of, allowed=("density", "spectrum", None)),
        default="density",
        doc='What the window is divided by: the root of the sum of its squares (`"density"`), its sum '
        '(`"spectrum"`), or nothing (`None`).',
    )
    periodic: bool = field(default=False, doc="Whether the window is periodic instead of symmetric.")

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        frame, channels, frequencies = shape
        angle = 2 * np.pi * np.outer(np.arange(frame), np.arange(frequencies)) / (2 * (frequencies - 1))
        kernel = np.cos(angle) if self.side == "real" else -np.sin(angle)
        if self.window is None:
            return np.broadcast_to(kernel[:, None], shape)
        window = self.window
        if isinstance(window, str):
            from scipy.signal import get_window

            window = get_window(window, frame, fftbins=self.periodic)
        window = np.asarray(window, float)
        if window.shape != (frame,):
            raise ValueError(f"STFT: expected a window of length {frame}. Received a window of shape {window.shape}.")
        if self.scaling is not None:
            window = window / (np.sqrt(np.sum(window**2)) if self.scaling == "density" else abs(np.sum(window)))
        return np.broadcast_to((kernel * window[:, None])[:, None], shape)


OrthogonalInitializer, IdentityInitializer, STFTInitializer = Orthogonal, Identity, STFT
constant, zeros, ones, zero, one = Constant, Zeros, Ones, Zeros, Ones
random_normal, random_uniform, truncated_normal, normal, uniform = (
    *(RandomNormal, RandomUniform, TruncatedNormal),
    *(RandomNormal, RandomUniform),
)
variance_scaling, orthogonal, identity, stft = VarianceScaling, Orthogonal, Identity, STFT
glorot_uniform, glorot_normal = GlorotUniform, GlorotNormal
he_uniform, he_normal, lecun_uniform, lecun_normal = HeUniform, HeNormal, LecunUniform, LecunNormal

for _class, *_names in (
    *((Zeros, "zero"), (Ones, "one"), (RandomNormal, "normal"), (RandomUniform, "uniform")),
    *((Orthogonal, "OrthogonalInitializer"), (Identity, "IdentityInitializer"), (STFT, "STFTInitializer")),
):
    _kind.add(_class, *_names)
for _name, _class in list(_kind.objects.items()):
    if _class is not STFT and _name[0].isupper() and _name != "Initializer":
        _kind.add(_class, _name + "V2")  # how tf.keras calls them in some files
for _name in ["glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal"]:
    _kind.add(globals()[_name], _name + "V2")


def _parameters(function):
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {"dtype": None}


def get(identifier: Any) -> Any:
    """The initializer for what a user writes.

    Args:
        identifier: A name, a configuration, a class, an object, an array (then a `Constant`), or a function of
            (shape, dtype), or of (shape, name) as in Keras 1. `None` is returned as it is.

    Returns:
        A callable ``(shape, dtype=None)``.

    Raises:
        ValueError: If there is no such initializer.

    >>> get("ones")((2,)).tolist()
    [1.0, 1.0]
    """
    if hasattr(identifier, "shape") and not callable(identifier):
        return Constant(np.asarray(identifier))
    initializer = _kind.get(identifier)
    if initializer is None or isinstance(initializer, Initializer):
        return initializer
    parameters = _parameters(initializer)
    if "dtype" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return initializer

    @functools.wraps(initializer)
    def call(shape, dtype=None, **kwargs):
        return core.to_array(initializer(shape, **({"name": None} if "name" in parameters else {})), dtype)

    return call


serialize, deserialize = _kind.serializer(), _kind.deserialize
