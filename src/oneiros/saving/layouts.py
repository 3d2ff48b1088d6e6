"""The layouts of weight files, and what they hold for each layer of a model.

Flat (Keras 1, Keras 2, tf.keras, this library): the attribute `layer_names` lists the layers. Each has a group whose
attribute `weight_names` lists its arrays.

Nested (``.weights.h5`` of Keras 3 and newer tf.keras): groups are nested like the layers themselves.
``layers/dense_1/vars/0`` is the first array of the second Dense layer.
``layers/bidirectional/forward_layer/cell/vars/0`` belongs to a layer that is reached by the attributes
`forward_layer` and `cell`.
"""

import math
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

    def read(self) -> list:
        """The arrays. Raises `CorruptFileError` if the checksum is wrong."""
        arrays = [array(d) for d in self.datasets]
        if CHECKSUM in self.group.attrs and int(self.group.attrs[CHECKSUM]) != checksum(arrays):
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


def nested_layers(group: Group, model: Any) -> list[tuple]:
    """``(layer, variables, stored)`` for all layers of the model that have weights of their own."""
    found = [(layer, variables, _stored_at(group, path, layer)) for path, layer, variables in _with_weights(model)]
    expected = sum(len(variables) for _, variables, _ in found)
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
    return Stored(name, group, [dataset(group, key) for key in sorted(group, key=int)])


def write_nested(group: Group, model: Any) -> None:
    """Writes the weights of a model, and of all layers in it.

    Args:
        group: An open h5py group.
        model: The model.
    """
    for path, layer in _places(model):
        write_numbered(group.create_group(f"{path}/vars".lstrip("/")), layer.name, layer.own_weights())


def write_numbered(group: Group, name: str, variables: list) -> None:
    """Writes variables into a group as Keras 3 has them: their numbers are their names."""
    group.attrs["name"] = name
    arrays = [storable(getattr(v, "raw", v)) for v in variables]
    for number, one in enumerate(arrays):
        group.create_dataset(str(number), data=one)
    if arrays:
        group.attrs[CHECKSUM] = np.uint32(checksum(arrays))


def _with_weights(model):
    return [(path, layer, variables) for path, layer in _places(model) if (variables := layer.own_weights())]


def _stored_at(group, path, layer):
    holder = group
    for part in (*path.split("/"), "vars"):
        if part:
            holder = child(holder, part) if holder is not None and has(holder, part) else None
    if holder is None:
        count = len(layer.own_weights())
        raise CorruptFileError(
            f"The file holds nothing at {path or '/'!r} for layer {layer.name}, which has {count} weights."
        )
    return numbered_arrays(holder, path)


def _places(model):
    """Pairs ``(path, layer)`` of a model and the layers in it. A layer with several places has the first one."""
    seen = set()

    def walk(path, layer):
        if id(layer) not in seen:
            seen.add(id(layer))
            yield path, layer
            for name, inner in _members(layer):
                yield from walk(f"{path}/{name}".lstrip("/"), inner)

    return walk("", model)


def _members(layer):
    """The layers inside, with the names that they have in files.

    Public attributes come before private ones, each in alphabetical order. Models have an attribute `layers`, which
    holds all layers that no attribute before it has; the layers of a graph are there first.
    """
    attributes = {name: value for name, value in vars(layer).items() if name not in layer.untracked_attributes}
    if type(layer).__module__.split(".")[0] == "oneiros":
        attributes = {layer.prefix_in_files + name.lstrip("_"): value for name, value in attributes.items()}
    if isinstance(getattr(layer, "layers", None), list):
        attributes["layers"] = layer.layers
    is_graph = getattr(layer, "layer_graph", None) is not None
    for name in sorted(attributes, key=lambda name: (not (is_graph and name == "layers"), name.startswith("_"), name)):
        yield from _held(name, attributes[name], ())


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
