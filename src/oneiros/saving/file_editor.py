"""Files of weights as nested dictionaries, to be looked at, compared with a model, and changed."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.errors import InputDataError
from . import containers, keras_archive, safe_hdf5
from .layouts import nested_stores, write_entries
from .weights import nested_entries


class KerasFileEditor:
    """Shows and changes what a file of weights holds, where a model and a file do not fit together.

    Objects, such as layers, are named by their path, ``layers/dense_1``, or by their own name where it is unique.

    Args:
        filepath: A file that ends in .keras, .weights.h5, .weights.json or .safetensors.

    Raises:
        InputDataError: The file is of another kind.
        UnsafeModelError: It refers to other files.

    >>> import os, tempfile
    >>> import oneiros as keras
    >>> path = os.path.join(tempfile.mkdtemp(), "a.weights.h5")
    >>> keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)]).save_weights(path)
    >>> editor = KerasFileEditor(path)
    >>> editor.summary()
    Weights structure
      layers
        dense
          0: shape=(3, 2), dtype=float32
          1: shape=(2,), dtype=float32
    """

    def __init__(self, filepath: str | os.PathLike):
        self.filepath = os.fspath(filepath)
        self.weights_dict, self._names = {}, {}
        if not self.filepath.endswith((".keras", ".weights.h5", containers.INDEX, containers.TENSORS)):
            raise InputDataError(
                f"KerasFileEditor: {self.filepath!r} is of no kind that it reads. Use a file that ends in .keras, "
                ".weights.h5, .weights.json or .safetensors."
            )
        with _opened(self.filepath) as file:
            safe_hdf5.declared_bytes(file)
            for place, stored in nested_stores(file):
                path = place.removesuffix("vars").rstrip("/")
                self._names[path] = safe_hdf5.text(stored.group, "name") or ""
                if stored.datasets:
                    _place(self.weights_dict, path).update(zip(stored.keys, stored.read()))

    # --- looking

    def summary(self) -> None:
        """Prints the objects in the file, and the shapes of their weights."""
        print("Weights structure")
        for depth, name, value in _lines(self.weights_dict):
            what = "" if isinstance(value, dict) else f": shape={np.shape(value)}, dtype={value.dtype}"
            print(f"{'  ' * depth}{name}{what}")

    def compare(self, reference_model: Any) -> dict:
        """Compares the file with a model, and prints where they differ.

        Args:
            reference_model: A model that is built.

        Returns:
            A dictionary of ``status`` ("success" or "error"), ``error_count`` and ``match_count``.
        """
        reference = {}
        for place, _, store in nested_entries(reference_model):
            if store:
                _place(reference, place.removesuffix("vars").rstrip("/")).update(store)
        found = list(_differences(reference, self.weights_dict, ""))
        errors = [message for message in found if message]
        for message in errors:
            print(message)
        result = "is not compatible" if errors else "is compatible"
        print(f"The file {result} with the model: {len(errors)} errors, {len(found) - len(errors)} matching weights.")
        status = "error" if errors else "success"
        return {"status": status, "error_count": len(errors), "match_count": len(found) - len(errors)}

    # --- changing

    def rename_object(self, object_name: str, new_name: str) -> None:
        """Gives an object a new name at its place.

        Args:
            object_name: Its name or path.
            new_name: The new name, not a path.

        Raises:
            ValueError: There is no such object, or the new name is taken or a path.
        """
        if "/" in new_name or not new_name:
            raise InputDataError(f"rename_object: the new name is to be a name, not a path. Received: {new_name!r}")
        parent, name = self._find(object_name)
        holder = _place(self.weights_dict, parent)
        if new_name in holder:
            raise InputDataError(f"rename_object: {parent or '/'} already holds {new_name!r}. Delete it first.")
        holder[new_name] = holder.pop(name)
        self._forget(f"{parent}/{name}".lstrip("/"))

    def delete_object(self, object_name: str) -> None:
        """Removes an object and all in it.

        Args:
            object_name: Its name or path.

        Raises:
            ValueError: There is no such object.
        """
        parent, name = self._find(object_name)
        del _place(self.weights_dict, parent)[name]
        self._forget(f"{parent}/{name}".lstrip("/"))

    def add_object(self, object_path: str, weights: dict) -> None:
        """Adds an object with weights.

        Args:
            object_path: Its path. What it is in must be there.
            weights: A dictionary from names ("0", "1", ...) to arrays.

        Raises:
            ValueError: The object is there already, or what it is to be in is not.
        """
        parent, _, name = object_path.strip("/").rpartition("/")
        holder = _place(self.weights_dict, "/".join(self._find(parent))) if parent else self.weights_dict
        if name in holder:
            raise InputDataError(f"add_object: {object_path!r} is there already. Use add_weights.")
        holder[name] = _arrays(weights)

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Removes a weight of an object.

        Args:
            object_name: The object's name or path.
            weight_name: The weight's name, such as "0".

        Raises:
            ValueError: There is no such weight.
        """
        held = self._object(object_name)
        if weight_name not in held or isinstance(held[weight_name], dict):
            raise InputDataError(f"delete_weight: {object_name!r} has no weight {weight_name!r}. It has {list(held)}.")
        del held[weight_name]

    def add_weights(self, object_name: str, weights: dict) -> None:
        """Adds weights to an object, or replaces those of the same names.

        Args:
            object_name: The object's name or path.
            weights: A dictionary from names ("0", "1", ...) to arrays.

        Raises:
            ValueError: There is no such object.
        """
        self._object(object_name).update(_arrays(weights))

    def save(self, filepath: str | os.PathLike) -> None:
        """Writes the weights to a new file.

        Args:
            filepath: A path that ends in .weights.h5 or .safetensors.

        Raises:
            InputDataError: It ends in something else.
        """
        path = os.fspath(filepath)
        entries = [
            (f"{place}/vars".lstrip("/"), self._names.get(place, place.rpartition("/")[2]), store)
            for place, store in _stores(self.weights_dict, "")
        ]
        if path.endswith(containers.TENSORS):
            containers.write_tensors(path, entries)
        elif path.endswith(".weights.h5"):
            with safe_hdf5.writing(path) as file:
                write_entries(file, entries)
        else:
            raise InputDataError(f"KerasFileEditor.save: expected a name that ends in .weights.h5. Received: {path!r}")

    resave_weights = save

    # --- paths

    def _find(self, name):
        """The path of what an object is in, and the object's own name."""
        name = name.strip("/")
        paths = [path for path in _paths(self.weights_dict, "") if name in (path, path.rpartition("/")[2])]
        paths = [name] if name in paths and "/" in name else paths
        if len(paths) != 1:
            hint = f"it could be {paths}: give one of these paths" if paths else "summary() lists those there are"
            raise InputDataError(f"KerasFileEditor: {name!r} does not name one object in the file; {hint}.")
        parent, _, own = paths[0].rpartition("/")
        return parent, own

    def _object(self, name):
        parent, own = self._find(name)
        return _place(self.weights_dict, parent)[own]

    def _forget(self, path):
        """What has moved or gone has no longer the name of a layer."""
        self._names = {p: n for p, n in self._names.items() if p != path and not p.startswith(f"{path}/")}


