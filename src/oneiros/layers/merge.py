"""Layers that make one output from several inputs, and functions of the same names.

The elementwise ones broadcast their inputs as NumPy does, but for the batch axis: an input with fewer axes gets axes of
length 1 right behind the batch axis.
"""

import functools
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from ..core import behaviour
from ..core.checks import integer
from ..core.errors import InputDataError
from ..core.fields import field
from .base import Layer


class _Merge(Layer):
    """Base of the elementwise merges: subclasses define ``merge(a, b)``. Shapes broadcast as NumPy's do."""

    supports_masking = True
    exactly = None  # the number of inputs; None: any

    def build(self, input_shape):
        self.compute_output_shape(input_shape)

    def compute_output_shape(self, input_shape):
        shapes = _shapes(self, "merge", input_shape, self.exactly)
        batches = {shape[0] for shape in shapes if shape} - {None}
        if len(batches) > 1:
            raise InputDataError(
                f"Layer {self.name} ({type(self).__name__}): cannot merge tensors with different batch sizes. Received "
                f"tensors with shapes {[tuple(shape) for shape in shapes]}"
            )
        rank = max(map(len, shapes))
        aligned = [(1,) * (rank - len(shape)) + tuple(shape[1:]) for shape in shapes]
        for axis, sizes in enumerate(zip(*aligned), 1):
            if len(different := dict.fromkeys(n for n in sizes if n not in (None, 1))) > 1:
                raise InputDataError(
                    f"Layer {self.name} ({type(self).__name__}): inputs have incompatible shapes "
                    f"{', '.join(str(tuple(shape)) for shape in shapes)}. On axis {axis} the sizes are "
                    f"{' and '.join(map(str, different))}. Make the shapes equal, for example with a Dense layer, "
                    "or use Concatenate."
                )
        rest = functools.reduce(_broadcast, aligned)
        return (*batches, *rest) if batches else (None, *rest)

    def call(self, inputs):
        self.compute_output_shape([x.shape for x in inputs])
        return functools.reduce(self.merge, _align(inputs))

    def compute_mask(self, inputs, mask=None):
        masks = _masks(self, inputs, mask)
        if behaviour.merged_mask == "any":
            return None if any(m is None for m in masks) else functools.reduce(jnp.logical_or, _align(masks))
        masks = [m for m in masks if m is not None]
        return functools.reduce(jnp.logical_and, _align(masks)) if masks else None


def _shapes(layer, kind, shapes, exactly):
    """Complains unless these are the shapes of a list of inputs."""
    if not isinstance(shapes, (list, tuple)) or not all(isinstance(shape, (list, tuple)) for shape in shapes):
        raise InputDataError(
            f"A {kind} layer should be called on a list of inputs. Received: input_shape={shapes} (not a list of "
            f"shapes) in layer {layer.name} ({type(layer).__name__})."
        )
    fewest = 2 if behaviour.merges_need_two else 1
    if len(shapes) != exactly if exactly else len(shapes) < fewest:
        wanted = f"exactly {exactly} inputs" if exactly else f"a list of at least {fewest} input{'s'[: fewest > 1]}"
        raise InputDataError(
            f"A `{type(layer).__name__}` layer should be called on {wanted}. Received: input_shape={list(shapes)}"
        )
    return shapes


def _masks(layer, inputs, mask):
    """Complains unless there is one mask, or `None`, for each of a list of inputs. Without any, returns one `None`."""
    if mask is None:
        return [None]
    for name, value in (("inputs", inputs), ("mask", mask)):
        if not isinstance(value, (list, tuple)):
            raise InputDataError(
                f"Layer {layer.name} ({type(layer).__name__}): compute_mask: `{name}` should be a list. Received: "
                f"{name}={value!r}"
            )
    if len(inputs) != len(mask):
        raise InputDataError(
            f"Layer {layer.name} ({type(layer).__name__}): compute_mask: expected one mask, or None, for each input. "
            f"Received {len(inputs)} inputs and {len(mask)} masks."
        )
    return mask


def _broadcast(a, b):
    return tuple(n if m == 1 else m if n == 1 else None if m is None or n is None else m for m, n in zip(a, b))


def _align(arrays):
    rank = max(x.ndim for x in arrays)
    return [x.reshape(*x.shape[:1], *(1,) * (rank - x.ndim), *x.shape[1:]) for x in arrays]


