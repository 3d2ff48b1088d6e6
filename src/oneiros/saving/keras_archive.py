"""Files in the format of Keras 3 (``.keras``): zip archives of architecture, weights and compile arguments.

``config.json`` holds the configuration of the model and what `compile` was given, ``model.weights.h5`` the weights and
the optimizer's state in the nested layout, ``metadata.json`` what wrote the file.
"""

import contextlib
import datetime
import json
import os
import stat
import tempfile
import warnings
import zipfile
import zlib
from typing import Any

from ..core import behaviour, safety
from ..core.context import within
from ..core.errors import CorruptFileError, InputDataError, LimitExceededError, UnsafeModelError
from ..core.registry import CustomObjectScope
from ..layers.base import weight_budget
from ..utils.archives import unpacked_limit
from ..utils.atomic import regular, replacing
from . import layouts, safe_hdf5
from .architecture import make_model, serialize_model
from .compilation import compile_arguments, compile_config
from .keras3 import written
from .optimizer_state import load_nested_optimizer, save_nested_optimizer
from .serialization import dumps, parse
from .weights import load_nested

VERSION = "3.15.1"  # of the Keras whose format is written
_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_SPARE_BYTES = 64 << 20  # weights that a model may have beyond what its file holds


def is_archive(filepath: Any) -> bool:
    """Whether a file is to be written, or was written, in the format of Keras 3.

    Args:
        filepath: a path, or anything else. A file that is there tells by what it begins with.
    """
    if not isinstance(filepath, (str, os.PathLike)):
        return False
    named = behaviour.keras_archives and os.fspath(filepath).endswith(".keras")
    if not os.path.isfile(filepath):
        return named
    with open(filepath, "rb") as file:
        return {b"PK": True, b"\x89H": False}.get(file.read(2), named)


# --- writing


def save_archive(model: Any, filepath: str | os.PathLike, include_optimizer: bool = True) -> None:
    """Writes a model to a file in the format of Keras 3. The file appears complete or not at all.

    Args:
        model: the model. If it has no weights yet, the file holds none.
        filepath: the path of the file.
        include_optimizer: whether to store the compile arguments and the optimizer's state.

    Raises:
        ValueError: the architecture holds something that no file can.
    """
    with within(keras3_format=True):
        config = written(serialize_model(model))
    config["build_config"] = model.get_build_config()
    compiled = include_optimizer and getattr(model, "optimizer", None) is not None
    if compiled:
        try:
            config["compile_config"] = json.loads(dumps(compile_config(model)))
        except (TypeError, ValueError, NotImplementedError, AttributeError) as error:
            compiled = False
            warnings.warn(f"The compile arguments of model {model.name} are not stored, they cannot be: {error}")
    metadata = {"keras_version": VERSION, "date_saved": f"{datetime.datetime.now():%Y-%m-%d@%H:%M:%S}"}
    text = dumps(config)  # complains before a file is touched
    with replacing(filepath) as part, zipfile.ZipFile(part, "w") as archive:
        archive.writestr(_METADATA, json.dumps(metadata))
        archive.writestr(_CONFIG, text)
        with _temporary_file(os.path.dirname(part)) as weights:
            with safe_hdf5.writing(weights) as file:
                layouts.write_nested(file, model)
                if compiled:
                    save_nested_optimizer(file, model)
            archive.write(weights, _WEIGHTS)


@contextlib.contextmanager
def _temporary_file(folder=None):
    """The path of a file for the weights, in a folder of its own, which is removed at the end."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".oneiros-") as inside:
        yield os.path.join(inside, _WEIGHTS)


# --- reading


def load_archive(
    filepath: str | os.PathLike, custom_objects: dict | None = None, compile: bool = True, safe_mode: bool | None = None
) -> Any:
    """The model in a file of Keras 3's format, compiled as it was. The arguments are those of `load_model`."""
    path = regular(filepath, "a .keras file")
    with _opened(path) as archive, CustomObjectScope(custom_objects), safety.loading(safe_mode):
        config = parse(archive.read(_CONFIG).decode("utf-8", "replace"), path)
        with _temporary_file() as weights, _naming(path, weights):
            _unpack(archive, weights)
            with safe_hdf5.reading(weights) as file:
                model = _made(config, path, safe_hdf5.declared_bytes(file))
                load_nested(file, model)
                if compile:
                    _compile(model, config.get("compile_config"), file, path)
    return model


