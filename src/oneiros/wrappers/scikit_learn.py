"""The wrappers of Keras 1 and 2: a function that builds a model, as an estimator of scikit-learn."""

import copy
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from ..losses import get as get_loss
from ..models import Sequential
from ..utils.arrays import to_categorical
from ..utils.generic_utils import has_arg


class BaseWrapper:
    """A function that builds and compiles a model, with arguments for it and for the model's methods.

    build_fn: a function, an object with `__call__`, or None for a subclass that has `__call__`. sk_params: arguments
    of build_fn, and of `fit`, `predict`, `predict_proba`, `predict_classes` and `evaluate`; each gets those that it
    takes. After `fit`, `model` is the model.

    >>> def build(units=2):
    ...     model = Sequential([keras.layers.Dense(units, activation="softmax", input_shape=(3,))])
    ...     model.compile("sgd", "categorical_crossentropy")
    ...     return model
    >>> import oneiros as keras
    >>> KerasClassifier(build, units=4, epochs=2).get_params()["units"]
    4
    """

    _estimator_type = None

    def __init__(self, build_fn: Callable | None = None, **sk_params):
        self.build_fn = build_fn
        self.sk_params = sk_params
        self.check_params(sk_params)

    def _builder(self):
        """The function that is called, and the one whose arguments count."""
        build_fn = self.build_fn
        if build_fn is None:
            return self.__call__, type(self).__call__
        plain = isinstance(build_fn, (types.FunctionType, types.MethodType))
        return build_fn, build_fn if plain else build_fn.__call__

    def check_params(self, params: dict) -> None:
        """Complains about names that no method takes."""
        takers = [Sequential.fit, Sequential.predict, Sequential.predict_classes, Sequential.evaluate]
        if self.build_fn is None and not callable(self):
            raise ValueError(f"{type(self).__name__}: pass build_fn, or write a subclass with __call__.")
        takers.append(self._builder()[1])
        for name in params:
            # What fit of Keras 1 called epochs is still understood.
            if name != "nb_epoch" and not any(has_arg(taker, name) for taker in takers):
                raise ValueError(f"{name} is not a legal parameter")

    def get_params(self, deep: bool = True) -> dict:
        """The arguments this was made with; `deep` copies nothing more, for there are no estimators inside."""
        return {**copy.deepcopy(self.sk_params), "build_fn": self.build_fn}

    def set_params(self, **params) -> "BaseWrapper":
        """Changes arguments; returns the estimator."""
        params = dict(params)
        if "build_fn" in params:
            self.build_fn = params.pop("build_fn")
        self.check_params(params)
        self.sk_params.update(params)
        return self

    def filter_sk_params(self, fn: Callable, override: dict | None = None) -> dict:
        """Those of the arguments that a function takes, with `override` above them."""
        return {name: value for name, value in self.sk_params.items() if has_arg(fn, name)} | (override or {})

    def fit(self, x: Any, y: Any, **kwargs) -> Any:
        """Builds a new model and trains it on x, shape (samples, ...), and y; returns the History."""
        build, signature = self._builder()
        self.model = build(**self.filter_sk_params(signature))
        if _wants_one_hot(self.model) and np.ndim(y) != 2:
            y = to_categorical(y)
        arguments = copy.deepcopy(self.filter_sk_params(Sequential.fit))
        if "nb_epoch" in self.sk_params:
            arguments["epochs"] = self.sk_params["nb_epoch"]
        return self.model.fit(x, y, **arguments | kwargs)

    def _fitted(self):
        if not hasattr(self, "model"):
            from sklearn.exceptions import NotFittedError

            raise NotFittedError(f"This {type(self).__name__} is not fitted yet: call fit(x, y) first.")
        return self.model

    def __sklearn_is_fitted__(self):
        return hasattr(self, "model")

    def __sklearn_clone__(self):
        return type(self)(**self.get_params())

    def __sklearn_tags__(self):
        from sklearn.base import BaseEstimator

        return _typed_tags(BaseEstimator.__sklearn_tags__(BaseEstimator()), self._estimator_type)

    def __repr__(self):
        arguments = {"build_fn": getattr(self.build_fn, "__name__", self.build_fn), **self.sk_params}
        return f"{type(self).__name__}({', '.join(f'{k}={v}' for k, v in arguments.items())})"