class Add(_Merge):
    """The sum of the inputs.

    Shapes: a list of equal shapes, or of shapes that can be broadcast, to their common shape.

    >>> import numpy as np
    >>> Add()([np.ones((1, 2)), np.ones((1, 2))]).tolist()
    [[2.0, 2.0]]
    """

    merge = staticmethod(jnp.add)


class Subtract(_Merge):
    """The first of two inputs minus the second.

    Shapes: a list of two equal shapes, or of shapes that can be broadcast, to their common shape.

    >>> import numpy as np
    >>> Subtract()([np.array([[3.0, 5.0]]), np.array([[1.0, 1.0]])]).tolist()
    [[2.0, 4.0]]
    """

    exactly = 2
    merge = staticmethod(jnp.subtract)


class Multiply(_Merge):
    """The product of the inputs.

    Shapes: a list of equal shapes, or of shapes that can be broadcast, to their common shape.

    >>> import numpy as np
    >>> Multiply()([np.array([[3.0, 5.0]]), np.array([[2.0, 2.0]])]).tolist()
    [[6.0, 10.0]]
    """

    merge = staticmethod(jnp.multiply)

    def call(self, inputs: Sequence[Array], mask: Any = None) -> Array:
        if mask is not None and behaviour.merged_mask == "any":
            inputs = [x if m is None else jnp.where(_like(m, x), x, 1) for x, m in zip(inputs, mask)]
        return super().call(inputs)


class Average(_Merge):
    """The mean of the inputs, element by element.

    Shapes: a list of equal shapes, or of shapes that can be broadcast, to their common shape.

    >>> import numpy as np
    >>> Average()([np.array([[3.0, 5.0]]), np.array([[1.0, 1.0]])]).tolist()
    [[2.0, 3.0]]
    """

    merge = staticmethod(jnp.add)

    def call(self, inputs: Sequence[Array]) -> Array:
        return super().call(inputs) / len(inputs)


class Maximum(_Merge):
    """The largest of the inputs, element by element.

    Shapes: a list of equal shapes, or of shapes that can be broadcast, to their common shape.

    >>> import numpy as np
    >>> Maximum()([np.array([[3.0, 5.0]]), np.array([[4.0, 4.0]])]).tolist()
    [[4.0, 5.0]]
    """

    merge = staticmethod(jnp.maximum)


class Minimum(_Merge):
    """The smallest of the inputs, element by element.

    Shapes: a list of equal shapes, or of shapes that can be broadcast, to their common shape.

    >>> import numpy as np
    >>> Minimum()([np.array([[3.0, 5.0]]), np.array([[4.0, 4.0]])]).tolist()
    [[3.0, 4.0]]
    """

    merge = staticmethod(jnp.minimum)


def _like(mask, x):
    """A mask of leading axes with the rank of `x`."""
    return mask.reshape(*mask.shape, *(1,) * (x.ndim - mask.ndim))


