# ruff: noqa: F401
"""Settings: number types, epsilon, image layout, dtype policy."""

from .core.config import (
    check_finite,
    data_timeout,
    debug_nans,
    disable_flash_attention,
    disable_interactive_logging,
    enable_flash_attention,
    enable_interactive_logging,
    epsilon,
    floatx,
    image_data_format,
    is_flash_attention_enabled,
    is_interactive_logging_enabled,
    max_epochs,
    max_steps_per_epoch,
    set_check_finite,
    set_data_timeout,
    set_debug_nans,
    set_epsilon,
    set_floatx,
    set_image_data_format,
    set_max_epochs,
    set_max_steps_per_epoch,
)
from .core.policy import dtype_policy, set_dtype_policy
from .core.safety import enable_unsafe_deserialization
from .core.traceback import (
    disable_traceback_filtering,
    enable_traceback_filtering,
    is_traceback_filtering_enabled,
)


def backend() -> str:
    """The name of the engine: always 'jax'."""
    return "jax"


def set_backend(backend: str) -> None:
    """Accepts 'jax', which is the only engine.

    Args:
        backend: The name of an engine.

    Raises:
        ValueError: If another one is asked for.
    """
    if backend != "jax":
        raise ValueError(f"set_backend: there is one engine here, 'jax'. Received: backend={backend!r}")


def is_nnx_enabled() -> bool:
    """Whether variables are those of Flax NNX: never.

    >>> is_nnx_enabled()
    False
    """
    return False
