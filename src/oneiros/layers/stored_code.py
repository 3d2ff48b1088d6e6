"""The name of a function whose compiled code a file holds, read without making an object of the code.

Python's own reader (`marshal.loads`) must not be given data that nobody vouches for. This one only walks over the
format. What is stored for a code object differs by Python's version, and data do not tell the version: the layout that
fits all of the data is the right one.
"""

import struct

# What a code object consists of: numbers (i), objects (o) and its name (n). Python 2.7, 3.0, 3.8 and 3.11 changed it.
_LAYOUTS = ("iiiiooooooonio", "iiiiiooooooonio", "iiiiiiooooooonio", "iiiiioooooonoioo")
_FIXED = {"i": 4, "I": 8, "g": 8, "y": 16} | dict.fromkeys("0NFTS.", 0)  # kinds of objects of a fixed size
_TEXTS = {"z": "B", "Z": "B"} | dict.fromkeys("stuaA", "<i")  # kinds of texts, and how their length is stored
_SEQUENCES = {")": "B"} | dict.fromkeys("([<>", "<i")
_DEEPEST = 40


class _Unfit(Exception):
    """The data do not have this layout."""


class _Walk:
    """One reading of the data, for one layout."""

    def __init__(self, data, layout):
        self.data, self.layout, self.at = data, layout, 0
        self.shared, self.interned = [], []  # texts that later places refer to by number

    def take(self, size):
        if size < 0 or self.at + size > len(self.data):
            raise _Unfit
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def object(self, depth=0):
        """Goes past an object; returns it if it is a text, and the name if it is code."""
        first = self.take(1)[0]
        kind, place = chr(first & 0x7F), len(self.shared)
        if depth > _DEEPEST:
            raise _Unfit
        if first & 0x80:
            self.shared.append(None)
        value = self._content(kind, depth)
        if first & 0x80:
            self.shared[place] = value
        return value

    def _content(self, kind, depth):
        if kind in _FIXED:
            self.take(_FIXED[kind])
        elif kind in _TEXTS:
            text = self.take(self.number(_TEXTS[kind]))
            if kind == "t":
                self.interned.append(text)
            return text
        elif kind in _SEQUENCES:
            for _ in range(self.number(_SEQUENCES[kind])):
                self.object(depth + 1)
        elif kind in "rR":
            known, index = self.shared if kind == "r" else self.interned, self.number("<i")
            if not 0 <= index < len(known):
                raise _Unfit
            return known[index]
        elif kind == "l":
            self.take(2 * abs(self.number("<i")))
        elif kind == "c":
            parts = [(part, self.number("<i") if part == "i" else self.object(depth + 1)) for part in self.layout]
            return dict(parts)["n"]
        else:
            raise _Unfit
        return None


def name_of_code(data: bytes) -> str | None:
    """The name of the function whose code was written by `marshal.dumps`. ``None``: there is none, or it is a lambda.

    Args:
        data: the stored code, of any version of Python.

    >>> import marshal
    >>> def distance(a, b):
    ...     return abs(a - b)
    >>> name_of_code(marshal.dumps(distance.__code__))
    'distance'
    """
    for layout in _LAYOUTS:
        walk = _Walk(data, layout)
        try:
            name = walk.object() if data[:1] in (b"c", b"\xe3") else None
        except _Unfit:
            continue
        if isinstance(name, bytes) and walk.at == len(data) and name.isascii() and name.decode().isidentifier():
            return name.decode()
    return None
