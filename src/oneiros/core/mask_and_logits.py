"""What belongs to an array without being part of it: its mask, and the logits that it was computed from."""

import weakref


class Attached:
    """A table from arrays, by identity, to what is attached to them. An entry is removed when its array is deleted.

    >>> import numpy as np
    >>> table, x = Attached(), np.ones(2)
    >>> table.set(x, "a mask")
    >>> table.get(x), table.get(np.ones(2))
    ('a mask', None)
    """

    def __init__(self):
        self._entries = {}

    def get(self, x):
        """What is attached to an array, or `None`."""
        entry = self._entries.get(id(x))
        return entry[1] if entry is not None and entry[0]() is x else None

    def set(self, x, thing):
        """Attaches something to an array; `None` removes what is attached."""
        key = id(x)
        if thing is None:
            self._entries.pop(key, None)
        else:
            self._entries[key] = (weakref.ref(x, lambda _: self._entries.pop(key, None)), thing)

    def __len__(self):
        return len(self._entries)


masks = Attached()
_logits = Attached()


def get_mask(x):
    """The mask of an array, which is True at valid steps, or `None` if it has none."""
    return masks.get(x)


def set_mask(x, mask):
    """Attaches a mask to an array."""
    masks.set(x, mask)


def remember_logits(probabilities, function, axis, logits):
    """Notes that probabilities are ``function(logits)``, so that a loss can use the logits instead of their logarithms.

    Args:
        probabilities: the array that the function returned.
        function: the activation function.
        axis: the axis along which it works; `None` if it works element by element.
        logits: its argument.
    """
    _logits.set(probabilities, (function, axis, logits))


def logits_behind(probabilities, function, axis=None):
    """The logits from which `function` computed these probabilities.

    Args:
        probabilities: an array.
        function: the activation function.
        axis: the axis along which it works; `None` if it works element by element.

    Returns:
        An array, or `None` if that is not how they were computed.
    """
    made_by, made_along, logits = _logits.get(probabilities) or (None, None, None)
    return logits if (made_by, made_along) == (function, axis) else None
