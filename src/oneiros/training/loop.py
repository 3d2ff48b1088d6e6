"""The loop over batches: steps run ahead of the host, and several go in one dispatch where they are short."""

import itertools
import time

import numpy as np

from ..core import behaviour, config
from ..core.interrupts import check
from ..core.structure import leaves, map_structure
from .autopsy import examine, not_finite
from .data import ArrayData
from .progress import Progress

_REPORT_SECONDS = 0.075  # between two looks at the logs: seldom enough to cost nothing, often enough for a moving bar
_SHORT_STEP = 0.0015  # seconds; steps below this go many in a dispatch, in a loop that XLA runs
_BUFFER_BYTES = 16 << 20
_MOST_STEPS = 512


class Pace:
    """How long a step takes, and what follows from it.

    Long steps are dispatched one by one: there a loop would gain nothing, and is a second program to compile.
    """

    def __init__(self):
        self.steps = 1  # between two looks at the logs
        self.many = False  # whether steps are short enough to go many in a dispatch
        self._warm = set()

    def measured(self, function, steps, seconds):
        if function not in self._warm:  # the first call compiles: its time tells nothing
            self._warm.add(function)
            return
        self.many = self.many or seconds / steps < _SHORT_STEP
        self.steps = int(np.clip(_REPORT_SECONDS * steps / max(seconds, 1e-6), 1, self.steps * 8))


class Average:
    """Means of logs over dispatches of different sizes, each of which tells its own mean.

    stateful: names of logs that are no means; of these the last value counts. progress: what holds the sums.
    """

    def __init__(self, stateful, progress=None):
        self.stateful, self.progress = stateful, progress or Progress()

    def add(self, logs, size):
        self.progress.size += size
        sums, total = self.progress.sums, self.progress.size
        for name, value in logs.items():
            is_mean = name not in self.stateful and np.ndim(value) == 0
            sums[name] = sums.get(name, 0.0) + value * size if is_mean else value * total

    def result(self):
        return {name: value / self.progress.size for name, value in self.progress.sums.items()}


def run_epoch(model, phase, data, hooks, order=None, single=False, progress=None):
    """All batches of one epoch, or those that are left of it.

    phase: 'train' or 'test'. order: the rows of array data, in the order in which they are taken. hooks: object with
    ``begin(step)``, ``end(step, logs)``, ``stop()``, ``due(steps)`` and ``exact``. single: in lockstep with the hooks,
    batch by batch. progress: how far the epoch is.
    Returns the logs of the epoch and the number of steps.
    """
    run = _Run(model, phase, data, hooks, single, progress or Progress())
    if isinstance(data, ArrayData):
        _run_arrays(run, np.arange(data.samples) if order is None else order)
    else:
        _run_batches(run)
    run.flush()
    return run.logs, run.steps