class Concatenate(Layer):
    """Joins the inputs along an axis.

    Shapes: a list of shapes that are equal but on that axis. On it, the length of the output is the sum of the lengths.

    >>> import numpy as np
    >>> Concatenate()([np.ones((2, 3)), np.ones((2, 4))]).shape
    (2, 7)
    """

    supports_masking = True

    axis: int = field(integer, default=-1, doc="Axis along which the inputs are joined.")

    def build(self, input_shape: Sequence[tuple]) -> None:
        self.compute_output_shape(input_shape)

    def call(self, inputs: Sequence[Array]) -> Array:
        self.compute_output_shape([x.shape for x in inputs])
        return jnp.concatenate(inputs, self.axis)

    def compute_output_shape(self, input_shape: Sequence[tuple]) -> tuple:
        shapes = _shapes(self, "`Concatenate`", input_shape, None)
        rank = len(shapes[0])
        if not -rank <= self.axis < rank:
            raise InputDataError(
                f"Layer {self.name} (Concatenate): there is no axis {self.axis}. Received: input_shape={list(shapes)}"
            )
        axis = self.axis % rank
        merged = list(shapes[0])
        for shape in shapes[1:]:
            for i, (m, n) in enumerate(zip(merged, shape)):
                if i == axis:
                    merged[i] = None if m is None or n is None else m + n
                else:
                    merged[i] = n if m is None else m
            differ = [i for i, (m, n) in enumerate(zip(merged, shape)) if i != axis and n not in (m, None)]
            if len(shape) != rank or differ:
                where = f"On axis {differ[0]} they differ" if len(shape) == rank else "Their numbers of axes differ"
                raise InputDataError(
                    f"Layer {self.name} (Concatenate): the inputs need matching shapes except for the concatenation "
                    f"axis {self.axis}. {where}. Received: input_shape={[tuple(shape) for shape in shapes]}"
                )
        return tuple(merged)

    def compute_mask(self, inputs: Sequence[Array], mask: Any = None) -> Any:
        masks = _masks(self, inputs, mask)
        if all(m is None for m in masks):
            return None
        rank = max(m.ndim for m in masks if m is not None)
        aligned = [jnp.ones((1,) * x.ndim, bool) if m is None else _like(m, x) for x, m in zip(inputs, masks)]
        sizes = jnp.broadcast_shapes(*(m.shape[:1] for m in aligned))  # of the batch, which symbols do not know
        shapes = [(*sizes, *x.shape[1:]) for x in inputs]
        merged = jnp.concatenate([jnp.broadcast_to(m, s) for m, s in zip(aligned, shapes)], self.axis)
        reduce = jnp.any if behaviour.merged_mask == "any" else jnp.all
        return reduce(merged, tuple(range(rank, merged.ndim)))


def _axes(name, value):
    both = (value, value) if isinstance(value, int) else value
    if not isinstance(both, (list, tuple)) or not all(isinstance(axis, int) for axis in both):
        raise TypeError(f"Dot: expected an integer or two for `{name}`. Received: {name}={value!r}")
    if len(both) != 2:
        raise InputDataError(f"`{name}` should be an integer or two integers. Received: {name}={value!r}")
    return value if isinstance(value, int) else list(value)


class Dot(Layer):
    """The inner products of two inputs, example by example: the sum of their products over an axis of each.

    Shapes: a list of two shapes to the axes of the first, then those of the second without its batch axis, both without
    the axes that are summed over. Two inputs of shape ``(batch, n)`` give ``(batch, 1)``.

    >>> import numpy as np
    >>> Dot(axes=(2, 1))([np.ones((5, 4, 3)), np.ones((5, 3, 2))]).shape
    (5, 4, 2)
    """

    supports_masking = True

    axes: int | list = field(_axes, doc="The axis to sum over, or one for each input.")
    normalize: bool = field(default=False, doc="Whether to scale to length 1 first: the cosine similarity.")

    def build(self, input_shape: Sequence[tuple]) -> None:
        self.compute_output_shape(input_shape)

    def _axes(self, shapes):
        a, b = _shapes(self, "`Dot`", shapes, 2)
        i, j = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        if i % len(a) == 0 or j % len(b) == 0 or not (-len(a) <= i < len(a) and -len(b) <= j < len(b)):
            raise InputDataError(
                f"Layer {self.name} (Dot): axes={self.axes} are not axes of the inputs beside the batch. Full input "
                f"shapes: {tuple(a)}, {tuple(b)}"
            )
        i, j = i % len(a), j % len(b)
        if a[i] != b[j] and a[i] is not None and b[j] is not None:
            raise InputDataError(
                f"Layer {self.name} (Dot): incompatible input shapes: axis {i} of the first input has size {a[i]}, "
                f"axis {j} of the second {b[j]}; they must be equal. Full input shapes: {tuple(a)}, {tuple(b)}. Choose "
                "other `axes`."
            )
        return i, j

    def call(self, inputs: Sequence[Array]) -> Array:
        i, j = self._axes([x.shape for x in inputs])
        a, b = inputs
        if self.normalize:
            a, b = _unit(a, i), _unit(b, j)
        dtype = jnp.promote_types(a.dtype, b.dtype)
        outputs = lax.dot_general(a.astype(dtype), b.astype(dtype), (((i,), (j,)), ((0,), (0,))))
        return outputs[:, None] if outputs.ndim == 1 else outputs

    def compute_output_shape(self, input_shape: Sequence[tuple]) -> tuple:
        i, j = self._axes(input_shape)
        a, b = map(tuple, input_shape)
        shape = (b[0] if a[0] is None else a[0], *a[1:i], *a[i + 1 :], *b[1:j], *b[j + 1 :])
        return shape if len(shape) > 1 else (*shape, 1)

    def compute_mask(self, inputs: Sequence[Array], mask: Any = None) -> Any:
        return None


