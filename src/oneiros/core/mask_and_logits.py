"""What travels with an array without being part of it: its mask, and the logits that it was made from."""

import weakref


class Attached:
    """A table from arrays (by identity) to what is attached to them; entries end with their arrays."""

    def __init__(self):
        self._entries = {}

    def get(self, x):
        entry = self._entries.get(id(x))
        return entry[1] if entry is not None and entry[0]() is x else None

    def set(self, x, thing):
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
    """The mask that travels with an array: True where it is valid; ``None`` without one."""
    return masks.get(x)


def set_mask(x, mask):
    """Lets a mask travel with an array from here on."""
    masks.set(x, mask)


def remember_logits(probabilities, function, axis, logits):
    """Notes that probabilities are ``function(logits)``, so that a loss need not take logarithms of them."""
    _logits.set(probabilities, (function, axis, logits))


def logits_behind(probabilities, function, axis=None):
    """The logits of probabilities that `function` (along `axis`) made; ``None`` where that is not known."""
    made_by, made_along, logits = _logits.get(probabilities) or (None, None, None)
    return logits if (made_by, made_along) == (function, axis) else None
