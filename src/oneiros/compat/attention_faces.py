"""What packages that subclass the attention of Keras 3 read of it under names that begin with an underscore."""

from typing import Any

import jax.numpy as jnp

from ..layers import Dropout, GroupedQueryAttention, MultiHeadAttention, Softmax
from ..layers.base import Layer

_SHARED = tuple(
    f"{part}_{kind}" for part in ("kernel", "bias") for kind in ("initializer", "regularizer", "constraint")
)
_PUBLIC = (
    *("query_dense", "key_dense", "value_dense", "output_dense", "num_heads", "key_dim", "value_dim", "use_bias"),
    *("activity_regularizer", *_SHARED),
)


class _Face:
    """A second name of a public attribute."""

    def __init__(self, name):
        self.name = name

    def __get__(self, layer, cls):
        return self if layer is None else getattr(layer, self.name)

    def __set__(self, layer, value):
        setattr(layer, self.name, value)


def common_arguments(layer: Layer) -> dict[str, Any]:
    """The arguments that an attention hands on to the layers it is made of.

    Args:
        layer: The attention.

    >>> type(common_arguments(MultiHeadAttention(2, 3))["bias_initializer"]).__name__
    'Zeros'
    """
    shared = {name: getattr(layer, name) for name in _SHARED}
    shared = {name: part.clone() if hasattr(part, "clone") else part for name, part in shared.items()}
    return {**shared, "dtype": layer.dtype_policy}


def prepare(layer: Layer, rank: int) -> None:
    """Sets the equations and the layers with which subclasses turn queries and keys into weights, and add up values.

    Args:
        layer: The attention.
        rank: The number of axes of a projected query, ``(batch, T, heads, width)``.
    """
    axes = layer.attention_axes
    axes = tuple(range(1, rank - 2)) if axes is None else (axes,) if isinstance(axes, int) else tuple(axes)
    layer._attention_axes = axes
    letters = "abcdefghijkl"
    query = letters[:rank]
    key = list(query)
    for letter, axis in zip(letters[rank:], axes):
        key[axis] = letter
    key = "".join(key)
    others = "".join(query[a] for a in range(rank - 1) if a not in axes)
    product = others + "".join(query[a] for a in axes) + "".join(key[a] for a in axes)
    layer._dot_product_equation, layer._combine_equation = f"{key},{query}->{product}", f"{product},{key}->{query}"
    last = tuple(range(-len(axes), 0))
    layer._softmax = Softmax(axis=last if len(last) > 1 else -1, dtype=layer.dtype_policy)
    layer._dropout_layer = Dropout(layer.dropout, dtype=layer.dtype_policy, seed=layer.seed)


def masked_softmax(layer: Layer, attention_scores: Any, attention_mask: Any = None) -> Any:
    """Softmax over the keys, where the mask is True.

    Args:
        layer: The attention.
        attention_scores: Array of shape (batch, heads, T, S).
        attention_mask: Array of shape (batch, T, S).
    """
    if attention_mask is not None:
        attention_mask = jnp.asarray(attention_mask, bool)
        while attention_mask.ndim < attention_scores.ndim:
            attention_mask = jnp.expand_dims(attention_mask, -3)
    return layer.weigh(attention_scores, attention_mask, False)


class _Methods:
    _get_common_kwargs_for_sublayer = common_arguments
    _build_attention = prepare
    _masked_softmax = masked_softmax
    _inverse_sqrt_key_dim = property(lambda self: self.key_dim**-0.5)


def add_faces() -> None:
    """Gives the attention layers these names."""
    for cls in (MultiHeadAttention, GroupedQueryAttention):
        for name in _PUBLIC:
            setattr(cls, f"_{name}", _Face(name))
        for name, value in vars(_Methods).items():
            if not name.startswith("__"):
                setattr(cls, name, value)
