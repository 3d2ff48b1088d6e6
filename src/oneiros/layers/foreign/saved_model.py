"""SavedModels of TensorFlow as layers."""

import importlib
import os
from typing import Any

import jax
import jax.numpy as jnp

from ...core import safety
from ...core.errors import UnsafeModelError
from ...core.structure import leaves, map_structure, pack
from ..base import Layer
from .host_function import host_function


def _tensorflow():
    try:
        return importlib.import_module("tensorflow")
    except ImportError:
        raise ImportError(
            "TFSMLayer needs TensorFlow, which is not installed: pip install tensorflow. Or load the model's .keras or "
            ".h5 file, which needs no TensorFlow."
        ) from None


class TFSMLayer(Layer):
    """Makes a layer of an endpoint of a SavedModel, for inference and for training.

    The endpoint is computed by TensorFlow, forward and backward; compiled code calls it and waits. The SavedModel's
    variables become weights of the layer.

    To load a SavedModel may run any code that it holds, so that files which name one are only read with
    ``load_model(..., safe_mode=False)``.

    Shapes: those of the endpoint.

    Args:
        filepath: the folder of the SavedModel.
        call_endpoint: the name of the endpoint, a function or signature of the SavedModel.
        call_training_endpoint: the name of the endpoint for training, if it is another one.
        trainable: whether training changes the weights.
        name: the layer's name.
        dtype: the type of inputs and results.

    Raises:
        ImportError: if TensorFlow is not installed.
        ValueError: if there is no such endpoint.

    >>> layer = TFSMLayer("exported_model", call_endpoint="serve")  # doctest: +SKIP
    """

    def __init__(
        self,
        filepath: str,
        call_endpoint: str = "serve",
        call_training_endpoint: str | None = None,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
    ):
        tf = _tensorflow()
        super().__init__(trainable=trainable, name=name, dtype=dtype)
        self.filepath = os.fspath(filepath)
        self.call_endpoint, self.call_training_endpoint = call_endpoint, call_training_endpoint
        self._model = tf.saved_model.load(self.filepath)
        self._inference = self._endpoint(call_endpoint)
        self._training = self._endpoint(call_training_endpoint) if call_training_endpoint else self._inference
        self._theirs, self._ours = [], []
        trained = {id(v) for v in getattr(self._model, "trainable_variables", None) or self._of_endpoints("trainable_")}
        for variable in getattr(self._model, "variables", None) or self._of_endpoints(""):
            self._theirs.append(variable)
            self._ours.append(self._weight(variable.name.split(":")[0], variable.numpy(), id(variable) in trained))

    untracked_attributes = Layer.untracked_attributes | {"_model", "_inference", "_training", "_theirs"}

    def _endpoint(self, name):
        signatures = getattr(self._model, "signatures", {})
        if name in signatures:
            return signatures[name]
        if callable(getattr(self._model, name, None)):
            return getattr(self._model, name)
        raise ValueError(
            f"TFSMLayer: The endpoint '{name}' is neither an attribute nor a signature of the SavedModel in "
            f"{self.filepath}. Its signatures are: {list(signatures)}."
        )

    def _of_endpoints(self, kind):
        functions = [
            concrete
            for function in (self._inference, self._training)
            for concrete in getattr(function, "concrete_functions", None) or [function]
        ]
        found = [v for function in functions for v in getattr(function, f"{kind}variables", ())]
        return list({id(v): v for v in found}.values())

    def _weight(self, name, value, trainable):
        def initial(shape, dtype=None):
            return jnp.asarray(value)

        dtype = str(jnp.asarray(value).dtype)
        return self.add_weight(name=name, shape=value.shape, dtype=dtype, initializer=initial, trainable=trainable)

    def call(self, inputs: Any, training: bool = False) -> Any:
        tf = _tensorflow()
        endpoint = self._training if training else self._inference
        flat = leaves(inputs)
        numbers = iter(range(len(flat)))
        form = map_structure(lambda _: next(numbers), inputs)
        specs, outer = self._outputs(tf, endpoint, inputs)

        def compute(values):
            tensors = list(map(tf.constant, values[len(self._theirs) :]))
            for variable, value in zip(self._theirs, values):
                variable.assign(value)
            return tensors, lambda: _called(endpoint, pack(form, tensors))

        def forward(values, constants):
            _, run = compute(values)
            outputs = run()
            return [x.numpy() for x in (*tf.nest.flatten(outputs), *self._theirs)]

        def backward(values, constants, cotangents):
            tensors, run = compute(values)
            with tf.GradientTape() as tape:
                tape.watch([x for x in tensors if x.dtype.is_floating])
                outputs = tf.nest.flatten(run())
            given = [tf.constant(c) for c in cotangents[: len(outputs)]]
            found = tape.gradient(outputs, [*self._theirs, *tensors], given, unconnected_gradients="zero")
            return [tf.convert_to_tensor(g).numpy() for g in found]

        states = [jax.ShapeDtypeStruct(v.shape, v.dtype) for v in self._ours]
        values = [*(v.raw for v in self._ours), *map(jnp.asarray, flat)]
        found = host_function(forward, backward, [*specs, *states])(values, [])
        if training:
            for variable, value in zip(self._ours, found[len(specs) :]):
                if not variable.trainable:
                    variable.assign(jax.lax.stop_gradient(value))
        return pack(outer, found[: len(specs)])

    def _outputs(self, tf, endpoint, inputs):
        """The shapes and types of the outputs, and their structure, from a trace of the endpoint."""
        given = map_structure(lambda x: tf.TensorSpec(x.shape, str(x.dtype)), inputs)
        function = tf.function(lambda x: _called(endpoint, x)).get_concrete_function(given)
        flat = tf.nest.flatten(function.structured_outputs)
        if not all(x.shape.is_fully_defined() for x in flat):
            zeros = map_structure(lambda x: tf.zeros(x.shape, str(x.dtype)), inputs)
            flat = tf.nest.flatten(function(zeros))
        numbers = iter(range(len(flat)))
        specs = [jax.ShapeDtypeStruct(tuple(x.shape), jnp.zeros((), x.dtype.name).dtype) for x in flat]
        return specs, tf.nest.map_structure(lambda _: next(numbers), function.structured_outputs)

    def get_config(self) -> dict:
        return {
            "filepath": self.filepath,
            "call_endpoint": self.call_endpoint,
            "call_training_endpoint": self.call_training_endpoint,
            "trainable": self.trainable,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }

    @classmethod
    def from_config(cls, config: dict, safe_mode: bool | None = None) -> "TFSMLayer":
        """A new layer from what `get_config` returned.

        Args:
            config: the configuration.
            safe_mode: `False` allows the SavedModel to be loaded.

        Raises:
            UnsafeModelError: if nobody allowed that.
        """
        with safety.loading(safe_mode):
            if safety.in_safe_mode():
                raise UnsafeModelError(
                    "TFSMLayer: to load a SavedModel can run any code (arbitrary code execution). It is not loaded. If "
                    f"you trust its source, allow it: {safety.CONSENT}."
                )
        return cls(**config)


def _called(endpoint, inputs):
    """Calls a function or a signature, which takes its only input by name."""
    names = getattr(endpoint, "structured_input_signature", None)
    if names is not None and not names[0] and names[1]:
        given = inputs if isinstance(inputs, dict) else dict(zip(names[1], leaves(inputs)))
        return endpoint(**given)
    return endpoint(inputs)
