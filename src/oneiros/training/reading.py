"""What users give as data, as checked batches for a model."""

import contextlib
import itertools
import typing

import numpy as np

from ..core import Graph
from ..core.errors import InputDataError
from ..core.structure import leaves
from ..layers.input_layer import source_inputs
from ..layers.input_spec import check_shape
from . import checks
from .arrays import to_arrays
from .data import ArrayData, BatchData, is_batches, unpack
from .state import takes_texts
from .weights import sample_weights

_PLAIN = frozenset("fbBhHiIlL?")  # the types of arrays that are taken as they are


def reader_of(model: typing.Any) -> typing.Any:
    """The `Reader` of a model, made anew where its inputs are others than before."""
    state = model.training_state
    if state.reader is None or state.reader.inputs is not model.inputs:
        state.reader = Reader(model)
    return state.reader


def overrides(model: typing.Any, name: str) -> bool:
    """Whether a model's class has its own version of a method or property of `Trainer`.

    >>> from oneiros.models import Sequential
    >>> overrides(Sequential(), "train_step")
    False
    """
    owner = next(cls for cls in type(model).__mro__ if name in vars(cls))
    return owner.__module__ != "oneiros.training.trainer"


class Target(typing.NamedTuple):
    """Targets for one output.

    >>> Target("mse", np.zeros((4, 1)), (1,)).shape
    (1,)
    """

    loss: typing.Any
    array: typing.Any
    shape: tuple | None  # of the output without the batch axis; `None` while it is not known


