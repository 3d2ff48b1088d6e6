"""Running an update only if a condition holds, in compiled code too."""

import jax

from .. import core


def when(condition, fn):
    """Runs `fn`, and keeps what it writes into variables only if `condition` (a scalar) is true."""
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
