"""Declared fields: constructors, signatures, checks, configurations and documentation from annotated attributes."""

import copy
import inspect
import pickle
from typing import Annotated, ClassVar

import numpy as np
import pytest

import oneiros as keras
from oneiros.core.checks import fraction, positive_int
from oneiros.core.errors import InputDataError
from oneiros.core.fields import ANY, Argument, Documentation, field, fields_of, of_owner
from oneiros.core.registry import Configurable

Upper = Annotated[str, Argument(resolve=str.upper, doc="The {part}, in capitals.")]


class Box(Configurable):
    """A box.

    >>> Box(1).size
    1
    """

    size: int = field(positive_int, doc="Length of an edge.")
    lid: bool = True
    color_name: Upper = "red"
    count: ClassVar[int] = 0
    contents: list


class Crate(Box):
    rate: float = field(fraction, default=0.5, after="size")
    label: str = field(default="none", last=True)
    maker: int = field(positive_int, first=True)
    secret: int = field(default=0, kw_only=True)


class Barrel(Crate):
    hoops: int = 2
    lid = False


def names(cls):
    return list(inspect.signature(cls).parameters)


def test_the_signature_follows_the_declarations():
    assert names(Box) == ["size", "lid", "color_name"]
    assert inspect.signature(Box).parameters["size"].default is inspect.Parameter.empty
    assert inspect.signature(Box).parameters["lid"].default is True
    assert names(Crate) == ["maker", "size", "rate", "lid", "color_name", "label", "secret"]
    assert inspect.signature(Crate).parameters["secret"].kind is inspect.Parameter.KEYWORD_ONLY
    assert names(Barrel) == ["maker", "size", "rate", "color_name", "hoops", "label", "secret"]


def test_attributes_hold_what_was_given():
    box = Box(3, color_name="blue")
    assert (box.size, box.lid, box.color_name) == (3, True, "BLUE")
    box.color_name = "green"  # resolved when it is assigned, too
    assert box.color_name == "GREEN"
    assert Box(3).color_name == "RED" and Barrel(1, 2).lid is False


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Box(0), InputDataError, ["Box", "size", "positive integer", "size=0"]),
        (lambda: Box(), TypeError, ["Box", "missing", "'size'"]),
        (lambda: Box(1, size=2), TypeError, ["Box", "several values", "'size'"]),
        (lambda: Box(1, True, "a", 4), TypeError, ["Box", "at most 3", "Received 4"]),
        (lambda: Box(1, depth=2), TypeError, ["Box", "'depth'", "size, lid, color_name"]),
        (lambda: Crate(1, 2, rate=2), InputDataError, ["Crate", "rate", "from 0 to 1", "rate=2"]),
        (lambda: Barrel(1, 2, lid=True), TypeError, ["Barrel", "'lid'"]),
    ],
)
def test_wrong_arguments_are_named(make, error, words):
    with pytest.raises(error) as caught:
        make()
    assert all(word in str(caught.value) for word in words), caught.value


def test_the_configuration_makes_an_equal_object():
    crate = Crate(1, 2, label="x", secret=7)
    config = crate.get_config()
    assert config == {"maker": 1, "size": 2, "rate": 0.5, "lid": True, "color_name": "RED", "label": "x", "secret": 7}
    assert Crate.from_config(config).get_config() == config
    for twin in (copy.deepcopy(crate), pickle.loads(pickle.dumps(crate))):
        assert twin.get_config() == config


def test_a_check_may_look_at_the_object():
    @of_owner
    def below_limit(name, value, owner):
        if value > owner.limit:
            raise InputDataError(f"{name}: at most {owner.limit}. Received: {name}={value}")
        return value

    class Limited(Configurable):
        limit = 3
        n: int = field(below_limit)

    assert Limited(3).n == 3
    with pytest.raises(InputDataError, match="Limited: n: at most 3"):
        Limited(4)


def test_post_init_runs_when_all_fields_are_set():
    class Area(Configurable):
        width: int = 2
        height: int = 3

        def __post_init__(self):
            self.area = self.width * self.height

    class Volume(Area):
        depth: int = 4

        def __post_init__(self):
            super().__post_init__()
            self.volume = self.area * self.depth

    assert Volume(height=5).volume == 40


