"""`keras.ops.core`: conversion, scatter and slices, and control flow whose bodies may read and write variables."""

import builtins
import math
import re

import jax
import jax.numpy as jnp
import numpy as np

from ..core import Scope, Symbol, has_symbol, op
from ..core import scan as core_scan
from ..core.structure import in_order_of, map_structure
from .table import dims, operand, tensor, tensors, to_dtype


def convert_to_tensor(x, dtype=None, sparse=None, ragged=None):
    """An array for a list, NumPy array, variable or number; floats in lists become `floatx()`. Symbols stay."""
    if isinstance(x, Symbol):
        return x if dtype is None or jnp.dtype(dtype) == jnp.dtype(x.dtype) else cast(x, dtype)
    return tensor(x) if dtype is None else tensor(x).astype(to_dtype(dtype))


def convert_to_numpy(x):
    """A NumPy array for an array, variable, list or number."""
    return np.asarray(tensor(x))


def is_tensor(x):
    """Whether `x` is an array of this library or a symbol (not a NumPy array)."""
    return isinstance(x, (jax.Array, Symbol))


def shape(x):
    """The shape as a tuple; unknown dimensions of a symbol are ``None``."""
    return tuple(x.shape) if hasattr(x, "shape") else tensor(x).shape


def dtype(x):
    """The name of the type."""
    return str(x.dtype if hasattr(x, "dtype") else tensor(x).dtype)


@op
def cast(x, dtype):
    """`x` in another type."""
    return tensor(x).astype(to_dtype(dtype))


@op
def stop_gradient(variable):
    """`variable`, taken as a constant by gradients. Lists and dictionaries keep their structure."""
    return map_structure(lambda x: jax.lax.stop_gradient(tensor(x)), variable)


@op
def scatter(indices, values, shape):
    """Zeros of `shape` to which `values` are added at `indices`: ``(n, rank)`` for a full index each."""
    indices, values = tensor(indices), tensor(values)
    return jnp.zeros(dims(shape), values.dtype).at[tuple(jnp.moveaxis(indices, -1, 0))].add(values)


@op
def scatter_update(inputs, indices, updates, reduction=None):
    """`inputs` with `updates` at `indices`, set, or combined by `reduction`: 'add', 'max', 'min' or 'mul'."""
    inputs, indices = tensor(inputs), tensor(indices)
    methods = {None: "set", "add": "add", "max": "max", "min": "min", "mul": "multiply"}
    if reduction not in methods:
        raise ValueError(f"scatter_update: reduction must be one of {list(methods)}. Received: {reduction!r}")
    place = inputs.at[tuple(jnp.moveaxis(indices, -1, 0))]
    return getattr(place, methods[reduction])(tensor(updates).astype(inputs.dtype))


@op
def slice(inputs, start_indices, shape):
    """The part of `inputs` of the given shape that begins at `start_indices`; -1 in the shape: up to the end."""
    inputs = tensor(inputs)
    sizes = [s if s != -1 else n - int(start) for s, n, start in zip(shape, inputs.shape, start_indices)]
    return jax.lax.dynamic_slice(inputs, list(start_indices), dims(sizes))


@op
def slice_update(inputs, start_indices, updates):
    """`inputs` with `updates` put in from `start_indices` on."""
    inputs = tensor(inputs)
    return jax.lax.dynamic_update_slice(inputs, tensor(updates).astype(inputs.dtype), list(start_indices))


@op
def unstack(x, num=None, axis=0):
    """A list of the parts of `x` along an axis."""
    x = tensor(x)
    return [jax.lax.index_in_dim(x, i, axis, keepdims=False) for i in range(num or x.shape[axis])]


# Control flow. What the bodies write into variables is carried along.


def _written_by(functions, *args):
    """The variables that functions write, found by a dry run."""
    with Scope() as scope:
        for function in functions:
            jax.eval_shape(lambda *args, function=function: _arrays(function(*args)), *args)
    return list(scope.written)


def _arrays(tree):
    return map_structure(tensor, tree)


