"""The layouts of weight files, and what they hold for each layer of a model.

Flat (Keras 1, Keras 2, tf.keras, this library): the attribute `layer_names` lists the layers. Each has a group whose
attribute `weight_names` lists its arrays.

Nested (``.weights.h5`` of Keras 3 and newer tf.keras): groups are nested like the layers themselves.
``layers/dense_1/vars/0`` is the first array of the second Dense layer.
``layers/bidirectional/forward_layer/cell/vars/0`` belongs to a layer that is reached by the attributes
`forward_layer` and `cell`.
"""

import contextlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.errors import CorruptFileError
from ..core.names import to_snake_case
from ..layers.base import Layer
from .safe_hdf5 import Group, array, checksum, child, dataset, has, names, storable, text, where

CHECKSUM = "crc32"  # the attribute with the checksum of a group's arrays
TOP_LEVEL = "top_level_model_weights"  # the group of weights that belong to the model itself
_CONTAINERS = ("layers", "vars", "_layer_checkpoint_dependencies")  # one of them is in every nested file


@dataclass(eq=False)
class Stored:
    """The arrays that a file holds for one layer, as datasets that are not read yet."""

    name: str
    group: object
    datasets: list

    @property
    def shapes(self) -> list[tuple]:
        return [tuple(d.shape) for d in self.datasets]

    @property
    def size(self) -> int:
        """The number of values."""
        return sum(map(math.prod, self.shapes))

    @property
    def keys(self) -> list[str]:
        """The names of the arrays in their group."""
        return [d.name.rpartition("/")[2] for d in self.datasets]

    def read(self) -> list:
        """The arrays. Raises `CorruptFileError` if the checksum is wrong."""
        arrays = [array(d) for d in self.datasets]
        if (
            self.group is not None
            and CHECKSUM in self.group.attrs
            and int(self.group.attrs[CHECKSUM]) != checksum(arrays)
        ):
            raise CorruptFileError(
                f"{where(self.group)}: the checksum of the weights is wrong: the file is damaged. Fetch or make it "
                "again."
            )
        return arrays


def weights_group(file: Group) -> Any:
    """The group that holds the weights in a file of weights, or of a whole model."""
    bare = "layer_names" not in file.attrs and "layer_names0" not in file.attrs
    return child(file, "model_weights") if bare and has(file, "model_weights") else file


def is_nested(group: Group) -> bool:
    """Whether the group has the nested layout."""
    return any(has(group, name) for name in _CONTAINERS) and "layer_names" not in group.attrs


def writer(group: Group) -> tuple:
    """The version and the backend of the Keras that wrote the weights. The backend may be `None`."""
    version = text(group, "keras_version") or text(group.file, "keras_version")
    version = version or ("3" if any(has(group, name) for name in _CONTAINERS) else "1")
    return version, text(group, "backend") or text(group.file, "backend")


# --- flat


def flat_layers(group: Group) -> list[Stored]:
    """What a flat file holds for each layer."""
    listed = names(group, "layer_names")
    if "layer_names0" in group.attrs and len(group) > len(listed) + 1:
        raise CorruptFileError(
            f"{where(group)}: the attribute 'layer_names' is incomplete: it lacks some of the layers."
        )
    return [stored_arrays(group, name) for name in listed]


def stored_arrays(group: Group, name: str) -> Stored:
    """What a flat file holds in the group of this name."""
    inner = child(group, name)
    return Stored(name, inner, [dataset(inner, path) for path in names(inner, "weight_names")])


# --- nested


