"""`keras.utils.Config`: values as attributes and as in a dictionary, which can be frozen."""

import copy
import json
import pickle

import pytest

from oneiros.utils import Config


def test_values():
    config = Config(rate=0.1, name="x")
    config.steps = [1]
    config["seed"] = 2
    assert (config.rate, config["steps"], config.get("none"), config.get("none", 3)) == (0.1, [1], None, 3)
    assert list(config) == list(config.keys()) == ["rate", "name", "steps", "seed"] and len(config) == 4
    assert dict(config.items()) == config.as_dict() == json.loads(config.to_json())
    assert "rate" in config and "none" not in config and list(config.values())[1] == "x"
    assert config.pop("seed") == 2 and config.pop("seed", None) is None
    config.update({"k": 1}, l=2)
    del config["k"], config.l
    assert repr(config) == "<Config {'rate': 0.1, 'name': 'x', 'steps': [1]}>"
    for twin in (copy.deepcopy(config), pickle.loads(pickle.dumps(config))):
        assert twin.as_dict() == config.as_dict() and not twin.frozen


def test_what_is_not_there():
    config = Config(a=1)
    with pytest.raises(AttributeError, match="no value 'b'. It has: a"):
        config.b  # noqa: B018
    for ask in (lambda: config["b"], lambda: config.pop("b")):
        with pytest.raises(KeyError):
            ask()
    with pytest.raises(AttributeError):
        config.frozen = True


def test_freezing():
    config = Config(a=1)
    config.freeze()
    assert config.frozen
    changes = [
        lambda: setattr(config, "a", 2),
        lambda: config.__setitem__("b", 2),
        lambda: config.__delitem__("a"),
        lambda: config.pop("a"),
        lambda: config.update(a=2),
    ]
    for change in changes:
        with pytest.raises(ValueError, match="frozen"):
            change()
    config.unfreeze()
    config.a = 2
    assert config.as_dict() == {"a": 2}
