"""WAV files of all kinds, written by SciPy and Python, and data sets of them."""

import struct
import wave

import numpy as np
import pytest
import scipy.io.wavfile

from oneiros.core.errors import CorruptFileError, InputDataError
from oneiros.preprocessing import audio_dataset_from_directory as from_directory
from oneiros.preprocessing import audio_io

VALUES = np.array([[-1.0, 0.5], [0.25, -0.125], [0.0, 0.75]])


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32", "float64"])
def test_kinds_of_samples(tmp_path, dtype):
    scale = {"uint8": 2**7, "int16": 2**15, "int32": 2**31}.get(dtype, 1)
    values = (VALUES * scale + (128 if dtype == "uint8" else 0)).astype(dtype)
    scipy.io.wavfile.write(tmp_path / "x.wav", 8000, values)
    samples, rate = audio_io.read_wav(tmp_path / "x.wav")
    assert rate == 8000 and samples.dtype == np.float32
    np.testing.assert_array_equal(samples, VALUES)


def bytes_of(kind, bits, data, channels=1, more=b"", length=None):
    """A WAV file, with another chunk of odd length in front of the samples."""
    block = channels * bits // 8
    head = struct.pack("<HHIIHH", kind, channels, 100, 100 * block, block, bits) + more
    body = b"WAVEfmt " + struct.pack("<I", len(head)) + head + b"LIST" + struct.pack("<I", 3) + b"abc\0"
    body += b"data" + struct.pack("<I", len(data) if length is None else length) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_24_bits_and_extensible_files(tmp_path):
    whole = (VALUES[:, 0] * 2**23).astype(int)
    data = b"".join(int(value).to_bytes(3, "little", signed=True) for value in whole)
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 3, 100, 0, "NONE", ""))
        file.writeframes(data)
    extended = struct.pack("<HHIH14s", 22, 24, 0, 1, b"\0" * 14)
    (tmp_path / "b.wav").write_bytes(bytes_of(0xFFFE, 24, data, more=extended))
    (tmp_path / "c.wav").write_bytes(bytes_of(1, 24, data, length=2**32 - 1))  # from a pipe: of unknown length
    for name in "abc":
        np.testing.assert_array_equal(audio_io.read_wav(tmp_path / f"{name}.wav")[0][:, 0], VALUES[:, 0])


def test_damaged_files(tmp_path):
    good, path = bytes_of(1, 16, b"\1\0\2\0"), tmp_path / "x.wav"
    cases = {
        "not a WAV": b"RIFX" + good[4:],
        "ends within": good[:-1],
        "no format or no samples": good[:12],
        "1 channels of 0 bits": bytes_of(1, 0, b""),
        "format 7": bytes_of(7, 8, b"ab"),
        "with 12 bits": bytes_of(1, 16, b"ab").replace(struct.pack("<HH", 2, 16), struct.pack("<HH", 2, 12)),
    }
    for message, content in cases.items():
        path.write_bytes(content)
        with pytest.raises((CorruptFileError, InputDataError), match=message if "12" not in message else "12 bits"):
            audio_io.read_wav(path)
    path.write_bytes(good)
    for cut in range(len(good)):
        path.write_bytes(good[:cut])
        with pytest.raises(CorruptFileError):
            audio_io.read_wav(path)


@pytest.fixture
def sounds(tmp_path):
    """Two classes with three sounds each, of 10, 15 and 20 samples, and of one more in the second class."""
    for c, name in enumerate("ab"):
        (tmp_path / name).mkdir()
        for i in range(3):
            values = np.full(10 + 5 * i + c, (1 + 3 * c + i) * 2**10, "int16")
            scipy.io.wavfile.write(tmp_path / name / f"{i}.wav", 1000, values)
    return tmp_path


def shapes(dataset):
    return [tuple(np.shape(part) for part in (batch if isinstance(batch, tuple) else (batch,))) for batch in dataset]


def test_data_sets(sounds, capsys):
    whole = from_directory(sounds, shuffle=False)
    assert capsys.readouterr().out == "Found 6 files belonging to 2 classes.\n"
    x, y = whole[0]
    assert (x.shape, x.dtype, y.tolist(), y.dtype) == ((6, 21, 1), np.float32, [0] * 3 + [1] * 3, np.int32)
    assert (x[:, 0, 0] * 32).tolist() == [1, 2, 3, 4, 5, 6] and not x[0, 10:].any()
    assert whole.class_names == ["a", "b"]
    two = from_directory(sounds, shuffle=False, batch_size=2)
    assert shapes(two) == [((2, n, 1), (2,)) for n in (15, 20, 21)]
    for length in (12, 40):
        cut = from_directory(sounds, output_sequence_length=length, label_mode="binary", seed=1)
        assert shapes(cut) == [((6, length, 1), (6, 1))]
    single = from_directory(sounds, batch_size=None, labels=None, shuffle=False)
    assert shapes(single) == [((n, 1),) for n in (10, 15, 20, 11, 16, 21)]
    pieces, labels = from_directory(sounds, ragged=True, shuffle=False, label_mode="categorical")[0]
    assert pieces.shape == (6,) and [len(piece) for piece in pieces] == [10, 15, 20, 11, 16, 21]
    assert labels.shape == (6, 2)
    assert from_directory(sounds, class_names=["b", "a"], shuffle=False)[0][0].shape == (6, 21, 1)


def test_subsets(sounds):
    options = {"validation_split": 0.34, "seed": 3}
    train, validation = from_directory(sounds, subset="both", **options)
    values = [sorted((x[:, 0, 0] * 32).tolist()) for x, _ in (train[0], validation[0])]
    assert sorted(sum(values, [])) == [1, 2, 3, 4, 5, 6] and [len(v) for v in values] == [4, 2]
    again = from_directory(sounds, subset="validation", **options)
    assert sorted((again[0][0][:, 0, 0] * 32).tolist()) == values[1]


def test_other_rates_and_channels(tmp_path):
    time = np.arange(800) / 800
    tone = np.sin(2 * np.pi * 20 * time)
    scipy.io.wavfile.write(tmp_path / "a.wav", 800, tone.astype("float32"))
    scipy.io.wavfile.write(tmp_path / "b.wav", 400, np.stack([tone[::2]] * 2, 1).astype("float32"))
    batch = from_directory(tmp_path, labels=None, sampling_rate=400, shuffle=False)[0]
    assert batch.shape == (2, 400, 2) and not batch[0, :, 1].any()
    np.testing.assert_allclose(batch[0, 20:-20, 0], tone[40:-40:2], atol=0.02)
    np.testing.assert_array_equal(batch[1, :, 1], tone[::2].astype("float32"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sampling_rate": -1}, "sampling_rate: expected"),
        ({"sampling_rate": 1.2}, "sampling_rate: expected"),
        ({"ragged": True, "output_sequence_length": 3}, "exclude each other"),
        ({"label_mode": "other"}, "label_mode: expected"),
        ({"class_names": ["a"]}, "class_names must be"),
        ({"labels": [1, 2]}, "2 labels but 6 files"),
        ({"validation_split": 0.2, "subset": "training"}, "give a seed"),
    ],
)
def test_mistakes(sounds, wrong, message):
    with pytest.raises(InputDataError, match=message):
        from_directory(sounds, **wrong)
