"""What the table of functions cannot hold: windows, control flow with state, images, random numbers, CTC."""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy
from jax.experimental import sparse

from oneiros import ops
from oneiros.core import Graph, SeedGenerator, Symbol, Variable, compiled, set_random_seed
from oneiros.ops import image, random
from oneiros.ops.ctc import beam_search

r = np.random.RandomState(0)
IMAGES = r.rand(2, 5, 6, 3).astype("float32")


def close(x, y, tolerance=1e-4):
    np.testing.assert_allclose(np.asarray(x), y, rtol=tolerance, atol=tolerance)


def test_convolutions_equal_scipys_correlation():
    kernel = r.rand(3, 2, 3, 4).astype("float32")
    expected = np.stack(
        [[scipy.signal.correlate(x, k, "valid")[..., 0] for k in kernel.transpose(3, 0, 1, 2)] for x in IMAGES]
    ).transpose(0, 2, 3, 1)
    close(ops.conv(IMAGES, kernel), expected)
    close(ops.conv(IMAGES.transpose(0, 3, 1, 2), kernel, data_format="channels_first"), expected.transpose(0, 3, 1, 2))
    close(ops.conv(IMAGES, kernel, strides=2), expected[:, ::2, ::2])
    depthwise, pointwise = kernel[..., :1], r.rand(1, 1, 3, 5).astype("float32")
    channels = np.stack(
        [[scipy.signal.correlate(x[..., c], depthwise[..., c, 0], "valid") for c in range(3)] for x in IMAGES]
    ).transpose(0, 2, 3, 1)
    close(ops.depthwise_conv(IMAGES, depthwise), channels)
    close(ops.separable_conv(IMAGES, depthwise, pointwise), channels @ pointwise[0, 0])
    with pytest.raises(ValueError, match="takes 3 channels"):
        ops.conv(IMAGES, kernel, data_format="channels_first")


def test_transposed_convolution_is_the_transpose():
    kernel = r.rand(3, 3, 4, 3).astype("float32")
    y = ops.conv_transpose(IMAGES, kernel, strides=2, padding="same")
    assert y.shape == (2, 10, 12, 4)
    x = r.rand(*y.shape).astype("float32")
    forward = ops.conv(x, kernel, strides=2, padding="same")
    close(np.vdot(forward, IMAGES), np.vdot(x, y), 1e-3)


def test_pooling_takes_windows():
    blocks = IMAGES[:, :4].reshape(2, 2, 2, 3, 2, 3)
    close(ops.max_pool(IMAGES, 2), blocks.max((2, 4)))
    close(ops.average_pool(IMAGES, 2), blocks.mean((2, 4)))
    first = ops.max_pool(IMAGES.transpose(0, 3, 1, 2), 2, data_format="channels_first")
    close(first, blocks.max((2, 4)).transpose(0, 3, 1, 2))
    rows = [slice(0, 3), slice(2, 5)]  # 5 rows in 2 windows: floor(i * 5 / 2) to ceil((i + 1) * 5 / 2)
    for function, reduce in ((ops.adaptive_average_pool, np.mean), (ops.adaptive_max_pool, np.max)):
        expected = np.stack([reduce(IMAGES[:, s].reshape(2, -1, 3, 2, 3), axis=(1, 3)) for s in rows], 1)
        close(function(IMAGES, (2, 3)), expected)


def test_patches_and_blocks_go_back():
    x = IMAGES.transpose(0, 3, 1, 2)
    columns = ops.unfold(x, 2, padding=1, stride=2)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    assert columns.shape == (2, 12, 12)
    close(columns[:, :, 5], padded[:, :, 2:4, 2:4].reshape(2, 12))
    counts = ops.fold(ops.unfold(jnp.ones_like(x), 3), (5, 6), 3)
    close(ops.fold(ops.unfold(x, 3), (5, 6), 3), x * counts)
    assert float(counts[0, 0, 2, 2]) == 9
    deep = r.rand(2, 2, 3, 8).astype("float32")
    close(ops.depth_to_space(deep, 2)[0, :2, :2, 0], deep[0, 0, 0, ::2].reshape(2, 2))
    close(ops.space_to_depth(ops.depth_to_space(deep, 2), 2), deep)


