"""Names of `keras.engine` and `keras.models` that are elsewhere, or called otherwise, today."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .. import layers, models
from ..core import Node, get_mask
from ..core.lazy import LazyModule
from ..layers.input_layer import get_source_inputs as get_source_inputs  # it belongs to this module's names
from ..layers.input_spec import check_input
from ..saving import weights
from .generators import GeneratorMethods

K = LazyModule(f"{__package__}.backend")

Container = Network = Functional = models.Model
Node = Node
InputLayer, InputSpec, Input, Layer = layers.InputLayer, layers.InputSpec, layers.Input, layers.Layer
TensorFlowOpLayer = TFOpLambda = layers.Lambda


def to_list(x: Any, allow_tuple: bool = False) -> Any:
    """A list stays one; anything else becomes a list of itself."""
    if isinstance(x, list):
        return x
    return list(x) if allow_tuple and isinstance(x, tuple) else [x]


def unpack_singleton(x: Any) -> Any:
    return x[0] if len(x) == 1 else x


def object_list_uid(object_list: Any) -> str:
    return ", ".join(str(id(x)) for x in to_list(object_list))


def legacy_sequential_layers(model: Any) -> Any:
    """The layers of a Sequential, as Keras 1 listed them."""
    return model.layers


def needs_legacy_support(model: Any) -> bool:
    """Whether a Sequential begins with a Merge layer."""
    return bool(model.layers) and type(model.layers[0]).__name__ == "Merge"


class _LayerMethods:
    """Methods that layers had in Keras 1 and 2."""

    def get_output_shape_for(self, input_shape):
        return self.compute_output_shape(input_shape)

    def create_input_layer(self, batch_input_shape, input_dtype=None, name=None):
        """Calls the layer on a new input of this shape."""
        self(layers.Input(batch_shape=batch_input_shape, dtype=input_dtype, name=name or f"{self.name}_input"))

    def assert_input_compatibility(self, inputs):
        check_input(self, inputs)

    @property
    def regularizers(self):
        return [v.regularizer for v in self.weights if v.regularizer is not None]

    @property
    def constraints(self):
        return {v: v.constraint for v in self.weights if v.constraint is not None}


class _ModelMethods:
    """Methods that models had in Keras 1 and 2."""

    def save_weights_to_hdf5_group(self, f):
        weights.save_weights_to_hdf5_group(f, self)

    def load_weights_from_hdf5_group(self, f):
        weights.load_weights_from_hdf5_group(f, self)

    def load_weights_from_hdf5_group_by_name(self, f):
        weights.load_weights_from_hdf5_group_by_name(f, self)

    def run_internal_graph(self, inputs, masks=None):
        """The outputs, their masks and their shapes, for a list of inputs."""
        outputs = to_list(self.call(inputs, mask=masks), allow_tuple=True)
        return outputs, [get_mask(x) for x in outputs], [tuple(x.shape) for x in outputs]


class _SequentialMethods:
    """Methods that Sequential had in Keras 1 and 2."""

    @property
    def flattened_layers(self):
        return [inner for layer in self.layers for inner in getattr(layer, "flattened_layers", [layer])]

    def legacy_get_config(self):
        return self.get_config()["layers"]

    @classmethod
    def legacy_from_config(cls, config, layer_cache=None):
        return cls.from_config(config)


def add_methods() -> None:
    """Gives layers and models the methods that only older generations had."""
    for cls, methods in (
        (Layer, _LayerMethods),
        (models.Model, _ModelMethods),
        (models.Model, GeneratorMethods),
        (models.Sequential, _SequentialMethods),
    ):
        for name, method in vars(methods).items():
            if not name.startswith("__") and not hasattr(cls, name):
                setattr(cls, name, method)


# --- keras.engine.training: what its functions do to lists of arrays


def make_batches(size: int, batch_size: int) -> list:
    """The first and last index of each batch: ``[(0, 32), (32, 64), ...]``."""
    return [(start, min(size, start + batch_size)) for start in range(0, size, batch_size)]


def slice_arrays(arrays: Any, start: Any = None, stop: int | None = None) -> Any:
    """A slice, or the rows at a list of indices, of an array or of each of several; ``None`` stays."""
    if arrays is None:
        return [None]
    if isinstance(arrays, (list, tuple)):
        return [None if x is None else _sliced(x, start, stop) for x in arrays]
    return _sliced(arrays, start, stop)


def _sliced(arrays, start, stop):
    if hasattr(start, "__len__"):
        return np.asarray(arrays)[np.asarray(start)]
    return arrays[start:stop]


def batch_shuffle(index_array: Any, batch_size: int) -> Any:
    """Shuffles whole batches, so that the rows of a batch stay neighbours; the short rest stays at the end."""
    count = len(index_array) // batch_size
    rest = index_array[count * batch_size :]
    batches = np.asarray(index_array[: count * batch_size]).reshape(count, batch_size)
    np.random.shuffle(batches)
    return np.append(batches.ravel(), rest)


def check_num_samples(
    ins: Any, batch_size: int | None = None, steps: int | None = None, steps_name: str = "steps"
) -> int | None:
    if steps is not None:
        if batch_size is not None:
            raise ValueError(f"If {steps_name} is set, batch_size must be None. Received: batch_size={batch_size}")
        return None
    return int(np.shape(ins[0])[0])


def check_array_lengths(inputs: Any, targets: Any, weights: Any = None) -> None:
    """Raises ValueError unless all arrays have the same number of rows."""
    groups = {
        name: {0 if x is None else len(x) for x in to_list([None] if arrays is None else arrays)}
        for name, arrays in (("input", inputs), ("target", targets), ("sample_weight", weights))
    }
    for name, lengths in groups.items():
        if len(lengths) > 1:
            raise ValueError(f"All {name} arrays should have the same number of samples. Received: {sorted(lengths)}")
    if len(set().union(*groups.values())) > 1:
        found = ", ".join(f"{name}: {next(iter(lengths))}" for name, lengths in groups.items() if lengths)
        raise ValueError(f"Input, target and sample_weight arrays should have the same number of samples. {found}.")


def standardize_input_data(
    data: Any, names: Iterable[str], shapes: Any = None, check_batch_axis: bool = True, exception_prefix: str = ""
) -> Any:
    """A list of arrays in the order of `names`, from an array, a list or a dictionary; shapes are checked."""
    if not names:
        return []
    if data is None:
        return [None] * len(names)
    if isinstance(data, dict):
        missing = [name for name in names if name not in data]
        if missing:
            raise ValueError(f"No data provided for {missing[0]!r}. Need data for each of: {list(names)}")
        arrays = [data[name] for name in names]
    elif isinstance(data, (list, tuple)) and (len(names) > 1 or hasattr(data[0], "shape")):
        arrays = list(data)
    else:
        arrays = [data]
    if len(arrays) != len(names):
        raise ValueError(
            f"Error when checking model {exception_prefix}: expected {len(names)} arrays ({', '.join(names)}). "
            f"Received: {len(arrays)}."
        )
    arrays = [x if hasattr(x, "shape") else np.asarray(x) for x in arrays]
    arrays = [x[:, None] if len(x.shape) == 1 else x for x in arrays]
    for name, array, shape in zip(names, arrays, shapes or []):
        if shape is None:
            continue
        start = 0 if check_batch_axis else 1
        same = all(want in (None, got) for want, got in zip(shape[start:], array.shape[start:]))
        if len(shape) != len(array.shape) or not same:
            raise ValueError(
                f"Error when checking {exception_prefix}: expected {name} to have shape {tuple(shape)} but got an "
                f"array with shape {tuple(array.shape)}."
            )
    return arrays


def standardize_sample_or_class_weights(x_weight: Any, output_names: Sequence[str], weight_type: str) -> Any:
    """A list with the weights of each output, from one, a list, or a dictionary by output."""
    if x_weight is None or len(x_weight) == 0:
        return [None] * len(output_names)
    if len(output_names) == 1:
        if isinstance(x_weight, list) and len(x_weight) == 1:
            return x_weight
        if isinstance(x_weight, dict) and output_names[0] in x_weight:
            return [x_weight[output_names[0]]]
        return [x_weight]
    if isinstance(x_weight, list) and len(x_weight) == len(output_names):
        return x_weight
    if isinstance(x_weight, dict):
        return [x_weight.get(name) for name in output_names]
    raise ValueError(
        f"The model has the outputs {list(output_names)}: {weight_type} must be a list with one entry each, or a "
        f"dictionary. Received: {type(x_weight).__name__}"
    )


def standardize_class_weights(class_weight: Any, output_names: Sequence[str]) -> Any:
    return standardize_sample_or_class_weights(class_weight, output_names, "class_weight")


def standardize_sample_weights(sample_weight: Any, output_names: Sequence[str]) -> Any:
    return standardize_sample_or_class_weights(sample_weight, output_names, "sample_weight")


def standardize_weights(
    y: Any, sample_weight: Any = None, class_weight: Any = None, sample_weight_mode: Any = None
) -> Any:
    """One weight for each row of `y` (each step of each row in the mode 'temporal')."""
    if sample_weight is not None:
        return np.asarray(sample_weight)
    if class_weight:
        classes = y.argmax(axis=1) if y.ndim > 1 and y.shape[1] > 1 else y.reshape(len(y)).astype(int)
        missing = set(classes.tolist()) - set(class_weight)
        if missing:
            raise ValueError(f"class_weight has no entry for the classes {sorted(missing)}.")
        return np.array([class_weight[c] for c in classes.tolist()], "float32")
    return np.ones(y.shape[:2] if sample_weight_mode == "temporal" else y.shape[:1], "float32")


def weighted_objective(fn: Callable) -> Callable:
    """`fn` as a function of (y_true, y_pred, weights, mask) that returns the weighted mean."""

    def weighted(y_true, y_pred, weights, mask=None):
        score = fn(y_true, y_pred)
        if mask is not None:
            mask = K.cast(mask, K.floatx())
            score = score * mask / K.mean(mask)
        if weights is not None:
            axes = list(range(K.ndim(weights), K.ndim(score)))
            score = (K.mean(score, axis=axes) if axes else score) * weights
            score = score / K.mean(K.cast(K.not_equal(weights, 0), K.floatx()))
        return K.mean(score)

    return weighted


def collect_metrics(metrics: Any, output_names: Sequence[str]) -> list:
    """The metrics of each output, from a list for all or a dictionary by output."""
    if not metrics:
        return [[] for _ in output_names]
    if isinstance(metrics, dict):
        return [to_list(metrics.get(name, [])) for name in output_names]
    if isinstance(metrics, list):
        return [list(metrics) for _ in output_names]
    raise TypeError(f"metrics: expected a list or a dictionary. Received: {metrics!r}")


def check_loss_and_target_compatibility(targets: Any, losses: Any, output_shapes: Any) -> None:
    """Raises ValueError where targets cannot belong to a loss or an output."""
    same_shape = ("mean_squared_error", "binary_crossentropy", "categorical_crossentropy")
    for y, loss, shape in zip(targets, losses, output_shapes):
        name = getattr(loss, "__name__", "")
        if name == "categorical_crossentropy" and y.shape[-1] == 1:
            raise ValueError(
                f"You are passing a target array of shape {y.shape} while using as loss `categorical_crossentropy`, "
                "which expects targets to be binary matrices of shape (samples, classes). Use "
                "to_categorical(y), or sparse_categorical_crossentropy."
            )
        if name in same_shape and any(want not in (None, got) for got, want in zip(y.shape[1:], shape[1:])):
            raise ValueError(
                f"A target array with shape {y.shape} was passed for an output of shape {shape} while using as loss "
                f"`{name}`. This loss expects targets to have the same shape as the output."
            )


slice_X = slice_arrays
weighted_masked_objective = weighted_objective
