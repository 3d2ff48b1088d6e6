"""`Config`: named values of a program."""

import json
from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import Any


class Config:
    """Named values, which are read and written as attributes or as in a dictionary, and can be frozen.

    Args:
        **kwargs: the values to begin with.

    >>> config = Config(learning_rate=0.1)
    >>> config.seed = 3
    >>> config["learning_rate"], config.as_dict()
    (0.1, {'learning_rate': 0.1, 'seed': 3})
    >>> config.freeze()
    >>> config.seed = 4
    Traceback (most recent call last):
    ValueError: The config is frozen: 'seed' cannot change. Call unfreeze() first.
    """

    def __init__(self, **kwargs):
        object.__setattr__(self, "_values", kwargs)
        object.__setattr__(self, "_frozen", False)

    @property
    def frozen(self) -> bool:
        """Whether nothing may change."""
        return self._frozen

    def freeze(self) -> None:
        """Forbids changes from now on."""
        object.__setattr__(self, "_frozen", True)

    def unfreeze(self) -> None:
        """Allows changes again."""
        object.__setattr__(self, "_frozen", False)

    def _changeable(self, *names):
        if self._frozen:
            raise ValueError(
                f"The config is frozen: {', '.join(map(repr, names))} cannot change. Call unfreeze() first."
            )
        return self._values

    def as_dict(self) -> dict:
        """A dictionary of the values."""
        return dict(self._values)

    def to_json(self) -> str:
        """The values as JSON."""
        return json.dumps(self._values)

    def keys(self) -> KeysView:
        """The names."""
        return self._values.keys()

    def values(self) -> ValuesView:
        """The values."""
        return self._values.values()

    def items(self) -> ItemsView:
        """Pairs of name and value."""
        return self._values.items()

    def get(self, keyname: str, value: Any = None) -> Any:
        """The value of a name.

        Args:
            keyname: the name.
            value: what is returned if there is no such name.
        """
        return self._values.get(keyname, value)

    def pop(self, *args) -> Any:
        """Removes a name, and returns its value.

        Args:
            *args: the name, and what is returned if there is no such name.

        Raises:
            KeyError: if there is no such name, and nothing else to return.
        """
        return self._changeable(args[0]).pop(*args)

    def update(self, *args, **kwargs) -> None:
        """Sets several values, which are given as to the method of a dictionary."""
        new = dict(*args, **kwargs)
        self._changeable(*new).update(new)

    def __setattr__(self, name, value):
        if isinstance(getattr(type(self), name, None), property):
            object.__setattr__(self, name, value)  # complains
        self._changeable(name)[name] = value

    def __getattr__(self, name):
        if name.startswith("__"):  # what copies and pickles ask for
            raise AttributeError(name)
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(f"The config has no value {name!r}. It has: {', '.join(self._values)}.") from None

    def __delattr__(self, name):
        del self[name]

    def __getitem__(self, key):
        return self._values[key]

    def __setitem__(self, key, item):
        self._changeable(key)[key] = item

    def __delitem__(self, key):
        del self._changeable(key)[key]

    def __contains__(self, item):
        return item in self._values

    def __iter__(self) -> Iterator:
        return iter(self._values)

    def __len__(self):
        return len(self._values)

    def __repr__(self):
        return f"<Config {self._values}>"