def test_attention_is_a_weighted_mean():
    query, key, value = (r.rand(2, n, 4, 8).astype("float32") for n in (3, 5, 5))
    logits = np.einsum("bthd,bshd->bhts", query, key) / math.sqrt(8)
    keep = np.tri(3, 5, dtype=bool)
    for mask, options in ((np.ones((3, 5), bool), {}), (keep, {"is_causal": True}), (keep, {"mask": keep[None, None]})):
        weights = np.where(mask, np.exp(logits), 0)
        weights /= weights.sum(-1, keepdims=True)
        close(ops.dot_product_attention(query, key, value, **options), np.einsum("bhts,bshd->bthd", weights, value))


def test_spectra_equal_numpys():
    x, y = r.rand(3, 8).astype("float32"), r.rand(3, 8).astype("float32")

    def parts(z):
        return np.stack([z.real, z.imag])

    close(ops.fft((x, y)), parts(np.fft.fft(x + 1j * y)))
    close(ops.fft2((x, y)), parts(np.fft.fft2(x + 1j * y)))
    close(ops.ifft2(ops.fft2((x, y))), np.stack([x, y]))
    close(ops.rfft(x), parts(np.fft.rfft(x)))
    close(ops.irfft(ops.rfft(x)), x)
    signal = r.rand(2, 64).astype("float32")
    frames = ops.stft(signal, 16, 4, 16)
    _, _, expected = scipy.signal.stft(signal, nperseg=16, noverlap=12, boundary="even", padded=False)
    close(frames, parts(expected.transpose(0, 2, 1) * scipy.signal.get_window("hann", 16).sum()), 1e-3)
    close(ops.istft(frames, 16, 4, 16), signal, 1e-3)


def test_scatter_adds_and_updates():
    places = np.array([[0], [2], [0]])
    assert ops.scatter(places, [1.0, 2.0, 3.0], (4,)).tolist() == [4, 0, 2, 0]
    base = np.ones(4, "float32")
    assert ops.scatter_update(base, places[:2], [5.0, 6.0]).tolist() == [5, 1, 6, 1]
    assert ops.scatter_update(base, places, [1.0, 2.0, 3.0], reduction="add").tolist() == [5, 1, 3, 1]
    assert ops.scatter_update(base, places, [1.0, 2.0, 3.0], reduction="max").tolist() == [3, 1, 2, 1]
    assert ops.slice_update(base, [1], [7.0, 8.0]).tolist() == [1, 7, 8, 1]


def test_control_flow_carries_variables():
    total = Variable(0.0)

    def count(i, x):
        total.assign_add(1.0)
        return x + i

    def double():
        total.assign_add(10.0)
        return total.value * 2

    @compiled
    def run(flag):
        a = ops.fori_loop(0, 4, count, 0)
        b = ops.while_loop(lambda i: total.value < 6, lambda i: (count(i, i),), (jnp.asarray(1),))
        c = ops.cond(flag, double, lambda: total.value)
        d = ops.switch(a, [lambda x: x, lambda x: x + 1], 5.0)
        return a, b[0], c, d

    assert [float(x) for x in run(True)] == [6, 4, 32, 6]
    assert float(total) == 16
    assert float(run(False)[2]) == 20
    assert ops.while_loop(lambda x: x < 100, lambda x: x * 2, 1, maximum_iterations=3) == 8
    assert ops.map(lambda x: x + total, [1.0, 2.0]).tolist() == [21, 22]
    assert ops.vectorized_map(lambda x: x.sum(), np.ones((2, 3))).tolist() == [3, 3]
    assert ops.associative_scan(lambda a, b: a + b, [1, 2, 3]).tolist() == [1, 3, 6]


def test_branches_may_use_symbols_that_they_close_over():
    x = Symbol((None, 2))
    y = ops.cond(ops.sum(x) > 0, lambda: x * 2, lambda: -x)
    graph = Graph([x], y)
    assert y.shape == (None, 2)
    assert graph(jnp.ones((1, 2))).tolist() == [[2, 2]]
    assert graph(-jnp.ones((1, 2))).tolist() == [[1, 1]]


