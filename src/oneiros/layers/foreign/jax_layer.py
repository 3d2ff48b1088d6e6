"""Layers made of functions of JAX, and of modules of Flax."""

import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ...core import Variable
from ...core.errors import InputDataError
from ...core.fields import field
from ...core.random import SeedGenerator
from ...core.structure import map_shapes
from ..base import Layer
from .stored import restored, stored

_OF_CALL = ("params", "state", "rng", "inputs", "training")
_OF_INIT = ("rng", "inputs", "training")


def _taken(function, what, known):
    """The names of a function's arguments, all of which must be known."""
    names = list(inspect.signature(function).parameters)
    if "inputs" not in names:
        raise InputDataError(f"JaxLayer: `{what}` must take the argument `inputs`. It takes: {', '.join(names)}.")
    for name in names:
        if name not in known:
            raise InputDataError(
                f"JaxLayer: `{what}` takes the argument `{name}`, which is not one of {', '.join(known)}."
            )
    return names


def _is_array(leaf):
    return hasattr(leaf, "dtype") or isinstance(leaf, (bool, int, float, complex))


class JaxLayer(Layer):
    """Makes a layer of functions of JAX, whose parameters become its weights.

    ``call_fn`` takes any of the arguments ``params``, ``state``, ``rng``, ``inputs`` and ``training``, by these names;
    ``inputs`` is needed. It returns the outputs, and the new state behind them if it takes ``state``. ``init_fn`` takes
    any of ``rng``, ``inputs`` and ``training``, and returns the parameters, and the state behind them if ``call_fn``
    takes it. Both are trees of arrays of any kind that JAX knows: dictionaries, lists, or what other libraries make of
    their models, such as `equinox.partition` and `flax.nnx.split`.

    In files the functions are named: register them with `register_keras_serializable`.

    Shapes: those of the function.

    >>> def init(rng, inputs):
    ...     return {"scale": jnp.ones(inputs.shape[-1])}
    >>> def scale(params, inputs):
    ...     return params["scale"] * inputs
    >>> layer = JaxLayer(scale, init)
    >>> layer(np.array([[1.0, 2.0]])).tolist(), layer.count_params()
    ([[1.0, 2.0]], 2)
    """

    untracked_attributes = Layer.untracked_attributes | {"_trees"}

    call_fn: Callable = field(doc="The function that computes the outputs.")
    init_fn: Callable = field(default=None, doc="The function that makes parameters and state.")
    _params: Any = field(default=None, alias="params", doc="Parameters to start from.")
    _state: Any = field(default=None, alias="state", doc="State to start from.")
    seed: int = field(default=None, doc="Seed of the keys that the functions get as `rng`.")
    native_serialization_platforms: Any = field(default=None, doc="Accepted; nothing is serialized for TensorFlow.")

    def __post_init__(self):
        super().__post_init__()
        self.call_fn, self.init_fn = restored(self.call_fn), restored(self.init_fn)
        self._of_call = _taken(self.call_fn, "call_fn", _OF_CALL)
        self._of_init = self.init_fn and _taken(self.init_fn, "init_fn", _OF_INIT)
        needs = "params" in self._of_call or "state" in self._of_call
        if needs and self.init_fn is None and self._params is None and self._state is None:
            raise ValueError(
                f"{type(self).__name__}: `call_fn` takes params or state, so that `init_fn`, `params` and `state` "
                "cannot all be None."
            )
        self.seed_generator = SeedGenerator(self.seed)
        self._trees = {}
        for name, tree in (("params", self._params), ("state", self._state)):
            of_file = isinstance(tree, dict) and tree.get("class_name") == "Zeros"
            self._adopt(name, _zeros(tree["tree"]) if of_file else tree)
        self._params = self._state = None

    # --- weights

    def _adopt(self, name, tree):
        """Makes weights of the arrays in a tree. Other leaves stay as they are."""
        if tree is None:
            return
        leaves, form = jax.tree.flatten(tree)
        kept = [self._weight(name, number, leaf) if _is_array(leaf) else leaf for number, leaf in enumerate(leaves)]
        self._trees[name] = (kept, form)

    def _weight(self, name, number, leaf):
        value = np.asarray(leaf)
        return self.add_weight(
            name=f"{name}_{number}",
            shape=value.shape,
            dtype=str(jax.dtypes.canonicalize_dtype(value.dtype)),
            initializer=lambda shape, dtype=None: jnp.asarray(value),
            trainable=name == "params",
        )

    def _tree(self, name, read=lambda leaf: leaf):
        if name not in self._trees:
            return None
        leaves, form = self._trees[name]
        return jax.tree.unflatten(form, [read(leaf) if isinstance(leaf, Variable) else leaf for leaf in leaves])

    @property
    def params(self) -> Any:
        """The tree of the trainable variables; `None` without any."""
        return self._tree("params")

    @property
    def state(self) -> Any:
        """The tree of the variables that calls update; `None` without any."""
        return self._tree("state")

    def build(self, input_shape: Any) -> None:
        """Makes parameters and state by `init_fn`, unless they were given.

        Args:
            input_shape: the shape of the inputs, or a structure of shapes. Unknown dimensions are made 1.
        """
        wanted = [name for name in ("params", "state") if name in self._of_call]
        if self.init_fn is None or all(name in self._trees for name in wanted):
            return
        inputs = map_shapes(lambda shape: jnp.ones([d or 1 for d in shape], self.compute_dtype), input_shape)
        values = {"rng": self.seed_generator.next(), "inputs": inputs, "training": True}
        with jax.ensure_compile_time_eval():
            made = self.init_fn(**{name: values[name] for name in self._of_init})
        params, state = made if "state" in self._of_call else (made, None)
        for name, tree in (("params", params), ("state", state)):
            if name not in self._trees:
                self._adopt(name, tree)

    # --- calls

    def call(self, inputs: Any, training: bool = False) -> Any:
        values = {"inputs": inputs, "training": bool(training)}
        if "params" in self._of_call:
            values["params"] = self._tree("params", lambda variable: variable.value)
        if "state" in self._of_call:
            values["state"] = self._tree("state", lambda variable: variable.value)
        if "rng" in self._of_call:
            values["rng"] = self.seed_generator.next()
        outputs = self.call_fn(**{name: values[name] for name in self._of_call})
        if "state" not in self._of_call:
            return outputs
        outputs, state = outputs
        self._update(state)
        return outputs

    def _update(self, state):
        kept, form = self._trees.get("state", ([], jax.tree.structure(None)))
        leaves, new_form = jax.tree.flatten(state)
        if form != new_form:
            raise ValueError(
                f"Layer {self.name} ({type(self).__name__}): the state that the function returned has the structure "
                f"{new_form}, but the layer's has {form}."
            )
        for variable, value in zip(kept, leaves):
            if isinstance(variable, Variable):
                variable.assign(value)

    def get_config(self) -> dict:
        config = super().get_config()
        config |= {"call_fn": stored(self.call_fn), "init_fn": stored(self.init_fn)}
        if self.init_fn is None:  # only the form of the trees: files have the values with the weights
            config |= {name: {"class_name": "Zeros", "tree": _form(self._tree(name))} for name in self._trees}
        return config


