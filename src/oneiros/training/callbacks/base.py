"""What a callback is, and the list through which the training loop speaks to all of them."""

import contextlib
import re
import warnings

import numpy as np

from ...core import behaviour
from ...core.interrupts import allowed, held
from ..progress import Progress

MODES = ("train", "test", "predict")
HOOKS = (
    *(f"on_{mode}_{when}" for mode in MODES for when in ("begin", "end")),
    *(f"on_{mode}_batch_{when}" for mode in MODES for when in ("begin", "end")),
    *(f"on_{what}_{when}" for what in ("epoch", "batch") for when in ("begin", "end")),
)


class Callback:
    """Base of what watches training: override the hooks you need.

    model: the model that is trained; ``model.stop_training = True`` ends training after the current batch or epoch.
    params: a dictionary with `epochs`, `steps`, `verbose`, ... of the call.
    progress: where the training is (`Progress`).
    `logs` are dictionaries from names of losses and metrics to numbers; epochs and batches count from 0.

    So that a training which was killed can go on exactly (`BackupAndRestore`), a callback that remembers something
    tells it by ``get_state()`` and takes it back by ``set_state(state)``; it is enough to list the attributes:

    >>> class Patience(Callback):
    ...     state_names = ("wait", "best")
    ...     def __init__(self):
    ...         self.wait, self.best = 0, float("inf")
    >>> Patience().get_state()
    {'wait': 0, 'best': inf}

    A state is made of numbers, texts, ``None`` and arrays, in lists, tuples and dictionaries. It is asked for when all
    callbacks have seen the end of a batch or epoch, and given back after `on_train_begin`; the begin of an epoch that
    had begun already is not told again to those that have one. ``state_names = ()``: there is nothing to remember.
    """

    model = None
    params = None
    validation_data = None
    progress = None
    state_names = None  # the attributes that make up the state; None: not known
    runs_last = False  # True: comes after the callbacks that may still change something
    expects_nan = False  # True: it deals with NaN, so `fit` warns of NaN in the data instead of refusing it

    def set_params(self, params):
        self.params = params

    def set_model(self, model):
        self.model = model

    def set_progress(self, progress):
        self.progress = progress

    def __getstate__(self):
        """What copies and pickles keep: a model keeps its History, which outlives the training it is of."""
        return {name: value for name, value in vars(self).items() if name != "progress"}

    def get_state(self):
        """What this callback remembers, as data; ``None`` if it does not say."""
        if self.state_names is None:
            return None
        return {name: getattr(self, name) for name in self.state_names}

    def set_state(self, state):
        """Takes back what `get_state` told."""
        vars(self).update(state)

    def on_epoch_begin(self, epoch, logs=None):
        """Training only."""

    def on_epoch_end(self, epoch, logs=None):
        """Training only; `logs` holds validation results too, named ``val_...``."""

    def on_batch_begin(self, batch, logs=None):
        """The older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch, logs=None):
        """The older name of `on_train_batch_end`."""

    def on_train_batch_begin(self, batch, logs=None):
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch, logs=None):
        """In `evaluate`, and in the validation inside `fit`."""

    def on_test_batch_end(self, batch, logs=None):
        """In `evaluate`, and in the validation inside `fit`."""

    def on_predict_batch_begin(self, batch, logs=None):
        """In `predict`."""

    def on_predict_batch_end(self, batch, logs=None):
        """In `predict`; ``logs["outputs"]`` are the batch's predictions."""

    def on_train_begin(self, logs=None):
        """Before the first epoch."""

    def on_train_end(self, logs=None):
        """After the last epoch."""

    def on_test_begin(self, logs=None):
        """Before an evaluation."""

    def on_test_end(self, logs=None):
        """After an evaluation."""

    def on_predict_begin(self, logs=None):
        """Before a prediction."""

    def on_predict_end(self, logs=None):
        """After a prediction."""

    def on_exception(self, error):
        """Training (or another run) ends by an exception instead of `on_train_end`: close what is open."""

    def wants_batches(self, mode):
        """Whether this callback must be called for each batch of 'train', 'test' or 'predict'."""
        hooks = [f"on_{mode}_batch_{when}" for when in ("begin", "end")]
        if mode == "train":
            hooks += ["on_batch_begin", "on_batch_end"]
        return any(hook in vars(self) or getattr(type(self), hook) is not getattr(Callback, hook) for hook in hooks)