def test_derivatives():
    value, tangent = ops.jvp(lambda x: x**3, (2.0,), (1.0,))
    assert (float(value), float(tangent)) == (8, 12)
    zero = jnp.zeros((2, 3))
    for function in (ops.normalize, lambda x: ops.cdist(x, x), lambda x: ops.divide_no_nan(1.0, x)):
        assert np.isfinite(jax.grad(lambda x, f=function: f(x).sum())(zero)).all()


def brute_force_ctc(probabilities, labels):
    """The sum over all paths that collapse to the labels, and all collapsed sequences with their probabilities."""
    blank, totals = probabilities.shape[1] - 1, {}
    for path in itertools.product(range(blank + 1), repeat=len(probabilities)):
        collapsed = tuple(k for k, _ in itertools.groupby(path) if k != blank)
        totals[collapsed] = totals.get(collapsed, 0) + math.prod(p[k] for p, k in zip(probabilities, path))
    return totals.get(tuple(labels), 0), totals


def test_ctc_sums_over_all_paths():
    probabilities = r.rand(3, 5, 3).astype("float32")
    probabilities /= probabilities.sum(-1, keepdims=True)
    labels, steps, counts = np.array([[0, 0], [1, 0], [0, 1]]), np.array([5, 4, 5]), np.array([2, 2, 1])
    loss = ops.ctc_loss(labels, np.log(probabilities), counts, steps, mask_index=2)
    for n in range(3):
        expected, _ = brute_force_ctc(probabilities[n, : steps[n]], labels[n, : counts[n]])
        close(loss[n], -np.log(expected))
    gradient = jax.grad(lambda x: ops.ctc_loss(labels, x, counts, steps, mask_index=2).sum())(np.log(probabilities))
    assert np.isfinite(gradient).all() and not gradient[1, 4].any()
    close(gradient.sum(-1), 0)

    paths, scores = ops.ctc_decode(np.log(probabilities), steps, "beam_search", top_paths=3, mask_index=2)
    traced = jax.jit(lambda x: beam_search(jax.nn.log_softmax(x), steps, 2, 100, 3))(np.log(probabilities))
    close(traced[1], scores)
    for n in range(3):
        _, totals = brute_force_ctc(probabilities[n, : steps[n]], ())
        best = sorted(totals.items(), key=lambda item: -item[1])[:3]
        close(scores[n], [np.log(p) for _, p in best])
        assert [tuple(p[p >= 0]) for p in np.asarray(paths[:, n])] == [labels for labels, _ in best]
    greedy, score = ops.ctc_decode(np.log(probabilities), steps, mask_index=2)
    raw = probabilities[1, :4].argmax(-1)
    assert [k for k in np.asarray(greedy)[0, 1] if k >= 0] == [k for k, _ in itertools.groupby(raw) if k != 2]
    close(score[1, 0], -np.log(probabilities[1, :4].max(-1)).sum())


# Images


def test_resizing_interpolates_between_centres():
    ramp = np.arange(4, dtype="float32").reshape(1, 4, 1).repeat(3, 0)
    close(image.resize(ramp, (3, 8))[0, :, 0], np.clip(np.arange(8) / 2 - 0.25, 0, 3))
    close(image.resize(ramp, (3, 8), "nearest")[0, :, 0], np.arange(4).repeat(2))
    assert image.resize((IMAGES * 255).astype("uint8"), (2, 2)).dtype == "uint8"
    close(image.resize(ramp, (3, 3), crop_to_aspect_ratio=True)[0, :, 0], [0, 1, 2])
    padded = image.resize(ramp, (6, 4), "nearest", pad_to_aspect_ratio=True, fill_value=-1)  # both sides get one row
    assert np.asarray(padded)[:, 0, 0].tolist() == [-1, 0, 0, 0, 0, -1] and np.asarray(padded)[1, :, 0].tolist() == [
        0,
        1,
        2,
        3,
    ]
    scaled = image.scale_and_translate(ramp, (3, 8, 1), [2.0], [0.0], (1,), "linear")
    close(scaled, image.resize(ramp, (3, 8)))


