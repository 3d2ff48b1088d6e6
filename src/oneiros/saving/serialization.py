"""Configurations from files: checked before anything is made of them, and brought into today's form."""

import collections
import functools
import inspect
import json
import os
import re

import numpy as np

from ..core import behaviour, kind
from ..core.errors import CorruptFileError, LimitExceededError, UnsafeModelError
from ..core.names import to_snake_case
from ..core.registry import CustomObjectScope, find_custom_object
from . import conversion
from .safe_hdf5 import making

FORMAT_VERSION = "2.15.0"  # the Keras whose formats are written
NESTING_LIMIT = 200
ALIAS_LIMIT = 1_000_000  # values in a YAML text, each counted as often as it is used
_KINDS = {
    "activations": "activation",
    "constraints": "constraint",
    "initializers": "initializer",
    "layers": "layer",
    "losses": "loss",
    "metrics": "metric",
    "models": "layer",
    "optimizers": "optimizer",
    "regularizers": "regularizer",
    "schedules": "learning rate schedule",
}
_OWN_PACKAGES = ("keras", "tf_keras", "oneiros", "builtins", "tensorflow")
# Arguments that files hold and that are without meaning here: how something is computed, not what.
_MEANINGLESS = {
    *("implementation", "time_major", "zero_output_for_mask", "use_cudnn", "jit_compile", "autocast", "fn"),
    *("ragged", "optional", "synchronized", "renorm", "renorm_clipping", "renorm_momentum", "fused"),
    *("virtual_batch_size", "is_legacy_optimizer", "quantization_config", "lora_rank", "lora_alpha", "build_config"),
}


# --- JSON


def parse(text, source):
    """The dictionary in a JSON text. Too deep nesting, doubled keys and broken text are errors that name `source`."""
    _check_nesting(text, source)

    def unique(pairs):
        _check_keys([key for key, _ in pairs], source)
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=unique)
    except ValueError as error:
        if isinstance(error, CorruptFileError):
            raise
        if not isinstance(error, json.JSONDecodeError):  # a whole number of thousands of digits
            raise LimitExceededError(f"{source}: the configuration has a number that is too large ({error}).") from None
        raise CorruptFileError(f"{source}: the configuration is not valid JSON ({error}).") from None


def _check_keys(keys, source):
    if len(set(keys)) < len(keys):
        twice = next(key for key, count in collections.Counter(keys).items() if count > 1)
        raise CorruptFileError(f"{source}: the configuration has the duplicate key {_short(twice)}.")


def _check_nesting(text, source):
    depth = 0
    for match in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[{\]}]', text):
        character = match[0]
        if character in "[{":
            depth += 1
            if depth > NESTING_LIMIT:
                raise LimitExceededError(f"{source}: the configuration's nesting is deeper than {NESTING_LIMIT}.")
        elif character in "]}":
            depth -= 1


def dumps(config, **kwargs):
    """JSON of a configuration; what is not plain data is an error that says where it is."""

    def plain(value):
        if isinstance(value, np.ndarray) or hasattr(value, "__jax_array__"):
            return np.asarray(value).tolist()
        if isinstance(value, np.generic):
            return value.item()
        if hasattr(value, "get_config"):
            return {"class_name": type(value).__name__, "config": value.get_config()}
        if callable(value) and hasattr(value, "__name__"):
            return value.__name__
        raise TypeError(
            f"The configuration holds {value!r} of type {type(value).__name__}, which JSON cannot. Let get_config() "
            "return numbers, strings, lists and dictionaries."
        )

    return json.dumps(config, default=plain, **kwargs)


# --- checks and translation


def checked(config, source):
    """The configuration of a model, checked: names that are names, classes that are known, nothing from elsewhere.

    Raises `UnsafeModelError` or `CorruptFileError`. Returns a copy in today's form.
    """
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        raise CorruptFileError(
            f"{source}: expected the configuration of a model, with a class_name. Found: {_short(config)}"
        )
    return _Walk(source).entry(config, "layer")


def checked_part(config, source, of_kind):
    """The same for the configuration of a loss, metric or optimizer (names and nested lists of them, too)."""
    return _Walk(source).value(config, of_kind)


