"""What `compile` is told about losses and metrics, as functions of targets and outputs."""

import contextlib
import copy
import inspect
import itertools
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .. import losses, metrics
from ..core import Graph, Symbol, Variable, behaviour, get_mask, is_symbol, set_mask, to_array
from ..core.errors import InputDataError
from ..core.registry import find_custom_object
from ..core.structure import Places, is_nested, leaves, rebuilt, values_of
from ..losses.weighting import targets_like, weighted_mean
from ..metrics.batches import BatchMean, LastValue
from . import joint


class Objectives:
    """The losses and metrics of a model.

    They are matched to the outputs by `place`, and made by `bind` when the first batch has been seen: only then are all
    shapes known.

    Args:
        loss: as for `compile`.
        loss_weights: likewise.
        metrics_: likewise.
        weighted_metrics: likewise.
        target_tensors: likewise.
        sample_weight_mode: likewise.

    Raises:
        TypeError: if `target_tensors` is no list or dictionary.
        InputDataError: if `loss_weights` are no numbers, or a loss is not known.

    >>> objectives = Objectives("mse", None, ["mae"], None)
    >>> objectives.place(Places(0))
    >>> objectives.bind([jnp.zeros((4, 1))], jnp.zeros((4, 1)))
    >>> objectives.names_of_results
    ['loss', 'mae']
    """

    def __init__(
        self,
        loss: Any,
        loss_weights: Any,
        metrics_: Any,
        weighted_metrics: Any,
        target_tensors: Any = None,
        sample_weight_mode: Any = None,
    ):
        if behaviour.lists_not_tuples and isinstance(loss_weights, tuple):
            raise TypeError(f"loss_weights: expected a list or a dictionary. Received: {loss_weights!r}")
        if isinstance(target_tensors, (set, str)):
            raise TypeError(f"target_tensors: expected a list or a dictionary. Received: {target_tensors!r}")
        self._target_tensors, self._weight_modes = target_tensors, sample_weight_mode
        self.loss, self.loss_weights = _known(loss), loss_weights
        self.metrics_, self.weighted_metrics = _known(metrics_), _known(weighted_metrics)
        self.trackers = [BatchMean("loss")]
        self.places = None
        self.bound = False
        self.shapes = None  # of the outputs without the batch axis; None until they are known
        self._log_names = {}
        self._rows = None
        for weight in leaves(loss_weights):
            if not isinstance(weight, (int, float, np.number, jax.Array, Variable)):
                raise InputDataError(
                    f"loss_weights: expected numbers. Received: {loss_weights!r}. Are these metrics? Write metrics=..."
                )
        for spec in leaves(loss):
            _loss_function(spec)  # unknown names are told at once

    def place(self, places: Any) -> None:
        """Matches everything to these places of outputs."""
        if self.places is not None:
            return
        plain, weights, self.joint = joint.split(self.loss, self.loss_weights, places)
        losses_ = [_loss_function(spec) for spec in _entries(places, plain, "loss")]
        self.joint_losses = [_loss_function(entry.loss) for entry in self.joint]
        weights = places.match(weights, "loss_weights")
        if any(map(is_nested, weights)):
            raise InputDataError(f"loss_weights: expected a number for each of {places.names}. Received: {weights}")
        self.weights = [1.0 if w is None else w for w in weights]
        plain = _metric_lists(self.metrics_, places, "metrics")
        weighted = _metric_lists(self.weighted_metrics, places, "weighted_metrics")
        self._specs = [[*((m, False) for m in p), *((m, True) for m in w)] for p, w in zip(plain, weighted)]
        if behaviour.metrics_need_loss:
            self._specs = [specs if fn is not None else [] for specs, fn in zip(self._specs, losses_)]
        self.target_tensors = places.match(self._target_tensors, "target_tensors", spread=False)
        if any(map(is_nested, self.target_tensors)):
            raise InputDataError(
                f"target_tensors: expected one for each of {places.names}. Received: {self._target_tensors!r}"
            )
        self.weight_modes = places.match(self._weight_modes, "sample_weight_mode", partial=False)
        self.losses, self.names, self.places = losses_, places.names, places

    def bind(self, outputs: Any, y: Any) -> None:
        """Makes the metrics of these outputs for such targets.

        Args:
            outputs: arrays or symbols, flat.
            y: the targets in the user's structure, or ``None``.
        """
        if self.bound:
            return
        several = len(outputs) > 1
        self.ranks = [len(output.shape) for output in outputs]
        self.learn_shapes(outputs)
        count = sum(fn is not None for fn in self.losses) + len(self.joint)
        shown = several and (behaviour.lone_output_loss or count > 1)
        self.output_trackers = [
            BatchMean(f"{name}_loss") if shown and fn is not None else None for name, fn in zip(self.names, self.losses)
        ]
        self.joint_trackers = [entry.tracker() if count > 1 else None for entry in self.joint]
        losses_ = [t for t in (*self.joint_trackers, *self.output_trackers) if t is not None]
        if behaviour.metrics_of_outputs_sorted and isinstance(self.places.tree, dict):
            losses_.sort(key=self.log_name)
        self.trackers += losses_
        self.output_metrics = []
        prefixes = self.places.names if max(map(len, self.places.paths)) < 2 else self.places.layers
        for i, (output, target, fn) in enumerate(zip(outputs, self.entries(y, "y"), self.losses)):
            made, taken = [], set()
            for spec, is_weighted in self._specs[i]:
                metric, name = _make_metric(spec, target, output, fn)
                if id(metric) in self._log_names:  # an object given for all outputs: each counts for itself
                    metric = type(metric).from_config(metric.get_config())
                if is_weighted and (name in taken or behaviour.weighted_metric_prefix):
                    name = f"weighted_{name}"
                numbered = (f"{name}_{number}" for number in itertools.count(1))
                name = name if name not in taken else next(other for other in numbered if other not in taken)
                taken.add(name)
                self._log_names[id(metric)] = f"{prefixes[i]}_{name}" if several else name
                made.append((metric, is_weighted))
            self.output_metrics.append(made)
        found = [metric for made in self.output_metrics for metric, _ in made]
        if several and behaviour.metrics_of_outputs_sorted:
            found.sort(key=self.log_name)
        self.trackers += found
        self.bound = True

    def expected_names(self, outputs: Any) -> Any:
        """What the logs will be called. Which metrics they stand for follows from the targets, once they are there."""
        preview = copy.copy(self)
        preview.trackers, preview._log_names = list(self.trackers), {}
        preview.bind(outputs, None)
        return preview.names_of_results

    def learn_shapes(self, outputs: Any) -> None:
        """Notes the shapes of the outputs (symbols or arrays); of arrays only the last axis holds for all batches."""
        self.shapes = [
            tuple(o.shape[1:] if isinstance(o, Symbol) else (*[None] * (len(o.shape) - 2), *o.shape[1:][-1:]))
            for o in outputs
        ]

    def losses_like(self, y: Any) -> list:
        """A loss per target, as long as nothing is known of the outputs but the targets' structure."""
        return [_loss_function(spec) for spec in _entries(Places(y), self.loss, "loss")]

    def needs_target(self, index: int) -> bool:
        """Whether the output at this index has a loss or a metric, and no targets that compile was given."""
        return not self.has_targets(index) and self._is_used(index)

    def _is_used(self, index):
        together = any(index in leaves(entry.places) for entry in self.joint)
        return self.losses[index] is not None or bool(self._specs[index]) or together

    def has_targets(self, index: int) -> bool:
        """Whether the output at this index has targets that compile was given; placeholders stand for those of fit."""
        target = self.target_tensors[index]
        return target is not None and not (is_symbol(target) and (target.node is None or target.node.placeholder))

    def targets_for(self, y: Any) -> list:
        """The targets for each output: those given here, with those that compile was given."""
        given = self.entries(y, "y")
        return [_value_of(self.target_tensors[i]) if self.has_targets(i) else entry for i, entry in enumerate(given)]

    def entries(self, given: Any, what: str, spread: bool = False) -> Any:
        """What is given for each output, ``None`` for nothing. Outputs without losses and metrics may be left out.

        Args:
            given: targets or weights in the user's structure.
            what: the name for messages.
            spread: whether one array stands for every output, as one of weights does.
        """
        count = len(self.places)
        if count == 1 and given is not None and not is_nested(given) and self.needs_target(0):  # the usual case
            return [given]
        needed = list(map(self._is_used if spread else self.needs_target, range(count)))
        if given is None or not any(needed):
            return [None] * count
        if not is_nested(given) and not spread:
            given = [given]
        flat = isinstance(given, (list, tuple)) and not any(map(is_nested, given))
        if flat and len(given) in (1, sum(needed)) and (count == 1 or len(given) != count):
            given = iter(given)
            return [next(given, None) if wanted else None for wanted in needed]
        return self.places.match(given, what, spread=spread)

    def can_leave_rows_out(self) -> bool:
        """Whether all losses and metrics are known to come out exactly inside `first_rows`."""
        made = [(metric, rank) for rank, pairs in zip(self.ranks, self.output_metrics) for metric, _ in pairs]
        # Metric objects count places, not rows, where a row has several and nothing is weighted.
        by_row = all(losses.is_by_row(m) and (rank < 3 or isinstance(m, BatchMean)) for m, rank in made)
        return (
            by_row
            and not self.joint
            and all(loss is None or losses.is_by_row(loss) for loss in self.losses)
            and min(self.ranks) > 1
        )

    @contextlib.contextmanager
    def first_rows(self, count: int) -> Iterator:
        """Inside, only the first `count` rows of a batch are looked at. The others fill it up; their weights are 0."""
        self._rows = count
        try:
            yield
        finally:
            self._rows = None

    def _size(self, output):
        return output.shape[0] if self._rows is None else self._rows

    def _mark_rows(self, outputs):
        for output in outputs if self._rows is not None else ():
            counts, mask = jnp.arange(output.shape[0]) < self._rows, get_mask(output)
            set_mask(output, counts if mask is None else mask & counts.reshape(-1, *[1] * (mask.ndim - 1)))

    def compute_loss(self, targets: list, outputs: list, weights: list) -> Any:
        """The weighted sum of all losses; notes the part of each output. There is one entry for each output."""
        self._mark_rows(outputs)
        total = jnp.zeros((), jnp.float32)
        for i, (fn, output) in enumerate(zip(self.losses, outputs)):
            if fn is None:
                continue
            value = self._one_loss(fn, targets[i], output, weights[i], self.names[i])
            if self.output_trackers[i] is not None:
                self.output_trackers[i].add(jax.lax.stop_gradient(value), self._size(output))
            total = total + jnp.asarray(value, total.dtype) * self.weights[i]
        for entry, fn, tracker in zip(self.joint, self.joint_losses, self.joint_trackers):
            value = entry.compute(fn, targets, outputs, weights, self._rows)
            if tracker is not None:
                tracker.add(jax.lax.stop_gradient(value), self._size(outputs[0]))
            total = total + jnp.asarray(value, total.dtype) * entry.weight
        return total

    def _one_loss(self, fn, target, output, weight, name):
        if target is None:
            raise InputDataError(f"Output {name} has a loss but no targets were given: pass y, or compile(loss=None).")
        if isinstance(fn, losses.Loss):
            return fn(target, output, sample_weight=weight)
        losses.check_shapes(fn, tuple(target.shape), tuple(output.shape))
        values = losses.check_result(fn(targets_like(target, output), output), fn)
        return weighted_mean(values, weight, get_mask(output), self._rows)

    def track_loss(self, loss: Any, output: Any) -> None:
        """Takes the loss of a batch into its mean. output: the first output, which has the batch's size."""
        self.trackers[0].add(loss, self._size(output))

    def update_metrics(self, targets: list, outputs: list, weights: list) -> None:
        """Updates all metrics by a batch. There is one entry for each output."""
        for i, (output, made) in enumerate(zip(outputs, self.output_metrics)):
            for metric, is_weighted in made:
                weight = weights[i] if is_weighted else None
                aligned = behaviour.metrics_get_aligned_targets or losses.traits_of(metric) is not None
                target = targets_like(targets[i], output) if aligned else targets[i]
                if isinstance(metric, BatchMean):
                    metric.update_state(target, output, weight, self._rows)
                else:
                    metric.update_state(target, output, sample_weight=get_mask(output) if weight is None else weight)

    def results(self) -> dict:
        """The values of the mean losses and all metrics, by their names in the logs."""
        found = {}
        for tracker in self.trackers:
            value = tracker.result()
            if not isinstance(value, dict):
                value = {self.log_name(tracker): losses.check_result(value, tracker.result, "metric")}
            found.update(value)
        return found

    def reset(self) -> None:
        """Sets all means and metrics back to their start."""
        for tracker in self.trackers:
            tracker.reset_state()

    def log_name(self, tracker: Any) -> str:
        """What the logs call it: where there are several outputs, after its output."""
        return self._log_names.get(id(tracker), tracker.name)

    def reset_means(self) -> None:
        """Sets back what is a mean over samples, and leaves metrics that keep another state."""
        for tracker in self.trackers:
            if isinstance(tracker, BatchMean):
                tracker.reset_state()

    @property
    def names_of_results(self) -> list[str]:
        """The names of the logs."""
        return list(map(self.log_name, self.trackers))

    @property
    def stateful_names(self) -> list[str]:
        """The names of logs that are no means over samples."""
        return [self.log_name(t) for t in self.trackers if not isinstance(t, BatchMean)]


