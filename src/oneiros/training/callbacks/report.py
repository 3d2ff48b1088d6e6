"""Callbacks that tell what happens: records, the progress bar, files, a server."""

import csv
import json
import os
import urllib.error
import urllib.parse
import urllib.request
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ...core import behaviour, fields
from ...core.config import write_message
from ...core.fields import field
from ...utils.progress import Progbar
from .base import HOOKS, Callback

_COUNTS = ("batch", "size", "num_steps")  # what batch logs hold beside losses and metrics


class BaseLogger(Callback):
    """Puts the means of the batches' logs, weighted by batch size, into the logs of the epoch.

    >>> BaseLogger(["accuracy"]).stateful_metrics
    {'accuracy'}
    """

    stateful_metrics: Iterable = field(default=None, doc="Names whose last value is taken instead.")
    state_names = ("seen", "totals")

    def __post_init__(self):
        self.stateful_metrics = set(self.stateful_metrics or ())
        self.seen, self.totals = 0, {}

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.seen, self.totals = 0, {}

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        logs = logs or {}
        size = logs.get("size", 1) * logs.get("num_steps", 1)
        self.seen += size
        for name, value in logs.items():
            if name in self.stateful_metrics:
                self.totals[name] = value
            else:
                self.totals[name] = self.totals.get(name, 0) + value * size

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        for name in self.params.get("metrics", ()) if logs is not None else ():
            if name in self.totals:
                stateful = name in self.stateful_metrics
                logs[name] = self.totals[name] if stateful else self.totals[name] / max(self.seen, 1)


class History(Callback):
    """What `fit` returns: the logs of all epochs.

    Attributes:
        epoch: the numbers of the epochs.
        history: a list of values for each name in the logs.

    >>> history = History()
    >>> history.on_epoch_end(0, {"loss": 0.5})
    >>> history.history
    {'loss': [0.5]}
    """

    state_names = ("epoch", "history")

    def __init__(self):
        self.epoch = []
        self.history = {}

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


class ProgbarLogger(Callback):
    """The progress bar, in the look of the running generation of Keras.

    Raises:
        ValueError: if `count_mode` is neither ``'samples'`` nor ``'steps'``.

    >>> ProgbarLogger("steps").count_mode
    'steps'
    """

    count_mode: str | None = field(
        default=None,
        doc="Whether ``'samples'`` or ``'steps'`` are counted. `None`: samples where Keras 1 and 2 know their number.",
    )
    stateful_metrics: Iterable = field(default=None, doc="Names shown as they come, not averaged over the batches.")

    def __post_init__(self):
        if self.count_mode not in (None, "samples", "steps"):
            raise ValueError(f"count_mode: expected 'samples' or 'steps'. Received: count_mode={self.count_mode!r}")
        self.stateful_metrics = set(self.stateful_metrics or ())
        self._progbar = None
        self._in_fit = False

    def wants_batches(self, mode: str) -> bool:
        return False  # it needs calls now and then, not each

    def set_params(self, params: dict) -> None:
        self.params = params
        self.verbose = params.get("verbose", 1)
        self.epochs = params.get("epochs", params.get("nb_epoch", 1))
        samples = params.get("samples", params.get("nb_sample"))
        steps = params.get("steps")
        counted = self.count_mode is None and behaviour.classic_progress and samples is not None
        self._by_samples = self.count_mode == "samples" or counted
        self.target = samples if self._by_samples else steps

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._in_fit = True
        samples, validation = self.params.get("samples"), self.params.get("validation_samples")
        if self.verbose and behaviour.classic_progress and samples and validation:
            print(f"Train on {samples} samples, validate on {validation} samples")

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        if self.verbose and (self.epochs > 1 or behaviour.classic_progress):
            write_message(f"Epoch {epoch + 1}/{self.epochs}\n")
        self._start(self.target)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self._advance(batch, logs)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self._finish(logs)

    def on_train_end(self, logs: dict | None = None) -> None:
        self._in_fit = False

    def on_exception(self, error: BaseException) -> None:
        self._in_fit = False

    def on_test_begin(self, logs: dict | None = None) -> None:
        if not self._in_fit:
            self._start(self.target)

    def on_test_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if not self._in_fit:
            self._advance(batch, {} if self._bare else logs)

    def on_test_end(self, logs: dict | None = None) -> None:
        if not self._in_fit:
            self._finish({} if self._bare else logs)

    def on_predict_begin(self, logs: dict | None = None) -> None:
        self._start(self.target)

    def on_predict_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self._advance(batch, {name: value for name, value in (logs or {}).items() if name in _COUNTS})

    def on_predict_end(self, logs: dict | None = None) -> None:
        self._finish(None)

    @property
    def _bare(self):
        """Keras 1 and 2 show no values in `evaluate`."""
        return behaviour.classic_progress

    def _start(self, target):
        self.seen = 0
        self._progbar = Progbar(
            target=target,
            verbose=self.verbose,
            stateful_metrics=self.stateful_metrics,
            unit_name="sample" if self._by_samples and behaviour.progress_bar == "keras1" else "step",
        )

    def _advance(self, batch, logs):
        logs = logs or {}
        if self._by_samples:
            self.seen += logs.get("size", 1) * logs.get("num_steps", 1)
        else:
            self.seen = min(batch + 1, self._progbar.target or batch + 1)
        # The last values of an epoch come with the validation's, in `_finish`.
        if self.verbose == 1 and (self._progbar.target is None or self.seen < self._progbar.target):
            values = self._values(logs)
            if self.progress is not None and self.progress.running_logs:  # means since the epoch began, to show as is
                self._progbar.stateful_metrics = {name for name, _ in values}
            self._progbar.update(self.seen, values, finalize=False)

    def _finish(self, logs):
        if self._progbar.target is None:
            self._progbar.target = self.seen
        values = self._values(logs or {})
        self._progbar.stateful_metrics = {name for name, _ in values}  # these are of the whole epoch already
        self._progbar.update(max(self._progbar.target, self.seen), values, finalize=True)

    def _values(self, logs):
        names = self.params.get("metrics")
        if names and behaviour.classic_progress:
            return [(name, logs[name]) for name in names if name in logs]
        return [(name, value) for name, value in logs.items() if name not in _COUNTS]


