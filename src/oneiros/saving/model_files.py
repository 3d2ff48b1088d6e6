"""Whole models in files: architecture, weights, compile arguments and optimizer state."""

import json
import warnings
from typing import Any

from ..core import behaviour, safety
from ..core.errors import CorruptFileError, InputDataError
from ..core.registry import CustomObjectScope
from ..layers.base import weight_budget
from . import architecture
from .architecture import make_model, model_to_yaml, serialize_model
from .compilation import (
    compile_arguments,
    compile_config,
    load_optimizer_weights,
    save_optimizer_weights,
    training_config,
)
from .conversion import with_stored_names
from .keras_archive import (
    build_as,
    compile_as,
    described,
    is_archive,
    load_archive,
    load_archived_weights,
    save_archive,
)
from .layouts import flat_layers, weights_group
from .safe_hdf5 import check_seal, declared_bytes, has, making, reading, seal, source_name, text, writing
from .serialization import FORMAT_VERSION, dumps, parse
from .weights import (
    check_target,
    load_weights_file,
    load_weights_from_hdf5_group,
    may_overwrite,
    save_weights,
    save_weights_to_hdf5_group,
)

_SPARE_BYTES = 64 << 20  # weights that a model may have beyond what its file holds


def save_model(
    model: Any, filepath: Any, overwrite: bool = True, include_optimizer: bool = True, zipped: Any = None, **kwargs
) -> None:
    """Writes a model to a file. A name that ends in ``.keras`` gives the format of Keras 3.

    A name that ends in ``.h5`` gives HDF5, which every version of Keras reads.

    The file holds the architecture, the weights, the arguments of `compile` and the state of the optimizer. It is
    replaced only when the new one is complete.

    Args:
        model: The model.
        filepath: A path that ends in .keras or .h5, a file that is open for writing bytes, or an open h5py group.
        overwrite: Whether to replace an existing file without asking the user.
        include_optimizer: Whether to store the arguments of `compile` and the optimizer's state.
        zipped: `False` writes the members of a ``.keras`` file into a folder.
        **kwargs: Arguments of other versions of Keras, if their values have no effect here.

    Raises:
        InputDataError: If the arguments ask for another kind of file.
        ValueError: If the architecture holds something that no file can store.

    >>> import os, tempfile
    >>> import oneiros as keras
    >>> path = os.path.join(tempfile.mkdtemp(), "model.h5")
    >>> save_model(keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)]), path)
    >>> os.path.exists(path)
    True
    """
    archive = behaviour.keras_archives and str(filepath).endswith(".keras")
    folder, open_file = zipped is False, hasattr(filepath, "write")
    if folder and archive:
        raise InputDataError(
            f"save_model: with zipped=False, a folder is written: {filepath!s} should not end in .keras."
        )
    archive = archive or folder or open_file
    if behaviour.save_needs_suffix:
        _check_save_format(kwargs, archive)
    check_target("save_model", None if archive else filepath, **kwargs)
    if not (folder or open_file or overwrite or may_overwrite(filepath)):
        return
    if archive:
        save_archive(model, filepath, include_optimizer, zipped=not folder)
        return
    described_as, backend = with_stored_names(dumps(serialize_model(model)))  # complains before a file is touched
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
        file.attrs["model_config"] = described_as
        save_weights_to_hdf5_group(file.create_group("model_weights"), model)
        if training is not None:
            file.attrs["training_config"] = training
            save_optimizer_weights(file, model)
        seal(file)


def _check_save_format(options, archive):
    """Takes Keras 2's argument `save_format` out of the options, with a warning; the file's name says it."""
    if "save_format" not in options:
        return
    given = options.pop("save_format") if archive else options["save_format"]
    if given not in (("keras",) if archive else ("h5", "hdf5", None)):
        raise InputDataError(
            f"save_model: save_format={given!r} is not supported: the `save_format` argument is deprecated. Leave it "
            "out, and use a name that ends in .keras or .h5."
        )
    warnings.warn("The `save_format` argument is deprecated: the file's name says the format. Leave it out.")


def load_model(
    filepath: Any, custom_objects: dict | None = None, compile: bool = True, safe_mode: bool | None = True
) -> Any:
    """Reads a model from a file that any version of Keras wrote (.keras or HDF5), and compiles it as it was.

    Args:
        filepath: A path, or an open h5py group.
        custom_objects: A dictionary from names to your own classes and functions.
        compile: Whether to compile the model, if the file says how.
        safe_mode: Whether to refuse Lambda layers, which hold Python code, unless you called
            `enable_unsafe_deserialization`.

    Returns:
        The model.

    Raises:
        CorruptFileError: If the file is damaged or incomplete.
        UnsafeModelError: If the file names unknown classes, holds code, or refers to other files.
        LimitExceededError: If reading it would take far more time or memory than its size justifies.

    >>> import os, tempfile
    >>> import oneiros as keras
    >>> path = os.path.join(tempfile.mkdtemp(), "model.h5")
    >>> keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)]).save(path)
    >>> load_model(path, compile=False).count_params()
    8
    """
    if is_archive(filepath):
        return load_archive(filepath, custom_objects, compile, safe_mode)
    with (
        reading(filepath) as file,
        CustomObjectScope(custom_objects),
        safety.loading(False if safe_mode is False else None),
    ):
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


