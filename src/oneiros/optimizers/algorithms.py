"""The update rules of the optimizers. The formulas are those of Keras 3; a named row of the table of generations,
`optimizer_formulas`, selects those of Keras 1 and 2.
"""

import math
import re
from collections.abc import Iterable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from .. import core
from ..core.errors import InputDataError
from ..core.fields import field
from .base import Optimizer, Slots, formulas_of_keras_3

_EPSILON = "Small number that keeps the divisor from 0. `None` means `keras.config.epsilon()`."


def _share(name, value):
    if not 0 <= value <= 1:
        raise InputDataError(f"{name} must be from 0 to 1. Received: {name}={value!r}")
    return value


class SGD(Optimizer):
    """``w -= rate * g``; with momentum ``m = momentum * m - rate * g; w += m``.

    >>> w = core.Variable([1.0])
    >>> SGD(0.5).apply([jnp.array([1.0])], [w]); w.numpy().tolist()
    [0.5]
    """

    learning_rate: float = 0.01
    momentum: float = field(
        _share, default=0.0, doc="Share of the previous change that is added to each change, from 0 to 1."
    )
    nesterov: bool = field(default=False, doc="Whether the momentum looks one step ahead (Nesterov 1983).")

    def slots(self, variable: core.Variable) -> dict[str, Any]:
        return {"momentum": 0.0} if self.momentum else {}

    def update(self, gradient: Array, value: Array, slots: Slots, rate: Array, step: Array) -> tuple[Array, Slots]:
        if not self.momentum:
            return value - rate * gradient, {}
        momentum = self.momentum * slots["momentum"] - rate * gradient
        change = self.momentum * momentum - rate * gradient if self.nesterov else momentum
        return value + change, {"momentum": momentum}


class _Adaptive(Optimizer):
    @property
    def _epsilon(self):
        return core.epsilon() if self.epsilon is None else self.epsilon

    def _root(self, x):
        """``sqrt(x)``, kept above 0: epsilon is added inside the root from Keras 3 on, outside before."""
        return jnp.sqrt(x + self._epsilon) if formulas_of_keras_3() else jnp.sqrt(x) + self._epsilon


class _WithMoments(_Adaptive):
    """Keeps moving averages of the gradients and of a measure of their size."""

    beta_1: float = field(default=0.9, doc="Decay of the average of the gradients.")
    beta_2: float = field(default=0.999, doc="Decay of the average of their squares.")
    epsilon: float = field(default=1e-7, doc=_EPSILON)


class RMSprop(_Adaptive):
    """Divides gradients by the root of a moving average of their squares (Hinton 2012).

    >>> w = core.Variable([1.0, 2.0])
    >>> RMSprop(0.1).apply([jnp.array([0.5, -1.0])], [w]); w.numpy().astype(float).round(3).tolist()
    [0.684, 2.316]
    """

    rho: float = field(default=0.9, doc="Decay of the average of squares.")
    momentum: float = field(default=0.0, doc="Share of the previous change that is added to each change.")
    epsilon: float = field(default=1e-7, doc=_EPSILON)
    centered: bool = field(default=False, doc="Whether to divide by the standard deviation of the gradients instead.")

    def slots(self, variable: core.Variable) -> dict[str, Any]:
        wanted = {"velocity": True, "momentum": self.momentum, "average_gradient": self.centered}
        return {name: 0.0 for name, keep in wanted.items() if keep}

    def update(self, gradient: Array, value: Array, slots: Slots, rate: Array, step: Array) -> tuple[Array, Slots]:
        new = {"velocity": self.rho * slots["velocity"] + (1 - self.rho) * jnp.square(gradient)}
        size = new["velocity"]
        if self.centered:
            new["average_gradient"] = self.rho * slots["average_gradient"] + (1 - self.rho) * gradient
            size = size - jnp.square(new["average_gradient"])
        change = rate * gradient / self._root(size)
        if self.momentum:
            change = new["momentum"] = self.momentum * slots["momentum"] + change
        return value - change, new