def _unit(x, axis):
    return x * lax.rsqrt(jnp.maximum(jnp.square(x).sum(axis, keepdims=True), 1e-12))


def add(inputs: Sequence, **kwargs) -> Any:
    """The sum of a list of symbols or arrays, as from the layer `Add`.

    Args:
        inputs: a list of symbols or arrays.
        **kwargs: arguments of the layer, such as `name`.

    Returns:
        A symbol or an array.

    >>> import numpy as np
    >>> add([np.ones((1, 2)), np.ones((1, 2))]).tolist()
    [[2.0, 2.0]]
    """
    return Add(**kwargs)(inputs)


def subtract(inputs: Sequence, **kwargs) -> Any:
    """The difference of two symbols or arrays, as from the layer `Subtract`.

    Args:
        inputs: a list of two symbols or arrays.
        **kwargs: arguments of the layer, such as `name`.

    Returns:
        A symbol or an array.

    >>> import numpy as np
    >>> subtract([np.array([[3.0]]), np.array([[1.0]])]).tolist()
    [[2.0]]
    """
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Sequence, **kwargs) -> Any:
    """The product of a list of symbols or arrays, as from the layer `Multiply`.

    Args:
        inputs: a list of symbols or arrays.
        **kwargs: arguments of the layer, such as `name`.

    Returns:
        A symbol or an array.

    >>> import numpy as np
    >>> multiply([np.array([[3.0]]), np.array([[2.0]])]).tolist()
    [[6.0]]
    """
    return Multiply(**kwargs)(inputs)


def average(inputs: Sequence, **kwargs) -> Any:
    """The mean of a list of symbols or arrays, as from the layer `Average`.

    Args:
        inputs: a list of symbols or arrays.
        **kwargs: arguments of the layer, such as `name`.

    Returns:
        A symbol or an array.

    >>> import numpy as np
    >>> average([np.array([[3.0]]), np.array([[1.0]])]).tolist()
    [[2.0]]
    """
    return Average(**kwargs)(inputs)


def maximum(inputs: Sequence, **kwargs) -> Any:
    """The largest of a list of symbols or arrays, element by element, as from the layer `Maximum`.

    Args:
        inputs: a list of symbols or arrays.
        **kwargs: arguments of the layer, such as `name`.

    Returns:
        A symbol or an array.

    >>> import numpy as np
    >>> maximum([np.array([[3.0]]), np.array([[1.0]])]).tolist()
    [[3.0]]
    """
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Sequence, **kwargs) -> Any:
    """The smallest of a list of symbols or arrays, element by element, as from the layer `Minimum`.

    Args:
        inputs: a list of symbols or arrays.
        **kwargs: arguments of the layer, such as `name`.

    Returns:
        A symbol or an array.

    >>> import numpy as np
    >>> minimum([np.array([[3.0]]), np.array([[1.0]])]).tolist()
    [[1.0]]
    """
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Sequence, axis: int = -1, **kwargs) -> Any:
    """Joins a list of symbols or arrays along an axis, as the layer `Concatenate` does.

    Args:
        inputs: a list of symbols or arrays.
        axis: the axis along which they are joined.
        **kwargs: arguments of the layer, such as `name`.

    Returns:
        A symbol or an array.

    >>> import numpy as np
    >>> concatenate([np.ones((2, 3)), np.ones((2, 4))]).shape
    (2, 7)
    """
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Sequence, axes: Any = -1, normalize: bool = False, **kwargs) -> Any:
    """The inner products of two symbols or arrays over an axis of each, as from the layer `Dot`.

    Args:
        inputs: a list of two symbols or arrays.
        axes: the axis to sum over, or one for each input.
        normalize: whether to scale the vectors to length 1 first.
        **kwargs: arguments of the layer, such as `name`.

    Returns:
        A symbol or an array.

    >>> import numpy as np
    >>> dot([np.ones((2, 3)), np.ones((2, 3))], axes=1).tolist()
    [[3.0], [3.0]]
    """
    return Dot(axes=axes, normalize=normalize, **kwargs)(inputs)