def nested_layers(group: Group, model: Any, skip: Sequence = (), partial: bool = False) -> list[tuple]:
    """``(layer, variables, stored)`` for all layers of the model that have weights of their own.

    Args:
        group: An open h5py group.
        model: The model.
        skip: Layers that are left out, with the layers in them.
        partial: Whether the file may hold nothing for a layer, or more than the model has.
    """
    by_layer = {}
    for path, layer, variables in _with_weights(model, skip, everywhere=True):
        if id(layer) not in by_layer or not by_layer[id(layer)][2].datasets:
            stored = _stored_at(group, path)
            if stored.datasets or id(layer) not in by_layer:
                by_layer[id(layer)] = (layer, variables, stored)
    found = list(by_layer.values())
    for layer, variables, stored in found:
        if not stored.datasets and variables and not (partial or layer.loads_itself()):
            place = stored.name or "/"
            raise CorruptFileError(
                f"The file holds nothing at {place!r} for layer {layer.name}, which has {len(variables)} weights."
            )
    if partial or skip:
        return found
    expected = sum(len(stored.datasets if layer.loads_itself() else own) for layer, own, stored in found)
    there = []

    def note(path, item):
        other = path.split("/")[0] in ("optimizer", "metrics") or "seed_generator" in path
        if hasattr(item, "shape") and not other:
            there.append(path)

    group.visititems(note)
    if len(there) > expected:
        raise CorruptFileError(
            f"{where(group)}: holds {len(there)} arrays, but the layers of model {model.name} have {expected}. The "
            "file is of another model."
        )
    return found


def nested_layers_by_name(group: Group, model: Any) -> list[tuple]:
    """The same for those layers whose names are in the file, with as many arrays."""
    stored = {}

    def note(path, item):
        if path.rpartition("/")[2] == "vars" and not path.startswith("optimizer/"):
            stored.setdefault(text(item, "name"), numbered_arrays(item, path))

    group.visititems(note)
    pairs = [(layer, variables, stored.get(layer.name)) for _, layer, variables in _with_weights(model)]
    return [pair for pair in pairs if pair[2] is not None and pair[2].datasets]


def numbered_arrays(group: Group, name: str) -> Stored:
    """What a group ``vars`` holds: arrays with the names 0, 1, 2, ..."""
    return Stored(name, group, [dataset(group, key) for key in in_order(group)])


def in_order(keys: Iterable[str]) -> list[str]:
    """Names of arrays as files are read: numbers by size, then words by the alphabet."""
    return sorted(keys, key=lambda key: (not key.isdecimal(), int(key) if key.isdecimal() else 0, key))


def nested_stores(group: Group) -> Iterator[tuple]:
    """``(place, stored)`` for all groups ``vars`` in a nested file, the optimizer's too.

    Raises:
        UnsafeModelError: A member is a link, which leads elsewhere.
        CorruptFileError: A group contains itself.
    """
    import h5py

    seen = set()

    def walk(holder, path):
        for key in holder:
            inner = child(holder, key)
            if isinstance(inner, h5py.Dataset):
                continue
            address = h5py.h5o.get_info(inner.id).addr
            if address in seen:
                raise CorruptFileError(f"{where(inner)}: the group is in two places, or contains itself.")
            seen.add(address)
            place = f"{path}/{key}".lstrip("/")
            if key == "vars":
                yield place, numbered_arrays(inner, place)
            else:
                yield from walk(inner, place)

    yield from walk(group, "")


def nested_entries(model: Any, skip: Sequence = ()) -> Iterator[tuple]:
    """``(place, name, arrays by key)`` for a model and the layers in it, as nested files hold them.

    Args:
        model: The model.
        skip: Layers that are left out, with the layers in them.
    """
    for path, layer in places(model, skip):
        store = {}
        layer.save_own_variables(store)
        yield f"{path}/vars".lstrip("/"), layer.name, store


def write_entries(group: Group, entries: Iterable[tuple], checked: bool = True) -> None:
    """Writes ``(place, name, arrays by key)`` into a group.

    Args:
        group: An open h5py group.
        entries: What is written.
        checked: Whether to add checksums, for which each place may come only once.
    """
    for place, name, store in entries:
        holder = group.require_group(place)
        holder.attrs["name"] = name
        arrays = {key: storable(getattr(store[key], "raw", store[key])) for key in in_order(store)}
        for key, one in arrays.items():
            holder.create_dataset(key, data=one)
        if arrays and checked:
            holder.attrs[CHECKSUM] = np.uint32(checksum(arrays.values()))


