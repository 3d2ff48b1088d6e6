"""Architectures: models as JSON or YAML text, and models from it."""

import json
from typing import Any

from ..core import behaviour, kind
from ..core.context import within
from ..core.errors import CorruptFileError, LimitExceededError, UnsafeModelError
from ..core.registry import CustomObjectScope, get_registered_name
from . import conversion
from .safe_hdf5 import making
from .serialization import FORMAT_VERSION, ConfigReader, check_keys, dumps, parse

ALIAS_LIMIT = 1_000_000  # values in a YAML text, each counted as often as it is used

# Arguments that only Keras 3 knows. Where they are not used, files do not hold them, so that older versions read them.
_NEWER = {
    *("input_axes", "output_axes", "quantization_config", "lora_rank", "lora_alpha", "renorm", "renorm_clipping"),
    *("optional", "synchronized", "autocast", "use_cudnn", "loss_scale_factor", "gradient_accumulation_steps", "seed"),
}
_HELD = {"layer", "backward_layer", "cell", "cells"}  # arguments that are layers
_OLDER_NAMES = {"LeakyReLU": {"negative_slope": "alpha"}}  # Keras 3 understands them too


def portable(config: Any) -> Any:
    """A configuration that all versions of Keras since 2.0 read: without unused arguments of Keras 3."""
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
                    layer |= {"module": "keras.layers", "registered_name": None}  # or Keras 3 does not find it
        names = _OLDER_NAMES.get(config.get("class_name"), {})
        config["config"] = inner = {names.get(key, key): value for key, value in inner.items()}
        if config.get("class_name") == "ZeroPadding1D" and inner.get("data_format") == "channels_last":
            del inner["data_format"]
    return config


def serialize_model(model: Any) -> dict:
    """``{"class_name", "config"}`` of a model."""
    class_name = get_registered_name(type(model))
    if class_name == "Model":
        class_name = behaviour.plain_model_class
    return {"class_name": class_name, "config": portable(model.get_config())}


def model_from_config(config: dict, custom_objects: dict | None = None) -> Any:
    """A model with fresh weights from its configuration.

    Args:
        config: ``{"class_name": ..., "config": ...}``.
        custom_objects: your own classes and functions by name.

    Returns:
        The model.

    Raises:
        CorruptFileError: the configuration is not that of a model.
        UnsafeModelError: it names classes that are neither this library's nor yours.

    >>> layers = [{"class_name": "InputLayer", "config": {"batch_shape": [None, 3]}}]
    >>> layers.append({"class_name": "Dense", "config": {"units": 2}})
    >>> model_from_config({"class_name": "Sequential", "config": {"layers": layers}}).output_shape
    (None, 2)
    """
    if isinstance(config, list):
        raise TypeError(
            "`model_from_config` expects a dictionary, not a list. For the configuration of a Sequential, use "
            "Sequential.from_config(config)."
        )
    return make_model(config, "model_from_config", custom_objects)


def make_model(config: dict, source: str, custom_objects: dict | None = None, **written_by) -> Any:
    """The model of a configuration from a file, checked as it is made.

    Args:
        config: ``{"class_name": ..., "config": ...}``.
        source: the name of the file, for messages.
        custom_objects: the caller's own classes and functions by name.
        written_by: `keras_version` and `backend`, where the configuration itself does not say what wrote it.
    """
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        raise CorruptFileError(
            f"{source}: expected the configuration of a model, with a class_name. Found: {repr(config)[:80]}"
        )
    written_by = written_by or {key: config.get(key) for key in ("keras_version", "backend")}
    reader = ConfigReader(source, conversion.new_activation_names(**written_by))
    with CustomObjectScope(custom_objects), making(source), within(entry_reader=reader):
        return kind("layer").deserialize(config)


def model_to_json(model: Any, **kwargs) -> str:
    """A model's architecture, without its weights, as JSON text.

    Args:
        model: the model.
        kwargs: arguments of `json.dumps`, for example ``indent=2``.
    """
    text, backend = conversion.with_stored_names(dumps(serialize_model(model)))
    return json.dumps(json.loads(text) | {"keras_version": FORMAT_VERSION, "backend": backend}, **kwargs)


def _yaml():
    try:
        import yaml
    except ImportError:
        raise ImportError("YAML needs PyYAML: pip install pyyaml. Or use to_json and model_from_json.") from None
    return yaml


def model_to_yaml(model: Any, **kwargs) -> str:
    """A model's architecture, without its weights, as YAML text.

    Args:
        model: the model.
        kwargs: arguments of `yaml.safe_dump`.

    Raises:
        ImportError: PyYAML is not installed.
    """
    return _yaml().safe_dump(json.loads(model_to_json(model)), **kwargs)


def _check_yaml(root):
    """Refuses duplicate keys, nodes that contain themselves, and aliases that stand for too many values."""
    sizes, open_ = {}, set()

    def size(node):
        if id(node) in open_:
            raise CorruptFileError("model_from_yaml: a part of the configuration contains itself.")
        if id(node) not in sizes:
            open_.add(id(node))
            parts = node.value if isinstance(node.value, list) else ()
            keys = [part[0].value for part in parts if isinstance(part, tuple)]
            check_keys([key for key in keys if isinstance(key, str)], "model_from_yaml")
            flat = (one for part in parts for one in (part if isinstance(part, tuple) else (part,)))
            sizes[id(node)] = 1 + sum(map(size, flat))
            open_.discard(id(node))
        if sizes[id(node)] > ALIAS_LIMIT:
            raise LimitExceededError(f"model_from_yaml: its aliases stand for more than {ALIAS_LIMIT} values.")
        return sizes[id(node)]

    if root is not None:
        size(root)


def model_from_yaml(yaml_string: str, custom_objects: dict | None = None) -> Any:
    """A model with fresh weights from the YAML text that `to_yaml` returned.

    Args:
        yaml_string: the text.
        custom_objects: your own classes and functions by name.

    Returns:
        The model.

    Raises:
        CorruptFileError: the text is not YAML, or not the configuration of a model.
        LimitExceededError: it is nested too deeply, or its aliases stand for too many values.
        UnsafeModelError: it holds tags, which could make Python objects, or names unknown classes.
        ImportError: PyYAML is not installed.
    """
    yaml = _yaml()
    loader = yaml.SafeLoader(yaml_string)
    try:
        node = loader.get_single_node()
        _check_yaml(node)
        config = loader.construct_document(node) if node is not None else None
    except (CorruptFileError, LimitExceededError):
        raise
    except (yaml.YAMLError, ValueError, TypeError) as error:  # the last two: impossible dates and keys
        if "could not determine a constructor" in str(error):
            raise UnsafeModelError(f"model_from_yaml: only plain data is read, no tags ({error}).") from None
        raise CorruptFileError(f"model_from_yaml: not valid YAML ({error}).") from None
    except RecursionError:
        raise LimitExceededError("model_from_yaml: the configuration's nesting is too deep.") from None
    finally:
        loader.dispose()
    text = dumps(config)
    return make_model(parse(text, "model_from_yaml"), "model_from_yaml", custom_objects)
