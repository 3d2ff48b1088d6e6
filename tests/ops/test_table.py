"""Every function of keras.ops against NumPy or SciPy; symbols get the shapes that arrays have."""

import inspect
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy

from oneiros import ops
from oneiros.core import Graph, Symbol, Variable


def words(text):
    return text.split()


r = np.random.RandomState(0)
X = (r.rand(4, 3) * 2 - 1).astype("float32")  # may be negative
Y = (r.rand(4, 3) + 0.5).astype("float32")  # positive
Z = r.randn(4, 3, 5).astype("float32")
P = (r.rand(4, 3) * 0.8 + 0.1).astype("float32")  # within (0, 1)
I = r.randint(1, 6, (4, 3)).astype("int32")  # noqa: E741
J = r.randint(1, 4, (4, 3)).astype("int32")
B = X > 0
M = (r.rand(4, 3, 3) + 3 * np.eye(3)).astype("float32")
S = (M @ M.swapaxes(1, 2)).astype("float32")  # positive definite
N = np.where(B, X, np.nan).astype("float32")
C = (X + 1j * Y).astype("complex64")
V = np.array([1.0, 3.0, 2.0, 5.0], "float32")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def gelu(x):
    return x * 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def sparsemax(x):
    """The definition, row by row: the threshold that makes the positive parts sum to one, by bisection."""
    result = []
    for row in x:
        low, high = row.min() - 1, row.max()
        for _ in range(100):
            middle = (low + high) / 2
            low, high = (middle, high) if np.maximum(row - middle, 0).sum() > 1 else (low, middle)
        result.append(np.maximum(row - low, 0))
    return np.array(result)


def normal_selu(x):
    return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x))


def moments(x, axes):
    return x.mean(tuple(axes)), x.var(tuple(axes))


def one_hot(x, n):
    return np.eye(n, dtype="float32")[x]


def segments(fn, x, ids, n):
    return np.array([fn(x[ids == i]) for i in range(n)])


IDS = np.array([0, 0, 2, 2])
UNARY = words(
    "abs absolute arcsinh arctan cbrt ceil conj conjugate copy cos cosh deg2rad exp exp2 expm1 fabs fliplr flipud "
    "floor i0 isfinite isinf isnan isneginf isposinf isreal negative rad2deg ravel real imag sign signbit sin "
    "sinc sinh square tan tanh trunc angle"
)
BINARY = words(
    "add arctan2 divide equal fmax fmin greater greater_equal heaviside hypot kron less less_equal logaddexp "
    "logaddexp2 maximum minimum multiply nextafter not_equal outer subtract true_divide vdot"
)
REDUCTIONS = words("amax amin argmax argmin mean median ptp std sum var max min prod")
NAN_REDUCTIONS = words("nanargmax nanargmin nanmax nanmean nanmedian nanmin nanprod nanstd nansum nanvar")

