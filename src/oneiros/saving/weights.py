"""Weights of models in HDF5 files. They are written in the flat layout and read in all layouts (see `layouts`)."""

import functools
import itertools
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..core import behaviour
from ..core.errors import CorruptFileError, InputDataError
from ..utils.io_utils import ask_to_proceed_with_overwrite
from . import containers, conversion, layouts, safe_hdf5
from .optimizer_state import load_nested_optimizer, optimizer_entries
from .safe_hdf5 import Group
from .serialization import FORMAT_VERSION


def _targets(model):
    """Pairs of a layer and its variables, the trainable ones first. `model` may be a list of layers."""
    layers = model if isinstance(model, (list, tuple)) else _layers(model)
    return [(layer, [*layer.trainable_weights, *layer.non_trainable_weights]) for layer in layers]


def _layers(model):
    return model.layers if hasattr(model, "layers") else model.direct_sublayers()  # a FeatureSpace is no model


def _own(model):
    """The variables of a model that belong to none of its layers."""
    if isinstance(model, (list, tuple)):
        return []
    of_layers = {id(v) for layer in _layers(model) for v in layer.weights}
    return [v for v in model.weights if id(v) not in of_layers]


# --- writing


def save_weights(model: Any, filepath: Any, overwrite: bool = True, max_shard_size: Any = None, **kwargs) -> None:
    """Writes a model's weights to an HDF5 file. An existing file is replaced only when the new one is complete.

    Files that end in ``.weights.h5`` have the layout of Keras 3, others that of Keras 2, which all versions read.

    Args:
        model: A model that is built.
        filepath: A path that ends in .h5, or an open h5py group.
        overwrite: Whether to replace an existing file without asking the user.
        max_shard_size: The number of gigabytes that one file may hold. Then several files are written, and an index
            of them, ``.weights.json``.
        **kwargs: Arguments of other versions of Keras, if their values have no effect here.

    Raises:
        InputDataError: If the model has no weights yet, or the file would be of another kind than HDF5.
    """
    skip = kwargs.pop("objects_to_skip", None) or ()
    path = _path(filepath)
    other = path.endswith((containers.INDEX, containers.TENSORS))
    _check_options("save_weights", kwargs) if other else check_target("save_weights", filepath, **kwargs)
    if path.endswith(containers.INDEX) and max_shard_size is None:
        raise InputDataError(f"save_weights: {path!r} is an index of several files. Give max_shard_size, in gigabytes.")
    if not model.built:
        raise InputDataError(
            f"Model {model.name} has no weights yet: call it on data, or build(input_shape), before saving weights."
        )
    if not (overwrite or may_overwrite(filepath)):
        return
    if path.endswith(containers.TENSORS):
        containers.write_tensors(path, nested_entries(model, skip))
    elif max_shard_size is not None:
        containers.write_shards(path, nested_entries(model, skip), max_shard_size)
    else:
        with safe_hdf5.writing(filepath) as file:
            if behaviour.nested_weights_files and path.endswith(".weights.h5"):
                layouts.write_entries(file, nested_entries(model, skip))
            else:
                save_weights_to_hdf5_group(file, model)


def nested_entries(model: Any, skip: Sequence = (), optimizer: bool = True) -> Iterator[tuple]:
    """``(place, name, arrays by key)`` of all that nested files hold for a model.

    Args:
        model: The model.
        skip: Layers that are left out, with the layers in them.
        optimizer: Whether the optimizer's state is among it.
    """
    yield from layouts.nested_entries(model, skip)
    if optimizer:
        yield from optimizer_entries(model)


def save_weights_to_hdf5_group(group: Group, model: Any) -> None:
    """Writes weights into an open HDF5 group, in the flat layout of Keras 1 and 2.

    Args:
        group: An open h5py group.
        model: A model, or a list of layers.
    """
    targets = _targets(model)
    safe_hdf5.write_names(group, "layer_names", [layer.name for layer, _ in targets])
    group.attrs["backend"] = behaviour.backend_name
    group.attrs["keras_version"] = FORMAT_VERSION
    safe_hdf5.seal(group)
    for layer, variables in targets:
        write_arrays(group.create_group(layer.name), *_named(layer, variables))
    if own := _own(model):
        write_arrays(group.create_group(layouts.TOP_LEVEL), *_named(model, own))


