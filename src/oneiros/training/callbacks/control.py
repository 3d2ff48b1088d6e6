"""Callbacks that steer training: stop it, change its rate, swap its weights."""

import inspect
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ...core import behaviour
from ...core.fields import field
from .base import Callback, Monitor, numbered


def optimizers_of(optimizer: Any) -> list[Any]:
    """The optimizers with learning rates and averages of their own: those of a `MultiOptimizer`, or this one."""
    inner = getattr(optimizer, "inner_optimizer", None) or optimizer
    return getattr(inner, "optimizers", None) or [inner]


def rates_for_logs(optimizer: Any) -> dict[str, float]:
    """What logs say of the learning rate: one number, or one for each optimizer of a `MultiOptimizer`."""
    all_of_them, name = optimizers_of(optimizer), behaviour.lr_log_name
    if len(all_of_them) == 1:
        return {name: learning_rate(all_of_them[0])}
    rates = {}
    for one in all_of_them:
        key, number = f"{name}_{one.name}", 1
        while key in rates:
            key, number = f"{name}_{one.name}_{number}", number + 1
        rates[key] = learning_rate(one)
    return rates


def learning_rate(optimizer: Any) -> float:
    """The optimizer's learning rate, as a float."""
    return float(getattr(optimizer, _rate_attribute(optimizer)))


def set_learning_rate(optimizer: Any, value: float) -> None:
    """Sets the optimizer's learning rate. That of a schedule cannot be set: an error, or in tf.keras a warning."""
    name = _rate_attribute(optimizer)
    rate = getattr(optimizer, name)
    if hasattr(rate, "assign"):
        rate.assign(value)
        return
    try:
        setattr(optimizer, name, value)
    except TypeError as error:
        if not behaviour.scheduled_rate_stays:
            raise
        warnings.warn(f"The learning rate stays as the schedule gives it, as in tf.keras. {error}")


def _rate_attribute(optimizer):
    for name in ("learning_rate", "lr"):
        if hasattr(optimizer, name):
            return name
    raise ValueError(f'Optimizer must have a "learning_rate" attribute. Received: {optimizer!r}')