def _form(tree):
    """A tree with shapes and types in the place of arrays; `None` for trees of classes that no file can hold."""
    if isinstance(tree, Variable):
        return {"shape": list(tree.shape), "dtype": tree.dtype}
    if isinstance(tree, dict):
        return {"items": {key: _form(value) for key, value in tree.items()}}
    if isinstance(tree, (list, tuple)):
        return {"tuple" if isinstance(tree, tuple) else "list": [_form(value) for value in tree]}
    if tree is None or isinstance(tree, (str, int, float, bool)):
        return {"leaf": tree}
    raise ValueError(
        f"JaxLayer: a {type(tree).__name__} of parameters cannot be written to a configuration. Give `init_fn`, which "
        "makes it again."
    )


def _zeros(form):
    """The tree of zeros of such a form."""
    if "shape" in form:
        return np.broadcast_to(np.zeros((), jnp.dtype(form["dtype"])), form["shape"])  # takes no memory yet
    if "items" in form:
        return {key: _zeros(value) for key, value in form["items"].items()}
    if "leaf" in form:
        return form["leaf"]
    return tuple(map(_zeros, form["tuple"])) if "tuple" in form else [_zeros(value) for value in form["list"]]


class FlaxLayer(JaxLayer):
    """Makes a layer of a module of `flax.linen`, whose variables become its weights.

    The module, or the method that is given, takes the inputs, and `training` if it wants to know. Random keys are there
    under the names ``"params"`` and ``"dropout"``. The collection ``"params"`` is trained; the others are state.

    In files the module is named: its class has `get_config` and `from_config`, and is registered with
    `register_keras_serializable`. Flax itself is not needed here.

    Shapes: those of the module.

    Args:
        module: the module.
        method: the method to call instead of ``__call__``: its name, the method, or a function of the module and the
            inputs.
        variables: the module's variables to start from, as ``module.init`` returns them.
        **kwargs: arguments of `Layer`, and `seed`.

    >>> from flax import linen  # doctest: +SKIP
    >>> model = keras.Sequential([FlaxLayer(linen.Dense(3)), keras.layers.Dense(1)])  # doctest: +SKIP
    """

    def __init__(self, module: Any, method: Any = None, variables: Any = None, **kwargs):
        self.module, self.method = restored(module), restored(method)
        if callable(self.method) and getattr(self.module, getattr(self.method, "__name__", ""), None) is not None:
            self.method = self.method.__name__
        called = getattr(self.module, self.method) if isinstance(self.method, str) else self.method
        self._tells = "training" in inspect.signature(called or self.module.__call__).parameters
        params, state = _parted(variables)
        given = {} if variables is None else {"params": params, "state": state}
        super().__init__(call_fn=self._apply, init_fn=self._make, **given, **kwargs)

    def _options(self, training):
        return {"method": self.method} | ({"training": training} if self._tells else {})

    def _apply(self, params, state, rng, inputs, training):
        keys = jax.random.split(rng)
        outputs, new = self.module.apply(
            {**(params or {}), **(state or {})},
            inputs,
            rngs={"params": keys[0], "dropout": keys[1]},
            mutable=list(state or ()),
            **self._options(training),
        )
        return outputs, _unfrozen(new) if state else state

    def _make(self, rng, inputs, training):
        keys = jax.random.split(rng)
        options = self._options(training)
        return _parted(self.module.init({"params": keys[0], "dropout": keys[1]}, inputs, **options))

    def get_config(self) -> dict:
        config = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype_policy.name, "seed": self.seed}
        return config | {"module": stored(self.module), "method": stored(self.method)}


def _unfrozen(tree):
    return tree.unfreeze() if hasattr(tree, "unfreeze") else dict(tree)


def _parted(variables: Any) -> tuple:
    """The parameters, and the other collections."""
    state = _unfrozen(variables or {})
    return ({"params": state.pop("params")} if "params" in state else {}), state
