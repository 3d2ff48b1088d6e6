"""Whole models in HDF5 files: architecture, weights, compile arguments and optimizer state."""

import json
import warnings

from ..core import safety
from ..core.errors import CorruptFileError
from ..core.registry import CustomObjectScope
from ..layers.base import weight_budget
from .architecture import make_model, model_to_json, model_to_yaml, serialize_model
from .compilation import compile_arguments, load_optimizer_weights, save_optimizer_weights, training_config
from .conversion import with_stored_names
from .layouts import flat_layers, weights_group
from .safe_hdf5 import check_seal, declared_bytes, has, making, reading, seal, source_name, text, writing
from .serialization import FORMAT_VERSION, dumps, parse
from .weights import (
    check_source,
    check_target,
    load_weights,
    load_weights_from_hdf5_group,
    may_overwrite,
    save_weights,
    save_weights_to_hdf5_group,
)

_SPARE_BYTES = 64 << 20  # weights that a model may have beyond what its file holds


def save_model(model, filepath, overwrite=True, include_optimizer=True, zipped=None, **kwargs):
    """Writes a model to an HDF5 file: architecture, weights, compile arguments and optimizer. Every Keras reads it.

    The file appears complete or not at all; an old one stays until then.

    Args:
        model: the model.
        filepath: a path that ends in .h5, or an open h5py group.
        overwrite: whether to replace a file that exists without asking the user.
        include_optimizer: whether to store the compile arguments and the optimizer's state.
        zipped: has no effect.
        kwargs: arguments of other versions of Keras, with values that have no effect here.

    Raises:
        InputDataError: the arguments ask for another kind of file.
        ValueError: the architecture holds something that no file can.
    """
    check_target("save_model", filepath, zipped=zipped, **kwargs)
    if not (overwrite or may_overwrite(filepath)):
        return
    architecture, backend = with_stored_names(dumps(serialize_model(model)))  # complains before a file is touched
    training = None
    if include_optimizer:
        try:
            training = training_config(model)
            training = None if training is None else dumps(training)
        except (TypeError, ValueError, NotImplementedError, AttributeError) as error:
            training = None
            warnings.warn(f"The compile arguments of model {model.name} are not stored, they cannot be: {error}")
    with writing(filepath) as file:
        file.attrs["keras_version"] = FORMAT_VERSION
        file.attrs["backend"] = backend
        file.attrs["model_config"] = architecture
        save_weights_to_hdf5_group(file.create_group("model_weights"), model)
        if training is not None:
            file.attrs["training_config"] = training
            save_optimizer_weights(file, model)
        seal(file)


def load_model(filepath, custom_objects=None, compile=True, safe_mode=None):
    """The model in an HDF5 file that any Keras wrote, compiled as it was.

    Args:
        filepath: a path, or an open h5py group.
        custom_objects: your own classes and functions by name.
        compile: whether to compile the model, if the file says how.
        safe_mode: ``True`` (the default, unless you consented before) refuses Lambda layers, which hold Python code.

    Returns:
        The model.

    Raises:
        CorruptFileError: the file is damaged or incomplete.
        UnsafeModelError: it names classes that are neither this library's nor yours, holds code, or links elsewhere.
        LimitExceededError: it would take far more time or memory than a file of its size should.

    >>> import os, tempfile
    >>> import oneiros as keras
    >>> path = os.path.join(tempfile.mkdtemp(), "model.h5")
    >>> keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)]).save(path)
    >>> load_model(path, compile=False).count_params()
    8
    """
    check_source(filepath)
    with reading(filepath) as file, CustomObjectScope(custom_objects), safety.loading(safe_mode):
        source = source_name(filepath)
        stored = text(file, "model_config")
        if stored is None:
            raise CorruptFileError(
                f"{source}: no model configuration found: the file holds weights only. Build the model and use "
                "model.load_weights(...)."
            )
        version, backend = text(file, "keras_version") or "1", text(file, "backend")
        with weight_budget(_SPARE_BYTES + 2 * declared_bytes(file)), making(source):
            model = make_model(parse(stored, source), source, keras_version=version, backend=backend)
            if not isinstance(model, Savable):
                raise CorruptFileError(
                    f"{source}: the configuration is not that of a model, but of {type(model).__name__}."
                )
        weights = weights_group(file)
        if model.weights:
            load_weights_from_hdf5_group(weights, model)
        elif any(stored.datasets for stored in flat_layers(weights)):
            raise CorruptFileError(
                f"{source}: the configuration does not say the shape of the input, so the model cannot be built "
                "to take the stored weights. Make the model from its program, call it on data, and use load_weights()."
            )
        if compile:
            _compile(model, file, source)
        check_seal(file)
    return model


def _compile(model, file, source):
    stored = text(file, "training_config")
    if stored is None:
        if not has(file, "optimizer_weights"):
            warnings.warn("No training configuration found in the save file: the model was not compiled. Compile it.")
        return
    try:
        model.compile(**compile_arguments(parse(stored, source), source))
    except Exception as error:
        warnings.warn(
            f"{source}: the model is loaded but not compiled, for what was given to compile() cannot be made again: "
            f"{error} Compile it, or pass custom_objects."
        )
        return
    load_optimizer_weights(file, model)


class Savable:
    """The methods of models that save and load."""

    def save(self, filepath, overwrite=True, include_optimizer=True, zipped=None, **kwargs):
        """Writes the model to an HDF5 file (.h5). The arguments are those of `save_model`."""
        save_model(self, filepath, overwrite, include_optimizer, zipped, **kwargs)

    def save_weights(self, filepath, overwrite=True, max_shard_size=None, **kwargs):
        """Writes the weights to an HDF5 file (.h5), whole or not at all. The arguments are those of `save_weights`."""
        save_weights(self, filepath, overwrite, max_shard_size, **kwargs)

    def load_weights(self, filepath, by_name=False, skip_mismatch=False, reshape=False, **kwargs):
        """Sets the weights from an HDF5 file: all, or none if something does not fit.

        Args:
            filepath: a path, or an open h5py group.
            by_name: whether to match layers by name, and leave the others alone.
            skip_mismatch: whether to leave layers that do not fit as they are, with a warning.
            reshape: whether the kernel of a convolution may be reshaped to one of the same size.
            kwargs: arguments of other versions of Keras, with values that have no effect here.
        """
        load_weights(self, filepath, by_name, skip_mismatch, reshape, **kwargs)

    def to_json(self, **kwargs):
        """The architecture as JSON text; `kwargs` are arguments of `json.dumps`."""
        return model_to_json(self, **kwargs)

    def to_yaml(self, **kwargs):
        """The architecture as YAML text."""
        return model_to_yaml(self, **kwargs)

    def get_compile_config(self):
        """The arguments of `compile` as plain data; ``None`` if the model is not compiled."""
        config = training_config(self)
        return None if config is None else json.loads(dumps(config))

    def compile_from_config(self, config):
        """Compiles the model with the arguments that `get_compile_config` returned."""
        self.compile(**compile_arguments(config, "compile_from_config"))