class Adagrad(_Adaptive):
    """Divides gradients by the root of the sum of their squares (Duchi et al. 2011).

    >>> w = core.Variable([1.0, 2.0])
    >>> Adagrad(0.1).apply([jnp.array([0.5, -1.0])], [w]); w.numpy().astype(float).round(3).tolist()
    [0.915, 2.095]
    """

    initial_accumulator_value: float = field(default=0.1, doc="Initial value of the sum of squares.")
    epsilon: float = field(default=1e-7, doc=_EPSILON)

    def slots(self, variable: core.Variable) -> dict[str, Any]:
        return {"accumulator": self.initial_accumulator_value}

    def update(self, gradient: Array, value: Array, slots: Slots, rate: Array, step: Array) -> tuple[Array, Slots]:
        accumulator = slots["accumulator"] + jnp.square(gradient)
        return value - rate * gradient / self._root(accumulator), {"accumulator": accumulator}


class Adadelta(_Adaptive):
    """Scales gradients by the root of a moving average of squared changes over that of squared gradients (Zeiler 2012).

    >>> w = core.Variable([1.0, 2.0])
    >>> Adadelta(1.0).apply([jnp.array([0.5, -1.0])], [w]); w.numpy().astype(float).round(3).tolist()
    [0.999, 2.001]
    """

    rho: float = field(default=0.95, doc="Decay of both averages.")
    epsilon: float = field(default=1e-7, doc=_EPSILON)

    def slots(self, variable: core.Variable) -> dict[str, Any]:
        return {"accumulated_grad": 0.0, "accumulated_delta_var": 0.0}

    def update(self, gradient: Array, value: Array, slots: Slots, rate: Array, step: Array) -> tuple[Array, Slots]:
        size = self.rho * slots["accumulated_grad"] + (1 - self.rho) * jnp.square(gradient)
        changes = slots["accumulated_delta_var"]
        change = gradient * jnp.sqrt(changes + self._epsilon) / jnp.sqrt(size + self._epsilon)
        changes = self.rho * changes + (1 - self.rho) * jnp.square(change)
        return value - rate * change, {"accumulated_grad": size, "accumulated_delta_var": changes}


class Adam(_WithMoments):
    """Divides a moving average of gradients by the root of one of their squares (Kingma & Ba 2015).

    >>> w = core.Variable([1.0, 2.0])
    >>> Adam(0.1).apply([jnp.array([0.5, -1.0])], [w]); w.numpy().astype(float).round(3).tolist()
    [0.9, 2.1]
    """

    amsgrad: bool = field(default=False, doc="Whether to divide by the largest average so far (Reddi et al. 2018).")

    def slots(self, variable: core.Variable) -> dict[str, Any]:
        names = ("momentum", "velocity", "velocity_hat") if self.amsgrad else ("momentum", "velocity")
        return dict.fromkeys(names, 0.0)

    def update(self, gradient: Array, value: Array, slots: Slots, rate: Array, step: Array) -> tuple[Array, Slots]:
        new = _moments(gradient, slots, self.beta_1, self.beta_2)
        velocity = new["velocity"]
        if self.amsgrad:
            velocity = new["velocity_hat"] = jnp.maximum(slots["velocity_hat"], velocity)
        rate = rate * jnp.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step)
        return value - rate * new["momentum"] / (jnp.sqrt(velocity) + self._epsilon), new