class Reader:
    """Makes checked batches of what users give.

    Args:
        model: the model that the batches are for.

    >>> from oneiros import Input, Sequential, layers
    >>> reader = Reader(Sequential([Input((2,)), layers.Dense(1)]))
    >>> reader.batch([[1, 2], [3, 4]])[0].shape
    (2, 2)
    """

    def __init__(self, model: typing.Any):
        self.model, self.inputs = model, model.inputs
        self._own_loss = overrides(model, "compute_loss")
        self._embedded = [] if self.inputs is None else list(checks.embedded_inputs(model.layer_graph))
        # One plain array of this shape for one input needs no more than a look.
        plain = self.inputs is not None and len(self.inputs) == 1 and not isinstance(model.input_structure, dict)
        shape = tuple(self.inputs[0].shape[1:]) if plain else ()
        self._plain_shape = shape if shape and None not in shape else None
        # Inputs that were made with `Input(tensor=...)` have values of their own.
        computed = [s for s in self.inputs or () if s.node is not None and not s.node.placeholder]
        self._valued = {id(s) for s in computed if not source_inputs(s)}

    def batch(
        self,
        x: typing.Any,
        y: typing.Any = None,
        sample_weight: typing.Any = None,
        class_weight: typing.Any = None,
        labelled: bool = True,
    ) -> tuple:
        """One batch, or all data.

        Args:
            x: arrays in the structure of the model's inputs, or whatever holds numbers.
            y: the targets, likewise.
            sample_weight: weights in the structure of the targets.
            class_weight: dictionaries from class to weight.
            labelled: whether targets and values are looked at.

        Returns:
            ``(x, y, weights)``: arrays in the user's structure, the weights in that of y.

        Raises:
            InputDataError: if the model cannot take this data.
        """
        objectives = None if self._own_loss else self._objectives()
        x = self._inputs(x)
        y = self._targets(y, objectives) if labelled else None
        weights = sample_weights(y, sample_weight, class_weight, objectives)
        if self._embedded:
            checks.check_indices(self._embedded, self.model.matched_inputs(x))
        if labelled:
            checks.check_values(x, self.targets(y), leaves(weights))
        return x, y, weights

    def check_rows(self, batch: tuple, rows: typing.Any) -> None:
        """Checks a batch that was read from disk. rows: the numbers of its rows."""
        x, y, weights = batch
        if self._embedded:
            checks.check_indices(self._embedded, self.model.matched_inputs(x), rows)
        checks.check_values(x, self.targets(y), leaves(weights), rows)

    def targets(self, y: typing.Any) -> list[Target]:
        """What is known of each output that targets are given for."""
        model, objectives = self.model, self.model.training_state.objectives
        if objectives is None or y is None:
            return []
        with contextlib.suppress(InputDataError):  # what matches nothing is the business of an own compute_loss
            placed = objectives.places is not None
            functions = objectives.losses if placed else objectives.losses_like(y)
            arrays = objectives.entries(y, "y") if placed else leaves(y)
            shapes = [tuple(o.shape[1:]) for o in model.outputs] if model.outputs else objectives.shapes
            return list(map(Target, functions, arrays, shapes or [None] * len(functions)))
        return []

    # --- whole data sets

    def data(
        self,
        x: typing.Any,
        y: typing.Any = None,
        sample_weight: typing.Any = None,
        batch_size: int | None = None,
        class_weight: typing.Any = None,
        steps: int | None = None,
        **options,
    ) -> typing.Any:
        """All data, as `ArrayData` or `BatchData`.

        Args:
            x: arrays, or what yields batches.
            y: the targets of arrays.
            sample_weight: weights of the targets.
            batch_size: samples in a batch of arrays.
            class_weight: dictionaries from class to weight.
            steps: batches of an epoch, for what yields batches.
            **options: of `BatchData`.
        """
        if x is None and not self._needs_nothing():
            raise InputDataError("x: no data was given.")
        if x is None and y is None:
            return BatchData(self._repeated(steps, batch_size), lambda x: self.batch(x, None), steps, **options)
        if is_batches(x):
            if y is not None:
                raise InputDataError(
                    f"y: {type(x).__name__} yields the targets itself, as (x, y) tuples; leave y out. "
                )
            return BatchData(x, lambda batch: self.batch(*unpack(batch), class_weight), steps, **options)
        arrays = ArrayData(*self.batch(x, y, sample_weight, class_weight), batch_size)
        if any(map(checks.on_disk, leaves(arrays.arrays))):
            arrays.check = self.check_rows
        if self.model.stateful and arrays.steps > 1 and arrays.samples % arrays.batch_size:
            raise InputDataError(
                f"Model {self.model.name} is stateful, so the number of samples must be a multiple of the batch size. "
                f"Received: {arrays.samples} samples, batch_size={arrays.batch_size}."
            )
        return arrays

    def validation_data(
        self, given: typing.Any, batch_size: int | None = None, steps: int | None = None, **options
    ) -> typing.Any:
        """What is given as `validation_data`, as `ArrayData` or `BatchData`."""
        if is_batches(given):
            return self.data(given, steps=steps, **options)
        if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
            raise InputDataError(
                "validation_data: expected a tuple (x, y) or (x, y, sample_weight), or something that yields batches. "
                f"Received: {type(given).__name__}"
            )
        x, y, weight = (*given, None)[:3]
        data = self.data(x, y, weight, batch_size)
        return data if steps is None else data.slice(0, steps * data.batch_size)

    def inputs_alone(
        self, x: typing.Any, batch_size: int | None = None, steps: int | None = None, **options
    ) -> typing.Any:
        """Data for `predict`, without targets, as `ArrayData` or `BatchData`."""
        if x is None and self._needs_nothing():
            x = self._repeated(steps, batch_size)
        if is_batches(x):
            standardize = lambda batch: self.batch(unpack(batch)[0], labelled=False)  # noqa: E731
            return BatchData(x, standardize, steps, shuffle=False, **options)
        data = ArrayData(*self.batch(x, labelled=False), batch_size)
        return data if steps is None else data.slice(0, steps * data.batch_size)

    # --- inputs that have values of their own

    def _needs_nothing(self):
        return self.inputs is not None and len(self._valued) == len(self.inputs)

    def _repeated(self, steps, batch_size):
        """What yields the inputs' own values for so many steps."""
        if steps is None or batch_size is not None:
            raise InputDataError(
                f"x: model {self.model.name} has inputs with values of their own, which have no end and no batches: "
                f"give the number of steps, and no batch_size. Received: batch_size={batch_size}"
            )
        return itertools.repeat([])

    def _with_own_values(self, x):
        """A list of all inputs: those given, and between them those that have values of their own."""
        names = self.model.input_names
        if isinstance(x, dict):
            given = iter([x[name] for name, s in zip(names, self.inputs) if name in x and id(s) not in self._valued])
        else:
            given = iter(x if isinstance(x, (list, tuple)) else [] if x is None else [x])
        values = [Graph([], s)() if id(s) in self._valued else next(given, None) for s in self.inputs]
        return [*(value for value in values if value is not None), *given]

    # --- parts of a batch

    def _objectives(self):
        """The losses and metrics, if it is known for which outputs they are."""
        model, objectives = self.model, self.model.training_state.objectives
        if objectives is None or objectives.places is not None:
            return objectives
        if model.outputs is None:
            return None
        objectives.place(model.output_places)  # a model that was not built when it was compiled
        return objectives

    def _inputs(self, x):
        """The inputs as arrays in the user's structure, checked where the model tells what it takes."""
        if type(x) is np.ndarray and x.shape[1:] == self._plain_shape and x.dtype.char in _PLAIN:
            return x
        model = self.model
        if self.inputs is None:
            return to_arrays(x, "x")
        if self._valued and _count(x) <= len(self.inputs) - len(self._valued):
            x = self._with_own_values(x)
        places = model.input_places
        if isinstance(x, dict):
            known = {*(places.tree if isinstance(places.tree, dict) else ()), *places.layers}
            x = {key: value for key, value in x.items() if key in known}
        x = to_arrays(x, "x", len(places), texts=takes_texts(model))
        found = model.matched_inputs(x, "x")
        for array, symbol, name in zip(found, self.inputs, model.input_names):
            if array is not None:
                check_shape(tuple(array.shape), tuple(symbol.shape), f"input {name}")
        return x

    def _targets(self, y, objectives):
        """The targets as arrays in the user's structure. objectives: what they are for, if that is known already."""
        if y is None:
            return None
        if objectives is not None and any(map(objectives.has_targets, range(len(objectives.places)))):
            wanted = sum(map(objectives.needs_target, range(len(objectives.places))))
            if len(leaves(y)) != wanted:
                raise InputDataError(
                    f"y: compile was given target_tensors, so that {wanted} array(s) are expected. Received "
                    f"{len(leaves(y))}."
                )
        count = 1 if objectives is None else len(objectives.places)
        if count == 1 and type(y) is np.ndarray and y.ndim and y.dtype.char in _PLAIN:
            return y
        y = to_arrays(y, "y", count)
        if objectives is not None and any(map(objectives.needs_target, range(count))):
            found, needed = leaves(y), sum(map(objectives.needs_target, range(count)))
            if len(found) not in (count, needed) and not isinstance(y, dict):
                raise InputDataError(
                    f"y: model {self.model.name} expects {count} array(s), for the outputs {objectives.names}. "
                    f"Received {len(found)} array(s) of shapes {[tuple(a.shape) for a in found]}."
                )
            objectives.entries(y, "y")
        return y


def _count(x):
    return 0 if x is None else len(x) if isinstance(x, (list, tuple, dict)) else 1


def single(x: typing.Any) -> typing.Any:
    """The only entry of a list that holds one; everything else as it is."""
    return x[0] if isinstance(x, list) and len(x) == 1 else x
