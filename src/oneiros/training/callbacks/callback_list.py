"""The list through which the training loop speaks to all callbacks."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

from ...core import behaviour
from ...core.interrupts import allowed, held
from ..progress import Progress
from .base import HOOKS, MODES
from .report import History, ProgbarLogger


class CallbackList:
    """Calls the hooks of many callbacks. It has the hooks of `Callback` itself.

    Args:
        callbacks: a callback or a list of them.
        add_history: whether a `History` is added if there is none.
        add_progbar: whether a `ProgbarLogger` is added if there is none.
        model: the model that every callback gets.
        queue_length: accepted.
        **params: the parameters that every callback gets.

    >>> from oneiros.callbacks import LambdaCallback
    >>> callbacks = CallbackList([LambdaCallback(on_epoch_end=lambda epoch, logs: print(logs))])
    >>> callbacks.on_epoch_end(0, {"loss": 1.0})
    {'loss': 1.0}
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        queue_length: int = 10,
        **params,
    ):
        callbacks = [] if callbacks is None else callbacks
        self.callbacks = list(callbacks) if isinstance(callbacks, (list, tuple, CallbackList)) else [callbacks]
        if add_progbar and not any(isinstance(c, ProgbarLogger) for c in self.callbacks):
            # From tf.keras on, the bar comes after the callbacks, so that it shows what they add to the logs.
            self.callbacks.insert(0 if behaviour.classic_progress else len(self.callbacks), ProgbarLogger())
        if add_history and not any(isinstance(c, History) for c in self.callbacks):
            self.callbacks.append(History())
        self.set_progress(Progress())
        if params:
            self.set_params(params)
        if model is not None:
            self.set_model(model)

    def append(self, callback: Any) -> None:
        """Adds a callback at the end."""
        self.callbacks.append(callback)
        if hasattr(callback, "set_progress"):
            callback.set_progress(self.progress)

    def __iter__(self):
        return iter(self.callbacks)

    def __len__(self):
        return len(self.callbacks)

    def set_params(self, params: dict) -> None:
        """Gives all callbacks the parameters of the call."""
        self.params = params
        self._call("set_params", params)

    def set_validation_data(self, arrays: list | None) -> None:
        """Gives all callbacks the arrays of the validation."""
        for callback in self.callbacks:
            callback.validation_data = arrays

    def set_model(self, model: Any) -> None:
        """Gives all callbacks the model."""
        self.model = model
        self._call("set_model", model)
        for callback in self.callbacks:
            if isinstance(callback, History):
                model.history = callback

    # --- going on where another process was killed

    def set_progress(self, progress: Any) -> None:
        """Gives all callbacks the object that tells where the training is."""
        self.progress = progress
        progress.callbacks = self
        self._call("set_progress", progress)

    def resume(self) -> Any:
        """Called when training has begun and the model is built: a callback may bring all back to an earlier state."""
        self._call("resume")

    def resume_epoch(self, epoch: int) -> None:
        """Instead of `on_epoch_begin` for an epoch of which some steps are done: for callbacks without a state."""
        for callback in self.callbacks:
            if _state(callback) is None and hasattr(callback, "on_epoch_begin"):
                callback.on_epoch_begin(epoch, {})

    @property
    def exact(self) -> bool:
        """Whether a callback needs the same steps to give the same numbers to the last bit, whatever the timing."""
        return any(getattr(c, "exact", False) for c in self.callbacks)

    @property
    def saves_after(self) -> list:
        """Functions of a number of steps of the epoch: whether a callback must see the state as it is after them."""
        return [c.saves_after for c in self.callbacks if hasattr(c, "saves_after")]

    def get_state(self) -> Any:
        """The states of all callbacks that have one, each as ``[name of the class, state]``."""
        states = ([type(c).__name__, _state(c)] for c in self.callbacks)
        return [[name, state] for name, state in states if _tells(state)]

    def set_state(self, states: Any) -> None:
        """Gives callbacks back their states: those of a class in the order of the list."""
        left = list(states)
        for callback in self.callbacks:
            name = type(callback).__name__
            place = next((i for i, entry in enumerate(left) if entry[0] == name), None)
            if place is not None:
                callback.set_state(left.pop(place)[1])
            elif _tells(_state(callback)):
                warnings.warn(f"{name}: the backup was made without this callback, which starts afresh.")
        if left:
            names = ", ".join(name for name, _ in left)
            warnings.warn(f"The backup was made with callbacks that are not there now: {names}. Their state is lost.")

    # --- hooks

    @property
    def overrides_batch_hooks(self) -> dict:
        """``{"train": ..., "test": ..., "predict": ...}``: whether a callback must see every batch.

        Where none must, the loop may call the batch hooks once for many steps (the progress bar can take that).
        """
        return {mode: any(_wants_batches(c, mode) for c in self.callbacks) for mode in MODES}

    def on_exception(self, error: BaseException) -> None:
        """Tells every callback that the run ends by this exception; what they raise themselves becomes a warning."""
        for callback in self.callbacks:
            try:
                with held():
                    getattr(callback, "on_exception", lambda error: None)(error)
            except (Exception, KeyboardInterrupt) as another:
                warnings.warn(f"{type(callback).__name__}.on_exception raised {another!r} while handling {error!r}.")

    @contextlib.contextmanager
    def cleaning_up(self) -> Iterator:
        """Calls `on_exception` if the block raises (Ctrl-C included)."""
        try:
            yield self
        except BaseException as error:
            self.on_exception(error)
            raise

    def _call(self, hook, *args):
        with allowed():
            for callback in sorted(self.callbacks, key=lambda c: getattr(c, "runs_last", False)):
                method = getattr(callback, hook, None) or getattr(callback, hook.replace("_train_", "_"), None)
                if method is not None:
                    method(*args)


def _state(callback):
    return callback.get_state() if hasattr(callback, "get_state") else None


def _tells(state):
    return state is not None and not (isinstance(state, dict) and not state)


def _wants_batches(callback, mode):
    return callback.wants_batches(mode) if hasattr(callback, "wants_batches") else True


def _add_hook(name):
    indexed = "epoch" in name or "batch" in name
    target = name.replace("on_batch", "on_train_batch")

    def one(self, index, logs=None):
        self._call(target, index, {} if logs is None else logs)

    def none(self, logs=None):
        self._call(target, {} if logs is None else logs)

    hook = one if indexed else none
    hook.__name__ = name
    setattr(CallbackList, name, hook)


for _name in HOOKS:
    _add_hook(_name)
