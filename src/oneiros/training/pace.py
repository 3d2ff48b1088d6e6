"""How many steps are dispatched before the host looks at their logs."""

from collections.abc import Callable

import numpy as np

_REPORT_SECONDS = 0.075  # between two looks at the logs: seldom enough to cost nothing, often enough for a moving bar
_SHORT_STEP = 0.0015  # seconds; shorter steps are dispatched many at a time, in a loop that XLA runs
_SAVED = 1e-4  # seconds that this saves for each step, roughly
_TRIALS = 3  # measurements of the loop, before it is compared with single steps


class Pace:
    """How long a step takes, and what follows from it.

    Long steps are dispatched one by one: a loop would gain nothing there, and it is a second program to compile. Short
    ones are at first too, until the loop, had it been there from the start, would have saved the time that compiling
    took; so a short program compiles one step, and a long one loses little. In a loop some models are slower, a small
    U-Net four times on a CPU: if the loop turns out to be slower than single steps, it is given up.

    Args:
        groups: whether steps may be dispatched many at a time.

    Attributes:
        steps: the number of steps between two looks at the logs.
        many: whether steps are to be dispatched many at a time.

    >>> def step(): ...
    >>> pace = Pace()
    >>> pace.measured(step, 1, 0.5)  # the first call compiles
    >>> pace.measured(step, 1, 0.001)
    >>> pace.steps, pace.many
    (8, False)
    >>> pace.measured(step, 5000, 5.0)
    >>> pace.many
    True
    """

    def __init__(self, groups: bool = True):
        self.steps, self.many, self._groups = 1, False, groups
        self._compiling = 0.0  # seconds of the first call
        self._warm = set()
        self._single, self._loop = _Total(), _Total()

    def measured(self, function: Callable, steps: int, seconds: float, looped: bool = False) -> None:
        """Takes in that `function` needed this time for so many steps.

        Args:
            function: what was called.
            steps: the number of steps.
            seconds: the time they took.
            looped: whether `function` is the loop of many steps.
        """
        if function not in self._warm:  # the first call compiles
            self._warm.add(function)
            self._compiling = self._compiling or seconds
            return
        (self._loop if looped else self._single).add(steps, seconds)
        if looped:
            if self._loop.count >= _TRIALS and self._loop.mean > self._single.mean:
                self.many = self._groups = False
        elif self._groups and self._single.steps * _SAVED >= self._compiling:
            self.many = self.many or seconds / steps < _SHORT_STEP
        self.steps = int(np.clip(_REPORT_SECONDS * steps / max(seconds, 1e-6), 1, self.steps * 8))


class _Total:
    """The mean time of a step; single measurements are far off, as the host does not wait for each step."""

    def __init__(self):
        self.count, self.steps, self.seconds = 0, 0, 0.0

    mean = property(lambda self: self.seconds / max(self.steps, 1))

    def add(self, steps, seconds):
        self.count, self.steps, self.seconds = self.count + 1, self.steps + steps, self.seconds + seconds
