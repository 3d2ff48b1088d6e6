"""Which variant of a kernel runs: the plain reference, or the fast one made for this kind of device."""

import jax

from ..core.context import current, within

FAST_ON = {
    "convolution": "cpu",  # matrix products and sums of slices, where XLA's own convolutions are slow
    "reduction": "cpu",  # sums over all but the last axis as matrix products
    "pooling": "cpu",  # maxima of strided slices
    "attention": "cpu",  # softmax divided after the product, and its gradients in the order of factors that XLA likes
    "recurrence": "cpu",  # batch on the last axis, gates recomputed in the backward pass
    "cudnn": "gpu",  # the whole LSTM in one launch
}


def fast(kind: str) -> bool:
    """Whether the fast variant of ``kind`` (a key of ``FAST_ON``) runs here.

    It is asked while a function is traced: what is compiled already keeps its variant.
    """
    return not current().reference_kernels and jax.default_backend() == FAST_ON[kind]


def reference_kernels():
    """Forces the plain references inside a ``with`` block (``ONEIROS_KERNELS=reference`` does so everywhere)."""
    return within(reference_kernels=True)
