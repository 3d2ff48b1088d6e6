"""Functions that work element by element, and products of two tensors (a part of `keras.ops.numpy`)."""

from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array

from ..core import op
from .table import DType, Tensor, as_float, define, operand, tensor, tensors


@define(
    jnp,
    "abs absolute angle arccos arccosh arcsin arcsinh arctan arctanh bitwise_invert bitwise_not cbrt conj "
    "conjugate copy corrcoef cos cosh deg2rad exp exp2 expm1 fabs fliplr flipud i0 imag isfinite isinf isnan "
    "isneginf isposinf isreal log log10 log1p log2 logical_not negative nonzero rad2deg ravel real reciprocal sign "
    "signbit sin sinc sinh sqrt square tan tanh trunc",
)
def _of_one(x: Tensor, *, function) -> Array:
    """A function of one tensor.

    Args:
        x: Tensor of any shape.

    Returns:
        A tensor; of the shape of `x` if the function works element by element.

    >>> abs([-1, 2]).tolist()
    [1, 2]

    >>> exp([0.0]).tolist()
    [1.0]

    >>> log([1.0]).tolist()
    [0.0]

    >>> sqrt([4.0, 9.0]).tolist()
    [2.0, 3.0]

    >>> square([2, -3]).tolist()
    [4, 9]

    >>> sign([-0.5, 0.0]).tolist()
    [-1.0, 0.0]

    >>> isnan([0.0, float("nan")]).tolist()
    [False, True]

    >>> ravel([[1, 2], [3, 4]]).tolist()
    [1, 2, 3, 4]

    >>> fliplr([[1, 2], [3, 4]]).tolist()
    [[2, 1], [4, 3]]

    >>> [index.tolist() for index in nonzero([0, 5, 7])]
    [[1, 2]]
    """
    return function(operand(x))


@define(jnp, "ceil floor")
def _to_whole(x: Tensor, *, function) -> Array:
    """Numbers rounded to whole ones; integers become `floatx()`.

    Args:
        x: Tensor of any shape.

    Returns:
        A tensor of floats, of the shape of `x`.

    >>> ceil([1.2, -1.2]).tolist()
    [2.0, -1.0]

    >>> floor([1.2, -1.2]).tolist()
    [1.0, -2.0]
    """
    return function(as_float(x))


@define(
    jnp,
    "add arctan2 divide dot equal floor_divide fmax fmin fmod gcd greater greater_equal heaviside hypot inner kron "
    "lcm ldexp less less_equal logaddexp logaddexp2 logical_and logical_or logical_xor matmul maximum minimum mod "
    "multiply nextafter not_equal outer power subtract true_divide vdot",
)
def _of_two(x1: Tensor, x2: Tensor, *, function) -> Array:
    """A function of two tensors.

    Args:
        x1: First tensor.
        x2: Second tensor. Functions that work element by element broadcast the two shapes against each other.

    Returns:
        A tensor.

    >>> add([1, 2], 10).tolist()
    [11, 12]

    >>> subtract([1, 2], 10).tolist()
    [-9, -8]

    >>> multiply([1, 2], [3, 4]).tolist()
    [3, 8]

    >>> divide([1.0, 3.0], 2).tolist()
    [0.5, 1.5]

    >>> power([2, 3], 2).tolist()
    [4, 9]

    >>> mod([5, -5], 3).tolist()
    [2, 1]

    >>> maximum([1, 5], [4, 2]).tolist()
    [4, 5]

    >>> minimum([1, 5], [4, 2]).tolist()
    [1, 2]

    >>> equal([1, 2], [1, 3]).tolist()
    [True, False]

    >>> greater([1, 5], [4, 2]).tolist()
    [False, True]

    >>> logical_and([True, True], [True, False]).tolist()
    [True, False]

    >>> matmul([[1, 2], [3, 4]], [[1], [1]]).tolist()
    [[3], [7]]

    >>> dot([1, 2], [3, 4]).tolist()
    11

    >>> outer([1, 2], [3, 4]).tolist()
    [[3, 4], [6, 8]]
    """
    return function(operand(x1), operand(x2))


@define(jnp, "bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor left_shift right_shift")
def _of_bits(x: Tensor, y: Tensor, *, function) -> Array:
    """A function of the bits of two tensors.

    Args:
        x: Tensor of integers or booleans.
        y: Tensor that broadcasts against `x`: the second operand, or the number of places to shift by.

    Returns:
        A tensor of the broadcast shape.

    >>> bitwise_and([6], [3]).tolist()
    [2]

    >>> bitwise_or([6], [3]).tolist()
    [7]

    >>> left_shift([1, 2], 3).tolist()
    [8, 16]
    """
    return function(operand(x), operand(y))