def load_weights(
    model: Any, filepath: Any, by_name: bool = False, skip_mismatch: bool = False, reshape: bool = False, **kwargs
) -> None:
    """Sets a model's weights from a file of any version of Keras: all of them, or none if something does not fit.

    Args:
        model: A model that is built.
        filepath: A path, or an open h5py group.
        by_name: Whether to match layers by name. Layers without a match are not changed.
        skip_mismatch: Whether to skip layers that do not fit, with a warning.
        reshape: Whether the kernel of a convolution may be reshaped to one of the same size.
        **kwargs: `objects_to_skip`, a list of layers; and arguments of other versions of Keras, if their values have
            no effect here.

    Raises:
        CorruptFileError: If the file is damaged or does not fit the model. The message compares both in a table.
        InputDataError: If the model has no weights yet, or the file is of another kind.
        UnsafeModelError: If the file refers to other files.
        LimitExceededError: If the file declares far more than it stores.
    """
    if not is_archive(filepath):
        load_weights_file(model, filepath, by_name, skip_mismatch, reshape, **kwargs)
    elif by_name or kwargs.get("objects_to_skip") is not None:
        name = "by_name" if by_name else "objects_to_skip"
        raise InputDataError(f"load_weights: {name} only supports loading files of weights (.h5), not {filepath!s}.")
    else:
        load_archived_weights(model, filepath, skip_mismatch)


def model_to_json(model: Any, **kwargs) -> str:
    """A model's architecture, without its weights, as JSON text, and how it is compiled.

    Args:
        model: The model.
        **kwargs: Arguments of `json.dumps`, for example ``indent=2``.
    """
    if not behaviour.keras3_json:
        return architecture.model_to_json(model, **kwargs)
    return json.dumps(json.loads(described(model)[0]), **kwargs)


def model_from_json(json_string: str, custom_objects: dict | None = None) -> Any:
    """A model with fresh weights from the JSON text that `to_json` returned, compiled as it was, if the text says how.

    Args:
        json_string: The text.
        custom_objects: A dictionary from names to your own classes and functions.

    Returns:
        The model.

    Raises:
        CorruptFileError: If the text is not JSON, or not the configuration of a model.
        LimitExceededError: If it is nested too deeply, or holds a number that is too large.
        UnsafeModelError: If it names classes that are neither this library's nor yours.

    >>> import oneiros as keras
    >>> model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)])
    >>> model_from_json(model.to_json()).count_params()
    8
    """
    source = "model_from_json"
    config = parse(json_string, source)
    model = make_model(config, source, custom_objects)
    if config.get("build_config") or config.get("compile_config"):
        with CustomObjectScope(custom_objects), making(source):
            build_as(model, config.get("build_config"))
            compile_as(model, config.get("compile_config"), source)
    return model


class Savable:
    """The methods of models that save and load.

    >>> import os, tempfile
    >>> import oneiros as keras
    >>> model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)])
    >>> path = os.path.join(tempfile.mkdtemp(), "weights.h5")
    >>> model.save_weights(path)
    >>> model.load_weights(path)
    """

    def save(
        self, filepath: Any, overwrite: bool = True, include_optimizer: bool = True, zipped: Any = None, **kwargs
    ) -> None:
        """Writes the model to an HDF5 file (.h5).

        Args:
            filepath: A path that ends in .h5, or an open h5py group.
            overwrite: Whether to replace an existing file without asking the user.
            include_optimizer: Whether to store the arguments of `compile` and the optimizer's state.
            zipped: Accepted; it has no effect.
            **kwargs: Arguments of other versions of Keras, if their values have no effect here.
        """
        save_model(self, filepath, overwrite, include_optimizer, zipped, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True, max_shard_size: Any = None, **kwargs) -> None:
        """Writes the weights to a file (.h5, .safetensors), which is replaced only when the new one is complete.

        Args:
            filepath: A path that ends in .h5 or .safetensors, or an open h5py group.
            overwrite: Whether to replace an existing file without asking the user.
            max_shard_size: The number of gigabytes that one file may hold. Then several files are written, and an
                index of them, ``.weights.json``.
            **kwargs: Arguments of other versions of Keras, if their values have no effect here.
        """
        save_weights(self, filepath, overwrite, max_shard_size, **kwargs)

    def load_weights(
        self, filepath: Any, by_name: bool = False, skip_mismatch: bool = False, reshape: bool = False, **kwargs
    ) -> None:
        """Sets the weights from a file: all of them, or none if something does not fit.

        Args:
            filepath: A path of a file of HDF5, of safetensors, of a whole model, or of the index of several files; or
                an open h5py group.
            by_name: Whether to match layers by name. Layers without a match are not changed.
            skip_mismatch: Whether to skip layers that do not fit, with a warning.
            reshape: Whether the kernel of a convolution may be reshaped to one of the same size.
            **kwargs: Arguments of other versions of Keras, if their values have no effect here.
        """
        load_weights(self, filepath, by_name, skip_mismatch, reshape, **kwargs)

    def to_json(self, **kwargs) -> str:
        """The architecture as JSON text, and how the model is compiled.

        Args:
            **kwargs: Arguments of `json.dumps`.
        """
        return model_to_json(self, **kwargs)

    def to_yaml(self, **kwargs) -> str:
        """The architecture as YAML text."""
        return model_to_yaml(self, **kwargs)

    def get_compile_config(self) -> dict | None:
        """The arguments of `compile` as plain data; `None` if the model is not compiled."""
        found = training_config if not behaviour.keras3_json else compile_config
        return None if getattr(self, "optimizer", None) is None else json.loads(dumps(found(self)))

    def compile_from_config(self, config: dict) -> None:
        """Compiles the model with the arguments that `get_compile_config` returned."""
        self.compile(**compile_arguments(config, "compile_from_config"))
