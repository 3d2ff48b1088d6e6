"""Callbacks that write the model to disk while it trains."""

import os
import warnings

import numpy as np

from ...core import behaviour
from ..checks import all_finite
from .base import Monitor, alias, numbered


class ModelCheckpoint(Monitor):
    """Saves the model, or its weights, at the end of epochs.

    filepath: may hold ``{epoch}``, ``{batch}`` and names of the logs: ``"weights.{epoch:02d}-{val_loss:.2f}.h5"``.
    save_best_only: only where the monitored value improved (NaN never does). save_freq: 'epoch', or a number of
    batches. period: a number of epochs (Keras 2). initial_value_threshold: the value to beat at the start.
    save_non_finite: whether weights, or a monitored value, that are NaN or infinite may be saved; otherwise the file
    stays as it is and a warning says so.
    """

    state_names = ("best", "epochs_since_last_save", "_epoch", "_batches", "_last_batch")

    def __init__(
        self,
        filepath,
        monitor="val_loss",
        verbose=0,
        save_best_only=False,
        save_weights_only=False,
        mode="auto",
        save_freq="epoch",
        initial_value_threshold=None,
        period=1,
        options=None,
        save_non_finite=False,
    ):
        super().__init__(monitor, mode)
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ValueError(f"save_freq: expected 'epoch' or a number of batches. Received: save_freq={save_freq!r}")
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self.save_non_finite = save_non_finite
        self.period = period
        self.epochs_since_last_save = 0
        if initial_value_threshold is not None:
            self.best = initial_value_threshold
        self._epoch = self._batches = self._last_batch = 0

    def wants_batches(self, mode):
        return mode == "train" and self.save_freq != "epoch"

    def on_train_begin(self, logs=None):
        self._batches = self._last_batch = 0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch, self._last_batch = epoch, 0

    def on_train_batch_end(self, batch, logs=None):
        if self.save_freq == "epoch":
            return
        self._batches += batch + 1 - self._last_batch
        self._last_batch = batch + 1
        if self._batches >= self.save_freq:
            self._batches = 0
            self._save(self._epoch, logs, batch)

    def on_epoch_end(self, epoch, logs=None):
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
            current = self.monitored(logs, "Can save best model only with {} available, skipping.")
            if current is None:
                return
            if not self.improves(current, self.best):
                self._say(epoch, f"{self.monitor} did not improve from {self.best:.5f}")
                return
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