def _with_weights(model, skip=(), everywhere=False):
    found = [(path, layer, layer.own_weights()) for path, layer in places(model, skip, everywhere)]
    return [(path, layer, variables) for path, layer, variables in found if variables or layer.loads_itself()]


def _stored_at(group, path):
    holder = group
    for part in (*path.split("/"), "vars"):
        if part and holder is not None:
            holder = child(holder, part) if has(holder, part) else None
    return Stored(path, None, []) if holder is None else numbered_arrays(holder, path)


def places(model: Any, skip: Sequence = (), everywhere: bool = False) -> Iterator[tuple]:
    """Pairs ``(path, layer)`` of a model and the layers in it. A layer with several places has the first one.

    Args:
        model: The model.
        skip: Layers that are left out, with the layers in them.
        everywhere: Whether to tell the other places too, also those in properties: a file may have the layer there,
            as the class was another one when it was saved, or Keras did not look into lists in lists (until 3.13).
    """
    left_out = {id(layer) for layer in skip}
    seen = set(left_out)

    def walk(path, layer):
        if id(layer) not in seen:
            seen.add(id(layer))
            yield path, layer
            for name, inner in _members(layer, everywhere):
                yield from walk(f"{path}/{name}".lstrip("/"), inner)
        elif everywhere and id(layer) not in left_out:
            yield path, layer

    return walk("", model)


def _members(layer, properties=False):
    """The layers inside, with the names that they have in files.

    Public attributes come before private ones, each in alphabetical order. Models have an attribute `layers`, which
    holds all layers that no attribute before it has; the layers of a graph are there first.
    """
    attributes = {name: value for name, value in vars(layer).items() if name not in layer.untracked_attributes}
    if type(layer).__module__.split(".")[0] == "oneiros":
        stored = {name: layer.prefix_in_files + name.lstrip("_") for name in attributes} | layer.names_in_files
        attributes = {stored[name]: value for name, value in attributes.items()}
    if properties:
        attributes |= _properties(layer)
    if isinstance(getattr(layer, "layers", None), list):
        attributes["layers"] = layer.layers
    is_graph = getattr(layer, "layer_graph", None) is not None
    for name in sorted(attributes, key=lambda name: (not (is_graph and name == "layers"), name.startswith("_"), name)):
        yield from _held(name, attributes[name], ())


def _properties(layer):
    """The layers that properties of a user's class give."""
    found = {}
    for cls in type(layer).__mro__:
        if cls.__module__.split(".")[0] != "oneiros":
            for name, member in vars(cls).items():
                if isinstance(member, property):
                    with contextlib.suppress(Exception):  # it may need what is not there yet
                        found.setdefault(name, getattr(layer, name))
    return {name: value for name, value in found.items() if isinstance(value, Layer)}


def _held(name, value, around):
    if any(value is container for container in around):  # it holds itself
        return
    if isinstance(value, Layer):
        yield name, value
    elif isinstance(value, (list, tuple, dict)):
        values = list(value.values() if isinstance(value, dict) else value)
        yield from _numbered(name, [v for v in values if isinstance(v, Layer)])
        inner = [v for v in values if isinstance(v, (list, tuple, dict))]
        for number, container in enumerate(inner):
            place = f"{name}/container_{number}" if number else f"{name}/container"
            yield from _held(place, container, (*around, value))


def _numbered(holder, layers):
    counts = {}
    for layer in layers:
        name = to_snake_case(type(layer).__name__)
        counts[name] = counts.get(name, 0) + 1
        yield f"{holder}/{name}_{counts[name] - 1}" if counts[name] > 1 else f"{holder}/{name}", layer