class EarlyStopping(Monitor):
    """Stops training when the monitored value has not improved for `patience` epochs.

    >>> EarlyStopping("val_accuracy", patience=3).mode
    'max'
    """

    min_delta: float = field(default=0, doc="The least change that counts.", after="monitor")
    patience: int = field(default=0, doc="Number of epochs without improvement.", after="min_delta")
    verbose: int = field(default=0, doc="Whether a stop is told.", after="patience")
    baseline: float | None = field(default=None, doc="A value that must be beaten.")
    restore_best_weights: bool = field(default=False, doc="Whether the model gets the weights of its best epoch back.")
    start_from_epoch: int = field(default=0, doc="Epochs before this one are not looked at.")

    state_names = ("wait", "best", "best_epoch", "best_weights", "stopped_epoch")

    def __post_init__(self):
        super().__post_init__()
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best_weights = None

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best, self.best_weights = self.worst, None

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        current = self.monitored(logs, "Early stopping conditioned on metric `{}` which is not available.")
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self.improves(current, self.best):
            self.best, self.best_epoch = current, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.improves(current, self.baseline):
                self.wait = 0
                return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: dict | None = None) -> None:
        if self.stopped_epoch > 0 and self.verbose > 0:
            print(f"{numbered(self.stopped_epoch)}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of each epoch to ``schedule(epoch, rate)`` or ``schedule(epoch)``.

    >>> LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1)).schedule(1)
    0.05
    """

    schedule: Callable = field(doc="Function that returns a float.")
    verbose: int = field(default=0, doc="Whether the rate is told.")
    state_names = ()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        for optimizer in optimizers_of(self.model.optimizer):
            rate = self.schedule(*(epoch, learning_rate(optimizer))[: 2 if _takes_two(self.schedule) else 1])
            if np.ndim(rate) or not np.issubdtype(np.asarray(rate).dtype, np.floating):
                raise ValueError(f"The output of the `schedule` function should be a float. Got: {rate!r}")
            set_learning_rate(optimizer, float(rate))
            if self.verbose > 0:
                print(f"\n{numbered(epoch)}: LearningRateScheduler setting learning rate to {float(rate)}.")

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if logs is not None:
            logs.update(rates_for_logs(self.model.optimizer))


def _takes_two(schedule):
    try:
        inspect.signature(schedule).bind(0, 0.0)
    except (TypeError, ValueError):
        return False
    return True


class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate by `factor` when the monitored value has not improved for `patience` epochs.

    Raises:
        ValueError: if the factor is not below 1.

    >>> ReduceLROnPlateau(factor=0.5).patience
    10
    """

    factor: float = field(default=0.1, doc="What the rate is multiplied by.", after="monitor")
    patience: int = field(default=10, doc="Number of epochs without improvement.", after="factor")
    verbose: int = field(default=0, doc="Whether a reduction is told.", after="patience")
    min_delta: float = field(default=1e-4, doc="The least change that counts.")
    cooldown: int = field(default=0, doc="Number of epochs of rest after a reduction.")
    min_lr: float = field(default=0.0, doc="The rate gets no lower than this.")
    _epsilon: float | None = field(default=None, alias="epsilon", doc="The name of `min_delta` in Keras 2.")
    _min_learning_rate: float | None = field(default=None, alias="min_learning_rate", doc="Another name of `min_lr`.")
    state_names = ("wait", "best", "cooldown_counter")

    def __post_init__(self):
        if self._epsilon is not None:
            self.min_delta = self._epsilon
        super().__post_init__()
        if self.factor >= 1.0:
            raise ValueError(
                f"ReduceLROnPlateau does not support a factor >= 1.0: the rate would not get smaller. Got {self.factor}"
            )
        if self._min_learning_rate is not None:
            self.min_lr = self._min_learning_rate
        self.wait = self.cooldown_counter = 0

    epsilon = property(lambda self: abs(self.min_delta))

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.wait = self.cooldown_counter = 0
        self.best = self.worst

    def in_cooldown(self) -> bool:
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        current = self.monitored(logs, "Learning rate reduction is conditioned on metric `{}` which is not available.")
        if logs is not None:
            logs.update(rates_for_logs(self.model.optimizer))
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improves(current, self.best):
            self.best, self.wait = current, 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                for optimizer in optimizers_of(self.model.optimizer):
                    rate = learning_rate(optimizer)
                    if rate > np.float32(self.min_lr):
                        self._reduce(optimizer, max(rate * self.factor, self.min_lr), epoch)

    def _reduce(self, optimizer, rate, epoch):
        set_learning_rate(optimizer, rate)
        if self.verbose > 0:
            print(f"\n{numbered(epoch)}: ReduceLROnPlateau reducing learning rate to {rate}.")
        self.cooldown_counter = self.cooldown
        self.wait = 0


class TerminateOnNaN(Callback):
    """Stops training when the loss of a batch is not finite.

    With it, `fit` warns of NaN in the data instead of refusing it, so that the loss of that batch ends training.

    >>> TerminateOnNaN(raise_error=True).raise_error
    True
    """

    raise_error: bool = field(default=False, doc="Whether it is stopped by a `RuntimeError`.")
    expects_nan = True
    state_names = ()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"NaN or Inf loss encountered at batch {batch}.")
        print(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True


class SwapEMAWeights(Callback):
    """Evaluates with the optimizer's moving averages of the weights (``use_ema=True``) in the place of the weights.

    After training the model keeps the averages.

    >>> SwapEMAWeights(swap_on_epoch=True).swap_on_epoch
    True
    """

    swap_on_epoch: bool = field(default=False, doc="Whether checkpoints made at the end of an epoch hold the averages.")
    state_names = ("_swapped",)

    def __post_init__(self):
        self._swapped = False

    def _averages(self):
        pairs = [pair for o in optimizers_of(self.model.optimizer) for pair in getattr(o, "averages", ())]
        if not pairs:
            raise ValueError("SwapEMAWeights must be used when `use_ema=True` is set on the optimizer.")
        return pairs

    def _swap(self, swapped):
        if self._swapped is swapped:
            return
        for variable, average in self._averages():
            value = variable.value
            variable.assign(average)
            average.assign(value)
        self._swapped = swapped

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._swap(False)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if self.swap_on_epoch:
            self._swap(True)

    def on_test_begin(self, logs: dict | None = None) -> None:
        self._swap(True)

    on_predict_begin = on_test_begin

    def on_test_end(self, logs: dict | None = None) -> None:
        self._swap(False)

    on_predict_end = on_test_end

    def on_train_end(self, logs: dict | None = None) -> None:
        self._swap(False)
        for variable, average in self._averages():
            variable.assign(average)

    def on_exception(self, error: BaseException) -> None:
        self._swap(False)