@contextlib.contextmanager
def _opened(path) -> Iterator[Any]:
    if not path.endswith(".keras"):
        with containers.opened(path) as file:
            yield file
        return
    with keras_archive.unpacked(path) as (_, folder), safe_hdf5.reading(folder / keras_archive.WEIGHTS) as file:
        yield file


def _place(tree, path):
    """The dictionary at a path, which is made if it is not there."""
    for part in filter(None, path.split("/")):
        tree = tree.setdefault(part, {})
    return tree


def _arrays(weights):
    if not isinstance(weights, dict):
        raise InputDataError(f"KerasFileEditor: expected a dictionary from names to arrays. Received: {weights!r}")
    return {str(name): np.asarray(value) for name, value in weights.items()}


def _lines(tree, depth=1):
    for name, value in tree.items():
        yield depth, name, value
        if isinstance(value, dict):
            yield from _lines(value, depth + 1)


def _paths(tree, path):
    for name, value in tree.items():
        if isinstance(value, dict):
            place = f"{path}/{name}".lstrip("/")
            yield place
            yield from _paths(value, place)


def _stores(tree, path):
    """Pairs of an object's path and its own weights."""
    yield path, {name: value for name, value in tree.items() if not isinstance(value, dict)}
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _stores(value, f"{path}/{name}".lstrip("/"))


def _differences(wanted, found, path):
    """A message for each difference, and an empty one for each weight that is as it should be."""
    for name in {**wanted, **found}:
        a, b, place = wanted.get(name), found.get(name), f"{path}/{name}"
        if a is None or b is None or isinstance(a, dict) != isinstance(b, dict):
            place += f" {list(a or b)}" if isinstance(b if a is None else a, dict) else ""
            yield f"...{place} is in the {'file, not in the model' if a is None else 'model, not in the file'}"
        elif isinstance(a, dict):
            yield from _differences(a, b, place)
        else:
            same = tuple(np.shape(a)) == tuple(np.shape(b))
            yield "" if same else f"...{place} has shape {np.shape(a)} in the model, {np.shape(b)} in the file"
