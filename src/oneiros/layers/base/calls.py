"""Calls of a layer: it is built for the first inputs, then computes on arrays, or is recorded on symbols."""

import functools
import inspect
import typing
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from ...core import Variable, behaviour, get_mask, has_symbol, phase, set_mask
from ...core.context import current, within
from ...core.errors import LimitExceededError
from ...core.scopes import remat
from ...core.structure import leaves, map_structure
from ...core.symbol import is_inferring, resolved, symbol_of
from ...core.traceback import tidy
from ...core.variable import Scope
from .. import mistakes
from ..input_spec import check_input
from .losses import Collected, penalize_activity
from .masks import mask_of, pass_mask_on, without_dropped_masks
from .nodes import record
from .shapes import shape_of
from .weights import memory_limit


@functools.cache
def _call_parameters(cls):
    return inspect.signature(cls.call).parameters


def building(build: Callable) -> Callable:
    """Wraps a class's `build`: it names weights after the layer, and does what every build needs at its end."""

    @functools.wraps(build)
    def wrapper(self, *shapes, **kwargs):
        layers = current().layers
        if layers and layers[-1] is self:  # called by a subclass's build
            return build(self, *shapes, **kwargs)
        self.note_path(layers)
        with within(layers=(*layers, self)):
            build(self, *shapes, **kwargs)
        self.built = True
        self._build_shape = shapes[0] if shapes else kwargs or None
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)
            self._initial_weights = None
        return None

    return wrapper


