"""The hashes of strings by which Keras chooses buckets: the same on all machines and in all runs."""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.checks import is_integer
from ...core.errors import InputDataError

_MASK = (1 << 64) - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F


def _rotated(x, bits):
    """Rotated to the right."""
    x &= _MASK
    return (x >> bits | x << (64 - bits)) & _MASK


def _mixed(x):
    x &= _MASK
    return x ^ (x >> 47)


def _of_two(u, v, factor):
    a = _mixed((u ^ v) * factor)
    return _mixed((v ^ a) * factor) * factor & _MASK


def fingerprint(text: bytes) -> int:
    """FarmHash's Fingerprint64 (Pike & Alakuijala, github.com/google/farmhash).

    >>> fingerprint(b"") == 0x9AE16A3B2F90404F
    True
    """
    n = len(text)

    def at(place, size=8):
        return int.from_bytes(text[place : place + size], "little")

    factor = _K2 + 2 * n
    if n > 64:
        return _of_long(text, n, at)
    if n > 16:
        a, b = at(0) * (_K1 if n <= 32 else _K2), at(8)
        c, d = at(n - 8) * factor, at(n - 16) * _K2
        y = (_rotated(a + b, 43) + _rotated(c, 30) + d) & _MASK
        z = _of_two(y, (a + _rotated(b + _K2, 18) + c) & _MASK, factor)
        if n <= 32:
            return z
        e, f = at(16) * factor, at(24)
        g, h = (y + at(n - 32)) * factor, (z + at(n - 24)) * factor
        low = (_rotated(e + f, 43) + _rotated(g, 30) + h) & _MASK
        return _of_two(low, (e + _rotated(f + a, 18) + g) & _MASK, factor)
    if n >= 8:
        a, b = at(0) + _K2, at(n - 8)
        return _of_two((_rotated(b, 37) * factor + a) & _MASK, (_rotated(a, 25) + b) * factor & _MASK, factor)
    if n >= 4:
        return _of_two(n + (at(0, 4) << 3), at(n - 4, 4), factor)
    if n:
        y, z = text[0] + (text[n >> 1] << 8), n + (text[-1] << 2)
        return _mixed(y * _K2 ^ z * _K0) * _K2 & _MASK
    return _K2


def _of_long(text, n, at):
    def weak(place, a, b):
        a += at(place)
        b = _rotated(b + a + at(place + 24), 21)
        c = a
        a += at(place + 8) + at(place + 16)
        return (a + at(place + 24)) & _MASK, (b + _rotated(a, 44) + c) & _MASK

    def step(place, x, y, z, v, w, factor, last):
        x = _rotated(x + y + v[0] + at(place + 8), 37) * factor
        y = _rotated(y + v[1] + at(place + 48), 42) * factor
        x ^= w[1] * (9 if last else 1)
        y += v[0] * (9 if last else 1) + at(place + 40)
        z = _rotated(z + w[0], 33) * factor
        v = weak(place, v[1] * factor, x + w[0])
        w = weak(place + 32, z + w[1], y + at(place + 16))
        return z & _MASK, y & _MASK, x & _MASK, v, w

    y = 81 * _K1 + 113
    x, z, v, w = 81 * _K2 + at(0), _mixed(y * _K2 + 113) * _K2, (0, 0), (0, 0)
    for place in range(0, (n - 1) // 64 * 64, 64):
        x, y, z, v, w = step(place, x, y, z, v, w, _K1, last=False)
    factor = _K1 + ((z & 0xFF) << 1)
    w = (w[0] + ((n - 1) & 63), w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    x, y, z, v, w = step(n - 64, x, y, z, v, w, factor, last=True)
    low = _of_two(v[0], w[0], factor) + _mixed(y) * _K0 + z
    return _of_two(low & _MASK, (_of_two(v[1], w[1], factor) + x) & _MASK, factor)


def keyed_hash(text: bytes, key: tuple[int, int]) -> int:
    """SipHash-2-4 of a text, with a key of two 64-bit numbers (Aumasson & Bernstein 2012).

    >>> hex(keyed_hash(bytes(range(15)), (0x0706050403020100, 0x0F0E0D0C0B0A0908)))  # appendix A of the paper
    '0xa129ca6149be45e5'
    """
    v0, v1, v2, v3 = (
        k ^ c
        for k, c in zip((*key, *key), (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573))
    )

    def rounds(count):
        nonlocal v0, v1, v2, v3
        for _ in range(count):
            v0, v2 = (v0 + v1) & _MASK, (v2 + v3) & _MASK
            v1, v3 = _rotated(v1, 51) ^ v0, _rotated(v3, 48) ^ v2
            v0 = _rotated(v0, 32)
            v2, v0 = (v2 + v1) & _MASK, (v0 + v3) & _MASK
            v1, v3 = _rotated(v1, 47) ^ v2, _rotated(v3, 43) ^ v0
            v2 = _rotated(v2, 32)

    padded = text + bytes(7 - len(text) % 8) + bytes([len(text) % 256])
    for (word,) in struct.iter_unpack("<Q", padded):
        v3 ^= word
        rounds(2)
        v0 ^= word
    v2 ^= 0xFF
    rounds(4)
    return v0 ^ v1 ^ v2 ^ v3


def salt(name: str, value: Any) -> list[int] | None:
    """Checks the argument `salt`: two whole numbers, or one that stands for both; `None` for no salt.

    >>> salt("salt", 7)
    [7, 7]
    """
    if value is None:
        return None
    pair = list(value) if isinstance(value, (list, tuple)) else [value, value]
    if len(pair) != 2 or not all(is_integer(n, 0) for n in pair):
        raise InputDataError(f"{name}: expected one or two whole numbers. Received: {name}={value!r}")
    return [int(n) for n in pair]


def hashed(text: bytes, salt: Sequence[int] | None) -> int:
    """The hash of a text: FarmHash's without a salt, SipHash-2-4 with one."""
    return fingerprint(text) if salt is None else keyed_hash(text, tuple(salt))


_CROSS_FACTOR, _CROSS_KEY = 0xC6A4A7935BD1E995, 0xDECAFCAFFE


def concatenated(prints: Sequence[np.ndarray]) -> np.ndarray:
    """The fingerprints of combinations of values, as TensorFlow's `tf.sparse.cross_hashed` makes them.

    Args:
        prints: For each feature an array of fingerprints, unsigned 64-bit integers.

    Returns:
        Fingerprints that depend on the order of the features too.

    >>> concatenated([np.asarray([fingerprint(b"A")], "uint64"), np.asarray([101], "uint64")]) % 5
    array([1], dtype=uint64)
    """
    factor, far = np.uint64(_CROSS_FACTOR), np.uint64(47)
    found = np.full(np.shape(prints[0]), _CROSS_KEY, "uint64")
    for one in prints:  # the last steps of MurmurHash2 (Appleby 2008), which loses nothing of either number
        one = one * factor
        found = (found ^ factor ^ (one ^ (one >> far)) * factor) * factor
        found = (found ^ (found >> far)) * factor
        found = found ^ (found >> far)
    return found