def _pure(function, variables):
    """``(values of variables, *args) -> (result, new values)`` for a function that may write the variables."""

    def pure(values, *args):
        with Scope(zip(variables, values)) as scope:
            result = _arrays(function(*args))
            return result, [scope.values[v] for v in variables]

    return pure


def _values(variables):
    return [v.raw for v in variables]


def _keep(variables, values):
    for variable, value in zip(variables, values):
        variable.assign(value)


def _is_known(x):
    return not isinstance(x, jax.core.Tracer)


@op
def _choose(index, results):
    return map_structure(lambda *xs: jax.lax.select_n(index, *jnp.broadcast_arrays(*tensors(xs))), *results)


def cond(pred, true_fn, false_fn):
    """``true_fn()`` or ``false_fn()``, as `pred` has it; in compiled code only that one runs."""
    return switch(cast(pred, "int32"), [false_fn, true_fn])


def switch(index, branches, *operands):
    """``branches[index](*operands)``; the index is brought into range. In compiled code only that branch runs."""
    if has_symbol((index, operands)):
        # A branch may use symbols that it closes over, so each is recorded, and one result is chosen.
        results = [branch(*operands) for branch in branches]
        return _choose(clip_index(index, len(branches)), results)
    index = clip_index(index, len(branches))
    if _is_known(index):
        return branches[int(index)](*operands)
    operands = _arrays(operands)
    results = []

    def noted(branch):
        def run(*args):
            results.append(branch(*args))
            return results[-1]

        return run

    written = _written_by([noted(b) for b in branches], *operands)
    result, values = jax.lax.switch(index, [_pure(b, written) for b in branches], _values(written), *operands)
    _keep(written, values)
    return in_order_of(results[0], result)


@op
def clip_index(index, count):
    """The integer nearest to `index` from 0 to ``count - 1``."""
    return jnp.clip(tensor(index).astype("int32"), 0, count - 1)


@op
def fori_loop(lower, upper, body_fun, init_val):
    """``val = body_fun(i, val)`` for `i` from `lower` up to, not including, `upper`."""
    init_val = _arrays(init_val)
    written = _written_by([body_fun], jnp.asarray(0), init_val)
    body = _pure(body_fun, written)

    def step(i, carry):
        val, values = body(carry[1], i, carry[0])
        return _like(val, init_val), values

    val, values = jax.lax.fori_loop(operand(lower), operand(upper), step, (init_val, _values(written)))
    _keep(written, values)
    return in_order_of(init_val, val)


def _like(tree, example):
    """The results of a body in the types with which the loop began."""
    return map_structure(lambda e, x: x.astype(e.dtype), example, tree)


@op
def while_loop(cond, body, loop_vars, maximum_iterations=None):
    """``loop_vars = body(*loop_vars)`` while ``cond(*loop_vars)`` holds, at most `maximum_iterations` times."""
    several = isinstance(loop_vars, (list, tuple))
    start = _arrays(tuple(loop_vars) if several else (loop_vars,))

    def step(*loop_vars):
        result = body(*loop_vars)
        return tuple(result) if several else (result,)

    written = _written_by([step], *start)
    pure_cond, pure_body = _pure(cond, written), _pure(step, written)

    def go_on(carry):
        count, loop_vars, values = carry
        allowed = True if maximum_iterations is None else count < maximum_iterations
        return jnp.logical_and(pure_cond(values, *loop_vars)[0].reshape(()), allowed)

    def run(carry):
        count, loop_vars, values = carry
        loop_vars, values = pure_body(values, *loop_vars)
        return count + 1, _like(loop_vars, start), values

    _, result, values = jax.lax.while_loop(go_on, run, (jnp.asarray(0), start, _values(written)))
    _keep(written, values)
    result = in_order_of(start, result)
    return (type(loop_vars)(result) if type(loop_vars) in (list, tuple) else result) if several else result[0]


