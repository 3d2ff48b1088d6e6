"""Configurations as Keras 2 writes and reads them, for programs of its time: what it had under other names, and without
arguments that it did not have yet, where these have no effect."""

import functools
import inspect
from typing import Any

from ..core import behaviour, registry
from ..initializers import VarianceScaling
from ..optimizers import Optimizer
from ..regularizers import L1, L2
from .generations import DEFAULTS_OF

_PACKAGE = __name__.split(".")[0]
# The arguments that Keras 2 always writes.
_OPTIMIZERS = {
    "SGD": "lr momentum decay nesterov",
    "RMSprop": "lr rho decay epsilon",
    "Adagrad": "lr decay epsilon",
    "Adadelta": "lr rho decay epsilon",
    "Adam": "lr beta_1 beta_2 decay epsilon amsgrad",
    "Adamax": "lr beta_1 beta_2 decay epsilon",
    "Nadam": "lr beta_1 beta_2 epsilon schedule_decay",
}
# Arguments of layers that came after Keras 2.1, with the value that changes nothing; of all layers, and of some.
_NEWER = {
    **dict.fromkeys(("ragged", "keepdims", "reset_after", "zero_output_for_mask"), False),
    "groups": 1,
    "output_padding": None,
    "interpolation": "nearest",
    "renorm_momentum": 0.99,
}
_NEWER_IN = (
    ("Conv2DTranspose Conv3DTranspose SeparableConv1D SeparableConv2D", "dilation_rate", 1),
    ("ConvLSTM2D", "return_state", False),
    ("ConvLSTM2D", "unroll", False),
    ("CuDNNGRU CuDNNLSTM", "go_backwards", False),
    ("LocallyConnected1D LocallyConnected2D", "implementation", 1),
    ("Conv1D AveragePooling1D MaxPooling1D Flatten", "data_format", "channels_last"),
    ("GlobalAveragePooling1D GlobalMaxPooling1D", "data_format", "channels_last"),
    ("Lambda", "module", ...),
    ("Lambda", "output_shape_module", ...),
)
_KERAS1 = dict.fromkeys(("L1L2Regularizer", "WeightRegularizer", "ActivityRegularizer"), "L1L2")
_NEWER_OF = {}
for _names, _argument, _neutral in _NEWER_IN:
    for _name in _names.split():
        _NEWER_OF.setdefault(_name, dict(_NEWER))[_argument] = _neutral


def spelled(thing: Any, entry: dict) -> dict:
    """The configuration of an object as Keras 2 writes it.

    Args:
        thing: The object.
        entry: ``{"class_name", "config"}`` of it, as this library writes it.

    >>> from oneiros import initializers
    >>> spelled(initializers.HeNormal(), {"class_name": "HeNormal", "config": {"seed": None}})["config"]["mode"]
    'fan_in'
    """
    name, config = entry["class_name"], entry["config"]
    if isinstance(thing, (L1, L2)):
        return {"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.0, **config}}
    if isinstance(thing, VarianceScaling) and type(thing).__module__ == VarianceScaling.__module__:
        distribution = "uniform" if thing.distribution == "uniform" else "normal"
        values = {"scale": thing.scale, "mode": thing.mode, "distribution": distribution, "seed": config["seed"]}
        return {"class_name": "VarianceScaling", "config": values}
    if isinstance(config, dict) and name in registry.kind("layer").objects:
        newer = _NEWER_OF.get(name, _NEWER)
        config = {key: value for key, value in config.items() if key not in newer or not _is(value, newer[key])}
        if name == "Bidirectional" and _are_mirrored(config["layer"], config["backward_layer"]):
            del config["backward_layer"]
        return {**entry, "config": config}
    return entry


def read(config: dict) -> dict:
    """Today's form of a regularizer or constraint in files of Keras 1, which have the class among the arguments.

    Args:
        config: Such a configuration; others are returned as they are.

    >>> read({"name": "L1L2Regularizer", "l1": 0.5})
    {'class_name': 'L1L2', 'config': {'l1': 0.5}}
    """
    name = config.get("name")
    if not isinstance(name, str):
        return config
    return {"class_name": _KERAS1.get(name, name), "config": {k: v for k, v in config.items() if k != "name"}}


def _is(value, neutral):
    values = value if isinstance(value, (list, tuple)) else [value]
    return neutral is ... or all(one is neutral or one == neutral for one in values)


def _are_mirrored(forward, backward):
    """Whether Bidirectional makes the second layer from the first by itself."""
    one, other = forward["config"], backward["config"]
    different = {key for key in {*one, *other} if one.get(key) != other.get(key)} - {"name", "go_backwards"}
    mirrored = other["name"] == "backward_" + one["name"].removeprefix("forward_")
    return mirrored and not different and forward["class_name"] == backward["class_name"]


_get_config = Optimizer.get_config


def optimizer_config(optimizer: Optimizer) -> dict:
    """The configuration of an optimizer; under Keras 1 and 2 as these have it."""
    return _of_keras2(optimizer, _get_config(optimizer)) if behaviour.old_configurations else _get_config(optimizer)


def _of_keras2(optimizer, config):
    cls = next(c for c in type(optimizer).__mro__ if c.__module__.split(".")[0] == _PACKAGE)
    if cls is not Optimizer and cls.__name__ not in _OPTIMIZERS:  # which Keras 2 does not have
        return config
    known = [behaviour.rate_argument if k == "lr" else k for k in _OPTIMIZERS.get(cls.__name__, "").split()]
    signatures = (inspect.signature(c.__init__).parameters for c in (Optimizer, cls, type(optimizer)))
    defaults = {name: p.default for parameters in signatures for name, p in parameters.items()}
    defaults |= DEFAULTS_OF.get(cls.__name__, {}).get(behaviour.defaults, {})
    config = {behaviour.rate_argument if k == "learning_rate" else k: value for k, value in config.items()}
    if "decay" in known:
        config.setdefault("decay", 0.0)
    kept = {name: config[name] for name in known if name in config}
    others = {name: value for name, value in config.items() if name not in (*kept, behaviour.rate_argument, "name")}
    return kept | {name: value for name, value in others.items() if value != defaults.get(name, ...) is not value}


def install() -> None:
    """Lets serialization and optimizers write these configurations where the generation asks for them."""
    registry.spelling.spelled, registry.spelling.read = spelled, read
    Optimizer.get_config = functools.wraps(_get_config)(optimizer_config)
