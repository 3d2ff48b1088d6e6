"""The number types of layers: one for the weights, and one for the computation."""

import jax.numpy as jnp

from . import config


class DTypePolicy:
    """The number types of a layer.

    Args:
        name: a type such as `"float32"`, which is used for everything; or `"mixed_bfloat16"` or `"mixed_float16"`, for
            float32 weights and 16-bit arithmetic. By default `floatx()`.

    Raises:
        ValueError: if the name is not that of a type.

    >>> policy = DTypePolicy("mixed_bfloat16")
    >>> policy.variable_dtype, policy.compute_dtype
    ('float32', 'bfloat16')
    """

    def __init__(self, name: str | None = None):
        self.name = name or config.floatx()
        if self.name.startswith("mixed_"):
            self.compute_dtype, self.variable_dtype = self.name.removeprefix("mixed_"), "float32"
        else:
            self.compute_dtype = self.variable_dtype = self.name
        try:
            jnp.dtype(self.compute_dtype)
        except TypeError:
            raise ValueError(
                f"Cannot convert {name!r} to a dtype policy. Expected a type name such as 'float32', "
                "'mixed_bfloat16' or 'mixed_float16'."
            ) from None
        config.require_float64(self.compute_dtype)

    def __eq__(self, other):
        return isinstance(other, DTypePolicy) and other.name == self.name

    def __hash__(self):
        return hash(self.name)

    def __repr__(self):
        return f'<DTypePolicy "{self.name}">'

    def get_config(self) -> dict:
        """The constructor's arguments."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config):
        """A new policy from what `get_config` returned."""
        return cls(**config)


def get(identifier) -> DTypePolicy:
    """The policy for a name, a NumPy type, a configuration or a policy; the global one for `None`."""
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return get(identifier["config"]["name"])
    if isinstance(identifier, str) and identifier.startswith("mixed_"):
        return DTypePolicy(identifier)
    return DTypePolicy(getattr(identifier, "name", None) or str(jnp.dtype(identifier)))


def dtype_policy() -> DTypePolicy:
    """The policy of layers that are made without one."""
    return config.settings.dtype_policy or DTypePolicy(config.floatx())


def set_dtype_policy(policy) -> None:
    """Sets the policy of layers that are made without one.

    Args:
        policy: a name, a type or a policy; `None` stands for `floatx()`.
    """
    config.settings.dtype_policy = None if policy is None else get(policy)
