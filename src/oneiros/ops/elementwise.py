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

    Summaries:
        abs: The absolute value of each element.
        absolute: The absolute value of each element.
        angle: The angle of each complex number in radians, from -pi to pi.
        arccos: The inverse of the cosine, in radians from 0 to pi, element by element.
        arccosh: The inverse of the hyperbolic cosine, element by element.
        arcsin: The inverse of the sine, in radians from -pi/2 to pi/2, element by element.
        arcsinh: The inverse of the hyperbolic sine, element by element.
        arctan: The inverse of the tangent, in radians from -pi/2 to pi/2, element by element.
        arctanh: The inverse of the hyperbolic tangent, element by element.
        bitwise_invert: Inverts the bits of integers; negates booleans.
        bitwise_not: Inverts the bits of integers; negates booleans.
        cbrt: The cube root of each element.
        conj: The complex conjugate of each element.
        conjugate: The complex conjugate of each element.
        copy: A copy of a tensor.
        corrcoef: The Pearson correlation coefficients of the rows of a matrix.
        cos: The cosine of each element, an angle in radians.
        cosh: The hyperbolic cosine of each element.
        deg2rad: Converts angles from degrees to radians.
        exp: The exponential function ``exp(x)``, element by element.
        exp2: ``2**x``, element by element.
        expm1: ``exp(x) - 1``, element by element, accurate for small `x`.
        fabs: The absolute value of each element, as floats.
        fliplr: Reverses the order of the elements along the second axis.
        flipud: Reverses the order of the elements along the first axis.
        i0: The modified Bessel function of the first kind and order 0, element by element.
        imag: The imaginary parts of complex numbers.
        isfinite: Whether each element is finite, that is neither infinite nor NaN.
        isinf: Whether each element is infinite.
        isnan: Whether each element is NaN.
        isneginf: Whether each element is negative infinity.
        isposinf: Whether each element is positive infinity.
        isreal: Whether the imaginary part of each element is 0.
        log: The natural logarithm of each element.
        log10: The logarithm to base 10 of each element.
        log1p: ``log(1 + x)``, element by element, accurate for small `x`.
        log2: The logarithm to base 2 of each element.
        logical_not: Whether each element is false (or 0).
        negative: ``-x``, element by element.
        nonzero: The indices of the elements that are not 0: one vector of indices for each axis.
        rad2deg: Converts angles from radians to degrees.
        ravel: Flattens a tensor to a vector.
        real: The real parts of complex numbers.
        reciprocal: ``1 / x``, element by element.
        sign: The sign of each element: -1, 0 or 1.
        signbit: Whether each element is negative; true for -0.0, too.
        sin: The sine of each element, an angle in radians.
        sinc: The normalized sinc function ``sin(pi x) / (pi x)``, element by element.
        sinh: The hyperbolic sine of each element.
        sqrt: The square root of each element; NaN for negative ones.
        square: ``x**2``, element by element.
        tan: The tangent of each element, an angle in radians.
        tanh: The hyperbolic tangent of each element.
        trunc: Rounds each element towards 0.

    Args:
        x: Tensor of any shape.

    Returns:
        A tensor. Functions that work element by element keep the shape of `x`.

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

    >>> absolute([-1, 2]).tolist()
    [1, 2]

    >>> print(angle([1j, -1.0]).round(4))
    [1.5708 3.1416]

    >>> print(arccos([1.0, 0.0]).round(4))
    [0.     1.5708]

    >>> arccosh([1.0]).tolist()
    [0.0]

    >>> print(arcsin([0.0, 1.0]).round(4))
    [0.     1.5708]

    >>> arcsinh([0.0]).tolist()
    [0.0]

    >>> print(arctan([0.0, 1.0]).round(4))
    [0.     0.7854]

    >>> arctanh([0.0]).tolist()
    [0.0]

    >>> bitwise_invert([0, 7]).tolist()
    [-1, -8]

    >>> bitwise_not([0, 7]).tolist()
    [-1, -8]

    >>> print(cbrt([8.0, 27.0]).round(4))
    [2. 3.]

    >>> conj([1 + 2j]).tolist()
    [(1-2j)]

    >>> conjugate([1 + 2j]).tolist()
    [(1-2j)]

    >>> copy([1, 2]).tolist()
    [1, 2]

    >>> print(corrcoef([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]).round(4))
    [[ 1. -1.]
     [-1.  1.]]

    >>> cos([0.0]).tolist()
    [1.0]

    >>> cosh([0.0]).tolist()
    [1.0]

    >>> print(deg2rad([180.0]).round(4))
    [3.1416]

    >>> print(exp2([3.0]).round(4))
    [8.]

    >>> expm1([0.0]).tolist()
    [0.0]

    >>> fabs([-1, 2]).tolist()
    [1.0, 2.0]

    >>> flipud([[1, 2], [3, 4]]).tolist()
    [[3, 4], [1, 2]]

    >>> print(i0([0.0]).round(4))
    [1.]

    >>> imag([1 + 2j]).tolist()
    [2.0]

    >>> isfinite([0.0, float("inf")]).tolist()
    [True, False]

    >>> isinf([0.0, float("-inf")]).tolist()
    [False, True]

    >>> isneginf([float("inf"), float("-inf")]).tolist()
    [False, True]

    >>> isposinf([float("inf"), float("-inf")]).tolist()
    [True, False]

    >>> isreal([1 + 0j, 1 + 2j]).tolist()
    [True, False]

    >>> print(log10([1.0, 100.0]).round(4))
    [0. 2.]

    >>> log1p([0.0]).tolist()
    [0.0]

    >>> print(log2([1.0, 8.0]).round(4))
    [0. 3.]

    >>> logical_not([True, False]).tolist()
    [False, True]

    >>> negative([1, -2]).tolist()
    [-1, 2]

    >>> print(rad2deg([3.14159265]).round(2))
    [180.]

    >>> real([1 + 2j]).tolist()
    [1.0]

    >>> reciprocal([2.0, 4.0]).tolist()
    [0.5, 0.25]

    >>> signbit([-1.0, 0.0]).tolist()
    [True, False]

    >>> sin([0.0]).tolist()
    [0.0]

    >>> sinc([0.0]).tolist()
    [1.0]

    >>> sinh([0.0]).tolist()
    [0.0]

    >>> tan([0.0]).tolist()
    [0.0]

    >>> tanh([0.0]).tolist()
    [0.0]

    >>> trunc([1.7, -1.7]).tolist()
    [1.0, -1.0]
    """
    return function(operand(x))


@define(jnp, "ceil floor")
def _to_whole(x: Tensor, *, function) -> Array:
    """Numbers rounded to whole ones.

    Summaries:
        ceil: Rounds up to the next integer.
        floor: Rounds down to the next integer.

    Args:
        x: Tensor of any shape; integers become `floatx()`.

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

    Summaries:
        add: ``x1 + x2``, element by element.
        arctan2: The angle of the point ``(x2, x1)`` in radians, from -pi to pi.
        divide: Divides `x1` by `x2`, element by element; integers give floats.
        dot: The dot product: products summed over the last axis of `x1` and the second last axis of `x2`.
        equal: Whether ``x1 == x2``, element by element.
        floor_divide: Divides `x1` by `x2` and rounds down, element by element.
        fmax: The larger of two elements; the other one where one is NaN.
        fmin: The smaller of two elements; the other one where one is NaN.
        fmod: The remainder of ``x1 / x2`` with the sign of `x1`, element by element.
        gcd: The greatest common divisor of two integers, element by element.
        greater: Whether ``x1 > x2``, element by element.
        greater_equal: Whether ``x1 >= x2``, element by element.
        heaviside: The Heaviside step function: 0 where `x1` is negative, 1 where it is positive, `x2` where it is 0.
        hypot: ``sqrt(x1**2 + x2**2)``, element by element.
        inner: The inner product: products summed over the last axis of both tensors.
        kron: The Kronecker product: `x2` multiplied by each element of `x1`.
        lcm: The least common multiple of two integers, element by element.
        ldexp: ``x1 * 2**x2``, element by element.
        less: Whether ``x1 < x2``, element by element.
        less_equal: Whether ``x1 <= x2``, element by element.
        logaddexp: ``log(exp(x1) + exp(x2))``, computed without overflow.
        logaddexp2: ``log2(2**x1 + 2**x2)``, computed without overflow.
        logical_and: Whether both elements are true.
        logical_or: Whether at least one of two elements is true.
        logical_xor: Whether exactly one of two elements is true.
        matmul: The product of matrices on the last two axes; leading axes are batches.
        maximum: The larger of two elements; NaN where one is NaN.
        minimum: The smaller of two elements; NaN where one is NaN.
        mod: The remainder of ``x1 / x2`` with the sign of `x2`, element by element.
        multiply: ``x1 * x2``, element by element.
        nextafter: The floating-point number next to `x1` in the direction of `x2`, element by element.
        not_equal: Whether ``x1 != x2``, element by element.
        outer: The outer product of two vectors: the products of all pairs of elements.
        power: ``x1**x2``, element by element.
        subtract: ``x1 - x2``, element by element.
        true_divide: Divides `x1` by `x2`, element by element; integers give floats.
        vdot: The dot product of the flattened tensors, with `x1` complex-conjugated.

    Args:
        x1: First tensor.
        x2: Second tensor. Functions that work element by element broadcast the two shapes against each other.

    Returns:
        A tensor: of the broadcast shape if the function works element by element.

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

    >>> print(arctan2([1.0, 1.0], [1.0, -1.0]).round(4))
    [0.7854 2.3562]

    >>> floor_divide([7, -7], 2).tolist()
    [3, -4]

    >>> fmax([1.0, float("nan")], [4.0, 2.0]).tolist()
    [4.0, 2.0]

    >>> fmin([1.0, float("nan")], [4.0, 2.0]).tolist()
    [1.0, 2.0]

    >>> fmod([5, -5], 3).tolist()
    [2, -2]

    >>> gcd([12, 7], [18, 21]).tolist()
    [6, 7]

    >>> greater_equal([1, 5], [1, 6]).tolist()
    [True, False]

    >>> heaviside([-1.0, 0.0, 2.0], 0.5).tolist()
    [0.0, 0.5, 1.0]

    >>> hypot([3.0], [4.0]).tolist()
    [5.0]

    >>> inner([[1, 2], [3, 4]], [1, 1]).tolist()
    [3, 7]

    >>> kron([1, 10], [1, 2]).tolist()
    [1, 2, 10, 20]

    >>> lcm([4, 6], [6, 9]).tolist()
    [12, 18]

    >>> ldexp([1.0, 3.0], [2, 1]).tolist()
    [4.0, 6.0]

    >>> less([1, 5], [4, 2]).tolist()
    [True, False]

    >>> less_equal([1, 5], [1, 2]).tolist()
    [True, False]

    >>> print(logaddexp([0.0], [0.0]).round(4))
    [0.6931]

    >>> logaddexp2([0.0], [0.0]).tolist()
    [1.0]

    >>> logical_or([True, False], [False, False]).tolist()
    [True, False]

    >>> logical_xor([True, True], [True, False]).tolist()
    [False, True]

    >>> nextafter([1.0], [2.0]).tolist()
    [1.0000001192092896]

    >>> not_equal([1, 2], [1, 3]).tolist()
    [False, True]

    >>> true_divide([1, 3], 2).tolist()
    [0.5, 1.5]

    >>> print(vdot([1 + 1j, 2], [1j, 1]))
    (3+1j)
    """
    return function(operand(x1), operand(x2))


@define(jnp, "bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor left_shift right_shift")
def _of_bits(x: Tensor, y: Tensor, *, function) -> Array:
    """A function of the bits of two tensors.

    Summaries:
        bitwise_and: The bits that are set in both integers.
        bitwise_left_shift: Shifts the bits of `x` to the left by `y` places.
        bitwise_or: The bits that are set in at least one of two integers.
        bitwise_right_shift: Shifts the bits of `x` to the right by `y` places; the sign stays.
        bitwise_xor: The bits that are set in exactly one of two integers.
        left_shift: Shifts the bits of `x` to the left by `y` places.
        right_shift: Shifts the bits of `x` to the right by `y` places; the sign stays.

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

    >>> bitwise_left_shift([1, 2], 3).tolist()
    [8, 16]

    >>> bitwise_right_shift([8, 5], 1).tolist()
    [4, 2]

    >>> bitwise_xor([6], [3]).tolist()
    [5]

    >>> right_shift([8, 5], 1).tolist()
    [4, 2]
    """
    return function(operand(x), operand(y))


@op
def round(x: Tensor, decimals: int = 0) -> Array:
    """Rounds to a number of decimals; halves are rounded to the nearest even number.

    Args:
        x: Tensor of numbers.
        decimals: Number of decimals to keep; -1 rounds to tens, -2 to hundreds, and so on.

    Returns:
        A tensor of the shape of `x`.

    >>> round([0.5, 1.5, 2.6]).tolist()
    [0.0, 2.0, 3.0]
    """
    return jnp.round(operand(x), decimals)


@op
def nan_to_num(x: Tensor, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Array:
    """Replaces NaN and infinite values.

    Args:
        x: Tensor of numbers.
        nan: Value that replaces NaN.
        posinf: Value that replaces infinity; by default the largest number of the data type.
        neginf: Value that replaces minus infinity; by default the smallest number of the data type.

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

    Summaries:
        allclose: Whether all elements of two tensors are equal within a tolerance.
        isclose: Whether the elements of two tensors are equal within a tolerance: ``|x1 - x2| <= atol + rtol * |x2|``.

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
        assume_unique: Whether neither tensor has duplicates, which allows a faster search.
        invert: Whether to return the opposite: true where an element does not occur.

    Returns:
        Booleans of the shape of `x1`.

    >>> isin([1, 2, 3], [3, 1]).tolist()
    [True, False, True]
    """
    return jnp.isin(operand(x1), operand(x2), assume_unique=assume_unique, invert=invert)


@op
def clip(x: Tensor, x_min: Tensor, x_max: Tensor) -> Array:
    """Limits the elements of `x` to a range.

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
def select(condlist: Sequence[Tensor], choicelist: Sequence[Tensor], default: Tensor = 0) -> Array:
    """Takes each element from the first choice whose condition holds there.

    Args:
        condlist: List of tensors of booleans.
        choicelist: List of tensors to choose from, one for each condition.
        default: Value where no condition holds.

    Returns:
        A tensor of the shape of the choices.

    >>> select([[True, False], [True, True]], [[1, 2], [3, 4]]).tolist()
    [1, 4]
    """
    return jnp.select(tensors(condlist), tensors(choicelist), default)


@op
def view(x: Tensor, dtype: DType = None) -> Array:
    """Reinterprets the bits of a tensor as another data type.

    Args:
        x: Tensor.
        dtype: The other data type.

    Returns:
        A tensor. The last axis becomes longer or shorter if the sizes of the types differ.

    >>> view(jnp.ones(1, "float32"), "int32").tolist()
    [1065353216]
    """
    return tensor(x).view(dtype)


@op
def where(condition: Tensor, x1: Tensor = None, x2: Tensor = None) -> Array | tuple[Array, ...]:
    """Takes elements from one tensor where a condition holds, and from another elsewhere.

    Args:
        condition: Tensor of booleans.
        x1: Values where the condition holds.
        x2: Values elsewhere.

    Returns:
        A tensor of the broadcast shape. If only the condition is given: the indices where it holds, one vector for
        each axis.

    >>> where([True, False], [1, 2], 0).tolist()
    [1, 0]
    """
    if x1 is None and x2 is None:
        return jnp.where(tensor(condition))
    return jnp.where(tensor(condition), operand(x1), operand(x2))
