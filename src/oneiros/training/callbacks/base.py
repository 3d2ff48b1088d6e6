"""What a callback is, and the base of those that watch one value."""

import re
import typing
import warnings

import numpy as np

from ...core import behaviour
from ...core.fields import declare, field

MODES = ("train", "test", "predict")
HOOKS = (
    *(f"on_{mode}_{when}" for mode in MODES for when in ("begin", "end")),
    *(f"on_{mode}_batch_{when}" for mode in MODES for when in ("begin", "end")),
    *(f"on_{what}_{when}" for what in ("epoch", "batch") for when in ("begin", "end")),
)


@typing.dataclass_transform(field_specifiers=(field,))
class Callback:
    """Base of what watches training: override the hooks you need.

    `logs` are dictionaries from names of losses and metrics to numbers; epochs and batches count from 0. Arguments may
    be declared as fields, as those of layers; an `__init__` of your own is as welcome, and need not call this class's.

    Attributes:
        model: the model that is trained. ``model.stop_training = True`` ends training after the current batch or epoch.
        params: a dictionary with `epochs`, `steps`, `verbose`, ... of the call.
        progress: where the training is (`Progress`).
        state_names: the names of the attributes that make up the state, if that is known.
        runs_last: whether this comes after the callbacks that may still change something.
        exact: whether the same steps must give the same numbers to the last bit, whatever the timing. Then steps are
            computed one by one.
        expects_nan: whether this deals with NaN. Then `fit` warns of NaN in the data instead of refusing it.

    So that a training which was killed can go on exactly (`BackupAndRestore`), a callback that remembers something
    tells it by ``get_state()`` and takes it back by ``set_state(state)``; it is enough to list the attributes:

    >>> class Patience(Callback):
    ...     limit: int = 3
    ...     state_names = ("wait", "best")
    ...     def __post_init__(self):
    ...         self.wait, self.best = 0, float("inf")
    >>> Patience(limit=5).get_state()
    {'wait': 0, 'best': inf}

    A state is made of numbers, texts, ``None`` and arrays, in lists, tuples and dictionaries. It is asked for when all
    callbacks have seen the end of a batch or epoch, and given back after `on_train_begin`; the begin of an epoch that
    had begun already is not told again to those that have one. ``state_names = ()``: there is nothing to remember.
    """

    model = None
    params = None
    validation_data = None
    progress = None
    state_names = None
    runs_last = False
    exact = False
    expects_nan = False
    ignored_arguments = {}  # arguments of other versions of Keras, with the one value that changes nothing

    def __init_subclass__(cls, **kwargs) -> None:
        super().__init_subclass__(**kwargs)
        declare(cls)

    def __post_init__(self):
        """Called when the declared fields are set."""

    def set_params(self, params: dict) -> None:
        """Called before training: `params` describe the call."""
        self.params = params

    def set_model(self, model: typing.Any) -> None:
        """Called before training: `model` is what is trained."""
        self.model = model

    def set_progress(self, progress: typing.Any) -> None:
        """Called before training: `progress` tells where it is."""
        self.progress = progress

    def __getstate__(self):
        """What copies and pickles keep: a model keeps its History, which outlives the training it is of."""
        return {name: value for name, value in vars(self).items() if name != "progress"}

    def get_state(self) -> dict | None:
        """What this callback remembers, as data; ``None`` if it does not say."""
        if self.state_names is None:
            return None
        return {name: getattr(self, name) for name in self.state_names}

    def set_state(self, state: dict) -> None:
        """Takes back what `get_state` told."""
        vars(self).update(state)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Training only."""

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Training only; `logs` holds validation results too, named ``val_...``."""

    def on_batch_begin(self, batch: typing.Any, logs: dict | None = None) -> None:
        """The older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: typing.Any, logs: dict | None = None) -> None:
        """The older name of `on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Before a training step."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """After a training step."""
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """In `evaluate`, and in the validation inside `fit`."""

    def on_test_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """In `evaluate`, and in the validation inside `fit`."""

    def on_predict_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """In `predict`."""

    def on_predict_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """In `predict`; ``logs["outputs"]`` are the batch's predictions."""

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: dict | None = None) -> None:
        """After the last epoch."""

    def on_test_begin(self, logs: dict | None = None) -> None:
        """Before an evaluation."""

    def on_test_end(self, logs: dict | None = None) -> None:
        """After an evaluation."""

    def on_predict_begin(self, logs: dict | None = None) -> None:
        """Before a prediction."""

    def on_predict_end(self, logs: dict | None = None) -> None:
        """After a prediction."""

    def on_exception(self, error: BaseException) -> None:
        """Training (or another run) ends by an exception instead of `on_train_end`: close what is open."""

    def wants_batches(self, mode: str) -> bool:
        """Whether this callback must be called for each batch of 'train', 'test' or 'predict'."""
        hooks = [f"on_{mode}_batch_{when}" for when in ("begin", "end")]
        if mode == "train":
            hooks += ["on_batch_begin", "on_batch_end"]
        return any(hook in vars(self) or getattr(type(self), hook) is not getattr(Callback, hook) for hook in hooks)


def numbered(epoch: int) -> str:
    """How messages name an epoch: ``Epoch 3``, or ``Epoch 00003`` in Keras 1 and 2."""
    return f"Epoch {epoch + 1:0{behaviour.epoch_digits}d}"


def alias(name: str) -> str:
    """The other spelling of a name that ends in `acc` or `accuracy`; the name itself if it does not.

    >>> alias("val_acc"), alias("accuracy"), alias("loss")
    ('val_accuracy', 'acc', 'loss')
    """
    if re.search(r"(^|_)accuracy$", name):
        return name.removesuffix("uracy")
    return name + "uracy" if re.search(r"(^|_)acc$", name) else name


class Monitor(Callback):
    """Base of callbacks that watch one value of the logs.

    Attributes:
        monitor_op: the comparison that says which of two values is better.
        min_delta: smaller changes are no improvement.
        best: the best value until now.
        worst: the value that every other one improves.

    >>> Monitor("val_auc").mode
    'max'
    """

    monitor: str = field(default="val_loss", doc="Name of the value in the logs.")
    mode: str = field(default="auto", doc="``'min'``, ``'max'``, or ``'auto'``: told by the name.")
    min_delta = 0

    # What grows when a model gets better. Older generations know the first three.
    GROWING = ("acc", "auc", "fmeasure", "precision", "recall", "f1_score", "fbeta_score", "iou", "r2_score")

    def __post_init__(self):
        if self.mode not in ("auto", "min", "max"):
            warnings.warn(f"{type(self).__name__} mode {self.mode!r} is unknown, fallback to auto mode.", stacklevel=5)
            self.mode = "auto"
        if self.mode == "auto":
            growing = self.GROWING[: None if behaviour.auto_mode_knows_scores else 3]
            self.mode = "max" if any(word in self.monitor for word in growing) else "min"
        self.monitor_op = np.less if self.mode == "min" else np.greater
        self.min_delta = abs(self.min_delta) if self.mode == "max" else -abs(self.min_delta)
        self.best = self.worst = np.inf if self.mode == "min" else -np.inf

    def improves(self, value: float, best: float) -> bool:
        """Whether `value` is better than `best` by more than min_delta; NaN never is."""
        return bool(self.monitor_op(value - self.min_delta, best))

    def monitored(self, logs: dict, consequence: str) -> float | None:
        """The value in the logs, or ``None`` with a warning that says what there is instead.

        Args:
            logs: the logs of an epoch or batch.
            consequence: the beginning of the warning, with ``{}`` for the name of the value.
        """
        logs = logs or {}
        for name in (self.monitor, alias(self.monitor)):
            if name in logs:
                return float(logs[name])
        warnings.warn(f"{consequence.format(self.monitor)} Available metrics are: {','.join(logs)}", stacklevel=4)
        return None
