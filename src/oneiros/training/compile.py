"""What `compile` is told about losses and metrics, as functions of targets and outputs."""

import contextlib
import difflib
import inspect

import jax
import jax.numpy as jnp
import numpy as np

from .. import losses, metrics
from ..core import Symbol, Variable, behaviour, get_mask, set_mask
from ..core.errors import InputDataError
from ..core.registry import find_custom_object


def weighted_mean(values, weights, mask, rows=None):
    """The mean of losses per sample (and time step), weighted and masked as Keras does.

    values: (N,), (N, T), ... or a scalar. weights: (N,) or (N, T) or None. mask: booleans that fit the values.
    rows: as many rows count; the mask is False in the others, and the weights are zero.
    """
    values = jnp.asarray(values)
    share = 1 if rows is None or not values.ndim else rows / values.shape[0]
    if mask is not None and values.ndim:
        mask = _fit(mask, values)
        values = jnp.where(mask, values, 0) * (mask.size * share / jnp.maximum(mask.sum(), 1))
    if weights is None:
        return values.mean() / share
    weights = jnp.asarray(weights, values.dtype)
    if values.ndim > weights.ndim:
        values = values.mean(tuple(range(weights.ndim, values.ndim)))
    if behaviour.weights_normalized_by_count:
        return (values * weights).mean() / jnp.maximum((weights != 0).mean(), 1e-7)
    return (values * weights).mean() / share


def _fit(mask, values):
    """A mask in the shape of the values: axes that the mask lacks are filled, one too many at the end dropped."""
    while mask.ndim > values.ndim:
        mask = mask[..., 0]
    mask = mask.reshape(mask.shape + (1,) * (values.ndim - mask.ndim))
    return jnp.broadcast_to(mask, values.shape)


def align(y, p):
    """Targets of shape (N,) for outputs of shape (N, 1) get the last axis, and the reverse."""
    if y.ndim == p.ndim - 1 and p.shape[-1] == 1:
        return y[..., None]
    return y


class _FunctionMetric(metrics.Metric):
    """The mean of a function of targets and outputs over all samples seen since the last reset."""

    def __init__(self, fn, name):
        super().__init__(name=name)
        self.fn = fn
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, y_true, y_pred, sample_weight=None, rows=None):
        values = losses.check_result(self.fn(y_true, y_pred), self.fn, "metric")
        value = weighted_mean(values, sample_weight, get_mask(y_pred), rows)
        size = y_pred.shape[0] if rows is None else rows
        if sample_weight is not None and not behaviour.weights_normalized_by_count:
            weights = jnp.asarray(sample_weight, value.dtype)
            weight = weights.sum() / max(weights[0].size, 1)
            value, size = value / jnp.maximum(weight / size, 1e-7), weight
        self.add(value, size)

    def add(self, value, size):
        """Adds a mean over `size` samples."""
        self.total.assign_add(jnp.asarray(value, self.total.dtype) * size)
        self.count.assign_add(size)

    def result(self):
        return self.total.value / jnp.maximum(self.count.value, 1e-7)


class _StatefulMetric(metrics.Metric):
    """A metric that keeps its own state, as a layer with ``stateful = True`` (Keras 2): its last value counts."""

    def __init__(self, fn, name):
        super().__init__(name=name)
        self.fn = fn
        self.last = self.add_variable((), "zeros", name="last")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.last.assign(jnp.asarray(self.fn(y_true, y_pred), self.last.dtype).mean())

    def result(self):
        return self.last.value

    def reset_state(self):
        super().reset_state()
        self.fn.reset_states()


def mean_tracker(name):
    return _FunctionMetric(None, name)


