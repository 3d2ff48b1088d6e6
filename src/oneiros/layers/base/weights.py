"""The weights of a layer: how they are made and listed, read and set, and which of them training changes."""

import functools
import os
from collections.abc import Iterable
from typing import Any

import jax.numpy as jnp
import numpy as np

from ... import constraints, initializers, regularizers
from ...core import Variable, behaviour
from ...core.context import current, within
from ...core.errors import InputDataError, LimitExceededError
from ...core.fields import inherited_fields
from ...core.random import SeedGenerator


@functools.cache
def memory_limit() -> int:
    """The memory of this machine in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


_OF_VARIABLES = ("aggregation", "synchronization", "layout", "overwrite_with_gradient")


def weight_budget(limit: int) -> within:
    """A context in which all new weights together may take `limit` bytes: for models that come from files."""
    return within(weight_budget=[limit])


class LayerWeights:
    """The part of `Layer` that holds weights."""

    untracked_attributes = frozenset(
        {"_inbound_nodes", "_outbound_nodes", "_own", "_initial_arguments", "call_losses", "stray_index"}
    )  # the names of attributes in which no weights or layers are looked for

    prefix_in_files = ""  # what the names of layers in attributes begin with in files of Keras 3
    names_in_files: dict[str, str] = {}  # the names there of those that have others

    # --- making

    def add_weight(self, *args, **kwargs) -> Variable:
        """Makes a new weight of this layer.

        It is called as ``add_weight(name, shape, dtype, initializer, regularizer, trainable, constraint)``, or as
        ``add_weight(shape, initializer, dtype, trainable, autocast, regularizer, constraint)`` as in Keras 3; every
        argument may be given by keyword. What is not given comes from the layer's declared fields: a weight called
        ``kernel`` uses ``kernel_initializer``, ``kernel_regularizer`` and ``kernel_constraint``, and
        ``recurrent_kernel`` uses ``recurrent_initializer`` and so on. Without such a field the initializer is
        ``glorot_uniform`` for floats and ``zeros`` for other types.

        Args:
            *args: the positional arguments, in one of the two orders above.
            **kwargs: `name`, `shape`, `dtype` (by default the layer's), `initializer`, `regularizer`, `trainable`
                (by default `True`), `constraint` and `autocast` (by default `True`; see `Variable`).

        Returns:
            The new `Variable`.

        Raises:
            InputDataError: if a dimension of the shape is not known.
            LimitExceededError: if the weight is larger than this machine's memory.
        """
        order = ("name", "shape", "dtype", "initializer", "regularizer", "trainable", "constraint")
        if args and not isinstance(args[0], (str, type(None))):
            order = ("shape", "initializer", "dtype", "trainable", "autocast", "regularizer", "constraint")
            if len(args) > 2 and isinstance(args[2], str) and behaviour.add_weight_name_third:
                order = ("shape", "initializer", "name", "trainable", "regularizer", "constraint")
        return self._add_weight(**dict(zip(order, args)), **kwargs)

    def _add_weight(
        self,
        name=None,
        shape=(),
        dtype=None,
        initializer=None,
        regularizer=None,
        trainable=True,
        constraint=None,
        autocast=True,
        **others,  # those of other versions of Keras say where values are stored: that is up to JAX
    ):
        name = name or f"weight{len(self._own) or ''}"
        shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape or ())
        dtype = str(jnp.dtype(dtype or self.variable_dtype))
        _check_size(self, name, shape, dtype)
        initializer = _declared_part(self, name, "initializer") if initializer is None else initializer
        regularizer = _declared_part(self, name, "regularizer") if regularizer is None else regularizer
        constraint = _declared_part(self, name, "constraint") if constraint is None else constraint
        if initializer is None:
            initializer = "glorot_uniform" if jnp.issubdtype(jnp.dtype(dtype), jnp.floating) else "zeros"
        variable = Variable(
            initializers.get(initializer),
            shape,
            dtype,
            trainable=trainable,
            name=name,
            constraint=constraints.get(constraint),
            regularizer=regularizers.get(regularizer),
            autocast=autocast,
            **{key: value for key, value in others.items() if key in _OF_VARIABLES and value is not None},
        )
        layers = current().layers
        owners = layers if layers and layers[-1] is self else [*layers, self]
        variable.path = "/".join([*current().name_scopes, *(layer.name for layer in owners), name])
        if behaviour.weight_suffix:
            variable.name = f"{variable.path}:0"
        self._own.append(variable)
        return variable

    def add_variable(self, *args, **kwargs) -> Variable:
        """`add_weight` under its other name."""
        return self.add_weight(*args, **kwargs)

    # --- the layers inside

    def direct_sublayers(self) -> list:
        """The layers that this one holds in attributes, or in lists and dictionaries there, in order of assignment."""
        return find_in_attributes(LayerWeights, self)

    def sublayers(self) -> list:
        """All layers inside this one at any depth, each once."""
        found = {}
        for child in self.direct_sublayers():
            found.setdefault(id(child), child)
            for layer in child.sublayers():
                found.setdefault(id(layer), layer)
        return list(found.values())

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list:
        """The name in Keras 3, which packages use."""
        return [*([self] if include_self else []), *(self.sublayers() if recursive else self.direct_sublayers())]

    # --- files

    def save_own_variables(self, store: dict) -> None:
        """Puts what files hold for this layer itself into a store. Layers with more state than weights write their own.

        Args:
            store: a dictionary from names to arrays.
        """
        store.update((str(number), variable.raw) for number, variable in enumerate(self.own_weights()))

    def load_own_variables(self, store: dict) -> None:
        """Sets what `save_own_variables` put into a store.

        Args:
            store: a dictionary from names to arrays.

        Raises:
            ValueError: the store holds another number of arrays than the layer has weights.
        """
        variables = self.own_weights()
        if len(store) != len(variables):
            raise ValueError(
                f"Layer {self.name}: expected {len(variables)} variables, but received {len(store)} variables during "
                "loading. Build the layer as it was when it was saved."
            )
        for number, variable in enumerate(variables):
            variable.assign(store[str(number)])

    def loads_itself(self) -> bool:
        """Whether this layer reads its part of a file in a way of its own."""
        return type(self).load_own_variables is not LayerWeights.load_own_variables

    # --- lists of weights

    def own_weights(self) -> list:
        """The weights of this layer itself, not of layers inside: those made trainable first, in order of creation."""
        if behaviour.track_attribute_variables:
            return sorted(unique([*self._own, *find_in_attributes(Variable, self)]), key=lambda v: v.order)
        return sorted(self._own, key=lambda v: not v.trainable)

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights. It may be set at any time."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: Any) -> None:
        self._trainable = bool(value)
        if behaviour.recursive_trainable:
            for layer in self.direct_sublayers():
                layer.trainable = value

    @property
    def trainable_weights(self) -> list:
        """The weights that training changes, of this layer and of the layers inside."""
        if not self.trainable:
            return []
        own = [v for v in self.own_weights() if v.trainable]
        return unique([*own, *(v for layer in self.direct_sublayers() for v in layer.trainable_weights)])

    @trainable_weights.setter
    def trainable_weights(self, variables: Iterable) -> None:
        self._own = [*variables, *(v for v in self._own if not v.trainable)]

    @property
    def non_trainable_weights(self) -> list:
        """The weights that training leaves alone or that the layer updates itself, such as moving averages."""
        trainable = {id(v) for v in self.trainable_weights}
        return [v for v in self.weights if id(v) not in trainable]

    @non_trainable_weights.setter
    def non_trainable_weights(self, variables: Iterable) -> None:
        for variable in variables:
            variable.trainable = False
            variable.order = (True, variable.order[1])
        self._own = [*(v for v in self._own if v.trainable), *variables]

    def weights_by_layer(self) -> list:
        """All weights, those of one layer next to each other: the order of `get_weights` and `set_weights`."""
        return unique([*self.own_weights(), *(v for layer in self.direct_sublayers() for v in layer.weights)])

    @property
    def weights(self) -> list:
        """All weights: this layer's trainable ones, its others, then those of the layers inside."""
        return self.weights_by_layer()

    def seed_states(self) -> list:
        """The states of the random generators that this layer, or one inside, holds in attributes."""
        layers = (self, *self.sublayers())
        return unique([seed.state for layer in layers for seed in find_in_attributes(SeedGenerator, layer)])

    @property
    def variables(self) -> list:
        """All state that calls read or change: the weights and, in Keras 3, the states of random generators."""
        return unique([*self.weights, *self.seed_states()]) if behaviour.seeds_are_variables else self.weights

    trainable_variables = trainable_weights

    @property
    def non_trainable_variables(self) -> list:
        """The `variables` that are not trained."""
        trainable = {id(v) for v in self.trainable_weights}
        return [v for v in self.variables if id(v) not in trainable]

    # --- values

    def get_weights(self) -> list[np.ndarray]:
        """The values of the weights as NumPy arrays, in the order that `set_weights` expects."""
        return [np.array(v.raw) for v in self.weights_by_layer()]

    def set_weights(self, weights: Any) -> None:
        """Sets the values of all weights. Everything is checked before anything changes.

        Args:
            weights: a list of arrays in the order of `get_weights`, with the same shapes.

        Raises:
            ValueError: if the number of arrays or a shape is wrong.
        """
        variables = self.weights_by_layer()
        weights = list(weights)
        if len(variables) != len(weights):
            raise ValueError(
                f"Layer {self.name} has {len(variables)} weights. set_weights received {len(weights)} arrays"
                + ("; the layer is not built yet: call it on data first." if not self.built else ".")
            )
        for variable, array in zip(variables, weights):
            if tuple(np.shape(array)) != variable.shape:
                raise ValueError(
                    f"Layer {self.name}: weight {variable.path} has shape {variable.shape}. "
                    f"set_weights received shape {tuple(np.shape(array))}."
                )
        for variable, array in zip(variables, weights):
            variable.assign(np.asarray(array))

    def count_params(self) -> int:
        """The number of entries of all weights together.

        Raises:
            ValueError: if the layer is not built yet.
        """
        if not self.built:
            raise ValueError(f"Layer {self.name} is not built yet: call it on data first, or give its input_shape.")
        return sum(v.size for v in self.weights)


def _declared_part(layer, name, kind):
    """What the declared field ``<name>_<kind>`` holds, such as ``kernel_initializer``; `None` without such a field."""
    declared = inherited_fields(type(layer))
    for part in (name, name.removesuffix("_kernel")):
        if f"{part}_{kind}" in declared:
            return getattr(layer, f"{part}_{kind}")
    return None


def _check_size(layer, name, shape, dtype):
    """Complains if the shape of a new weight is not known, or if there is no room for it."""
    where = f"Layer {layer.name} ({type(layer).__name__})"
    if None in shape or any(d < 0 for d in shape):
        raise InputDataError(
            f"{where}: weight {name} would have shape {shape}. The last dimension of the inputs (or what the weight's "
            "shape comes from) must be known."
        )
    size = float(np.prod(shape, dtype=float)) * jnp.dtype(dtype).itemsize
    if size > memory_limit():
        raise LimitExceededError(
            f"{where}: weight {name} of shape {shape} needs {size / 1e9:.1f} GB; this machine has "
            f"{memory_limit() / 1e9:.1f} GB. Make the layer or its input smaller."
        )
    budget = current().weight_budget
    if budget is None:
        return
    if size > budget[0]:
        raise LimitExceededError(
            f"{where}: weight {name} of shape {shape} needs {size / 1e9:.3f} GB, far more than the file that describes "
            "the layer holds. The file is damaged or hostile."
        )
    budget[0] -= size


def unique(items: Iterable) -> list:
    """The items, each object once, in order of first appearance."""
    return list({id(item): item for item in items}.values())


def find_in_attributes(cls: type, layer: Any) -> list:
    """The instances of `cls` in a layer's attributes, and in lists, tuples and dictionaries there.

    Args:
        cls: the class of what is looked for.
        layer: the layer. Its `untracked_attributes` are left out.
    """

    seen = set()  # containers may hold themselves

    def walk(value):
        if isinstance(value, cls):
            yield value
        elif isinstance(value, (list, tuple, dict)) and id(value) not in seen:
            seen.add(id(value))
            for item in value.values() if isinstance(value, dict) else value:
                yield from walk(item)

    found = (x for name, value in vars(layer).items() if name not in layer.untracked_attributes for x in walk(value))
    return unique(found)
