"""Policies that say in which types layers store and compute, and how their weights are quantized."""

import re
from collections.abc import Iterator, MutableMapping
from typing import Any

from . import core
from .core.policy import (
    AWQDTypePolicy,
    DTypePolicy,
    FloatDTypePolicy,
    GPTQDTypePolicy,
    Int4DTypePolicy,
    QuantizedDTypePolicy,
    QuantizedFloat8DTypePolicy,
    dtype_policy,
    get,
    set_dtype_policy,
)

__all__ = [
    "AWQDTypePolicy",
    "DTypePolicy",
    "DTypePolicyMap",
    "FloatDTypePolicy",
    "GPTQDTypePolicy",
    "Int4DTypePolicy",
    "QuantizedDTypePolicy",
    "QuantizedFloat8DTypePolicy",
    "deserialize",
    "dtype_policy",
    "get",
    "serialize",
    "set_dtype_policy",
]
_kind = core.kind("dtype policy")


def serialize(dtype_policy: DTypePolicy) -> dict:
    """The configuration of a policy, in the form of Keras 3.

    Args:
        dtype_policy: the policy.

    >>> serialize(DTypePolicy("float16"))["config"]
    {'name': 'float16'}
    """
    name = type(dtype_policy).__name__
    module = "keras" if name == "DTypePolicy" else "keras.dtype_policies"
    return {"module": module, "class_name": name, "config": dtype_policy.get_config(), "registered_name": None}


def deserialize(config: dict, custom_objects: dict | None = None) -> DTypePolicy:
    """Makes a policy from its configuration.

    Args:
        config: what `serialize` returned.
        custom_objects: a dictionary from names to classes of the caller's.

    >>> deserialize(serialize(QuantizedDTypePolicy("int8", "float32"))).name
    'int8_from_float32'
    """
    return _kind.deserialize(config, custom_objects)


class DTypePolicyMap(DTypePolicy, MutableMapping):
    """The policies of the layers of a model, by their paths. It is given to a layer as `dtype`, with layers inside.

    A key is the path of a layer, such as `"model/encoder/dense"`, or a regular expression that matches whole paths.
    A path without a policy has the default one.

    Args:
        default_policy: the policy of layers that no key stands for. By default the global one at the time of use.
        policy_map: a dictionary from keys to policies.

    >>> policies = DTypePolicyMap("float32", {"model/decoder/.*": "bfloat16"})
    >>> policies["model/decoder/dense"].name, policies["model/head"].name, len(policies)
    ('bfloat16', 'float32', 1)
    """

    def __init__(self, default_policy: Any = None, policy_map: dict | None = None):
        if policy_map is not None and (not isinstance(policy_map, dict) or isinstance(policy_map, DTypePolicy)):
            raise TypeError(f"If specified, `policy_map` must be a dict. Received: policy_map={policy_map!r}")
        self._given = None if default_policy is None else get(default_policy)
        self._policies = {key: get(value) for key, value in (policy_map or {}).items()}

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of layers that no key stands for."""
        return self._given or dtype_policy()

    name = property(lambda self: self.default_policy.name, doc="The name of the default policy.")
    compute_dtype = property(lambda self: self.default_policy.compute_dtype, doc="That of the default policy.")
    variable_dtype = property(lambda self: self.default_policy.variable_dtype, doc="That of the default policy.")
    quantization_mode = property(lambda self: self.default_policy.quantization_mode, doc="That of the default policy.")

    def __getitem__(self, key: str) -> DTypePolicy:
        if key in self._policies:
            return self._policies[key]
        matching = [pattern for pattern in self._policies if re.fullmatch(pattern, key)]
        if len(matching) > 1:
            raise ValueError(
                f"Path '{key}' matches multiple dtype policy specification keys: {matching}. Please make sure that "
                "each path matches at most one of them."
            )
        return self._policies[matching[0]] if matching else self.default_policy

    def __setitem__(self, key: str, policy: DTypePolicy) -> None:
        if key in self._policies:
            raise ValueError(f"{key} already exist in the DTypePolicyMap with value {self._policies[key]!r}.")
        try:
            self._policies[key] = get(policy)
        except (TypeError, ValueError) as error:
            raise ValueError(f"Cannot interpret the assigned value. {error}") from None

    def __delitem__(self, key: str) -> None:
        del self._policies[key]

    def __contains__(self, key: object) -> bool:
        return key in self._policies

    def pop(self, key: str) -> DTypePolicy:
        """Removes the policy of a key, and returns it.

        Raises:
            KeyError: if there is no such key.
        """
        return self._policies.pop(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._policies)

    def __len__(self) -> int:
        return len(self._policies)

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other):
        same = isinstance(other, DTypePolicyMap) and self._given == other._given
        return same and self._policies == other._policies

    __hash__ = object.__hash__

    def __repr__(self):
        mapping = [(key, policy.name) for key, policy in self._policies.items()]
        given = None if self._given is None else self._given.name
        return f"<DTypePolicyMap at {hex(id(self))} default_policy={given}, mapping={mapping}>"

    def get_config(self) -> dict:
        """The constructor's arguments. Without a default policy, types are those of whoever reads it, as in Keras 3."""
        entries = {key: serialize(policy) for key, policy in self._policies.items()}
        if self._given is None:
            for entry in entries.values():
                entry["config"]["source_name" if "source_name" in entry["config"] else "name"] = None
        return {"default_policy": None if self._given is None else self._given.name, "policy_map": entries}

    @classmethod
    def from_config(cls, config: dict) -> "DTypePolicyMap":
        """A new map from what `get_config` returned."""
        return cls(**config)
