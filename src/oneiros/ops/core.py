"""`keras.ops.core`: conversion, scatter and slices, and control flow that may read and write variables."""

import builtins
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core import Scope, Symbol, has_symbol, op
from ..core import scan as core_scan
from ..core.structure import in_order_of, map_structure
from .table import DType, Shape, Tensor, Tree, dims, operand, tensor, tensors, to_dtype


def convert_to_tensor(x: Tensor, dtype: DType = None, sparse: bool | None = None, ragged: bool | None = None) -> Array:
    """Converts to a JAX array.

    Args:
        x: Array, NumPy array, variable, number or (nested) list of numbers. Symbols stay symbols.
        dtype: Data type of the result. By default that of `x`; Python floats become `floatx()`.
        sparse: Not used.
        ragged: Not used.

    Returns:
        A JAX array, or a symbol.

    >>> convert_to_tensor([1.0, 2.0]).dtype
    dtype('float32')
    """
    if isinstance(x, Symbol):
        return x if dtype is None or jnp.dtype(dtype) == jnp.dtype(x.dtype) else cast(x, dtype)
    return tensor(x) if dtype is None else tensor(x).astype(to_dtype(dtype))


def convert_to_numpy(x: Tensor) -> np.ndarray:
    """Converts to a NumPy array.

    Args:
        x: Array, variable, list or number.

    Returns:
        A NumPy array.

    >>> convert_to_numpy([1, 2])
    array([1, 2], dtype=int32)
    """
    return np.asarray(tensor(x))


def is_tensor(x: Any) -> bool:
    """Whether `x` is a JAX array or a symbol.

    Args:
        x: Any object.

    Returns:
        True or False. NumPy arrays, lists and numbers are no tensors.

    >>> is_tensor(jnp.zeros(2)), is_tensor([0, 0])
    (True, False)
    """
    return isinstance(x, (jax.Array, Symbol))


def shape(x: Tensor) -> tuple[int | None, ...]:
    """The shape of a tensor.

    Args:
        x: Tensor.

    Returns:
        A tuple of integers. Unknown dimensions of symbols are ``None``.

    >>> shape([[1, 2, 3]])
    (1, 3)
    """
    return tuple(x.shape) if hasattr(x, "shape") else tensor(x).shape


def dtype(x: Tensor) -> str:
    """The name of a tensor's data type.

    Args:
        x: Tensor.

    Returns:
        A string such as ``"float32"``.

    >>> dtype([1.0])
    'float32'
    """
    return str(x.dtype if hasattr(x, "dtype") else tensor(x).dtype)


@op
def cast(x: Tensor, dtype: DType) -> Array:
    """Converts to another data type.

    Args:
        x: Tensor.
        dtype: The data type.

    Returns:
        A tensor of the shape of `x`.

    >>> cast([1.7, -1.7], "int32").tolist()
    [1, -1]
    """
    return tensor(x).astype(to_dtype(dtype))


@op
def stop_gradient(variable: Tree) -> Tree:
    """Returns the same value, which differentiation treats as a constant.

    Args:
        variable: Tensor, or a structure of tensors.

    Returns:
        The same tensor or structure.

    >>> float(jax.grad(lambda x: x * stop_gradient(x))(3.0))
    3.0
    """
    return map_structure(lambda x: jax.lax.stop_gradient(tensor(x)), variable)


@op
def scatter(indices: Tensor, values: Tensor, shape: Shape) -> Array:
    """Adds values to a tensor of zeros, at indices.

    Args:
        indices: Integers ``(n, rank)``: the index of each value.
        values: ``(n,)``, or ``(n, ...)`` if the indices cover only the first `rank` axes.
        shape: Shape of the result.

    Returns:
        A tensor of that shape. Values with the same index are added up.

    >>> scatter([[0], [2], [2]], [1, 2, 3], (3,)).tolist()
    [1, 0, 5]
    """
    indices, values = tensor(indices), tensor(values)
    return jnp.zeros(dims(shape), values.dtype).at[tuple(jnp.moveaxis(indices, -1, 0))].add(values)