# name, reference, arguments of both, options of both (or a pair: ours, the reference's)
ROWS = [
    *((name, getattr(np, name), (X,), {}) for name in UNARY),
    *((name, getattr(np, name), (Y,), {}) for name in words("arccosh log log10 log1p log2 reciprocal sqrt")),
    *((name, getattr(np, name), (P,), {}) for name in ["arccos", "arcsin", "arctanh"]),
    *((name, getattr(np, name), (X, Y), {}) for name in BINARY),
    *((name, getattr(np, name), (Y, P), {}) for name in ["floor_divide", "fmod", "mod", "power"]),
    *((name, getattr(np, name), (I, J), {}) for name in ["bitwise_and", "bitwise_or", "bitwise_xor", "gcd", "lcm"]),
    *((name, getattr(np, name), (I, J), {}) for name in ["left_shift", "right_shift", "ldexp"]),
    ("bitwise_left_shift", np.left_shift, (I, J), {}),
    ("bitwise_right_shift", np.right_shift, (I, J), {}),
    *((name, np.invert, (I,), {}) for name in ("bitwise_not", "bitwise_invert")),
    *((name, getattr(np, name), (X, B), {}) for name in ["logical_and", "logical_or", "logical_xor"]),
    ("logical_not", np.logical_not, (X,), {}),
    *((name, getattr(np, name), (Z,), {"axis": 1}) for name in REDUCTIONS),
    *((name, getattr(np, name), (Z,), {"axis": -1, "keepdims": True}) for name in REDUCTIONS),
    *((name, getattr(np, name), (np.concatenate([N, X]),), {"axis": 0}) for name in NAN_REDUCTIONS),
    ("all", np.all, (B,), {"axis": 1}),
    ("any", np.any, (B,), {"axis": 1}),
    ("count_nonzero", np.count_nonzero, (B,), {"axis": 1}),
    ("average", np.average, (X,), {"axis": 1, "weights": V[:3]}),
    ("cumsum", np.cumsum, (X,), {"axis": 1}),
    ("cumprod", np.cumprod, (X,), {"axis": 0}),
    ("nancumsum", np.nancumsum, (N,), {"axis": 1}),
    ("nancumprod", np.nancumprod, (N,), {"axis": 0}),
    *((name, getattr(np, name), (Z, 0.3), {"axis": 1}) for name in ("quantile", "nanquantile")),
    *((name, getattr(np, name), (Z, 30), {"axis": 1}) for name in ("percentile", "nanpercentile")),
    ("argsort", np.argsort, (X,), {}),
    ("sort", np.sort, (X,), {"axis": 0}),
    ("argpartition", lambda x, kth: np.argsort(x), (X,), {"kth": 1}),
    ("expand_dims", np.expand_dims, (X,), {"axis": 1}),
    ("flip", np.flip, (X,), {"axis": 1}),
    ("squeeze", np.squeeze, (X[:, :1],), {"axis": 1}),
    *((name, getattr(np, name), (M[0],), {"k": 1}) for name in ["diag", "tril", "triu"]),
    ("diagflat", np.diagflat, (V,), {}),
    ("diagonal", np.diagonal, (M,), {"axis1": 1, "axis2": 2}),
    ("trace", np.trace, (M,), {"axis1": 1, "axis2": 2}),
    ("hsplit", np.hsplit, (Z, 3), {}),
    ("vsplit", np.vsplit, (Z, 2), {}),
    ("dsplit", np.dsplit, (Z, 5), {}),
    ("split", np.split, (Z, [1, 2]), {"axis": 1}),
    ("array_split", np.array_split, (Z, 2), {"axis": 1}),
    ("moveaxis", np.moveaxis, (Z, 1, 2), {}),
    ("swapaxes", np.swapaxes, (Z, 1, 2), {}),
    ("transpose", np.transpose, (Z,), {"axes": (0, 2, 1)}),
    ("roll", np.roll, (Z, 2), {"axis": 1}),
    ("rot90", np.rot90, (Z,), {"axes": (1, 2)}),
    ("take", np.take, (Z, [2, 0, -1]), {"axis": 1}),
    ("take_along_axis", np.take_along_axis, (X, I % 3), {"axis": 1}),
    ("repeat", np.repeat, (X, 2), {"axis": 1}),
    ("round", np.round, (X,), {"decimals": 1}),
    ("nan_to_num", np.nan_to_num, (N,), {"nan": 7.0}),
    ("vander", np.vander, (V,), {"N": 3}),
    ("histogram", np.histogram, (X,), {"bins": 4, "range": (-1, 1)}),
    ("digitize", np.digitize, (X, np.array([-0.5, 0, 0.5])), {}),
    ("concatenate", np.concatenate, ([X, Y],), {"axis": 1}),
    ("stack", np.stack, ([X, Y],), {"axis": 1}),
    ("hstack", np.hstack, ([X, Y],), {}),
    ("vstack", np.vstack, ([X, Y],), {}),
    ("dstack", np.dstack, ([X, Y],), {}),
    ("append", np.append, (X, Y), {"axis": 1}),
    ("diff", np.diff, (X,), {}),
    ("trapezoid", np.trapezoid, (X,), {"dx": 0.5}),
    ("tensordot", np.tensordot, (X, Y), {"axes": [[1], [1]]}),
    ("inner", np.inner, (X, Y), {}),
    ("dot", np.dot, (Z, Y.T[:, :2].repeat(2, 0)[:5]), {}),
    ("matmul", np.matmul, (M, Z), {}),
    ("einsum", np.einsum, ("bij,bjk->bik", M, Z), {}),
    ("correlate", np.correlate, (V, V[:2]), {"mode": "full"}),
    ("corrcoef", np.corrcoef, (X,), {}),
    ("cross", np.cross, (X, Y), {}),
    ("allclose", np.allclose, (X, X + 1e-9), {}),
    ("isclose", np.isclose, (X, np.where(B, X, 9)), {}),
    ("isin", np.isin, (I, J[0]), {}),
    ("unravel_index", np.unravel_index, (I[:, 0], (4, 5)), {}),
    ("searchsorted", np.searchsorted, (np.sort(V), X), {}),
    ("geomspace", np.geomspace, (1.0, 8.0, 4), {}),
    ("logspace", np.logspace, (0.0, 2.0, 4), {}),
    ("linspace", np.linspace, (0.0, 2.0, 5), {}),
    ("arange", np.arange, (2, 9, 3), {}),
    ("array", np.array, (X,), {}),
    *((name, getattr(np, name), (5,), {}) for name in ["bartlett", "blackman", "hamming", "hanning"]),
    ("kaiser", np.kaiser, (5, 3.0), {}),
    ("bincount", np.bincount, (I[0],), {"minlength": 7}),
    ("broadcast_to", np.broadcast_to, (X[:1], (4, 3)), {}),
    ("clip", np.clip, (X, -0.2, 0.4), {}),
    ("eye", np.eye, (3, 4), {"k": 1}),
    ("identity", np.identity, (3,), {}),
    ("tri", np.tri, (3, 4), {"k": 1}),
    ("zeros", np.zeros, ((2, 3),), {}),
    ("ones", np.ones, ((2, 3),), {}),
    ("empty", np.zeros, ((2, 3),), {}),
    ("full", np.full, ((2, 3), 4.0), {}),
    *((name, getattr(np, name), (X,), {}) for name in ("zeros_like", "ones_like")),
    ("empty_like", np.zeros_like, (X,), {}),
    ("full_like", np.full_like, (X, 4.0), {}),
    ("get_item", lambda x, key: x[key], (Z, (slice(None), 1, slice(0, 2))), {}),
    ("meshgrid", np.meshgrid, (V, V[:2]), {"indexing": "ij"}),
    ("ndim", np.ndim, (Z,), {}),
    ("size", np.size, (Z,), {}),
    ("pad", np.pad, (X, ((0, 0), (1, 2))), {"mode": "constant", "constant_values": 3.0}),
    ("pad", np.pad, (X, ((0, 0), (1, 2))), {"mode": "reflect"}),
    ("reshape", np.reshape, (Z, (-1, 15)), {}),
    ("select", np.select, ([B, ~B], [X, Y]), {"default": 0.0}),
    ("slogdet", np.linalg.slogdet, (M,), {}),
    ("tile", np.tile, (X, (1, 2)), {}),
    ("unique", np.unique, (I,), {}),
    ("nonzero", np.nonzero, (B,), {}),
    ("vectorize", None, (), {}),
    ("view", lambda x, dtype: x.view(dtype), (X, "int32"), {}),
    ("where", np.where, (B, X, Y), {}),
    ("divide_no_nan", lambda a, b: np.where(b == 0, 0, a / np.where(b == 0, 1, b)), (X, np.where(B, Y, 0)), {}),
    # nn
    ("relu", lambda x: np.maximum(x, 0), (X,), {}),
    ("relu6", lambda x: np.clip(x, 0, 6), (X * 10,), {}),
    ("sigmoid", sigmoid, (X,), {}),
    ("sparse_sigmoid", lambda x: np.clip(0.5 * (x + 1), 0, 1), (X * 2,), {}),
    ("softplus", lambda x: np.log1p(np.exp(x)), (X,), {}),
    ("softsign", lambda x: x / (1 + np.abs(x)), (X,), {}),
    ("sparse_plus", lambda x: np.where(x < -1, 0, np.where(x > 1, x, (x + 1) ** 2 / 4)), (X * 2,), {}),
    *((name, lambda x: x * sigmoid(x), (X,), {}) for name in ("silu", "swish")),
    ("log_sigmoid", lambda x: np.log(sigmoid(x)), (X,), {}),
    ("hard_sigmoid", lambda x: np.clip(x / 6 + 0.5, 0, 1), (X * 5,), {}),
    *((name, lambda x: x * np.clip(x / 6 + 0.5, 0, 1), (X * 5,), {}) for name in ("hard_silu", "hard_swish")),
    ("hard_tanh", lambda x: np.clip(x, -1, 1), (X * 2,), {}),
    ("selu", normal_selu, (X,), {}),
    ("tanh_shrink", lambda x: x - np.tanh(x), (X,), {}),
    ("softmax", softmax, (Z,), {"axis": 1}),
    ("log_softmax", lambda x, axis: np.log(softmax(x, axis)), (Z,), {"axis": 1}),
    ("sparsemax", sparsemax, (X * 2,), {}),
    ("glu", lambda x, axis: x[:, :2] * sigmoid(x[:, 2:]), (Z[:, 0, :4],), {"axis": -1}),
    ("squareplus", lambda x: (x + np.sqrt(x**2 + 4)) / 2, (X,), {}),
    ("leaky_relu", lambda x: np.where(x > 0, x, 0.2 * x), (X,), {}),
    ("elu", lambda x: np.where(x > 0, x, np.expm1(x)), (X,), {}),
    ("celu", lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(x / alpha)), (X,), {"alpha": 2.0}),
    ("gelu", gelu, (X,), {}),
    ("gelu", lambda x, approximate: x * scipy.special.ndtr(x), (X,), {"approximate": False}),
    ("soft_shrink", lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0), (X,), {}),
    ("hard_shrink", lambda x: np.where(np.abs(x) > 0.5, x, 0), (X,), {}),
    ("threshold", lambda x, t, d: np.where(x > t, x, d), (X, 0.2, -7.0), {}),
    ("one_hot", one_hot, (I, 7), {}),
    ("multi_hot", lambda x, n: one_hot(x, n).max(1), (I, 7), {}),
    ("binary_crossentropy", lambda t, p: -t * np.log(p) - (1 - t) * np.log(1 - p), (B.astype("f"), P), {}),
    ("categorical_crossentropy", lambda t, p: -np.log(p[:, 1] / p.sum(1)), (one_hot([1] * 4, 3), P), {}),
    ("sparse_categorical_crossentropy", lambda t, p: -np.log(p[:, 2] / p.sum(1)), (np.full(4, 2), P), {}),
    ("moments", moments, (Z,), {"axes": [0, 2]}),
    (
        "batch_normalization",
        lambda x, m, v, axis: (x - m[:, None]) / np.sqrt(v[:, None] + 1e-3),
        (Z, V[:3], V[1:]),
        {"axis": 1},
    ),
    (
        "layer_normalization",
        lambda x, epsilon: (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + epsilon),
        (Z,),
        {"epsilon": 0.1},
    ),
    ("rms_normalization", lambda x, s: x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-7) * s, (X, V[:3]), {}),
    ("normalize", lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True), (X,), {}),
    ("normalize", lambda x, order: x / np.abs(x).sum(-1, keepdims=True), (X,), {"order": 1}),
    ("psnr", lambda a, b, m: 20 * np.log10(m) - 10 * np.log10(((a - b) ** 2).mean()), (X, Y, 2.0), {}),
    ("polar", lambda a, p: a * np.exp(1j * p), (Y, X), {}),
    # mathematics
    ("erf", scipy.special.erf, (X,), {}),
    ("erfc", scipy.special.erfc, (X,), {}),
    ("erfinv", scipy.special.erfinv, (P,), {}),
    ("rsqrt", lambda x: 1 / np.sqrt(x), (Y,), {}),
    ("logsumexp", scipy.special.logsumexp, (Z,), {"axis": 1}),
    ("cdist", lambda a, b: np.linalg.norm(a[:, None] - b[None], axis=-1), (X, Y), {}),
    ("in_top_k", lambda t, p, k: np.array([t in np.argsort(-p)[:k] for t, p in zip(t, p)]), (I[:, 0] % 3, P, 2), {}),
    ("top_k", lambda x, k: (-np.sort(-x)[:, :k], np.argsort(-x)[:, :k]), (X, 2), {}),
    ("extract_sequences", lambda x, n, s: np.stack([x[:, i : i + n] for i in (0, 2)], 1), (Z[:, 0], 3, 2), {}),
    *(
        (f"segment_{kind}", lambda x, ids, n, f=f: segments(f, x, ids, n), (V, IDS, 3), {})
        for kind, f in (("sum", np.sum), ("prod", np.prod))
    ),
    ("segment_max", lambda x, ids, n: np.array([3, -np.inf, 5]), (V, IDS, 3), {}),
    ("segment_min", lambda x, ids, n: np.array([1, np.inf, 2]), (V, IDS, 3), {}),
    ("view_as_complex", lambda x: x[..., 0] + 1j * x[..., 1], (X[:, :2],), {}),
    ("view_as_real", lambda x: np.stack([x.real, x.imag], -1), (C,), {}),
    ("saturate_cast", lambda x, dtype: np.clip(x, 0, 255).astype(dtype), (X * 300, "uint8"), {}),
    # linear algebra
    ("cholesky", np.linalg.cholesky, (S,), {}),
    ("cholesky_inverse", lambda x: np.linalg.inv(x @ x.swapaxes(1, 2)), (np.linalg.cholesky(S),), {}),
    *((name, getattr(np.linalg, name), (M,), {}) for name in ("det", "inv", "pinv", "matrix_rank")),
    ("logdet", lambda x: np.linalg.slogdet(x)[1], (S,), {}),
    ("eigh", lambda x: (np.linalg.eigh(x)[0],), (S,), {}),
    ("eig", None, (), {}),
    ("norm", np.linalg.norm, (Z,), {"axis": 1}),
    ("solve", np.linalg.solve, (M, Z), {}),
    ("solve_triangular", lambda a, b, lower: np.linalg.solve(np.tril(a), b), (M, Z), {"lower": True}),
    ("lstsq", lambda a, b: np.linalg.lstsq(a, b)[0], (X, V), {}),
    ("lu_factor", lambda x: scipy.linalg.lu_factor(x), (M[0],), {}),
    ("svd", lambda x, compute_uv: np.linalg.svd(x, compute_uv=False), (Z,), {"compute_uv": False}),
    ("qr", None, (), {}),
    # core
    ("cast", lambda x, dtype: x.astype(dtype), (X * 5, "int32"), {}),
    ("slice", lambda x, start, shape: x[:, 1:3], (Z, (0, 1, 0), (4, 2, 5)), {}),
    ("unstack", lambda x, axis: list(np.moveaxis(x, axis, 0)), (Z,), {"axis": 1}),
    ("rearrange", lambda x, p: x.transpose(2, 0, 1).reshape(5, 12), (Z, "a b c -> c (a b)"), {}),
    ("stop_gradient", lambda x: x, (X,), {}),
]
# Shapes that depend on values, or arguments that are no tensors: arrays only.
NOT_SYMBOLIC = {"unique", "nonzero", "bartlett", "blackman", "hamming", "hanning", "kaiser", "bincount", "ndim", "size"}
# The batch axis cannot be unknown: it is split, or decides on the shape of what is not a batch.
KNOWN_BATCH = set(
    words(
        "vsplit cross diag tril triu lu_factor corrcoef correlate vander diagflat lstsq segment_sum segment_prod "
        "segment_max segment_min isin unravel_index slice dot inner kron outer broadcast_to rearrange meshgrid select"
    )
)
# Tested in a function of their own, here or in another file of this folder.
ELSEWHERE = set(
    words(
        "adaptive_average_pool adaptive_max_pool average_pool max_pool conv conv_transpose depthwise_conv "
        "separable_conv depth_to_space space_to_depth fold unfold ctc_loss ctc_decode dot_product_attention fft fft2 "
        "ifft2 rfft irfft stft istft scan map cond switch fori_loop while_loop vectorized_map associative_scan "
        "custom_gradient jvp scatter scatter_update slice_update convert_to_numpy convert_to_tensor is_tensor shape "
        "dtype"
    )
)


