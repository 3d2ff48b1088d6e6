"""Compares what two libraries recorded while they ran the same program."""

import math
import re
from dataclasses import dataclass

import numpy as np

from .known import KNOWN

RELATIVE, ABSOLUTE = 2e-4, 2e-5
# Dictionaries that the peer sorts by name. Here the loss comes first in logs, and outputs keep the user's order.
LOGS = ("history", "steps", "evaluate", "train_on_batch", "test_on_batch", "predict", "call")
# A difference is noise where the peer moves by as much, within this factor, when its weights move by a millionth.
NOISE_FACTOR = 30


@dataclass
class Finding:
    """How the two sides differ. ``kind``: 'refused here', 'refused there', 'hang', 'structure' or 'values'."""

    kind: str
    where: str
    text: str
    index: int = 0
    program: str = ""

    @property
    def key(self):
        """What stays the same while a program is shrunk, and what findings are grouped by."""
        if self.kind in ("structure", "values"):
            return f"{self.kind}: {self.where}"
        return f"{self.kind}: {re.sub(r'[0-9]+', 'N', self.text.splitlines()[0])[:80]}"

    @property
    def reason(self):
        """Why this is meant to be so, if it is."""
        for kind, pattern, program, reason in KNOWN:
            found = re.match(kind, self.kind) and re.search(pattern, self.where + "\n" + self.text)
            if found and re.search(program, self.program):
                return reason
        return None

    def __str__(self):
        return f"{self.kind} at {self.where}\n{self.text}"


def compare(ours, peer):
    """The first finding in two results of a worker, or ``None``."""
    for index, ((name, mine), (other_name, theirs)) in enumerate(zip(ours["records"], peer["records"])):
        if name != other_name:
            return Finding("structure", name, f"ours recorded {name}, the peer {other_name}", index)
        difference = differs(*(map(_in_order, (mine, theirs)) if name in LOGS else (mine, theirs)))
        if difference:
            kind, path, text = difference
            return Finding(kind, name, f"{path or name}: {text}", index)
    return compare_refusals(ours["raised"], peer["raised"])


def _in_order(logs):
    """Logs with their names sorted."""
    if isinstance(logs, dict):
        return {"dict": sorted(logs["dict"], key=lambda part: part[0])}
    return list(map(_in_order, logs)) if isinstance(logs, list) else logs


def compare_refusals(ours, peer):
    for raised, side in ((ours, "ours"), (peer, "the peer's")):
        if raised and raised["error"] in ("crash", "hang"):
            return Finding("hang", side, f"{side} process: {raised['error']}")
    first, second = (raised["place"] if raised else math.inf for raised in (ours, peer))
    if first == second:
        return None
    if first < second:
        return Finding("refused here", ours["statement"], _short(ours))
    return Finding("refused there", peer["statement"], _short(peer))


def _short(raised):
    """The message, and the last frame of the traceback."""
    lines = raised["text"].strip().splitlines()
    start = max((i for i, line in enumerate(lines) if line.startswith("  File ")), default=0)
    return "\n".join(line[:400] for line in [*raised["message"].splitlines()[:6], *lines[start : start + 2]])


def differs(mine, theirs, path=""):
    """Where two recorded values differ first, as a kind, a path and a text; ``None`` if they do not."""
    if isinstance(mine, np.ndarray) and isinstance(theirs, np.ndarray):
        if mine.shape != theirs.shape:
            return "structure", path, f"ours has the shape {mine.shape}, the peer's {theirs.shape}"
        if np.allclose(mine, theirs, RELATIVE, ABSOLUTE, equal_nan=True):
            return None
        with np.errstate(invalid="ignore"):
            return "values", path, f"ours {_values(mine)}, the peer's {_values(theirs)}"
    if type(mine) is not type(theirs):
        return "structure", path, f"ours is {_values(mine)}, the peer's {_values(theirs)}"
    if isinstance(mine, dict):
        (_, mine), (_, theirs) = *mine.items(), *theirs.items()
        names, other_names = [name for name, _ in mine], [name for name, _ in theirs]
        if names != other_names:
            return "structure", path, f"ours has the keys {names}, the peer's {other_names}"
        parts = [(name, a, b) for (name, a), (_, b) in zip(mine, theirs)]
    elif isinstance(mine, list):
        if len(mine) != len(theirs):
            return "structure", path, f"ours has {len(mine)} parts, the peer's {len(theirs)}"
        parts = list(zip(range(len(mine)), mine, theirs))
    else:
        return None if mine == theirs else ("structure", path, f"ours is {mine!r}, the peer's {theirs!r}")
    return next(filter(None, (differs(a, b, f"{path}[{name!r}]") for name, a, b in parts)), None)


def _values(value):
    return (
        np.array2string(value, precision=6, threshold=8, edgeitems=3).replace("\n", "")
        if isinstance(value, np.ndarray)
        else repr(value)[:200]
    )


def distance(one, other):
    """The largest difference of two recorded values of the same structure; infinite where they differ otherwise."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray) and one.shape == other.shape:
        if not one.size or np.array_equal(one, other, equal_nan=True):
            return 0.0
        size = np.abs(one - other).max()
        return float(size) if np.isfinite(size) else np.inf
    if isinstance(one, dict) and isinstance(other, dict):
        return distance([part for _, part in one["dict"]], [part for _, part in other["dict"]])
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return max((distance(a, b) for a, b in zip(one, other)), default=0.0)
    return 0.0 if type(one) is type(other) and not isinstance(one, np.ndarray) and one == other else np.inf


def examine(pair, source):
    """Runs a program on both sides and says how they differ, leaving out noise. ``None`` if they agree.

    Rounding can grow without bound (a gradient that should be zero, divided by its own size). So where values differ,
    the peer runs once more with its weights moved by a millionth; if that moves its values about as much, it is noise.
    """
    ours, peer = pair.run(source)
    finding = compare(ours, peer)
    if finding is None:
        return None
    finding.program = source
    if finding.kind != "values":
        return finding
    nudged = pair.peer.run(source.replace("NUDGE = 0.0", "NUDGE = 1e-06"))["records"]
    for index in range(finding.index + 1):
        if index < len(nudged) and index == finding.index:
            noise = distance(peer["records"][index][1], nudged[index][1])
            if distance(ours["records"][index][1], peer["records"][index][1]) <= NOISE_FACTOR * noise:
                return None
    return finding