def test_the_documentation_lists_the_arguments_before_the_example():
    text = Box.__doc__
    assert text.startswith("A box.\n\nArgs:\n    size: Length of an edge.\n    lid: Defaults to `True`.\n")
    assert "color_name: The color, in capitals. Defaults to `'red'`." in text
    assert text.index("Args:") < text.index(">>> Box(1).size")


def test_the_documentation_tells_defaults_once():
    class Told(Box):
        """Told.

        >>> 1 + 1
        2
        """

        plain: int = field(default=3, doc="A number.")
        silent: str = "x"
        nothing: int = field(default=None, doc="`None` for all.")
        unsaid: int = field(default=None, doc="A limit.")
        said: int = field(default=4, doc="A size. Defaults to a quarter.")

    told = Told.__doc__
    for line in (
        "size: Length of an edge.",
        "plain: A number. Defaults to `3`.",
        "silent: Defaults to `'x'`.",
        "nothing: `None` for all.",
        "unsaid: A limit. Defaults to `None`.",
        "said: A size. Defaults to a quarter.",
    ):
        assert f"\n    {line}\n" in told
    assert told.endswith("\n\n>>> 1 + 1\n2") and "**kwargs" not in told


def test_the_documentation_names_the_base_that_takes_further_arguments():
    class Base:
        def __init__(self, name=None):
            self.name = name

    known = {"size": field(2, doc="A size. " + "It is told at length. " * 6).of("size")}
    lines = Documentation("A box.\n", known, Base).__get__(None, Base).splitlines()
    assert lines[:3] == ["A box.", "", "Args:"] and lines[-1] == "    **kwargs: Arguments of `Base`."
    first, *more = lines[3:-1]
    assert first.startswith("    size: A size.") and len(first) <= 100
    assert more and all(line.startswith(" " * 8) and line[8] != " " for line in more)
    # A section that was written by hand stays; so does a text without arguments.
    assert Documentation("A box.\n\nArgs:\n    size: Mine.", known).__get__(None, Base).count("size:") == 1
    assert Documentation("A box.", {}).__get__(None, Base) == "A box."
    assert Documentation(Documentation("A box.", {}), {}).text == "A box."


# --- layers of users


class Scale(keras.layers.Layer):
    factor: float = field(fraction, default=0.5)
    power: int = 1

    def call(self, inputs):
        return inputs**self.power * self.factor


def test_a_users_layer_may_declare_fields():
    layer = Scale(0.25, power=2, name="half")
    assert np.allclose(layer(np.full((1, 2), 4.0)), 4.0)
    config = layer.get_config()
    assert (config["factor"], config["power"], config["name"]) == (0.25, 2, "half")
    assert Scale.from_config(config).get_config() == config
    with pytest.raises(InputDataError, match="Scale: factor"):
        Scale(3.0)


def test_an_ordinary_constructor_works_on_top_of_fields():
    class Wide(keras.layers.Dense):
        def __init__(self, units, times=2, **kwargs):
            super().__init__(units * times, **kwargs)
            self.times = times

    class Tagged(Wide):
        tag: str = "t"

    assert Wide(3, activation="relu").units == 6
    tagged = Tagged(3, times=3, tag="u", name="n")
    assert (tagged.units, tagged.tag, tagged.name) == (9, "u", "n")


def test_annotations_of_todays_programs_stay_what_they_were():
    class Typed(keras.layers.Layer):
        kernel: keras.Variable  # says something about an attribute, is no argument
        scale: float = 2.0

        def __init__(self, units):
            super().__init__()
            self.units = units

    assert names(Typed) == ["units"] and Typed(3).scale == 2.0 and not fields_of(Typed)

    class Plain(keras.Model):
        depth: int = 3

    x = keras.Input((2,))
    model = Plain(x, keras.layers.Dense(1)(x))
    assert model.depth == 3 and model.output_shape == (None, 1)


def test_a_fixed_activation_is_resolved():
    class Rectified(keras.layers.Dense):
        activation = "relu"

    assert "activation" not in names(Rectified)
    outputs = Rectified(2, kernel_initializer="ones")(-np.ones((1, 2)))
    assert np.asarray(outputs).tolist() == [[0.0, 0.0]]


def test_arguments_that_may_follow_by_position():
    class Named(Configurable):
        positional_last = ("name",)
        ignored_arguments = {"name": ANY}
        size: int = 2

    assert list(inspect.signature(Named).parameters)[:2] == ["size", "name"]
    assert Named(3, "x").size == 3
    with pytest.raises(TypeError, match="at most 2 positional"):
        Named(3, "x", 1)
