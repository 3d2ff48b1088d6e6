"""One pass over the batches of an epoch: steps run ahead of the host, and short ones many in a dispatch."""

import dataclasses
import itertools
import time
import typing
from collections.abc import Callable

import numpy as np

from ..core import behaviour
from ..core.interrupts import check
from ..core.structure import leaves, map_structure
from ..utils.progress import RunningMeans
from .autopsy import not_finite
from .data import ArrayData
from .progress import Progress
from .stacking import MOST_STEPS, filled, full_size, most_steps, repeated, stacked


class Hooks(typing.Protocol):
    """What the loop calls, and asks, between steps."""

    exact: bool  # whether the same steps must give the same numbers to the last bit, whatever the timing

    def begin(self, step: int) -> None:
        """Before a step, or the first of those that are dispatched together."""

    def end(self, step: int, logs: dict) -> None:
        """When the logs of the steps up to this one are known."""

    def stop(self) -> bool:
        """Whether to end the epoch here."""

    def due(self, steps: int) -> bool:
        """Whether the state must be looked at as it is after so many steps of the epoch."""

    def close(self) -> None:
        """When the logs of the epoch's last step are known."""


@dataclasses.dataclass(slots=True)
class Group:
    """Steps that were dispatched one after the other, whose logs are looked at together.

    Attributes:
        function: the compiled steps.
        snapshot: the state before them, as far as it is kept.
        calls: triples of a form ('one', 'many' or 'filled'), the arguments and the numbers of the rows, if they are
            kept.
        steps: the number of steps.
        samples: the number of their samples.
        result: what the last of them returned.
        last: its number.
        looped: whether the function runs many steps in a loop.
    """

    function: typing.Any
    snapshot: list
    calls: list = dataclasses.field(default_factory=list)
    steps: int = 0
    samples: int = 0
    result: typing.Any = None
    last: int = 0
    looped: bool = False


