"""Unique names, as Keras makes them: ``dense``, ``dense_1``, ... (Keras 2: from ``dense_1``)."""

import functools
import re
import threading
from collections import defaultdict

from .config import behaviour

_counters = defaultdict(int)
_lock = threading.Lock()


@functools.cache
def to_snake_case(name: str, digits_end_words: bool = False) -> str:
    """The name of a class in lower case, with underscores between its words, as Keras writes it.

    Args:
        name: The name of the class.
        digits_end_words: Whether ``ConvLSTM2D`` becomes ``conv_lst_m2d``, as before Keras 3, not ``conv_lstm2d``.

    >>> to_snake_case("Conv2DTranspose"), to_snake_case("PReLU"), to_snake_case("LSTM")
    ('conv2d_transpose', 'p_re_lu', 'lstm')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub(f"(.)([A-Z][a-z{'0-9' if digits_end_words else ''}]+)", r"\1_\2", name)
    name = re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
    return "private" + name if name.startswith("_") else name


_KERAS1_CLASSES = {
    **{f"Conv{n}D": f"convolution{n}d" for n in (1, 2, 3)},
    "Conv2DTranspose": "deconvolution2d",
    "SeparableConv2D": "separableconvolution2d",
}


def layer_prefix(class_name: str) -> str:
    """What the names of a class's layers begin with."""
    if behaviour.lowercase_names:
        return _KERAS1_CLASSES.get(class_name, class_name.lower())
    return to_snake_case(class_name, behaviour.digits_end_words)


def get_uid(prefix: str = "") -> int:
    """The number of times that this prefix was requested, this one included.

    Args:
        prefix: The beginning of a name.
    """
    with _lock:
        _counters[prefix] += 1
        return _counters[prefix]


def unique_name(prefix: str) -> str:
    """A name that begins with this prefix and has not been used before."""
    uid = get_uid(prefix)
    if behaviour.first_name_suffix:
        return f"{prefix}_{uid}"
    return prefix if uid == 1 else f"{prefix}_{uid - 1}"


def reset_uids() -> None:
    """Starts the counting of names again."""
    with _lock:
        _counters.clear()
