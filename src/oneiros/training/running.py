"""What fit, evaluate, predict and their kin do, once their arguments are checked."""

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

import numpy as np

from ..core import behaviour, floatx
from ..core.config import max_epochs, max_steps_per_epoch
from ..core.context import within
from ..core.errors import InputDataError
from ..core.structure import is_nested, leaves, map_structure, values_of
from . import arguments, checks
from .autopsy import explainer, not_finite
from .callbacks import CallbackList, History, ProgbarLogger
from .data import ArrayData, BatchData, closing, split
from .epochs import Epochs, evaluate_epoch
from .loop import Group, cut, predict_batches
from .progress import Progress, Rows
from .reading import reader_of
from .steps import steps_of


def needs_compile(method: Callable) -> Callable:
    """A method that raises `RuntimeError` if the model is not compiled."""

    @wraps(method)
    def run(model, *args, **kwargs):
        if model.optimizer is None:
            raise RuntimeError(
                f"Model {model.name} must be compiled before {method.__name__}(): call model.compile(loss=...)."
            )
        return method(model, *args, **kwargs)

    return run


def fit(model: Any, given: Any) -> History:
    """Trains a model. given: the checked arguments of `Model.fit`."""
    expects_nan = any(getattr(callback, "expects_nan", False) for callback in given.callbacks or ())
    with within(expects_nan=expects_nan):
        return _fit(model, given)


def _fit(model, given):
    arguments.check_epochs(given.epochs, given.initial_epoch)
    given.epochs = arguments.limited("epochs", given.epochs, max_epochs())
    given.steps_per_epoch = _steps(given.steps_per_epoch)
    if given.epochs > 1:
        arguments.check_ends(given.validation_data, given.validation_steps, "validation_steps")
    reader, steps = reader_of(model), steps_of(model)
    data = reader.data(
        given.x,
        given.y,
        given.sample_weight,
        given.batch_size,
        given.class_weight,
        given.steps_per_epoch,
        shuffle=given.shuffle,
        **_workers(given),
    )
    arrays = isinstance(data, ArrayData)
    prepare = cache(lambda: steps.prepare(data.peek()))
    with closing(data):
        if arrays:  # now, for it may find out what targets must be like, those for validation too
            prepare()
        data, validation = _validation(reader, data, given)
        rows = None
        if arrays:  # what is wrong with data or optimizer is told before any callback starts
            steps.train.one  # noqa: B018 - made here
            wanted, passes = given.steps_per_epoch or data.steps, None
            if behaviour.epochs_go_round and wanted != data.steps:
                passes = given.epochs - given.initial_epoch
            data.steps = wanted if passes else min(data.steps, wanted)
            rows = Rows(data.samples, data.batch_size, data.steps, given.shuffle, passes)
        callbacks = callback_list(model, given.callbacks, data, validation, given.epochs, given.verbose)
        model.stop_training = False
        sources = {"data": data, "validation_data": validation}
        sources = {name: source for name, source in sources.items() if isinstance(source, BatchData)}

        def variables(expected=0):
            prepare()
            return steps.variables(data, expected)

        callbacks.set_progress(Progress(variables, rows, sources))
        if behaviour.callbacks_see_validation:
            callbacks.set_validation_data(_seen_validation(given.validation_data, validation))
        with closing(validation):
            epochs = Epochs(model, data, validation, given.validation_freq, callbacks, prepare)
            epochs.run(range(given.initial_epoch, given.epochs))
    return model.history


def _validation(reader, data, given):
    """The data for training, and those for validation (or ``None``)."""
    if given.validation_data is not None:
        size = given.validation_batch_size or given.batch_size
        options = _workers(given)
        steps = _steps(given.validation_steps)
        return data, reader.validation_data(given.validation_data, size, steps, **options)
    if not given.validation_split:
        return data, None
    if isinstance(data, BatchData):
        raise InputDataError("validation_split needs arrays; give validation_data for what yields batches.")
    data, validation = split(data, given.validation_split)
    steps = _steps(None)
    return data, validation if steps is None else validation.slice(0, steps * validation.batch_size)


def _steps(given):
    """The number of steps that was given, or the limit that the user set for all."""
    return arguments.limited("steps_per_epoch", given, max_steps_per_epoch())


def _seen_validation(given, data):
    """Inputs, targets and weights of the validation in one list, as callbacks of Keras 1 and 2 get it."""
    if not isinstance(data, ArrayData):
        return None
    x, y, weights = data.arrays
    if isinstance(given, (tuple, list)):  # the user's own arrays, not converted ones
        x, y = (mine if hasattr(theirs, "shape") else theirs for mine, theirs in zip(given[:2], (x, y)))
    arrays = [np.expand_dims(a, 1) if len(a.shape) == 1 else a for a in (*leaves(x), *leaves(y))]
    weights = values_of(weights) if is_nested(weights) else [weights] * (1 if weights is not None else len(leaves(y)))
    return [*arrays, *(np.ones(data.samples, floatx()) if w is None else w for w in weights)]


