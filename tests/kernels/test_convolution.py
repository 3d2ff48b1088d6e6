"""Convolutions against loops in NumPy and SciPy, and the fast variant against the plain one, gradients included."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st

from oneiros.kernels import convolution
from oneiros.kernels.dispatch import reference_kernels


def numpy_conv(x, kernel, strides, pads, dilation, groups):
    """One output position at a time."""
    x = np.pad(x.astype("float64"), ((0, 0), *pads, (0, 0)))
    size, (depth, filters) = kernel.shape[:-2], kernel.shape[-2:]
    out = [(n - (k - 1) * d - 1) // s + 1 for n, k, s, d in zip(x.shape[1:-1], size, strides, dilation)]
    y = np.zeros((x.shape[0], *out, filters))
    for position in np.ndindex(*out):
        window = tuple(
            slice(p * s, p * s + (k - 1) * d + 1, d) for p, s, k, d in zip(position, strides, size, dilation)
        )
        patch = x[(slice(None), *window)].reshape(x.shape[0], -1, groups, depth)
        weights = kernel.reshape(-1, depth, groups, filters // groups)
        y[(slice(None), *position)] = np.einsum("nkgc,kcgf->ngf", patch, weights).reshape(x.shape[0], filters)
    return y


@st.composite
def problems(draw):
    rank = draw(st.integers(1, 3))
    per_axis = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(rank))  # noqa: E731
    kernel, dilation = per_axis(1, 3), per_axis(1, 2)
    strides = per_axis(1, 3)
    spatial = tuple((k - 1) * d + 1 + draw(st.integers(0, 4)) for k, d in zip(kernel, dilation))
    groups = draw(st.sampled_from([1, 1, 2, 4]))
    channels = draw(st.sampled_from([1, 3])) if groups == 1 else 4
    filters = groups * draw(st.integers(1, 2))
    explicit = [(draw(st.integers(0, 2)), draw(st.integers(0, 2))) for _ in range(rank)]
    padding = draw(st.sampled_from(["valid", "same", explicit] + ["causal"] * (rank == 1)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    x = rng.normal(size=(draw(st.integers(1, 4)), *spatial, channels)).astype("float32")
    w = rng.normal(size=(*kernel, channels // groups, filters)).astype("float32")
    return x, w, strides, padding, dilation, groups


@settings(max_examples=20, deadline=None)
@given(problem=problems())
def test_fast_equals_reference_and_numpy(problem):
    x, w, strides, padding, dilation, groups = problem

    def loss(x, w):
        y = convolution.conv(x, w, strides, padding, dilation, groups)
        return jnp.sum(jnp.sin(y)), y

    def evaluate():
        (_, y), gradients = jax.value_and_grad(loss, (0, 1), has_aux=True)(x, w)
        return y, *gradients

    fast = evaluate()
    with reference_kernels():
        plain = evaluate()
    for a, b in zip(fast, plain, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-4, rtol=1e-4)
    pads = convolution.pad_widths(x.shape[1:-1], w.shape[:-2], strides, padding, dilation)
    np.testing.assert_allclose(plain[0], numpy_conv(x, w, strides, pads, dilation, groups), atol=1e-4)
    if isinstance(padding, str):
        sizes = zip(x.shape[1:-1], w.shape[:-2], strides, dilation)
        assert plain[0].shape[1:-1] == tuple(
            convolution.conv_output_length(n, k, padding, s, d) for n, k, s, d in sizes
        )


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_against_scipy(padding):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(1, 9, 8, 1)).astype("float32"), rng.normal(size=(3, 3, 1, 1)).astype("float32")
    y = convolution.conv(x, w, 1, padding)
    np.testing.assert_allclose(y[0, ..., 0], scipy.signal.correlate(x[0, ..., 0], w[..., 0, 0], padding), atol=1e-5)


@pytest.mark.parametrize("multiplier", [1, 2])
def test_depthwise(multiplier):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2, 6, 5, 3)).astype("float32"), rng.normal(size=(3, 2, 3, multiplier)).astype("float32")
    y = convolution.depthwise_conv(x, w, 2, "same")
    for c, m in np.ndindex(3, multiplier):
        single = convolution.conv(x[..., c : c + 1], w[:, :, c : c + 1, m : m + 1], 2, "same")
        np.testing.assert_allclose(y[..., c * multiplier + m], single[..., 0], atol=1e-5)


@pytest.mark.parametrize(
    "padding,strides,dilation,extra",
    [(p, s, 1, e) for p, s, e in itertools.product(["valid", "same"], [1, 2, 3], [None, 0]) if s > 1 or not e]
    + [("valid", 1, 2, None), ("same", 1, 2, None), ("same", 2, 1, 1), ("valid", 3, 1, 2)],
)
def test_transpose_is_adjoint(padding, strides, dilation, extra):
    """``<conv(a), b> == <a, conv_transpose(b)>``: the definition, with Keras' output length."""
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(3, 2, 4, 5)).astype("float32")
    b = rng.normal(size=(2, 4, 5, 5)).astype("float32")
    y = convolution.conv_transpose(b, kernel, strides, padding, extra, dilation)
    lengths = [convolution.deconv_output_length(n, k, padding, extra, strides, dilation) for n, k in ((4, 3), (5, 2))]
    assert y.shape == (2, *lengths, 4)
    a = rng.normal(size=y.shape).astype("float32")
    forward = convolution.conv(a, kernel, strides, padding, dilation)
    if forward.shape == b.shape:
        np.testing.assert_allclose(np.sum(forward * b), np.sum(a * y), rtol=1e-4)
    else:  # Keras' length for this padding has another inverse; the shorter of both overlaps
        assert extra is not None
    same_size = convolution.conv_transpose(b, kernel, strides, padding, dilation=dilation, output_shape=y.shape[1:-1])
    np.testing.assert_array_equal(y, same_size)


