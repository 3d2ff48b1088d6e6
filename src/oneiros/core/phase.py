"""Whether the code that runs now is training: from the current call of a layer, or from the user's learning phase."""

from .config import behaviour, settings
from .context import current as context
from .context import within


def current() -> bool | None:
    """The training flag of the innermost call: True, False, or `None` if it has none or there is no call."""
    return context().training


def inside() -> bool:
    """Whether a call is running in this thread."""
    return context().calling


def is_building() -> bool:
    """Whether expressions of variables are recorded: programs for Keras 1 and 2 build graphs outside of any call."""
    return behaviour.expressions_recorded and not context().calling and context().scope is None


def running(training):
    """A context in which `training` is the current flag; `None` leaves the outer call's flag as it is."""
    return within(training=current() if training is None else bool(training), calling=True)


def default() -> bool | None:
    """The flag that `set_learning_phase` has set for the whole process, or `None`."""
    return settings.learning_phase


def set_default(value) -> None:
    """Sets the flag for the whole process; `None` removes it."""
    settings.learning_phase = None if value is None else bool(value)


def resolve(training=None):
    """The flag that holds here: the argument, or else that of the call, or else that of the process, or else False."""
    for flag in (training, current(), settings.learning_phase):
        if flag is not None:
            return flag
    return False