def leaves(tree):
    return [np.asarray(x) for x in jax.tree.leaves(tree)]


ROW_IDS = [f"{row[0]}-{i}" for i, row in enumerate(ROWS)]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
def test_values_equal_the_reference(row):
    name, reference, args, options = row
    if reference is None:
        pytest.skip("has a test of its own below")
    expected = leaves(reference(*args, **options))
    ours = leaves(getattr(ops, name)(*args, **options))[: len(expected)]
    assert [x.shape for x in ours] == [x.shape for x in expected]
    for x, y in zip(ours, expected):
        np.testing.assert_allclose(x, y, rtol=2e-4, atol=2e-5)
    if name == "stop_gradient":  # a list is a structure there
        return
    lists = [a.tolist() if isinstance(a, np.ndarray) and a.dtype == "float32" else a for a in args]
    for x, y in zip(leaves(getattr(ops, name)(*lists, **options)), expected):
        np.testing.assert_allclose(x, y, rtol=2e-4, atol=2e-5)


def with_symbols(args, unknown_batch):
    """The arguments with a symbol for each array, and these symbols and arrays."""
    symbols, arrays = [], []

    def swap(x):
        if isinstance(x, np.ndarray) and x.ndim:
            batch = None if unknown_batch and x.shape[0] == 4 else x.shape[0]
            symbols.append(Symbol((batch, *x.shape[1:]), x.dtype if x.dtype != "float64" else "float32"))
            arrays.append(x)
            return symbols[-1]
        return [swap(y) for y in x] if isinstance(x, list) and x and isinstance(x[0], np.ndarray) else x

    return [swap(x) for x in args], symbols, arrays