def _moments(gradient, slots, beta_1, beta_2):
    return {
        "momentum": beta_1 * slots["momentum"] + (1 - beta_1) * gradient,
        "velocity": beta_2 * slots["velocity"] + (1 - beta_2) * jnp.square(gradient),
    }


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019).

    >>> w = core.Variable([1.0, 2.0])
    >>> AdamW(0.1).apply([jnp.array([0.5, -1.0])], [w]); w.numpy().astype(float).round(3).tolist()
    [0.9, 2.099]
    """

    weight_decay: float = field(default=0.004, after="learning_rate")

    def __post_init__(self):
        super().__post_init__()
        if self.weight_decay is None:
            raise ValueError("AdamW: weight_decay must be a number. Received: None. Use Adam without it.")


class Adamax(_WithMoments):
    """Adam with a decaying maximum of absolute gradients in place of the mean square (Kingma & Ba 2015).

    >>> w = core.Variable([1.0, 2.0])
    >>> Adamax(0.1).apply([jnp.array([0.5, -1.0])], [w]); w.numpy().astype(float).round(3).tolist()
    [0.9, 2.1]
    """

    def slots(self, variable: core.Variable) -> dict[str, Any]:
        return {"momentum": 0.0, "norm": 0.0}

    def update(self, gradient: Array, value: Array, slots: Slots, rate: Array, step: Array) -> tuple[Array, Slots]:
        momentum = self.beta_1 * slots["momentum"] + (1 - self.beta_1) * gradient
        norm = jnp.maximum(self.beta_2 * slots["norm"], jnp.abs(gradient))
        rate = rate / (1 - self.beta_1**step)
        return value - rate * momentum / (norm + self._epsilon), {"momentum": momentum, "norm": norm}


class Nadam(_WithMoments):
    """Adam with Nesterov's momentum (Dozat 2015).

    >>> w = core.Variable([1.0, 2.0])
    >>> Nadam(0.1).apply([jnp.array([0.5, -1.0])], [w]); w.numpy().astype(float).round(3).tolist()
    [0.894, 2.106]
    """

    schedule_decay: float = field(
        default=None,
        kw_only=True,
        doc="Speed at which the momentum rises to `beta_1`. `None` means 1, and 0.004 in Keras 1 and 2.",
    )

    def __post_init__(self):
        super().__post_init__()
        if self.schedule_decay is None:
            self.schedule_decay = 1.0 if formulas_of_keras_3() else 0.004

    def slots(self, variable: core.Variable) -> dict[str, Any]:
        return {"momentum": 0.0, "velocity": 0.0}

    def build(self, variables: Iterable[core.Variable]) -> None:
        first = not self.built
        super().build(variables)
        if first:
            self._product = self.add_variable((), 1.0, name="momentum_product")

    def begin(self, step: Array, rate: Array) -> None:
        now, following = (self.beta_1 * (1 - 0.5 * 0.96 ** (self.schedule_decay * s)) for s in (step, step + 1))
        product = self._product.raw * now
        self._product.assign(product)
        self._shares = (1 - now) / (1 - product), following / (1 - product * following)

    def update(self, gradient: Array, value: Array, slots: Slots, rate: Array, step: Array) -> tuple[Array, Slots]:
        new = _moments(gradient, slots, self.beta_1, self.beta_2)
        of_gradient, of_momentum = self._shares
        ahead = of_gradient * gradient + of_momentum * new["momentum"]
        velocity = new["velocity"] / (1 - self.beta_2**step)
        return value - rate * ahead / (jnp.sqrt(velocity) + self._epsilon), new

    def get_config(self) -> dict:
        config = super().get_config()
        if self.schedule_decay == 1.0:
            del config["schedule_decay"]
        return config


class Ftrl(Optimizer):
    """Follow the regularized leader (McMahan et al. 2013), with l2 shrinkage.

    >>> w = core.Variable([1.0, 2.0])
    >>> Ftrl(0.1).apply([jnp.array([0.5, -1.0])], [w]); w.numpy().astype(float).round(3).tolist()
    [0.381, 1.492]
    """

    learning_rate_power: float = field(
        default=-0.5, doc="Exponent of the sum of squares in the learning rate, at most 0."
    )
    initial_accumulator_value: float = field(default=0.1, doc="Initial value of the sum of squares, at least 0.")
    l1_regularization_strength: float = field(default=0.0, doc="Factor of the L1 penalty.")
    l2_regularization_strength: float = field(default=0.0, doc="Factor of the L2 penalty.")
    l2_shrinkage_regularization_strength: float = field(default=0.0, doc="Factor of the L2 shrinkage.")
    beta: float = field(default=0.0, doc="The constant `beta` of the paper.")

    def __post_init__(self):
        super().__post_init__()
        if self.learning_rate_power > 0:
            raise ValueError(f"Ftrl: learning_rate_power must be at most 0. Received: {self.learning_rate_power!r}")
        strengths = ("l1_regularization_strength", "l2_regularization_strength", "l2_shrinkage_regularization_strength")
        for name in ("initial_accumulator_value", *strengths):
            if getattr(self, name) < 0:
                raise ValueError(f"Ftrl: {name} must be at least 0. Received: {name}={getattr(self, name)!r}")

    def slots(self, variable: core.Variable) -> dict[str, Any]:
        return {"accumulator": self.initial_accumulator_value, "linear": 0.0}

    def update(self, gradient: Array, value: Array, slots: Slots, rate: Array, step: Array) -> tuple[Array, Slots]:
        l1, l2 = self.l1_regularization_strength, self.l2_regularization_strength
        shrunk = gradient + 2 * self.l2_shrinkage_regularization_strength * value
        accumulator = slots["accumulator"] + jnp.square(gradient)
        before, after = (a**-self.learning_rate_power for a in (slots["accumulator"], accumulator))
        linear = slots["linear"] + shrunk - (after - before) / rate * value
        quadratic = after / rate + 2 * (l2 + self.beta / (2 * rate))
        return (jnp.clip(linear, -l1, l1) - linear) / quadratic, {"accumulator": accumulator, "linear": linear}


class Lion(Optimizer):
    """Moves weights by the learning rate in the direction of the sign of a moving average (Chen et al. 2023).

    >>> w = core.Variable([1.0, 2.0])
    >>> Lion(0.1).apply([jnp.array([0.5, -1.0])], [w]); w.numpy().astype(float).round(3).tolist()
    [0.9, 2.1]
    """

    beta_1: float = field(default=0.9, doc="Weight of the average in the direction of a change, above 0 and at most 1.")
    beta_2: float = field(default=0.99, doc="Decay of the average of the gradients.")

    def __post_init__(self):
        super().__post_init__()
        if not 0 < self.beta_1 <= 1:
            raise ValueError(f"Lion: beta_1 must be above 0 and at most 1. Received: beta_1={self.beta_1!r}")

    def slots(self, variable: core.Variable) -> dict[str, Any]:
        return {"momentum": 0.0}

    def update(self, gradient: Array, value: Array, slots: Slots, rate: Array, step: Array) -> tuple[Array, Slots]:
        momentum = slots["momentum"]
        direction = jnp.sign(self.beta_1 * momentum + (1 - self.beta_1) * gradient)
        return value - rate * direction, {"momentum": self.beta_2 * momentum + (1 - self.beta_2) * gradient}


class Lamb(_WithMoments):
    """Adam whose change of each variable is scaled to the variable's norm (You et al. 2020).

    >>> w = core.Variable([1.0, 2.0])
    >>> Lamb(0.1).apply([jnp.array([0.5, -1.0])], [w]); w.numpy().astype(float).round(3).tolist()
    [0.842, 2.158]
    """

    def slots(self, variable: core.Variable) -> dict[str, Any]:
        return {"momentum": 0.0, "velocity": 0.0}

    def update(self, gradient: Array, value: Array, slots: Slots, rate: Array, step: Array) -> tuple[Array, Slots]:
        new = _moments(gradient, slots, self.beta_1, self.beta_2)
        velocity = new["velocity"] / (1 - self.beta_2**step)
        change = new["momentum"] / (1 - self.beta_1**step) / (jnp.sqrt(velocity) + self._epsilon)
        size, size_of_change = (jnp.sqrt(jnp.sum(jnp.square(x))) for x in (value, change))
        usual = (size > 0) & (size_of_change > 0)
        trust = jnp.where(usual, size / jnp.where(usual, size_of_change, 1), 1)
        return value - rate * trust * change, new


class Adafactor(Optimizer):
    """Adam-like, with mean squares of matrices stored as one row and one column (Shazeer & Stern 2018).

    >>> w = core.Variable([1.0, 2.0])
    >>> Adafactor(0.1).apply([jnp.array([0.5, -1.0])], [w]); w.numpy().astype(float).round(3).tolist()
    [0.842, 2.158]
    """

    beta_2_decay: float = field(default=-0.8, doc="Exponent of the step in the decay of the average of squares.")
    epsilon_1: float = field(default=1e-30, doc="Small number added to the squares.")
    epsilon_2: float = field(
        default=1e-3, doc="Smallest factor by which the size of a variable scales the learning rate."
    )
    clip_threshold: float = field(default=1.0, doc="Upper bound of the root mean square of a change.")
    relative_step: bool = field(
        default=True, doc="Accepted without effect: as in Keras, the rate is always bounded by `1 / sqrt(step)`."
    )

    slots_in_files = ("row", "column", "velocity")

    def slots(self, variable: core.Variable) -> dict[str, Any]:
        shape = variable.shape
        if len(shape) < 2:
            return {"velocity": 0.0}
        return {"row": np.zeros(shape[:-1], "float32"), "column": np.zeros((*shape[:-2], shape[-1]), "float32")}

    def update(self, gradient: Array, value: Array, slots: Slots, rate: Array, step: Array) -> tuple[Array, Slots]:
        # Keras bounds the rate whether or not relative_step is set.
        rate = jnp.maximum(self.epsilon_2, _rms(value)) * jnp.minimum(rate, 1 / jnp.sqrt(step))
        square = jnp.square(gradient) + self.epsilon_1
        beta = 1 - step**self.beta_2_decay
        if gradient.ndim < 2:
            new = {"velocity": beta * slots["velocity"] + (1 - beta) * square}
            velocity = new["velocity"]
        else:
            row = beta * slots["row"] + (1 - beta) * jnp.mean(square, -1)
            column = beta * slots["column"] + (1 - beta) * jnp.mean(square, -2)
            new = {"row": row, "column": column}
            velocity = (row / jnp.mean(row, -1, keepdims=True))[..., None] * column[..., None, :]
        change = gradient / jnp.sqrt(velocity)
        return value - rate * change / jnp.maximum(1, _rms(change) / self.clip_threshold), new


def _rms(x):
    return jnp.sqrt(jnp.mean(jnp.square(x)))


def _patterns(name, value):
    return value or []


class Muon(_Adaptive):
    """Momentum whose matrices are replaced by nearly orthogonal ones (Jordan et al. 2024, Liu et al. 2025).

    Variables that are not matrices, and those that are excluded, are updated by AdamW.

    >>> w = core.Variable(np.ones((2, 2)))
    >>> Muon(0.1, weight_decay=0).apply([jnp.array([[1.0, 0.0], [0.0, 2.0]])], [w]); w.numpy().round(1).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """

    adam_beta_1: float = field(default=0.9, doc="`beta_1` of AdamW.")
    adam_beta_2: float = field(default=0.999, doc="`beta_2` of AdamW.")
    adam_weight_decay: float = field(default=0.004, doc="Weight decay of AdamW.")
    epsilon: float = field(default=1e-7, doc=_EPSILON)
    weight_decay: float = field(default=0.004, after="epsilon")
    exclude_layers: list = field(
        _patterns, last=True, default=None, doc="Patterns of the paths of variables to exclude."
    )
    exclude_embeddings: bool = field(last=True, default=True, doc="Whether to exclude embeddings.")
    muon_a: float = field(last=True, default=3.4445, doc="First coefficient of the Newton-Schulz iteration.")
    muon_b: float = field(last=True, default=-4.775, doc="Second coefficient of the iteration.")
    muon_c: float = field(last=True, default=2.0315, doc="Third coefficient of the iteration.")
    adam_lr_ratio: float = field(last=True, default=1, doc="Learning rate of AdamW, relative to that of Muon.")
    momentum: float = field(last=True, default=0.95, doc="Share of the previous momentum that is kept.")
    ns_steps: int = field(last=True, default=5, doc="Number of Newton-Schulz iterations.")
    nesterov: bool = field(last=True, default=True, doc="Whether the momentum looks one step ahead.")
    rms_rate: float = field(
        last=True, default=0.2, doc="Factor that scales changes to the size of Adam's. `None`: no scaling."
    )

    def _by_adam(self, variable):
        embedding = self.exclude_embeddings and "embedding" in variable.path.lower()
        excluded = any(re.search(pattern, variable.path) for pattern in self.exclude_layers)
        return variable.ndim != 2 or embedding or excluded

    def slots(self, variable: core.Variable) -> dict[str, Any]:
        return {"momentum": 0.0, "velocity": 0.0} if self._by_adam(variable) else {"momentum": 0.0}

    def _decay_of(self, variable):
        if not self._uses_weight_decay(variable):
            return None
        return self.adam_weight_decay if self._by_adam(variable) else self.weight_decay

    def update(self, gradient: Array, value: Array, slots: Slots, rate: Array, step: Array) -> tuple[Array, Slots]:
        if "velocity" in slots:
            new = _moments(gradient, slots, self.adam_beta_1, self.adam_beta_2)
            rate = rate * self.adam_lr_ratio
            rate = rate * jnp.sqrt(1 - self.adam_beta_2**step) / (1 - self.adam_beta_1**step)
            return value - rate * new["momentum"] / (jnp.sqrt(new["velocity"]) + self._epsilon), new
        momentum = self.momentum * slots["momentum"] + gradient
        direction = gradient + self.momentum * momentum if self.nesterov else momentum
        change = self.lr_adjust(self.zeropower_via_newtonschulz5(direction, self.ns_steps))
        return value - rate * change, {"momentum": momentum}

    def lr_adjust(self, x: Array) -> Array:
        """A change ``(rows, columns)``, scaled as `rms_rate` says."""
        rows, columns = x.shape
        if self.rms_rate is None:
            return x * math.sqrt(max(1, rows / columns))
        return x * self.rms_rate * math.sqrt(max(rows, columns))

    def zeropower_via_newtonschulz5(self, x: Array, steps: int) -> Array:
        """A nearly orthogonal matrix with the singular vectors of `x`, found by Newton-Schulz iterations.

        Args:
            x: A matrix ``(rows, columns)``.
            steps: Number of iterations.

        Returns:
            A matrix of that shape.
        """
        wide = x if x.shape[0] <= x.shape[1] else x.T
        wide = wide / (jnp.linalg.norm(wide) + 1e-7)
        for _ in range(steps):
            square = wide @ wide.T
            wide = self.muon_a * wide + (self.muon_b * square + self.muon_c * square @ square) @ wide
        return wide if x.shape[0] <= x.shape[1] else wide.T


class ScheduleFreeAdamW(_Adaptive):
    """AdamW that needs no learning rate schedule (Defazio et al. 2024).

    Gradient steps make a sequence z, whose average is x. The weights are a mixture of both: ``(1 - beta_1) * z +
    beta_1 * x``. The slot `momentum` holds z.

    >>> w = core.Variable([1.0, 2.0])
    >>> ScheduleFreeAdamW(0.1).apply([jnp.array([0.5, -1.0])], [w]); w.numpy().astype(float).round(3).tolist()
    [0.9, 2.1]
    """

    learning_rate: float = 0.0025
    beta_1: float = field(default=0.9, doc="Decay of the average of the gradients.")
    beta_2: float = field(default=0.999, doc="Decay of the average of their squares.")
    epsilon: float = field(default=1e-8, doc=_EPSILON)
    warmup_steps: int = field(default=0, doc="Number of steps in which the learning rate rises from 0.")

    def slots(self, variable: core.Variable) -> dict[str, Any]:
        return {"momentum": np.asarray(variable.stored), "velocity": 0.0}

    def update(self, gradient: Array, value: Array, slots: Slots, rate: Array, step: Array) -> tuple[Array, Slots]:
        z, beta = slots["momentum"], self.beta_1
        if self.warmup_steps:
            rate = rate * jnp.minimum(1, step / self.warmup_steps)
        velocity = self.beta_2 * slots["velocity"] + (1 - self.beta_2) * jnp.square(gradient)
        x = (value - (1 - beta) * z) / beta
        z = z - rate * gradient / (jnp.sqrt(velocity / (1 - self.beta_2**step)) + self._epsilon)
        x = x + (z - x) / step
        return (1 - beta) * z + beta * x, {"momentum": z, "velocity": velocity}
