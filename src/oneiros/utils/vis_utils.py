"""Drawings of models, where Keras keeps them; they stand in `oneiros.models.drawing`, on a higher floor."""

from oneiros import utils


def __getattr__(name):
    if name in ("model_to_dot", "plot_model"):
        return getattr(utils, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