@op
def scan(f, init, xs=None, length=None, reverse=False, unroll=1):
    """``carry, y = f(carry, x)`` over the first axis of `xs`: the last carry, and all the `y`.

    >>> total, sums = scan(lambda total, x: (total + x, total + x), 0, [1, 2, 3])
    >>> int(total), sums.tolist()
    (6, [1, 3, 6])
    """
    return core_scan(f, _arrays(init), None if xs is None else _sequence(xs), length, reverse, int(unroll))


def _sequence(xs):
    """Arrays to walk along: one, or a structure of them. A list of numbers is one."""
    is_numbers = isinstance(xs, list) and xs and all(np.ndim(x) == 0 for x in xs if not isinstance(x, dict))
    return tensor(xs) if is_numbers else _arrays(xs)


@op
def map(f, xs):
    """`f` of each element along the first axis, one after the other."""
    return core_scan(lambda _, x: ((), f(x)), (), _sequence(xs))[1]


@op
def vectorized_map(function, elements):
    """`function` of each element along the first axis, all at once."""
    return jax.vmap(function)(_sequence(elements))


@op
def associative_scan(f, elems, reverse=False, axis=0):
    """All partial results of an associative function along an axis, in logarithmically many steps."""
    return jax.lax.associative_scan(f, _sequence(elems), reverse, axis)


def custom_gradient(f):
    """Decorator for a function that returns ``(result, gradient function)``.

    >>> @custom_gradient
    ... def double_the_gradient(x):
    ...     return x * 1.0, lambda upstream: 2 * upstream
    >>> float(jax.grad(double_the_gradient)(3.0))
    2.0
    """

    def call(*args, **kwargs):
        return jax.custom_gradient(f)(*_arrays(args), **kwargs)

    call.__name__ = getattr(f, "__name__", "custom_gradient")
    call.__doc__ = f.__doc__
    return op(call)


@op
def rearrange(tensor, pattern, **axes_lengths):
    """`tensor` with its axes reordered, split and joined as an einops pattern says.

    >>> rearrange(jnp.zeros((2, 6, 3)), "b (h w) c -> b c h w", h=2).shape
    (2, 3, 2, 3)
    """
    tensor = operand(tensor)
    sides = [_axes_of(side) for side in pattern.split("->")]
    if len(sides) != 2:
        raise ValueError(f"rearrange: expected a pattern 'left -> right'. Received: {pattern!r}")
    left, right = sides
    if ["..."] in left:
        extra = [[f".{i}"] for i in range(tensor.ndim - len(left) + 1)]
        left, right = (_expanded(side, extra) for side in sides)
    names = [name for group in left for name in group]
    if len(left) != tensor.ndim or sorted(names) != sorted(n for g in right for n in g) or len(set(names)) < len(names):
        raise ValueError(
            f"rearrange: the pattern {pattern!r} does not fit. Each axis of the tensor of shape {tensor.shape} needs "
            "one name, and both sides need the same names."
        )
    sizes = dict(axes_lengths)
    for group, size in zip(left, tensor.shape):
        unknown = [name for name in group if name not in sizes]
        known = math.prod(sizes[name] for name in group if name in sizes)
        if len(unknown) > 1 or size % builtins.max(known, 1) or (not unknown and known != size):
            raise ValueError(f"rearrange: cannot split {size} elements into the axes {group}. Give their lengths.")
        for name in unknown:
            sizes[name] = size // known
    split = tensor.reshape([sizes[name] for name in names])
    ordered = split.transpose([names.index(name) for group in right for name in group])
    return ordered.reshape([math.prod(sizes[name] for name in group) for group in right])


def _axes_of(side):
    """``"b (h w) ..."`` as ``[["b"], ["h", "w"], ["..."]]``; a 1 is an axis without a name."""
    tokens = re.findall(r"\(([^)]*)\)|(\.\.\.|\w+)", side)
    return [[name for name in (group or single).split() if name != "1"] for group, single in tokens]


def _expanded(side, extra):
    result = []
    for group in side:
        if group == ["..."]:
            result.extend(extra)
        else:
            result.append([name for part in group for name in ([e[0] for e in extra] if part == "..." else [part])])
    return result