@op
def scatter_update(inputs: Tensor, indices: Tensor, updates: Tensor, reduction: str | None = None) -> Array:
    """Updates elements of a tensor, at indices.

    Args:
        inputs: Tensor.
        indices: Integers ``(n, rank)``: the index of each update.
        updates: ``(n,)``, or ``(n, ...)`` if the indices cover only the first `rank` axes.
        reduction: How to combine old and new elements: 'add', 'max', 'min' or 'mul'. ``None`` replaces the old ones.

    Returns:
        A tensor of the shape of the inputs.

    Raises:
        ValueError: If the reduction is unknown.

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
    """Extracts a slice of a tensor.

    Args:
        inputs: Tensor.
        start_indices: Start of the slice along each axis.
        shape: Shape of the slice; -1 stands for the rest of an axis.

    Returns:
        The slice.

    >>> slice([[1, 2, 3], [4, 5, 6]], (0, 1), (2, -1)).tolist()
    [[2, 3], [5, 6]]
    """
    inputs = tensor(inputs)
    sizes = [s if s != -1 else n - int(start) for s, n, start in zip(shape, inputs.shape, start_indices)]
    return jax.lax.dynamic_slice(inputs, list(start_indices), dims(sizes))


@op
def slice_update(inputs: Tensor, start_indices: Sequence[int], updates: Tensor) -> Array:
    """Replaces a slice of a tensor.

    Args:
        inputs: Tensor.
        start_indices: Start of the slice along each axis.
        updates: The new values of the slice, with the number of dimensions of the inputs.

    Returns:
        A tensor of the shape of the inputs.

    >>> slice_update([1, 2, 3], (1,), [8, 9]).tolist()
    [1, 8, 9]
    """
    inputs = tensor(inputs)
    return jax.lax.dynamic_update_slice(inputs, tensor(updates).astype(inputs.dtype), list(start_indices))


@op
def unstack(x: Tensor, num: int | None = None, axis: int = 0) -> list[Array]:
    """Splits a tensor into its slices along an axis.

    Args:
        x: Tensor.
        num: Number of slices; by default all.
        axis: Axis to split along, which the slices do not have.

    Returns:
        A list of tensors.

    >>> [part.tolist() for part in unstack([[1, 2], [3, 4]])]
    [[1, 2], [3, 4]]
    """
    x = tensor(x)
    return [jax.lax.index_in_dim(x, i, axis, keepdims=False) for i in range(num or x.shape[axis])]


# Control flow. Variables that the functions write become part of the state of the loop.


def _written_by(functions, *args):
    """The variables that the functions write, found by tracing them."""
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


def cond(pred: Tensor, true_fn: Callable[[], Tree], false_fn: Callable[[], Tree]) -> Tree:
    """Calls ``true_fn()`` if a condition holds, else ``false_fn()``.

    Args:
        pred: The condition: a single boolean.
        true_fn: Function without arguments. It may read and write variables.
        false_fn: Function without arguments, whose result has the same structure, shapes and data types as that of
            `true_fn`. It may read and write variables.

    Returns:
        The result of the function. Only one of the two runs, in compiled code as well.

    >>> cond(True, lambda: 1, lambda: 2)
    1
    """
    return switch(cast(pred, "int32"), [false_fn, true_fn])


def switch(index: Tensor, branches: Sequence[Callable], *operands: Tree) -> Tree:
    """Calls ``branches[index](*operands)``.

    Args:
        index: Index of the branch to call. It is clipped to ``[0, len(branches) - 1]``.
        branches: Functions whose results have the same structure, shapes and data types. They may read and write
            variables.
        *operands: Arguments of the branch.

    Returns:
        The result of the branch. Only that branch runs, in compiled code as well.

    >>> switch(1, [lambda x: x, lambda x: 10 * x], 3)
    30
    """
    if has_symbol((index, operands)):
        # The branches may use symbols of the enclosing function. So all of them are recorded, and one result is chosen.
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
def fori_loop(lower: int, upper: int, body_fun: Callable[[Array, Tree], Tree], init_val: Tree) -> Tree:
    """Loops over the integers of a range: ``val = body_fun(i, val)``.

    Args:
        lower: First integer.
        upper: End of the range, exclusive.
        body_fun: Function of the integer and the value that returns the next value. It may read and write variables.
        init_val: Initial value: a tensor or a structure of tensors. Shapes and data types must not change.

    Returns:
        The final value.

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
    """The result of a loop's body, in the data types of the initial value."""
    return map_structure(lambda e, x: x.astype(e.dtype), example, tree)