class CSVLogger(Callback):
    """Writes the logs of each epoch as a line of a CSV file.

    >>> CSVLogger("log.csv", separator=";").sep
    ';'
    """

    filename: str = field(doc="The file.")
    sep: str = field(default=",", alias="separator", doc="What stands between two values.")
    append: bool = field(default=False, doc="Whether a file that is there is continued.")

    def __post_init__(self):
        self.filename = str(self.filename)
        self.keys = self.writer = self.csv_file = None

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.keys = self.writer = self.csv_file = None

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        if self.csv_file is None:  # not before: a training that goes on keeps the rows that are there
            self._open("a" if self.append else "w")

    def _open(self, mode):
        self._header = True
        if mode == "a" and os.path.exists(self.filename):
            with open(self.filename) as file:
                self._header = not file.readline().strip()
        self.csv_file = open(self.filename, mode, newline="")  # noqa: SIM115 - open for long

    def get_state(self) -> Any:
        """The columns, and how long the file is: rows that are written later are not of this state."""
        if self.csv_file is None:
            return {"keys": self.keys, "size": None}
        self.csv_file.flush()
        os.fsync(self.csv_file.fileno())
        return {"keys": self.keys, "size": os.fstat(self.csv_file.fileno()).st_size}

    def set_state(self, state: Any) -> None:
        self.keys, size = state["keys"], state["size"]
        if size is None:
            return
        found = os.path.getsize(self.filename) if os.path.exists(self.filename) else 0
        if found < size:
            warnings.warn(
                f"CSVLogger: {self.filename} has {found} bytes; when the backup was made it had {size}. Rows that were "
                "written before are missing."
            )
        elif found > size:
            os.truncate(self.filename, size)
        self._open("a")

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        logs = logs or {}
        self.on_epoch_begin(epoch)
        if self.keys is None:
            self.keys = sorted(logs)
            validated = any(name.startswith("val_") for name in logs)
            if not validated and behaviour.csv_has_val_columns:  # a later epoch may be
                self.keys += ["val_" + name for name in self.keys]
        if self.writer is None:
            self.writer = csv.DictWriter(self.csv_file, ["epoch", *self.keys], delimiter=self.sep, lineterminator="\n")
            if self._header:
                self.writer.writeheader()
        self.writer.writerow({"epoch": epoch} | {key: _cell(logs.get(key, "NA")) for key in self.keys})
        self.csv_file.flush()

    def on_train_end(self, logs: dict | None = None) -> None:
        self._close()

    def on_exception(self, error: BaseException) -> None:
        self._close()

    def _close(self):
        if self.csv_file is not None:
            self.csv_file.close()
        self.csv_file = self.writer = None


def _cell(value):
    if isinstance(value, str) or np.ndim(value) == 0:
        return value
    return f"[{', '.join(map(str, value))}]" if isinstance(value, Iterable) else value


class LambdaCallback(Callback):
    """A callback made of functions.

    Args:
        on_epoch_begin: function of (epoch, logs), as for the end of an epoch.
        on_epoch_end: see above.
        on_train_begin: function of (logs), as for the end of training.
        on_train_end: see above.
        on_train_batch_begin: function of (batch, logs), as for the end of a batch.
        on_train_batch_end: see above.
        **kwargs: any other hook by its name.

    >>> LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch)).on_epoch_end(3, {})
    3
    """

    def __init__(
        self,
        on_epoch_begin: Callable | None = None,
        on_epoch_end: Callable | None = None,
        on_train_begin: Callable | None = None,
        on_train_end: Callable | None = None,
        on_train_batch_begin: Callable | None = None,
        on_train_batch_end: Callable | None = None,
        **kwargs,
    ):
        given = {name: value for name, value in locals().items() if name in HOOKS and value is not None} | kwargs
        for name, function in given.items():
            setattr(self, name, function)


class RemoteMonitor(Callback):
    """Sends the logs of each epoch to a server, as JSON in a POST request.

    >>> RemoteMonitor(path="/logs").root
    'http://localhost:9000'
    """

    root: str = fields.field(default="http://localhost:9000", doc="The server.")
    path: str = fields.field(default="/publish/epoch/end/", doc="The path there.")
    field: str = fields.field(default="data", doc="The field of the form that holds the JSON text.")
    headers: dict | None = fields.field(default=None, doc="Further HTTP headers.")
    send_as_json: bool = fields.field(default=False, doc="Whether the JSON text is sent as it is, without a form.")
    state_names = ()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        record = {"epoch": epoch} | {
            name: value.item() if isinstance(value, (np.ndarray, np.generic)) else value
            for name, value in (logs or {}).items()
        }
        text = json.dumps(record)
        kind = "application/json" if self.send_as_json else "application/x-www-form-urlencoded"
        body = text if self.send_as_json else urllib.parse.urlencode({self.field: text})
        headers = {"Content-Type": kind} | (self.headers or {})
        request = urllib.request.Request(self.root + self.path, body.encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=10):
                pass
        except (urllib.error.URLError, OSError):
            warnings.warn(f"Could not reach RemoteMonitor root server at {self.root}", stacklevel=2)
