"""Where a training is: all that it needs to go on from there, besides the variables."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core import behaviour
from ..core.errors import InputDataError
from ..core.random import get_random_state, set_random_state


class Progress:
    """The place of a training. `fit` moves it; callbacks find it as ``self.progress``.

    Attributes:
        epoch: the epoch that runs; between two epochs, the next.
        step: how many of its steps are done.
        total: the number of steps in all epochs.
        logs: the logs of the epoch until now.
        sums: by name, the sums of logs that are means of batches, each with its number of samples.
        ended: whether a callback had stopped the training at this place.
        resumed: whether the training began in another process.
        running_logs: whether the logs that callbacks get are means since the epoch began.
        watchers: functions of (model, progress) that are called when a training has ended well.

    Args:
        variables: function that lists all variables that training changes, in a fixed order; it takes a number:
            how many are expected, should some be known only after a step was traced.
        rows: the `Rows` of array data, or ``None``.
        sources: by name, what else yields batches and has a place of its own (`BatchData`).

    >>> progress = Progress()
    >>> for epoch in progress.epochs(0, 2):
    ...     progress.done(4, {"loss": 0.5})
    ...     progress.end_epoch()
    >>> progress.epoch, progress.total
    (2, 10)
    """

    running_logs = False
    watchers = ()

    def __init__(self, variables: Any = None, rows: Any = None, sources: Any = None):
        self.epoch = self.step = self.total = 0
        self.logs, self.sums = {}, {}
        self.ended = self.resumed = False
        self.variables, self.rows, self.sources = variables, rows, sources or {}
        self.callbacks = None  # the `CallbackList`, which sets itself

    def epochs(self, first: int, last: int) -> Iterator:
        """The numbers of the epochs that are still to do."""
        if self.epoch < first:
            self.epoch, self.step = first, 0
        while self.epoch < last and not self.ended:
            yield self.epoch

    def begin_epoch(self) -> None:
        """Tells that an epoch begins: rows get the order in which they are taken."""
        if self.rows is not None:
            self.rows.begin_epoch()

    def end_epoch(self) -> None:
        """Tells that the epoch is done."""
        self.epoch, self.step = self.epoch + 1, 0
        self.logs, self.sums = {}, {}

    def done(self, step: int, logs: dict) -> None:
        """Tells that the epoch's steps up to this one are done."""
        self.total += step + 1 - self.step
        self.step, self.logs = step + 1, logs

    def get_state(self) -> Any:
        """This place as data, with that of every stream of random numbers."""
        names = ("epoch", "step", "total", "logs", "sums")
        return {
            **{name: getattr(self, name) for name in names},
            "rows": None if self.rows is None else self.rows.get_state(self.step > 0),
            "sources": {name: source.get_state() for name, source in self.sources.items()},
            "random": get_random_state(),
        }

    def set_state(self, state: Any) -> None:
        """Goes to a place that `get_state` has told."""
        state = dict(state)
        random, rows, sources = (state.pop(name) for name in ("random", "rows", "sources"))
        if state["step"] and ((rows is None) != (self.rows is None) or set(sources) != set(self.sources)):
            raise InputDataError(
                "the backup was made in the middle of an epoch with data of another kind (arrays, or what yields "
                "batches). Give the same data again."
            )
        if rows is not None and self.rows is not None:
            self.rows.set_state(rows, state["step"] > 0)
        for name, source in self.sources.items():
            if name in sources:
                source.set_state(sources[name], state["step"] > 0)
        vars(self).update(state)
        self.resumed = True
        set_random_state(random)  # last: to find its place, a source may have drawn numbers


class Rows:
    """The order in which the rows of arrays are taken.

    Args:
        samples: the number of rows.
        batch_size: rows a step.
        steps: steps an epoch. What they leave of a pass over the rows is for the epochs after it.
        shuffle: True, False, or "batch": whole batches are shuffled.
        passes: how many passes there are at most, if an epoch goes on in the next pass. By default it ends with its
            pass, and there are as many as are asked for.

    >>> rows = Rows(10, 4, 2, shuffle=False)
    >>> for epoch in range(3):
    ...     rows.begin_epoch()
    ...     print([part.tolist() for part in rows.from_step(0)])
    [[0, 1, 2, 3, 4, 5, 6, 7]]
    [[8, 9]]
    [[0, 1, 2, 3, 4, 5, 6, 7]]
    """

    def __init__(self, samples: Any, batch_size: Any, steps: Any, shuffle: Any, passes: int | None = None):
        self.order = np.arange(samples)
        self.batch_size, self.steps, self.shuffle, self.passes = batch_size, steps, shuffle, passes
        self.next = 0  # the step of the pass with which the next epoch begins; 0: a new pass
        self.parts = []  # the rows of the epoch, those of each pass for themselves

    def begin_epoch(self) -> None:
        """Goes on in the pass over the rows, or begins the next one."""
        self.parts, left = [], self.steps
        while left and (self.next or self.passes != 0):
            if not self.next:
                self._shuffle()
                self.passes = self.passes and self.passes - 1
            part = self.order[self.next * self.batch_size :][: left * self.batch_size]
            steps = -(-len(part) // self.batch_size)
            self.parts.append(part if self.passes is None else part.copy())
            self.next += steps
            if self.next * self.batch_size >= len(self.order):
                self.next = 0
            left = left - steps if self.passes is not None else 0

    def _shuffle(self):
        """Draws the order of a pass from NumPy's global generator, for programs seed that."""
        order, size = self.order, self.batch_size
        if not behaviour.epochs_shuffle_on:
            order.sort()
        if self.shuffle == "batch":
            full = len(order) // size * size
            groups = order[:full].reshape(-1, size).copy()
            np.random.shuffle(groups)
            order[:full] = groups.reshape(-1)
        elif self.shuffle:
            np.random.shuffle(order)

    def from_step(self, step: int) -> list:
        """The rows from this step of the epoch on, those of each pass for themselves."""
        parts = []
        for part in self.parts:
            parts.append(part[step * self.batch_size :])
            step = max(0, step + (-len(part) // self.batch_size))
        return [part for part in parts if len(part)]

    def get_state(self, within_epoch: bool) -> dict:
        """The order as data. within_epoch: whether an epoch has begun."""
        needed = self.shuffle and (within_epoch or self.next or behaviour.epochs_shuffle_on)
        parts = self.parts if within_epoch else []
        small = np.uint32 if len(self.order) < 2**32 else np.uint64
        return {
            "samples": len(self.order),
            "batch_size": self.batch_size,
            "next": self.next,
            "passes": self.passes,
            "order": self.order.astype(small) if needed else None,
            "earlier": [part.astype(small) for part in parts[:-1]],  # of passes before this order
            "last": len(parts[-1]) if parts else 0,
        }

    def set_state(self, state: dict, within_epoch: bool) -> None:
        """Takes back what `get_state` told."""
        same = state["samples"] == len(self.order) and state["batch_size"] == self.batch_size
        if within_epoch and not same:
            raise InputDataError(
                f"the backup was made in the middle of an epoch of {state['samples']} samples in batches of "
                f"{state['batch_size']}. Received: {len(self.order)} samples in batches of {self.batch_size}, where "
                "that place does not exist. Give the same data again."
            )
        if not same:
            return
        self.next, self.passes = state["next"], state["passes"]
        if state["order"] is not None:
            self.order[:] = state["order"]
        if within_epoch:
            end = min(self.next * self.batch_size or len(self.order), len(self.order))
            self.parts = [*state["earlier"], self.order[end - state["last"] : end]]
