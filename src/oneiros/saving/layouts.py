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

from ..core.errors import CorruptFileError
from ..core.names import to_snake_case
from ..layers.base import Layer
from .safe_hdf5 import Group, array, checksum, child, dataset, has, names, text, where

CHECKSUM = "crc32"  # the attribute with the checksum of a group's arrays
TOP_LEVEL = "top_level_model_weights"  # the group of weights that belong to the model itself
_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")  # one of them is in every nested file


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
    found = list(_walk(group, model, ""))
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


def _walk(group, layer, path):
    variables = layer.own_weights()
    if variables:
        if group is None or not has(group, "vars"):
            raise CorruptFileError(
                f"The file holds nothing at {path or '/'!r} for layer {layer.name}, which has {len(variables)} weights."
            )
        stored = child(group, "vars")
        yield layer, variables, Stored(path, stored, [dataset(stored, name) for name in sorted(stored, key=int)])
    for name, inner in _members(layer):
        holder = group
        for part in name.split("/"):
            holder = child(holder, part) if holder is not None and has(holder, part) else None
        yield from _walk(holder, inner, f"{path}/{name}".lstrip("/"))


def _members(layer):
    """The layers inside, with the names that they have in files."""
    if hasattr(layer, "layers"):
        yield from _numbered("layers", layer.layers)
        return
    for name, value in vars(layer).items():
        if name in layer.untracked_attributes:
            continue
        if isinstance(value, Layer):
            yield name.lstrip("_"), value
        elif isinstance(value, (list, tuple)) and value and all(isinstance(v, Layer) for v in value):
            yield from _numbered(name.lstrip("_"), value)


def _numbered(holder, layers):
    counts = {}
    for layer in layers:
        name = to_snake_case(type(layer).__name__)
        counts[name] = counts.get(name, 0) + 1
        yield f"{holder}/{name}_{counts[name] - 1}" if counts[name] > 1 else f"{holder}/{name}", layer
