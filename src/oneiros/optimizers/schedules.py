"""Learning rates that change with the number of updates: ``schedule(step)``."""

import math

import jax.numpy as jnp

from .. import core

_kind = core.kind("learning rate schedule")


class LearningRateSchedule(core.Configurable):
    """Base of schedules: subclasses define ``__call__(step)``, from 0, and ``get_config()``."""

    kind = "learning rate schedule"

    def __call__(self, step):
        raise NotImplementedError(f"{type(self).__name__} must define __call__(step).")


def _float(step):
    return core.to_array(step).astype(jnp.promote_types(core.floatx(), "float32"))


class ExponentialDecay(LearningRateSchedule):
    """``initial_learning_rate * decay_rate ** (step / decay_steps)``; staircase: whole powers only.

    >>> float(ExponentialDecay(1.0, 10, 0.5)(20))
    0.25
    """

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name="ExponentialDecay"):
        _positive(decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step):
        periods = _float(step) / self.decay_steps
        return self.initial_learning_rate * self.decay_rate ** (jnp.floor(periods) if self.staircase else periods)


class InverseTimeDecay(ExponentialDecay):
    """``initial_learning_rate / (1 + decay_rate * step / decay_steps)``; staircase: whole quotients only."""

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name="InverseTimeDecay"):
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def __call__(self, step):
        periods = _float(step) / self.decay_steps
        return self.initial_learning_rate / (1 + self.decay_rate * (jnp.floor(periods) if self.staircase else periods))


class PiecewiseConstantDecay(LearningRateSchedule):
    """``values[i]`` up to and including step ``boundaries[i]``, the last value after that."""

    def __init__(self, boundaries, values, name="PiecewiseConstant"):
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "PiecewiseConstantDecay: there must be one value more than boundaries. Received: "
                f"boundaries={boundaries}, values={values}"
            )
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def __call__(self, step):
        index = jnp.searchsorted(jnp.asarray(self.boundaries, _float(step).dtype), _float(step))
        return jnp.asarray(self.values, _float(step).dtype)[index]


class PolynomialDecay(LearningRateSchedule):
    """From the initial to the end rate in decay_steps, along ``(1 - step / decay_steps) ** power``.

    cycle: after that, start again, with decay_steps doubled, tripled, ...
    """

    def __init__(
        self,
        initial_learning_rate,
        decay_steps,
        end_learning_rate=0.0001,
        power=1.0,
        cycle=False,
        name="PolynomialDecay",
    ):
        _positive(decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step):
        step = _float(step)
        steps = self.decay_steps * jnp.maximum(jnp.ceil(step / self.decay_steps), 1) if self.cycle else self.decay_steps
        left = (1 - jnp.minimum(step, steps) / steps) ** self.power
        return (self.initial_learning_rate - self.end_learning_rate) * left + self.end_learning_rate


class CosineDecay(LearningRateSchedule):
    """Half a cosine from the initial rate to `alpha` times it (Loshchilov, Hutter 2017).

    warmup_target: first rise to this rate in warmup_steps, then fall from it.
    """

    def __init__(
        self,
        initial_learning_rate,
        decay_steps,
        alpha=0.0,
        name="CosineDecay",
        warmup_target=None,
        warmup_steps=0,
    ):
        _positive(decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

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
    """Cosine decay that starts again after first_decay_steps (Loshchilov, Hutter 2017).

    t_mul, m_mul: how much longer each period is than the last, and how much higher it starts.
    """

    def __init__(self, initial_learning_rate, first_decay_steps, t_mul=2.0, m_mul=1.0, alpha=0.0, name="SGDRDecay"):
        _positive(first_decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

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


def _positive(steps):
    if steps <= 0:
        raise ValueError(f"The number of decay steps must be positive. Received: {steps!r}")


serialize, deserialize = _kind.serialize, _kind.deserialize
