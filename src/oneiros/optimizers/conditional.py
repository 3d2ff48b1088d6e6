"""Runs an update only if a condition holds, also in compiled code."""

from collections.abc import Callable
from typing import Any

import jax

from .. import core


def when(condition: Any, fn: Callable) -> None:
    """Calls a function whose assignments to variables take effect only if a condition is true.

    Args:
        condition: A boolean, or a boolean scalar that may be traced.
        fn: Function without arguments. In compiled code it is always traced.
    """
    if not isinstance(condition, jax.core.Tracer):
        return fn() if condition else None
    with core.Scope() as scope:  # a dry run that finds what is written
        jax.eval_shape(lambda: fn())
    written = list(scope.written)

    def run(values):
        with core.Scope(zip(written, values)) as scope:
            fn()
            return [scope.values[v] for v in written]

    values = jax.lax.cond(condition, run, lambda values: values, [v.raw for v in written])
    for variable, value in zip(written, values):
        variable.assign(value)
    return None
