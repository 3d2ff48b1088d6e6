"""The functions of `keras.backend` (K): given symbols, they record; given arrays, they compute.

Users import them as ``oneiros.backend``. In the library only older generations' code calls them.
"""

from ...core.config import epsilon, floatx, image_data_format, set_epsilon, set_floatx, set_image_data_format
from ...core.names import get_uid, reset_uids
from ...ops.table import publish as _publish
from . import loops, nn, settings, state, tensors
from .settings import experimental

_publish(globals(), loops, nn, settings, state, tensors)
