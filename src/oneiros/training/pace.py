"""How many steps are dispatched before the host looks at their logs."""

from collections.abc import Callable

import numpy as np

_REPORT_SECONDS = 0.075  # between two looks at the logs: seldom enough to cost nothing, often enough for a moving bar
_SHORT_STEP = 0.0015  # seconds; shorter steps are dispatched many at a time, in a loop that XLA runs


class Pace:
    """How long a step takes, and what follows from it.

    Long steps are dispatched one by one: a loop would gain nothing there, and it is a second program to compile.

    Args:
        groups: whether steps may be dispatched many at a time.

    Attributes:
        steps: the number of steps between two looks at the logs.
        many: whether steps are short enough to be dispatched many at a time.

    >>> def step(): ...
    >>> pace = Pace()
    >>> pace.measured(step, 1, 3.0)  # the first call compiles
    >>> pace.measured(step, 1, 0.001)
    >>> pace.steps, pace.many
    (8, True)
    """

    def __init__(self, groups: bool = True):
        self.steps, self.many, self._groups = 1, False, groups
        self._warm = set()

    def measured(self, function: Callable, steps: int, seconds: float) -> None:
        """Takes in that `function` needed this time for so many steps."""
        if function not in self._warm:  # the first call compiles: its time tells nothing
            self._warm.add(function)
            return
        self.many = self.many or (self._groups and seconds / steps < _SHORT_STEP)
        self.steps = int(np.clip(_REPORT_SECONDS * steps / max(seconds, 1e-6), 1, self.steps * 8))
