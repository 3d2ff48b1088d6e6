"""Names to objects and back."""

import pytest

from oneiros.core import Configurable, Kind
from oneiros.core.errors import UnsafeModelError
from oneiros.core.names import reset_uids, unique_name
from oneiros.core.registry import CustomObjectScope, get_custom_objects, register_keras_serializable, serialize_value


class Scale(Configurable):
    def __init__(self, factor=2.0, shape=(1, 2)):
        self.factor = factor
        self.shape = shape


def triple(x):
    return 3 * x


@pytest.fixture
def kind():
    made = Kind("gadget")
    made.add(Scale)
    made.add(triple, "triple", "times3")
    return made


def test_get_takes_what_users_write(kind):
    assert kind.get("triple") is kind.get("times3") is kind.get(triple) is triple
    assert isinstance(kind.get("Scale"), Scale)
    assert isinstance(kind.get("scale"), Scale)
    assert isinstance(kind.get(Scale), Scale)
    assert kind.get({"class_name": "Scale", "config": {"factor": 5.0}}).factor == 5.0
    assert kind.get(None) is None


def test_configurations_go_round(kind):
    config = kind.serialize(Scale(3.5, (4,)))
    assert config == {"class_name": "Scale", "config": {"factor": 3.5, "shape": (4,)}}
    assert kind.deserialize(config).factor == 3.5
    assert kind.serialize(triple) == "triple"


def test_unknown_names_hint_at_the_nearest(kind):
    with pytest.raises(ValueError, match="did you mean triple"):
        kind.get("tripel")
    with pytest.raises(UnsafeModelError, match="did you mean Scale"):
        kind.deserialize({"class_name": "Scales", "config": {}})
    with pytest.raises(UnsafeModelError):
        kind.deserialize({"class_name": "Popen", "module": "subprocess", "config": {"args": ["true"]}})


def test_custom_objects_in_scopes_and_for_good(kind):
    class Mine(Scale):
        pass

    config = {"class_name": "Mine", "config": {}}
    with CustomObjectScope({"Mine": Mine}):
        assert type(kind.deserialize(config)) is Mine
    assert type(kind.deserialize(config, {"Mine": Mine})) is Mine
    with pytest.raises(UnsafeModelError):
        kind.deserialize(config)
    register_keras_serializable("pack")(Mine)
    try:
        assert kind.serialize(Mine())["class_name"] == "pack>Mine"
        assert type(kind.deserialize(kind.serialize(Mine()))) is Mine
    finally:
        del get_custom_objects()["pack>Mine"]


def test_the_innermost_scope_wins_and_ends_with_its_block(kind):
    outer, inner = (type("Mine", (Scale,), {}) for _ in range(2))
    config = {"class_name": "Mine", "config": {}}
    with CustomObjectScope({"Mine": outer, "Other": outer}):
        with CustomObjectScope({"Mine": inner}):
            assert type(kind.deserialize(config)) is inner
            assert type(kind.deserialize({"class_name": "Other", "config": {}})) is outer
        assert type(kind.deserialize(config)) is outer
        with pytest.raises(KeyError, match="inside"), CustomObjectScope({"Mine": inner}):
            raise KeyError("inside")
        assert type(kind.deserialize(config)) is outer
        get_custom_objects()["Mine"] = inner
        try:
            assert type(kind.deserialize(config)) is outer  # a scope wins over what is known for good
        finally:
            del get_custom_objects()["Mine"]
    with pytest.raises(UnsafeModelError):
        kind.deserialize(config)


def test_the_callers_configuration_is_not_changed(kind):
    config = {"class_name": "Scale", "config": {"factor": 1.0}}
    kind.deserialize(config)
    assert config == {"class_name": "Scale", "config": {"factor": 1.0}}


def test_an_argument_kept_under_another_name_is_told():
    class Hidden(Configurable):
        def __init__(self, size):
            self.width = size

    with pytest.raises(NotImplementedError, match="self.size = size"):
        Hidden(3).get_config()


def test_names_are_counted():
    reset_uids()
    assert [unique_name("dense") for _ in range(3)] == ["dense", "dense_1", "dense_2"]
    assert serialize_value((1, (2, 3))) == (1, (2, 3))