def _value_of(tensor):
    return Graph([], tensor)() if is_symbol(tensor) else to_array(tensor)


def _known(specs):
    """The same structure with custom objects in place of their names, which are known only now."""
    if isinstance(specs, str):
        return find_custom_object(specs) or specs
    return rebuilt(specs, map(_known, values_of(specs))) if is_nested(specs) else specs


def _entries(places, given, what):
    """One entry per output. One entry alone stands for every output."""
    if isinstance(given, (list, tuple)) and len(given) == 1 and not is_nested(given[0]):
        given = given[0]
    return places.match(given, what)


def _loss_function(spec):
    """A function (targets, outputs) or a Loss object, from what compile was given."""
    if spec is None:
        return None
    if isinstance(spec, (list, tuple)) and len(spec) == 1:  # under the name of the only output
        spec = spec[0]
    return losses.get(spec() if inspect.isclass(spec) else spec)


def _metric_lists(given, places, what):
    """Lists of metrics per output."""
    several, given = len(places) > 1, given if isinstance(given, dict) else _as_list(given)
    by_output = isinstance(given, dict) or (
        several
        and len(given) in (len(places), len(places.tree))
        and (behaviour.metrics_by_place or any(is_nested(entry) or entry is None for entry in given))
    )
    if by_output:
        return [_as_list(entry) for entry in places.match(given, what)]
    flat = [e for entry in given for e in _as_list(entry)]
    return [list(flat) for _ in range(len(places))]


def _as_list(given):
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _make_metric(spec, target, output, loss):
    """A metric object that keeps its own mean, and its name, from a name, function, class or object."""
    if inspect.isclass(spec):
        spec = spec()
    if isinstance(spec, metrics.Metric):
        return spec, spec.name
    name = spec if isinstance(spec, str) else getattr(spec, "__name__", type(spec).__name__)
    if spec in ("accuracy", "acc", "crossentropy", "ce"):
        kind = "accuracy" if spec in ("accuracy", "acc") else "crossentropy"
        shape = tuple(output.shape if target is None else target.shape)
        fn = metrics.resolve_accuracy(kind, shape, tuple(output.shape), loss)
        if kind == "accuracy":
            name = behaviour.accuracy_name or name
    else:
        fn = metrics.get(spec)
        if isinstance(fn, metrics.Metric):
            return fn, name if isinstance(spec, str) and behaviour.metric_name_as_written else fn.name
        if behaviour.metric_name_from_function and isinstance(spec, str):
            name = getattr(fn, "__name__", name)
    if getattr(fn, "stateful", False) or hasattr(fn, "reset_states"):
        name = getattr(fn, "name", name)
        return LastValue(name, fn), name
    return BatchMean(name, getattr(fn, "fn", fn)), name
