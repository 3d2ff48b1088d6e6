"""The arguments of `compile`, and the state of the optimizer, in files of models."""

import inspect
import warnings
from typing import Any

import numpy as np

from ..core import behaviour, kind
from ..core.context import within
from ..core.errors import CorruptFileError
from ..core.registry import find_custom_object
from .architecture import portable
from .layouts import stored_arrays
from .optimizer_state import by_kind, by_weight, scalars
from .safe_hdf5 import Group, check_type, has
from .serialization import ConfigReader, serialize_keras_object
from .weights import write_arrays

_KIND = {"loss": "loss", "metrics": "metric", "weighted_metrics": "metric"}


# --- compile's arguments


def training_config(model: Any) -> dict | None:
    """The compile arguments of a model as JSON can hold them; ``None`` if it is not compiled."""
    if getattr(model, "optimizer", None) is None:
        return None
    optimizer = kind("optimizer").serialize(model.optimizer)
    name = optimizer["class_name"]
    if behaviour.optimizer_saved_by_name and name in kind("optimizer").objects:
        optimizer["class_name"] = "Custom>" + name  # tells tf.keras which of its two is meant
        optimizer["config"] = optimizer["config"] | {"name": name}  # and Keras 3 which one at all
    given = model.training_state.compile_arguments
    record = {name: _serialized(value, _KIND.get(name)) for name, value in given.items()}
    return portable({"optimizer_config": optimizer, **record})


def compile_config(model: Any) -> dict:
    """The compile arguments of a model as Keras 3 writes them."""
    given = model.training_state.compile_arguments
    names = ("loss", "loss_weights", "metrics", "weighted_metrics")
    arguments = {"optimizer": model.optimizer, **{name: given.get(name) for name in names}}
    return {name: serialize_keras_object(value) for name, value in arguments.items()}


def _serialized(value, of_kind):
    if isinstance(value, (list, tuple)):
        return [_serialized(v, of_kind) for v in value]
    if isinstance(value, dict):
        return {key: _serialized(v, of_kind) for key, v in value.items()}
    if of_kind is None or value is None or isinstance(value, (str, int, float, bool)):
        return value.item() if isinstance(value, np.generic) else value
    if inspect.isclass(value):
        value = value()
    return kind(of_kind).serialize(value)


def compile_arguments(config: dict, source: str) -> dict:
    """The arguments for `compile` from a file's `training_config`."""
    if isinstance(config, dict) and "optimizer" in config:  # as Keras 3 calls it
        config = config | {"optimizer_config": config["optimizer"]}
    if not isinstance(config, dict) or not isinstance(config.get("optimizer_config"), dict):
        raise CorruptFileError(f"{source}: the training_config does not say how the model was compiled.")
    with within(entry_reader=ConfigReader(source)):
        arguments = {"optimizer": kind("optimizer").deserialize(config["optimizer_config"])}
        for name, of_kind in _KIND.items():
            arguments[name] = _made(config.get(name), of_kind)
    for name in ("loss_weights", "sample_weight_mode"):
        arguments[name] = config.get(name)
    return {name: value for name, value in arguments.items() if value is not None}


def _made(value, of_kind):
    """Objects for the configurations in nested lists and dictionaries; names stay names."""
    if isinstance(value, dict) and isinstance(value.get("class_name"), str):
        if value["class_name"] == "function" and isinstance(value.get("config"), str):
            return _made(value["config"], of_kind)
        return kind(of_kind).deserialize(value)
    if isinstance(value, dict):
        return {key: _made(v, of_kind) for key, v in value.items()}
    if isinstance(value, list):  # tf.keras writes [None] for an output without metrics
        return [_made([m for m in v if m is not None] if isinstance(v, list) else v, of_kind) for v in value]
    if isinstance(value, str) and (own := find_custom_object(value)) is not None:
        return own  # the name is known only as long as the file is being loaded
    if isinstance(value, str) and value not in ("acc", "accuracy", "ce", "crossentropy"):
        kind(of_kind).find(value)  # an error now, if the function is neither this library's nor the caller's
    return value


# --- the optimizer's state


def save_optimizer_weights(file: Group, model: Any) -> None:
    """Writes the optimizer's state, in the order of tf.keras, or in Keras 2's in its programs."""
    optimizer = model.optimizer
    if not getattr(optimizer, "built", False):
        return
    state = [*scalars(optimizer), *(by_kind if behaviour.optimizer_state_by_kind else by_weight)(optimizer)]
    names = ["iterations:0" if behaviour.optimizer_state_by_kind else "iteration:0"]
    names += [f"{type(optimizer).__name__}/{i}/{v.name.removesuffix(':0')}:0" for i, v in enumerate(state)]
    count = np.asarray(optimizer.step_count.raw, np.int64)
    write_arrays(file.create_group("optimizer_weights"), names, [count, *(v.raw for v in state)])


def load_optimizer_weights(file: Group, model: Any) -> None:
    """Sets the optimizer's state from a file, where it fits; otherwise warns and leaves the optimizer as it is."""
    if not has(file, "optimizer_weights"):
        return
    optimizer = model.optimizer
    optimizer.build(model.trainable_variables)
    stored = stored_arrays(file, "optimizer_weights")
    arrays = stored.read()  # errors about damage come before those about shapes
    names = [d.name.rsplit("/", 1)[-1].split(":")[0] for d in stored.datasets]
    wanted = (by_weight if "iteration" in names else by_kind)(optimizer)
    counts = [i for i, name in enumerate(names) if name in ("iteration", "iterations", "iter")]
    rates = [i for i, name in enumerate(names) if name == "learning_rate"]
    count, rate = (found[-1] if found else None for found in (counts, rates))  # a wrapper's own come first
    numbers = [i for i, d in enumerate(stored.datasets) if d.shape == () and i not in (*counts, *rates)]
    rest = [i for i, d in enumerate(stored.datasets) if d.shape != ()]
    if all(stored.datasets[i].shape == (1,) for i in rest[len(wanted) :]) or not wanted:
        del rest[len(wanted) :]  # slots that Keras 2 and tf.keras make but do not use
    if [stored.datasets[i].shape for i in rest] != [tuple(v.shape) for v in wanted]:
        warnings.warn(
            f"{file.file.filename}: the stored state of the optimizer ({len(rest)} arrays) does not fit "
            f"{type(optimizer).__name__} ({len(wanted)} arrays). Training starts with a fresh state."
        )
        return
    targets = [*zip(wanted, rest), *zip(scalars(optimizer), numbers)]
    if count is not None:
        targets.append((optimizer.step_count, count))
    if rate is not None and hasattr(optimizer.learning_rate, "assign"):
        targets.append((optimizer.learning_rate, rate))
    for variable, i in targets:
        check_type(stored.datasets[i], variable, arrays[i])
    for variable, i in targets:
        variable.assign(arrays[i])
