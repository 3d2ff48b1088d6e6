"""Number types, image layout, and the engine's name."""

from types import SimpleNamespace

import jax.numpy as jnp

from ...core.config import behaviour, image_data_format, set_image_data_format
from ...ops.table import to_dtype


def backend():
    """The name of the engine: 'jax'; programs for older generations are told 'tensorflow', for its channel order."""
    return behaviour.backend_name


def image_dim_ordering():
    """Keras 1's `image_data_format`: 'tf' (channels last) or 'th'."""
    return "tf" if image_data_format() == "channels_last" else "th"


def set_image_dim_ordering(dim_ordering):
    """Keras 1's `set_image_data_format`: 'tf' (channels last) or 'th'."""
    if dim_ordering not in ("tf", "th"):
        raise ValueError(f"set_image_dim_ordering: expected 'tf' or 'th'. Received: {dim_ordering!r}")
    set_image_data_format("channels_last" if dim_ordering == "tf" else "channels_first")


def legacy_weight_ordering():
    """False: the weights of a model have the order of its layers."""
    return False


def set_legacy_weight_ordering(value):
    """Keras 1 could order weights as its first versions did; that is not offered."""
    if value:
        raise ValueError("set_legacy_weight_ordering: only False is offered: weights have the order of the layers.")


def standardize_dtype(dtype):
    """The name of a type given by name, NumPy type or tensor type; ``None`` means `floatx()`."""
    return str(to_dtype(dtype))


def is_float_dtype(dtype):
    """Whether a type holds floating-point numbers."""
    return standardize_dtype(dtype).startswith(("float", "bfloat"))


def is_int_dtype(dtype):
    """Whether a type holds integers."""
    return standardize_dtype(dtype).startswith(("int", "uint"))


def result_type(*dtypes):
    """The name of the type that results when tensors (or Python's int and float) of these types meet.

    >>> result_type("int32", "float16"), result_type("int32", float)
    ('float16', 'float32')
    """
    python = {int: 0, float: 0.0, bool: False}
    known = [python[d] if d in python else to_dtype(d) for d in dtypes or ("float32",)]
    return str(jnp.result_type(*known))


# tf.keras could choose between two random generators. Here there is one, with a seed: the new one.
experimental = SimpleNamespace(
    enable_tf_random_generator=lambda: None,
    disable_tf_random_generator=lambda: None,
    is_tf_random_generator_enabled=lambda: True,
)
