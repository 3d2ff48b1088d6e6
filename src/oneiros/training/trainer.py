"""What makes a model trainable: compile, fit, evaluate, predict and their one-batch and generator kin."""

import contextlib
import inspect
import typing
import warnings
from functools import cache

import jax
import numpy as np

from .. import losses, optimizers
from ..core import Symbol, Variable, behaviour, compiled, phase, repeat, value_and_grad
from ..core.context import within
from ..core.errors import InputDataError
from ..core.interrupts import guarded
from ..core.random import SeedGenerator
from ..core.structure import Places, device_get, leaves, map_structure
from ..core.symbol import infer
from ..layers.base import find_in_attributes
from ..metrics import Metric
from . import arguments, checks
from . import data as data_
from .autopsy import examine, not_finite
from .callbacks import CallbackList, History, ProgbarLogger
from .compile import Objectives
from .data import ArrayData, BatchData
from .loop import Pace, cut, nan_teller, predict_batches, run_epoch
from .progress import Progress, Rows
from .state import in_training_state


@in_training_state
class Trainer:
    """The training methods of models. State is in variables, so every step is one compiled function of batches."""

    def _forget_functions(self):
        self._training.forget_functions()

    # --- compile

    def compile(
        self,
        optimizer: typing.Any = "rmsprop",
        loss=None,
        loss_weights=None,
        metrics=None,
        weighted_metrics=None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss=True,
        sample_weight_mode=None,
        target_tensors=None,
    ) -> None:
        """Says how to train: the optimizer, losses and metrics.

        optimizer: a name, an object, or an Optax transformation. loss: a name, a function (y_true, y_pred) or an
        object; a list or a dictionary by output name for several outputs, as for loss_weights and metrics.
        metrics are reported unweighted, weighted_metrics with the sample weights. run_eagerly,
        steps_per_execution, jit_compile, auto_scale_loss: accepted; steps are always compiled, many in a dispatch.

        Trainable weights are noted here: after changing a layer's `trainable`, compile again.
        """
        arguments.check_compile(loss, metrics, weighted_metrics, sample_weight_mode, steps_per_execution)
        self.optimizer = optimizers.get(optimizer)
        if auto_scale_loss and self.dtype_policy.name == "mixed_float16":
            self.optimizer = optimizers.LossScaleOptimizer(self.optimizer)
        self.loss, self.loss_weights = loss, loss_weights
        self._objectives = Objectives(loss, loss_weights, metrics, weighted_metrics)
        self._compile_arguments = {
            "loss": loss,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "loss_weights": loss_weights,
            "sample_weight_mode": sample_weight_mode,
        }
        self.sample_weight_mode = sample_weight_mode
        self._forget_functions()
        if self.outputs is not None:
            self._objectives.place(self.output_places)  # complains about wrong names and lengths now
            self._collected = self.trainable_weights

    @property
    def compile_arguments(self):
        """What compile was given, apart from the optimizer."""
        return self._compile_arguments

    @property
    def metrics(self):
        """The metric objects: means of the losses, those that compile was given, those in attributes of layers."""
        return [*(self._objectives.trackers if self._objectives else ()), *self._metrics_in_attributes()]

    def _metrics_in_attributes(self):
        """The metrics that the model or its layers hold; searched for until there is a compiled step."""
        if self._held_metrics is not None:
            return self._held_metrics
        return list(dict.fromkeys(m for one in (self, *self.sublayers()) for m in find_in_attributes(Metric, one)))

    @property
    def metrics_names(self):
        if self._objectives is None:
            return []
        if not self._objectives.bound and self.outputs is not None:
            self._objectives.place(self.output_places)
            return self._objectives.expected_names(self.outputs)
        return self._objectives.names_of_results

    compiled_loss = property(lambda self: self._objectives)
    compiled_metrics = property(lambda self: self._objectives)

    def reset_metrics(self):
        """Sets the state of all metrics back to its start."""
        if self._objectives is not None:
            self._objectives.reset()
        overridden = type(self).metrics is not Trainer.metrics
        for metric in self.metrics if overridden else self._metrics_in_attributes():
            metric.reset_state()

    def _stateful_log_names(self):
        return self._objectives.stateful_names if self._objectives else []

    def _ordered_logs(self, result):
        """The logs of a step as numbers."""
        result = checks.without_strays(device_get(result), self)
        return {name: float(v) if np.ndim(v) == 0 else np.asarray(v) for name, v in result.items()}

    def _need_compile(self, method):
        if self.optimizer is None:
            raise RuntimeError(f"Model {self.name} must be compiled before {method}: call model.compile(loss=...).")

    def step_arguments(self, batch):
        """A checked batch ``(x, y, weights)`` in the form in which `train_step` and `test_step` get it."""
        return _as_arguments(batch)

    # --- one step: override these to train in another way

    def train_step(self, data):
        """One training step on a batch ``(x, y, sample_weight)``; returns the logs."""
        x, y, weights = data_.unpack(data)
        variables = self._trained_variables()

        def loss():
            y_pred = self(x, training=_phase(True))
            value = self._computed_loss(x, y, y_pred, weights, True)
            return self.optimizer.scale_loss(value), self._logs(value, x, y, y_pred, weights)

        (_, logs), gradients = value_and_grad(loss, variables, has_aux=True)()
        if variables:
            self.optimizer.apply(gradients, variables)
        return logs

    def test_step(self, data):
        """One evaluation step on a batch ``(x, y, sample_weight)``; returns the logs."""
        x, y, weights = data_.unpack(data)
        y_pred = self(x, training=_phase(False))
        loss = self._computed_loss(x, y, y_pred, weights, False)
        return self._logs(loss, x, y, y_pred, weights)

    def predict_step(self, data):
        """The outputs for one batch of inputs."""
        return self(data, training=_phase(False))

    def _computed_loss(self, x, y, y_pred, sample_weight, training):
        options = {"training": training} if "training" in inspect.signature(self.compute_loss).parameters else {}
        value = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **options)
        return losses.check_result(value, self.compute_loss)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The compiled losses, and those that layers and regularizers add.

        y, sample_weight: as they were given to `fit`. y_pred: the outputs as the model returns them.
        """
        total = self._objectives.compute_loss(*self._per_output(y, y_pred, sample_weight))
        self._adds_losses = bool(self.call_losses)
        for extra in self.losses:
            if not isinstance(extra, Symbol):
                total = total + jax.numpy.sum(extra)
        return total

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Updates the compiled metrics; returns all results."""
        self._objectives.update_metrics(*self._per_output(y, y_pred, sample_weight))
        return self._objectives.results() | {m.name: m.result() for m in self._metrics_in_attributes()}

    def _logs(self, loss, x, y, y_pred, weights):
        self._objectives.track_loss(loss, leaves(y_pred)[0])
        return self.compute_metrics(x, y, y_pred, weights)

    def _per_output(self, y, y_pred, weights):
        """Lists of targets, outputs and weights, one for each output."""
        outputs = leaves(y_pred)
        self._objectives.place(Places(y_pred) if self.outputs is None else self.output_places)
        self._objectives.bind(outputs, y)
        entries = self._objectives.entries
        return entries(y, "y"), outputs, entries(weights, "sample_weight", spread=True)

    # --- compiled functions

    def _trained_variables(self):
        if self._collected is None:
            self._collected = self.trainable_weights
        return self._collected

    def _prepare(self, batch):
        """Builds what the first batch has to build: layers, metrics, the optimizer's slots."""
        x, y, _ = batch
        if not self.built or (self.inputs is None and not self.weights):
            self._inferred(x)
        if self._objectives is not None:
            if self.outputs is not None:
                self._objectives.place(self.output_places)
                if y is not None:  # a prediction does not tell which accuracy is meant
                    self._objectives.bind(self.outputs, y)
            if self._objectives.shapes is None:
                self._learn_shapes(x, y)

    def _inferred(self, x):
        """The outputs, as symbols, for inputs of these shapes."""
        symbols = map_structure(lambda a: Symbol((None, *a.shape[1:]), _device_dtype(a.dtype)), x)
        if self.inputs is None and isinstance(symbols, list) and len(symbols) == 1:
            symbols = symbols[0]
        return self(symbols) if hasattr(self, "_chain") else infer(self, (symbols,), {})

    def _learn_shapes(self, x, y):
        """Finds out how many classes a model without a graph has, if its targets are class numbers."""
        outputs = self._outputs_of(y)
        by_class = any(losses.expects_classes(loss) for loss, _, _ in outputs)
        if by_class and not self._overrides("train_step"):
            with contextlib.suppress(Exception):  # if it takes this batch size alone, its first step will tell
                outputs = self._inferred(x)
                self._objectives.place(Places(outputs))
                self._objectives.learn_shapes(leaves(outputs))
            checks.check_targets(self._outputs_of(y))

    def _overrides(self, method):
        return getattr(type(self), method) is not getattr(Trainer, method)

    def _function(self, kind):
        """The compiled function of this kind, made at first use.

        'train', 'test': of one batch. 'train_many', 'test_many': of a number of steps and stacked batches.
        'train_single', 'test_single': of one batch, with logs of it alone where the generation has it so.
        'test_filled', 'test_single_filled': of a batch of which a number of rows count, and this number.
        """
        phase, *form = kind.split("_")
        if "single" in form and behaviour.running_batch_logs:
            return self._function(kind.replace("_single", ""))
        if kind not in self._functions:
            self._functions[kind] = self._make_function(phase, form)
        return self._functions[kind]

    def _make_function(self, phase, form):
        self._held_metrics = self._metrics_in_attributes()
        embeddings = checks.watched(self)
        noted = [layer.stray_index for layer in embeddings]
        if phase == "predict":
            return compiled(lambda x: self.predict_step(_single(x)), variables=noted, reads=self.weights)
        step = self.train_step if phase == "train" else self.test_step
        known = [v for t in self._objectives.trackers for v in t.variables]
        if phase == "train":
            variables = self._trained_variables()
            if len(variables) != len(self.trainable_weights):
                warnings.warn(
                    "`trainable` was changed after compile(): the weights that are trained are those noted at compile. "
                    "Call compile() again for the change to act."
                )
            if not variables:
                warnings.warn(f"Model {self.name} has no trainable weights: training changes nothing.")
            self.optimizer.build(variables)
            known = [*variables, *self.optimizer.variables, *known, *self._moved_in_training()]

        def one(batch):
            if "single" in form:
                self._reset_means()
            logs = step(self.step_arguments(batch))
            if not isinstance(logs, dict):
                raise InputDataError(
                    f"Model {self.name}: {step.__qualname__}() must return a dictionary of logs: {{'loss': loss}}. "
                    f"It returned {type(logs).__name__}: does it lack a `return`?"
                )
            return checks.with_strays(logs, embeddings)

        def many(steps, batches):
            return repeat(one, steps, batches)

        def filled(batch, rows):
            with self._objectives.first_rows(rows):
                return one(batch)

        function = many if "many" in form else filled if "filled" in form else one
        return compiled(function, variables=[*known, *noted], reads=self.weights)

    def _fills_batches(self):
        """Whether `evaluate` may fill up a short batch: where all that it computes is known to leave rows out."""
        steps = ("test_step", "compute_loss", "compute_metrics")
        own = not any(map(self._overrides, steps))
        by_row = not (self.stateful or _phase(False)) and self._adds_losses is False
        return own and by_row and self._objectives.can_leave_rows_out()

    def _moved_in_training(self):
        """What layers write when they are called for training: statistics, unless they are frozen, and seeds."""
        layers = [self, *self.sublayers()]
        statistics = [v for layer in layers if layer.trainable for v in layer.own_weights() if not v.trainable]
        return [*statistics, *(seed.state for layer in layers for seed in find_in_attributes(SeedGenerator, layer))]

    def _moved_by_fit(self, data, expected=0):
        """All variables that training may change, in the same order in each process.

        Those that no layer, optimizer or metric holds are known once a step was traced. If more are `expected` than
        are known, a step is traced on this data.
        """
        layers = [self, *self.sublayers()]
        seeds = [seed.state for layer in layers for seed in find_in_attributes(SeedGenerator, layer)]
        kept = [v for layer in layers for v in find_in_attributes(Variable, layer)]
        counted = [v for layer in layers for m in find_in_attributes(Metric, layer) for v in m.variables]
        step = self._function("train")
        written = [v for kind, f in self._functions.items() if kind.startswith("train") for v in f.written]
        known = [*self.variables, *self.optimizer.variables, *seeds, *kept, *counted, *written]
        if len(dict.fromkeys(known)) < expected:
            batch = data.take(slice(0, data.batch_size)) if isinstance(data, ArrayData) else data.peek()
            known += step.discover(batch)
        return list(dict.fromkeys(known))

    def _reset_means(self):
        self._objectives.reset_means()

    def _pace(self, phase):
        return self._paces.setdefault(phase, Pace())

    def make_train_function(self, force=False):
        self.train_function = self._function("train")
        return self.train_function

    def make_test_function(self, force=False):
        self.test_function = self._function("test")
        return self.test_function

    def make_predict_function(self, force=False):
        self.predict_function = self._function("predict")
        return self.predict_function

    # --- data

    def _standard_batch(self, x, y=None, sample_weight=None, class_weight=None, labelled=True):
        """Checked arrays ``(x, y, weights)`` in the user's structure, the weights in that of y."""
        objectives = None if self._overrides("compute_loss") else self._objectives
        if objectives is not None and objectives.places is None:
            if self.outputs is not None:  # a model that was not built when it was compiled
                objectives.place(self.output_places)
            else:
                objectives = None
        x = data_.standardize_x(self, x)
        y = data_.standardize_y(self, y, objectives) if labelled else None
        weights = data_.sample_weights(y, sample_weight, class_weight, objectives)
        if self.inputs is not None:
            checks.check_indices(self, self.matched_inputs(x))
        if labelled:
            checks.check_values(x, self._outputs_of(y), leaves(weights))
        return x, y, weights

    def _outputs_of(self, y):
        """Triples (loss, target, shape of the output) for the outputs that targets are given for."""
        objectives, found = self._objectives, []
        if objectives is not None and y is not None:
            with contextlib.suppress(InputDataError):  # what matches nothing is the business of an own compute_loss
                placed = objectives.places is not None
                functions = objectives.losses if placed else objectives.losses_like(y)
                targets = objectives.entries(y, "y") if placed else leaves(y)
                shapes = [tuple(o.shape[1:]) for o in self.outputs] if self.outputs else objectives.shapes
                found = list(zip(functions, targets, shapes or [None] * len(functions)))
        return found

    def _check_rows(self, batch, rows):
        """Checks a batch that was read from disk, of which these are the numbers of the rows."""
        x, y, weights = batch
        if self.inputs is not None:
            checks.check_indices(self, self.matched_inputs(x), rows)
        checks.check_values(x, self._outputs_of(y), leaves(weights), rows)

    def _data(self, x, y, sample_weight, batch_size, class_weight=None, steps=None, **options):
        if x is None:
            raise InputDataError("x: no data was given.")
        if data_.is_batches(x):
            if y is not None:
                raise InputDataError(
                    f"y: {type(x).__name__} yields the targets itself, as (x, y) tuples; leave y out. "
                )

            def standardize(batch):
                bx, by, bw = data_.unpack(batch)
                return self._standard_batch(bx, by, bw, class_weight)

            return BatchData(x, standardize, steps, **options)
        arrays = ArrayData(*self._standard_batch(x, y, sample_weight, class_weight), batch_size)
        if any(map(checks.on_disk, leaves(arrays.arrays))):
            arrays.check = self._check_rows
        if self.stateful and arrays.samples % arrays.batch_size:
            raise InputDataError(
                f"Model {self.name} is stateful, so the number of samples must be a multiple of the batch size. "
                f"Received: {arrays.samples} samples, batch_size={arrays.batch_size}."
            )
        return arrays

    def _validation(self, given, batch_size, steps, **options):
        if data_.is_batches(given):
            return self._data(given, None, None, None, steps=steps, **options)
        if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
            raise InputDataError(
                "validation_data: expected a tuple (x, y) or (x, y, sample_weight), or something that yields batches. "
                f"Received: {type(given).__name__}"
            )
        x, y, weight = (*given, None)[:3]
        data = self._data(x, y, weight, batch_size)
        return data if steps is None else data.slice(0, steps * data.batch_size)

    # --- fit

    @guarded
    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks=None,
        validation_split=0.0,
        validation_data=None,
        shuffle: bool | str = True,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
        steps_per_epoch=None,
        validation_steps=None,
        validation_batch_size=None,
        validation_freq=1,
        max_queue_size=10,
        workers=1,
        use_multiprocessing=False,
    ) -> typing.Any:
        """Trains the model; returns a History with the logs of every epoch.

        x, y: arrays, lists or dictionaries of arrays by name; or x yields batches ``(x, y[, sample_weight])``.
        batch_size: samples a step (32). validation_split: the last part of the samples, kept for validation.
        shuffle: True, False, or "batch". class_weight: a weight per class; sample_weight: per sample (or time step).
        Errors leave the weights as the last complete step made them.
        """
        self._need_compile("fit()")
        epochs, initial_epoch, steps_per_epoch, validation_steps, batch_size, validation_batch_size = arguments.checked(
            epochs=epochs,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            batch_size=batch_size,
            validation_batch_size=validation_batch_size,
        )
        shuffle, validation_freq, validation_split, callbacks, verbose = arguments.checked(
            shuffle=shuffle,
            validation_freq=validation_freq,
            validation_split=validation_split,
            callbacks=callbacks,
            verbose=verbose,
        )
        arguments.checked(workers=workers, max_queue_size=max_queue_size, class_weight=class_weight)
        arguments.check_epochs(epochs, initial_epoch)
        if epochs > 1:
            arguments.check_ends(validation_data, validation_steps, "validation_steps")
        options = _worker_options(workers, use_multiprocessing, max_queue_size)
        expecting = within(expects_nan=any(getattr(callback, "expects_nan", False) for callback in callbacks or ()))
        with expecting:
            data = self._data(
                x, y, sample_weight, batch_size, class_weight, steps_per_epoch, shuffle=shuffle, **options
            )
        arrays = isinstance(data, ArrayData)
        with data_.closing(data), expecting:
            validation = None
            if validation_data is not None:
                size = validation_batch_size or batch_size
                validation = self._validation(validation_data, size, validation_steps, **options)
            elif validation_split:
                if not arrays:
                    raise InputDataError("validation_split needs arrays; give validation_data for what yields batches.")
                data, validation = data_.split(data, validation_split)
            if arrays and steps_per_epoch is not None:
                data.steps = min(data.steps, steps_per_epoch)
            prepare = cache(lambda: self._prepare(data.peek()))
            if arrays:  # what is wrong with data or optimizer is told before any callback starts
                prepare()
                self._function("train")
            callbacks = self._callbacks(callbacks, data, validation, epochs, verbose)
            self.stop_training = False
            rows = Rows(data.samples, data.batch_size, data.steps, shuffle) if arrays else None
            sources = {"data": data, "validation_data": validation}
            sources = {name: source for name, source in sources.items() if isinstance(source, BatchData)}

            def variables(expected=0):
                prepare()
                return self._moved_by_fit(data, expected)

            callbacks.set_progress(Progress(variables, rows, sources))
            with data_.closing(validation):
                epochs = range(initial_epoch, epochs)
                return self._fit_epochs(data, validation, callbacks, epochs, validation_freq, prepare)

    def _callbacks(self, callbacks, data, validation, epochs, verbose):
        if isinstance(callbacks, CallbackList):
            return callbacks
        names = self.metrics_names
        samples = min(data.samples, data.steps * data.batch_size) if isinstance(data, ArrayData) else None
        params = {
            "batch_size": getattr(data, "batch_size", None),
            "epochs": epochs,
            "nb_epoch": epochs,
            "steps": data.steps,
            "samples": samples,
            "nb_sample": samples,
            "verbose": 1 if verbose == "auto" else int(verbose),
            "do_validation": validation is not None,
            "metrics": [*names, *(f"val_{n}" for n in names)] if validation is not None else list(names),
            "validation_samples": getattr(validation, "samples", None),
            "stateful_metrics": self._stateful_log_names(),
        }
        self.history = History()
        user = callbacks or []
        built_in = [ProgbarLogger()] if params["verbose"] else []
        everything = CallbackList([*built_in, *user, self.history])
        everything.set_model(self)
        everything.set_params(params)
        return everything

    def _fit_epochs(self, data, validation, callbacks, epochs, validation_freq, prepare):
        progress = callbacks.progress
        hooks = _Hooks(callbacks, "train", self)
        single = callbacks.overrides_batch_hooks["train"]
        try:
            callbacks.on_train_begin()
            callbacks.resume()
            for epoch in progress.epochs(epochs.start, epochs.stop):
                if progress.step:
                    callbacks.resume_epoch(epoch)
                else:
                    callbacks.on_epoch_begin(epoch)
                    self.reset_metrics()
                    progress.begin_epoch()
                prepare()  # the first batch is asked for when callbacks have set up what it comes from
                rows = None if progress.rows is None else progress.rows.from_step(progress.step)
                logs, steps = run_epoch(self, "train", data, hooks, rows, single, progress)
                if isinstance(data, BatchData) and data.steps and steps < data.steps and not self.stop_training:
                    data_.warn_exhausted(steps, data.steps)
                    self.stop_training = True
                if validation is not None and _due(validation_freq, epoch):
                    results = self._evaluate(validation, callbacks)
                    logs = {**logs, **{f"val_{name}": value for name, value in results.items()}}
                progress.end_epoch()
                callbacks.on_epoch_end(epoch, logs)
                if self.stop_training:
                    break
            self.optimizer.finalize_variable_values(self._trained_variables())
            callbacks.on_train_end()
            for watcher in progress.watchers:
                watcher(self, progress)
        except BaseException as error:
            callbacks.on_exception(error)
            raise
        return self.history

    def _evaluate(self, data, callbacks, prepare=lambda: None):
        """The logs of one pass over data. prepare: called between the callbacks' start and the first batch."""
        self.reset_metrics()
        hooks = _Hooks(callbacks, "test", self)
        callbacks.on_test_begin()
        prepare()
        logs, _ = run_epoch(self, "test", data, hooks, None, callbacks.overrides_batch_hooks["test"])
        callbacks.on_test_end(logs)
        return logs

    @guarded
    def evaluate(
        self,
        x=None,
        y=None,
        batch_size=None,
        verbose: int | str = "auto",
        sample_weight=None,
        steps=None,
        callbacks=None,
        return_dict=False,
        max_queue_size=10,
        workers=1,
        use_multiprocessing=False,
    ) -> typing.Any:
        """The loss and the metrics on this data: a number, or a list in the order of `metrics_names`."""
        self._need_compile("evaluate()")
        batch_size, verbose, steps, callbacks = arguments.checked(
            batch_size=batch_size, verbose=verbose, steps=steps, callbacks=callbacks
        )
        arguments.checked(workers=workers, max_queue_size=max_queue_size)
        options = _worker_options(workers, use_multiprocessing, max_queue_size)
        data = self._data(x, y, sample_weight, batch_size, steps=steps, shuffle=False, **options)
        if isinstance(data, ArrayData) and steps is not None:
            data = data.slice(0, steps * data.batch_size)
        with data_.closing(data):
            prepare = cache(lambda: self._prepare(data.peek()))
            if isinstance(data, ArrayData):
                prepare()
            callbacks = self._callbacks_for("test", callbacks, data, verbose)
            with callbacks.cleaning_up():
                return self._returned(self._evaluate(data, callbacks, prepare), return_dict)

    def _callbacks_for(self, phase, callbacks, data, verbose):
        if isinstance(callbacks, CallbackList):
            return callbacks
        history = self.history
        made = self._callbacks(callbacks, data, None, 1, verbose)
        self.history = history
        return made

    def _returned(self, logs, as_dict):
        if as_dict:
            return logs
        values = list(logs.values())
        return values[0] if len(values) == 1 else values

    @guarded
    def predict(
        self,
        x,
        batch_size=None,
        verbose: int | str = "auto",
        steps=None,
        callbacks=None,
        max_queue_size=10,
        workers=1,
        use_multiprocessing=False,
    ) -> typing.Any:
        """The outputs for all samples of x, as NumPy arrays."""
        batch_size, verbose, steps, callbacks = arguments.checked(
            batch_size=batch_size, verbose=verbose, steps=steps, callbacks=callbacks
        )
        arguments.checked(workers=workers, max_queue_size=max_queue_size)
        if data_.is_batches(x):
            options = _worker_options(workers, use_multiprocessing, max_queue_size)
            data = BatchData(
                x, lambda b: self._standard_batch(data_.unpack(b)[0], labelled=False), steps, shuffle=False, **options
            )
        else:
            data = ArrayData(*self._standard_batch(x, labelled=False), batch_size)
            data.exact = bool(self.stateful or _phase(False))  # in the training phase, rows may depend on each other
            if steps is not None:
                data = data.slice(0, steps * data.batch_size)
        bar = ProgbarLogger() if _loud(verbose) else None
        made = CallbackList([*([bar] if bar else []), *(callbacks or [])])
        with data_.closing(data), made.cleaning_up():
            if len(made):
                made.set_model(self)
                sizes = {name: getattr(data, name, None) for name in ("samples", "batch_size")}
                made.set_params({"steps": data.steps, "verbose": 1, "epochs": 1, "metrics": [], **sizes})
            made.on_predict_begin()
            self._prepare(data.peek())
            outputs = _joined(predict_batches(self._function("predict"), data, steps, made))
            self._check_strays()
            made.on_predict_end()
        return outputs

    # --- one batch

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, reset_metrics=True, return_dict=False):
        """One training step on this batch; returns the loss, or a list with the metrics."""
        self._need_compile("train_on_batch()")
        return self._on_batch("train", x, y, sample_weight, class_weight, reset_metrics, return_dict)

    def test_on_batch(self, x, y=None, sample_weight=None, reset_metrics=True, return_dict=False):
        """The loss and metrics on this batch."""
        self._need_compile("test_on_batch()")
        return self._on_batch("test", x, y, sample_weight, None, reset_metrics, return_dict)

    @guarded
    def _on_batch(self, kind, x, y, sample_weight, class_weight, reset_metrics, return_dict):
        batch = self._standard_batch(x, y, sample_weight, class_weight)
        if ArrayData(*batch).samples == 0:
            raise InputDataError("The batch is empty.")
        self._prepare(batch)
        if reset_metrics:
            self.reset_metrics()
        function = self._function(f"{kind}_single")
        tell = nan_teller(self)
        snapshot = function.snapshot(keep=tell is not None)
        result = function(batch)
        try:
            logs = self._ordered_logs(result)
        except Exception:
            function.restore(snapshot)
            raise
        if tell is not None and (names := not_finite(logs)):
            group = {"snapshot": snapshot, "last": 0, "steps": 1, "calls": [("one", (batch,), None)]}
            tell(examine(self, kind, [group], names))
        return self._returned(logs, return_dict)

    def predict_on_batch(self, x):
        """The outputs for one batch, as NumPy arrays."""
        batch = self._standard_batch(x, labelled=False)
        self._prepare(batch)
        outputs = map_structure(np.asarray, self._function("predict")(batch[0]))
        self._check_strays()
        return outputs

    def _check_strays(self):
        checks.raise_strays((layer, layer.stray_index.raw) for layer in checks.watched(self))

    # --- the generator trio of Keras 1 and 2

    def fit_generator(
        self,
        generator,
        steps_per_epoch=None,
        epochs=1,
        verbose=1,
        callbacks=None,
        validation_data=None,
        validation_steps=None,
        class_weight=None,
        max_queue_size=10,
        workers=1,
        use_multiprocessing=False,
        shuffle=True,
        initial_epoch=0,
        validation_freq=1,
    ):
        """`fit` under its old name for what yields batches."""
        arguments.check_ends(generator, steps_per_epoch, "steps_per_epoch")
        arguments.check_ends(validation_data, validation_steps, "validation_steps")
        return self.fit(
            generator,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_data=validation_data,
            validation_steps=validation_steps,
            class_weight=class_weight,
            max_queue_size=max_queue_size,
            workers=workers,
            use_multiprocessing=use_multiprocessing,
            shuffle=shuffle,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_freq=validation_freq,
        )

    def evaluate_generator(
        self, generator, steps=None, max_queue_size=10, workers=1, use_multiprocessing=False, verbose=0, callbacks=None
    ):
        """`evaluate` under its old name for what yields batches."""
        arguments.check_ends(generator, steps, "steps")
        options = _worker_options(workers, use_multiprocessing, max_queue_size)
        return self.evaluate(generator, steps=steps, verbose=verbose, callbacks=callbacks, **options)

    def predict_generator(
        self, generator, steps=None, max_queue_size=10, workers=1, use_multiprocessing=False, verbose=0, callbacks=None
    ):
        """`predict` under its old name for what yields batches."""
        arguments.check_ends(generator, steps, "steps")
        options = _worker_options(workers, use_multiprocessing, max_queue_size)
        return self.predict(generator, steps=steps, verbose=verbose, callbacks=callbacks, **options)


