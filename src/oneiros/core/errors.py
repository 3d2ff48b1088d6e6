"""The library's exceptions. Each message says what was expected, what was received, and what to do."""


class InputDataError(ValueError):
    """Data, labels, weights or arguments that cannot be used as given."""


class NoSymbolError(ValueError, TypeError):
    """Something that is not a symbol, or not one of an Input, where a graph needs one."""


class DisconnectedGraphError(ValueError, RuntimeError):
    """Outputs that cannot be computed from the inputs of a graph."""


class UnsafeModelError(ValueError):
    """A file asks for something that could run code or reach outside itself."""


class CorruptFileError(ValueError):
    """A file is damaged, incomplete, or not for this model."""


class LimitExceededError(ValueError):
    """Something is larger than this machine (or a stated limit) allows."""


class MissingFileError(FileNotFoundError, ValueError):
    """There is no such file. Programs for Keras 3 expect a `ValueError`, others a `FileNotFoundError`."""


class DownloadError(OSError):
    """A file could not be downloaded, or it is not the file that was asked for."""


class DataWorkerError(RuntimeError):
    """A process or thread that prepares batches has failed, or does not answer any more."""