@op
def while_loop(cond: Callable, body: Callable, loop_vars: Tree, maximum_iterations: int | None = None) -> Tree:
    """Loops while a condition holds: ``loop_vars = body(*loop_vars)``.

    Args:
        cond: Function of the loop variables that returns a single boolean.
        body: Function of the loop variables that returns the next ones. It may read and write variables.
        loop_vars: Initial values: a tensor, or a list or tuple of tensors. Shapes and data types must not change.
        maximum_iterations: Largest number of iterations; ``None`` for no limit.

    Returns:
        The final loop variables, in the structure of `loop_vars`.

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
def scan(
    f: Callable[[Tree, Tree], tuple[Tree, Tree]],
    init: Tree,
    xs: Tree = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Tree, Tree]:
    """Loops along the first axis of a tensor: ``carry, y = f(carry, x)``.

    Args:
        f: Function of the carry and a slice of `xs`. It may read and write variables.
        init: Initial carry: a tensor or a structure of tensors. Shapes and data types must not change.
        xs: Tensor, or structure of tensors with first axes of equal size. ``None`` to call ``f(carry, None)``.
        length: Number of steps. It is required if `xs` is ``None``.
        reverse: Whether to start at the end.
        unroll: Number of steps in each iteration of the compiled loop.

    Returns:
        ``(carry, ys)``: the final carry, and the results `y` stacked along a new first axis.

    >>> total, sums = scan(lambda total, x: (total + x, total + x), 0, [1, 2, 3])
    >>> int(total), sums.tolist()
    (6, [1, 3, 6])
    """
    return core_scan(f, _arrays(init), None if xs is None else _sequence(xs), length, reverse, int(unroll))


def _sequence(xs):
    """Converts what is looped over: an array, or a structure of arrays. A list of numbers is one array."""
    is_numbers = isinstance(xs, list) and xs and all(np.ndim(x) == 0 for x in xs if not isinstance(x, dict))
    return tensor(xs) if is_numbers else _arrays(xs)


@op
def map(f: Callable[[Tree], Tree], xs: Tree) -> Tree:
    """Applies a function to each slice along the first axis, one after the other.

    Args:
        f: Function of a slice. It may read and write variables.
        xs: Tensor, or structure of tensors with first axes of equal size.

    Returns:
        The results, stacked along a new first axis.

    >>> map(lambda x: 2 * x, [1, 2, 3]).tolist()
    [2, 4, 6]
    """
    return core_scan(lambda _, x: ((), f(x)), (), _sequence(xs))[1]


@op
def vectorized_map(function: Callable[[Tree], Tree], elements: Tree) -> Tree:
    """Applies a function to all slices along the first axis at once.

    Args:
        function: Function of a slice.
        elements: Tensor, or structure of tensors with first axes of equal size.

    Returns:
        The results, stacked along a new first axis.

    >>> vectorized_map(lambda x: 2 * x, [1, 2, 3]).tolist()
    [2, 4, 6]
    """
    return jax.vmap(function)(_sequence(elements))


@op
def associative_scan(f: Callable[[Tree, Tree], Tree], elems: Tree, reverse: bool = False, axis: int = 0) -> Tree:
    """Computes all partial results of an associative function in logarithmically many steps (Blelloch 1990).

    Args:
        f: Associative function of two tensors (or structures of tensors), which combines all their slices along the
            axis at once.
        elems: Tensor, or structure of tensors.
        reverse: Whether to start at the end.
        axis: Axis to scan along.

    Returns:
        A tensor (or structure) of the shape of `elems`: at each position, the combination of all elements up to it.

    >>> associative_scan(lambda a, b: a + b, [1, 2, 3]).tolist()
    [1, 3, 6]
    """
    return jax.lax.associative_scan(f, _sequence(elems), reverse, axis)


def custom_gradient(f: Callable) -> Callable:
    """Decorator that defines the gradient of a function.

    Args:
        f: Function of tensors that returns ``(result, gradient)``. The gradient is a function that maps the gradient
            with respect to the result to the gradients with respect to the arguments.

    Returns:
        A function that returns the result only.

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
    """Reorders, splits and joins axes, in the notation of einops (Rogozhnikov 2022).

    Args:
        tensor: Tensor.
        pattern: Names of the axes before and after an arrow. Names in parentheses are joined into one axis.
        **axes_lengths: Sizes of axes by name. Where an axis is split, all parts but one must be given.

    Returns:
        The rearranged tensor.

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
    split = tensor.reshape([sizes[name] for name in names])  # one axis for each name, in the order of the left side
    ordered = split.transpose([names.index(name) for group in right for name in group])  # in that of the right side
    return ordered.reshape([math.prod(sizes[name] for name in group) for group in right])


def _axes_of(side):
    """Parses ``"b (h w) ..."`` to ``[["b"], ["h", "w"], ["..."]]``. A 1 is an axis without a name."""
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