@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
def test_symbols_get_the_shapes_of_arrays(row):
    name, reference, args, options = row
    if reference is None or name in NOT_SYMBOLIC:
        pytest.skip("arrays only")
    function = getattr(ops, name)
    eager = leaves(function(*args, **options))
    unknown_batch = name not in KNOWN_BATCH
    symbolic, symbols, arrays = with_symbols(args, unknown_batch)
    if not symbols:
        return
    result = function(*symbolic, **options)
    outputs = [s for s in jax.tree.leaves(result) if isinstance(s, Symbol)]
    for symbol, array in zip(outputs, eager, strict=True):
        assert len(symbol.shape) == array.ndim
        assert all(d in (None, n) for d, n in zip(symbol.shape, array.shape)), (symbol, array.shape)
        assert unknown_batch or None not in symbol.shape
        assert symbol.dtype == str(array.dtype)
    for x, y in zip(leaves(Graph(symbols, result)(*map(jnp.asarray, arrays))), eager):
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-5)


def api():
    path = Path(__file__).parents[2] / ".." / "shared" / "api" / "keras_3.15.json"
    if not path.is_file():
        pytest.skip("the list of Keras' public names is not at hand")
    return json.loads(path.read_text())


def arguments(function):
    """The signature without type hints."""
    signature = inspect.signature(function)
    bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=signature.empty))


