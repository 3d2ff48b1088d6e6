"""Checks of arguments. Each message names the argument, what is allowed, and what was received."""

import difflib
import math
import numbers
from collections.abc import Iterable
from typing import Any

from .errors import InputDataError


def is_integer(value: Any, minimum: float = 1) -> bool:
    """Whether a value is an integer, of Python or NumPy, of at least `minimum`. Booleans are not.

    >>> is_integer(3), is_integer(True), is_integer(2.0)
    (True, False, False)
    """
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and value >= minimum


def positive_int(name: str, value: Any, minimum: int = 1) -> int:
    """Checks that an argument is an integer, and not too small.

    Args:
        name: the argument's name.
        value: its value.
        minimum: the smallest value that is allowed.

    Returns:
        The value as an `int`.

    Raises:
        InputDataError: if it is something else.

    >>> positive_int("units", 3)
    3
    """
    if type(value) is int and value >= minimum:  # the usual case
        return value
    if not is_integer(value, minimum):
        kind = "a positive integer" if minimum == 1 else f"an integer of at least {minimum}"
        raise InputDataError(f"{name}: expected {kind}. Received: {name}={value!r}")
    return int(value)


def integer(name: str, value: Any) -> int:
    """Checks that an argument is an integer.

    Args:
        name: the argument's name.
        value: its value.

    Returns:
        The value as an `int`.

    Raises:
        InputDataError: if it is something else.

    >>> integer("axis", -1)
    -1
    """
    if not is_integer(value, -math.inf):
        raise InputDataError(f"{name}: expected an integer. Received: {name}={value!r}")
    return int(value)


def int_tuple(name: str, value: Any, length: int, minimum: int = 1) -> tuple[int, ...]:
    """Checks that an argument consists of integers that are not too small. A single integer stands for all.

    Args:
        name: the argument's name.
        value: its value.
        length: the number of integers.
        minimum: the smallest value that is allowed.

    Returns:
        A tuple of integers.

    Raises:
        InputDataError: if it is something else.

    >>> int_tuple("strides", 2, 2)
    (2, 2)
    """
    values = (value,) * length if isinstance(value, numbers.Integral) else value
    if not isinstance(values, (list, tuple)) or len(values) != length:
        raise InputDataError(f"{name}: expected an integer or {length} integers. Received: {name}={value!r}")
    return tuple(positive_int(name, v, minimum) for v in values)


def fraction(name: str, value: Any, one_allowed: bool = True) -> float:
    """Checks that an argument is a number from 0 to 1.

    Args:
        name: the argument's name.
        value: its value.
        one_allowed: whether it may be 1.

    Returns:
        The value as a `float`.

    Raises:
        InputDataError: if it is something else.

    >>> fraction("rate", 0.5)
    0.5
    """
    if not isinstance(value, numbers.Real) or isinstance(value, bool) or math.isnan(value) or not 0 <= value <= 1:
        raise InputDataError(f"{name}: expected a number from 0 to 1. Received: {name}={value!r}")
    if value == 1 and not one_allowed:
        raise InputDataError(f"{name}: expected a number from 0 to below 1. Received: {name}={value!r}")
    return float(value)


def one_of(name: str, value: Any, allowed: Iterable) -> Any:
    """Checks that an argument is one of several values. Strings may be written in any letter case.

    Args:
        name: the argument's name.
        value: its value.
        allowed: the values that are allowed.

    Returns:
        The value; a string in lower case.

    Raises:
        InputDataError: if it is something else.

    >>> one_of("padding", "SAME", ("valid", "same"))
    'same'
    """
    folded = value.lower() if isinstance(value, str) else value
    if folded not in allowed:
        near = difflib.get_close_matches(str(value), [str(a) for a in allowed], 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise InputDataError(
            f"{name}: expected one of {', '.join(map(repr, allowed))}. Received: {name}={value!r}.{hint}"
        )
    return folded
