"""Functions that work on each element alone, and how to tell that a function does."""

import jax
import jax.numpy as jnp

_ELEMENTWISE = frozenset(
    """abs add add_any cbrt ceil clamp convert_element_type cos cosh copy copy_p div eq erf erf_inv erfc exp exp2 expm1
    floor ge gt integer_pow is_finite le log log1p logistic lt max min mul ne neg not and or pow round rsqrt select_n
    sign sin sinh sqrt square stop_gradient sub tan tanh""".split()  # noqa: SIM905 (one name a line is no easier to read)
)
_CALLS = {"jit": "jaxpr", "pjit": "jaxpr", "closed_call": "call_jaxpr", "custom_jvp_call": "call_jaxpr"}


def rectified(x, slope=0.0, max_value=None, threshold=0.0):
    """``x`` above the threshold, cut to ``[0, max_value]`` if that is given, and ``slope * (x - threshold)`` below."""
    level = isinstance(slope, (int, float)) and slope == 0
    plain = isinstance(threshold, (int, float)) and threshold == 0
    above = jax.nn.relu(x) if plain else jnp.where(x > threshold, x, 0)
    if max_value is not None:
        above = jnp.clip(above, 0, jnp.maximum(max_value, 0)).astype(x.dtype)
    return above if level else jnp.where(x > threshold, above, slope * (x - threshold))


def is_elementwise(function) -> bool:
    """True if ``function`` maps each element by itself and depends on nothing else, so that any layout will do."""
    closed = _traced(function)
    if closed is None:
        return False
    out = closed.out_avals
    return not closed.consts and len(out) == 1 and out[0].shape == (2, 3) and _plain(closed.jaxpr)


def is_primitive(function, name) -> bool:
    """True if ``function`` does nothing but the operation that JAX calls ``name``: 'tanh', 'logistic'."""
    closed = _traced(function)
    equations = [] if closed is None else closed.jaxpr.eqns
    while len(equations) == 1 and equations[0].primitive.name in _CALLS:
        inner = equations[0].params[_CALLS[equations[0].primitive.name]]
        equations = getattr(inner, "jaxpr", inner).eqns
    return [e.primitive.name for e in equations] == [name]


def _traced(function):
    try:
        return jax.make_jaxpr(function)(jax.ShapeDtypeStruct((2, 3), jnp.float32))
    except Exception:  # what it complains of, it will say again where it is used
        return None


def _plain(jaxpr):
    for equation in jaxpr.eqns:
        name = equation.primitive.name
        if name in _CALLS:
            inner = equation.params[_CALLS[name]]
            if getattr(inner, "consts", ()) or not _plain(getattr(inner, "jaxpr", inner)):
                return False
        elif name == "broadcast_in_dim":
            if equation.invars[0].aval.shape:
                return False
        elif name not in _ELEMENTWISE:
            return False
    return True
