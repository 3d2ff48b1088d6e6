"""Attributes of layers, models, symbols and nodes that programs and packages of Keras 1 and 2 read, and some set."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from .. import losses
from ..core import Node, Symbol, Variable, behaviour, has_symbol, is_symbol, kind, structure, symbols_in, to_array
from ..core.symbol import Shape, Spec, depends_on_phase, mask_symbol, record, symbol_behind, topological_order
from ..layers import TimeDistributed
from ..layers.base import Layer, single
from ..models import Model, Sequential
from ..models.topology import order_nodes
from ..training.compile import Objectives
from ..training.reading import reader_of
from .collected import losses_for, losses_of, state_updates_of, updates_for, updates_of
from .legacy_engine import object_list_uid, to_list


class face:  # noqa: N801 - used as `property` is
    """A property that gives way to an attribute of the same name that a user's class sets."""

    def __init__(self, read: Callable):
        self.read = read

    def __get__(self, owner, cls):
        return self if owner is None else self.read(owner)


# --- symbols


class _SymbolFaces:
    """The attributes that Keras 1 and 2 gave to tensors."""

    _keras_shape = property(lambda self: tuple(self.shape), lambda self, shape: self.set_shape(shape))

    @property
    def _keras_mask(self):
        return mask_symbol(self)

    @_keras_mask.setter
    def _keras_mask(self, mask):
        self.mask, self.mask_spec = mask, None if mask is None else Spec(mask.shape, mask.dtype)

    @property
    def _keras_history(self):
        return (self.node.operation, self.node.node_index, self.index) if self.node else (None, 0, 0)

    @property
    def _uses_learning_phase(self):
        return any(map(depends_on_phase, topological_order([self])))

    @_uses_learning_phase.setter
    def _uses_learning_phase(self, value):
        if self.node is not None:
            self.node.marked = bool(value)


class _ArrayFaces:
    """What code for Keras 1 and 2 asks tensors for inside of calls and losses, where they are JAX's."""

    def get_shape(self):
        return _StaticShape(self.shape)

    _keras_shape = property(lambda self: tuple(self.shape))

    @property
    def _keras_history(self):
        """Where a loss or metric got this output from: the layer, and the numbers of its call and of the output."""
        symbol = symbol_behind(self)
        if symbol is not None:
            return symbol._keras_history
        raise AttributeError("_keras_history: only outputs of the model have one, in losses and metrics.")

    def numpy(self):
        return np.array(self)


class Dimension(int):
    """A dimension of a tensor, as TensorFlow 1 has them: `value` is the number."""

    value = property(int)


class UnknownDimension:
    """What ``x.get_shape()[0]`` is where the dimension is not known."""

    value = None

    def __bool__(self):
        return False

    def __eq__(self, other):
        return other is None or isinstance(other, UnknownDimension)

    __hash__ = None

    def __repr__(self):
        return "?"


class _StaticShape(Shape):
    """What `get_shape` returns."""

    def __getitem__(self, index):
        item = super().__getitem__(index)
        return UnknownDimension() if item is None else item


class _ShapeFaces:
    """Shapes whose entries are those of TensorFlow 1."""

    def __getitem__(self, index):
        item = tuple.__getitem__(self, index)
        if isinstance(index, slice):
            return type(self)(item)
        return item if item is None else Dimension(item)

    def __iter__(self):
        return (item if item is None else Dimension(item) for item in tuple.__iter__(self))


_shape_of_variable = Variable.shape.fget
_DIMENSIONED = (
    (Shape, "__getitem__", _ShapeFaces.__getitem__),
    (Shape, "__iter__", _ShapeFaces.__iter__),
    (Variable, "shape", property(lambda self: Shape(_shape_of_variable(self)))),
    *((cls, "get_shape", lambda self: _StaticShape(self.shape)) for cls in (Symbol, Variable)),
)
_NATIVE = tuple(vars(cls).get(name) for cls, name, _ in _DIMENSIONED)


def show_dimensions(shown: bool) -> None:
    """Gives the entries of shapes the attribute `value`, or takes it away again."""
    for (cls, name, face), native in zip(_DIMENSIONED, _NATIVE):
        if shown or native is not None:
            setattr(cls, name, face if shown else native)
        elif name in vars(cls):
            delattr(cls, name)