def test_colours():
    import matplotlib.colors as colors

    close(image.rgb_to_hsv(IMAGES), colors.rgb_to_hsv(IMAGES))
    close(image.hsv_to_rgb(IMAGES), colors.hsv_to_rgb(IMAGES))
    close(image.rgb_to_grayscale(IMAGES), (IMAGES * [0.2989, 0.587, 0.114]).sum(-1, keepdims=True))
    with pytest.raises(ValueError, match="floats from 0 to 1"):
        image.rgb_to_hsv(np.zeros((2, 2, 3), "uint8"))


@pytest.mark.parametrize("mode", ["constant", "nearest", "mirror", "reflect"])
def test_coordinates_and_transforms_read_as_scipys(mode):
    x, places = IMAGES[0, :, :, 0], r.rand(2, 7) * 9 - 2
    expected = scipy.ndimage.map_coordinates(x, places, order=1, mode=mode, cval=-1)
    if mode != "constant":  # JAX blends with the constant at the border, SciPy does not
        close(image.map_coordinates(x, places, 1, mode, -1), expected)
    shift = np.array([1, 0, 1, 0, 1, 2, 0, 0], "float32")  # one to the left, two up
    moved = image.affine_transform(IMAGES, shift, "nearest", mode, -1)
    close(moved[:, :3, :5], IMAGES[:, 2:, 1:])


def test_perspective_takes_points_to_points():
    start = np.array([[0, 0], [5, 0], [0, 4], [5, 4]], "float32")
    close(image.perspective_transform(IMAGES, start, start), IMAGES)
    mirrored = start[[1, 0, 3, 2]]
    close(image.perspective_transform(IMAGES, start, mirrored), IMAGES[:, :, ::-1], 1e-3)