class Objectives:
    """The losses and metrics of a model, one of each list per output.

    They are matched to outputs when the first batch has been seen: only then are all shapes known.
    """

    def __init__(self, loss, loss_weights, metrics_, weighted_metrics):
        self.loss, self.loss_weights = _known(loss), loss_weights
        self.metrics_, self.weighted_metrics = _known(metrics_), _known(weighted_metrics)
        self.trackers = [mean_tracker("loss")]
        self.bound = False
        self.shapes = None  # of the outputs without the batch axis; None until they are known
        self._rows = None
        for weight in jax.tree.leaves(loss_weights):
            if not isinstance(weight, (int, float, np.number, jax.Array, Variable)):
                raise InputDataError(
                    f"loss_weights: expected numbers. Received: {loss_weights!r}. Are these metrics? Write metrics=..."
                )
        for spec in jax.tree.leaves(loss, is_leaf=lambda v: not isinstance(v, (list, tuple, dict))):
            _loss_function(spec)  # unknown names are told at once

    def bind(self, names, outputs, targets):
        """Matches everything to the outputs (arrays), which have these names."""
        if self.bound:
            return
        count = len(outputs)
        names = names or ([f"output_{i + 1}" for i in range(count)] if count > 1 else ["output"])
        self.names = names
        self.ranks = [len(output.shape) for output in outputs]
        self.learn_shapes(outputs)
        specs = per_output(self.loss, names, "loss", spread=True)
        self.losses = [_loss_function(s) for s in specs]
        weights = per_output(self.loss_weights, names, "loss_weights", spread=False)
        self.weights = [1.0 if w is None else w for w in weights]
        self.output_trackers = [None] * count
        if count > 1:
            self.output_trackers = [
                mean_tracker(f"{n}_loss") if fn is not None else None for n, fn in zip(names, self.losses)
            ]
            self.trackers += [t for t in self.output_trackers if t is not None]
        targets = iter(targets)
        self.output_metrics = []
        plain = _metric_lists(self.metrics_, names, "metrics")
        weighted = _metric_lists(self.weighted_metrics, names, "weighted_metrics")
        for index, (output, fn) in enumerate(zip(outputs, self.losses)):
            target = next(targets, None) if fn is not None or plain[index] or weighted[index] else None
            made = []
            for is_weighted, entries in ((False, plain[index]), (True, weighted[index])):
                for entry in entries:
                    metric = _make_metric(entry, target, output, fn, f"{names[index]}_" if count > 1 else "")
                    made.append((metric, is_weighted))
                    self.trackers.append(metric)
            self.output_metrics.append(made)
        self.bound = True

    def learn_shapes(self, outputs):
        """Notes the shapes of the outputs (symbols or arrays); of arrays only the last axis holds for all batches."""
        self.shapes = [
            tuple(o.shape[1:] if isinstance(o, Symbol) else (*[None] * (len(o.shape) - 2), *o.shape[1:][-1:]))
            for o in outputs
        ]

    def needs_target(self, index):
        return self.losses[index] is not None or bool(self.output_metrics[index])

    def matched_targets(self, targets):
        """One target per output; ``None`` for outputs without a loss, where they are left out."""
        if len(targets) == len(self.losses):
            return targets
        given = iter(targets)
        return [next(given, None) if self.needs_target(i) else None for i in range(len(self.losses))]

    def can_leave_rows_out(self):
        """Whether all losses and metrics are known to come out exactly inside `first_rows`."""
        made = [(metric, rank) for rank, pairs in zip(self.ranks, self.output_metrics) for metric, _ in pairs]
        # Metric objects count places, not rows, where a row has several and nothing is weighted.
        by_row = all(_is_by_row(m) and (rank < 3 or isinstance(m, _FunctionMetric)) for m, rank in made)
        return by_row and all(map(_is_by_row, self.losses)) and min(self.ranks) > 1

    @contextlib.contextmanager
    def first_rows(self, count):
        """Inside, the first `count` rows of a batch count; the others, whose weights are zero, only fill it up."""
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

    def compute_loss(self, targets, outputs, weights):
        """The weighted sum of all losses; notes the part of each output."""
        self._mark_rows(outputs)
        total = jnp.zeros((), jnp.float32)
        for i, (fn, output) in enumerate(zip(self.losses, outputs)):
            if fn is None:
                continue
            weight = weights[i] if i < len(weights) else None
            value = self._one_loss(fn, targets[i], output, weight, self.names[i])
            if self.output_trackers[i] is not None:
                self.output_trackers[i].add(jax.lax.stop_gradient(value), self._size(output))
            total = total + jnp.asarray(value, total.dtype) * self.weights[i]
        return total

    def _one_loss(self, fn, target, output, weight, name):
        if target is None:
            raise InputDataError(f"Output {name} has a loss but no targets were given: pass y, or compile(loss=None).")
        if isinstance(fn, losses.Loss):
            return fn(target, output, sample_weight=weight)
        losses.check_shapes(getattr(fn, "__name__", "loss"), tuple(target.shape), tuple(output.shape))
        values = losses.check_result(fn(align(target, output), output), fn)
        return weighted_mean(values, weight, get_mask(output), self._rows)

    def track_loss(self, loss, output):
        self.trackers[0].add(loss, self._size(output))

    def update_metrics(self, targets, outputs, weights):
        for i, (output, made) in enumerate(zip(outputs, self.output_metrics)):
            for metric, is_weighted in made:
                weight = weights[i] if is_weighted and i < len(weights) else None
                target = align(targets[i], output)
                if isinstance(metric, _FunctionMetric):
                    metric.update_state(target, output, weight, self._rows)
                else:
                    metric.update_state(target, output, sample_weight=get_mask(output) if weight is None else weight)

    def results(self):
        found = {}
        for tracker in self.trackers:
            value = tracker.result()
            if not isinstance(value, dict):
                value = {tracker.name: losses.check_result(value, tracker.result, "metric")}
            found.update(value)
        return found

    def reset(self):
        for tracker in self.trackers:
            tracker.reset_state()

    @property
    def names_of_results(self):
        return [tracker.name for tracker in self.trackers]

    @property
    def stateful_names(self):
        return [t.name for t in self.trackers if not isinstance(t, _FunctionMetric)]


