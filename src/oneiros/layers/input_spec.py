"""What a layer expects of its inputs, and the check of it."""

from typing import Any

import numpy as np

from ..core.errors import InputDataError


class InputSpec:
    """What a layer expects of an input: its rank, shape and type. `None` allows anything.

    Args:
        dtype: the type.
        shape: the shape, with `None` for dimensions of any size.
        ndim: the number of axes.
        max_ndim: the largest number of axes.
        min_ndim: the smallest number of axes.
        axes: a dictionary from axis to size.
        allow_last_axis_squeeze: accepted for Keras 3.
        name: the name of the input.
        optional: whether the input may be `None`.

    >>> InputSpec(ndim=2, axes={-1: 10})
    InputSpec(ndim=2, axes={-1: 10})
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ):
        self.dtype = dtype
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = {int(k): v for k, v in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional

    def __repr__(self):
        shown = {k: v for k, v in vars(self).items() if v}
        return f"InputSpec({', '.join(f'{k}={v}' for k, v in shown.items())})"

    def get_config(self) -> dict:
        """The arguments that describe the expectation, as JSON can hold them."""
        return {k: getattr(self, k) for k in ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")}

    @classmethod
    def from_config(cls, config: dict) -> "InputSpec":
        """A new object from what `get_config` returned."""
        return cls(**config)

    def complaint(self, shape: tuple) -> str | None:
        """What is wrong with this shape, in words; `None` if it fits."""
        rank = len(shape)
        if self.ndim is not None and rank != self.ndim:
            return f"expected {self.ndim} dimensions, received {rank}"
        if self.min_ndim is not None and rank < self.min_ndim:
            return f"expected at least {self.min_ndim} dimensions, received {rank}"
        if self.max_ndim is not None and rank > self.max_ndim:
            return f"expected at most {self.max_ndim} dimensions, received {rank}"
        for axis, size in self.axes.items():
            if size is not None and (not -rank <= axis < rank or shape[axis] not in (size, None)):
                return f"expected size {size} on axis {axis}, received {shape[axis] if -rank <= axis < rank else None}"
        if self.shape is not None:
            for axis, (want, have) in enumerate(zip(self.shape, shape)):
                if want is not None and have is not None and want != have:
                    return f"expected shape {self.shape}, received size {have} on axis {axis}"
        return None


def check_input(layer: Any, inputs: Any) -> None:
    """Compares the inputs of a layer with its `input_spec`.

    Args:
        layer: the layer.
        inputs: an array or symbol, or a list of them.

    Raises:
        InputDataError: if they do not fit.
    """
    specs = layer.input_spec if isinstance(layer.input_spec, (list, tuple)) else [layer.input_spec]
    inputs = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    if len(inputs) != len(specs):
        raise InputDataError(
            f"Layer {layer.name} ({type(layer).__name__}) expects {len(specs)} input(s), received {len(inputs)}."
            + (" Merge them first, e.g. by Concatenate()([a, b])." if len(specs) == 1 else "")
        )
    for spec, x in zip(specs, inputs):
        if spec is None or x is None or isinstance(x, dict):
            continue
        shape = tuple(x.shape) if hasattr(x, "shape") else np.shape(x)
        complaint = spec.complaint(shape)
        if complaint:
            raise InputDataError(
                f"Input of layer {layer.name} ({type(layer).__name__}): {complaint}. Full shape received: {shape}."
                + _hint(layer, spec, x, shape)
            )


def check_shape(shape: tuple, expected: tuple, name: str) -> None:
    """Compares the shape of an array with that of the input of a model, without the batch axis.

    A last axis of size 1 may be missing, or be there though it is not expected.

    Args:
        shape: the shape of the array or symbol.
        expected: the shape of the input, with `None` for dimensions of any size.
        name: what messages call the input.

    Raises:
        InputDataError: if they do not fit.

    >>> check_shape((8, 3), (None, 3), "input x")
    """
    if len(shape) == len(expected) - 1 and expected[-1] == 1:
        shape = (*shape, 1)
    elif len(shape) == len(expected) + 1 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != len(expected) or any(None not in (s, e) and s != e for s, e in zip(shape[1:], expected[1:])):
        raise InputDataError(
            f"{name}: expected an array of shape {expected} (None: any size). Received shape {shape}."
            + advise_on_shape(shape, expected)
        )


def _hint(layer, spec, x, shape):
    """What may be the cause of a shape that does not fit."""
    before = getattr(getattr(x, "node", None), "operation", None)
    rank = spec.ndim or spec.min_ndim
    if rank == len(shape) + 1:
        if getattr(before, "return_sequences", True) is False:
            return f" Layer {before.name} returns its last step only: set return_sequences=True there."
        if before is not None and type(before).__name__.startswith(("Flatten", "Global")):
            return f" Layer {before.name} ({type(before).__name__}) removes the axes that are missing: leave it out."
        return "" if before is not None else " Is the batch axis missing? For a single sample pass x[np.newaxis]."
    return advise_on_shape(shape, {axis % len(shape): size for axis, size in spec.axes.items() if shape})


def advise_on_shape(shape: tuple, expected: tuple | dict) -> str:
    """Says what may be the cause if an array does not have the shape that is expected.

    Args:
        shape: the shape of the array.
        expected: a shape, or a dictionary from axis to size.

    Returns:
        A sentence that starts with a space, or nothing.

    >>> advise_on_shape((8, 3, 32, 32), (None, 32, 32, 3))
    ' Is this channels-first? Move the channels to the end: np.moveaxis(x, 1, -1), or use data_format="channels_first".'
    """
    whole = isinstance(expected, tuple)
    if whole and len(shape) == len(expected) - 1 and _same(shape, expected[1:]):
        return " The batch axis is missing: for a single sample pass x[np.newaxis]."
    sizes = dict(enumerate(expected)) if whole else expected
    last = len(shape) - 1
    if last < 2 or (whole and len(expected) != len(shape)):
        return ""
    first = whole and _same((shape[0], *shape[2:], shape[1]), expected)
    if first or (not whole and sizes.get(last) is not None and sizes[last] == shape[1]):
        return (
            " Is this channels-first? Move the channels to the end: np.moveaxis(x, 1, -1), or use "
            'data_format="channels_first".'
        )
    if (whole and _same((shape[0], shape[-1], *shape[1:-1]), expected)) or (
        not whole and sizes.get(1) is not None and sizes[1] == shape[-1]
    ):
        return (
            " Is this channels-last? Move the channels to the front: np.moveaxis(x, -1, 1), or use "
            'data_format="channels_last".'
        )
    return ""


def _same(shape, expected):
    return len(shape) == len(expected) and all(e in (None, s) for s, e in zip(shape, expected))
