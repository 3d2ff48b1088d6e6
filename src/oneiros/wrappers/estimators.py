"""Keras 3's wrappers: a compiled model, or a function that makes one, as an estimator of scikit-learn."""

import functools
from typing import Any

import numpy as np

from ..core.errors import InputDataError
from ..models import clone_model

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
    from sklearn.exceptions import NotFittedError
    from sklearn.preprocessing import OneHotEncoder
    from sklearn.utils.multiclass import type_of_target
    from sklearn.utils.validation import check_array, check_is_fitted, check_X_y
except ImportError as error:
    raise ImportError(
        f"The wrappers for scikit-learn need scikit-learn: pip install scikit-learn. ({error})"
    ) from error


class _Wrapper(BaseEstimator):
    """A Keras model as an estimator of scikit-learn."""

    def __init__(self, model, warm_start=False, model_kwargs=None, fit_kwargs=None):
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags

    def __sklearn_clone__(self):
        """A model is copied by what it is made of, not trained further by both."""
        return type(self)(
            model=self._fresh_model() if _is_model(self.model) else self.model,
            warm_start=self.warm_start,
            model_kwargs=self.model_kwargs,
            fit_kwargs=self.fit_kwargs,
        )

    def _fresh_model(self):
        model = clone_model(self.model)
        config = self.model.get_compile_config()
        if config is not None:
            model.compile_from_config(config)
        return model

    def _make_model(self, x, y):
        model = self._fresh_model() if _is_model(self.model) else self.model(x, y, **(self.model_kwargs or {}))
        if getattr(model, "optimizer", None) is None or model.loss is None:
            raise InputDataError(f"{type(self).__name__}: the model must be compiled with a loss and an optimizer.")
        return model

    def _fit(self, x, y, **kwargs):
        x, y = self._checked(x, y)
        target = self._encode(y)
        if not (self.warm_start and hasattr(self, "model_")):
            self.model_ = self._make_model(x, target)
        self.history_ = self.model_.fit(x, target, **{"verbose": 0} | (self.fit_kwargs or {}) | kwargs)
        self.n_features_in_ = x.shape[1] if x.ndim > 1 else 1
        return self

    def fit(self, X, y, **kwargs):  # noqa: N803 - scikit-learn's names
        """Trains the model on features X, shape (samples, ...), and targets y; kwargs go to the model's `fit`."""
        return self._fit(X, y, **kwargs)

    def _checked(self, x, y):
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        return check_X_y(x, y, multi_output=True, allow_nd=True, y_numeric=self._numeric)

    _numeric = False

    def _encode(self, y):
        return y

    def _predict(self, x):
        check_is_fitted(self, "model_")
        x = check_array(x, allow_nd=True)
        if x.ndim == 2 and x.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {x.shape[1]} features, but {type(self).__name__} is expecting {self.n_features_in_} features "
                "as input."
            )
        return self.model_.predict(x, verbose=0)


def _is_model(model):
    return hasattr(model, "get_weights")


class SKLearnClassifier(ClassifierMixin, _Wrapper):
    """A classifier whose model returns one probability for each class; its targets are one-hot.

    After `fit`, ``model_`` is the trained model and ``history_`` its History.

    Args:
        model: A compiled model, which is copied, or a function ``model(X, y, **model_kwargs)`` that returns one.
        warm_start: Whether another `fit` goes on with the trained model.
        model_kwargs: Arguments of the function.
        fit_kwargs: Arguments of the model's `fit`, such as ``{"epochs": 10}``.

    >>> import numpy as np
    >>> import oneiros as keras
    >>> model = keras.Sequential([keras.layers.Dense(2, activation="softmax", input_shape=(3,))])
    >>> model.compile("sgd", "categorical_crossentropy")
    >>> SKLearnClassifier(model).fit(np.eye(3), [0, 1, 1]).predict_proba(np.eye(3)).shape
    (3, 2)
    """

    def _checked(self, x, y):
        x, y = super()._checked(x, y)
        if type_of_target(y) not in ("binary", "multiclass"):
            raise ValueError(f"Unknown label type: {type_of_target(y)}. SKLearnClassifier needs one class a sample.")
        return x, y

    def _encode(self, y):
        fresh = not (self.warm_start and hasattr(self, "model_"))
        y = y.reshape(-1, 1)
        if fresh:
            self._encoder = OneHotEncoder(sparse_output=False).fit(y)
            self.classes_ = self._encoder.categories_[0]
            if len(self.classes_) < 2:
                raise ValueError(f"SKLearnClassifier: y holds one class only: {self.classes_[0]!r}. Two are needed.")
        return self._encoder.transform(y)

    def predict_proba(self, X: Any) -> np.ndarray:  # noqa: N803
        """The probability of each class: shape (samples, classes)."""
        return self._predict(X)

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """The likeliest class of each sample."""
        indices = self._predict(X).argmax(-1)
        return self.classes_[indices]


class SKLearnRegressor(RegressorMixin, _Wrapper):
    """A regressor: predictions are the model's outputs.

    After `fit`, ``model_`` is the trained model and ``history_`` its History.

    Args:
        model: A compiled model, which is copied, or a function ``model(X, y, **model_kwargs)`` that returns one.
        warm_start: Whether another `fit` goes on with the trained model.
        model_kwargs: Arguments of the function.
        fit_kwargs: Arguments of the model's `fit`, such as ``{"epochs": 10}``.

    >>> import numpy as np
    >>> import oneiros as keras
    >>> model = keras.Sequential([keras.layers.Dense(2, activation="softmax", input_shape=(3,))])
    >>> model.compile("sgd", "mse")
    >>> SKLearnRegressor(model).fit(np.eye(3), np.ones((3, 2))).predict(np.eye(3)).shape
    (3, 2)
    """

    _numeric = True

    def fit(self, X: Any, y: Any, **kwargs) -> "SKLearnRegressor":  # noqa: N803
        """Trains the model on features X, shape (samples, ...), and targets y of shape (samples,) or 2-D."""
        self._flat = getattr(y, "ndim", 1) == 1
        return self._fit(X, y, **kwargs)

    def _encode(self, y):
        return y.reshape(-1, 1) if y.ndim == 1 else y

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """The model's outputs, in the shape that the targets had."""
        outputs = self._predict(X)
        return outputs.reshape(-1) if self._flat else outputs


class SKLearnTransformer(TransformerMixin, _Wrapper):
    """A transformer: the model's outputs are new features.

    After `fit`, ``model_`` is the trained model and ``history_`` its History.

    Args:
        model: A compiled model, which is copied, or a function ``model(X, y, **model_kwargs)`` that returns one.
        warm_start: Whether another `fit` goes on with the trained model.
        model_kwargs: Arguments of the function.
        fit_kwargs: Arguments of the model's `fit`, such as ``{"epochs": 10}``.

    >>> import numpy as np
    >>> import oneiros as keras
    >>> model = keras.Sequential([keras.layers.Dense(2, activation="softmax", input_shape=(3,))])
    >>> model.compile("sgd", "mse")
    >>> SKLearnTransformer(model).fit(np.eye(3), np.eye(3)[:, :2]).transform(np.eye(3)).shape
    (3, 2)
    """

    def transform(self, X: Any) -> np.ndarray:  # noqa: N803
        """The model's outputs."""
        return self._predict(X)

    @functools.wraps(TransformerMixin.fit_transform)
    def fit_transform(self, X: Any, y: Any = None, **kwargs) -> np.ndarray:  # noqa: N803
        return self.fit(X, y, **kwargs).transform(X)


__all__ = ["NotFittedError", "SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]