# What looks at several rows at once, or counts values where rows without weight are rows.
_NOT_BY_ROW = {
    *("dice", "tversky", "circle", "rootmeansquarederror", "meanrelativeerror"),
    *("sum", "sumoverbatchsize", "sumoverbatchsizemetricwrapper", "meantensor"),
}


def _is_by_row(part):
    """Whether this loss or metric is the library's own, takes each row by itself and heeds masks and weights."""
    if part is None:
        return True
    function = getattr(part, "fn", getattr(part, "_fn", part))
    own = all(getattr(p, "__module__", "").split(".")[0] == "oneiros" for p in (part, function))
    names = {type(part).__name__.lower(), getattr(function, "__name__", "").lower()}
    return own and not names & _NOT_BY_ROW and getattr(part, "reduction", "mean") not in (None, "none")


def _known(specs):
    """The same structure with custom objects in place of their names, which are known only now."""
    if isinstance(specs, str):
        return find_custom_object(specs) or specs
    if isinstance(specs, (list, tuple)):
        return [_known(s) for s in specs]
    return {k: _known(s) for k, s in specs.items()} if isinstance(specs, dict) else specs


def per_output(given, names, what, spread):
    """A list with one entry per output. spread: one entry alone stands for every output."""
    if isinstance(given, dict):
        unknown = [k for k in given if k not in names]
        if unknown:
            near = difflib.get_close_matches(str(unknown[0]), names, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise InputDataError(f"{what}: no output is called {unknown}. The outputs are {names}.{hint}")
        return [given.get(name) for name in names]
    if isinstance(given, (list, tuple)):
        if len(given) == 1 and spread:
            return list(given) * len(names)
        if len(given) != len(names):
            raise InputDataError(
                f"{what}: expected one entry per output ({len(names)}: {names}). Received {len(given)}: {given}"
            )
        return list(given)
    return [given] * len(names)


def _loss_function(spec):
    """A function (targets, outputs) or a Loss object, from what compile was given."""
    if spec is None:
        return None
    if inspect.isclass(spec):
        spec = spec()
    return losses.get(spec)


def _metric_lists(given, names, what):
    """Lists of metrics per output: one flat list is for every output, as are entries of a dictionary by name."""
    if given is None:
        return [[] for _ in names]
    if isinstance(given, dict):
        return [_as_list(entry) for entry in per_output(given, names, what, spread=False)]
    given = _as_list(given)
    if any(isinstance(entry, (list, tuple)) or entry is None for entry in given) and len(given) == len(names):
        return [_as_list(entry) for entry in given]
    flat = [e for entry in given for e in _as_list(entry)]
    return [list(flat) for _ in names]


def _as_list(given):
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _make_metric(spec, target, output, loss, prefix):
    """A metric object that keeps its own mean, from a name, function, class or object."""
    if inspect.isclass(spec):
        spec = spec()
    if isinstance(spec, metrics.Metric):
        return spec
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
            fn.name = prefix + (name if isinstance(spec, str) else fn.name)
            return fn
        if behaviour.metric_name_from_function and isinstance(spec, str):
            name = getattr(fn, "__name__", name)
    if getattr(fn, "stateful", False):
        return _StatefulMetric(fn, prefix + getattr(fn, "name", name))
    return _FunctionMetric(getattr(fn, "fn", fn), prefix + name)
