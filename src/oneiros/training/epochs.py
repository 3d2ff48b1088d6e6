"""The epochs of a training, and the validation inside them."""

from collections.abc import Callable
from typing import Any

from .autopsy import explainer
from .callbacks import CallbackList
from .data import BatchData, warn_exhausted
from .loop import Loop, last_number
from .steps import steps_of


class BatchHooks:
    """The callbacks' batch hooks of one phase, as the loop calls them.

    Args:
        callbacks: a `CallbackList`.
        phase: ``"train"`` or ``"test"``.
        model: the model, which a callback may stop.
    """

    def __init__(self, callbacks: CallbackList, phase: str, model: Any):
        self.begin = getattr(callbacks, f"on_{phase}_batch_begin")
        self.end = getattr(callbacks, f"on_{phase}_batch_end")
        self.model, self.phase, self.exact = model, phase, callbacks.exact
        self.saves_after = callbacks.saves_after if phase == "train" else []

    def stop(self) -> bool:
        """Whether a callback has stopped the training or the evaluation."""
        return self.model.stop_training if self.phase == "train" else self.model.stop_evaluating

    def due(self, steps: int) -> bool:
        """Whether a callback must see the state as it is after so many steps of the epoch."""
        return any(saves(steps) for saves in self.saves_after)

    def close(self) -> None:
        """Tells what is left to tell when the epoch's steps are done."""


class ExecutionHooks(BatchHooks):
    """The batch hooks where `compile` was given `steps_per_execution`: they see the steps in groups of that many.

    Each group begins with its first step, and ends with the number and the logs of its last. Only then can a callback
    stop the training. The last group of an epoch may be shorter; in Keras 3 its number is that of a full one.
    """

    def __init__(self, callbacks: CallbackList, phase: str, model: Any):
        super().__init__(callbacks, phase, model)
        self.most, self.open = model.steps_per_execution, None
        self.told = self.begin, self.end
        self.begin, self.end = self._begin, self._end

    def _begin(self, step):
        if self.open is None:
            self.told[0](step)

    def _end(self, step, logs):
        self.open = (step, logs)
        if (step + 1) % self.most == 0:
            self.close()

    def close(self) -> None:
        if self.open is not None:
            last, self.open = self.open, None
            self.told[1](last_number(last[0], self.most), last[1])

    def stop(self) -> bool:
        return self.open is None and super().stop()


class Epochs:
    """The epochs of one call of `fit`.

    Args:
        model: the compiled model.
        data: the training data, `ArrayData` or `BatchData`.
        validation: the validation data, or ``None``.
        validation_freq: every how many epochs there is a validation, or the numbers of these epochs, from 1.
        callbacks: a `CallbackList` whose progress is that of this training.
        prepare: function that builds what the first batch has to build.
    """

    def __init__(
        self, model: Any, data: Any, validation: Any, validation_freq: Any, callbacks: CallbackList, prepare: Callable
    ):
        self.model, self.data, self.prepare = model, data, prepare
        self.validation, self.validation_freq = validation, validation_freq
        self.callbacks, self.progress = callbacks, callbacks.progress

    def run(self, epochs: range) -> None:
        """Trains for these epochs, or those of them that are left."""
        model, callbacks, progress = self.model, self.callbacks, self.progress
        with callbacks.cleaning_up():
            callbacks.on_train_begin()
            callbacks.resume()
            logs = {}
            for epoch in progress.epochs(epochs.start, epochs.stop):
                self._begin(epoch)
                logs = self._train() | self._validate(epoch)
                progress.end_epoch()
                callbacks.on_epoch_end(epoch, logs)
                if model.stop_training:
                    break
            model.optimizer.finalize_variable_values(steps_of(model).trained_variables())
            callbacks.on_train_end(logs)
            for watcher in progress.watchers:
                watcher(model, progress)

    def _begin(self, epoch):
        if self.progress.step:
            self.callbacks.resume_epoch(epoch)
        else:
            self.callbacks.on_epoch_begin(epoch)
            self.model.reset_metrics()
            self.progress.begin_epoch()
        self.prepare()  # the first batch is asked for when callbacks have set up what it comes from

    def _train(self):
        model, data, progress = self.model, self.data, self.progress
        loop = _loop(model, "train", data, self.callbacks, progress)
        logs, steps = loop.run(None if progress.rows is None else progress.rows.from_step(progress.step))
        ends = isinstance(data, BatchData) or progress.rows.passes is not None
        if ends and data.steps and steps < data.steps and not model.stop_training:
            warn_exhausted(steps, data.steps)
            model.stop_training = True
        return logs

    def _validate(self, epoch):
        frequency = self.validation_freq
        due = (epoch + 1) % frequency == 0 if isinstance(frequency, int) else epoch + 1 in frequency
        if self.validation is None or not due:
            return {}
        logs = evaluate_epoch(self.model, self.validation, self.callbacks)
        return {f"val_{name}": value for name, value in logs.items()}


def evaluate_epoch(model: Any, data: Any, callbacks: CallbackList, prepare: Callable = lambda: None) -> dict:
    """The logs of one pass over data.

    Args:
        model: the compiled model.
        data: `ArrayData` or `BatchData`.
        callbacks: a `CallbackList`.
        prepare: function that is called between the callbacks' start and the first batch.
    """
    model.reset_metrics()
    model.stop_evaluating = False
    callbacks.on_test_begin()
    prepare()
    logs, _ = _loop(model, "test", data, callbacks).run()
    callbacks.on_test_end(logs)
    return logs


def _loop(model, phase, data, callbacks, progress=None):
    steps = steps_of(model).train if phase == "train" else steps_of(model).test
    single = callbacks.overrides_batch_hooks[phase]
    hooks = (ExecutionHooks if single and model.steps_per_execution > 1 else BatchHooks)(callbacks, phase, model)
    loop = Loop(steps, data, hooks, single, progress, explainer(model, phase))
    callbacks.progress.running_logs = loop.means is None
    return loop