@pytest.mark.parametrize("rank", [1, 2])
def test_local(rank):
    rng = np.random.default_rng(0)
    x, size, strides = rng.normal(size=(2, 7, 6, 3)[: rank + 1] + (3,)).astype("float32"), (3, 2)[:rank], (2, 1)[:rank]
    out = tuple((n - k) // s + 1 for n, k, s in zip(x.shape[1:], size, strides))
    w = rng.normal(size=(np.prod(out), np.prod(size) * 3, 4)).astype("float32")
    y = convolution.local_conv(x, w, size, strides)
    assert y.shape == (2, *out, 4)
    for index, position in enumerate(np.ndindex(*out)):
        window = tuple(slice(p * s, p * s + k) for p, s, k in zip(position, strides, size))
        expected = x[(slice(None), *window)].reshape(2, -1) @ w[index]
        np.testing.assert_allclose(y[(slice(None), *position)], expected, atol=1e-5)


def test_lengths_and_errors():
    assert convolution.conv_output_length(None, 3, "valid", 1) is None
    assert convolution.deconv_output_length(None, 3, "valid") is None
    assert convolution.conv_output_length(10, 3, "full", 1) == 12
    assert convolution.conv_output_length(2, 5, "valid", 1) == 0
    with pytest.raises(ValueError, match="'valid', 'same', 'causal'.*got 'sane'"):
        convolution.conv(jnp.ones((1, 4, 1)), jnp.ones((2, 1, 1)), padding="sane")


def test_half_precision():
    dtype = "bfloat16"
    rng = np.random.default_rng(0)
    x, w = jnp.asarray(rng.normal(size=(4, 6, 6, 3)), dtype), jnp.asarray(rng.normal(size=(3, 3, 3, 4)), dtype)
    gradient = jax.grad(lambda w: convolution.conv(x, w).sum())(w)
    assert gradient.dtype == dtype
    wide = jax.grad(lambda w: convolution.conv(x.astype("float32"), w).sum())(w.astype("float32"))
    np.testing.assert_allclose(gradient.astype("float32"), wide, atol=0.3, rtol=0.02)
