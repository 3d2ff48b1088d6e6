"""Reads the layout of Keras 3's (and newer tf.keras') ``.weights.h5``: groups nested like the layers themselves.

``layers/dense_1/vars/0`` is the first array of the second Dense; ``layers/bidirectional/forward_layer/cell/vars/0``
one of a layer that the attributes `forward_layer` and `cell` lead to.
"""

from ..core.errors import CorruptFileError
from ..core.names import to_snake_case
from ..layers.base import Layer
from .safe_hdf5 import child, dataset, has, where

_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")


def is_nested(group):
    """Whether a file has this layout."""
    return any(has(group, name) for name in _CONTAINERS)


def stored_layers(group, model, make):
    """``(layer, variables, make(path, group, datasets))`` for all layers that have weights of their own."""
    found = list(_walk(group, model, "", make))
    read = sum(len(variables) for _, variables, _ in found)
    there = []

    def note(path, item):
        other = path.split("/")[0] in ("optimizer", "metrics") or "seed_generator" in path
        if hasattr(item, "shape") and not other:
            there.append(path)

    group.visititems(note)
    if len(there) > read:
        raise CorruptFileError(
            f"{where(group)}: holds {len(there)} arrays, but the layers of model {model.name} have {read}. The file is "
            "of another model."
        )
    return found


def _walk(group, layer, path, make):
    variables = layer.own_weights()
    if variables:
        if group is None or not has(group, "vars"):
            raise CorruptFileError(
                f"The file holds nothing at {path or '/'!r} for layer {layer.name}, which has {len(variables)} weights."
            )
        stored = child(group, "vars")
        yield layer, variables, make(path, stored, [dataset(stored, name) for name in sorted(stored, key=int)])
    for name, inner in _members(layer):
        holder = group
        for part in name.split("/"):
            holder = child(holder, part) if holder is not None and has(holder, part) else None
        yield from _walk(holder, inner, f"{path}/{name}".lstrip("/"), make)


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
