"""Updates of variables as data: what Keras 1 and 2 call `updates`.

Inside ``with deferring():`` the backend's `update` functions change nothing and return ``(variable, new value)``
pairs for the caller to apply. Inside ``with dropping():`` layers leave their statistics alone, and what they add by
`add_update` is forgotten.
"""

from .context import current, within


def active():
    """Whether updates are to be returned instead of executed."""
    return current().defers_updates


def dropped():
    """Whether layers' updates are dropped here."""
    return current().drops_updates


def dropping(flag=True):
    """Drops updates of layers made inside (with flag=False: only if those outside are dropped, too)."""
    return within(drops_updates=dropped() or flag)


def deferring(flag=True):
    """Updates made inside are returned as pairs (with flag=False: executed again)."""
    return within(defers_updates=flag)
