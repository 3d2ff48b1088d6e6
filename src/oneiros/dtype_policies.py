# ruff: noqa: F401
"""Policies that say in which types layers store and compute."""

from .core.policy import DTypePolicy, dtype_policy, set_dtype_policy
