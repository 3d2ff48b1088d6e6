"""The compiled steps of a model: one training, evaluation or prediction step in each form that the loop needs."""

import contextlib
import functools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import losses
from ..core import Symbol, Variable, behaviour, compiled, phase, repeat
from ..core.context import within
from ..core.errors import InputDataError
from ..core.structure import Places, device_get, is_nested, leaves, map_structure
from ..core.symbol import StepValues
from ..layers import Lambda
from ..layers.base import Layer, find_in_attributes
from ..metrics import Metric
from ..metrics.batches import LastValue
from . import checks
from .pace import Pace
from .reading import overrides, reader_of, single
from .state import runs_eagerly
from .stateless import carried, takes_state

_PACKAGE = __name__.split(".")[0] + "."


def steps_of(model: Any) -> Any:
    """The compiled steps of a model, made at first use and forgotten when it is compiled anew."""
    state = model.training_state
    if state.steps is None:
        state.steps = Steps(model)
    return state.steps


class Steps:
    """The steps of one model.

    Attributes:
        train: the forms of its `train_step`, a `PhaseSteps`.
        test: those of its `test_step`.
        predict: its `predict_step`, compiled for one batch of inputs.
        watched: the layers that note indices which are out of range.
        adds_losses: whether layers add losses of what they are called on. ``None`` until a step was traced.

    >>> from oneiros import Input, Sequential, layers
    >>> steps_of(Sequential([Input((2,)), layers.Dense(1)])).predict(np.zeros((3, 2))).shape
    (3, 1)
    """

    def __init__(self, model: Any):
        self.model = model
        self.train, self.test = PhaseSteps(self, "train"), PhaseSteps(self, "test")
        self.adds_losses = None
        self._trained = self._held_metrics = None

    def keeps_rows_apart(self) -> bool:
        """Whether it is certain that, outside of training, no row of outputs depends on another row of the inputs."""
        return not (self.model.stateful or training_flag(False)) and self._has_rowwise_parts

    @functools.cached_property
    def _has_rowwise_parts(self):
        """A user's own code may do anything with a batch, and layers that are told to train may normalize by it."""
        parts = (self.model, *self.model.sublayers())
        graphs = [part.layer_graph for part in parts if getattr(part, "layer_graph", None) is not None]
        nodes = [node for graph in graphs for node in graph.nodes if not node.entry]
        return all(
            type(part).__module__.startswith(_PACKAGE) and not isinstance(part, Lambda) for part in parts
        ) and all(isinstance(node.operation, Layer) and not node.kwargs.get("training") for node in nodes)

    @functools.cached_property
    def predict(self) -> Any:
        """The compiled `predict_step`."""
        model = self.model
        noted = [layer.stray_index for layer in self.watched]
        step = model.predict_step
        if takes_state(step):
            step = carried(model, "predict", step)

        def predict(x):
            x = single(x)
            return step((x,) if is_nested(x) else x)

        return compiled(predict, variables=noted, reads=model.weights, eager=runs_eagerly(model))

    @functools.cached_property
    def watched(self) -> Any:
        """The layers that note indices which are out of range, all layers having been built."""
        return checks.watched(self.model)

    # --- variables

    def trained_variables(self) -> list:
        """The variables that are trained: the trainable weights as they were when this was first asked for."""
        if self._trained is None:
            self._trained = self.model.trainable_weights
        return self._trained

    def warn_of_changes(self) -> None:
        """Warns if other weights are trainable now than those that are trained."""
        if self._trained is not None:
            _warn_of_frozen(self.model, self._trained)

    def moved_variables(self) -> list:
        """What layers write when they are called for training: statistics, unless they are frozen, and seeds."""
        layers = [self.model, *self.model.sublayers()]
        statistics = [v for layer in layers if layer.trainable for v in layer.own_weights() if not v.trainable]
        return [*statistics, *self.model.seed_states()]

    def variables(self, data: Any, expected: int = 0) -> list:
        """All variables that training may change, in the same order in each process.

        Those that no layer, optimizer or metric holds are known once a step was traced.

        Args:
            data: `ArrayData` or `BatchData`.
            expected: how many there should be. If fewer are known, a step is traced on a batch of this data.
        """
        model = self.model
        layers = [model, *model.sublayers()]
        kept = [v for layer in layers for v in find_in_attributes(Variable, layer)]
        counted = [v for layer in layers for m in find_in_attributes(Metric, layer) for v in m.variables]
        step = self.train.one
        written = [v for function in self.train.made.values() for v in function.written]
        known = [*model.variables, *model.optimizer.variables, *model.seed_states(), *kept, *counted, *written]
        if len(dict.fromkeys(known)) < expected:
            known += step.discover(data.first_batch())
        return list(dict.fromkeys(known))

    # --- metrics

    @property
    def held_metrics(self) -> Any:
        """The metrics that the model or its layers hold in attributes; searched for until a step is compiled."""
        return metrics_in_attributes(self.model) if self._held_metrics is None else self._held_metrics

    def keep_held_metrics(self) -> None:
        """Ends the search for metrics in attributes."""
        self._held_metrics = self.held_metrics

    @functools.cached_property
    def can_reset_metrics(self) -> bool:
        """Whether all metrics are the library's own, so that a compiled step can reset them at no cost."""
        model = self.model
        own = all(type(m).__module__.startswith("oneiros.") and not isinstance(m, LastValue) for m in model.metrics)
        return own and not overrides(model, "reset_metrics") and not overrides(model, "metrics")

    def logs(self, result: Any) -> dict:
        """The logs of a step as numbers.

        Raises:
            InputDataError: if an index was out of range.
        """
        result = checks.without_strays(device_get(result), self.watched)
        return {name: float(v) if np.ndim(v) == 0 else np.asarray(v) for name, v in result.items()}

    # --- what the first batch has to build

    def prepare(self, batch: Any) -> None:
        """Builds what the first batch ``(x, y, weights)`` has to build: layers and metrics."""
        x, y, _ = batch
        model, objectives = self.model, self.model.training_state.objectives
        if not model.can_be_called:
            return
        if not model.built or (model.inputs is None and not model.weights):
            self._outputs_for(x)
        if objectives is None or objectives.bound:
            return
        if model.outputs is not None:
            objectives.place(model.output_places)
            # A prediction does not tell which accuracy is meant.
            if y is not None or not any(map(objectives.needs_target, range(len(model.outputs)))):
                objectives.bind(model.outputs, y)
        if not objectives.bound and takes_state(model.train_step):  # its state has all metrics from the start
            outputs = self._outputs_for(x)
            objectives.place(Places(outputs))
            objectives.bind(leaves(outputs), y)
        if objectives.shapes is None:
            self._learn_shapes(x, y)

    def _outputs_for(self, x):
        """The outputs, as symbols, for inputs of these shapes."""
        symbols = map_structure(lambda a: Symbol((None, *a.shape[1:]), _device_dtype(a.dtype)), x)
        return self.model.symbolic_outputs(single(symbols) if self.model.inputs is None else symbols)

    def _learn_shapes(self, x, y):
        """Finds out how many classes a model without a graph has, if its targets are class numbers."""
        model, objectives, reader = self.model, self.model.training_state.objectives, reader_of(self.model)
        by_class = any(losses.expects_classes(target.loss) for target in reader.targets(y))
        if by_class and not overrides(model, "train_step"):
            with contextlib.suppress(Exception):  # if it takes this batch size alone, its first step will tell
                outputs = self._outputs_for(x)
                objectives.place(Places(outputs))
                objectives.learn_shapes(leaves(outputs))
            checks.check_targets(reader.targets(y))