def _typed_tags(tags, estimator_type):
    from sklearn.utils import ClassifierTags, RegressorTags

    tags.estimator_type = estimator_type
    tags.target_tags.required = True
    tags.non_deterministic = True
    if estimator_type == "classifier":
        tags.classifier_tags = ClassifierTags()
    elif estimator_type == "regressor":
        tags.regressor_tags = RegressorTags()
    return tags


def _wants_one_hot(model):
    loss = model.loss[0] if isinstance(model.loss, list) and len(model.loss) == 1 else model.loss
    if not (isinstance(loss, str) or callable(loss)):
        return False
    loss = get_loss(loss)
    return getattr(loss, "name", getattr(loss, "__name__", "")) == "categorical_crossentropy"


class KerasClassifier(BaseWrapper):
    """A classifier from a function that builds a model; see `BaseWrapper`. `classes_` are the classes of y."""

    _estimator_type = "classifier"

    def fit(self, x: Any, y: Any, sample_weight: Any = None, **kwargs) -> Any:
        """Trains on x and classes y, of shape (samples,) or (samples, 1), or one-hot (samples, classes)."""
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_ = np.arange(y.shape[1])
        elif y.ndim in (1, 2):
            self.classes_ = np.unique(y)
            y = np.searchsorted(self.classes_, y)
        else:
            raise ValueError(f"Invalid shape for y: {y.shape}")
        self.n_classes_ = len(self.classes_)
        if sample_weight is not None:
            kwargs["sample_weight"] = sample_weight
        return super().fit(x, y, **kwargs)

    def predict(self, x: Any, **kwargs) -> np.ndarray:
        """The class of each sample: shape (samples,), or (samples, 1) for one sigmoid."""
        arguments = self.filter_sk_params(Sequential.predict_classes, kwargs)
        outputs = self._fitted().predict(x, **{"verbose": 0} | arguments)
        indices = outputs.argmax(-1) if outputs.shape[-1] > 1 else (outputs > 0.5).astype("int32")
        return self.classes_[indices]

    def predict_proba(self, x: Any, **kwargs) -> np.ndarray:
        """The probability of each class: shape (samples, classes), two columns for one sigmoid."""
        arguments = self.filter_sk_params(Sequential.predict_proba, kwargs)
        outputs = self._fitted().predict(x, **{"verbose": 0} | arguments)
        return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs

    def score(self, x: Any, y: Any, **kwargs) -> float:
        """The accuracy on x and y; the model must be compiled with metrics=['accuracy']."""
        y = np.asarray(y)
        if not (y.ndim == 2 and y.shape[1] > 1):
            y = np.searchsorted(self.classes_, y)
        if _wants_one_hot(self._fitted()) and y.ndim != 2:
            y = to_categorical(y, self.n_classes_)
        arguments = {"verbose": 0} | self.filter_sk_params(Sequential.evaluate, kwargs)
        outputs = self.model.evaluate(x, y, **arguments)
        outputs = outputs if isinstance(outputs, list) else [outputs]
        for name, output in zip(self.model.metrics_names, outputs):
            if name in ("acc", "accuracy"):
                return float(output)
        raise ValueError(
            "The model is not configured to compute accuracy. You should pass `metrics=['accuracy']` to the "
            "`model.compile()` method."
        )


class KerasRegressor(BaseWrapper):
    """A regressor from a function that builds a model; see `BaseWrapper`."""

    _estimator_type = "regressor"

    def predict(self, x: Any, **kwargs) -> np.ndarray:
        """The model's outputs: shape (samples,), or (samples, outputs)."""
        arguments = self.filter_sk_params(Sequential.predict, kwargs)
        return np.squeeze(self._fitted().predict(x, **{"verbose": 0} | arguments), axis=-1)

    def score(self, x: Any, y: Any, **kwargs) -> float:
        """Minus the loss on x and y: more is better."""
        arguments = {"verbose": 0} | self.filter_sk_params(Sequential.evaluate, kwargs)
        loss = self._fitted().evaluate(x, y, **arguments)
        return -float(loss[0] if isinstance(loss, list) else loss)
