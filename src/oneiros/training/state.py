"""What training leaves with a model, apart from the model itself."""

from typing import Any

from ..core.symbol import STRING


class TrainingState:
    """All that compile, fit and the callbacks keep with a model.

    It is one object of a kind that no search for layers and weights enters: what a model consists of, and in which
    order, follows from the model alone, whatever lists of weights or layers training holds.

    Attributes:
        told_of_nan: function of a report, which returns whether to stop. ``None``: nobody wants to know.
        objectives: the losses and metrics.
        compile_arguments: the arguments of `compile` that files keep.
        steps: the compiled steps.
        reader: what checks data.
        added_metrics: symbols by name that are shown with the metrics, for programs of Keras 1 and 2 that add them.
        feeds: symbols for targets, sample weights and the loss, for programs of Keras 1 and 2 that ask for them.

    >>> TrainingState().stop_training
    False
    """

    # These are attributes of the model too.
    SHARED = (
        *("optimizer", "loss", "loss_weights", "sample_weight_mode", "steps_per_execution"),
        *("run_eagerly", "jit_compile", "history", "told_of_nan"),
        *("stop_training", "stop_evaluating", "stop_predicting"),
    )

    def __init__(self):
        self.optimizer = self.loss = self.loss_weights = self.sample_weight_mode = self.history = None
        self.stop_training = self.stop_evaluating = self.stop_predicting = False
        self.steps_per_execution, self._run_eagerly, self.jit_compile = 1, False, True
        self.told_of_nan = self.objectives = self.steps = self.reader = self.feeds = None
        self.compile_arguments = {}
        self.added_metrics = {}

    @property
    def run_eagerly(self) -> bool:
        """Whether steps run in Python, operation by operation. Setting it has them made anew."""
        return self._run_eagerly

    @run_eagerly.setter
    def run_eagerly(self, value: bool) -> None:
        self._run_eagerly, self.steps = bool(value), None

    def forget_steps(self) -> None:
        """Forgets what was compiled for the model as it was: its layers have changed."""
        self.steps = self.reader = self.feeds = None

    def __getstate__(self):
        """What copies and pickles keep: all but what is compiled, and what follows from the model."""
        return vars(self) | {"steps": None, "reader": None, "feeds": None, "added_metrics": {}, "told_of_nan": None}


def takes_texts(model: Any) -> bool:
    """Whether an input of a model is for strings."""
    return any(symbol.dtype == STRING for symbol in model.inputs or ())


def runs_eagerly(model: Any) -> bool:
    """Whether steps run in Python: because the user says so, or because there are strings, which JAX does not have."""
    return model.run_eagerly or takes_texts(model)


def in_training_state(cls) -> Any:
    """Class decorator: the shared attributes of `TrainingState` are read and written as the model's own."""

    def forward(name):
        return property(
            lambda model: getattr(model.training_state, name),
            lambda model, value: setattr(model.training_state, name, value),
        )

    for name in TrainingState.SHARED:
        setattr(cls, name, forward(name))
    return cls