def write_arrays(group: Group, array_names: Sequence[str], arrays: Sequence) -> None:
    """Writes arrays into a group, with a list of their names and a checksum."""
    safe_hdf5.write_names(group, "weight_names", array_names)
    arrays = [safe_hdf5.storable(a) for a in arrays]
    for name, one in zip(array_names, arrays):
        group.create_dataset(name, data=one)
    group.attrs[layouts.CHECKSUM] = np.uint32(safe_hdf5.checksum(arrays))


def _named(layer, variables):
    """The names of variables in a file, made unique, and their arrays."""
    found = []
    for variable in variables:
        parts = variable.path.removesuffix(":0").split("/")
        if layer.name in parts:  # what comes before it are the models around it, or, for a model, that itself
            parts = parts[parts.index(layer.name) + (getattr(layer, "layer_graph", None) is not None) :]
        name = "/".join(parts if len(parts) > 1 else [layer.name, *parts])
        count = sum(n == name or n.startswith(name + "_") for n in found)
        found.append(f"{name}_{count}" if name in found else name)
    return [f"{name}:0" for name in found], [v.raw for v in variables]


# Arguments of other versions of Keras, with the values that ask for what is done here anyway.
_WITHOUT_EFFECT = {
    "options": (None,),
    "save_format": (None, "h5", "hdf5"),
    "save_traces": (None, True, False),
    "signatures": (None,),
    "zipped": (None, True),
}


def _check_options(function, options):
    for name, value in options.items():
        if name not in _WITHOUT_EFFECT:
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}.")
        if value not in _WITHOUT_EFFECT[name]:
            raise InputDataError(
                f"{function}: {name}={value!r} is not supported. Files are HDF5 (.h5), in one piece. Leave it out."
            )


def check_target(function: Callable, filepath: Any, **options) -> None:
    """Raises `InputDataError` if a path or an option asks for another kind of file than HDF5."""
    _check_options(function, options)
    path = _path(filepath)
    if path.endswith(".keras") and behaviour.keras_archives:
        raise InputDataError(f"{path!r}: files of weights end in .weights.h5. A whole model is saved by model.save().")
    told = not path or path.endswith((".h5", ".hdf5", ".he5")) or options.get("save_format")
    if behaviour.save_needs_suffix and not told:
        raise InputDataError(f"{path!r} does not say what kind of file to write. Use a name that ends in .h5.")


def _path(filepath):
    return os.fspath(filepath) if isinstance(filepath, (str, os.PathLike)) else ""


def may_overwrite(filepath: Any) -> bool:
    """Whether a file may be written. If it exists, the user is asked."""
    return not os.path.isfile(_path(filepath)) or ask_to_proceed_with_overwrite(_path(filepath))


# --- reading


def load_weights_file(
    model: Any, filepath: Any, by_name: bool = False, skip_mismatch: bool = False, reshape: bool = False, **kwargs
) -> None:
    """Sets a model's weights from a file of weights. The arguments are those of `load_weights`."""
    skip = kwargs.pop("objects_to_skip", None) or ()
    _check_options("load_weights", kwargs)
    if not model.built:
        raise InputDataError(
            f"Model {model.name} has no weights yet: call it on data, or build(input_shape), before loading weights."
        )
    with containers.opened(filepath) as file:
        group = layouts.weights_group(file)
        if layouts.is_nested(group):
            load_nested(group, model, by_name, skip_mismatch, reshape, skip)
        elif by_name:
            load_weights_from_hdf5_group_by_name(group, model, skip_mismatch, reshape)
        else:
            load_weights_from_hdf5_group(group, model, reshape, skip_mismatch)


def load_nested(
    group: Group,
    model: Any,
    by_name: bool = False,
    skip_mismatch: bool = False,
    reshape: bool = False,
    skip: Sequence = (),
) -> None:
    """Sets the weights of a model from a group in the layout of Keras 3. The arguments are those of `load_weights`."""
    if by_name:
        found = layouts.nested_layers_by_name(group, model)
    else:
        found = layouts.nested_layers(group, model, skip, skip_mismatch)
    own = [(layer, stored) for layer, _, stored in found if layer.loads_itself()]
    safe_hdf5.check_budget(group, [one for _, stored in own for one in stored.datasets])
    stores = [(layer, dict(zip(stored.keys, stored.read()))) for layer, stored in own]
    _load(group, [one for one in found if not one[0].loads_itself()], model, reshape, skip_mismatch)
    for layer, store in stores:
        try:
            layer.load_own_variables(store)
        except Exception as error:
            if not skip_mismatch:
                raise
            warnings.warn(f"Skipping the weights of layer {layer.name}: {error}")
    if getattr(getattr(model, "optimizer", None), "built", False):
        load_nested_optimizer(group, model)


