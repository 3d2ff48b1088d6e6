"""Blocks of code in which variables, names or devices are others, as Keras 3 offers them to users."""

import functools
import math
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp

from .context import current, within
from .structure import keep, unkeep
from .variable import Scope, Variable


class StatelessScope(Scope):
    """A block in which variables have other values. What is assigned inside is kept here; the variables do not change.

    Args:
        state_mapping: pairs of variables and their values inside.
        collect_losses: whether the losses of layers that are called inside are gathered in `losses`.
        initialize_variables: accepted; variables have their values from the start.

    Attributes:
        losses: the losses, if they are collected.

    Raises:
        ValueError: if `state_mapping` has other keys than variables, or a value of another shape.

    >>> v = Variable(1.0)
    >>> with StatelessScope([(v, 3.0)]) as scope:
    ...     _ = v.assign_add(1.0)
    >>> float(v), float(scope.get_current_value(v))
    (1.0, 4.0)
    """

    def __init__(self, state_mapping: Any = None, collect_losses: bool = False, initialize_variables: bool = True):
        super().__init__()
        self.collect_losses, self.losses = collect_losses, []
        for pair in dict(state_mapping or {}).items():
            self._set(*pair)

    def __enter__(self):
        super().__enter__()
        self._losses_block = within(loss_log=self.losses if self.collect_losses else current().loss_log)
        self._losses_block.__enter__()
        return self

    def __exit__(self, *exception):
        self._losses_block.__exit__(*exception)
        super().__exit__(*exception)

    def _set(self, variable, value):
        if not isinstance(variable, Variable):
            raise ValueError(f"StatelessScope: expected pairs of a Variable and its value. Received: {variable!r}")
        value = jnp.asarray(value.raw if isinstance(value, Variable) else value, variable.dtype)
        if value.shape != variable.shape:
            raise ValueError(
                f"StatelessScope: variable {variable.path} has the shape {variable.shape}. Received a value of shape "
                f"{value.shape}."
            )
        self.values[variable] = value

    def add_loss(self, loss: Any) -> None:
        """Adds to `losses`."""
        self.losses.append(loss)

    def add_update(self, update: tuple) -> None:
        """Sets the value that a variable has inside. update: a pair of the variable and the value."""
        self._set(*update)

    def get_current_value(self, variable: Variable) -> Any:
        """The value that a variable has inside; ``None`` if that is its own."""
        return self.values.get(variable)


class SymbolicScope:
    """A block of code that works on symbols; `in_symbolic_scope` tells that it runs.

    >>> with SymbolicScope():
    ...     in_symbolic_scope()
    True
    """

    def __enter__(self):
        self._block = within(symbolic=True)
        self._block.__enter__()
        return self

    def __exit__(self, *exception):
        self._block.__exit__(*exception)


def in_symbolic_scope() -> bool:
    """Whether the code that runs now is in a `SymbolicScope`, or only works out shapes."""
    return current().symbolic or bool(current().inferring)


class name_scope:  # noqa: N801 - used as a function
    """A block in which the paths of new variables begin with a name.

    Args:
        name: the name, without a slash.
        **kwargs: accepted for Keras 3.

    Raises:
        ValueError: if the name is not a string, is empty, or holds a slash.

    >>> with name_scope("encoder"):
    ...     Variable(1.0, name="scale").path
    'encoder/scale'
    """

    def __init__(self, name: str, **kwargs):
        if not isinstance(name, str) or not name or "/" in name:
            raise ValueError(f"name_scope: expected a name, not empty and without '/'. Received: name={name!r}")
        self.name = name

    def __enter__(self):
        self._block = within(name_scopes=(*current().name_scopes, self.name))
        self._block.__enter__()
        return self

    def __exit__(self, *exception):
        self._block.__exit__(*exception)


def device(device_name: str) -> Any:
    """A block in which new arrays are made on this device.

    Args:
        device_name: its kind and its number, such as ``"cpu:0"`` or ``"gpu:1"``. The number may be left out.

    Raises:
        ValueError: if there is no such device.

    >>> with device("cpu:0"):
    ...     jnp.ones(2).device.platform
    'cpu'
    """
    kind, _, number = str(device_name).lower().partition(":")
    try:
        found = jax.devices(kind)[int(number or 0)]
    except (RuntimeError, IndexError, ValueError):
        known = [f"{d.platform}:{d.id}" for d in jax.devices()]
        raise ValueError(
            f"device: expected one of {known}, or a device of another platform of JAX. Received: {device_name!r}"
        ) from None
    return jax.default_device(found)


class RematScope:
    """A block in which layers are made whose inner values are computed again for gradients, instead of kept.

    Args:
        mode: which layers these are: ``"full"``, all; ``"activations"``, those with an activation function;
            ``"larger_than"``, those with a larger output than `output_size_threshold`; ``"list_of_layers"``, those of
            `layer_names`; `None`, none.
        output_size_threshold: the number of values of an output, without the batch axis.
        layer_names: names of layers.

    Raises:
        ValueError: if the mode is none of these.

    >>> with RematScope(mode="full") as scope:
    ...     scope.takes("dense", (None, 4), True)
    True
    """

    def __init__(
        self, mode: str | None = "full", output_size_threshold: int = 1024, layer_names: Iterable[str] | None = None
    ):
        if mode not in ("full", "activations", "larger_than", "list_of_layers", None):
            raise ValueError(
                "RematScope: expected the mode 'full', 'activations', 'larger_than', 'list_of_layers' or None. "
                f"Received: mode={mode!r}"
            )
        self.mode, self.output_size_threshold = mode, output_size_threshold
        self.layer_names = list(layer_names or ())

    def takes(self, name: str, output_shape: Any, has_activation: bool) -> bool:
        """Whether a layer of this name, with outputs of this shape (`None` if that is not known), is one of these."""
        if self.mode == "larger_than":
            sizes = [size for size in (output_shape or ())[1:] if size is not None]
            return output_shape is not None and math.prod(sizes) > self.output_size_threshold
        by_mode = {"full": True, "activations": has_activation, "list_of_layers": name in self.layer_names}
        return by_mode.get(self.mode, False)

    def __enter__(self):
        self._block = within(remat_scope=self)
        self._block.__enter__()
        return self

    def __exit__(self, *exception):
        self._block.__exit__(*exception)


def remat(f: Callable) -> Callable:
    """A function that computes its inner values again for gradients, instead of keeping them: less memory, more time.

    Args:
        f: the function, which may call layers. Its result and its gradients stay the same.

    Returns:
        A function of the same arguments.

    See Chen et al. 2016, "Training deep nets with sublinear memory cost", https://arxiv.org/abs/1604.06174.

    >>> float(remat(lambda x: x**2)(jnp.array(3.0)))
    9.0
    """

    @functools.wraps(f)
    def run(*args, **kwargs):
        leaves, tree = jax.tree.flatten(keep((args, kwargs)))
        places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, (jax.Array, Variable))]
        written: list[Variable] = []

        def pure(arrays):
            filled = list(leaves)
            for place, array in zip(places, arrays):
                filled[place] = array
            inner_args, inner_kwargs = unkeep(jax.tree.unflatten(tree, filled))
            with Scope() as scope:
                result = keep(f(*inner_args, **inner_kwargs))
                written[:] = scope.written
                return result, [scope.values[v] for v in written]

        result, values = jax.checkpoint(pure)([leaves[place] for place in places])
        _assign_all(written, values)
        return unkeep(result)

    return run


def _assign_all(variables: Iterable, values: Iterable) -> None:
    for variable, value in zip(variables, values):
        variable.assign(value)