def test_filters_equal_scipys():
    sobel = image.sobel_edges(IMAGES)
    for axis in (0, 1):
        close(sobel[0, ..., 1, axis], scipy.ndimage.sobel(IMAGES[0, ..., 1], axis, mode="constant"))
    blurred = image.gaussian_blur(IMAGES, (3, 5), (2.0, 1.0))  # along x, then along y
    rows, columns = (np.exp(-0.5 * (np.arange(n) - n // 2) ** 2 / s**2) for n, s in ((3, 1.0), (5, 2.0)))
    kernel = np.outer(rows / rows.sum(), columns / columns.sum())
    close(blurred[0, ..., 0], scipy.ndimage.convolve(IMAGES[0, ..., 0], kernel, mode="constant"))
    assert image.elastic_transform(IMAGES, sigma=1.0, seed=1).shape == IMAGES.shape
    close(image.elastic_transform(IMAGES, alpha=0.0, sigma=1.0), IMAGES)


def test_structural_similarity_equals_the_definition():
    x, y = (r.rand(12, 13, 1).astype("float32") for _ in range(2))
    weights = np.exp(-0.5 * (np.arange(11) - 5) ** 2 / 1.5**2)
    weights = np.outer(weights, weights) / weights.sum() ** 2
    scores = []
    for i, j in itertools.product(range(2), range(3)):
        a, b = x[i : i + 11, j : j + 11, 0], y[i : i + 11, j : j + 11, 0]
        ma, mb = (weights * a).sum(), (weights * b).sum()
        va, vb, cov = (
            (weights * a * a).sum() - ma**2,
            (weights * b * b).sum() - mb**2,
            (weights * a * b).sum() - ma * mb,
        )
        scores.append((2 * ma * mb + 1e-4) * (2 * cov + 9e-4) / ((ma**2 + mb**2 + 1e-4) * (va + vb + 9e-4)))
    close(image.ssim(x, y), np.mean(scores))
    close(image.ssim(x, x), 1)


def test_cropping_padding_and_patches():
    assert image.crop_images(IMAGES, 1, 2, target_height=3, target_width=4).shape == (2, 3, 4, 3)
    close(image.crop_images(IMAGES, 1, 2, 1, 0), IMAGES[:, 1:4, 2:])
    close(image.pad_images(IMAGES, 1, 0, target_height=8, target_width=6)[:, 1:6], IMAGES)
    with pytest.raises(ValueError, match="crop_images: the margins"):
        image.crop_images(IMAGES, 4, 0, target_height=3, target_width=6)
    close(image.extract_patches(IMAGES, 2)[0, 1, 2], IMAGES[0, 2:4, 4:6].ravel())
    volume = r.rand(1, 4, 4, 4, 2).astype("float32")
    close(image.extract_patches_3d(volume, 2)[0, 1, 0, 1], volume[0, 2:, :2, 2:].ravel())
    assert image.resize(Symbol((None, 5, 6, 3)), (2, 2)).shape == (None, 2, 2, 3)


# Random numbers

DISTRIBUTIONS = [
    ("normal", {"mean": 2.0, "stddev": 3.0}, scipy.stats.norm(2, 3)),
    ("uniform", {"minval": -1.0, "maxval": 3.0}, scipy.stats.uniform(-1, 4)),
    ("truncated_normal", {"stddev": 2.0}, scipy.stats.truncnorm(-2, 2, scale=2)),
    ("gamma", {"alpha": 2.5}, scipy.stats.gamma(2.5)),
    ("beta", {"alpha": 2.0, "beta": 3.0}, scipy.stats.beta(2, 3)),
]


@pytest.mark.parametrize("name, options, distribution", DISTRIBUTIONS, ids=[row[0] for row in DISTRIBUTIONS])
def test_draws_follow_their_distribution(name, options, distribution):
    draw = getattr(random, name)
    count = 300 if name in ("gamma", "beta") else 4000  # those draw again and again until a value is accepted
    x = np.asarray(draw((count,), seed=1, **options))
    assert scipy.stats.kstest(x, distribution.cdf).pvalue > 1e-3
    np.testing.assert_array_equal(x, draw((count,), seed=1, **options))
    assert draw((2, 3), seed=1, dtype="float16", **options).dtype == "float16"


def test_discrete_draws():
    close(np.bincount(random.randint((6000,), 2, 5, seed=3))[2:] / 6000, 1 / 3, 0.03)
    close(np.bincount(random.categorical(np.log([[0.2, 0.8]]), 5000, seed=1)[0]) / 5000, [0.2, 0.8], 0.03)
    close(random.binomial((300,), 10.0, 0.3, seed=1).mean(), 3, 0.1)
    assert sorted(random.shuffle(np.arange(9), seed=1).tolist()) == list(range(9))
    dropped = random.dropout(np.ones((5000, 1), "float32"), 0.25, seed=1)
    close(np.unique(dropped), [0, 4 / 3])
    close(dropped.mean(), 1, 0.05)
    assert random.dropout(np.ones((3, 4)), 0.5, noise_shape=(None, 1), seed=2).std(1).max() == 0
    with pytest.raises(ValueError, match="from 0 to 1"):
        random.dropout(np.ones(2), 1.5)


def test_generators_go_on_and_one_seed_fixes_all():
    generator = SeedGenerator(1)
    first, second = random.normal((3,), seed=generator), random.normal((3,), seed=generator)
    assert not np.allclose(first, second)
    step = compiled(lambda: random.uniform((3,), seed=generator))
    assert not np.allclose(step(), step())
    set_random_seed(5)
    x = random.normal((3,))
    set_random_seed(5)
    np.testing.assert_array_equal(x, random.normal((3,)))
    with pytest.raises(ValueError, match="seed must be"):
        random.normal((2,), seed="x")


def test_pad_takes_no_value_that_it_would_not_use():
    with pytest.raises(ValueError, match="pad: constant_values is for mode='constant'"):
        ops.pad(np.ones(4), 1, mode="reflect", constant_values=2)


def test_sparse_arrays_of_jax_are_taken():
    dense = np.array([[0, 2.0, 0], [1, 0, 0]], "float32")
    given = sparse.BCOO.fromdense(dense)
    np.testing.assert_allclose(ops.exp(given), np.exp(dense), rtol=1e-6)
    np.testing.assert_array_equal(ops.add(given, given), 2 * dense)
    np.testing.assert_array_equal(ops.matmul(given, np.eye(3, dtype="float32")), dense)
