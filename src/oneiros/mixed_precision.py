# ruff: noqa: F401
"""Mixed precision: 16-bit arithmetic on 32-bit weights."""

from .core.policy import DTypePolicy, dtype_policy, set_dtype_policy
from .core.policy import DTypePolicy as Policy
from .core.policy import dtype_policy as global_policy
from .core.policy import set_dtype_policy as set_global_policy
