"""The update rules. Formulas are those of Keras 3; where Keras 1 and 2 differ, `_native` says which holds."""

import math
import re

import jax.numpy as jnp
import numpy as np

from .. import core
from .base import Optimizer, _native


class SGD(Optimizer):
    """``w -= rate * g``; with momentum ``m = momentum * m - rate * g; w += m`` (nesterov: looking one step ahead)."""

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, **kwargs):
        super().__init__(learning_rate, **kwargs)
        if not 0 <= momentum <= 1:
            raise ValueError(f"SGD: momentum must be from 0 to 1. Received: momentum={momentum!r}")
        self.momentum = momentum
        self.nesterov = nesterov

    def slots(self, variable):
        return {"momentum": 0.0} if self.momentum else {}

    def update(self, gradient, value, slots, rate, step):
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
        """``sqrt(x)``, kept from 0: inside the root from Keras 3 on, outside before."""
        return jnp.sqrt(x + self._epsilon) if _native() else jnp.sqrt(x) + self._epsilon


class RMSprop(_Adaptive):
    """Divides gradients by a moving average of their size (Hinton 2012); centered: by their standard deviation."""

    def __init__(self, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def slots(self, variable):
        wanted = {"velocity": True, "momentum": self.momentum, "average_gradient": self.centered}
        return {name: 0.0 for name, keep in wanted.items() if keep}

    def update(self, gradient, value, slots, rate, step):
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
    """Divides gradients by the root of the sum of their squares (Duchi et al. 2011)."""

    def __init__(self, learning_rate=0.001, initial_accumulator_value=0.1, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    def slots(self, variable):
        return {"accumulator": self.initial_accumulator_value}

    def update(self, gradient, value, slots, rate, step):
        accumulator = slots["accumulator"] + jnp.square(gradient)
        return value - rate * gradient / self._root(accumulator), {"accumulator": accumulator}


class Adadelta(_Adaptive):
    """Divides gradients by their moving size, times that of the changes (Zeiler 2012)."""

    def __init__(self, learning_rate=0.001, rho=0.95, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.rho = rho
        self.epsilon = epsilon

    def slots(self, variable):
        return {"accumulated_grad": 0.0, "accumulated_delta_var": 0.0}

    def update(self, gradient, value, slots, rate, step):
        size = self.rho * slots["accumulated_grad"] + (1 - self.rho) * jnp.square(gradient)
        changes = slots["accumulated_delta_var"]
        change = gradient * jnp.sqrt(changes + self._epsilon) / jnp.sqrt(size + self._epsilon)
        changes = self.rho * changes + (1 - self.rho) * jnp.square(change)
        return value - rate * change, {"accumulated_grad": size, "accumulated_delta_var": changes}


class Adam(_Adaptive):
    """Moving averages of gradients by those of their squares (Kingma, Ba 2015).

    amsgrad: divide by the largest such average so far (Reddi et al. 2018).
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad

    def slots(self, variable):
        names = ("momentum", "velocity", "velocity_hat") if self.amsgrad else ("momentum", "velocity")
        return dict.fromkeys(names, 0.0)

    def update(self, gradient, value, slots, rate, step):
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
    """Adam with decoupled weight decay (Loshchilov, Hutter 2019)."""

    def __init__(
        self,
        learning_rate=0.001,
        weight_decay=0.004,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        amsgrad=False,
        **kwargs,
    ):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **kwargs)
        if weight_decay is None:
            raise ValueError("AdamW: weight_decay must be a number. Received: None. Use Adam without it.")


class Adamax(_Adaptive):
    """Adam with the largest gradient in the place of the mean square (Kingma, Ba 2015)."""

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def slots(self, variable):
        return {"momentum": 0.0, "norm": 0.0}

    def update(self, gradient, value, slots, rate, step):
        momentum = self.beta_1 * slots["momentum"] + (1 - self.beta_1) * gradient
        norm = jnp.maximum(self.beta_2 * slots["norm"], jnp.abs(gradient))
        rate = rate / (1 - self.beta_1**step)
        return value - rate * momentum / (norm + self._epsilon), {"momentum": momentum, "norm": norm}


class Nadam(_Adaptive):
    """Adam with Nesterov's momentum (Dozat 2015).

    schedule_decay: how fast the momentum warms up; 1 from Keras 3 on, 0.004 before.
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **kwargs):
        self._schedule_decay = kwargs.pop("schedule_decay", 1.0 if _native() else 0.004)
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def slots(self, variable):
        return {"momentum": 0.0, "velocity": 0.0}

    def build(self, variables):
        if not self.built:
            super().build(variables)
            self._product = self.add_variable((), 1.0, name="momentum_product")

    def begin(self, step, rate):
        now, following = (self.beta_1 * (1 - 0.5 * 0.96 ** (self._schedule_decay * s)) for s in (step, step + 1))
        product = self._product.raw * now
        self._product.assign(product)
        self._shares = (1 - now) / (1 - product), following / (1 - product * following)

    def update(self, gradient, value, slots, rate, step):
        new = _moments(gradient, slots, self.beta_1, self.beta_2)
        of_gradient, of_momentum = self._shares
        ahead = of_gradient * gradient + of_momentum * new["momentum"]
        velocity = new["velocity"] / (1 - self.beta_2**step)
        return value - rate * ahead / (jnp.sqrt(velocity) + self._epsilon), new

    def get_config(self):
        config = super().get_config()
        native = self._schedule_decay == 1.0
        return config if native else {**config, "schedule_decay": self._schedule_decay}


class Ftrl(Optimizer):
    """Follow the regularized leader (McMahan et al. 2013), with l2 shrinkage."""

    def __init__(
        self,
        learning_rate=0.001,
        learning_rate_power=-0.5,
        initial_accumulator_value=0.1,
        l1_regularization_strength=0.0,
        l2_regularization_strength=0.0,
        l2_shrinkage_regularization_strength=0.0,
        beta=0.0,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        if initial_accumulator_value < 0 or learning_rate_power > 0:
            raise ValueError(
                "Ftrl: initial_accumulator_value must be at least 0 and learning_rate_power at most 0. Received: "
                f"{initial_accumulator_value!r} and {learning_rate_power!r}"
            )
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta

    def slots(self, variable):
        return {"accumulator": self.initial_accumulator_value, "linear": 0.0}

    def update(self, gradient, value, slots, rate, step):
        l1, l2 = self.l1_regularization_strength, self.l2_regularization_strength
        shrunk = gradient + 2 * self.l2_shrinkage_regularization_strength * value
        accumulator = slots["accumulator"] + jnp.square(gradient)
        before, after = (a**-self.learning_rate_power for a in (slots["accumulator"], accumulator))
        linear = slots["linear"] + shrunk - (after - before) / rate * value
        quadratic = after / rate + 2 * (l2 + self.beta / (2 * rate))
        return (jnp.clip(linear, -l1, l1) - linear) / quadratic, {"accumulator": accumulator, "linear": linear}


class Lion(Optimizer):
    """The sign of a moving average of gradients (Chen et al. 2023)."""

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.99, **kwargs):
        super().__init__(learning_rate, **kwargs)
        if not 0 < beta_1 <= 1:
            raise ValueError(f"Lion: beta_1 must be above 0 and at most 1. Received: beta_1={beta_1!r}")
        self.beta_1 = beta_1
        self.beta_2 = beta_2

    def slots(self, variable):
        return {"momentum": 0.0}

    def update(self, gradient, value, slots, rate, step):
        momentum = slots["momentum"]
        direction = jnp.sign(self.beta_1 * momentum + (1 - self.beta_1) * gradient)
        return value - rate * direction, {"momentum": self.beta_2 * momentum + (1 - self.beta_2) * gradient}


class Lamb(_Adaptive):
    """Adam whose change of each variable is scaled to the variable's norm (You et al. 2020)."""

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def slots(self, variable):
        return {"momentum": 0.0, "velocity": 0.0}

    def update(self, gradient, value, slots, rate, step):
        new = _moments(gradient, slots, self.beta_1, self.beta_2)
        velocity = new["velocity"] / (1 - self.beta_2**step)
        change = new["momentum"] / (1 - self.beta_1**step) / (jnp.sqrt(velocity) + self._epsilon)
        size, size_of_change = (jnp.sqrt(jnp.sum(jnp.square(x))) for x in (value, change))
        usual = (size > 0) & (size_of_change > 0)
        trust = jnp.where(usual, size / jnp.where(usual, size_of_change, 1), 1)
        return value - rate * trust * change, new


class Adafactor(Optimizer):
    """Adam-like, with the mean squares of matrices kept by rows and columns only (Shazeer, Stern 2018)."""

    def __init__(
        self,
        learning_rate=0.001,
        beta_2_decay=-0.8,
        epsilon_1=1e-30,
        epsilon_2=1e-3,
        clip_threshold=1.0,
        relative_step=True,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step

    def slots(self, variable):
        shape = variable.shape
        if len(shape) < 2:
            return {"velocity": 0.0}
        return {"row": np.zeros(shape[:-1], "float32"), "column": np.zeros((*shape[:-2], shape[-1]), "float32")}

    def update(self, gradient, value, slots, rate, step):
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


class Muon(_Adaptive):
    """Momentum whose matrices are brought near orthogonal ones (Jordan et al. 2024, Liu et al. 2025).

    Variables that are not matrices, embeddings (exclude_embeddings) and those whose path matches a pattern in
    exclude_layers are updated by AdamW, at adam_lr_ratio of the rate.
    rms_rate: scales changes to Adam's size; ns_steps, muon_a, muon_b, muon_c: of the Newton-Schulz iteration.
    """

    def __init__(
        self,
        learning_rate=0.001,
        adam_beta_1=0.9,
        adam_beta_2=0.999,
        adam_weight_decay=0.004,
        epsilon=1e-7,
        weight_decay=0.004,
        exclude_layers=None,
        exclude_embeddings=True,
        muon_a=3.4445,
        muon_b=-4.775,
        muon_c=2.0315,
        adam_lr_ratio=1,
        momentum=0.95,
        ns_steps=5,
        nesterov=True,
        rms_rate=0.2,
        **kwargs,
    ):
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        self.adam_beta_1 = adam_beta_1
        self.adam_beta_2 = adam_beta_2
        self.adam_weight_decay = adam_weight_decay
        self.epsilon = epsilon
        self.exclude_layers = exclude_layers or []
        self.exclude_embeddings = exclude_embeddings
        self.muon_a = muon_a
        self.muon_b = muon_b
        self.muon_c = muon_c
        self.adam_lr_ratio = adam_lr_ratio
        self.momentum = momentum
        self.ns_steps = ns_steps
        self.nesterov = nesterov
        self.rms_rate = rms_rate

    def _by_adam(self, variable):
        embedding = self.exclude_embeddings and "embedding" in variable.path.lower()
        excluded = any(re.search(pattern, variable.path) for pattern in self.exclude_layers)
        return variable.ndim != 2 or embedding or excluded

    def slots(self, variable):
        return {"momentum": 0.0, "velocity": 0.0} if self._by_adam(variable) else {"momentum": 0.0}

    def _decay_of(self, variable):
        if not self._uses_weight_decay(variable):
            return None
        return self.adam_weight_decay if self._by_adam(variable) else self.weight_decay

    def update(self, gradient, value, slots, rate, step):
        if "velocity" in slots:
            new = _moments(gradient, slots, self.adam_beta_1, self.adam_beta_2)
            rate = rate * self.adam_lr_ratio
            rate = rate * jnp.sqrt(1 - self.adam_beta_2**step) / (1 - self.adam_beta_1**step)
            return value - rate * new["momentum"] / (jnp.sqrt(new["velocity"]) + self._epsilon), new
        momentum = self.momentum * slots["momentum"] + gradient
        direction = gradient + self.momentum * momentum if self.nesterov else momentum
        rows, columns = value.shape
        if self.rms_rate is None:
            scale = math.sqrt(max(1, rows / columns))
        else:
            scale = self.rms_rate * math.sqrt(max(rows, columns))
        return value - rate * scale * self._orthogonal(direction), {"momentum": momentum}

    def _orthogonal(self, x):
        wide = x if x.shape[0] <= x.shape[1] else x.T
        wide = wide / (jnp.linalg.norm(wide) + 1e-7)
        for _ in range(self.ns_steps):
            square = wide @ wide.T
            wide = self.muon_a * wide + (self.muon_b * square + self.muon_c * square @ square) @ wide
        return wide if x.shape[0] <= x.shape[1] else wide.T


class ScheduleFreeAdamW(_Adaptive):
    """AdamW on a sequence z whose average x needs no schedule; weights lie between the two (Defazio et al. 2024).

    The slot `momentum` holds z. warmup_steps: the rate rises to its value in so many steps.
    """

    def __init__(self, learning_rate=0.0025, beta_1=0.9, beta_2=0.999, epsilon=1e-8, warmup_steps=0, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.warmup_steps = warmup_steps

    def slots(self, variable):
        return {"momentum": np.asarray(variable._value), "velocity": 0.0}

    def update(self, gradient, value, slots, rate, step):
        z, beta = slots["momentum"], self.beta_1
        if self.warmup_steps:
            rate = rate * jnp.minimum(1, step / self.warmup_steps)
        velocity = self.beta_2 * slots["velocity"] + (1 - self.beta_2) * jnp.square(gradient)
        x = (value - (1 - beta) * z) / beta
        z = z - rate * gradient / (jnp.sqrt(velocity / (1 - self.beta_2**step)) + self._epsilon)
        x = x + (z - x) / step
        return (1 - beta) * z + beta * x, {"momentum": z, "velocity": velocity}