def _run_arrays(run, order):
    data, size, position = run.data, run.data.batch_size, 0
    row_bytes = sum(a.dtype.itemsize * int(np.prod(a.shape[1:])) for a in leaves(data.arrays))
    most = _most_steps(row_bytes * size, len(order) // size)
    while position < len(order):
        full = (len(order) - position) // size
        if run.groups and full and most > 1:
            steps = min(run.pace.steps, most, full)
            rows = order[position : position + steps * size]
            batches = _stacked(data.take(rows), size, most)
            if run.stopped():
                break
            run.dispatch(run.many, (np.int32(steps), batches), steps, steps * size, "many", rows)
            position += steps * size
        else:
            rows = order[position : position + size]
            batch = data.take(rows)
            if run.stopped():
                break
            run.step(batch, len(rows), rows)
            position += len(rows)


def _run_batches(run):
    """Batches as they come. While a step is computed, the next batch is made; equal short steps go together."""
    waiting, shapes = [], None  # batches of these shapes

    def send():
        if waiting and not run.halted:
            steps, samples = len(waiting), len(waiting) * run.full
            joined = map_structure(lambda *arrays: np.concatenate(arrays), *waiting)
            run.dispatch(run.many, (np.int32(steps), _stacked(joined, run.full, most)), steps, samples, "many")
            waiting.clear()

    for batch in _batches(run):
        last_shapes, shapes = shapes, map_structure(lambda a: (a.shape, a.dtype), batch)
        if shapes != last_shapes:
            send()
            arrays = leaves(batch)
            size = arrays[0].shape[0]
            most = _most_steps(sum(a.dtype.itemsize * a.size for a in arrays), run.data.steps or _MOST_STEPS)
        if run.stopped():
            break
        if run.groups and size == run.full and most > 1:
            waiting.append(batch)
            if len(waiting) >= min(run.pace.steps, most):
                send()
        else:
            send()
            run.step(batch, size)
    send()


def _batches(run):
    try:
        yield from run.data.epoch(run.steps)
    except Exception:
        run.flush()  # the callbacks still see the last step
        raise


def _most_steps(batch_bytes, steps):
    """The length of the buffer for the batches of one dispatch."""
    return min(int(np.clip(_BUFFER_BYTES // max(batch_bytes, 1), 1, _MOST_STEPS)), _power_of_two(steps))


def _power_of_two(n):
    return 1 << max(n - 1, 0).bit_length()


def _stacked(arrays, size, most):
    """Batches along a first axis of length `most`, of which the first are filled: one program serves any number."""

    def stacked(a):
        a = np.asarray(a)
        longer = np.zeros((most * size, *a.shape[1:]), a.dtype)
        longer[: len(a)] = a
        return longer.reshape(most, size, *a.shape[1:])

    return map_structure(stacked, arrays)


class _Run:
    """One pass over an epoch: groups of steps are on their way while the host prepares the next."""

    def __init__(self, model, phase, data, hooks, single, progress):
        self.progress = progress
        self.model, self.data, self.hooks, self.single = model, data, hooks, single
        self.pace = model._pace(phase)
        self.one = model._function(f"{phase}_single" if single else phase)
        self.phase = phase
        self.steps, self.logs = progress.step, progress.logs
        self.full = _full_size(data) if isinstance(data, ArrayData) else 0  # the largest batch
        self.pending, self.group = None, None
        self.started = time.perf_counter()
        # Logs of single batches are averaged here; those of groups are running means already.
        averages = single and not behaviour.running_batch_logs
        self.average = Average(model._stateful_log_names(), progress) if averages else None
        model._logs_are_running = self.average is None
        self.tell = nan_teller(model)
        self.last = None  # the group before, kept if somebody wants to know where NaN comes from
        self.halted = False

    @property
    def groups(self):
        """Whether steps go many in a dispatch. In rare cases the last bit differs from what they give one by one."""
        return self.pace.many and not self.single and not self.hooks.exact

    @property
    def many(self):
        return self.model._function(f"{self.phase}_many")

    def stopped(self):
        """Whether a callback stopped the training; in lockstep, the last step is looked at for that."""
        if self.single:
            self._finish()
        return self.halted or (self.single and self.hooks.stop())

    def step(self, batch, size, rows=None):
        """Dispatches one batch. A short one is filled up in evaluation, if its results stay exact."""
        self.full = max(self.full, size)
        if self.phase == "test" and size < self.full and self.model._fills_batches():
            filled = self.model._function("test_single_filled" if self.single else "test_filled")
            self.dispatch(filled, (_filled(batch, size, self.full), np.int32(size)), 1, size, "filled", rows)
        else:
            self.dispatch(self.one, (batch,), 1, size, "one", rows)

    def dispatch(self, function, arguments, steps, samples, form, rows=None):
        self.hooks.begin(self.steps)
        begins = self.group is None or self.group["function"] is not function
        snapshot = function.snapshot(keep=self.tell is not None) if begins else None
        result = function(*arguments)
        self.steps += steps
        if self.group is not None and self.group["function"] is not function:
            self._close()
        if self.group is None:
            self.group = {"function": function, "snapshot": snapshot, "steps": 0, "samples": 0, "calls": []}
        group = self.group
        group["steps"] += steps
        group["samples"] += samples
        group["result"], group["last"] = result, self.steps - 1
        if self.tell is not None:
            group["calls"].append((form, arguments, rows))
        if self.single or group["steps"] >= self.pace.steps:
            self._close()
        if self.hooks.due(self.steps):  # before the next batch is made: that may draw random numbers
            self.flush()

    def flush(self):
        if self.group is not None:
            self._close()
        self._finish()

    def _close(self):
        """The group is complete: the one before it is looked at while this one is computed."""
        self._finish()
        self.pending, self.group = self.group, None

    def _finish(self):
        if self.pending is None:
            return
        group, self.pending = self.pending, None
        try:
            values = self.model._ordered_logs(group["result"])
        except Exception:
            group["function"].restore(group["snapshot"])
            raise
        if self.tell is not None:
            self._explain(group, values)
        now = time.perf_counter()
        if not isinstance(self.data, ArrayData) or group["samples"] == group["steps"] * self.data.batch_size:
            self.pace.measured(group["function"], group["steps"], now - self.started)
        self.started = now
        self.logs = values
        if self.average is not None:
            self.average.add(values, group["samples"])
            self.logs = self.average.result()
        self.progress.done(group["last"], self.logs)
        counts = {"batch": group["last"], "size": group["samples"]} if behaviour.counts_in_batch_logs else {}
        self.hooks.end(group["last"], {**values, **counts})

    def _explain(self, group, logs):
        """Has NaN in the logs explained, once; then training stops before the step that failed, or goes on."""
        groups, self.last = [g for g in (self.last, group) if g is not None], group
        if names := not_finite(logs):
            now = self.one.snapshot(keep=True)
            self.halted = self.tell(examine(self.model, self.phase, groups, names))
            if self.halted:
                self.group = None
            else:
                self.one.restore(now)
            self.tell = None


def nan_teller(model):
    """What is told where NaN comes from: a function that says whether to stop; ``None`` if nobody wants to know."""
    return model.told_of_nan or (_raise if config.debug_nans() else None)


def _raise(report):
    raise FloatingPointError(report)


def predict_batches(function, data, steps, callbacks):
    """Pairs of the outputs for each batch, in the structure of the model's output, and of how many rows count."""
    results = []
    watched = callbacks.overrides_batch_hooks["predict"]
    for step, (batch, size) in enumerate(_prediction_batches(data, steps)):
        callbacks.on_predict_batch_begin(step)
        check()
        outputs = function(batch)
        logs = {"batch": step, "size": size}
        if watched:  # that waits until they are computed
            outputs = logs["outputs"] = cut(outputs, size)
        results.append((outputs, size))
        callbacks.on_predict_batch_end(step, logs)
    return results


def _prediction_batches(data, steps):
    if isinstance(data, ArrayData):
        for start in range(0, data.samples, data.batch_size):
            stop = min(start + data.batch_size, data.samples)
            batch, size = data.take(slice(start, stop))[0], stop - start
            if size < _full_size(data) and not data.exact:  # rows of a prediction are independent
                batch = _repeated(batch, size, _full_size(data))
            yield batch, size
    else:
        for x, _, _ in itertools.islice(data.epoch(), steps):
            yield x, leaves(x)[0].shape[0]


def cut(outputs, size):
    """Outputs as NumPy arrays of their first rows."""
    return map_structure(lambda a: np.asarray(a)[:size], outputs)


def _full_size(data):
    """The size to which a short batch of arrays is filled up: few, so that few programs are ever compiled."""
    return data.batch_size if data.samples >= data.batch_size else _power_of_two(data.samples)


def _repeated(arrays, size, wanted):
    """Arrays filled up with their last row."""
    return map_structure(lambda a: np.concatenate([a, np.repeat(np.asarray(a[-1:]), wanted - size, 0)]), arrays)


def _filled(batch, size, wanted):
    """A batch ``(x, y, weights)`` filled up with rows of no weight."""
    x, y, weights = batch
    weights = map_structure(lambda w: np.concatenate([w, np.zeros((wanted - size, *w.shape[1:]), w.dtype)]), weights)
    return *_repeated((x, y), size, wanted), weights
