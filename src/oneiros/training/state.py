"""What training leaves with a model, apart from the model itself."""

import functools


class TrainingState:
    """All that compile, fit and the callbacks keep with a model: the optimizer, losses, metrics, compiled functions.

    One object of a kind that no search for layers and weights enters: what a model consists of, and in which order,
    follows from the model alone, whatever lists of weights or layers training holds.
    """

    def __init__(self):
        self.optimizer = self.loss = self.loss_weights = self.history = self.sample_weight_mode = None
        self.stop_training = False
        self.told_of_nan = None  # function of a report; it returns whether to stop. None: nobody wants to know
        self._objectives = None
        self._compile_arguments = {}
        self.forget_functions()

    def forget_functions(self):
        self._functions, self._paces = {}, {}
        self._adds_losses = None  # whether layers add losses of what they are called on; known after a step's trace
        self._collected = None  # the variables that are trained
        self._held_metrics = None  # the metrics in attributes of the model and its layers

    def __getstate__(self):
        """What copies and pickles keep: all but what is compiled, and what follows from the model."""
        return vars(self) | {
            "_functions": {},
            "_paces": {},
            "_collected": None,
            "_held_metrics": None,
            "told_of_nan": None,
        }


def in_training_state(cls):
    """Class decorator: the attributes of `TrainingState` are read and written as the model's own."""
    # Made at first use: a subclass may set `stop_training` before it calls ``super().__init__()``.
    cls._training = functools.cached_property(lambda model: TrainingState())
    cls._training.__set_name__(cls, "_training")

    def forward(name):
        return property(
            lambda model: getattr(model._training, name), lambda model, value: setattr(model._training, name, value)
        )

    for name in vars(TrainingState()):
        setattr(cls, name, forward(name))
    return cls
