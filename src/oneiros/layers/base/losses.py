"""What a layer adds to the loss of a model, and the updates that it asks for."""

from typing import Any

import jax
import jax.numpy as jnp

from ...core import Symbol, behaviour, deferred, has_symbol
from ...core.context import current
from ...core.structure import leaves


class Collected:
    """What the outermost call of a layer collects: losses, and updates as pairs of a variable and its new value."""

    def __init__(self):
        self.losses = []
        self.updates = []


class LayerLosses:
    """The part of `Layer` that adds to the loss and asks for updates."""

    added_losses = ()  # symbols and functions from `add_loss`; the losses of calls are in `call_losses`

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Adds to the loss that training minimizes.

        Args:
            losses: a scalar or a list of scalars: arrays inside of `call`; symbols, on a model; or functions without
                arguments.
            inputs: ignored.
        """
        for loss in losses if isinstance(losses, (list, tuple)) else [losses]:
            call = current().collected
            if call is None or has_symbol(loss) or callable(loss):
                self.added_losses = [*self.added_losses, loss]
            else:
                call.losses.append(jnp.asarray(loss))

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Asks for updates of variables after this call, if it is one of training.

        Args:
            updates: a pair of a variable and its new value, as `K.update` returns it, or a list of pairs.
            inputs: ignored.
        """
        call = current().collected
        pairs = updates if isinstance(updates, list) else [updates]
        if call is not None and not deferred.dropped():
            call.updates.extend(pair for pair in pairs if isinstance(pair, tuple))

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

    def get_losses_for(self, inputs: Any = None) -> list:
        """The same as `losses`, under its name in Keras 2."""
        return self.losses

    @property
    def updates(self) -> list:
        """Always empty: updates are carried out as they are asked for."""
        return []

    def get_updates_for(self, inputs: Any = None) -> list:
        """Always empty, as `updates` is."""
        return []


def penalize_activity(layer: Any, outputs: Any) -> None:
    """Adds the loss of the layer's `activity_regularizer` on these outputs."""
    for output in leaves(outputs):
        penalty = layer.activity_regularizer(output)
        layer.add_loss(penalty / output.shape[0] if behaviour.mean_activity_regularizer else penalty)