class LayerCalls:
    """The part of `Layer` that is called."""

    _build_shape = _initial_weights = None
    remat_scope = None  # the `RematScope` in which the layer was made

    def build(self, input_shape: typing.Any) -> None:
        """Makes the weights. Layers with weights write their own.

        Args:
            input_shape: the shape of the inputs with the batch axis, where unknown dimensions are `None`; a list or
                dictionary of shapes for several inputs.
        """
        self.built = True
        self._build_shape = input_shape

    def get_build_config(self) -> dict:
        """What `build_from_config` needs to make the weights again."""
        return {"input_shape": self._build_shape}

    def build_from_config(self, config: dict) -> None:
        """Makes the weights as they were made for another layer, from its `get_build_config`."""
        if config and not self.built:
            shape = config.get("input_shape", config)
            whole = isinstance(shape, list) and not any(isinstance(size, (list, tuple)) for size in shape)
            self.build(tuple(shape) if whole else shape)

    def call(self, inputs: typing.Any) -> typing.Any:
        """The computation: arrays in, arrays out. Layers write their own.

        Args:
            inputs: an array, or a structure of arrays. There may be more arguments. One called `training` says
                whether the call is one of training; one called `mask` gets the mask of the inputs.

        Returns:
            An array, or a structure of arrays.
        """
        return inputs

    def __call__(self, *args, **kwargs) -> typing.Any:
        try:
            try:
                if has_symbol(args) or has_symbol(kwargs):
                    args, kwargs = resolved((args, kwargs))
                elif behaviour.expressions_recorded and phase.is_building():
                    args, kwargs = map_structure(symbol_of, (args, kwargs))
                if has_symbol(args) or has_symbol(kwargs):
                    self.build_for_call(args, kwargs)
                    return record(self, args, kwargs)
                return self._run(args, kwargs)
            except Exception as error:
                mistakes.explain_call(self, args, kwargs, current().layers, error)
                raise
        except BaseException as error:
            tidy(error)
            raise

    def stateless_call(
        self,
        trainable_variables: Sequence,
        non_trainable_variables: Sequence,
        *args,
        return_losses: bool = False,
        **kwargs,
    ) -> tuple:
        """Calls the layer with given values for its weights; the weights themselves stay as they are.

        Args:
            trainable_variables: values for the layer's `trainable_variables`.
            non_trainable_variables: values for its `non_trainable_variables`.
            *args: what the layer is called on.
            return_losses: whether the layer's losses are returned too.
            **kwargs: keyword arguments of the call.

        Returns:
            A tuple of the outputs and the new values of the non-trainable variables, and of the losses if asked for.
        """
        others = self.non_trainable_variables
        values = [*zip(self.trainable_variables, trainable_variables), *zip(others, non_trainable_variables)]
        with Scope(values) as scope:
            outputs = self(*args, **kwargs)
            new_values = [scope.values[v] for v in others]
            return (outputs, new_values, self.losses) if return_losses else (outputs, new_values)

    def build_for_call(self, args: tuple, kwargs: dict) -> None:
        """Checks the inputs of a call against `input_spec`, and builds the layer for them if it is not built yet.

        Args:
            args: the positional arguments of the call.
            kwargs: its keyword arguments.
        """
        inputs = args[0] if args else next(iter(kwargs.values()), None)
        if self.input_spec is not None:
            check_input(self, inputs)
        if self.built and self.path is not None:
            return
        self.note_path(current().layers)
        if self.built:  # from the start, as there is nothing to make
            self._build_shape = shape_of(inputs)
            return
        wanted = inspect.signature(self.build).parameters
        named = dict(zip(_call_parameters(type(self)), [None, *args])) | kwargs
        shapes = {f"{name}_shape": shape_of(value) for name, value in named.items()}
        needed = {name for name, parameter in wanted.items() if parameter.default is parameter.empty}
        if len(wanted) > 1 and needed <= set(shapes):
            self.build(**{name: shapes[name] for name in wanted if name in shapes})
        else:
            self.build(shape_of(inputs))
        self.built = True
        if self.input_spec is not None:
            check_input(self, inputs)

    def _run(self, args, kwargs):
        """A call on arrays: settles the arguments `mask` and `training`."""
        args = tuple(np.asarray(a) if _is_numbers(a) else a for a in args)
        args, kwargs = map_structure(self._to_compute_dtype, (args, kwargs))
        self.build_for_call(args, kwargs)
        parameters = _call_parameters(type(self))
        mask = mask_of(args[0]) if args else None
        if "mask" in parameters:
            if mask is not None and kwargs.get("mask") is None and len(args) < 2:
                kwargs["mask"] = mask
            mask = kwargs.get("mask", mask)
        training = kwargs.get("training")
        if training is None:
            training = phase.current()
            if training is None and "training" in parameters and isinstance(parameters["training"].default, bool):
                training = parameters["training"].default
        if "training" in parameters:
            kwargs["training"] = bool(training) if training is None else training
        elif "training" in kwargs and not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            del kwargs["training"]
        return self._run_in_context(args, kwargs, mask, training)

    def _run_in_context(self, args, kwargs, mask, training):
        """Calls `call` in its circumstances, and finishes what it leaves: losses, masks, updates."""
        around = current()
        collected = around.collected or Collected()
        with within(
            training=None if training is None else bool(training),
            calling=True,
            dtype=self.compute_dtype if self.compute_dtype != self.variable_dtype else None,
            defers_updates=behaviour.deferred_updates,
            drops_updates=around.drops_updates or _is_frozen(self),
            layers=(*around.layers, self),
            collected=collected,
        ):
            call = self.call if self.quantization_mode is None else self.quantized_call
            outputs = (call if self.remat_scope is None else self._in_remat_scope(call, args, kwargs))(*args, **kwargs)
            if "updates" in vars(self):  # as layers for Keras 1 set it
                self.add_update(list(self.updates))
            if not isinstance(outputs, jax.Array):
                if behaviour.calls_use_outer_symbols:
                    outputs = resolved(outputs, inside=True)
                mistakes.check_outputs(self, outputs)
            if self.activity_regularizer is not None:
                penalize_activity(self, outputs)
            pass_mask_on(self, args, outputs, mask)
            _check_size(self, outputs)
        if around.collected is None:
            self.call_losses = collected.losses
            if around.loss_log is not None:
                around.loss_log.extend(collected.losses)
            if training:
                for variable, value in collected.updates:
                    variable.assign(value)
        return without_dropped_masks(self, args, outputs, mask)

    def symbolic_call(self, *args, **kwargs) -> typing.Any:
        """The outputs for symbols, as symbols; `compute_output_spec` under its name for operations."""
        return self.compute_output_spec(*args, **kwargs)

    def rematerialized_call(self, layer_call: Callable, *args, **kwargs) -> Callable:
        """A function like `layer_call` that computes its inner values again for gradients, instead of keeping them.

        Args:
            layer_call: the function; the layer's own `call` if a `RematScope` asks for it.
            *args: what it is called on.
            **kwargs: its keyword arguments.
        """
        variables = []

        def run(*args, **kwargs):
            inner = Collected()
            with within(collected=inner):
                outputs = layer_call(*args, **kwargs)
            variables[:] = [variable for variable, _ in inner.updates]
            return outputs, inner.losses, [value for _, value in inner.updates]

        def call(*args, **kwargs):
            outputs, losses, values = remat(run)(*args, **kwargs)
            collected = current().collected
            if collected is not None:
                collected.losses.extend(losses)
                collected.updates.extend(zip(variables, values))
            return outputs

        return call

    def _in_remat_scope(self, call, args, kwargs):
        """A call, or what computes its inner values again if the `RematScope` asks for it."""
        shape = None
        if self.remat_scope.mode == "larger_than":

            def outputs():
                with Scope(), within(collected=Collected()):
                    return leaves(call(*args, **kwargs))[0]

            shape = jax.eval_shape(outputs).shape
        taken = self.remat_scope.takes(self.name, shape, getattr(self, "activation", None) is not None)
        return self.rematerialized_call(call, *args, **kwargs) if taken else call

    def _to_compute_dtype(self, x):
        if isinstance(x, Variable):
            x = x.value
        elif isinstance(x, (np.ndarray, np.generic)) and not (self.takes_strings and x.dtype.kind in "USO"):
            x = jnp.asarray(x)
        floating = self.autocast and isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jnp.floating)
        if floating and x.dtype != self.compute_dtype:
            cast = x.astype(self.compute_dtype)
            set_mask(cast, get_mask(x))
            return cast
        return x


def _is_numbers(x):
    """Whether this is a nested list of plain numbers: data, not several tensors."""
    return isinstance(x, list) and all(isinstance(leaf, (int, float, bool)) for leaf in leaves(x)) and x != []


def _is_frozen(layer):
    """Whether training changes nothing in this layer. States that are kept from batch to batch still change."""
    return behaviour.frozen_updates_dropped and not (layer.trainable or layer.stateful)


def _check_size(layer, outputs):
    """Complains about outputs for which there is no memory, before compiled code asks for it."""
    for output in () if is_inferring() else leaves(outputs):
        if isinstance(output, jax.core.Tracer) and output.size * output.dtype.itemsize > memory_limit():
            raise LimitExceededError(
                f"Layer {layer.name} ({type(layer).__name__}): the output of shape {output.shape} needs "
                f"{output.size * output.dtype.itemsize / 1e9:.0f} GB; this machine has {memory_limit() / 1e9:.1f} "
                "GB. Reduce the batch size, or the layer."
            )
