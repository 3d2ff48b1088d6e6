# ruff: noqa: F401
"""Settings: number types, epsilon, image layout, dtype policy."""

from .core.config import (
    check_finite,
    data_timeout,
    debug_nans,
    epsilon,
    floatx,
    image_data_format,
    set_check_finite,
    set_data_timeout,
    set_debug_nans,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from .core.policy import dtype_policy, set_dtype_policy
from .core.traceback import (
    disable_traceback_filtering,
    enable_traceback_filtering,
    is_traceback_filtering_enabled,
)


def backend():
    """The name of the engine: always 'jax'."""
    return "jax"