def _made(config, path, size):
    """The model of a configuration, built as it was."""
    with weight_budget(_SPARE_BYTES + 2 * size), safe_hdf5.making(path):
        model = make_model(config, path)
        if not hasattr(model, "load_weights"):
            raise CorruptFileError(f"{path}: the configuration is not that of a model, but of {type(model).__name__}.")
        shapes = config.get("build_config")
        if isinstance(shapes, dict) and not model.weights and any(v is not None for v in shapes.values()):
            model.build_from_config(shapes)
    return model


def _compile(model, config, file, path):
    if not config:
        return
    try:
        config = dict(config)
        model.compile(**compile_arguments({"optimizer_config": config.pop("optimizer", None), **config}, path))
    except Exception as error:
        warnings.warn(
            f"{path}: the model is loaded but not compiled, for what was given to compile() cannot be made again: "
            f"{error} Compile it, or pass custom_objects."
        )
        return
    load_nested_optimizer(file, model)


def load_archived_weights(model: Any, filepath: str | os.PathLike, skip_mismatch: bool = False) -> None:
    """Sets a model's weights from a file of Keras 3's format."""
    path = regular(filepath, "a .keras file")
    with _opened(path) as archive, _temporary_file() as weights, _naming(path, weights):
        _unpack(archive, weights)
        with safe_hdf5.reading(weights) as file:
            load_nested(file, model, skip_mismatch=skip_mismatch)


@contextlib.contextmanager
def _opened(path):
    """The archive, if its members are what such a file has."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(path, archive.infolist())
            yield archive
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
        if isinstance(error, (CorruptFileError, LimitExceededError, UnsafeModelError)):
            raise
        raise CorruptFileError(
            f"{path}: not a .keras file, truncated or damaged ({error}). Make or fetch it again."
        ) from error


def _check_members(path, members):
    names = [member.filename for member in members]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise CorruptFileError(f"{path}: holds {twice[:80]!r} twice.")
    for member in members:
        name = member.filename
        kind = stat.S_IFMT(member.external_attr >> 16)
        if (
            name.startswith("/")
            or "\\" in name
            or ".." in name.split("/")
            or kind not in (0, stat.S_IFREG, stat.S_IFDIR)
        ):
            raise UnsafeModelError(f"{path}: the member {name[:80]!r} leads outside of the archive. It is not read.")
    missing = [name for name in (_CONFIG, _WEIGHTS) if name not in names]
    if missing:
        raise CorruptFileError(f"{path}: has no {missing[0]}, so it is not a .keras file. It may be incomplete.")
    total, size = sum(member.file_size for member in members), os.path.getsize(path)
    if total > unpacked_limit(size):
        raise LimitExceededError(f"{path}: unpacks to {total / 1e9:.1f} GB, the file has {size} bytes. It is not read.")


def _unpack(archive, target):
    """Writes the weights into a file of their own. The archive's checksum is checked on the way."""
    with archive.open(_WEIGHTS) as source, open(target, "wb") as file:
        left = archive.getinfo(_WEIGHTS).file_size
        while block := source.read(min(left + 1, 1 << 20)):
            left -= len(block)
            if left < 0:
                raise zipfile.BadZipFile("a member is larger than it says")
            file.write(block)


@contextlib.contextmanager
def _naming(path, weights):
    """Lets errors name the archive instead of the temporary file."""
    try:
        yield
    except (CorruptFileError, LimitExceededError, UnsafeModelError, InputDataError) as error:
        error.args = (str(error).replace(weights, f"{path}: {_WEIGHTS}"), *error.args[1:])
        raise
