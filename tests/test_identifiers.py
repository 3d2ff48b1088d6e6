"""Every name and string identifier of Keras 1, 2, tf.keras and 3 for activations to optimizers is known here.

identifiers.json holds their names and signatures; what is left to compat/ is listed here, with the reason.
"""

import importlib
import inspect
import json
from pathlib import Path

import numpy as np
import pytest

from oneiros import core

API = json.loads((Path(__file__).parent / "identifiers.json").read_text())
KEYS = {name: name[:-1] if name != "losses" else "loss" for name in API}
# Of Keras 1 alone, with other arguments than their successors: made in compat/.
KERAS_1 = {
    "initializers": {"get_fans"},
    "regularizers": {
        *("ActivityRegularizer", "EigenvalueRegularizer", "L1L2Regularizer", "WeightRegularizer", "l1l2"),
        *("activity_l1", "activity_l1l2", "activity_l2"),
    },
    "metrics": {"f1score", "fbeta_score", "fmeasure", "fscore", "matthews_correlation", "precision", "recall"},
}
OLDER_MODULES = ("legacy.", "experimental.")  # tf.keras' second names of the same classes: import paths in compat/


def module(section):
    return importlib.import_module(f"oneiros.{section}")


@pytest.mark.parametrize("section", API)
def test_every_name_exists(section):
    names = [*API[section]["keras_3"], *API[section]["older"]]
    missing = []
    for name in names:
        if name in KERAS_1.get(section, ()) or name.startswith(OLDER_MODULES):
            continue
        thing = module(section)
        for part in name.split("."):
            thing = getattr(thing, part, None)
        if thing is None:
            missing.append(name)
    assert not missing


@pytest.mark.parametrize("section", API)
def test_every_identifier_is_known(section):
    kind = core.kind(KEYS[section])
    unknown = []
    for name in API[section]["identifiers"]:
        if name in KERAS_1.get(section, ()) or name == "optimizer_from_config":
            continue
        try:
            kind.find(name)
        except ValueError:
            unknown.append(name)
    assert not unknown


def parameters(signature):
    return [p.split("=")[0].strip() for p in signature.strip("()").split(",") if p.strip()] if signature else []


@pytest.mark.parametrize("section", API)
def test_arguments_of_keras_3_are_accepted(section):
    wrong = {}
    for name, signature in API[section]["keras_3"].items():
        if name.startswith(OLDER_MODULES) or "." in name or name in ("get", "serialize", "deserialize"):
            continue
        thing = getattr(module(section), name)
        known = inspect.signature(thing).parameters
        if section == "optimizers":
            known = {**known, **inspect.signature(module(section).Optimizer).parameters}
        missing = [p for p in parameters(signature) if p not in known and p.isidentifier()]
        if missing and "y_true" not in missing:
            wrong[name] = missing
    assert not wrong


SIMPLE = {  # what classes with required arguments are made with
    "MeanMetricWrapper": {"fn": "mean_squared_error"},
    "SumOverBatchSizeMetricWrapper": {"fn": "mean_squared_error"},
    "LossFunctionWrapper": {"fn": "mean_squared_error"},
    "MeanRelativeError": {"normalizer": [1.0, 2.0]},
    "IoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "MeanIoU": {"num_classes": 3},
    "EigenvalueRegularizer": {"k": 0.1},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "OneHotMeanIoU": {"num_classes": 3},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "LossScaleOptimizer": {"inner_optimizer": {"class_name": "Adam", "config": {"learning_rate": 0.5}}},
    "ExponentialDecay": {"initial_learning_rate": 0.1, "decay_steps": 5, "decay_rate": 0.5},
    "InverseTimeDecay": {"initial_learning_rate": 0.1, "decay_steps": 5, "decay_rate": 0.5},
    "PiecewiseConstantDecay": {"boundaries": [1, 2], "values": [1.0, 2.0, 3.0]},
    "PolynomialDecay": {"initial_learning_rate": 0.1, "decay_steps": 5},
    "CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 5},
    "CosineDecayRestarts": {"initial_learning_rate": 0.1, "first_decay_steps": 5},
    "MultiOptimizer": {
        "optimizer_map": {
            "class_name": "OptimizerMap",
            "config": {
                "default_optimizer": {"class_name": "SGD", "config": {}},
                "optimizer_map": {"bias": {"class_name": "Adam", "config": {}}},
            },
        }
    },
    "OptimizerMap": {"default_optimizer": {"class_name": "SGD", "config": {}}},
}
FOREIGN = {"OptaxOptimizer", "TFOptimizer"}  # wrap objects that have no configuration
CLASSES = sorted(
    {
        (kind, thing.__name__)
        for kind in (*KEYS.values(), "learning rate schedule")
        for module_name in [*API, "optimizers.schedules"]
        if module(module_name)
        for thing in core.kind(kind).objects.values()
        if inspect.isclass(thing) and thing.__name__ not in FOREIGN
    }
)


@pytest.mark.parametrize(("kind", "name"), CLASSES)
def test_configuration_round_trip(kind, name):
    kind = core.kind(kind)
    config = {"class_name": name, "config": SIMPLE.get(name, {})}
    one = kind.deserialize(config)
    stored = json.loads(json.dumps(kind.serialize(one)))
    two = kind.deserialize(stored)
    assert type(two) is type(one)
    assert json.loads(json.dumps(kind.serialize(two))) == stored


@pytest.mark.parametrize("section", ["activations", "losses", "metrics"])
def test_functions_round_trip(section):
    kind = core.kind(KEYS[section])
    for name, thing in kind.objects.items():
        if not inspect.isclass(thing):
            assert kind.deserialize(kind.serialize(thing)) is thing, name


def test_every_loss_can_be_reloaded_as_a_metric():
    for name, thing in core.kind("loss").objects.items():
        if not inspect.isclass(thing):
            assert module("metrics").get(name) is not None
            assert module("metrics").deserialize(module("losses").serialize(thing)) is not None


@pytest.mark.parametrize("section", API)
def test_unknown_names_are_refused_with_a_hint(section):
    with pytest.raises(ValueError, match="Unknown"):
        module(section).get("no_such_thing")


def test_functions_take_symbols_lists_and_variables():
    from oneiros import activations, losses, metrics

    x = core.Symbol((None, 4))
    assert activations.relu(x).shape == (None, 4)
    assert losses.mean_squared_error(x, x).shape == (None,)
    assert losses.MeanSquaredError()(x, x).shape == ()
    assert metrics.binary_accuracy(x, x).shape == (None, 4)
    assert activations.tanh(core.Variable([0.0])).tolist() == [0.0]
    np.testing.assert_allclose(losses.mean_absolute_error([[1, 2]], [[0.0, 0.0]]), [1.5])