class PhaseSteps:
    """The forms of a model's `train_step` or `test_step`. Each is compiled when it is first asked for.

    Args:
        steps: the `Steps` to which they belong.
        phase: ``"train"`` or ``"test"``.

    Attributes:
        one: a step on one batch ``(x, y, weights)``. The logs are means since the metrics were last reset.
        alone: the same. The logs are those of this batch alone, if the running generation of Keras shows them so.
        fresh: the same, after a reset of all metrics.
        many: for a number of steps and as many batches, or more, stacked along a first axis.
        filled: for a batch that was filled up, and the number of its true rows.
        filled_alone: as `filled`, with logs as of `alone`.
        pace: how long a step takes.

    >>> from oneiros import Input, Sequential, layers
    >>> model = Sequential([Input((2,)), layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> steps_of(model).train.one(([np.zeros((3, 2))], [np.zeros((3, 1))], None))["loss"].item()
    0.0
    """

    def __init__(self, steps: Steps, phase: str):
        self.steps, self.phase = steps, phase
        self.model = steps.model
        self.pace = Pace(groups=not runs_eagerly(steps.model))

    one = functools.cached_property(lambda self: self._compiled(self._step()))
    many = functools.cached_property(lambda self: self._compiled(_repeated(self._step())))
    filled = functools.cached_property(lambda self: self._compiled(self._of_rows(self._step())))
    fresh = functools.cached_property(lambda self: self._compiled(self._step(self.model.reset_metrics)))
    _alone = functools.cached_property(lambda self: self._compiled(self._step(self._reset_means)))
    _filled_alone = functools.cached_property(lambda self: self._compiled(self._of_rows(self._step(self._reset_means))))
    alone = property(lambda self: self.one if behaviour.running_batch_logs else self._alone)
    filled_alone = property(lambda self: self.filled if behaviour.running_batch_logs else self._filled_alone)

    @property
    def made(self) -> dict[str, compiled]:
        """The forms that were asked for until now."""
        return {name: value for name, value in vars(self).items() if isinstance(value, compiled)}

    def can_fill(self) -> bool:
        """Whether a short batch may be filled up: if all that is computed is known to leave rows out."""
        model = self.model
        if self.phase == "train" or any(overrides(model, n) for n in ("test_step", "compute_loss", "compute_metrics")):
            return False
        return (
            self.steps.keeps_rows_apart()
            and self.steps.adds_losses is False
            and not self.steps.held_metrics
            and self._objectives.can_leave_rows_out()
        )

    @property
    def stateful_names(self) -> list[str]:
        """The names of logs that are no means over samples."""
        return self._objectives.stateful_names if self._objectives else []

    def logs(self, result: Any) -> dict:
        """The logs of a step as numbers, see `Steps.logs`."""
        return self.steps.logs(result)

    # --- how they are made

    _objectives = property(lambda self: self.model.training_state.objectives)

    def _reset_means(self):
        self._objectives.reset_means()

    def _step(self, before: Callable | None = None):
        """The step as a function of a batch. before: what is called first."""
        model, watched = self.model, self.steps.watched
        step = original = model.train_step if self.phase == "train" else model.test_step
        if takes_state(step):
            step = carried(model, self.phase, step)

        def one(batch):
            if before is not None:
                before()
            with within(replays=(StepValues(),)):  # losses may use what the model computes on the way to its outputs
                logs = step(step_arguments(batch))
            if not isinstance(logs, dict):
                raise InputDataError(
                    f"Model {model.name}: {original.__qualname__}() must return a dictionary of logs: "
                    f"{{'loss': loss}}. It returned {type(logs).__name__}: does it lack a `return`?"
                )
            return checks.with_strays(logs, watched)

        return one

    def _of_rows(self, one):
        def filled(batch, rows):
            with self._objectives.first_rows(rows):
                return one(batch)

        return filled

    def _compiled(self, function):
        model, steps = self.model, self.steps
        steps.keep_held_metrics()
        noted = [layer.stray_index for layer in steps.watched]
        written = [v for metric in (*self._objectives.trackers, *steps.held_metrics) for v in metric.variables]
        if self.phase == "train":
            variables = steps.trained_variables()
            _warn_of_frozen(model, variables)
            model.optimizer.build(variables)
            written = [*variables, *model.optimizer.variables, *written, *steps.moved_variables()]
        return compiled(function, variables=[*written, *noted], reads=model.weights, eager=runs_eagerly(model))