def callback_list(
    model: Any, callbacks: Any, data: Any, validation: Any = None, epochs: int = 1, verbose: Any = "auto"
) -> CallbackList:
    """The callbacks of a run, with those that are always there. A `CallbackList` is taken as it is.

    Args:
        model: the model.
        callbacks: what the user gave.
        data: `ArrayData` or `BatchData`.
        validation: likewise, or ``None``.
        epochs: the number of the last epoch.
        verbose: whether there is a progress bar, and which.
    """
    if isinstance(callbacks, CallbackList):
        return callbacks
    names, objectives = model.metrics_names, model.training_state.objectives
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
        "stateful_metrics": objectives.stateful_names if objectives else [],
    }
    built_in = [ProgbarLogger()] if params["verbose"] else []
    made = CallbackList([*built_in, *(callbacks or []), History()])
    made.set_model(model)
    made.set_params(params)
    return made


def evaluate(model: Any, given: Any) -> Any:
    """Evaluates a model. given: the checked arguments of `Model.evaluate`."""
    steps, options, given.steps = steps_of(model), _workers(given), _steps(given.steps)
    data = reader_of(model).data(
        given.x, given.y, given.sample_weight, given.batch_size, steps=given.steps, shuffle=False, **options
    )
    if isinstance(data, ArrayData) and given.steps is not None:
        data = data.slice(0, given.steps * data.batch_size)
    with closing(data):
        prepare = cache(lambda: steps.prepare(data.peek()))
        if isinstance(data, ArrayData):
            prepare()
        history = model.history
        callbacks = callback_list(model, given.callbacks, data, verbose=given.verbose)
        if callbacks is not given.callbacks:
            model.history = history  # that of the training
        with callbacks.cleaning_up():
            return _returned(evaluate_epoch(model, data, callbacks, prepare), given.return_dict)


def predict(model: Any, given: Any) -> Any:
    """The outputs for all samples. given: the checked arguments of `Model.predict`."""
    given.steps = _steps(given.steps)
    data = reader_of(model).inputs_alone(given.x, given.batch_size, given.steps, **_workers(given))
    loud = given.verbose if given.verbose != "auto" else not behaviour.quiet_predict
    callbacks = [*([ProgbarLogger()] if loud else ()), *(given.callbacks or ())]
    with closing(data):
        if not callbacks:
            return _predict(model, data, given.steps)
        made = CallbackList(callbacks)
        with made.cleaning_up():
            made.set_model(model)
            sizes = {name: getattr(data, name, None) for name in ("samples", "batch_size")}
            made.set_params({"steps": data.steps, "verbose": 1, "epochs": 1, "metrics": [], **sizes})
            made.on_predict_begin()
            outputs = _predict(model, data, given.steps, made)
            made.on_predict_end()
            return outputs


def _predict(model, data, count, callbacks=None):
    steps = steps_of(model)
    steps.prepare(data.peek())
    model.stop_predicting = False
    fill, group = steps.keeps_rows_apart(), model.steps_per_execution
    results = predict_batches(steps.predict, data, count, callbacks, fill, group, lambda: model.stop_predicting)
    results = [cut(outputs, size) for outputs, size in results]
    checks.raise_strays(steps.watched)
    if not results:
        raise InputDataError("predict: the data yielded no batch.")
    if len(results) == 1:
        return results[0]
    return map_structure(lambda *parts: np.concatenate(parts), *results)


def predict_on_batch(model: Any, x: Any) -> Any:
    """The outputs for one batch, as NumPy arrays."""
    batch = reader_of(model).batch(x, labelled=False)
    steps = steps_of(model)
    steps.prepare(batch)
    outputs = map_structure(np.array, steps.predict(batch[0]))
    checks.raise_strays(steps.watched)
    return outputs


def on_batch(
    model: Any,
    phase: str,
    x: Any,
    y: Any,
    sample_weight: Any,
    class_weight: Any,
    reset_metrics: bool,
    return_dict: bool,
) -> Any:
    """One training or evaluation step on a batch. phase: ``"train"`` or ``"test"``."""
    batch = reader_of(model).batch(x, y, sample_weight, class_weight)
    ArrayData(*batch)  # complains of arrays of different lengths, and of none
    steps = steps_of(model)
    steps.prepare(batch)
    forms = steps.train if phase == "train" else steps.test
    if reset_metrics and steps.can_reset_metrics:
        function = forms.fresh
    else:
        if reset_metrics:
            model.reset_metrics()
        function = forms.alone
    explain = explainer(model, phase)
    snapshot = function.snapshot(keep=explain is not None)
    result = function(batch)
    try:
        logs = steps.logs(result)
    except Exception:
        function.restore(snapshot)
        raise
    if explain is not None and (names := not_finite(logs)):
        explain([Group(function, snapshot, [("one", (batch,), None)], steps=1, last=0)], names)
    return _returned(logs, return_dict)


def _returned(logs, as_dict):
    if as_dict:
        return logs
    values = list(logs.values())
    if behaviour.numpy_numbers:
        values = [Number(v) if type(v) is float else v for v in values]
    return values[0] if len(values) == 1 else values


class Number(np.float64):
    """A number of NumPy, with its `shape` and the like, that prints as it did before NumPy 2.

    >>> Number(0.25).shape, [Number(0.25)]
    ((), [0.25])
    """

    __slots__ = ()

    def __repr__(self):
        return float.__repr__(self)


def _workers(given):
    return {name: getattr(given, name) for name in ("workers", "use_multiprocessing", "max_queue_size")}
