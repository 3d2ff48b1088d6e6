"""Optimizers as in Keras 1 and 2, where ``get_updates(loss, params)`` returns pairs of a variable and its next value.

There it ran once and built a graph. Here a user's `get_updates` runs whenever a step is traced. Each run makes new
variables (``K.zeros`` for its slots); they are replaced by those of the first run, in the order in which they are read.
"""

import inspect
from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp

from .. import core
from ..core.deferred import deferring
from ..core.symbol import topological_order


class _Given:
    """Stands for the loss when its gradients are known already."""

    def __init__(self, pairs):
        self.gradients = {v: g for g, v in pairs}


class _Replay(core.Scope):
    """Reads and writes the variables of the first run in place of those that this run makes."""

    def __init__(self, first):
        super().__init__()
        self.first = first
        self.same = {}

    def original(self, variable):
        if variable not in self.same:
            place = len(self.same)
            self.same[variable] = self.first[place] if place < len(self.first) else variable
        return self.same[variable]

    def read(self, variable):
        return super().read(self.original(variable))

    def write(self, variable, value):
        super().write(self.original(variable), value)


def _run(optimizer, pairs, first):
    variables = [v for _, v in pairs]
    given = {"loss": _Given(pairs), "params": variables}
    given["constraints"] = {v: v.constraint for v in variables if getattr(v, "constraint", None) is not None}
    names = inspect.signature(optimizer.get_updates).parameters
    optimizer.updates = []  # get_updates may append to it
    with _Replay(first) as scope, deferring():
        updates = optimizer.get_updates(**{name: given[name] for name in names if name in given})
        pairs = [(scope.original(u[0]), u[1]) for u in updates if isinstance(u, (tuple, list))]
        values = [core.to_array(value).astype(variable.dtype) for variable, value in pairs]
    optimizer.updates = []  # nor may it keep the gradients of this run
    return [(variable, value) for (variable, _), value in zip(pairs, values)], list(scope.same.values()), scope


class OwnUpdates:
    """The `get_updates` of a user's optimizer, run at each step with the variables that it made in its first run.

    The first run is with abstract gradients. It makes the variables and notes the order in which they are read.

    Args:
        optimizer: The optimizer with a `get_updates` of its own.
        variables: The variables that it trains.
    """

    def __init__(self, optimizer: Any, variables: Iterable[core.Variable]):
        self.optimizer, self.variables, self.read_first = optimizer, list(variables), []

        def run(gradients):
            _, self.read_first, _ = _run(optimizer, list(zip(gradients, self.variables)), [])

        with core.Scope():
            jax.eval_shape(run, [jax.ShapeDtypeStruct(v.shape, v.dtype) for v in self.variables])

    def apply(self, pairs: list[tuple]) -> None:
        """Runs `get_updates` for these pairs of a gradient and a variable, and assigns what it returns."""
        given = {v: g for g, v in pairs}
        pairs = [(given[v] if v in given else jnp.zeros(v.shape, v.dtype), v) for v in self.variables]
        attributes = dict(vars(self.optimizer))
        updates, _, scope = _run(self.optimizer, pairs, self.read_first)
        self.optimizer.__dict__.update(attributes)
        for variable in scope.written:  # what was assigned at once
            variable.assign(scope.values[variable])
        for variable, value in updates:
            variable.assign(value)


def is_overwritten(variable: core.Variable) -> bool:
    """Whether the gradient of a variable is its next value."""
    return getattr(variable, "overwrite_with_gradient", False)


def overwrite(pairs: Iterable[tuple], kept_for: Any = None, last: Any = True) -> list[tuple]:
    """Assigns the variables whose gradients are their next values.

    Of the values of accumulated steps the largest counts: they are those of scales, which no step may exceed.

    Args:
        pairs: Pairs of a gradient and a variable.
        kept_for: Function from a variable to the one that keeps the largest value, if steps are accumulated.
        last: Whether this step is the last of those that are accumulated.

    Returns:
        The other pairs.
    """
    for gradient, variable in pairs:
        if not is_overwritten(variable):
            continue
        if kept_for:
            kept = kept_for(variable)
            largest = jnp.maximum(kept.raw, gradient)
            gradient = jnp.where(last, largest, variable.raw)
            kept.assign(jnp.where(last, 0, largest))
        variable.assign(gradient)
    return [(gradient, variable) for gradient, variable in pairs if not is_overwritten(variable)]


def average(optimizer: Any, pairs: Iterable[tuple], step: Any) -> None:
    """Moves the averages of variables, and puts them in place of the variables when it is time.

    Args:
        optimizer: The optimizer, which says how.
        pairs: Pairs of a variable and its average.
        step: The number of the step, from 1.
    """
    momentum, frequency = optimizer.ema_momentum, optimizer.ema_overwrite_frequency
    if not core.behaviour.average_begins_with_weights:
        momentum = jnp.where(step == 1, 0, momentum)
    pairs = list(pairs)
    for variable, mean in pairs:
        mean.assign(momentum * mean.raw + (1 - momentum) * variable.raw)
    if frequency:
        now = step % frequency == 0
        for variable, mean in pairs:
            variable.assign(jnp.where(now, mean.raw, variable.raw))


def gradients_of(loss: Any, params: Iterable[core.Variable]) -> list:
    """The gradients of a symbolic loss, symbols themselves; or those that `apply` was given."""
    params = list(params)
    if isinstance(loss, _Given):
        return [loss.gradients[p] for p in params]
    if not core.is_symbol(loss):
        raise TypeError(f"get_gradients: expected a symbolic loss, such as a model's output. Received: {type(loss)}")
    symbols = dict.fromkeys(
        s for node in topological_order([loss]) for s in node.inputs if s.node is None or s.node.placeholder
    )
    graph = core.Graph(list(symbols), loss)

    @core.op
    def gradients(*arrays):
        return core.value_and_grad(lambda: jnp.sum(graph(*arrays)), params)()[1]

    return gradients(*symbols)


def updates_of(optimizer: Any, loss: Any, params: Iterable[core.Variable]) -> list[tuple]:
    """What `apply` would assign, as pairs of a variable and its next value."""
    params = list(params)
    optimizer.build(params)
    specs = [jax.ShapeDtypeStruct(p.shape, p.dtype) for p in params]
    with core.Scope() as scope:
        jax.eval_shape(lambda gradients: optimizer.apply(gradients, params), specs)
    written = list(scope.written)

    @core.op
    def updates(*gradients):
        with core.Scope() as scope:
            optimizer.apply(gradients, params)
            return [scope.values[v] for v in written]

    return list(zip(written, updates(*gradients_of(loss, params))))