def show_arrays(shown: bool) -> None:
    """Gives JAX's arrays the faces of tensors, or takes them away again."""
    for cls, names in _SHOWN:
        for name in names:
            if shown:
                setattr(cls, name, vars(_ArrayFaces)[name])
            elif name in vars(cls):
                delattr(cls, name)
    jax.core.Tracer.shape = _TRACERS_SHAPE if not shown else property(lambda self: Shape(self.aval.shape))


_SHOWN = (
    (jax.core.Tracer, ("get_shape", "_keras_shape", "_keras_history")),
    (jax.Array, ("get_shape", "_keras_shape", "numpy")),
)
_TRACERS_SHAPE = jax.core.Tracer.shape


class _NodeFaces:
    def get_config(self):
        return {
            "outbound_layer": getattr(self.operation, "name", None),
            "inbound_layers": [layer.name for layer in self.inbound_layers],
            "node_indices": self.node_indices,
            "tensor_indices": self.tensor_indices,
        }


# --- layers


class _Weights(list):
    """The trainable or the other weights of a layer itself: what is changed in this list is changed in the layer."""

    def __init__(self, layer, trainable):
        super().__init__(v for v in layer.own_weights() if v.trainable == trainable)
        self.layer, self.face = layer, "trainable_weights" if trainable else "non_trainable_weights"


def _writing(name):
    change = getattr(list, name)

    def method(self, *args):
        result = change(self, *args)
        setattr(self.layer, self.face, list(self))
        return result

    return method


for _name in ("append", "extend", "insert", "remove", "pop", "clear", "__iadd__", "__setitem__", "__delitem__"):
    setattr(_Weights, _name, _writing(_name))


def _own(name):
    trainable = name == "trainable_weights"
    return property(lambda self: _Weights(self, trainable), lambda self, value: setattr(self, name, list(value)))


def _attribute_at(layer, node_index, attribute, name="attribute"):
    nodes = layer.inbound_nodes
    if not nodes:
        raise RuntimeError(f"Layer {layer.name} has never been called on a symbol, so it has no {name}.")
    if not 0 <= node_index < len(nodes):
        raise ValueError(f"Asked for the {name} at node {node_index}, but layer {layer.name} has {len(nodes)} nodes.")
    return single(getattr(nodes[node_index], attribute))


def _callable_on_symbols(call):
    """The method `call` of a layer of the library, for symbols too: there it is recorded as one operation."""

    @functools.wraps(call)
    def wrapper(self, *args, **kwargs):
        if not has_symbol(args):
            return call(self, *args, **kwargs)

        def computed(*args, **kwargs):
            return call(self, *args, **kwargs)

        computed.uses_learning_phase = self.uses_learning_phase
        return record(computed, args, kwargs)

    return wrapper


def _weight_of_keras1(*names):
    """A weight under the name that it had in Keras 1."""

    def read(layer):
        found = [getattr(layer, name) for name in names if hasattr(layer, name)]
        if not found or behaviour.generation != "1":
            raise AttributeError(f"Layer {layer.name} ({type(layer).__name__}) has no {' or '.join(names)}.")
        return found[0]

    return face(read)


class _LayerFaces:
    _get_node_attribute_at_index = _attribute_at
    _trainable_weights = _own("trainable_weights")
    _non_trainable_weights = _own("non_trainable_weights")
    updates = face(updates_of)
    get_updates_for, get_losses_for = updates_for, losses_for
    add_updates = Layer.add_update  # before Keras 1.2
    W, b = _weight_of_keras1("kernel", "embeddings"), _weight_of_keras1("bias")
    running_mean, running_std = _weight_of_keras1("moving_mean"), _weight_of_keras1("moving_variance")


# --- the graph of a model


def _key(node):
    return f"{node.operation.name}_ib-{node.node_index}"


def _ranked(model):
    """Pairs of a depth and a node of a layer."""
    if model.layer_graph is None:
        return []
    return [(d, n) for d, n in order_nodes(model.inputs, model.outputs_by_key) if isinstance(n.operation, Layer)]


def _nodes_by_depth(model):
    found = {}
    for depth, node in _ranked(model):
        found.setdefault(depth, []).append(node)
    return found


def _layers_by_depth(model):
    depths, found = {}, {}
    for depth, node in _ranked(model):
        depths[node.operation] = max(depth, depths.get(node.operation, 0))
    for layer, depth in depths.items():
        found.setdefault(depth, []).append(layer)
    return found


