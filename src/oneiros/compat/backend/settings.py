"""Number types, image layout, and the engine's name."""

from types import SimpleNamespace

import jax.numpy as jnp

from ...core.config import behaviour, image_data_format, set_image_data_format
from ...core.symbol import STRING
from ...ops.table import DType, to_dtype


def backend() -> str:
    """The name of the engine: ``"jax"``, or ``"tensorflow"`` in programs for older generations, for its order of axes.

    >>> backend() in ("jax", "tensorflow")
    True
    """
    return behaviour.backend_name


def image_dim_ordering() -> str:
    """The name of `image_data_format` in Keras 1: ``"tf"`` for channels last, ``"th"`` for channels first.

    >>> image_dim_ordering()
    'tf'
    """
    return "tf" if image_data_format() == "channels_last" else "th"


def set_image_dim_ordering(dim_ordering: str) -> None:
    """The name of `set_image_data_format` in Keras 1.

    Args:
        dim_ordering: ``"tf"`` for channels last, ``"th"`` for channels first.

    Raises:
        ValueError: If it is something else.

    >>> set_image_dim_ordering("tf")
    """
    if dim_ordering not in ("tf", "th"):
        raise ValueError(f"set_image_dim_ordering: expected 'tf' or 'th'. Received: {dim_ordering!r}")
    set_image_data_format("channels_last" if dim_ordering == "tf" else "channels_first")


def legacy_weight_ordering() -> bool:
    """Returns False: the weights of a model are in the order of its layers.

    >>> legacy_weight_ordering()
    False
    """
    return False


def set_legacy_weight_ordering(value: bool) -> None:
    """Accepts False alone. Keras 1 could order weights as its first versions did, which is not supported.

    Args:
        value: False.

    Raises:
        ValueError: If it is True.

    >>> set_legacy_weight_ordering(False)
    """
    if value:
        raise ValueError("set_legacy_weight_ordering: only False is offered: weights have the order of the layers.")


def standardize_dtype(dtype: DType) -> str:
    """The name of a type.

    Args:
        dtype: A name, a NumPy type, or the type of a tensor. `None` means `floatx()`.

    >>> standardize_dtype(None)
    'float32'
    """
    if dtype == STRING or getattr(dtype, "kind", "") in ("U", "S"):
        return STRING
    return str(to_dtype(dtype))


def is_float_dtype(dtype: DType) -> bool:
    """Whether a type holds floating-point numbers.

    Args:
        dtype: A name, a NumPy type, or the type of a tensor.

    >>> is_float_dtype("float16")
    True
    """
    return standardize_dtype(dtype).startswith(("float", "bfloat"))


def is_int_dtype(dtype: DType) -> bool:
    """Whether a type holds integers.

    Args:
        dtype: A name, a NumPy type, or the type of a tensor.

    >>> is_int_dtype("float16")
    False
    """
    return standardize_dtype(dtype).startswith(("int", "uint"))


def result_type(*dtypes: DType) -> str:
    """The name of the type that results from an operation on tensors of these types.

    Args:
        *dtypes: Types; Python's `int`, `float` and `bool` stand for numbers that are not tensors.

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