def load_weights_from_hdf5_group(group: Group, model: Any, reshape: bool = False, skip_mismatch: bool = False) -> None:
    """Sets weights from an open HDF5 group in the flat layout. Layers are matched by their order.

    Args:
        group: An open h5py group.
        model: A model, or a list of layers.
        reshape: Whether the kernel of a convolution may be reshaped to one of the same size.
        skip_mismatch: Whether to skip layers that do not fit, with a warning.

    Raises:
        CorruptFileError: If the numbers of layers or the shapes differ. Then nothing is changed.
    """
    stored = [s for s in layouts.flat_layers(group) if s.datasets]
    targets = [(layer, variables) for layer, variables in _targets(model) if variables]
    if len(stored) != len(targets):
        raise CorruptFileError(
            f"{safe_hdf5.where(group)}: holds weights of {len(stored)} layers, the model has {len(targets)} layers "
            "with weights."
            + _table(
                (s.name if s else "-", s.shapes if s else "-", f"{t[0].name} {_shapes(t[1])}" if t else "-")
                for s, t in itertools.zip_longest(stored, targets)
            )
        )
    pairs = [(layer, variables, s) for (layer, variables), s in zip(targets, stored)]
    _load(group, pairs, model, reshape, skip_mismatch)


def load_weights_from_hdf5_group_by_name(
    group: Group, model: Any, skip_mismatch: bool = False, reshape: bool = False
) -> None:
    """Sets weights from an open HDF5 group in the flat layout. Layers are matched by their names.

    Args:
        group: An open h5py group. Its layers that the model does not have are ignored.
        model: A model, or a list of layers. Its layers that the group does not have are not changed.
        skip_mismatch: Whether to skip layers that do not fit, with a warning.
        reshape: Whether the kernel of a convolution may be reshaped to one of the same size.

    Raises:
        CorruptFileError: If the shapes differ. Then nothing is changed.
    """
    by_name = {}
    for layer, variables in _targets(model):
        by_name.setdefault(layer.name, []).append((layer, variables))
    pairs = [
        (layer, variables, stored)
        for stored in layouts.flat_layers(group)
        for layer, variables in by_name.get(stored.name, ())
    ]
    _load(group, pairs, model, reshape, skip_mismatch)


def _load(group, pairs, model, reshape, skip_mismatch):
    """Checks everything, then assigns everything. pairs: ``(layer, variables, stored)``."""
    own = _own(model)
    if own and safe_hdf5.has(group, layouts.TOP_LEVEL):
        pairs = [*pairs, (model, own, layouts.stored_arrays(group, layouts.TOP_LEVEL))]
    new_values, problems = _fitting(group, pairs, model, reshape)
    if problems and not skip_mismatch:
        raise CorruptFileError(
            f"{safe_hdf5.where(group)}: the shape of stored weights does not fit the model. Nothing was changed."
            + _table(problems)
        )
    safe_hdf5.check_seal(group)
    for name, stored_shapes, expected in problems:
        warnings.warn(f"Skipping the weights of layer {name}: the file has shapes {stored_shapes}, not {expected}.")
    for variable, values in new_values:
        variable.assign(values)


def _fitting(group, pairs, model, reshape):
    """Pairs of a variable and its new value where shapes fit, and ``(layer, stored, expected)`` where they do not."""
    convert = functools.partial(conversion.preprocess_weights_for_loading, reshape=reshape)
    version, backend = layouts.writer(group)
    near = [s for _, variables, s in pairs if s.size <= 2 * sum(v.size for v in variables)]
    safe_hdf5.check_budget(group, [found for stored in near for found in stored.datasets])
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
            safe_hdf5.check_type(source, variable, values)
            new_values.append((variable, values))
    return new_values, problems


def _shapes(variables):
    return [tuple(v.shape) for v in variables]


def _table(rows, limit=20):
    rows = [tuple(map(str, row)) for row in rows]
    rows = [("layer", "stored", "expected"), *rows[:limit], *([("...", "", "")] if len(rows) > limit else [])]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    return "".join("\n  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip() for row in rows)