def _container_nodes(model):
    return {_key(node) for _, node in _ranked(model)}


def _coordinates(symbols):
    return [(s.node.operation, s.node.node_index, s.index) for s in symbols or [] if s.node]


def _places(side, part):
    return face(lambda self: [place[part] for place in _coordinates(getattr(self, side))])


# --- what is fed, and what training minimizes


class _Feeds:
    """The placeholders of targets and sample weights, and the loss that is computed from them."""

    def __init__(self, model):
        given = model.training_state.compile_arguments
        objectives = Objectives(given["loss"], given["loss_weights"], None, None)
        objectives.place(model.output_places)
        objectives.bind(model.outputs, None)
        self.losses, self.names = objectives.losses, model.output_names
        made = model.training_state.objectives.target_tensors
        self.targets = [
            None if fn is None else _symbolic(target) if target is not None else _target(name, output, fn)
            for fn, target, name, output in zip(self.losses, made, self.names, model.outputs)
        ]
        self.weights = [
            None if fn is None else Symbol((None,), name=f"{name}_sample_weights")
            for fn, name in zip(self.losses, self.names)
        ]
        arguments = (self.targets, model.outputs, self.weights)
        self.loss = Node(objectives.compute_loss, arguments, {}, Spec((), "float32")).result
        for extra in model.losses:
            self.loss = self.loss + (record(jnp.sum, (extra,), {}) if is_symbol(extra) else extra)


def _symbolic(target):
    return target if is_symbol(target) else record(to_array, (target,), {})


def _target(name, output, loss):
    shape = (*output.shape[:-1], 1) if losses.expects_classes(loss) else output.shape
    return Symbol((None, *shape[1:]), output.dtype, f"{name}_target")


def _is_fed(x):
    return is_symbol(x) and (x.node is None or x.node.placeholder)


def _feeds_of(model):
    state = model.training_state
    if state.objectives is None or model.outputs is None:
        raise AttributeError(f"Model {model.name} has no targets or loss: call compile() first.")
    if state.feeds is None:
        state.feeds = _Feeds(model)
    return state.feeds


def _needed(name):
    """What is there for the outputs that have a loss."""
    return face(lambda self: [x for x in getattr(_feeds_of(self), name) if x is not None])


def _of_outputs(name):
    """What there is for each output that has a loss."""
    return face(lambda self: [x for x, fn in zip(getattr(self, name), _feeds_of(self).losses) if fn is not None])


def _shapes(name):
    return face(lambda self: [tuple(s.shape) for s in getattr(self, name)])


class _Added(list):
    """Names or tensors of metrics: what programs append to both lists is shown with the metrics."""

    def __init__(self, items, state, names):
        super().__init__(items)
        self.state, self.names = state, names

    def append(self, item):
        super().append(item)
        waiting = self.state.__dict__.setdefault("waiting", {True: [], False: []})
        waiting[self.names].append(item)
        if waiting[True] and waiting[False]:
            self.state.added_metrics[waiting[True].pop(0)] = waiting[False].pop(0)
            self.state.steps = None


_metrics_names = Model.metrics_names.fget


def _names_of_metrics(model):
    state = model.training_state
    return _Added([*_metrics_names(model), *state.added_metrics], state, True)


def _of_lists(model, step):
    """A step as a function of one flat list: inputs, targets, sample weights, and the learning phase at the end."""

    def function(ins):
        inputs, outputs = len(model._feed_inputs), len(model._feed_targets)
        x, y, weights = ins[:inputs], ins[inputs : inputs + outputs], ins[inputs + outputs : inputs + 2 * outputs]
        return to_list(step(list(x), list(y), sample_weight=list(weights)))

    return function


