"""`keras.ops.core`: conversion, scatter and slices, and control flow whose bodies may read and write variables."""

import builtins
import math
import re
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core import Scope, Symbol, has_symbol, op
from ..core import scan as core_scan
from ..core.structure import in_order_of, map_structure
from .table import DType, Shape, Tensor, dims, operand, tensor, tensors, to_dtype


def convert_to_tensor(x, dtype: DType = None, sparse=None, ragged=None) -> Array:
    """An array for anything that can become one.

    Args:
        x: List, NumPy array, variable, number or array. Symbols are returned as they are.
        dtype: Type of the result. By default that of `x`; floats in lists become `floatx()`.
        sparse: Not used.
        ragged: Not used.

    Returns:
        An array of JAX, or a symbol.

    >>> convert_to_tensor([1.0, 2.0]).dtype
    dtype('float32')
    """
    if isinstance(x, Symbol):
        return x if dtype is None or jnp.dtype(dtype) == jnp.dtype(x.dtype) else cast(x, dtype)
    return tensor(x) if dtype is None else tensor(x).astype(to_dtype(dtype))


def convert_to_numpy(x) -> np.ndarray:
    """A NumPy array for anything that can become one.

    Args:
        x: Array, variable, list or number.

    Returns:
        A NumPy array.

    >>> convert_to_numpy([1, 2])
    array([1, 2], dtype=int32)
    """
    return np.asarray(tensor(x))


def is_tensor(x) -> bool:
    """Whether `x` is an array of JAX or a symbol.

    Args:
        x: Anything.

    Returns:
        True or False; False for NumPy arrays.

    >>> is_tensor(jnp.zeros(2)), is_tensor([0, 0])
    (True, False)
    """
    return isinstance(x, (jax.Array, Symbol))


def shape(x: Tensor) -> tuple[int | None, ...]:
    """The shape of a tensor.

    Args:
        x: Tensor.

    Returns:
        A tuple; dimensions that a symbol does not know are ``None``.

    >>> shape([[1, 2, 3]])
    (1, 3)
    """
    return tuple(x.shape) if hasattr(x, "shape") else tensor(x).shape


def dtype(x: Tensor) -> str:
    """The name of a tensor's type.

    Args:
        x: Tensor.

    Returns:
        A string.

    >>> dtype([1.0])
    'float32'
    """
    return str(x.dtype if hasattr(x, "dtype") else tensor(x).dtype)


@op
def cast(x: Tensor, dtype: DType) -> Array:
    """`x` in another type.

    Args:
        x: Tensor.
        dtype: The type.

    Returns:
        A tensor of the shape of `x`.

    >>> cast([1.7, -1.7], "int32").tolist()
    [1, -1]
    """
    return tensor(x).astype(to_dtype(dtype))


@op
def stop_gradient(variable):
    """The same value, which gradients take as a constant.

    Args:
        variable: Tensor, or a list or dictionary of tensors.

    Returns:
        The same structure.

    >>> float(jax.grad(lambda x: x * stop_gradient(x))(3.0))
    3.0
    """
    return map_structure(lambda x: jax.lax.stop_gradient(tensor(x)), variable)


@op
def scatter(indices: Tensor, values: Tensor, shape: Shape) -> Array:
    """Zeros to which values are added at indices.

    Args:
        indices: Integers ``(n, rank)``: where each value goes.
        values: ``(n,)``, or ``(n, ...)`` if the indices name the first axes only.
        shape: Shape of the result.

    Returns:
        A tensor of the shape.

    >>> scatter([[0], [2], [2]], [1, 2, 3], (3,)).tolist()
    [1, 0, 5]
    """
    indices, values = tensor(indices), tensor(values)
    return jnp.zeros(dims(shape), values.dtype).at[tuple(jnp.moveaxis(indices, -1, 0))].add(values)


@op
def scatter_update(inputs: Tensor, indices: Tensor, updates: Tensor, reduction: str | None = None) -> Array:
    """A tensor with some elements replaced.

    Args:
        inputs: Tensor.
        indices: Integers ``(n, rank)``: where each update goes.
        updates: ``(n,)``, or ``(n, ...)`` if the indices name the first axes only.
        reduction: How to combine old and new elements: 'add', 'max', 'min' or 'mul'; ``None`` replaces the old ones.

    Returns:
        A tensor of the shape of the inputs.

    Raises:
        ValueError: If the reduction is not known.

    >>> scatter_update([1, 2, 3], [[1]], [10], "add").tolist()
    [1, 12, 3]
    """
    inputs, indices = tensor(inputs), tensor(indices)
    methods = {None: "set", "add": "add", "max": "max", "min": "min", "mul": "multiply"}
    if reduction not in methods:
        raise ValueError(f"scatter_update: reduction must be one of {list(methods)}. Received: {reduction!r}")
    place = inputs.at[tuple(jnp.moveaxis(indices, -1, 0))]
    return getattr(place, methods[reduction])(tensor(updates).astype(inputs.dtype))


