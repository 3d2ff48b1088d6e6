"""Attention: sums of values, weighted by how well their keys match a query.

In the shapes, T is the number of queries, S the number of keys and values, d the number of features of a query.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ..core import SeedGenerator, get_mask
from ..core.checks import one_of, positive_int
from ..core.errors import InputDataError
from ..core.fields import field, optional
from ..kernels.attention import attend, softmax
from ..kernels.random import dropout_mask
from .arguments import Constraint, Initializer, PositiveInt, Rate, Regularizer, Seed, UseBias
from .base import Layer
from .einsum_dense import EinsumDense

_PROJECTION_PARTS = tuple(
    f"{part}_{kind}" for part in ("kernel", "bias") for kind in ("initializer", "regularizer", "constraint")
)


class _Attending(Layer):
    """Turns scores into weights."""

    supports_masking = True

    dropout: Rate = field(default=0.0, doc="Fraction of the attention weights that is dropped in training.")
    seed: Seed = None

    def __post_init__(self):
        super().__post_init__()
        self.seed_generator = SeedGenerator(self.seed) if self.dropout else None

    def weigh(self, scores, mask, training):
        """Softmax over the last axis, of the entries where `mask` is True."""
        weights = softmax(scores, mask)
        if training and self.dropout:
            kept = dropout_mask(self.seed_generator.next(), self.dropout, weights.shape)
            weights = jnp.where(kept, weights / (1 - self.dropout), 0)
        return weights


def _causal(queries, keys):
    """True where a key is not later than the query, ``(queries, keys)``."""
    return jnp.arange(queries)[:, None] >= jnp.arange(keys)


class Attention(_Attending):
    """Attention by scalar products: ``softmax(query @ key.T) @ value``.

    It is called on ``[query, value]`` or ``[query, value, key]``; without a key, the value is the key too. Masks may be
    given in a list of the same order. With ``use_causal_mask=True`` no query sees later keys; with
    ``return_attention_scores=True`` the weights are returned too.

    Shapes: query ``(batch, T, d)``, value ``(batch, S, v)`` and key ``(batch, S, d)`` to ``(batch, T, v)``; the weights
    are of shape ``(batch, T, S)``. From Luong et al., "Effective Approaches to Attention-based Neural Machine
    Translation", 2015.

    >>> import numpy as np
    >>> Attention()([np.ones((1, 2, 3)), np.ones((1, 4, 3))]).shape
    (1, 2, 3)
    """

    use_scale: bool = field(default=False, first=True, doc="Whether to learn a factor for the scores.")
    score_mode: str = field(
        partial(one_of, allowed=("dot", "concat")),
        default="dot",
        first=True,
        doc='`"dot"` for scalar products, or `"concat"` for `sum(tanh(query + key))`.',
    )

    def build(self, input_shape: Sequence[tuple]) -> None:
        _check_inputs(self, input_shape)
        self.scale = self.add_weight("scale", (), initializer="ones") if self.use_scale else None
        self.concat_score_weight = None
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight("concat_score_weight", (), initializer="ones")

    def scores(self, query: Array, key: Array) -> Array:
        """How well each key matches each query.

        Args:
            query: array of shape (batch, T, d).
            key: array of shape (batch, S, d).

        Returns:
            An array of shape (batch, T, S).
        """
        scale = 1 if self.scale is None else self.scale.value
        if self.score_mode == "dot":
            return jnp.einsum("ntd,nsd->nts", query, key) * scale
        return self.concat_score_weight * jnp.tanh(scale * (query[:, :, None] + key[:, None])).sum(-1)

    def call(
        self,
        inputs: Sequence[Array],
        mask: Any = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        _check_inputs(self, inputs)
        query, value, key = inputs if len(inputs) == 3 else (*inputs, inputs[1])
        query_mask, value_mask = (*mask, None)[:2] if isinstance(mask, (list, tuple)) else (None, None)
        scores = self.scores(query, key)
        allowed = None if value_mask is None else jnp.asarray(value_mask, bool)[:, None]
        if use_causal_mask:
            causal = _causal(*scores.shape[1:])
            allowed = causal if allowed is None else allowed & causal
        weights = self.weigh(scores, allowed, training)
        result = jnp.einsum("nts,nsv->ntv", weights, value)
        if query_mask is not None:
            result = jnp.where(jnp.asarray(query_mask, bool)[..., None], result, 0)
        return [result, weights] if return_attention_scores else result

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return mask[0] if isinstance(mask, (list, tuple)) and mask else None

    def compute_output_shape(self, input_shape: Sequence[tuple]) -> tuple:
        return (*input_shape[0][:-1], input_shape[1][-1])


class AdditiveAttention(Attention):
    """Attention whose scores are sums: ``sum(scale * tanh(query + key))`` over the features.

    It is called as `Attention` is, and the shapes are the same. From Bahdanau et al., "Neural Machine Translation by
    Jointly Learning to Align and Translate", 2015.

    >>> import numpy as np
    >>> AdditiveAttention()([np.ones((1, 2, 3)), np.ones((1, 4, 3))]).shape
    (1, 2, 3)
    """

    use_scale: bool = field(default=True, doc="Whether to learn a weight for each feature.")

    score_mode = "dot"

    def build(self, input_shape: Sequence[tuple]) -> None:
        _check_inputs(self, input_shape)
        self.scale = self.add_weight("scale", (input_shape[0][-1],)) if self.use_scale else None

    def scores(self, query: Array, key: Array) -> Array:
        """How well each key matches each query, as in `Attention.scores`."""
        sums = jnp.tanh(query[:, :, None] + key[:, None])
        return (sums if self.scale is None else sums * self.scale).sum(-1)


def _check_inputs(layer, inputs):
    """`inputs`: arrays or shapes."""
    if not isinstance(inputs, (list, tuple)) or len(inputs) not in (2, 3) or isinstance(inputs[0], (int, type(None))):
        raise InputDataError(
            f"Layer {layer.name} ({type(layer).__name__}) is called on a list: [query, value] or [query, value, key]."
        )


class _Projected(_Attending):
    """Attention between learned projections, several heads side by side. Subclasses say how many, and how wide."""

    use_bias: UseBias = field(default=True, after="dropout")
    sliding_window: int = field(
        optional(positive_int),
        default=None,
        after="use_bias",
        doc="If given, a query sees only keys that are fewer than so many steps away.",
    )
    flash_attention: bool = field(
        default=None, after="sliding_window", doc="No effect: the compiler chooses how attention is computed."
    )
    kernel_initializer: Initializer = field(default="glorot_uniform", after="flash_attention")
    bias_initializer: Initializer = field(default="zeros", after="kernel_initializer")
    kernel_regularizer: Regularizer = field(default=None, after="bias_initializer")
    bias_regularizer: Regularizer = field(default=None, after="kernel_regularizer")
    activity_regularizer: Regularizer = field(default=None, after="bias_regularizer")
    kernel_constraint: Constraint = field(default=None, after="activity_regularizer")
    bias_constraint: Constraint = field(default=None, after="kernel_constraint")
    use_gate: bool = field(
        default=False,
        after="bias_constraint",
        doc="Whether what the heads attend to is multiplied by the sigmoid of a learned projection of the query.",
    )

    def _dense(self, name, equation, shape, bias_axes):
        parts = {part: getattr(self, part) for part in _PROJECTION_PARTS}
        parts = {k: p.clone() if hasattr(p, "clone") else p for k, p in parts.items()}
        bias_axes = bias_axes if self.use_bias else None
        layer = EinsumDense(equation, shape, bias_axes=bias_axes, name=name, dtype=self.dtype_policy, **parts)
        layer.supports_masking = True  # the attention itself uses the masks
        return layer

    def _project(self, heads, key_heads, key_dim, value_dim, shapes, output_shape):
        """Makes the projections, for query, value and key shapes."""
        query_shape, value_shape, key_shape = shapes
        key_shape = value_shape if key_shape is None else key_shape
        plan = {
            "query": (query_shape, heads, key_dim),
            "key": (key_shape, key_heads, key_dim),
            **({"gate": (query_shape, heads, value_dim)} if self.use_gate else {}),
            "value": (value_shape, key_heads, value_dim),
        }
        for name, (shape, count, width) in plan.items():
            axes = "abcdefg"[: len(shape) - 1]
            layer = self._dense(name, f"{axes}x,xyz->{axes}yz", (*[None] * (len(axes) - 1), count, width), "yz")
            layer.build(shape)
            setattr(self, f"{name}_dense", layer)
        axes, out = "abcdefg"[: len(query_shape) - 1], "uvw"[: len(output_shape)]
        self.output_dense = self._dense(
            "attention_output", f"{axes}yz,yz{out}->{axes}{out}", (*[None] * (len(axes) - 1), *output_shape), out
        )
        self.output_dense.build((*query_shape[:-1], heads, value_dim))

    def __call__(self, *args, **kwargs):
        value = args[1] if len(args) > 1 else kwargs.get("value")
        if len(args) > 1 and "key" not in kwargs:
            args = (*args[:2], value if len(args) == 2 or args[2] is None else args[2], *args[3:])
        elif value is not None and kwargs.get("key") is None:
            kwargs["key"] = value
        return super().__call__(*args, **kwargs)

    def call(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
        use_causal_mask=False,
    ):
        key = value if key is None else key
        query_mask, value_mask, key_mask = (
            get_mask(x) if given is None else given
            for x, given in ((query, query_mask), (value, value_mask), (None if key is value else key, key_mask))
        )
        q, k, v = self.query_dense(query), self.key_dense(key), self.value_dense(value)
        masks = [(m, axis) for m, axis in ((query_mask, -1), (value_mask, -2), (key_mask, -2)) if m is not None]
        masks = [jnp.expand_dims(jnp.asarray(m, bool).reshape(len(m), -1), axis) for m, axis in masks]
        queries, keys = (math.prod(x.shape[a] for a in self._axes(len(query.shape))) for x in (q, k))
        masks += self._near(queries, keys, use_causal_mask)
        allowed = None if attention_mask is None else jnp.asarray(attention_mask, bool)
        for more in masks:
            if allowed is not None and allowed.ndim > 3 and more.ndim == 3:
                more = jnp.expand_dims(more, -3)  # the attention mask says something for each head
            allowed = more if allowed is None else allowed & more
        attended, weights = self._compute_attention(q, k, v, allowed, training, return_attention_scores)
        if self.use_gate:
            attended = attended * jax.nn.sigmoid(self.gate_dense(query))
        output = self.output_dense(attended)
        return [output, weights] if return_attention_scores else output

    # Packages subclass this layer and call this method with what they have projected: the name is that of Keras.
    def _compute_attention(
        self, query, key, value, attention_mask=None, training=None, return_attention_scores=False, **ignored
    ):
        """What the heads attend to, from their queries, keys and values, ``(batch, T, heads, width)``.

        `attention_mask`, True where a query may see a key, is of shape (batch, T, S) or (batch, heads, T, S).
        """
        shape = query.shape[:-1]
        q, k, v = (self._heads_first(x, len(shape)) for x in (query, key, value))  # (N, ..., H, L, width)
        k, v = (jnp.repeat(x, q.shape[-3] // x.shape[-3], axis=-3) for x in (k, v))
        q = q / math.sqrt(q.shape[-1])
        allowed = None if attention_mask is None else jnp.asarray(attention_mask, bool)
        if allowed is not None and allowed.ndim == 3:
            allowed = jnp.expand_dims(allowed, -3)
        if allowed is not None and allowed.ndim > 2:
            # axes between the batch and the heads that are not attended over
            allowed = allowed.reshape(len(allowed), *[1] * (q.ndim - allowed.ndim), *allowed.shape[1:])
        weights = None
        if return_attention_scores or (training and self.dropout):
            weights = self.weigh(q @ jnp.swapaxes(k, -1, -2), allowed, training)
            attended = weights @ v
        else:
            attended = attend(q, k, v, allowed)
        return self._heads_last(attended, shape), weights

    def _near(self, queries, keys, causal):
        """Masks ``(queries, keys)`` of what each query may see by its place."""
        distance = jnp.arange(queries)[:, None] - jnp.arange(keys)
        near = [distance >= 0] if causal else []
        return near if self.sliding_window is None else [*near, abs(distance) < self.sliding_window]

    def get_config(self) -> dict:
        config = super().get_config()
        return {name: value for name, value in config.items() if name != "flash_attention"}  # as in Keras

    def _axes(self, rank):
        axes = getattr(self, "attention_axes", None)
        axes = range(1, rank - 1) if axes is None else [axes] if isinstance(axes, int) else axes
        return [a % rank for a in axes]

    def _heads_first(self, x, rank):
        axes = self._axes(rank)
        others = [a for a in range(1, x.ndim - 2) if a not in axes]
        x = x.transpose(0, *others, x.ndim - 2, *axes, x.ndim - 1)
        return x.reshape(*x.shape[: len(others) + 2], -1, x.shape[-1])

    def _heads_last(self, x, shape):
        axes = self._axes(len(shape))
        others = [a for a in range(1, len(shape) - 1) if a not in axes]
        x = x.reshape(*x.shape[: len(others) + 2], *(shape[a] for a in axes), x.shape[-1])
        order = [0, *others, len(shape) - 1, *axes, len(shape)]
        return x.transpose([order.index(a) for a in range(len(order))])

    def compute_output_shape(self, query_shape, value_shape=None, key_shape=None):
        return (*query_shape[:-1], *self._output_tail(query_shape))

    def _output_tail(self, query_shape):
        return (query_shape[-1],)


def _tail_shape(name, value):
    return (value,) if isinstance(value, int) else value


class MultiHeadAttention(_Projected):
    """Several attentions, called heads, side by side, each between learned projections of its own.

    It is called with a query, a value, and optionally a key (by default the value). Further arguments of the call:
    `query_mask`, `value_mask` and `key_mask`, `attention_mask`, `use_causal_mask`, and `return_attention_scores`, which
    asks for the weights too.

    Shapes: query ``(batch, T, d)``, value ``(batch, S, v)`` and key ``(batch, S, k)`` to ``(batch, T, d)``; masks
    ``(batch, T)`` and ``(batch, S)``, attention mask ``(batch, T, S)``; the weights are of shape
    ``(batch, num_heads, T, S)``. From Vaswani et al., "Attention Is All You Need", 2017.

    >>> import numpy as np
    >>> x = np.ones((1, 4, 6))
    >>> MultiHeadAttention(num_heads=2, key_dim=3)(x, x).shape
    (1, 4, 6)
    """

    names_in_files = {"gate_dense": "_gate_dense"}

    num_heads: PositiveInt = field(first=True, doc="Number of heads.")
    key_dim: PositiveInt = field(first=True, doc="Width of the queries and keys of each head.")
    value_dim: int = field(
        optional(positive_int), default=None, first=True, doc="Width of the values of each head. Defaults to `key_dim`."
    )
    _output_shape: tuple = field(
        _tail_shape,
        default=None,
        after="use_bias",
        alias="output_shape",
        doc="Features of the outputs, instead of d.",
    )
    attention_axes: int | tuple = field(
        default=None, after="output_shape", doc="Axes to attend over. Defaults to all between batch and features."
    )

    def __post_init__(self):
        super().__post_init__()
        if self.value_dim is None:
            self.value_dim = self.key_dim

    def build(self, query_shape: tuple, value_shape: tuple, key_shape: tuple | None = None) -> None:
        shapes = (query_shape, value_shape, key_shape)
        heads = self.num_heads
        self._project(heads, heads, self.key_dim, self.value_dim, shapes, self._output_tail(query_shape))

    def _output_tail(self, query_shape):
        return tuple(self._output_shape or (query_shape[-1],))


class GroupedQueryAttention(_Projected):
    """Multi-head attention in which groups of heads share their keys and values.

    It is called as `MultiHeadAttention` is, and the shapes are the same. From Ainslie et al., "GQA: Training
    Generalized Multi-Query Transformer Models from Multi-Head Checkpoints", 2023.

    >>> import numpy as np
    >>> x = np.ones((1, 4, 6))
    >>> GroupedQueryAttention(head_dim=3, num_query_heads=4, num_key_value_heads=2)(x, x).shape
    (1, 4, 6)
    """

    prefix_in_files = "_"

    head_dim: PositiveInt = field(first=True, doc="Width of each head.")
    num_query_heads: PositiveInt = field(first=True, doc="Number of query heads, a multiple of `num_key_value_heads`.")
    num_key_value_heads: PositiveInt = field(first=True, doc="Number of heads for keys and values.")

    def __post_init__(self):
        super().__post_init__()
        if self.num_query_heads % self.num_key_value_heads:
            raise InputDataError(
                "GroupQueryAttention: num_query_heads must be a multiple of num_key_value_heads. Received: "
                f"num_query_heads={self.num_query_heads}, num_key_value_heads={self.num_key_value_heads}"
            )

    def build(self, query_shape: tuple, value_shape: tuple, key_shape: tuple | None = None) -> None:
        heads, groups, width = self.num_query_heads, self.num_key_value_heads, self.head_dim
        self._project(
            heads, groups, width, width, (query_shape, value_shape, key_shape or value_shape), (query_shape[-1],)
        )