@op
def round(x: Tensor, decimals: int = 0) -> Array:
    """Numbers rounded to some decimals; halves go to the nearest even number.

    Args:
        x: Tensor of numbers.
        decimals: How many decimals to keep; negative to round to tens, hundreds and so on.

    Returns:
        A tensor of the shape of `x`.

    >>> round([0.5, 1.5, 2.6]).tolist()
    [0.0, 2.0, 3.0]
    """
    return jnp.round(operand(x), decimals)


@op
def nan_to_num(x: Tensor, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Array:
    """NaN and infinite values replaced.

    Args:
        x: Tensor of numbers.
        nan: What replaces NaN.
        posinf: What replaces infinity; by default the largest number of the type.
        neginf: What replaces minus infinity; by default the smallest number of the type.

    Returns:
        A tensor of the shape of `x`.

    >>> nan_to_num([1.0, float("nan")]).tolist()
    [1.0, 0.0]
    """
    return jnp.nan_to_num(operand(x), nan=nan, posinf=posinf, neginf=neginf)


@define(jnp, "allclose isclose")
def _close(
    x1: Tensor, x2: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False, *, function
) -> Array:
    """Whether ``|x1 - x2| <= atol + rtol * |x2|``.

    Args:
        x1: First tensor.
        x2: Second tensor, which broadcasts against the first.
        rtol: Relative tolerance.
        atol: Absolute tolerance.
        equal_nan: Whether NaN equals NaN.

    Returns:
        Booleans; `allclose` gives one for all elements together.

    >>> isclose([1.0, 2.0], [1.0, 2.1]).tolist()
    [True, False]

    >>> bool(allclose([1.0, 2.0], [1.0, 2.1], atol=0.2))
    True
    """
    return function(operand(x1), operand(x2), rtol=rtol, atol=atol, equal_nan=equal_nan)


@op
def isin(x1: Tensor, x2: Tensor, assume_unique: bool = False, invert: bool = False) -> Array:
    """Whether each element of `x1` occurs in `x2`.

    Args:
        x1: Tensor of any shape.
        x2: Elements to look for.
        assume_unique: Whether no element occurs twice, which is faster.
        invert: Whether to ask for absence instead.

    Returns:
        Booleans of the shape of `x1`.

    >>> isin([1, 2, 3], [3, 1]).tolist()
    [True, False, True]
    """
    return jnp.isin(operand(x1), operand(x2), assume_unique=assume_unique, invert=invert)


@op
def clip(x: Tensor, x_min: Tensor, x_max: Tensor) -> Array:
    """`x` limited to a range.

    Args:
        x: Tensor of numbers.
        x_min: Smallest value.
        x_max: Largest value.

    Returns:
        A tensor of the shape of `x`.

    >>> clip([-1, 5, 9], 0, 6).tolist()
    [0, 5, 6]
    """
    return jnp.clip(tensor(x), operand(x_min), operand(x_max))


@op
def select(condlist: Sequence[Tensor], choicelist: Sequence[Tensor], default=0) -> Array:
    """Each element from the first choice whose condition holds there.

    Args:
        condlist: List of tensors of booleans.
        choicelist: List of as many tensors to choose from.
        default: What to take where no condition holds.

    Returns:
        A tensor of the shape of the choices.

    >>> select([[True, False], [True, True]], [[1, 2], [3, 4]]).tolist()
    [1, 4]
    """
    return jnp.select(tensors(condlist), tensors(choicelist), default)


@op
def view(x: Tensor, dtype: DType = None) -> Array:
    """The same bits, read as another type.

    Args:
        x: Tensor.
        dtype: The other type.

    Returns:
        A tensor. The last axis is longer or shorter if the sizes of the types differ.

    >>> view(jnp.ones(1, "float32"), "int32").tolist()
    [1065353216]
    """
    return tensor(x).view(dtype)


@op
def where(condition: Tensor, x1: Tensor = None, x2: Tensor = None):
    """Elements from one tensor where a condition holds, from another elsewhere.

    Args:
        condition: Tensor of booleans.
        x1: What to take where the condition holds.
        x2: What to take elsewhere.

    Returns:
        A tensor of the broadcast shape; with the condition alone, a tuple of the indices where it holds.

    >>> where([True, False], [1, 2], 0).tolist()
    [1, 0]
    """
    if x1 is None and x2 is None:
        return jnp.where(tensor(condition))
    return jnp.where(tensor(condition), operand(x1), operand(x2))
