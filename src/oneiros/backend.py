"""`keras.backend` (K): the functions of Keras 1 and 2 for tensors, variables and symbols.

They live in `compat/backend`; this is their public name.

>>> import oneiros.backend as K
>>> K.eval(K.sum(K.ones((2, 3)), axis=0)).tolist()
[2.0, 2.0, 2.0]
"""

from .compat.backend import *  # noqa: F403
