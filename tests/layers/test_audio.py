"""Spectrograms against SciPy and NumPy, and what they refuse. Keras' own numbers are in test_all_layers.py."""

import jax
import numpy as np
import pytest
import scipy.signal

from oneiros import layers

SOUND = np.random.RandomState(0).uniform(-1, 1, (3, 500, 1)).astype("float32")


@pytest.mark.parametrize("mode", ["magnitude", "psd"])
@pytest.mark.parametrize(
    ("window", "periodic", "scaling", "step", "fft"),
    [("hann", False, "density", 16, 64), ("blackman", True, "spectrum", 8, 32), ("tukey", False, "spectrum", 32, 32)],
)
def test_spectrograms_are_those_of_scipy(mode, window, periodic, scaling, step, fft):
    layer = layers.STFTSpectrogram(mode, 32, step, fft, window, periodic, scaling)
    values = scipy.signal.get_window(window, 32, periodic)
    _, _, expected = scipy.signal.spectrogram(
        SOUND[..., 0],
        window=values,
        nperseg=32,
        noverlap=32 - step,
        mode=mode,
        scaling=scaling,
        detrend=False,
        nfft=fft,
    )
    np.testing.assert_allclose(layer(SOUND), expected.swapaxes(1, 2), atol=5e-4)
    same = layers.STFTSpectrogram(mode, 32, step, fft, values, scaling=scaling)
    np.testing.assert_allclose(same(SOUND), layer(SOUND), atol=1e-6)


def test_spectrograms_are_of_each_channel():
    stereo = np.concatenate([SOUND, SOUND[::-1]], -1)
    layer, image = layers.STFTSpectrogram("stft", 16), layers.STFTSpectrogram("stft", 16, expand_dims=True)
    each = [np.asarray(layer(stereo[..., i : i + 1])) for i in range(2)]
    np.testing.assert_allclose(layer(stereo), np.concatenate(each, -1), atol=1e-6)
    np.testing.assert_allclose(image(stereo), np.stack(each, -1), atol=1e-6)


def test_kernels_are_trained_unless_frozen():
    layer, frozen = layers.STFTSpectrogram(frame_length=16), layers.STFTSpectrogram(frame_length=16, trainable=False)
    layer(SOUND)
    frozen(SOUND)
    assert [w.shape for w in layer.trainable_weights] == [(16, 1, 9)] * 2 and not frozen.trainable_weights
    assert layers.STFTSpectrogram("imag", 9)(SOUND).shape == (3, 123, 9)
    assert np.isfinite(jax.grad(lambda x: layer(x).sum())(0 * SOUND)).all()


MISTAKES = {
    "frame_step must not": {"frame_length": 16, "frame_step": 17},
    "frame_step: expected": {"frame_step": 0},
    "fft_length must not": {"frame_length": 32, "fft_length": 16},
    "padding: expected": {"padding": "causal"},
    "scaling: expected": {"scaling": "l2"},
    "mode: expected": {"mode": "spectrogram"},
    "window name|Unknown window": {"window": "unknowable"},
    "a window of length 256": {"window": [1.0, 2.0]},
    "a name, `None` or a vector": {"window": [[1.0]]},
}


@pytest.mark.parametrize("message", MISTAKES)
def test_wrong_arguments(message):
    with pytest.raises(ValueError, match=message):
        layers.STFTSpectrogram(**MISTAKES[message])


def test_wrong_inputs():
    with pytest.raises(TypeError, match="expected floats"):
        layers.STFTSpectrogram()(np.ones((1, 300, 1), int))
    with pytest.raises(ValueError, match="zero or negative"):
        layers.STFTSpectrogram()(np.ones((1, 30, 1), "float32"))
    with pytest.raises(ValueError, match="window: expected one of 'hann'"):
        layers.MelSpectrogram(window="boxcar")
    with pytest.raises(ValueError, match="window of length 8"):
        layers.MelSpectrogram(fft_length=8, window=[1.0])
    with pytest.raises(ValueError, match="fft_length must be greater"):
        layers.MelSpectrogram(fft_length=8, sequence_length=9)


def test_mel_weights_are_triangles():
    layer = layers.MelSpectrogram()
    weights = np.asarray(layer.linear_to_mel_weight_matrix(5, 33, 8000, 100.0, 3000.0))
    peaks = 700 * np.expm1(np.linspace(np.log1p(100 / 700), np.log1p(3000 / 700), 7))
    mel = np.log1p(np.linspace(0, 4000, 33) / 700)
    expected = [np.interp(mel, np.log1p(peaks[i : i + 3] / 700), [0, 1, 0]) for i in range(5)]
    np.testing.assert_allclose(weights.T, expected, atol=1e-5)


def test_mel_decibels():
    x = SOUND[..., 0]
    options = {"fft_length": 64, "sequence_stride": 16, "num_mel_bins": 8, "sampling_rate": 8000}
    power = np.asarray(layers.MelSpectrogram(power_to_db=False, **options)(x), float)
    layer = layers.MelSpectrogram(top_db=None, ref_power=-2.0, **options)
    np.testing.assert_allclose(layer(x), 10 * np.log10(power / 2), atol=1e-3)
    limited = np.asarray(layers.MelSpectrogram(top_db=5.0, **options)(x))
    assert limited.max() - limited.min() == pytest.approx(5, abs=1e-4)
    assert (np.asarray(layers.MelSpectrogram(**options)(0 * x)) == -100).all()
    roots = layers.MelSpectrogram(mag_exp=1.0, power_to_db=False, **options)
    assert np.isfinite(jax.grad(lambda x: roots(x).sum())(0 * x)).all()
    assert layers.MelSpectrogram(dtype="float16", **options)(x).dtype == "float16"
    assert roots.compute_output_shape((None, None)) == (None, 8, None)
