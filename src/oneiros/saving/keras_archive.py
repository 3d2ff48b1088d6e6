"""Files in the format of Keras 3 (``.keras``): zip archives of architecture, weights and compile arguments.

``config.json`` holds the configuration of the model and what `compile` was given, ``model.weights.h5`` the weights and
the optimizer's state in the nested layout, ``metadata.json`` what wrote the file. ``assets/`` holds what layers write
with `save_assets`. Instead of an archive it may be a folder of these.
"""

import contextlib
import datetime
import json
import os
import shutil
import stat
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
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
from .optimizer_state import load_nested_optimizer
from .serialization import ConfigReader, dumps, parse, serialize_keras_object
from .weights import load_nested, nested_entries

VERSION = "3.15.1"  # of the Keras whose format is written
_CONFIG, _METADATA, WEIGHTS, _ASSETS = "config.json", "metadata.json", "model.weights.h5", "assets"
_SPARE_BYTES = 64 << 20  # weights that a model may have beyond what its file holds


def is_archive(filepath: Any) -> bool:
    """Whether a file is to be written, or was written, in the format of Keras 3.

    Args:
        filepath: a path, or anything else. A file that is there tells by what it begins with.
    """
    if not isinstance(filepath, (str, os.PathLike)):
        return hasattr(filepath, "seek") and hasattr(filepath, "read")
    if os.path.isdir(filepath):
        return os.path.lexists(os.path.join(filepath, _CONFIG))
    named = behaviour.keras_archives and os.fspath(filepath).endswith(".keras")
    if not os.path.isfile(filepath):
        return named
    with open(filepath, "rb") as file:
        return {b"PK": True, b"\x89H": False}.get(file.read(2), named)


# --- writing


