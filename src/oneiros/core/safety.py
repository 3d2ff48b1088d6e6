"""Whether code that a file brings along may be run: not unless the caller says so."""

from .config import settings
from .context import current, within


def in_safe_mode():
    """Whether code found in configurations is refused: what the innermost `loading` says, else yes without consent."""
    flag = current().safe_mode
    return not settings.unsafe_deserialization if flag is None else flag


def enable_unsafe_deserialization():
    """Consents, for the whole process, to running the code of Lambda layers that files contain."""
    settings.unsafe_deserialization = True


def loading(safe_mode=None):
    """Inside, `safe_mode` decides (None: what holds outside). For ``load_model(..., safe_mode=...)``."""
    return within(safe_mode=current().safe_mode if safe_mode is None else bool(safe_mode))
