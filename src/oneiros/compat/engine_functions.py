"""Functions of `keras.engine` that are methods of models today."""

import pickle
from typing import Any


def fit_generator(model: Any, *args, **kwargs) -> Any:
    """``model.fit_generator`` as a function."""
    return model.fit_generator(*args, **kwargs)


def evaluate_generator(model: Any, *args, **kwargs) -> Any:
    """``model.evaluate_generator`` as a function."""
    return model.evaluate_generator(*args, **kwargs)


def predict_generator(model: Any, *args, **kwargs) -> Any:
    """``model.predict_generator`` as a function."""
    return model.predict_generator(*args, **kwargs)


def pickle_model(model: Any) -> bytes:
    """A model as bytes, for `unpickle_model`.

    Args:
        model: The model.
    """
    return pickle.dumps(model)


def unpickle_model(state: bytes) -> Any:
    """The model in what `pickle_model` returned. Unpickling runs code: load only what you trust.

    Args:
        state: The bytes.
    """
    return pickle.loads(state)  # noqa: S301
