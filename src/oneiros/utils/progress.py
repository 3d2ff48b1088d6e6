"""The progress bar, as each version of Keras draws it."""

import math
import shutil
import sys
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from oneiros.core.config import behaviour, write_message
from oneiros.core.errors import InputDataError

WIDTHS = {"keras1": 30, "keras2": 30, "tf": 30, "keras3": 20}
BOLD, GREEN, WHITE, PLAIN = "\x1b[1m", "\x1b[32m", "\x1b[37m", "\x1b[0m"


class RunningMeans:
    """Means of named values over batches of different sizes.

    Args:
        sums: what holds the sums: a dictionary from names to pairs of a sum and its weight.

    >>> means = RunningMeans()
    >>> means.add("loss", 1.0, 3)
    >>> means.add("loss", 3.0, 1)
    >>> means.add("last", 2.0, 1, stateful=True)
    >>> means.result()
    {'loss': 1.5, 'last': 2.0}
    """

    def __init__(self, sums: dict | None = None):
        self.sums = {} if sums is None else sums

    def add(self, name: str, value: Any, weight: float, stateful: bool = False) -> None:
        """Adds a value, which is a mean over samples or steps.

        Args:
            name: name of the value.
            value: the value.
            weight: number of samples or steps that it is the mean of.
            stateful: whether the value replaces the previous one instead.
        """
        if stateful:
            self.sums[name] = (value, 1)
        else:
            total, weights = self.sums.get(name, (0, 0))
            self.sums[name] = (total + value * weight, weights + weight)

    def result(self) -> dict:
        """The means."""
        return {name: total / weight for name, (total, weight) in self.sums.items()}