class CallbackList:
    """Calls the hooks of many callbacks.

    callbacks: a callback or a list. add_history, add_progbar: add the usual two if they are not among them.
    model, params: what every callback gets.
    """

    def __init__(self, callbacks=None, add_history=False, add_progbar=False, model=None, queue_length=10, **params):
        from .report import History, ProgbarLogger

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

    def append(self, callback):
        self.callbacks.append(callback)
        if hasattr(callback, "set_progress"):
            callback.set_progress(self.progress)

    def __iter__(self):
        return iter(self.callbacks)

    def __len__(self):
        return len(self.callbacks)

    def set_params(self, params):
        self.params = params
        self._call("set_params", params)

    def set_model(self, model):
        self.model = model
        self._call("set_model", model)
        from .report import History

        for callback in self.callbacks:
            if isinstance(callback, History):
                model.history = callback

    # --- going on where another process was killed

    def set_progress(self, progress):
        """Gives all callbacks the object that tells where the training is."""
        self.progress = progress
        progress.callbacks = self
        self._call("set_progress", progress)

    def resume(self):
        """Called when training has begun and the model is built: a callback may bring all back to an earlier state."""
        self._call("resume")

    def resume_epoch(self, epoch):
        """Instead of `on_epoch_begin` for an epoch of which some steps are done: for callbacks without a state."""
        for callback in self.callbacks:
            if _state(callback) is None and hasattr(callback, "on_epoch_begin"):
                callback.on_epoch_begin(epoch, {})

    @property
    def exact(self):
        """Whether a callback needs the same steps to give the same numbers to the last bit, whatever the timing."""
        return any(getattr(c, "exact", False) for c in self.callbacks)

    @property
    def saves_after(self):
        """Functions of a number of steps of the epoch: whether a callback must see the state as it is after them."""
        return [c.saves_after for c in self.callbacks if hasattr(c, "saves_after")]

    def get_state(self):
        """The states of all callbacks that have one, each as ``[name of the class, state]``."""
        states = ([type(c).__name__, _state(c)] for c in self.callbacks)
        return [[name, state] for name, state in states if _tells(state)]

    def set_state(self, states):
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
    def overrides_batch_hooks(self):
        """``{"train": ..., "test": ..., "predict": ...}``: whether a callback must see every batch.

        Where none must, the loop may call the batch hooks once for many steps (the progress bar can take that).
        """
        return {mode: any(_wants_batches(c, mode) for c in self.callbacks) for mode in MODES}

    def on_exception(self, error):
        """Tells every callback that the run ends by this exception; what they raise themselves becomes a warning."""
        for callback in self.callbacks:
            try:
                with held():
                    getattr(callback, "on_exception", lambda error: None)(error)
            except (Exception, KeyboardInterrupt) as another:
                warnings.warn(f"{type(callback).__name__}.on_exception raised {another!r} while handling {error!r}.")

    @contextlib.contextmanager
    def cleaning_up(self):
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


# --- monitored values ---


def numbered(epoch):
    """How messages name an epoch: ``Epoch 3``, or ``Epoch 00003`` in Keras 1 and 2."""
    return f"Epoch {epoch + 1:0{behaviour.epoch_digits}d}"


def alias(name):
    """The other spelling of a name that ends in `acc` or `accuracy`; the name itself if it does not.

    >>> alias("val_acc"), alias("accuracy"), alias("loss")
    ('val_accuracy', 'acc', 'loss')
    """
    if re.search(r"(^|_)accuracy$", name):
        return name.removesuffix("uracy")
    return name + "uracy" if re.search(r"(^|_)acc$", name) else name


class Monitor(Callback):
    """Base of callbacks that watch one value of the logs.

    monitor: its name. mode: 'min', 'max', or 'auto': by the name. min_delta: smaller changes are no improvement.
    """

    # What grows when a model gets better. Older generations know the first three.
    GROWING = ("acc", "auc", "fmeasure", "precision", "recall", "f1_score", "fbeta_score", "iou", "r2_score")

    def __init__(self, monitor, mode="auto", min_delta=0):
        if mode not in ("auto", "min", "max"):
            warnings.warn(f"{type(self).__name__} mode {mode!r} is unknown, fallback to auto mode.", stacklevel=3)
            mode = "auto"
        if mode == "auto":
            growing = self.GROWING[: None if behaviour.auto_mode_knows_scores else 3]
            mode = "max" if any(word in monitor for word in growing) else "min"
        self.monitor = monitor
        self.mode = mode
        self.monitor_op = np.less if mode == "min" else np.greater
        self.min_delta = abs(min_delta) if mode == "max" else -abs(min_delta)
        self.best = self.worst = np.inf if mode == "min" else -np.inf

    def improves(self, value, best):
        """Whether `value` is better than `best` by more than min_delta; NaN never is."""
        return bool(self.monitor_op(value - self.min_delta, best))

    def monitored(self, logs, consequence):
        """The value in the logs, or ``None`` with a warning that says what there is instead."""
        logs = logs or {}
        for name in (self.monitor, alias(self.monitor)):
            if name in logs:
                return float(logs[name])
        warnings.warn(f"{consequence.format(self.monitor)} Available metrics are: {','.join(logs)}", stacklevel=4)
        return None