class Loop:
    """One pass over an epoch: a group of steps is computed while the host prepares the next.

    Args:
        steps: the compiled steps of the phase, a `PhaseSteps`.
        data: `ArrayData` or `BatchData`.
        hooks: what is called between steps.
        single: whether the hooks see each batch before the next one is dispatched.
        progress: how far the epoch is.
        explain: function of groups of steps and names of logs that are not finite; it returns whether to stop.
            Without one the groups' calls are not kept.

    Attributes:
        logs: the logs of the epoch until now.
        done: how many steps were dispatched.
    """

    def __init__(
        self,
        steps: typing.Any,
        data: typing.Any,
        hooks: Hooks,
        single: bool = False,
        progress: Progress | None = None,
        explain: Callable | None = None,
    ):
        self.progress = progress or Progress()
        self.steps, self.data, self.hooks, self.single = steps, data, hooks, single
        self.one = steps.alone if single else steps.one
        self.done, self.logs = self.progress.step, self.progress.logs
        self.full = full_size(data) if isinstance(data, ArrayData) else 0  # the largest batch
        self.pending, self.group = None, None
        self.started = time.perf_counter()
        # Logs of single batches are averaged here; those of groups are running means already.
        self.means = RunningMeans(self.progress.sums) if single and not behaviour.running_batch_logs else None
        self.explain = explain
        self.before = None  # the group before, kept if somebody wants to know where NaN comes from
        self.halted = False

    def run(self, order: list | None = None) -> tuple[dict, int]:
        """Takes all batches, or those that are left of the epoch.

        Args:
            order: the rows of array data, in the order in which they are taken. No batch has rows of two of its parts.

        Returns:
            The logs of the epoch and the number of steps.
        """
        if isinstance(self.data, ArrayData):
            for rows in [np.arange(self.data.samples)] if order is None else order:
                self._run_arrays(rows)
        else:
            self._run_batches()
        self.flush()
        self.hooks.close()
        return self.logs, self.done

    def flush(self) -> None:
        """Waits for all steps and looks at their logs."""
        if self.group is not None:
            self._close()
        self._finish()

    # --- where batches come from

    def _run_arrays(self, order):
        data, size, position = self.data, self.data.batch_size, 0
        row_bytes = sum(a.dtype.itemsize * int(np.prod(a.shape[1:])) for a in leaves(data.arrays))
        most = most_steps(row_bytes * size, len(order) // size)
        while position < len(order):
            full = (len(order) - position) // size
            if self._groups and full and most > 1:
                count = min(self.steps.pace.steps, most, full)
                rows = order[position : position + count * size]
                batches = stacked(data.take(rows), size, most)
                if self._stopped():
                    break
                self._dispatch(self.steps.many, (np.int32(count), batches), count, count * size, "many", rows)
                position += count * size
            else:
                rows = order[position : position + size]
                batch = data.take(rows)
                if self._stopped():
                    break
                self._dispatch_one(batch, len(rows), rows)
                position += len(rows)

    def _run_batches(self):
        """Batches as they come. While a step is computed, the next batch is made; equal short steps go together."""
        waiting, shapes = [], None  # batches of these shapes

        def send():
            if waiting and not self.halted:
                count, samples = len(waiting), len(waiting) * self.full
                joined = map_structure(lambda *arrays: np.concatenate(arrays), *waiting)
                batches = stacked(joined, self.full, most)
                self._dispatch(self.steps.many, (np.int32(count), batches), count, samples, "many")
                waiting.clear()

        for batch in self._batches():
            last_shapes, shapes = shapes, map_structure(lambda a: (a.shape, a.dtype), batch)
            if shapes != last_shapes:
                send()
                arrays = leaves(batch)
                size = arrays[0].shape[0]
                most = most_steps(sum(a.dtype.itemsize * a.size for a in arrays), self.data.steps or MOST_STEPS)
            if self._stopped():
                break
            if self._groups and size == self.full and most > 1:
                waiting.append(batch)
                if len(waiting) >= min(self.steps.pace.steps, most):
                    send()
            else:
                send()
                self._dispatch_one(batch, size)
        send()

    def _batches(self):
        try:
            yield from self.data.epoch(self.done)
        except Exception:
            self.flush()  # the callbacks still see the last step
            raise

    # --- steps

    @property
    def _groups(self):
        """Whether steps go many in a dispatch. In rare cases the last bit differs from what they give one by one."""
        return self.steps.pace.many and not self.single and not self.hooks.exact

    def _stopped(self):
        """Whether a callback stopped the training; in lockstep, the last step is looked at for that."""
        if self.single:
            self._finish()
        return self.halted or (self.single and self.hooks.stop())

    def _dispatch_one(self, batch, size, rows=None):
        """Dispatches one batch. A short one is filled up in evaluation, if its results stay exact."""
        self.full = max(self.full, size)
        if size < self.full and self.steps.can_fill():
            function = self.steps.filled_alone if self.single else self.steps.filled
            self._dispatch(function, (filled(batch, size, self.full), np.int32(size)), 1, size, "filled", rows)
        else:
            self._dispatch(self.one, (batch,), 1, size, "one", rows)

    def _dispatch(self, function, arguments, steps, samples, form, rows=None):
        self.hooks.begin(self.done)
        begins = self.group is None or self.group.function is not function
        snapshot = function.snapshot(keep=self.explain is not None) if begins else None
        result = function(*arguments)
        self.done += steps
        if begins:
            if self.group is not None:
                self._close()
            self.group = Group(function, snapshot, looped=form == "many")
        group = self.group
        group.steps += steps
        group.samples += samples
        group.result, group.last = result, self.done - 1
        if self.explain is not None:
            group.calls.append((form, arguments, rows))
        if self.single or group.steps >= self.steps.pace.steps:
            self._close()
        if self.hooks.due(self.done):  # before the next batch is made: that may draw random numbers
            self.flush()

    def _close(self):
        """The group is complete: the one before it is looked at while this one is computed."""
        self._finish()
        self.pending, self.group = self.group, None

    def _finish(self):
        if self.pending is None:
            return
        group, self.pending = self.pending, None
        try:
            values = self.steps.logs(group.result)
        except Exception:
            group.function.restore(group.snapshot)
            raise
        if self.explain is not None:
            self._explain(group, values)
        now = time.perf_counter()
        if not isinstance(self.data, ArrayData) or group.samples == group.steps * self.data.batch_size:
            self.steps.pace.measured(group.function, group.steps, now - self.started, group.looped)
        self.started = now
        self.logs = values
        if self.means is not None:
            stateful = self.steps.stateful_names
            for name, value in values.items():
                self.means.add(name, value, group.samples, name in stateful or np.ndim(value) > 0)
            self.logs = self.means.result()
        self.progress.done(group.last, self.logs)
        counts = {"batch": group.last, "size": group.samples} if behaviour.counts_in_batch_logs else {}
        self.hooks.end(group.last, {**values, **counts})

    def _explain(self, group, logs):
        """Has NaN in the logs explained, once; then training stops before the step that failed, or goes on."""
        groups, self.before = [g for g in (self.before, group) if g is not None], group
        if names := not_finite(logs):
            now = self.one.snapshot(keep=True)
            self.halted = self.explain(groups, names)
            if self.halted:
                self.group = None
            else:
                self.one.restore(now)
            self.explain = None


def predict_batches(
    function: Callable,
    data: typing.Any,
    steps: int | None,
    callbacks: typing.Any,
    fill: bool,
    group: int = 1,
    stopped: Callable = lambda: False,
) -> list[tuple]:
    """The outputs for all batches.

    Args:
        function: the compiled prediction of one batch.
        data: `ArrayData` or `BatchData`.
        steps: how many batches to take of what yields them.
        callbacks: a `CallbackList`, or ``None``.
        fill: whether a short batch of arrays may be filled up.
        group: how many batches the callbacks see as one.
        stopped: function that says whether a callback has stopped the prediction.

    Returns:
        Pairs of the outputs, in the structure of the model's output, and of the number of true rows.
    """
    results = []
    watched = callbacks is not None and callbacks.overrides_batch_hooks["predict"]

    def end():
        parts = results[step - step % group :]
        counts = behaviour.counts_in_batch_logs
        logs = {"batch": step, "size": sum(size for _, size in parts)} if counts else {}
        if watched:
            logs["outputs"] = map_structure(lambda *outputs: np.concatenate(outputs), *(part for part, _ in parts))
        callbacks.on_predict_batch_end(last_number(step, group), logs)

    for step, (batch, size) in enumerate(_prediction_batches(data, steps, fill)):
        if callbacks is not None and step % group == 0:
            callbacks.on_predict_batch_begin(step)
        check()
        outputs = function(batch)
        results.append((cut(outputs, size) if watched else outputs, size))  # `cut` waits until they are computed
        if callbacks is not None and (step + 1) % group == 0:
            end()
            if stopped():
                break
    if callbacks is not None and len(results) % group:
        end()
    return results


def last_number(step: int, group: int) -> int:
    """The number that callbacks get at the end of a group of steps.

    Args:
        step: the number of its last step.
        group: how many steps a full group has.

    >>> last_number(6, 3)
    8
    """
    return step - step % group + group - 1 if behaviour.executions_count_full else step


def _prediction_batches(data, steps, fill):
    if isinstance(data, ArrayData):
        full = full_size(data) if fill else 0
        for start in range(0, data.samples, data.batch_size):
            stop = min(start + data.batch_size, data.samples)
            batch, size = data.take(slice(start, stop))[0], stop - start
            yield (repeated(batch, size, full) if size < full else batch), size
    else:
        for x, _, _ in itertools.islice(data.epoch(), steps):
            yield x, leaves(x)[0].shape[0]


def cut(outputs: typing.Any, size: int) -> typing.Any:
    """Outputs as NumPy arrays of their first rows."""
    return map_structure(lambda a: np.array(a)[:size], outputs)
