"""Event files as TensorBoard reads them: protocol-buffer messages in checksummed records.

Formats: the public definitions of TFRecord (length and data, each followed by its masked CRC-32C) and of the messages
Event, Summary, HistogramProto and GraphDef.
"""

import itertools
import os
import socket
import struct
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

_serial = itertools.count()


def _crc_table():
    table = []
    for n in range(256):
        for _ in range(8):
            n = (n >> 1) ^ (0x82F63B78 if n & 1 else 0)
        table.append(n)
    return table


_TABLE = _crc_table()


def crc32c(data: bytes) -> int:
    """The Castagnoli checksum (RFC 3720).

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def _masked(data):
    crc = crc32c(data)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def record(data: bytes) -> bytes:
    """One record of a TFRecord file."""
    length = struct.pack("<Q", len(data))
    return length + _masked(length) + data + _masked(data)


# --- messages ---


def _varint(n):
    n &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number: int, value: Any) -> bytes:
    """One field of a message: integers as varints, floats as doubles, text, bytes and arrays (packed doubles).

    >>> field(1, 150)
    b'\\x08\\x96\\x01'
    """
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    if isinstance(value, float):
        return _varint(number << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, np.ndarray):
        value = value.astype("<f8").tobytes()
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def scalar(value: Any) -> bytes:
    """A summary value that is one number (single precision)."""
    return _varint(2 << 3 | 5) + struct.pack("<f", value)


def histogram(values: Any, bins: int = 30) -> bytes:
    """A summary value that is a histogram; values that are not finite are left out."""
    values = np.asarray(values, np.float64).ravel()
    values = values[np.isfinite(values)]
    if not values.size:
        values = np.zeros(1)
    counts, edges = np.histogram(values, bins)
    message = b"".join(
        field(number, float(x))
        for number, x in enumerate(
            (values.min(), values.max(), values.size, values.sum(), np.square(values).sum()), start=1
        )
    )
    return field(5, message + field(6, edges[1:]) + field(7, counts))


def image(png: bytes, height: int, width: int, channels: int) -> bytes:
    """A summary value that is an image, given as the bytes of a PNG file."""
    return field(4, field(1, height) + field(2, width) + field(3, channels) + field(4, png))


def graph(nodes: Iterable) -> bytes:
    """The bytes of a GraphDef: nodes are ``(name, operation, names of the nodes it takes from)``."""
    definitions = (
        field(1, field(1, name) + field(2, operation) + b"".join(field(3, source) for source in sources))
        for name, operation, sources in nodes
    )
    return b"".join(definitions) + field(4, field(1, 22))


class EventFile:
    """Writes events to a new file in `folder`."""

    def __init__(self, folder: Any):
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.{next(_serial)}.v2"
        self.path = folder / name
        self._file = open(self.path, "wb")  # noqa: SIM115 - open for long
        self._write(field(3, "brain.Event:2"))

    def add(self, tag: str, value: bytes, step: int) -> None:
        """Adds a value made by `scalar`, `histogram` or `image` under a name."""
        self._write(field(2, int(step)) + field(5, field(1, field(1, tag) + value)))

    def add_graph(self, nodes: Iterable) -> None:
        self._write(field(4, graph(nodes)))

    def _write(self, content):
        self._file.write(record(field(1, time.time()) + content))

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()