class Progbar:
    """Shows the progress of a loop, and the running means of its values.

    Args:
        target: number of steps; ``None`` if it is unknown.
        width: length of the bar in characters; by default 20 (Keras 3) or 30 (older versions).
        verbose: 0 for no output, 1 for a bar, 2 for one line when the target is reached.
        interval: shortest time between two updates of the display, in seconds.
        stateful_metrics: names of values that are shown as they are, not averaged over the steps.
        stateless_metrics: names of values that are averaged; if given, all others are stateful.
        unit_name: name of a step.
        style: 'keras1', 'keras2', 'tf' or 'keras3'; by default that of the version of Keras in use.

    In a terminal or notebook, the line is redrawn in place. Elsewhere (a log file, a pipe), only the finished line is
    written, without control characters.

    >>> bar = Progbar(2, interval=0, style="keras2")
    >>> bar.update(1, [("loss", 0.5)])
    """

    def __init__(
        self,
        target: int | None,
        width: int | None = None,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
        style: str | None = None,
    ):
        if stateful_metrics is not None and stateless_metrics is not None:
            raise InputDataError("Progbar: Only one of stateful_metrics and stateless_metrics can be given.")
        self.style = style or behaviour.progress_bar
        self.target = target
        self.width = WIDTHS[self.style] if width is None else width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.stateful_metrics = set(stateful_metrics or ())
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self.seen_so_far = 0
        self._means = RunningMeans()
        self._start = time.time()
        self._first_step_end = None
        self._last_drawn = -math.inf
        self._drawn_length = 0
        self._finished = False

    def update(
        self, current: int, values: Iterable[tuple[str, Any]] | None = None, finalize: bool | None = None
    ) -> None:
        """Updates the number of finished steps.

        Args:
            current: number of steps so far.
            values: pairs of a name and a number for the latest steps.
            finalize: whether to end the line; by default when the target is reached.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        steps = current - self.seen_so_far
        if self.verbose:  # otherwise nobody reads the values, and using them would wait for the device
            for name, value in values or ():
                self._note(name, value, max(steps, 1), finalize)
        self.seen_so_far = current
        now = time.time()
        if self._first_step_end is None and current > 0:
            self._first_step_end = (now, current)
        if self.verbose == 1:
            self._draw(now, finalize)
        elif self.verbose == 2 and finalize:
            write_message(self._summary_line(now) + "\n")

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Adds finished steps.

        Args:
            n: number of steps.
            values: pairs of a name and a number for these steps.
        """
        self.update(self.seen_so_far + n, values)

    def _note(self, name, value, steps, finalize):
        stateful = name in self.stateful_metrics or (finalize and self.style in ("tf", "keras3"))
        if self.stateless_metrics is not None:
            stateful = stateful or name not in self.stateless_metrics
        self._means.add(name, value, steps, stateful)

    # --- what is written ---

    def _draw(self, now, finalize):
        if self._finished:
            return
        columns = _redrawable_columns()
        dynamic = columns > 0
        if not finalize and (not dynamic or now - self._last_drawn < self.interval):
            return
        colours = dynamic and self.style == "keras3"
        line = self._line(now, finalize)
        plain = line.format(bold="", green="", white="", plain="")
        if dynamic:
            if not finalize and len(plain) > columns:  # a line that wraps cannot be drawn over
                plain, colours = plain[:columns], False
            text = line.format(bold=BOLD, green=GREEN, white=WHITE, plain=PLAIN) if colours else plain
            text = "\r" + text + " " * max(0, self._drawn_length - len(plain))
        else:
            text = plain
        self._drawn_length = len(plain)
        self._last_drawn = now
        self._finished = finalize
        write_message(text + ("\n" if finalize else ""))

    def _line(self, now, finalize):
        """One line, with the placeholders ``{bold}``, ``{green}``, ``{white}`` and ``{plain}`` for colours."""
        keras3 = self.style == "keras3"
        elapsed = now - self._start
        count = self.seen_so_far
        if self.target is None:
            bar = f"{count:7d}/Unknown"
        else:
            count_of = f"{count:{len(str(self.target))}d}/{self.target}"
            done = min(1.0, count / self.target) if self.target else 1.0
            filled = int(self.width * done)
            if keras3:
                green = f"{{green}}{'━' * filled}{{plain}}" if filled else ""
                bar = f"{{bold}}{count_of}{{plain}} {green}{{white}}{'━' * (self.width - filled)}{{plain}}"
            else:
                head = "=" * filled if done >= 1 else "=" * (filled - 1) + ">" * (filled > 0)
                bar = f"{count_of} [{head}{'.' * (self.width - filled)}]"
        if self.target is None or finalize:
            clock = f"{elapsed:.0f}s"
        else:
            clock = _eta(self._seconds_per_step(now) * (self.target - count))
        if keras3:
            time_part = f" {{bold}}{clock}{{plain}} {self._rate(now)}"
        elif finalize or self.target is None:
            time_part = f" - {clock}" + (f" {self._rate(now)}" if self.style != "keras1" else "")
        else:
            time_part = f" - ETA: {clock}"
        return bar + time_part + self._shown_values().replace("{", "{{").replace("}", "}}")

    def _summary_line(self, now):
        seconds = f"{now - self._start:.0f}s"
        if self.style == "keras1":
            return seconds + self._shown_values()
        if self.style == "keras2":
            return f" - {seconds}{self._shown_values()}"
        count = f"{self.seen_so_far}/{self.target or self.seen_so_far}"
        if self.style == "tf":
            return f"{count} - {seconds}{self._shown_values()} - {seconds}/epoch - {self._rate(now)}"
        return f"{count} - {seconds} - {self._rate(now)}{self._shown_values()}"

    def _shown_values(self):
        shown = ""
        for name, (total, weight) in self._means.sums.items():
            shown += f" - {name}:"
            try:
                mean = float(np.mean(total)) / max(1, weight)
            except (TypeError, ValueError):  # text, None or an array: as it is
                shown += f" {total}"
                continue
            # Keras 1 and 2 show an exact 0 as 0.0000e+00
            shown += f" {mean:.4f}" if abs(mean) > 1e-3 else f" {mean:.4e}"
        return shown

    def _seconds_per_step(self, now):
        """The mean, without the first step (which compiles) as soon as there are others."""
        if not self.seen_so_far:
            return 0.0
        end, steps = self._first_step_end
        if self.seen_so_far > steps:
            return (now - end) / (self.seen_so_far - steps)
        return (now - self._start) / self.seen_so_far

    def _rate(self, now):
        seconds = self._seconds_per_step(now)
        if seconds >= 1 or seconds == 0:
            return f"{seconds:.0f}s/{self.unit_name}"
        if seconds >= 1e-3:
            return f"{seconds * 1e3:.0f}ms/{self.unit_name}"
        return f"{seconds * 1e6:.0f}us/{self.unit_name}"


def _eta(seconds):
    seconds = int(seconds)
    if seconds > 3600:
        return f"{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"
    if seconds > 60:
        return f"{seconds // 60}:{seconds % 60:02d}"
    return f"{seconds}s"


def _redrawable_columns():
    """How wide a line may be that is redrawn in place; 0 where that is not possible (a log file, a pipe)."""
    stream = sys.stdout
    if "ipykernel" in type(stream).__module__:
        return sys.maxsize
    if hasattr(stream, "isatty") and stream.isatty():
        return shutil.get_terminal_size().columns - 1
    return 0
