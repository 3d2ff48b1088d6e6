"""`keras.utils.test_utils`: what tests of layers are written with."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import layers, models
from . import backend


def get_test_data(
    num_train: int = 1000,
    num_test: int = 500,
    input_shape: tuple = (10,),
    output_shape: Any = (2,),
    classification: bool = True,
    num_classes: int = 2,
) -> tuple:
    """Random data that can be learned: ``(x_train, y_train), (x_test, y_test)``."""
    count = num_train + num_test
    centres = np.random.randint(0, num_classes if classification else 2, size=(count,))
    x = np.zeros((count, *input_shape), "float32")
    y = centres if classification else np.zeros((count, *output_shape), "float32")
    for i, centre in enumerate(centres):
        x[i] = np.random.normal(centre, 0.7, input_shape)
        if not classification:
            y[i] = np.random.normal(centre, 0.7, output_shape)
    return (x[:num_train], y[:num_train]), (x[num_train:], y[num_train:])


def keras_test(func: Callable) -> Callable:
    """A decorator for tests: names are counted anew afterwards."""

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        try:
            return func(*args, **kwargs)
        finally:
            backend.clear_session()

    return wrapper


def layer_test(
    layer_cls: Any,
    kwargs: dict | None = None,
    input_shape: tuple | None = None,
    input_dtype: Any = None,
    input_data: Any = None,
    expected_output: Any = None,
    expected_output_dtype: Any = None,
    fixed_batch_size: bool = False,
) -> Any:
    """Tests a layer: configuration, weights, shapes, a model of it, and a training step. Returns its output."""
    kwargs = dict(kwargs or {})
    if input_data is None:
        shape = tuple(np.random.randint(1, 4) if d is None else d for d in input_shape)
        data = 10 * np.random.random(shape)
        input_data = (data - 0.5 if (input_dtype or "float32").startswith("float") else data).astype(
            input_dtype or backend.floatx()
        )
    input_shape = tuple(input_shape or input_data.shape)
    input_dtype = input_dtype or str(input_data.dtype)
    batch_shape = input_shape if fixed_batch_size else (None, *input_shape[1:])

    layer = layer_cls(**kwargs)
    weights = layer.get_weights()
    layer.set_weights(weights)

    x = layers.Input(batch_shape=batch_shape, dtype=input_dtype)
    y = layer(x)
    if expected_output_dtype is not None and backend.dtype(y) != expected_output_dtype:
        raise AssertionError(
            f"{layer_cls.__name__}: expected the type {expected_output_dtype}, got {backend.dtype(y)}."
        )
    model = models.Model(x, y)
    output = model.predict(input_data, verbose=0)
    _check_shape(layer_cls, layer.compute_output_shape(input_shape), output.shape)
    if expected_output is not None:
        np.testing.assert_allclose(output, expected_output, rtol=1e-3)

    recovered = models.Model.from_config(model.get_config(), custom_objects={layer_cls.__name__: layer_cls})
    if model.weights:
        recovered.set_weights(model.get_weights())
        np.testing.assert_allclose(recovered.predict(input_data, verbose=0), output, rtol=1e-3)
    model.compile("rmsprop", "mse")
    model.train_on_batch(input_data, output)

    config = layer.get_config()
    config["batch_input_shape"] = input_shape
    sequential = models.Sequential([layer.__class__.from_config(config)])
    output = sequential.predict(input_data, verbose=0)
    _check_shape(layer_cls, sequential.output_shape, output.shape)
    sequential.compile("rmsprop", "mse")
    sequential.train_on_batch(input_data, output)
    return output


def _check_shape(layer_cls, expected, actual):
    if len(expected) != len(actual) or any(e is not None and e != a for e, a in zip(expected, actual)):
        raise AssertionError(f"{layer_cls.__name__}: expected the output shape {tuple(expected)}, got {actual}.")
