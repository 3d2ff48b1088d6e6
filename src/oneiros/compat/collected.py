"""The losses and updates of layers as lists of symbols, as Keras 1 and 2 have them while they build graphs.

Each call of a layer on symbols is traced for what it adds: penalties on its outputs, what `call` gives to `add_loss`
and `add_update`, and what it writes into its weights, such as moving averages.
"""

import typing

from ..core import Variable, behaviour, phase, symbols_in
from ..core.context import within
from ..core.phase import is_building
from ..core.structure import map_structure
from ..core.symbol import record, symbol_of
from ..core.variable import Scope
from ..layers.base import Layer
from ..layers.base.losses import Collected
from ..layers.cells import leaves_of

_current_losses = Layer.losses.fget


def _called(node, args, kwargs, training):
    """What a call adds and writes: losses, then pairs of a variable and its new value."""
    layer, collected = node.operation, Collected()
    with Scope() as scope, within(collected=collected, drops_updates=False), phase.running(training):
        layer(*args, **kwargs)
        own = {*layer.weights, *_states(layer)}
        updates = {v: scope.values[v] for v in scope.written if v in own} | dict(collected.updates)
        return collected.losses, list(updates), list(updates.values())


def _states(layer):
    """The variables that hold the states of stateful layers."""
    return [
        v
        for one in _everywhere(layer)
        if one.stateful
        for v in leaves_of(getattr(one, "states", ()))
        if isinstance(v, Variable)
    ]


def _symbols_of(node, what):
    """The losses or the updates of one call, as symbols."""
    layer = node.operation
    if not isinstance(layer, Layer) or node.entry or not layer.built:
        return []
    flags = tuple(one.trainable for one in (layer, *layer.sublayers()))
    known = vars(node).setdefault("traced", {})
    if (what, flags) not in known:
        known[what, flags] = _trace(node, what)
    return known[what, flags]


def _trace(node, what):
    written = []

    def losses(*args, **kwargs):
        return _called(node, args, kwargs, None)[0]

    def updates(*args, **kwargs):
        training = None if node.operation.stateful else True  # states follow from the phase, statistics from training
        _, written[:], values = _called(node, args, kwargs, training)
        return values

    fn = losses if what == "losses" else updates
    found = record(fn, node.args, node.kwargs)
    return found if what == "losses" else list(zip(written, found))


def _calls(layer):
    """The nodes that count for a layer: of a model of symbols those inside, of another its calls."""
    return layer.layer_graph.nodes if getattr(layer, "layer_graph", None) is not None else layer.inbound_nodes


def _calls_on(layer, inputs):
    """The calls on these inputs."""
    wanted = {id(s) for s in symbols_in(map_structure(symbol_of, inputs))}
    own = getattr(layer, "inputs", None)
    if own is not None and wanted == {id(s) for s in own}:
        return _calls(layer)
    return [node for node in layer.inbound_nodes if wanted >= {id(s) for s in node.input_tensors}]


def _everywhere(layer):
    return (layer, *layer.sublayers())


def _belongs(inputs, wanted):
    """Whether what was added for these inputs is asked for: none, or some of those wanted."""
    given = {id(s) for s in symbols_in(inputs)}
    return not given if wanted is None else bool(given & {id(s) for s in symbols_in(wanted)})


def _added(layer, face, wanted=...):
    pairs = [pair for one in _everywhere(layer) for pair in zip(getattr(one, face), getattr(one, f"{face}_inputs"))]
    return [x for x, inputs in pairs if wanted is ... or _belongs(inputs, wanted)]


# --- updates


def _are_frozen(layer):
    return behaviour.frozen_updates_dropped and not (layer.trainable or layer.stateful)


def updates_of(layer: Layer) -> list:
    """All updates of a layer or model."""
    if _are_frozen(layer) or not behaviour.deferred_updates:
        return []
    return [*_added(layer, "added_updates"), *(u for node in _calls(layer) for u in _symbols_of(node, "updates"))]


def updates_for(layer: Layer, inputs: typing.Any) -> list:
    """The updates that depend on these inputs; with ``None``, those that depend on none."""
    if _are_frozen(layer):
        return []
    calls = [] if inputs is None else _calls_on(layer, inputs)
    return [*_added(layer, "added_updates", inputs), *(u for node in calls for u in _symbols_of(node, "updates"))]


def state_updates_of(model: Layer) -> list:
    """The updates of stateful layers."""
    return [update for layer in model.layers if layer.stateful for update in updates_of(layer)]


# --- losses


def _penalties(layer):
    variables = [v for v in layer.trainable_weights if v.regularizer is not None]
    return [record(_penalty, (v,), {"regularizer": v.regularizer}) for v in variables]


def _penalty(value, regularizer):
    return regularizer(value.raw if isinstance(value, Variable) else value)


def losses_of(layer: Layer) -> list:
    """The losses beside the compiled one, as symbols while a graph is built."""
    if not is_building() or not _calls(layer):
        return _current_losses(layer)
    return [
        *_added(layer, "added_losses"),
        *(loss for node in _calls(layer) for loss in _symbols_of(node, "losses")),
        *_penalties(layer),
    ]


def losses_for(layer: Layer, inputs: typing.Any) -> list:
    """The losses that depend on these inputs; with ``None``, those that depend on none."""
    calls = [] if inputs is None else _calls_on(layer, inputs)
    found = [*_added(layer, "added_losses", inputs), *(x for node in calls for x in _symbols_of(node, "losses"))]
    return found + _penalties(layer) if inputs is None else found