class _Hooks:
    """The callbacks' batch hooks of one phase, as the loop calls them."""

    def __init__(self, callbacks, phase, model):
        self.begin = getattr(callbacks, f"on_{phase}_batch_begin")
        self.end = getattr(callbacks, f"on_{phase}_batch_end")
        self.model, self.phase, self.exact = model, phase, callbacks.exact
        self.saves_after = callbacks.saves_after if phase == "train" else []

    def stop(self):
        return self.phase == "train" and self.model.stop_training

    def due(self, steps):
        """Whether a callback must see the state as it is after so many steps of the epoch."""
        return any(saves(steps) for saves in self.saves_after)


def _phase(training):
    """The training flag: in Keras 1 and 2, K.set_learning_phase fixed it for fit and predict too."""
    fixed = phase.default() if behaviour.fixed_phase_in_fit else None
    return training if fixed is None else bool(fixed)


def _as_arguments(batch):
    """``(x, y, weights)`` as train_step gets it: single arrays where there is one, no trailing ``None``."""
    x, y, weights = batch
    parts = [_single(x), _single(y), _single(weights)]
    while parts[-1] is None and len(parts) > 1:
        parts.pop()
    return tuple(parts)


def _single(x):
    return x[0] if isinstance(x, list) and len(x) == 1 else x


def _joined(results):
    """Outputs of batches, cut to their true sizes and joined along the batch axis."""
    results = [cut(outputs, size) for outputs, size in results]
    if not results:
        raise InputDataError("predict: the data yielded no batch.")
    if len(results) == 1:
        return results[0]
    return map_structure(lambda *parts: np.concatenate(parts), *results)


def _due(frequency, epoch):
    return (epoch + 1) % frequency == 0 if isinstance(frequency, int) else epoch + 1 in frequency


def _loud(verbose):
    return bool(verbose) if verbose != "auto" else not behaviour.quiet_predict


def _worker_options(workers, use_multiprocessing, max_queue_size):
    return {"workers": workers, "use_multiprocessing": use_multiprocessing, "max_queue_size": max_queue_size}


def _device_dtype(dtype):
    return {"float64": "float32", "int64": "int32", "uint64": "uint32"}.get(str(dtype), str(dtype))
