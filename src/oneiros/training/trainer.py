"""What makes a model trainable: compile, fit, evaluate, predict, and the steps that users may write themselves."""

import functools
import typing
from collections.abc import Callable

import jax

from .. import optimizers
from ..core import Symbol, value_and_grad
from ..core.interrupts import guarded
from ..core.structure import Places, leaves
from ..core.symbol import infer, resolved
from . import arguments, running
from .compile import Objectives
from .data import unpack
from .state import TrainingState, in_training_state
from .stateless import StatelessTraining, with_state
from .steps import overrides, steps_of, training_flag


@in_training_state
class Trainer(StatelessTraining):
    """The training methods of models. State is in variables, so every step is one compiled function of batches.

    >>> import numpy as np
    >>> from oneiros import Input, Sequential, layers
    >>> model = Sequential([Input((2,)), layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> history = model.fit(np.zeros((8, 2)), np.zeros((8, 1)), epochs=2, verbose=0)
    >>> history.history
    {'loss': [0.0, 0.0]}
    """

    def _init_training(self):
        return TrainingState()

    @functools.cached_property
    def training_state(self) -> TrainingState:
        """What training keeps. Made at first use: a subclass may set `stop_training` before ``super().__init__()``."""
        return self._init_training()

    def compile(
        self,
        optimizer: typing.Any = "rmsprop",
        loss: typing.Any = None,
        loss_weights: typing.Any = None,
        metrics: typing.Any = None,
        weighted_metrics: typing.Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
        sample_weight_mode: typing.Any = None,
        target_tensors: typing.Any = None,
    ) -> None:
        """Says how to train. Trainable weights are noted: after changing a layer's `trainable`, compile again.

        Args:
            optimizer: a name, an object, or an Optax transformation.
            loss: a name, a function of (y_true, y_pred) or an object; for several outputs a list, or a dictionary by
                the outputs' names, as for the next three.
            loss_weights: the factor of each output's loss in their sum.
            metrics: what is reported besides the loss, without the sample weights.
            weighted_metrics: likewise, with the sample weights.
            run_eagerly: whether each step runs in Python, operation by operation: for prints and breakpoints.
            steps_per_execution: how many steps the batch hooks of callbacks see as one. Without such callbacks short
                steps are dispatched many at a time anyway.
            jit_compile: accepted; unless `run_eagerly` is set, steps are compiled.
            auto_scale_loss: whether the loss is scaled where the model computes in float16.
            sample_weight_mode: accepted; the weights' shape says it.
            target_tensors: variables or symbols to take as targets, as in Keras 2; `fit` is then given none.
        """
        switches = {"run_eagerly": run_eagerly, "jit_compile": jit_compile, "auto_scale_loss": auto_scale_loss}
        arguments.check_compile(loss, metrics, weighted_metrics, sample_weight_mode, steps_per_execution, **switches)
        self.optimizer = optimizers.get(optimizer)
        if auto_scale_loss and self.dtype_policy.name == "mixed_float16":
            self.optimizer = optimizers.LossScaleOptimizer(self.optimizer)
        self.loss, self.loss_weights, self.sample_weight_mode = loss, loss_weights, sample_weight_mode
        self.steps_per_execution, self.run_eagerly = steps_per_execution, run_eagerly
        self.jit_compile = not run_eagerly if jit_compile == "auto" else jit_compile
        state = self.training_state
        state.objectives = Objectives(loss, loss_weights, metrics, weighted_metrics, target_tensors, sample_weight_mode)
        state.compile_arguments = {
            "loss": loss,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "loss_weights": loss_weights,
            "sample_weight_mode": sample_weight_mode,
        }
        state.steps = state.feeds = None
        state.added_metrics = {}
        if self.outputs is not None:
            state.objectives.place(self.output_places)  # complains about wrong names and lengths now
            steps_of(self).trained_variables()

    @property
    def compiled(self) -> bool:
        """Whether `compile` has been called."""
        return self.training_state.objectives is not None

    @property
    def metrics(self) -> list:
        """The metric objects: means of the losses, those that compile was given, those in attributes of layers."""
        objectives = self.training_state.objectives
        return [*(objectives.trackers if objectives else ()), *steps_of(self).held_metrics]

    @property
    def metrics_names(self) -> list[str]:
        """The names of the logs, in the order in which `evaluate` returns their values."""
        objectives = self.training_state.objectives
        if objectives is None:
            return []
        if not objectives.bound and self.outputs is not None:
            objectives.place(self.output_places)
            return objectives.expected_names(self.outputs)
        return objectives.names_of_results

    compiled_loss = property(lambda self: self.training_state.objectives)
    compiled_metrics = compiled_loss

    def reset_metrics(self) -> None:
        """Sets the state of all metrics back to its start."""
        objectives = self.training_state.objectives
        if objectives is not None:
            objectives.reset()
        for metric in self.metrics if overrides(self, "metrics") else steps_of(self).held_metrics:
            metric.reset_state()

    # --- one step: override these to train in another way

    @with_state("train")
    def train_step(self, data: typing.Any) -> dict:
        """One training step on a batch ``(x, y, sample_weight)``; returns the logs.

        As in Keras 3 on JAX it may also be called, and overridden, as ``train_step(state, data)``, which returns the
        logs and the new state: lists of values of the trainable and other variables, the optimizer's and the metrics'.
        """
        x, y, weights = unpack(data)
        variables = steps_of(self).trained_variables()

        def loss():
            y_pred = self(x, training=training_flag(True))
            value = self.loss_of(x, y, y_pred, weights, True)
            return self.optimizer.scale_loss(value), self._logs(value, x, y, y_pred, weights)

        (_, logs), gradients = value_and_grad(loss, variables, has_aux=True)()
        if variables:
            self.optimizer.apply(gradients, variables)
        return logs

    @with_state("test")
    def test_step(self, data: typing.Any) -> dict:
        """One evaluation step on a batch ``(x, y, sample_weight)``; returns the logs.

        Or ``test_step(state, data)``, as `train_step`; the optimizer's variables are not in this state.
        """
        x, y, weights = unpack(data)
        y_pred = self(x, training=training_flag(False))
        loss = self.loss_of(x, y, y_pred, weights, False)
        return self._logs(loss, x, y, y_pred, weights)

    @with_state("predict")
    def predict_step(self, data: typing.Any) -> typing.Any:
        """The outputs for one batch of inputs: an array, or a tuple of one entry that holds several.

        Or ``predict_step(state, data)``, as `train_step`: of trainable and other variables. It returns the outputs and
        the new values of the latter.
        """
        x = data[0] if isinstance(data, tuple) and len(data) == 1 else data
        return self(x, training=training_flag(False))

    def compute_loss(
        self,
        x: typing.Any = None,
        y: typing.Any = None,
        y_pred: typing.Any = None,
        sample_weight: typing.Any = None,
        training: bool = True,
    ) -> typing.Any:
        """The compiled losses, and those that layers and regularizers add.

        Args:
            x: the inputs.
            y: the targets, as they were given to `fit`.
            y_pred: the outputs, as the model returns them.
            sample_weight: the weights, as they were given to `fit`.
            training: whether this is a training step.
        """
        total = self.training_state.objectives.compute_loss(*self._per_output(y, y_pred, sample_weight))
        steps_of(self).adds_losses = bool(self.call_losses)
        for extra in self.losses:
            if not isinstance(extra, Symbol):
                total = total + jax.numpy.sum(extra)
        return total

    def compute_metrics(
        self, x: typing.Any, y: typing.Any, y_pred: typing.Any, sample_weight: typing.Any = None
    ) -> dict:
        """Updates the compiled metrics; returns all results. The arguments are those of `compute_loss`."""
        objectives = self.training_state.objectives
        objectives.update_metrics(*self._per_output(y, y_pred, sample_weight))
        return self.get_metrics_result()

    can_be_called = True  # False: there is no `call`, and training does all in a `train_step` of its own

    def symbolic_outputs(self, symbols: typing.Any) -> typing.Any:
        """The outputs for symbols, as symbols. What has to be built for that is built."""
        return infer(self, (symbols,), {})

    def _logs(self, loss, x, y, y_pred, weights):
        self.training_state.objectives.track_loss(loss, leaves(y_pred)[0])
        logs, added = self.compute_metrics(x, y, y_pred, weights), self.training_state.added_metrics
        return {**logs, **resolved(added, inside=True)} if added else logs

    def _per_output(self, y, y_pred, weights):
        """Lists of targets, outputs and weights, one for each output."""
        outputs, objectives = leaves(y_pred), self.training_state.objectives
        objectives.place(Places(y_pred) if self.outputs is None else self.output_places)
        objectives.bind(outputs, y)
        return objectives.targets_for(y), outputs, objectives.entries(weights, "sample_weight", spread=True)

    def make_train_function(self, force: bool = False) -> Callable:
        """The compiled training step, which is also put into `train_function`. force: accepted."""
        self.train_function = steps_of(self).train.one
        return self.train_function

    def make_test_function(self, force: bool = False) -> Callable:
        """The compiled evaluation step, which is also put into `test_function`. force: accepted."""
        self.test_function = steps_of(self).test.one
        return self.test_function

    def make_predict_function(self, force: bool = False) -> Callable:
        """The compiled prediction, which is also put into `predict_function`. force: accepted."""
        self.predict_function = steps_of(self).predict
        return self.predict_function

    # --- all data

    @guarded
    @running.needs_compile
    def fit(
        self,
        x: typing.Any = None,
        y: typing.Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: typing.Any = None,
        validation_split: float = 0.0,
        validation_data: typing.Any = None,
        shuffle: bool | str = True,
        class_weight: typing.Any = None,
        sample_weight: typing.Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: typing.Any = 1,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> typing.Any:
        """Trains the model. An error leaves the weights as the last complete step made them.

        Args:
            x: the inputs: arrays, or lists or dictionaries of them; or what yields batches ``(x, y[, weights])``.
            y: the targets of arrays, likewise.
            batch_size: samples in a step. 32 by default.
            epochs: the number of the last epoch.
            verbose: 0: nothing is shown, 1: a progress bar, 2: a line for each epoch.
            callbacks: what watches and steers the training.
            validation_split: the share of the samples, the last ones, that is kept for validation.
            validation_data: ``(x, y[, weights])``, or what yields batches.
            shuffle: whether samples are shuffled in each epoch; ``"batch"`` shuffles whole batches.
            class_weight: dictionary from class to weight.
            sample_weight: a weight for each sample, or each of its time steps.
            initial_epoch: how many epochs were done before.
            steps_per_epoch: the number of batches in an epoch.
            validation_steps: the number of batches in a validation.
            validation_batch_size: samples in a step of the validation. `batch_size` by default.
            validation_freq: every how many epochs there is a validation, or the numbers of these epochs.
            max_queue_size: how many batches workers prepare ahead.
            workers: how many workers prepare batches.
            use_multiprocessing: whether these are processes.

        Returns:
            A `History` with the logs of every epoch.
        """
        return running.fit(self, arguments.checked(locals()))

    @guarded
    @running.needs_compile
    def evaluate(
        self,
        x: typing.Any = None,
        y: typing.Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: typing.Any = None,
        steps: int | None = None,
        callbacks: typing.Any = None,
        return_dict: bool = False,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> typing.Any:
        """The loss and the metrics on this data.

        Args:
            steps: the number of batches to take. All by default.
            return_dict: whether to return a dictionary by name. The other arguments are those of `fit`.

        Returns:
            A number, or a list in the order of `metrics_names`.
        """
        return running.evaluate(self, arguments.checked(locals()))

    @guarded
    def predict(
        self,
        x: typing.Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: typing.Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> typing.Any:
        """The outputs for all samples of x, as NumPy arrays. The arguments are those of `evaluate`."""
        return running.predict(self, arguments.checked(locals()))

    # --- one batch

    @guarded
    @running.needs_compile
    def train_on_batch(
        self,
        x: typing.Any,
        y: typing.Any = None,
        sample_weight: typing.Any = None,
        class_weight: typing.Any = None,
        reset_metrics: bool = True,
        return_dict: bool = False,
    ) -> typing.Any:
        """One training step on this batch; returns the loss, or a list with the metrics.

        Args:
            reset_metrics: whether metrics are of this batch alone. The other arguments are those of `fit`.
            return_dict: whether to return a dictionary by name.
        """
        return running.on_batch(self, "train", x, y, sample_weight, class_weight, reset_metrics, return_dict)

    @guarded
    @running.needs_compile
    def test_on_batch(
        self,
        x: typing.Any,
        y: typing.Any = None,
        sample_weight: typing.Any = None,
        reset_metrics: bool = True,
        return_dict: bool = False,
    ) -> typing.Any:
        """The loss and metrics on this batch. The arguments are those of `train_on_batch`."""
        return running.on_batch(self, "test", x, y, sample_weight, None, reset_metrics, return_dict)

    def predict_on_batch(self, x: typing.Any) -> typing.Any:
        """The outputs for one batch, as NumPy arrays."""
        return running.predict_on_batch(self, x)