def _repeated(one):
    return lambda steps, batches: repeat(one, steps, batches)


def _warn_of_frozen(model, variables):
    if len(variables) != len(model.trainable_weights):
        warnings.warn(
            "Discrepancy: `trainable` was changed after compile(): the weights that are trained are those noted then. "
            "Call compile() again for the change to act."
        )
    if not variables:
        warnings.warn(f"Model {model.name} has no trainable weights: training changes nothing.")


def step_arguments(batch: tuple) -> tuple:
    """A checked batch in the form in which `train_step` and `test_step` get it.

    Args:
        batch: ``(x, y, weights)``.

    Returns:
        The same without a trailing ``None``, and with the array alone where a list holds one.

    >>> step_arguments(([1], [2], None))
    (1, 2)
    """
    parts = list(map(single, batch))
    while parts[-1] is None and len(parts) > 1:
        parts.pop()
    return tuple(parts)


def training_flag(training: bool) -> bool:
    """The flag that a step calls the model with: K.set_learning_phase fixed it in Keras 1 and 2."""
    fixed = phase.default() if behaviour.fixed_phase_in_fit else None
    return training if fixed is None else bool(fixed)


def metrics_in_attributes(model: Any) -> list[Metric]:
    """The metrics that a model or its layers hold in attributes."""
    layers = (model, *model.sublayers())
    return list(dict.fromkeys(metric for layer in layers for metric in find_in_attributes(Metric, layer)))


def _device_dtype(dtype):
    return {"float64": "float32", "int64": "int32", "uint64": "uint32"}.get(str(dtype), str(dtype))