class _Walk:
    def __init__(self, source):
        self.source = source

    def value(self, value, of_kind=None):
        if isinstance(value, list):
            return [self.value(v, of_kind) for v in value]
        if isinstance(value, dict):
            if isinstance(value.get("class_name"), str) and ("config" in value or "module" in value):
                return self.entry(value, of_kind)
            return {key: self.value(v, of_kind if of_kind != "layer" else None) for key, v in value.items()}
        return value

    def entry(self, entry, of_kind):
        """One ``{"class_name", "config", ...}``."""
        self._check_origin(entry)
        class_name, config = entry["class_name"], entry.get("config")
        self._check_name(entry.get("name"))
        if isinstance(config, dict):
            self._check_name(config.get("name"))
        if of_kind == "layer" and class_name != "Operation":
            if (operation := _operation(entry)) is not None:
                return operation
            self._check_class(entry)
        new = {}
        for key, value in entry.items():
            if key != "config":
                new[key] = self.value(value) if key != "inbound_nodes" else value
        if isinstance(config, dict):
            inner = {key: self.value(value, _kind_of_key(key)) for key, value in config.items()}
            new["config"] = _fitting(class_name, entry.get("module"), of_kind, inner)
        elif class_name in ("Sequential", "Model", "Functional"):  # Sequential in Keras 1 and 2.1
            new["config"] = self.value(config, "layer")
        elif "config" in entry:
            new["config"] = config
        return new

    def _check_name(self, name):
        if name is None:
            return
        bad = not isinstance(name, str) or "\0" in name or "\\" in name or name.startswith("/")
        if bad or ".." in name.split("/"):
            raise UnsafeModelError(f"{self.source}: {_short(name)} is not an allowed name for a layer.")

    def _check_origin(self, entry):
        """Keras 3 says which module a class or function is from: ours and the caller's are looked up, no others."""
        module = entry.get("module")
        if module is None:
            return
        root = str(module).split(".")[0]
        named = entry["config"] if entry["class_name"] == "function" else entry["class_name"]
        known = any(
            isinstance(name, str) and find_custom_object(name) is not None
            for name in (entry.get("registered_name"), named)
        )
        if root not in _OWN_PACKAGES and not known:
            raise UnsafeModelError(
                f"{self.source}: '{_plain(module)}.{_plain(named)}' is not a layer or op of this library. If it is "
                f"your own, pass custom_objects={{{_plain(named)!r}: ...}}."
            )

    def _check_class(self, entry):
        name = entry.get("registered_name")
        if isinstance(name, str) and find_custom_object(name) is not None:
            return
        try:
            kind("layer").find(entry["class_name"], UnsafeModelError)
        except UnsafeModelError as error:
            raise UnsafeModelError(
                f"{self.source}: {_plain(entry['class_name'])!r} is not a layer or op of this library. {error}"
            ) from None


def _operation(entry):
    """Keras 3 writes tensor functions in a graph as if they were layers: class ``NotEqual`` for ``ops.not_equal``."""
    name, config = entry["class_name"], entry.get("config")
    if find_custom_object(name) is not None or name in kind("layer").objects or not isinstance(config, dict):
        return None
    ending = "." + to_snake_case(name)
    path = next((path for path in kind("operation").objects if path.startswith("ops.") and path.endswith(ending)), None)
    if path is None:
        return None
    options = {key: value for key, value in config.items() if key not in ("name", "dtype", "trainable")}
    calls = [
        call | {"kwargs": options | call.get("kwargs", {})} for call in entry.get("inbound_nodes", ()) if "args" in call
    ]
    config = {"name": config.get("name"), "function": path}
    return {"name": entry.get("name"), "class_name": "Operation", "config": config, "inbound_nodes": calls}


def _kind_of_key(key):
    if key == "layers" or key in _HELD:
        return "layer"
    ending = key.rsplit("_", 1)[-1]
    return ending if ending in ("initializer", "regularizer", "constraint", "activation") else None


def _plain(value):
    return str(value)[:80]


def _short(value):
    return repr(value)[:80]


def _fitting(class_name, module, of_kind, config):
    """A configuration without the arguments that a class of this library has not, where they do not matter."""
    of_kind = of_kind or next((k for part, k in _KINDS.items() if part in str(module).split(".")), None)
    cls = None
    if of_kind is not None:
        try:
            cls = kind(of_kind).find(class_name)
        except ValueError:
            pass
    if not inspect.isclass(cls) or cls.__module__.split(".")[0] != "oneiros":
        return config
    known = _parameters(cls)
    config = {
        key: value for key, value in config.items() if key in known or (value is not None and key not in _MEANINGLESS)
    }
    if config.get("reduction") == "auto":
        config["reduction"] = "sum_over_batch_size"
    return config


@functools.cache
def _parameters(cls):
    """The names that a constructor takes, those of its base classes included where it hands them on."""
    names = set()
    for base in cls.__mro__:
        if "__init__" not in vars(base) or base is object:
            continue
        parameters = inspect.signature(base.__init__).parameters
        names |= set(parameters)
        if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            break
    return frozenset(names)


# --- models as text

# Arguments of which only Keras 3 knows: left out of files where they are not used, so that others read them.
_NEWER = {
    *("input_axes", "output_axes", "quantization_config", "lora_rank", "lora_alpha", "renorm", "renorm_clipping"),
    *("optional", "synchronized", "autocast", "use_cudnn", "loss_scale_factor", "gradient_accumulation_steps", "seed"),
}
_HELD = {"layer", "backward_layer", "cell", "cells"}  # arguments that are layers
_OLDER_NAMES = {"LeakyReLU": {"negative_slope": "alpha"}}  # Keras 3 understands them too


