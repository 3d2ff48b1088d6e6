"""A user's class with a constructor of its own is what the library's class is that it calls."""

import inspect
import json

import numpy as np
import pytest

from oneiros import constraints, initializers, layers, losses, metrics, optimizers, regularizers

MODULES = (layers, optimizers, metrics, losses, initializers, regularizers, constraints)
ARGUMENTS = {
    "Activation": ("relu",),
    "Bidirectional": (layers.LSTM(2),),
    "Lambda": (np.sqrt,),
    "Permute": ((1,),),
    "Reshape": ((2,),),
    "RNN": (layers.LSTMCell(2),),
    "SpectralNormalization": (layers.Dense(2),),
    "StackedRNNCells": ([layers.LSTMCell(2)],),
    "TimeDistributed": (layers.Dense(2),),
    "Wrapper": (layers.Dense(2),),
    "LossScaleOptimizer": ("sgd",),
}
LEFT_OUT = ("OptimizerMap", "MeanMetricWrapper", "SumOverBatchSizeMetricWrapper")


TRIED = [(), (3,), (3, 3), (0.5,), (3, 4), (0, 1)]


def made(cls):
    """An object with simple arguments, and these; ``None`` if none of them do."""
    for arguments in [ARGUMENTS[cls.__name__]] if cls.__name__ in ARGUMENTS else TRIED:
        try:
            thing = cls(*arguments)
            thing.get_config()
        except Exception:  # noqa: S112 - abstract, or it needs other arguments
            continue
        return thing, arguments
    return None


def classes():
    found = {}
    for module in MODULES:
        for name in sorted(vars(module) | dict.fromkeys(dir(module))):
            cls = getattr(module, name, None)
            if inspect.isclass(cls) and hasattr(cls, "get_config") and cls.__module__.startswith("oneiros."):
                found[f"{module.__name__.split('.')[-1]}.{cls.__name__}"] = cls
    return {name: cls for name, cls in found.items() if cls.__name__ not in LEFT_OUT}


def plain(value):
    """A configuration without names and seeds, which differ from object to object."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k not in ("name", "seed")}
    return [plain(v) for v in value] if isinstance(value, (list, tuple)) else value


def text(thing):
    return json.dumps(plain(thing.get_config()), default=str, sort_keys=True)


@pytest.mark.parametrize("name", sorted(classes()))
def test_configurations_of_classes_with_a_constructor_of_their_own(name):
    base = classes()[name]
    given = made(base)
    if given is None:
        pytest.skip("abstract, or it needs other arguments")

    class Own(base):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)

    class Told(Own):
        def get_config(self):
            return dict(super().get_config())

    first, arguments = given
    for cls in (Own, Told):
        own = cls(*arguments)
        assert text(own) == text(first)
        assert text(cls.from_config(own.get_config())) == text(first)


def test_a_constructor_without_further_arguments_says_what_it_takes():
    class Tenth(regularizers.L2):
        def __init__(self, factor=1.0):
            super().__init__(0.1 * factor)
            self.factor = factor

    assert Tenth(2.0).get_config() == {"factor": 2.0} and Tenth.from_config({"factor": 2.0}).l2 == pytest.approx(0.2)