@op
def slice(inputs: Tensor, start_indices: Sequence[int], shape: Shape) -> Array:
    """A part of a tensor.

    Args:
        inputs: Tensor.
        start_indices: Where the part begins, for each axis.
        shape: Shape of the part; -1 for all that is left of an axis.

    Returns:
        A tensor of the shape.

    >>> slice([[1, 2, 3], [4, 5, 6]], (0, 1), (2, -1)).tolist()
    [[2, 3], [5, 6]]
    """
    inputs = tensor(inputs)
    sizes = [s if s != -1 else n - int(start) for s, n, start in zip(shape, inputs.shape, start_indices)]
    return jax.lax.dynamic_slice(inputs, list(start_indices), dims(sizes))


@op
def slice_update(inputs: Tensor, start_indices: Sequence[int], updates: Tensor) -> Array:
    """A tensor with a part replaced.

    Args:
        inputs: Tensor.
        start_indices: Where the part begins, for each axis.
        updates: The new part.

    Returns:
        A tensor of the shape of the inputs.

    >>> slice_update([1, 2, 3], (1,), [8, 9]).tolist()
    [1, 8, 9]
    """
    inputs = tensor(inputs)
    return jax.lax.dynamic_update_slice(inputs, tensor(updates).astype(inputs.dtype), list(start_indices))


@op
def unstack(x: Tensor, num: int | None = None, axis: int = 0) -> list[Array]:
    """The slices along an axis, as a list.

    Args:
        x: Tensor.
        num: How many slices; by default all.
        axis: The axis.

    Returns:
        Tensors without the axis.

    >>> [part.tolist() for part in unstack([[1, 2], [3, 4]])]
    [[1, 2], [3, 4]]
    """
    x = tensor(x)
    return [jax.lax.index_in_dim(x, i, axis, keepdims=False) for i in range(num or x.shape[axis])]


# Control flow. Variables that the bodies write become a part of the loop's state.


def _written_by(functions, *args):
    """The variables that functions write, found by tracing the functions."""
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


def cond(pred: Tensor, true_fn: Callable, false_fn: Callable):
    """``true_fn()`` if a condition holds, else ``false_fn()``.

    Args:
        pred: One truth value.
        true_fn: Function without arguments.
        false_fn: Function without arguments, whose results have the same structure, shapes and types.

    Returns:
        What the function returned. In compiled code only that function runs; both may read and write variables.

    >>> cond(True, lambda: 1, lambda: 2)
    1
    """
    return switch(cast(pred, "int32"), [false_fn, true_fn])


def switch(index: Tensor, branches: Sequence[Callable], *operands):
    """``branches[index](*operands)``.

    Args:
        index: Which branch to call; indices out of range become the nearest one that exists.
        branches: Functions whose results have the same structure, shapes and types.
        *operands: Tensors for the branch.

    Returns:
        What the branch returned. In compiled code only that branch runs; all may read and write variables.

    >>> switch(1, [lambda x: x, lambda x: 10 * x], 3)
    30
    """
    if has_symbol((index, operands)):
        # A branch may use symbols that it closes over, so each is recorded, and one result is chosen.
        results = [branch(*operands) for branch in branches]
        return _choose(_clip_index(index, len(branches)), results)
    index = _clip_index(index, len(branches))
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
def _clip_index(index, count):
    """The integer from 0 to ``count - 1`` that is nearest to `index`."""
    return jnp.clip(tensor(index).astype("int32"), 0, count - 1)


@op
def fori_loop(lower: int, upper: int, body_fun: Callable, init_val):
    """A loop over integers: ``val = body_fun(i, val)``.

    Args:
        lower: First integer.
        upper: End of the range, which is not reached.
        body_fun: Function of an integer and the value, which may read and write variables.
        init_val: First value: a tensor or a structure of tensors. Shapes and types must stay.

    Returns:
        The last value.

    >>> int(fori_loop(0, 4, lambda i, total: total + i, 0))
    6
    """
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
    """The results of a body, in the types of the loop's first value."""
    return map_structure(lambda e, x: x.astype(e.dtype), example, tree)


