"""Whether the code that runs now trains: the flag of the layer call under way, and the user's fixed learning phase."""

from .config import settings
from .context import current as context
from .context import within


def current():
    """The training flag of the innermost call under way: True, False, or None if it gave none (or there is none)."""
    return context().training


def inside():
    """Whether a call is under way in this thread."""
    return context().calling


def running(training):
    """Makes `training` the current flag while a call runs; None leaves the outer call's flag as it is."""
    return within(training=current() if training is None else bool(training), calling=True)


def default():
    """What `set_learning_phase` fixed: True or False, or None where nothing is fixed."""
    return settings.learning_phase


def set_default(value):
    settings.learning_phase = None if value is None else bool(value)


def resolve(training=None):
    """The flag that holds here: the argument, else the call's, else the fixed phase, else False."""
    for flag in (training, current(), settings.learning_phase):
        if flag is not None:
            return flag
    return False
