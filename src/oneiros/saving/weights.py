"""Weights in HDF5, as Keras 1, Keras 2 and tf.keras lay them out.

The attribute `layer_names` lists the layers; each has a group whose attribute `weight_names` lists its arrays.
"""

import functools
import os
import warnings
from dataclasses import dataclass

import numpy as np

from ..core import behaviour
from ..core.errors import CorruptFileError, InputDataError
from . import conversion, nested_weights
from .safe_hdf5 import (
    array,
    check_budget,
    check_seal,
    checksum,
    child,
    dataset,
    has,
    names,
    reading,
    seal,
    storable,
    text,
    where,
    write_names,
    write_text,
    writing,
)
from .serialization import FORMAT_VERSION

CHECKSUM = "crc32"
TOP_LEVEL = "top_level_model_weights"


def ordered_weights(layer):
    """A layer's weights in the order of the files: the trainable ones first."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _targets(model):
    """Pairs of name and variables, for each layer; a list of layers stands for a model."""
    if isinstance(model, (list, tuple)):
        return [(layer, ordered_weights(layer)) for layer in model]
    return [(layer, ordered_weights(layer)) for layer in model.layers]


def _own(model):
    """The variables that a model has beside its layers'."""
    if isinstance(model, (list, tuple)):
        return []
    of_layers = {id(v) for layer in model.layers for v in layer.weights}
    return [v for v in model.weights if id(v) not in of_layers]


# --- writing


def save_weights_to_hdf5_group(group, model):
    """Writes the weights of a model (or of a list of layers) into an open group."""
    targets = _targets(model)
    write_names(group, "layer_names", [layer.name for layer, _ in targets])
    write_text(group, "backend", behaviour.backend_name)
    write_text(group, "keras_version", FORMAT_VERSION)
    seal(group)
    for layer, variables in targets:
        write_arrays(group.create_group(layer.name), *_named(layer, variables))
    if own := _own(model):
        write_arrays(group.create_group(TOP_LEVEL), *_named(model, own))


def write_arrays(group, array_names, arrays):
    """Writes arrays into a group, with the list of their names and a checksum."""
    write_names(group, "weight_names", array_names)
    arrays = [storable(a) for a in arrays]
    for name, one in zip(array_names, arrays):
        group.create_dataset(name, data=one)
    group.attrs[CHECKSUM] = np.uint32(checksum(arrays))


def _named(layer, variables):
    found = []
    for variable in variables:
        name = variable.path if "/" in variable.path else f"{layer.name}/{variable.path}"
        name = name.removesuffix(":0")
        count = sum(n == name or n.startswith(name + "_") for n in found)
        found.append(f"{name}_{count}" if name in found else name)
    return [f"{name}:0" for name in found], [v.raw for v in variables]


def save_weights(model, filepath, overwrite=True, max_shard_size=None, **kwargs):
    """Writes a model's weights to an HDF5 file (.h5). An old file is replaced by a complete new one, or stays.

    overwrite: without it, the user is asked where a file exists.
    """
    check_filepath(filepath, writing=True)
    check_suffix(filepath)
    if not model.built:
        raise InputDataError(
            f"Model {model.name} has no weights yet: call it on data, or build(input_shape), before saving weights."
        )
    if overwrite or may_overwrite(filepath):
        with writing(filepath) as file:
            save_weights_to_hdf5_group(file, model)


def check_filepath(filepath, writing=False):
    """Raises `InputDataError` for files in the .keras format, which is neither written nor read."""
    if isinstance(filepath, (str, os.PathLike)) and os.fspath(filepath).endswith(".keras"):
        remedy = (
            "Use a name that ends in .h5: the file then holds architecture, weights, compile arguments and optimizer "
            "state, and every Keras reads it."
            if writing
            else "Where the file was made, save the model under a name that ends in .h5, and load that file."
        )
        raise InputDataError(f"{os.fspath(filepath)!r}: the .keras format is not supported. {remedy}")


def check_suffix(filepath):
    """Complains about a path whose name does not say what kind of file is to be written."""
    if not behaviour.save_needs_suffix or not isinstance(filepath, (str, os.PathLike)):
        return
    path = os.fspath(filepath)
    if not path.endswith((".h5", ".hdf5", ".he5")):
        raise InputDataError(f"{path!r} does not say what kind of file to write. Use a name that ends in .h5.")


def may_overwrite(filepath):
    """Whether a file may be written: asks the user if it exists."""
    if not isinstance(filepath, (str, os.PathLike)) or not os.path.isfile(filepath):
        return True
    question = f"[WARNING] {os.fspath(filepath)} already exists - overwrite? [y/n]"
    answer = input(question).strip().lower()
    while answer not in ("y", "n"):
        answer = input('Enter "y" (overwrite) or "n" (cancel).').strip().lower()
    return answer == "y"


# --- reading


@dataclass(eq=False)
class Stored:
    """The arrays that a file holds for one layer: datasets, not read yet."""

    name: str
    group: object
    datasets: list

    shapes = property(lambda self: [tuple(d.shape) for d in self.datasets])
    size = property(lambda self: sum(int(np.prod(s, dtype=object)) for s in self.shapes))

    def read(self):
        arrays = [array(d) for d in self.datasets]
        if CHECKSUM in self.group.attrs and int(self.group.attrs[CHECKSUM]) != checksum(arrays):
            raise CorruptFileError(
                f"{where(self.group)}: the checksum of the weights is wrong: the file is damaged. Fetch or make it "
                "again."
            )
        return arrays


def stored_layers(group):
    """What a file holds, layer by layer."""
    listed = names(group, "layer_names")
    if "layer_names0" in group.attrs and len(group) > len(listed) + 1:
        raise CorruptFileError(
            f"{where(group)}: the attribute 'layer_names' is incomplete: it lacks some of the layers."
        )
    return [stored_arrays(child(group, name), name) for name in listed]