@op
def while_loop(cond: Callable, body: Callable, loop_vars, maximum_iterations: int | None = None):
    """A loop while a condition holds: ``loop_vars = body(*loop_vars)``.

    Args:
        cond: Function of the loop variables that returns one truth value.
        body: Function of the loop variables that returns the new ones. It may read and write variables.
        loop_vars: Tensor, or list or tuple of tensors. Shapes and types must stay.
        maximum_iterations: Largest number of iterations; ``None`` for no limit.

    Returns:
        The last loop variables, in the structure in which they were given.

    >>> int(while_loop(lambda x: x < 100, lambda x: 2 * x, 1))
    128
    """
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
def scan(f: Callable, init, xs=None, length: int | None = None, reverse: bool = False, unroll: int | bool = 1):
    """A loop along the first axis: ``carry, y = f(carry, x)``.

    Args:
        f: Function of the carry and a slice of `xs`. It may read and write variables.
        init: First carry: a tensor or a structure of tensors. Shapes and types must stay.
        xs: Tensor, or structure of tensors with equal first axes.
        length: Number of steps, where there is no `xs`.
        reverse: Whether to go from the end to the beginning.
        unroll: How many steps to put into one iteration of the compiled loop.

    Returns:
        ``(last carry, all y along a new first axis)``.

    >>> total, sums = scan(lambda total, x: (total + x, total + x), 0, [1, 2, 3])
    >>> int(total), sums.tolist()
    (6, [1, 3, 6])
    """
    return core_scan(f, _arrays(init), None if xs is None else _sequence(xs), length, reverse, int(unroll))


def _sequence(xs):
    """Arrays to go along: one, or a structure of them. A list of numbers is one array."""
    is_numbers = isinstance(xs, list) and xs and all(np.ndim(x) == 0 for x in xs if not isinstance(x, dict))
    return tensor(xs) if is_numbers else _arrays(xs)


@op
def map(f: Callable, xs):
    """A function of each slice along the first axis, one after the other.

    Args:
        f: Function of a slice. It may read and write variables.
        xs: Tensor, or structure of tensors with equal first axes.

    Returns:
        The results along a new first axis.

    >>> map(lambda x: 2 * x, [1, 2, 3]).tolist()
    [2, 4, 6]
    """
    return core_scan(lambda _, x: ((), f(x)), (), _sequence(xs))[1]


@op
def vectorized_map(function: Callable, elements):
    """A function of each slice along the first axis, all at once.

    Args:
        function: Function of a slice.
        elements: Tensor, or structure of tensors with equal first axes.

    Returns:
        The results along a new first axis.

    >>> vectorized_map(lambda x: 2 * x, [1, 2, 3]).tolist()
    [2, 4, 6]
    """
    return jax.vmap(function)(_sequence(elements))


@op
def associative_scan(f: Callable, elems, reverse: bool = False, axis: int = 0):
    """All partial results of an associative function, in logarithmically many steps (Blelloch 1990).

    Args:
        f: Associative function of two tensors (or structures) that works along the axis at once.
        elems: Tensor, or structure of tensors.
        reverse: Whether to begin at the end.
        axis: The axis.

    Returns:
        Tensors of the shapes of `elems`.

    >>> associative_scan(lambda a, b: a + b, [1, 2, 3]).tolist()
    [1, 3, 6]
    """
    return jax.lax.associative_scan(f, _sequence(elems), reverse, axis)


def custom_gradient(f: Callable) -> Callable:
    """Decorator that gives a function a gradient of its own.

    Args:
        f: Function of tensors that returns ``(result, gradient)``; the gradient is a function from the gradient of the
            result to the gradients of the arguments.

    Returns:
        A function that returns the result alone.

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
def rearrange(tensor: Tensor, pattern: str, **axes_lengths: int) -> Array:
    """Axes reordered, split and joined as a pattern says (the notation of einops, Rogozhnikov 2022).

    Args:
        tensor: Tensor.
        pattern: Names of the axes before and after an arrow; those in parentheses are one axis.
        **axes_lengths: Lengths of axes that the shape does not tell.

    Returns:
        The same elements in another shape.

    Raises:
        ValueError: If the pattern does not fit the shape.

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
