"""Says where NaN comes from."""

from ...core.fields import field
from .base import Callback


class NaNReport(Callback):
    """Explains the first NaN or infinity in the logs: the step, the layer, and the row of the data.

    It costs nothing until that happens; then the last steps are done again, and the one that failed layer by layer.
    The text is printed and kept as `report`; ``None`` while all is finite.

    >>> report = NaNReport()
    >>> report.report is None
    True
    """

    stop: bool = field(
        default=True, doc="Whether training stops there, with the weights as they were before the step that failed."
    )
    report = None
    expects_nan = True

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.report = None
        self.model.told_of_nan = self._tell

    def _tell(self, report):
        self.report = report
        print(f"\nNaNReport: {report}")
        self.model.told_of_nan = None
        self.model.stop_training = self.model.stop_training or self.stop
        return self.stop

    def on_train_end(self, logs: dict | None = None) -> None:
        self.model.told_of_nan = None

    def on_exception(self, error: BaseException) -> None:
        self.model.told_of_nan = None