def stored_arrays(group, name):
    return Stored(name, group, [dataset(group, path) for path in names(group, "weight_names")])


def _weights_group(file):
    bare = "layer_names" not in file.attrs and "layer_names0" not in file.attrs
    return child(file, "model_weights") if bare and has(file, "model_weights") else file


def _origin(group):
    """The version and backend of the Keras that wrote the file."""
    version = text(group, "keras_version") or text(group.file, "keras_version")
    version = version or ("3" if nested_weights.is_nested(group) else "1")
    return version, text(group, "backend") or text(group.file, "backend")


def load_weights(model, filepath, by_name=False, skip_mismatch=False, reshape=False, **kwargs):
    """Sets a model's weights from an HDF5 file that any Keras wrote: all of them, or none if something does not fit.

    by_name: layers are matched by name, those that only one side has are left alone. skip_mismatch: layers that do
    not fit are left alone, with a warning. reshape: kernels of the same size may change their shape.
    Raises `CorruptFileError` with a table of what is stored and what is expected.
    """
    check_filepath(filepath)
    if not model.built:
        raise InputDataError(
            f"Model {model.name} has no weights yet: call it on data, or build(input_shape), before loading weights."
        )
    with reading(filepath) as file:
        group = _weights_group(file)
        if nested_weights.is_nested(group) and "layer_names" not in group.attrs:
            _load(group, nested_weights.stored_layers(group, model, Stored), model, reshape, skip_mismatch)
        elif by_name:
            load_weights_from_hdf5_group_by_name(group, model, skip_mismatch, reshape)
        else:
            load_weights_from_hdf5_group(group, model, reshape, skip_mismatch)


def load_weights_from_hdf5_group(group, model, reshape=False, skip_mismatch=False):
    """Sets the weights of a model (or a list of layers) from an open group, layer by layer in order."""
    stored = [s for s in stored_layers(group) if s.datasets]
    targets = [(layer, variables) for layer, variables in _targets(model) if variables]
    if len(stored) != len(targets):
        raise CorruptFileError(
            f"{where(group)}: holds weights of {len(stored)} layers, the model has {len(targets)} layers with weights."
            + _table(
                (s.name if s else "-", s.shapes if s else "-", f"{t[0].name} {_shapes(t[1])}" if t else "-")
                for s, t in _side_by_side(stored, targets)
            )
        )
    _load(
        group, [(layer, variables, s) for (layer, variables), s in zip(targets, stored)], model, reshape, skip_mismatch
    )


def load_weights_from_hdf5_group_by_name(group, model, skip_mismatch=False, reshape=False):
    """Sets the weights of those layers that the file has too, by name."""
    by_name = {}
    for layer, variables in _targets(model):
        by_name.setdefault(layer.name, []).append((layer, variables))
    pairs = [
        (layer, variables, stored)
        for stored in stored_layers(group)
        for layer, variables in by_name.get(stored.name, ())
    ]
    _load(group, pairs, model, reshape, skip_mismatch)


def _load(group, pairs, model, reshape, skip_mismatch):
    """Checks everything, then assigns everything. pairs: ``(layer, variables, stored)``."""
    convert = functools.partial(conversion.preprocess_weights_for_loading, reshape=reshape)
    version, backend = _origin(group)
    own = _own(model)
    if own and has(group, TOP_LEVEL):
        pairs = [*pairs, (model, own, stored_arrays(child(group, TOP_LEVEL), TOP_LEVEL))]
    near = [s for _, variables, s in pairs if s.size <= 2 * sum(v.size for v in variables)]
    check_budget(group, [found for stored in near for found in stored.datasets])
    new_values, problems = [], []
    for layer, variables, stored in pairs:
        expected = _shapes(variables)
        arrays = None
        if stored in near:
            arrays = stored.read()
            if layer is not model:
                arrays = convert(layer, arrays, version, backend)
        if arrays is None or [a.shape for a in arrays] != expected:
            problems.append((layer.name, stored.shapes, expected))
            continue
        for variable, values, source in zip(variables, arrays, stored.datasets):
            check_type(source, variable, values)
            new_values.append((variable, values))
    if problems and not skip_mismatch:
        raise CorruptFileError(
            f"{where(group)}: the shape of stored weights does not fit the model. Nothing was changed."
            + _table(problems)
        )
    check_seal(group)
    for name, stored_shapes, expected in problems:
        warnings.warn(f"Skipping the weights of layer {name}: the file has shapes {stored_shapes}, not {expected}.")
    for variable, values in new_values:
        variable.assign(values)


def check_type(source, variable, values):
    """Floats for float variables, integers for others; warns of values that are no numbers."""
    floating = variable.dtype.startswith(("float", "bfloat"))
    if source.dtype.kind not in ("f" if floating else "fiu") or (floating and source.dtype.itemsize > 8):
        raise CorruptFileError(
            f"{where(source)}: has dtype {source.dtype}, expected {variable.dtype} for weight {variable.path}."
        )
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        warnings.warn(f"{where(source)}: has non-finite values (NaN or infinity) for weight {variable.path}.")


def _shapes(variables):
    return [tuple(v.shape) for v in variables]


def _side_by_side(first, second):
    length = max(len(first), len(second))
    return zip([*first, *[None] * (length - len(first))], [*second, *[None] * (length - len(second))])


def _table(rows, limit=20):
    rows = [tuple(map(str, row)) for row in rows]
    rows = [("layer", "stored", "expected"), *rows[:limit], *([("...", "", "")] if len(rows) > limit else [])]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    return "".join("\n  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip() for row in rows)