def portable(config):
    """A configuration as all Kerases since 2.0 read it: without arguments of Keras 3 that say nothing."""
    if isinstance(config, list):
        return [portable(v) for v in config] if type(config) is list else config
    if not isinstance(config, dict):
        return config
    config = {key: portable(v) for key, v in config.items() if v is not None and v is not False or key not in _NEWER}
    inner = config.get("config")
    if isinstance(inner, dict):
        for key in _HELD & inner.keys():
            held = inner[key] if isinstance(inner[key], list) else [inner[key]]
            for layer in held:
                if isinstance(layer, dict) and layer.get("class_name") in kind("layer").objects:
                    layer |= {"module": "keras.layers", "registered_name": None}  # Keras 3 finds it only so
        names = _OLDER_NAMES.get(config.get("class_name"), {})
        config["config"] = inner = {names.get(key, key): value for key, value in inner.items()}
        if config.get("class_name") == "ZeroPadding1D" and inner.get("data_format") == "channels_last":
            del inner["data_format"]
    return config


def serialize_model(model):
    """``{"class_name", "config"}`` of a model."""
    class_name = type(model).__name__
    if class_name == "Model" and behaviour.generation not in ("1", "2"):
        class_name = "Functional"
    return {"class_name": class_name, "config": portable(model.get_config())}


def model_from_config(config, custom_objects=None):
    """The model of a configuration: ``{"class_name": ..., "config": ...}``."""
    if isinstance(config, list):
        raise TypeError(
            "`model_from_config` expects a dictionary, not a list. For the configuration of a Sequential, use "
            "Sequential.from_config(config)."
        )
    return _make(config, "model_from_config", custom_objects)


def _make(config, source, custom_objects=None):
    with CustomObjectScope(custom_objects), making(source):
        config = checked(config, source)
        config = conversion.with_today_names(config, config.get("keras_version"), config.get("backend"))
        return kind("layer").deserialize(config)


def model_to_json(model, **kwargs):
    """A model's architecture as JSON text; kwargs go to `json.dumps`."""
    text, backend = conversion.with_stored_names(dumps(serialize_model(model)))
    return json.dumps(json.loads(text) | {"keras_version": FORMAT_VERSION, "backend": backend}, **kwargs)


def model_from_json(json_string, custom_objects=None):
    """The model, with fresh weights, of the JSON text that `to_json` gave."""
    return _make(parse(json_string, "model_from_json"), "model_from_json", custom_objects)


def _yaml():
    try:
        import yaml
    except ImportError:
        raise ImportError("YAML needs PyYAML: pip install pyyaml. Or use to_json and model_from_json.") from None
    return yaml


def model_to_yaml(model, **kwargs):
    """A model's architecture as YAML text: plain data, as in JSON."""
    return _yaml().safe_dump(json.loads(model_to_json(model)), **kwargs)


def _check_yaml(root):
    """Refuses doubled keys, nodes that hold themselves, and aliases that grow beyond `ALIAS_LIMIT`."""
    sizes, open_ = {}, set()

    def size(node):
        if id(node) in open_:
            raise CorruptFileError("model_from_yaml: a part of the configuration contains itself.")
        if id(node) not in sizes:
            open_.add(id(node))
            parts = node.value if isinstance(node.value, list) else ()
            keys = [part[0].value for part in parts if isinstance(part, tuple)]
            _check_keys([key for key in keys if isinstance(key, str)], "model_from_yaml")
            flat = (one for part in parts for one in (part if isinstance(part, tuple) else (part,)))
            sizes[id(node)] = 1 + sum(map(size, flat))
            open_.discard(id(node))
        if sizes[id(node)] > ALIAS_LIMIT:
            raise LimitExceededError(f"model_from_yaml: its aliases stand for more than {ALIAS_LIMIT} values.")
        return sizes[id(node)]

    if root is not None:
        size(root)


def model_from_yaml(yaml_string, custom_objects=None):
    """The model of a YAML text. Only plain data is read: tags, which could make Python objects, are refused."""
    yaml = _yaml()
    loader = yaml.SafeLoader(yaml_string)
    try:
        node = loader.get_single_node()
        _check_yaml(node)
        config = loader.construct_document(node) if node is not None else None
    except (CorruptFileError, LimitExceededError):
        raise
    except (yaml.YAMLError, ValueError, TypeError) as error:  # the latter two: dates and keys that cannot be
        if "could not determine a constructor" in str(error):
            raise UnsafeModelError(f"model_from_yaml: only plain data is read, no tags ({error}).") from None
        raise CorruptFileError(f"model_from_yaml: not valid YAML ({error}).") from None
    except RecursionError:
        raise LimitExceededError("model_from_yaml: the configuration's nesting is too deep.") from None
    finally:
        loader.dispose()
    text = dumps(config)
    return _make(parse(text, "model_from_yaml"), "model_from_yaml", custom_objects)


def source_name(source):
    """A file's name for messages."""
    return os.fspath(source) if isinstance(source, (str, os.PathLike)) else str(getattr(source, "name", source))
