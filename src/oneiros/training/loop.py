"""The loop over batches: many steps a dispatch, the next batches gathered while the last ones are computed."""

import itertools
import time

import jax
import numpy as np

from ..core import behaviour
from .data import ArrayData

_TARGET_SECONDS = 0.075  # of a dispatch: long enough that calls cost nothing, short enough for a moving bar
_BUFFER_BYTES = 16 << 20
_MOST_STEPS = 512


class Pace:
    """Chooses how many steps the next dispatch makes."""

    def __init__(self):
        self.steps = 1
        self.compiled = False

    def measured(self, steps, seconds):
        if not self.compiled:  # the first dispatch compiles: its time tells nothing
            self.compiled = True
            return
        wanted = _TARGET_SECONDS * steps / max(seconds, 1e-6)
        self.steps = int(np.clip(wanted, 1, self.steps * 8))


class Average:
    """Means of logs over dispatches of different sizes, each of which tells its own mean.

    stateful: names of logs that are no means; of these the last value counts.
    """

    def __init__(self, stateful):
        self.stateful = stateful
        self.sums, self.size = {}, 0

    def add(self, logs, size):
        self.size += size
        for name, value in logs.items():
            is_mean = name not in self.stateful and np.ndim(value) == 0
            self.sums[name] = self.sums.get(name, 0.0) + value * size if is_mean else value * self.size

    def result(self):
        return {name: value / self.size for name, value in self.sums.items()}


def chunks(data, pace, order=None, single=False):
    """Groups of batches of one shape: ``(steps, batches, samples)``, batches stacked along a first axis.

    The first axis may be longer than `steps`: so that one compiled program serves any number of steps.
    """
    if isinstance(data, ArrayData):
        yield from _array_chunks(data, pace, order, single)
        return
    for batch in data.epoch():
        size = data.batch_size = jax.tree.leaves(batch)[0].shape[0]
        yield 1, jax.tree.map(lambda a: a[None], batch), size


def _array_chunks(data, pace, order, single):
    size = data.batch_size
    order = np.arange(data.samples) if order is None else order
    full = len(order) // size
    row_bytes = sum(a.dtype.itemsize * int(np.prod(a.shape[1:])) for a in jax.tree.leaves(data.arrays))
    most = int(np.clip(_BUFFER_BYTES // max(row_bytes * size, 1), 1, _MOST_STEPS))
    most = 1 if single else min(most, _power_of_two(full))
    step = 0
    while step < full:
        steps = min(pace.steps, most, full - step)
        rows = order[step * size : (step + steps) * size]
        yield steps, _stack(data, rows, steps, most, size), steps * size
        step += steps
    if full * size < len(order):
        rest = order[full * size :]
        yield 1, _stack(data, rest, 1, 1, len(rest)), len(rest)


def _power_of_two(n):
    return 1 << max(n - 1, 0).bit_length()


def _stack(data, rows, steps, most, size):
    taken = data.take(rows)

    def stacked(a):
        a = np.asarray(a)
        if most > steps:
            longer = np.empty((most * size, *a.shape[1:]), a.dtype)
            longer[: len(a)] = a
            longer[len(a) :] = 0
            a = longer
        return a.reshape(most, size, *a.shape[1:])

    return jax.tree.map(stacked, taken)


def run_epoch(model, function, data, hooks, order=None, single=False):
    """All batches of one epoch through a compiled function ``(steps, batches) -> logs``.

    hooks: object with ``begin(step)``, ``end(step, logs)`` and ``stop()``. single: one step a dispatch, in lockstep
    with the hooks. Returns the logs of the epoch and the number of steps.
    """
    pace, average = model._pace, Average(model._stateful_log_names())
    step, pending, logs, started = 0, None, {}, time.perf_counter()

    def finish(steps, samples, last_step, result, snapshot):
        nonlocal logs, started
        try:
            values = model._ordered_logs(result)
        except Exception:
            function.restore(snapshot)
            raise
        now = time.perf_counter()
        if not single and samples == steps * data.batch_size:
            pace.measured(steps, now - started)
        started = now
        average.add(values, samples)
        logs = values if behaviour.running_batch_logs else average.result()
        hooks.end(last_step, {**values, "batch": last_step, "size": samples})

    for steps, batches, samples in chunks(data, pace, order, single):
        hooks.begin(step)
        snapshot = function.snapshot()
        result = function(np.int32(steps), batches)
        step += steps
        if pending is not None:
            finish(*pending)
        pending = (steps, samples, step - 1, result, snapshot)
        if single:
            finish(*pending)
            pending = None
            if hooks.stop():
                break
    if pending is not None:
        finish(*pending)
    return logs, step


def predict_batches(function, data, steps=None):
    """The outputs for all samples, as NumPy arrays in the structure of the model's output."""
    results = []
    if isinstance(data, ArrayData):
        for start in range(0, data.samples, data.batch_size):
            stop = min(start + data.batch_size, data.samples)
            batch = data.take(slice(start, stop))[0]
            results.append((function(_padded(batch, data, stop - start)), stop - start))
    else:
        for x, _, _ in itertools.islice(data.epoch(), steps):
            results.append((function(x), jax.tree.leaves(x)[0].shape[0]))
    return results


def _padded(batch, data, size):
    """A short batch filled up, so that few shapes are ever compiled: rows of a prediction are independent."""
    wanted = data.batch_size if data.samples >= data.batch_size else _power_of_two(size)
    if data.exact or wanted == size:
        return batch
    return jax.tree.map(lambda a: np.concatenate([a, np.repeat(np.asarray(a[-1:]), wanted - size, 0)]), batch)