def test_every_public_name_is_there_with_its_signature_and_has_a_test():
    tested = {row[0] for row in ROWS} | ELSEWHERE
    for name, signature in api()["ops"].items():
        function = ops
        for part in name.split("."):
            function = getattr(function, part)
        assert arguments(function) == signature, name
        assert name.startswith("image.") or name.rpartition(".")[2] in tested, f"{name} has no test"
    for name, signature in api()["random"].items():
        assert arguments(getattr(ops.random, name)) == signature, name


def test_variables_and_numbers_are_tensors_too():
    v = Variable([1.0, 4.0])
    assert ops.sqrt(v).tolist() == [1, 2]
    assert ops.add(v, 1).tolist() == [2, 5]
    assert float(ops.sum([v, v])) == 10
    assert float(ops.sqrt(4)) == 2
    assert ops.convert_to_tensor([1.0]).dtype == "float32"
    assert ops.convert_to_tensor([1, 2]).dtype == "int32"
    assert ops.is_tensor(jnp.ones(1)) and not ops.is_tensor(np.ones(1))
    assert ops.shape(Symbol((None, 3))) == (None, 3)
    assert ops.dtype(np.ones(1, "int8")) == "int8"
    assert isinstance(ops.convert_to_numpy(v), np.ndarray)


@pytest.mark.parametrize("low", ["bool", "int8", "int32", "float16"])
@pytest.mark.parametrize("high", ["float32", "bfloat16"])
def test_types_promote_to_the_wider_float(low, high):
    x, y = jnp.ones(2, low), jnp.ones(2, high)
    assert ops.add(x, y).dtype == ("float32" if (low, high) == ("float16", "bfloat16") else high)
    assert ops.multiply(x, 2).dtype == ("int32" if low == "bool" else low)
    assert ops.mean(x).dtype == ("float16" if low == "float16" else "float32")


def test_decompositions_multiply_back():
    q, upper = ops.qr(Z)
    np.testing.assert_allclose(q @ upper, Z, atol=1e-5)
    w, v = ops.eig(M)
    np.testing.assert_allclose(M @ v, v * w[:, None], atol=1e-4)
    w, v = ops.eigh(S)
    np.testing.assert_allclose(v * w[:, None] @ v.swapaxes(1, 2), S, rtol=1e-3, atol=1e-4)
    u, s, v = ops.svd(Z, full_matrices=False)
    np.testing.assert_allclose(u * s[:, None] @ v, Z, atol=1e-5)


def test_reshape_keeps_dimensions_that_are_not_known():
    x = Symbol((None, 4, 6))
    assert ops.reshape(x, (ops.shape(x)[0], -1)).shape == (None, 24)
    assert ops.reshape(x, (None, 24)).shape == (None, 24)
    assert ops.reshape(x, (-1, 6)).shape == (None, 6)


def test_vectorize_is_numpys():
    double = ops.vectorize(lambda a, b: a * 2 if a.ndim == 0 else None)
    np.testing.assert_array_equal(double(jnp.arange(3), 1), [0, 2, 4])
