"""Products over the last axes against NumPy's."""

import jax
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from oneiros.kernels.product import project

sizes = st.lists(st.integers(1, 4), min_size=1, max_size=2).map(tuple)


@settings(max_examples=20, deadline=None)
@given(kept=st.lists(st.integers(0, 4), max_size=3).map(tuple), summed=sizes, new=sizes)
def test_project(kept, summed, new):
    rng = np.random.default_rng(0)
    x, kernel, dy = (rng.normal(size=s).astype("float32") for s in (kept + summed, summed + new, kept + new))
    y, pull = jax.vjp(lambda x, kernel: project(x, kernel, len(summed)), x, kernel)
    np.testing.assert_allclose(y, np.tensordot(x, kernel, len(summed)), atol=1e-4)
    dx, d_kernel = pull(dy)
    outer = np.tensordot(x.reshape(-1, *summed), dy.reshape(-1, *new), ([0], [0])) if kept else np.multiply.outer(x, dy)
    np.testing.assert_allclose(d_kernel, outer, atol=1e-4)
    axes = range(len(kept), dy.ndim), range(len(summed), kernel.ndim)
    np.testing.assert_allclose(dx, np.tensordot(dy, kernel, tuple(map(list, axes))), atol=1e-4)
