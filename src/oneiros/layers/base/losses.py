"""What a layer adds to the loss of a model, and the updates that it asks for."""

from typing import Any

import jax
import jax.numpy as jnp

from ...core import Graph, Symbol, behaviour, deferred, has_symbol
from ...core.context import current
from ...core.structure import leaves
from ...core.symbol import resolved


class Collected:
    """What the outermost call of a layer collects: losses, and updates as pairs of a variable and its new value."""

    def __init__(self):
        self.losses = []
        self.updates = []


class LayerLosses:
    """The part of `Layer` that adds to the loss and asks for updates."""

    # What was added outside of calls, and the inputs that it was said to depend on. The losses of calls are in
    # `call_losses`.
    added_losses = added_losses_inputs = ()
    added_updates = added_updates_inputs = ()

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Adds to the loss that training minimizes.

        Args:
            losses: a scalar or a list of scalars: arrays inside of `call`; symbols, on a model; or functions without
                arguments.
            inputs: the symbols that the losses depend on, as Keras 1 and 2 tell them apart.
        """
        for loss in losses if isinstance(losses, (list, tuple)) else [losses]:
            call = current().collected
            if call is not None:
                loss = resolved(loss, inside=True)
            if call is None or has_symbol(loss) or callable(loss):
                self.added_losses = [*self.added_losses, loss]
                self.added_losses_inputs = [*self.added_losses_inputs, inputs]
            else:
                call.losses.append(jnp.asarray(loss))

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Asks for updates of variables after this call, if it is one of training; or, outside of calls, after each.

        Args:
            updates: a pair of a variable and its new value, as `K.update` returns it, or a list of pairs.
            inputs: the symbols that the updates depend on, as Keras 1 and 2 tell them apart.
        """
        call = current().collected
        pairs = updates if isinstance(updates, list) else [updates]
        if call is None:
            self.added_updates = [*self.added_updates, *pairs]
            self.added_updates_inputs = [*self.added_updates_inputs, *([inputs] * len(pairs))]
        elif not deferred.dropped():
            pairs = [pair for pair in pairs if isinstance(pair, tuple)]
            pairs = [(variable, resolved(new, inside=True)) for variable, new in pairs]
            call.updates.extend((v, Graph([], new)() if has_symbol(new) else new) for v, new in pairs)

    def add_metric(self, *args, **kwargs) -> Any:
        """Keras 3 has no such method any more.

        Raises:
            AttributeError: always.
        """
        raise AttributeError("add_metric() is gone: give metrics to compile(), or make a Metric in __init__.")

    @property
    def losses(self) -> list:
        """The losses beside the compiled one: those of the last call, those added, and penalties on weights."""
        fixed = [
            loss() if callable(loss) and not isinstance(loss, (Symbol, jax.Array)) else loss
            for layer in (self, *self.sublayers())
            for loss in layer.added_losses
        ]
        penalties = [v.regularizer(v.raw) for v in self.trainable_weights if v.regularizer is not None]
        return [*self.call_losses, *fixed, *penalties]


def penalize_activity(layer: Any, outputs: Any) -> None:
    """Adds the loss of the layer's `activity_regularizer` on these outputs."""
    for output in leaves(outputs):
        penalty = layer.activity_regularizer(output)
        layer.add_loss(penalty / output.shape[0] if behaviour.mean_activity_regularizer else penalty)
