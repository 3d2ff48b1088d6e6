"""The callback that makes a training survive the death of its process."""

import os
import types
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from ...core.checks import is_integer
from ...core.errors import CorruptFileError, InputDataError
from ...core.fields import field
from ...utils.state_file import read_state, write_state
from ..progress import Progress
from .base import Callback
from .callback_list import CallbackList

_FORMAT = 2
_finished = {}  # folder -> trainings that this process has finished with it


class BackupAndRestore(Callback):
    """Lets a training that was killed go on where it was: the same program, run again, ends with the same numbers.

    Kept are weights, the optimizer, metrics, the states of all callbacks (`Callback.get_state`), the History, the
    streams of random numbers of the library, NumPy and Python, and the place in the data. Arrays and what is asked
    for batches by number go on from there. A generator is read up to there; one that draws from NumPy's or Python's
    global generator, from which something else draws too while it runs, must be an object that tells its place itself
    by ``get_state()`` and ``set_state(state)``. A backup is replaced only by a complete one.

    Steps are computed one by one, so that numbers never depend on how many went together.

    Raises:
        ValueError: if there is no folder, or `save_freq` is neither ``"epoch"`` nor a number.

    >>> BackupAndRestore("backup", save_freq=100).save_freq
    100
    """

    backup_dir: str = field(
        doc="A folder for the trainings of one program. Of several trainings with the same folder, each has its own "
        "file."
    )
    save_freq: int | str = field(default="epoch", doc="``'epoch'``, or after how many batches a backup is made.")
    double_checkpoint: bool = field(default=False, doc="Accepted; a file that is replaced at once needs no second one.")
    delete_checkpoint: bool = field(default=True, doc="Whether the backup is deleted when training ends well.")
    save_before_preemption: bool = field(default=False, doc="Accepted.")
    runs_last = True  # what other callbacks do at the end of a batch or epoch is part of the backup
    exact = True

    def __post_init__(self):
        folder, save_freq = self.backup_dir, self.save_freq
        if not folder:
            raise ValueError(f"backup_dir: expected a folder. Received: backup_dir={folder!r}")
        if save_freq != "epoch" and not is_integer(save_freq):
            raise ValueError(f"save_freq: expected 'epoch' or a number of batches. Received: save_freq={save_freq!r}")
        self.backup_dir = Path(folder)
        self._folder = os.path.realpath(folder)

    @property
    def file(self) -> Any:
        """The file of this training's backup."""
        number = _finished.get(self._folder, 0) + 1
        return self.backup_dir / ("backup.npz" if number == 1 else f"backup-{number}.npz")

    def wants_batches(self, mode: str) -> bool:
        return mode == "train" and self.save_freq != "epoch"

    def saves_after(self, steps: int) -> bool:
        """Whether a backup is made after so many steps of the epoch."""
        return self.save_freq != "epoch" and (self.progress.total + steps - self.progress.step) % self.save_freq == 0

    # --- hooks

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.backup_dir.mkdir(parents=True, exist_ok=True)
        if self.progress is None:  # called by hand, without a `CallbackList`
            self.progress = Progress()
            self.progress.callbacks = CallbackList([])
        self._name_forgetful()
        if self.progress.variables is None:  # in a loop of the user's own; `fit` calls `resume` when all is built
            self.progress.variables = self._variables
            self.resume()

    def resume(self) -> Any:
        """Brings everything back to the backup, if there is one."""
        if self.file.exists():
            try:
                self._restore(read_state(self.file))
            except (CorruptFileError, InputDataError) as error:
                hint = f"Delete the file to start anew: {self.file}"
                raise type(error)(f"BackupAndRestore: {error} {hint}") from None

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        progress = self.progress
        if progress.step != batch + 1:  # a loop of the user's own
            progress.done(batch, dict(logs or {}))
        if self.saves_after(progress.step):
            self._save()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if self.progress.epoch <= epoch:  # a loop of the user's own
            self.progress.epoch = epoch
            self.progress.end_epoch()
        if self.save_freq == "epoch":
            self._save()

    def on_train_end(self, logs: dict | None = None) -> None:
        if self.delete_checkpoint:
            self.file.unlink(missing_ok=True)
            if not any(self.backup_dir.iterdir()):
                self.backup_dir.rmdir()
        _finished[self._folder] = _finished.get(self._folder, 0) + 1

    # --- the state

    def _variables(self, expected=0):
        optimizer = getattr(self.model, "optimizer", None)
        if hasattr(optimizer, "build") and not getattr(optimizer, "built", True):
            optimizer.build(self.model.trainable_variables)
        return list(dict.fromkeys([*self.model.variables, *(getattr(optimizer, "variables", None) or ())]))

    def _save(self):
        progress = self.progress
        variables = progress.variables()
        state = {
            "format": _FORMAT,
            "variables": [getattr(v, "path", "") for v in variables],
            "values": [np.asarray(v.raw) for v in variables],
            "progress": progress.get_state(),
            "callbacks": progress.callbacks.get_state(),
            "stop_training": bool(self.model.stop_training),
        }
        write_state(self.file, state)

    def _restore(self, state):
        if not isinstance(state, dict) or state.get("format") != _FORMAT:
            raise CorruptFileError("the backup was made by another version of this library.")
        names, values = state["variables"], state["values"]
        variables = self.progress.variables(len(values))
        self._check(variables, names, values)
        self.progress.set_state(state["progress"])
        for variable, value in zip(variables, values):
            variable.assign(value)
        self.progress.callbacks.set_state(state["callbacks"])
        if state["stop_training"]:
            self.model.stop_training = True
            self.progress.ended = self.progress.step == 0

    @staticmethod
    def _check(variables, names, values):
        """Complains about the first variable that differs."""

        def described(name, array):
            return f"{name} of shape {tuple(array.shape)} and type {array.dtype}"

        for variable, name, value in zip(variables, names, values):
            if (tuple(variable.shape), str(variable.dtype)) != (value.shape, str(value.dtype)):
                raise CorruptFileError(
                    f"the backup is of another model or optimizer. It holds {described(name, value)}, where there is "
                    f"{described(variable.path, variable)} now."
                )
        if len(variables) != len(values):
            longer, place = (names, "the backup") if len(values) > len(variables) else (variables, "the training now")
            extra = [getattr(v, "path", v) for v in longer[min(len(values), len(variables)) :]]
            raise CorruptFileError(
                f"the backup is of another model or optimizer: it holds {len(values)} variables, there are "
                f"{len(variables)} now. Only {place} has: {', '.join(extra[:5])}."
            )

    def _name_forgetful(self):
        """Warns of callbacks that may remember something and do not tell it."""
        known = {"model", "params", "progress", "validation_data", "_model", "_params"}
        forgetful = []
        for callback in self.progress.callbacks:
            names = {n for n, v in getattr(callback, "__dict__", {}).items() if not isinstance(v, types.FunctionType)}
            own = type(callback).__module__.split(".")[0] != "oneiros"
            if own and names - known and getattr(callback, "get_state", lambda: None)() is None:
                forgetful.append(type(callback).__name__)
        if forgetful:
            warnings.warn(
                f"BackupAndRestore: no state is known of {', '.join(dict.fromkeys(forgetful))}, so that it starts "
                "afresh if training is killed and goes on. Give it get_state() and set_state(state), or list its "
                "attributes in state_names; state_names = () says that there is nothing to keep."
            )
