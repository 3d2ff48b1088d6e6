"""WAV files as arrays."""

import math
import os
import struct
from collections.abc import Iterator, Sequence

import numpy as np

from oneiros.core.errors import CorruptFileError, InputDataError

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_UNTIL_THE_END = 0xFFFFFFFF  # the length of a chunk whose writer could not go back to fill it in


def read_wav(path: str | os.PathLike) -> tuple[np.ndarray, int]:
    """The samples of a WAV file with integers of 8, 16, 24 or 32 bits, or floats of 32 or 64 bits.

    Args:
        path: Path of the file.

    Returns:
        A float32 array ``(time, channels)``, where integers are scaled to the range from -1 to 1, and the number of
        samples in a second.

    Raises:
        CorruptFileError: If it is no WAV file, or damaged.
        InputDataError: If the samples are compressed.

    >>> read_wav("no/such.wav")
    Traceback (most recent call last):
    FileNotFoundError: [Errno 2] No such file or directory: 'no/such.wav'
    """
    with open(path, "rb") as file:
        content = file.read()
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise CorruptFileError(f"{path} is not a WAV file.")
    chunks = {}
    for name, part in _chunks(content):
        if part is None:
            raise CorruptFileError(f"{path} is damaged: it ends within the chunk {name!r}.")
        chunks.setdefault(name, part)
    if len(chunks.get(b"fmt ", b"")) < 16 or b"data" not in chunks:
        raise CorruptFileError(f"{path} is damaged: it has no format or no samples.")
    kind, channels, rate, _, block, bits = struct.unpack("<HHIIHH", chunks[b"fmt "][:16])
    if kind == _EXTENSIBLE and len(chunks[b"fmt "]) >= 26:
        (kind,) = struct.unpack("<H", chunks[b"fmt "][24:26])
    if not (channels and rate and bits) or block * 8 != channels * bits:
        raise CorruptFileError(f"{path} is damaged: {channels} channels of {bits} bits at {rate} Hz in {block} bytes.")
    data = chunks[b"data"]
    samples = _decoded(data[: len(data) // block * block], kind, bits)
    if samples is None:
        raise InputDataError(f"{path}: WAV files of format {kind} with {bits} bits are not supported.")
    return samples.reshape(-1, channels), rate


def _chunks(content: bytes) -> Iterator:
    """Pairs of name and bytes; `None` for the bytes if the file ends before them."""
    place = 12
    while place + 8 <= len(content):
        name, length = struct.unpack("<4sI", content[place : place + 8])
        place += 8
        if length == _UNTIL_THE_END:
            length = len(content) - place
        yield name, content[place : place + length] if place + length <= len(content) else None
        place += length + length % 2  # chunks begin at even places


def _decoded(data, kind, bits):
    """Samples as float32; `None` if the format is not known."""
    if kind == _FLOAT and bits in (32, 64):
        return np.frombuffer(data, f"<f{bits // 8}").astype("float32")
    if kind != _PCM or bits not in (8, 16, 24, 32):
        return None
    if bits == 8:
        return (np.frombuffer(data, "uint8").astype("float32") - 128) / 128
    if bits == 24:
        words = np.zeros((len(data) // 3, 4), "uint8")
        words[:, 1:] = np.frombuffer(data, "uint8").reshape(-1, 3)
        return (words.view("<i4")[:, 0] / 2.0**31).astype("float32")
    return (np.frombuffer(data, f"<i{bits // 8}") / 2.0 ** (bits - 1)).astype("float32")


def resampled(samples: np.ndarray, rate: int, new_rate: int) -> np.ndarray:
    """Samples ``(time, channels)`` at another rate.

    Args:
        samples: The samples.
        rate: How many of them make a second.
        new_rate: How many shall.

    Returns:
        A float32 array. It is filtered so that no high frequencies are taken for low ones.

    >>> resampled(np.ones((4, 1), "float32"), 8000, 8000).shape
    (4, 1)
    """
    if rate == new_rate or not len(samples):
        return samples
    from scipy.signal import resample_poly

    common = math.gcd(rate, new_rate)
    return resample_poly(samples, new_rate // common, rate // common, axis=0).astype("float32")


def of_length(samples: np.ndarray, length: int) -> np.ndarray:
    """Samples ``(time, channels)`` cut to a length, or with zeros behind them.

    >>> of_length(np.ones((1, 1)), 3)[:, 0].tolist()
    [1.0, 0.0, 0.0]
    """
    return np.pad(samples[:length], ((0, max(length - len(samples), 0)), (0, 0)))


def padded(sounds: Sequence[np.ndarray]) -> np.ndarray:
    """Sounds ``(time, channels)`` as one array, with zeros where some are shorter or have fewer channels.

    >>> padded([np.ones((1, 1)), np.ones((2, 1))])[:, :, 0].tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    shape = np.max([sound.shape for sound in sounds], 0)
    return np.stack([np.pad(sound, [(0, n - have) for n, have in zip(shape, sound.shape)]) for sound in sounds])


def ragged(sounds: Sequence[np.ndarray]) -> np.ndarray:
    """Sounds of any lengths in an array of objects.

    >>> ragged([np.ones((1, 1)), np.ones((2, 1))]).shape
    (2,)
    """
    array = np.empty(len(sounds), object)
    for place, sound in enumerate(sounds):
        array[place] = sound
    return array
