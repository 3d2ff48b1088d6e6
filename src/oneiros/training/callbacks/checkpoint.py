"""Callbacks that write the model to disk while it trains."""

import os
import typing
import warnings

import numpy as np

from ...core import behaviour
from ...core.fields import field
from ..checks import all_finite
from .base import Monitor, alias, numbered


class ModelCheckpoint(Monitor):
    """Saves the model, or its weights, at the end of epochs.

    Raises:
        ValueError: if `save_freq` is neither ``"epoch"`` nor a number.

    >>> ModelCheckpoint("weights.{epoch:02d}-{val_loss:.2f}.h5", save_best_only=True).mode
    'min'
    """

    filepath: str = field(first=True, doc="The file. It may hold ``{epoch}``, ``{batch}`` and names of the logs.")
    verbose: int = field(default=0, after="monitor", doc="Whether it is told what is saved.")
    save_best_only: bool = field(
        default=False, after="verbose", doc="Whether only models with an improved value are saved. NaN is none."
    )
    save_weights_only: bool = field(default=False, after="save_best_only", doc="Whether only weights are saved.")
    save_freq: int | str = field(default="epoch", doc="``'epoch'``, or a number of batches.")
    initial_value_threshold: float | None = field(default=None, doc="The value to beat at the start.")
    period: int = field(default=1, doc="Number of epochs between two saves.")
    options: typing.Any = field(default=None, doc="Accepted.")
    save_non_finite: bool = field(
        default=False,
        doc="Whether weights, or a monitored value, that are NaN or infinite may be saved. Otherwise the file stays as "
        "it is and a warning says so.",
    )
    state_names = ("best", "epochs_since_last_save", "_epoch", "_batches", "_last_batch")

    def __post_init__(self):
        super().__post_init__()
        if self.save_freq != "epoch" and not isinstance(self.save_freq, int):
            raise ValueError(
                f"save_freq: expected 'epoch' or a number of batches. Received: save_freq={self.save_freq!r}"
            )
        self.filepath = os.fspath(self.filepath)
        self.epochs_since_last_save = 0
        if self.initial_value_threshold is not None:
            self.best = self.initial_value_threshold
        self._epoch = self._batches = self._last_batch = 0

    def wants_batches(self, mode: str) -> bool:
        return mode == "train" and self.save_freq != "epoch"

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._batches = self._last_batch = 0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._epoch, self._last_batch = epoch, 0

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if self.save_freq == "epoch":
            return
        self._batches += batch + 1 - self._last_batch
        self._last_batch = batch + 1
        if self._batches >= self.save_freq:
            self._batches = 0
            self._save(self._epoch, logs, batch)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.epochs_since_last_save += 1
        if self.save_freq == "epoch" and self.epochs_since_last_save >= self.period:
            self.epochs_since_last_save = 0
            self._save(epoch, logs)

    def _save(self, epoch, logs, batch=None):
        filepath = self._path(epoch, batch, logs or {})
        if not self.save_non_finite and (found := self._not_finite(logs or {})):
            warnings.warn(
                f"{numbered(epoch)}: {found}, so nothing is saved to {filepath}: a file that is there is kept. To save "
                "such models too: ModelCheckpoint(..., save_non_finite=True).",
                stacklevel=2,
            )
            return
        if self.save_best_only:
            what = "saving all the same" if behaviour.unmonitored_is_saved else "skipping"
            current = self.monitored(logs, f"Can save best model only with {{}} available, {what}.")
            if current is None and not behaviour.unmonitored_is_saved:
                return
            if current is None:
                current = self.best
            elif not self.improves(current, self.best):
                self._say(epoch, f"{self.monitor} did not improve from {self.best:.5f}")
                return
            else:
                self._say(
                    epoch, f"{self.monitor} improved from {self.best:.5f} to {current:.5f}, saving model to {filepath}"
                )
        else:
            current = self.best
            self._say(epoch, f"saving model to {filepath}")
        if folder := os.path.dirname(filepath):
            os.makedirs(folder, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(filepath, overwrite=True)
        else:
            self.model.save(filepath, overwrite=True)
        self.best = current  # only now: a failed save is not the best

    def _not_finite(self, logs):
        """What is NaN or infinite: the monitored value, or a weight; ``None`` if neither is."""
        value = logs.get(self.monitor, logs.get(alias(self.monitor), 0))
        if np.ndim(value) == 0 and not np.isfinite(value):
            return f"{self.monitor} is {value}"
        return next((f"weight {v.path} is not finite" for v in self.model.weights if not all_finite(v.raw)), None)

    def _say(self, epoch, message):
        if self.verbose > 0:
            print(f"\n{numbered(epoch)}: {message}")

    def _path(self, epoch, batch, logs):
        names = _Names(logs | {"epoch": epoch + behaviour.file_epochs_from})
        if batch is not None:
            names["batch"] = batch + 1
        try:
            return self.filepath.format_map(names)
        except KeyError as error:
            raise KeyError(
                f'Failed to format this callback filepath: "{self.filepath}". Reason: {error} is none of '
                f"{', '.join(names)}."
            ) from None


class _Names(dict):
    def __missing__(self, name):
        if alias(name) in self:
            return self[alias(name)]
        raise KeyError(name)
