"""Seeds and streams of random keys. Everything random draws its seed here, so that one seed fixes a whole program.

Programs for Keras 1 and 2 fix all numbers by ``numpy.random.seed``, later ones by ``set_random_seed``. So seeds that
are not given come from NumPy's global generator, which both of them set.
"""

import random

import jax.numpy as jnp
import numpy as np

from .checks import is_integer
from .config import settings
from .variable import Variable


def set_random_seed(seed: int) -> None:
    """Sets the seeds of Python, NumPy and this library.

    Args:
        seed: an integer from 0 to ``2**32 - 1``.

    Raises:
        ValueError: if it is something else.
    """
    if not is_integer(seed, 0) or seed >= 2**32:
        raise ValueError(f"set_random_seed: expected an integer from 0 to 2**32 - 1. Received: seed={seed!r}")
    random.seed(int(seed))
    np.random.seed(int(seed))
    set_backend_seed(None)
    reset_global_seed_generator()


def set_backend_seed(seed: int | None) -> None:
    """Draws seeds from a generator of the library's own from now on, as ``tf.random.set_seed`` does.

    Args:
        seed: the seed of that generator; `None` returns to NumPy's.
    """
    settings.seeds = None if seed is None else np.random.RandomState(int(seed) % 2**32)


def draw_seed() -> int:
    """A fresh seed, an integer below 2**31."""
    return int((settings.seeds or np.random).randint(0, 2**31 - 1))


class SeedGenerator:
    """A stream of random keys that is kept as state, so that each key is used once, in compiled code too.

    Args:
        seed: an integer; `None` draws one.
        name: accepted for Keras 3.
        **kwargs: accepted for Keras 3.

    >>> a, b = SeedGenerator(7), SeedGenerator(7)
    >>> a.next().tolist() == b.next().tolist() != a.next().tolist()
    True
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs):
        self.seed = draw_seed() if seed is None else int(seed)
        self.state = Variable(
            np.array([self.seed & 0xFFFFFFFF, 0], np.uint32), dtype="uint32", trainable=False, name="seed_state"
        )

    def next(self, ordered=True):
        """The next key: two unsigned integers, as the functions of `kernels.random` take them.

        Args:
            ordered: accepted for Keras 3.
        """
        state = self.state.raw
        self.state.assign(state + jnp.array([0, 1], jnp.uint32))
        return state

    def get_config(self):
        """The constructor's arguments."""
        return {"seed": self.seed}

    @classmethod
    def from_config(cls, config):
        """A new generator from what `get_config` returned."""
        return cls(**config)


def global_seed_generator() -> SeedGenerator:
    """The stream for random functions that are called without a seed, outside of any layer."""
    if settings.seed_generator is None:
        settings.seed_generator = SeedGenerator()
    return settings.seed_generator


def reset_global_seed_generator() -> None:
    """Forgets the stream of `global_seed_generator`; the next one draws a new seed."""
    settings.seed_generator = None


# --- the state of all streams


def get_random_state() -> dict:
    """The state of all streams of random numbers of this process: Python's, NumPy's and the library's own.

    >>> state = get_random_state()
    >>> a = np.random.rand(), random.random(), draw_seed()
    >>> set_random_state(state)
    >>> a == (np.random.rand(), random.random(), draw_seed())
    True
    """
    version, words, gauss = random.getstate()
    return {
        "python": (version, np.array(words, np.uint32), gauss),
        "numpy": np.random.get_state(legacy=False),
        "private": None if settings.seeds is None else settings.seeds.get_state(legacy=False),
        "global": None if settings.seed_generator is None else np.asarray(settings.seed_generator.state.raw),
    }


def set_random_state(state: dict) -> None:
    """Brings all streams back to a state that `get_random_state` returned."""
    version, words, gauss = state["python"]
    random.setstate((version, tuple(map(int, words)), gauss))
    if state["private"] is None:
        set_backend_seed(None)
    else:
        set_backend_seed(0)
        settings.seeds.set_state(state["private"])
    if state["global"] is not None:
        global_seed_generator().state.assign(state["global"])
    np.random.set_state(state["numpy"])
