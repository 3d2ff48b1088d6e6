"""Learning rates that change with the number of updates: ``schedule(step)``."""

import math
from typing import Annotated

import jax.numpy as jnp

from .. import core
from ..core.errors import InputDataError
from ..core.fields import Argument, field

_kind = core.kind("learning rate schedule")
Name = Annotated[str, Argument(doc="Name of the schedule.")]


class LearningRateSchedule(core.Configurable):
    """Base class of schedules. Subclasses define ``__call__(step)``, where step counts updates from 0.

    A schedule is given to an optimizer in place of a learning rate: ``SGD(CosineDecay(0.1, 1000))``.

    >>> class Halving(LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.5 ** step
    >>> Halving()(3)
    0.125
    """

    kind = "learning rate schedule"

    def __call__(self, step):
        raise NotImplementedError(f"{type(self).__name__} must define __call__(step).")


def _float(step):
    return core.to_array(step).astype(jnp.promote_types(core.floatx(), "float32"))


def _positive(name, value):
    if value <= 0:
        raise InputDataError(f"{name} must be positive. Received: {name}={value!r}")
    return value


class ExponentialDecay(LearningRateSchedule):
    """``initial_learning_rate * decay_rate ** (step / decay_steps)``.

    >>> float(ExponentialDecay(1.0, 10, 0.5)(20))
    0.25
    """

    initial_learning_rate: float = field(doc="Rate at step 0.")
    decay_steps: int = field(_positive, doc="Number of steps of one period.")
    decay_rate: float = field(doc="Strength of the decay in one period.")
    staircase: bool = field(default=False, doc="Whether the rate only changes at the end of a period.")
    name: Name = "ExponentialDecay"

    def __call__(self, step):
        periods = _float(step) / self.decay_steps
        return self.initial_learning_rate * self.decay_rate ** (jnp.floor(periods) if self.staircase else periods)


class InverseTimeDecay(ExponentialDecay):
    """``initial_learning_rate / (1 + decay_rate * step / decay_steps)``.

    >>> schedule = InverseTimeDecay(1.0, decay_steps=10, decay_rate=1.0)
    >>> [round(float(schedule(step)), 3) for step in (0, 5, 10)]
    [1.0, 0.667, 0.5]
    """

    name: Name = "InverseTimeDecay"

    def __call__(self, step):
        periods = _float(step) / self.decay_steps
        return self.initial_learning_rate / (1 + self.decay_rate * (jnp.floor(periods) if self.staircase else periods))


class PiecewiseConstantDecay(LearningRateSchedule):
    """Constant rates between boundaries: ``values[i]`` up to and including step ``boundaries[i]``, then the next value.

    >>> schedule = PiecewiseConstantDecay([4, 8], [1.0, 0.5, 0.1])
    >>> [round(float(schedule(step)), 3) for step in (0, 5, 10)]
    [1.0, 0.5, 0.1]
    """

    boundaries: list = field(doc="Steps at which the rate changes, in ascending order.")
    values: list = field(doc="The rates, one more than boundaries.")
    name: Name = "PiecewiseConstant"

    def __post_init__(self):
        super().__post_init__()
        if len(self.boundaries) != len(self.values) - 1:
            raise ValueError(
                "PiecewiseConstantDecay: there must be one value more than boundaries. Received: "
                f"boundaries={self.boundaries}, values={self.values}"
            )

    def __call__(self, step):
        index = jnp.searchsorted(jnp.asarray(self.boundaries, _float(step).dtype), _float(step))
        return jnp.asarray(self.values, _float(step).dtype)[index]


class PolynomialDecay(LearningRateSchedule):
    """Falls from the initial to the end rate in `decay_steps`, as ``(1 - step / decay_steps) ** power``.

    >>> schedule = PolynomialDecay(1.0, decay_steps=10, end_learning_rate=0.0)
    >>> [round(float(schedule(step)), 3) for step in (0, 5, 10)]
    [1.0, 0.5, 0.0]
    """

    initial_learning_rate: float = field(doc="Rate at step 0.")
    decay_steps: int = field(_positive, doc="Number of steps until the end rate.")
    end_learning_rate: float = field(default=0.0001, doc="Rate at the end.")
    power: float = field(default=1.0, doc="Power of the polynomial; 1 is linear.")
    cycle: bool = field(
        default=False, doc="Whether to start again at the end, each time with `decay_steps` more steps."
    )
    name: Name = "PolynomialDecay"

    def __call__(self, step):
        step = _float(step)
        steps = self.decay_steps * jnp.maximum(jnp.ceil(step / self.decay_steps), 1) if self.cycle else self.decay_steps
        left = (1 - jnp.minimum(step, steps) / steps) ** self.power
        return (self.initial_learning_rate - self.end_learning_rate) * left + self.end_learning_rate


class CosineDecay(LearningRateSchedule):
    """Falls from the initial rate to `alpha` times it along half a cosine wave (Loshchilov & Hutter 2017).

    >>> schedule = CosineDecay(1.0, decay_steps=10)
    >>> [round(float(schedule(step)), 3) for step in (0, 5, 10)]
    [1.0, 0.5, 0.0]
    """

    initial_learning_rate: float = field(doc="Rate at step 0.")
    decay_steps: int = field(_positive, doc="Number of steps in which the rate falls.")
    alpha: float = field(default=0.0, doc="Rate at the end, as a share of the highest rate.")
    name: Name = "CosineDecay"
    warmup_target: float = field(default=None, doc="Rate to which the rate rises before it falls. `None`: no warmup.")
    warmup_steps: int = field(default=0, doc="Number of steps of the warmup.")

    def __call__(self, step):
        step = _float(step)
        top = self.initial_learning_rate if self.warmup_target is None else self.warmup_target
        start = 0 if self.warmup_target is None else self.warmup_steps
        part = jnp.clip((step - start) / self.decay_steps, 0, 1)
        rate = top * ((1 - self.alpha) * 0.5 * (1 + jnp.cos(math.pi * part)) + self.alpha)
        if not start:
            return rate
        rising = self.initial_learning_rate + (top - self.initial_learning_rate) * step / start
        return jnp.where(step < start, rising, rate)


class CosineDecayRestarts(LearningRateSchedule):
    """Cosine decay that restarts, for the first time after `first_decay_steps` (Loshchilov & Hutter 2017).

    >>> schedule = CosineDecayRestarts(1.0, first_decay_steps=10)
    >>> [round(float(schedule(step)), 3) for step in (0, 5, 10)]
    [1.0, 0.5, 1.0]
    """

    initial_learning_rate: float = field(doc="Rate at step 0.")
    first_decay_steps: int = field(_positive, doc="Number of steps of the first period.")
    t_mul: float = field(default=2.0, doc="Length of each period, relative to the one before.")
    m_mul: float = field(default=1.0, doc="Initial rate of each period, relative to the one before.")
    alpha: float = field(default=0.0, doc="Lowest rate, as a share of the initial rate.")
    name: Name = "SGDRDecay"

    def __call__(self, step):
        done = _float(step) / self.first_decay_steps
        if self.t_mul == 1.0:
            restart = jnp.floor(done)
            part = done - restart
        else:
            restart = jnp.floor(jnp.log(1 - done * (1 - self.t_mul)) / math.log(self.t_mul))
            before = (1 - self.t_mul**restart) / (1 - self.t_mul)
            part = (done - before) / self.t_mul**restart
        falling = 0.5 * self.m_mul**restart * (1 + jnp.cos(math.pi * part))
        return self.initial_learning_rate * ((1 - self.alpha) * falling + self.alpha)


serialize, deserialize = _kind.serializer(), _kind.deserialize