def save_archive(model: Any, filepath: Any, include_optimizer: bool = True, zipped: bool = True) -> None:
    """Writes a model to a file in the format of Keras 3. The file appears complete or not at all.

    Args:
        model: the model. If it has no weights yet, the file holds none.
        filepath: the path of the file, or a file that is open for writing bytes.
        include_optimizer: whether to store the compile arguments and the optimizer's state.
        zipped: whether to write an archive. Otherwise `filepath` is that of a folder.

    Raises:
        ValueError: the architecture holds something that no file can.
    """
    text, compiled = described(model, include_optimizer)  # complains before a file is touched
    if not zipped:
        os.makedirs(filepath, exist_ok=True)
        with _staged(model, text, compiled, filepath) as folder:
            for name in _members(folder):
                target = Path(filepath, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                with replacing(target) as part:
                    shutil.copyfile(folder / name, part)
    elif hasattr(filepath, "write"):
        with _staged(model, text, compiled) as folder:
            _zip(folder, filepath)
    else:
        with replacing(filepath) as part, _staged(model, text, compiled, os.path.dirname(part)) as folder:
            _zip(folder, part)


def described(model: Any, include_optimizer: bool = True) -> tuple[str, bool]:
    """The configuration of a model as JSON text in Keras 3's form, and whether it says how the model is compiled.

    Args:
        model: the model.
        include_optimizer: whether it is to say that.
    """
    with within(keras3_format=True):
        config = written(serialize_model(model))
    config["build_config"] = model.get_build_config()
    compiled = include_optimizer and getattr(model, "optimizer", None) is not None
    if compiled:
        try:
            own = model.get_compile_config() if _overrides(model, "get_compile_config") else compile_config(model)
            config["compile_config"] = json.loads(dumps(serialize_keras_object(own)))
        except (TypeError, ValueError, NotImplementedError, AttributeError) as error:
            compiled = False
            warnings.warn(f"The compile arguments of model {model.name} are not stored, they cannot be: {error}")
    return dumps(config), compiled


def _overrides(model, name):
    """Whether the method of a model is not the library's."""
    return getattr(type(model), name).__module__.split(".")[0] != __name__.split(".")[0]


@contextlib.contextmanager
def _staged(model, config, compiled, inside=None):
    """A folder with what the archive holds, which is removed at the end."""
    metadata = {"keras_version": VERSION, "date_saved": f"{datetime.datetime.now():%Y-%m-%d@%H:%M:%S}"}
    with _temporary_folder(inside) as folder:
        (folder / _METADATA).write_text(json.dumps(metadata))
        (folder / _CONFIG).write_text(config)
        with safe_hdf5.writing(folder / WEIGHTS) as file:
            layouts.write_entries(file, nested_entries(model, optimizer=compiled))
        for path, layer in layouts.places(model):
            if hasattr(layer, "save_assets"):
                place = folder / _ASSETS / path
                place.mkdir(parents=True, exist_ok=True)
                layer.save_assets(str(place))
        yield folder


@contextlib.contextmanager
def _temporary_folder(inside=None):
    with tempfile.TemporaryDirectory(dir=inside, prefix=".oneiros-") as folder:
        yield Path(folder)


def _members(folder):
    """The names of the files in a folder: those of the format first, then the assets."""
    assets = sorted(path for path in (folder / _ASSETS).rglob("*") if path.is_file())
    return [_METADATA, _CONFIG, WEIGHTS, *(path.relative_to(folder).as_posix() for path in assets)]


def _zip(folder, target):
    with zipfile.ZipFile(target, "w") as archive:
        for name in _members(folder):
            archive.write(folder / name, name)


# --- reading


def load_archive(
    filepath: Any, custom_objects: dict | None = None, compile: bool = True, safe_mode: bool | None = True
) -> Any:
    """The model in a file of Keras 3's format, compiled as it was. The arguments are those of `load_model`."""
    with (
        unpacked(filepath) as (path, folder),
        CustomObjectScope(custom_objects),
        safety.loading(False if safe_mode is False else None),
    ):
        config = parse((folder / _CONFIG).read_bytes().decode("utf-8", "replace"), path)
        with safe_hdf5.reading(folder / WEIGHTS) as file:
            model = _made(config, path, safe_hdf5.declared_bytes(file))
            load_nested(file, model)
            _load_assets(model, folder)
            if compile and compile_as(model, config.get("compile_config"), path):
                load_nested_optimizer(file, model)
    return model


def _made(config, path, size):
    """The model of a configuration, built as it was."""
    with weight_budget(_SPARE_BYTES + 2 * size), safe_hdf5.making(path):
        model = make_model(config, path)
        if not hasattr(model, "load_weights"):
            raise CorruptFileError(f"{path}: the configuration is not that of a model, but of {type(model).__name__}.")
        build_as(model, config.get("build_config"))
    return model


def build_as(model: Any, config: Any) -> None:
    """Builds a model without weights as the `build_config` of a file says."""
    if isinstance(config, dict) and not model.weights and any(v is not None for v in config.values()):
        model.build_from_config(config)


def _load_assets(model, folder):
    for path, layer in layouts.places(model):
        if hasattr(layer, "load_assets") and (folder / _ASSETS / path).is_dir():
            layer.load_assets(str(folder / _ASSETS / path))


def compile_as(model: Any, config: Any, path: str) -> bool:
    """Compiles a model as the `compile_config` of a file says. Returns whether that was possible; if not, it warns.

    Args:
        model: the model.
        config: what the file says; nothing if the model was not compiled.
        path: the name of the file, for messages.
    """
    if not config:
        return False
    own = _overrides(model, "compile_from_config")
    if _overrides(model, "compile") and not own:
        warnings.warn(
            "`compile()` was not called as part of model loading because the model's `compile()` method is custom. "
            "All subclassed Models that have `compile()` overridden should also override `get_compile_config()` and "
            "`compile_from_config(config)`. Alternatively, you can call `compile()` manually after loading."
        )
        return False
    try:
        if own:
            with within(entry_reader=ConfigReader(path)):
                model.compile_from_config(config)
        else:
            model.compile(**compile_arguments(config, path))
    except Exception as error:
        warnings.warn(
            f"{path}: the model is loaded but not compiled, for what was given to compile() cannot be made again: "
            f"{error} Compile it, or pass custom_objects."
        )
        return False
    return getattr(model, "optimizer", None) is not None


def load_archived_weights(model: Any, filepath: Any, skip_mismatch: bool = False) -> None:
    """Sets a model's weights from a file of Keras 3's format."""
    with unpacked(filepath) as (_, folder), safe_hdf5.reading(folder / WEIGHTS) as file:
        load_nested(file, model, skip_mismatch=skip_mismatch)


@contextlib.contextmanager
def unpacked(source: Any) -> Iterator[tuple]:
    """The name of the file for messages, and a folder with its members, if they are what such a file has.

    Args:
        source: the path of an archive or folder, or an open file.
    """
    if isinstance(source, (str, os.PathLike)) and os.path.isdir(source):
        path = os.fspath(source)
        _check_folder(path)
        with _naming(path, path):
            yield path, Path(path)
        return
    if isinstance(source, (str, os.PathLike)):
        path = source = regular(source, "a .keras file")
    else:
        path = safe_hdf5.source_name(source)
    try:
        with zipfile.ZipFile(source) as archive:
            _check_members(path, archive.infolist(), _size(source))
            with _temporary_folder() as folder, _naming(path, str(folder)):
                for name in archive.namelist():
                    if name in (_CONFIG, WEIGHTS) or (name.startswith(f"{_ASSETS}/") and not name.endswith("/")):
                        _unpack(archive, name, folder / name)
                yield path, folder
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
        if isinstance(error, (CorruptFileError, LimitExceededError, UnsafeModelError)):
            raise
        raise CorruptFileError(
            f"{path}: not a .keras file, truncated or damaged ({error}). Make or fetch it again."
        ) from error


def _size(source):
    if isinstance(source, str):
        return os.path.getsize(source)
    here, end = source.tell(), source.seek(0, os.SEEK_END)
    source.seek(here)
    return end


def _check_folder(path):
    """Refuses what is no regular file or folder: a link may lead anywhere."""
    for holder, folders, files in os.walk(path):
        for name in (*folders, *files):
            mode = os.lstat(os.path.join(holder, name)).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise UnsafeModelError(f"{path}: {name[:80]!r} is a symlink or device, which leads elsewhere.")
    _check_complete(path, os.listdir(path))


def _check_complete(path, names):
    missing = [name for name in (_CONFIG, WEIGHTS) if name not in names]
    if missing:
        raise CorruptFileError(f"{path}: has no {missing[0]}, so it is not a .keras file. It may be incomplete.")


def _check_members(path, members, size):
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
    _check_complete(path, names)
    total = sum(member.file_size for member in members)
    if total > unpacked_limit(size):
        raise LimitExceededError(f"{path}: unpacks to {total / 1e9:.1f} GB, the file has {size} bytes. It is not read.")


def _unpack(archive, name, target):
    """Writes a member into a file of its own. The archive's checksum is checked on the way."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(name) as source, open(target, "xb") as file:
        left = archive.getinfo(name).file_size
        while block := source.read(min(left + 1, 1 << 20)):
            left -= len(block)
            if left < 0:
                raise zipfile.BadZipFile("a member is larger than it says")
            file.write(block)


@contextlib.contextmanager
def _naming(path, folder):
    """Lets errors name the archive instead of the temporary folder."""
    weights = os.path.join(folder, WEIGHTS)
    try:
        yield
    except (CorruptFileError, LimitExceededError, UnsafeModelError, InputDataError) as error:
        error.args = (str(error).replace(weights, f"{path}: {WEIGHTS}"), *error.args[1:])
        raise