class _ModelFaces:
    nodes_by_depth = _nodes_by_depth = face(_nodes_by_depth)
    layers_by_depth = _layers_by_depth = face(_layers_by_depth)
    container_nodes = _container_nodes = _network_nodes = face(_container_nodes)
    _input_coordinates = face(lambda self: _coordinates(self.inputs))
    _output_coordinates = face(lambda self: _coordinates(self.outputs))
    _input_layers, _output_layers = _places("inputs", 0), _places("outputs", 0)
    input_layers_node_indices, input_layers_tensor_indices = _places("inputs", 1), _places("inputs", 2)
    output_layers_node_indices, output_layers_tensor_indices = _places("outputs", 1), _places("outputs", 2)
    _is_graph_network = face(lambda self: self.layer_graph is not None)
    _is_compiled = face(lambda self: self.training_state.objectives is not None)
    _collected_trainable_weights = face(lambda self: self.trainable_weights)
    internal_input_shapes, internal_output_shapes = _shapes("inputs"), _shapes("outputs")

    _feed_inputs = face(lambda self: list(filter(_is_fed, self.inputs)))
    _feed_input_names = face(lambda self: [n for n, s in zip(self.input_names, self.inputs) if s in self._feed_inputs])
    _feed_input_shapes = _shapes("_feed_inputs")
    _feed_outputs, _feed_output_names = _of_outputs("outputs"), _of_outputs("output_names")
    _feed_output_shapes = _shapes("_feed_outputs")
    _feed_loss_fns, _feed_sample_weights = _needed("losses"), _needed("weights")
    _feed_targets = face(lambda self: [s for s in _feeds_of(self).targets if is_symbol(s) and _is_fed(s)])
    targets = face(lambda self: list(_feeds_of(self).targets))
    sample_weights = face(lambda self: list(_feeds_of(self).weights))
    loss_functions = face(lambda self: list(_feeds_of(self).losses))
    total_loss = face(lambda self: _feeds_of(self).loss)

    metrics_tensors = face(lambda self: _Added(self.training_state.added_metrics.values(), self.training_state, False))
    train_function = test_function = predict_function = None  # until they are made

    def _make_train_function(self):
        self.train_function = _of_lists(self, self.train_on_batch)

    def _make_test_function(self):
        self.test_function = _of_lists(self, self.test_on_batch)

    def _make_predict_function(self):
        self.predict_function = lambda ins: to_list(self.predict_on_batch(list(ins[: len(self._feed_inputs)])), True)

    def _standardize_user_data(self, x, y=None, sample_weight=None, class_weight=None, **unused):
        """Lists of the inputs, the targets and the weights, as arrays."""
        x, y, weights = reader_of(self).batch(x, y, sample_weight, class_weight)
        arrays = [np.expand_dims(a, 1) if a.ndim == 1 else a for a in structure.leaves(y)]
        weights = to_list(weights, True) if weights is not None else [None] * len(arrays)
        return structure.leaves(x), arrays, [np.ones(len(a)) if w is None else w for w, a in zip(weights, arrays)]


def _folded(node):
    """The steps of a call's sequences, as examples."""
    x = node.inputs[0]
    return record(jnp.reshape, (x, (-1, *x.shape[2:])), {})


class _TimeDistributedFaces:
    _input_map = face(
        lambda self: {object_list_uid(n.inputs): _folded(n) for n in self.inbound_nodes if n.inputs[0].shape[0] is None}
    )


class _SequentialFaces:
    model = face(lambda self: self)


_FACES = (
    (Symbol, _SymbolFaces),
    (Node, _NodeFaces),
    (Layer, _LayerFaces),
    (Model, _ModelFaces),
    (Sequential, _SequentialFaces),
    (TimeDistributed, _TimeDistributedFaces),
)


def _telling_shapes(build):
    @functools.wraps(build)
    def wrapper(model, args, kwargs):
        for symbol, expected in zip(symbols_in(args), model.inputs or ()):
            if getattr(symbol, "unranked", False):  # a placeholder that was made without a shape
                symbol.set_shape(expected.shape)
                symbol.unranked = False
        return build(model, args, kwargs)

    return wrapper


def add_faces() -> None:
    """Gives these classes the attributes; those that they have themselves stay."""
    for cls, faces in _FACES:
        for name, value in vars(faces).items():
            if not name.startswith("__") and not hasattr(cls, name):
                setattr(cls, name, value)
    Layer.losses = property(losses_of, doc=Layer.losses.__doc__)
    Model.state_updates = property(state_updates_of, doc=Model.state_updates.__doc__)
    Model.build_for_call = _telling_shapes(Model.build_for_call)
    Model.metrics_names = property(_names_of_metrics, doc=Model.metrics_names.__doc__)
    for cls in {base for layer in kind("layer").objects.values() for base in layer.__mro__}:
        if issubclass(cls, Layer) and not issubclass(cls, Model) and "call" in vars(cls):
            cls.call = _callable_on_symbols(cls.call)
