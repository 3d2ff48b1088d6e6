"""Seeds. Whatever is random draws its seed here, so that one seed fixes a whole program.

Programs for Keras 1 and 2 fix everything by ``numpy.random.seed``, later ones by ``set_random_seed``: seeds that are
not given come from NumPy's global generator, which both set.
"""

import random

import jax.numpy as jnp
import numpy as np

from .config import settings
from .variable import Variable


def set_random_seed(seed):
    """Sets the seeds of Python, NumPy and this library."""
    if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise ValueError(f"set_random_seed: expected an integer from 0 to 2**32 - 1. Received: seed={seed!r}")
    random.seed(int(seed))
    np.random.seed(int(seed))
    set_backend_seed(None)
    reset_global_seed_generator()


def set_backend_seed(seed):
    """Draws seeds from a generator of our own from here on, as ``tf.random.set_seed`` does (None: from NumPy's)."""
    settings.seeds = None if seed is None else np.random.RandomState(int(seed) % 2**32)


def draw_seed():
    """A fresh seed, an integer below 2**31."""
    return int((settings.seeds or np.random).randint(0, 2**31 - 1))


class SeedGenerator:
    """A stream of random keys, as state: each key is used once, in compiled code too.

    seed: an integer; ``None`` draws one.

    >>> a, b = SeedGenerator(7), SeedGenerator(7)
    >>> a.next().tolist() == b.next().tolist() != a.next().tolist()
    True
    """

    def __init__(self, seed=None, name=None, **kwargs):
        self.seed = draw_seed() if seed is None else int(seed)
        self.state = Variable(
            np.array([self.seed & 0xFFFFFFFF, 0], np.uint32), dtype="uint32", trainable=False, name="seed_state"
        )

    def next(self):
        """The next key: two unsigned integers, as the functions of kernels.random take."""
        state = self.state.raw
        self.state.assign(state + jnp.array([0, 1], jnp.uint32))
        return state

    def get_config(self):
        return {"seed": self.seed}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def global_seed_generator():
    """The stream for random functions that are called without a seed outside any layer."""
    if settings.seed_generator is None:
        settings.seed_generator = SeedGenerator()
    return settings.seed_generator


def reset_global_seed_generator():
    settings.seed_generator = None


# --- the state of all streams


def get_random_state():
    """Where the streams of random numbers of this process are: Python's, NumPy's and the library's own.

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


def set_random_state(state):
    """Lets all streams go on where `get_random_state` found them."""
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
