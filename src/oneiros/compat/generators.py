"""Keras 1's and 2's methods for what yields batches; today `fit`, `evaluate` and `predict` take it themselves."""

import warnings

from ..core.structure import without
from ..training.arguments import check_ends


def _warn_of_copies(generator, use_multiprocessing, workers):
    if use_multiprocessing and workers > 1 and not hasattr(generator, "__getitem__"):
        warnings.warn(
            f"A generator with use_multiprocessing=True and workers={workers}: copies of it would yield each batch "
            "several times, so one process runs it. Give a keras.utils.Sequence, whose batches all processes share."
        )


class GeneratorMethods:
    """What models have besides their own methods."""

    def fit_generator(
        self,
        generator,
        steps_per_epoch=None,
        epochs=1,
        verbose=1,
        callbacks=None,
        validation_data=None,
        validation_steps=None,
        class_weight=None,
        max_queue_size=10,
        workers=1,
        use_multiprocessing=False,
        shuffle=True,
        initial_epoch=0,
        validation_freq=1,
    ):
        """`fit` under its old name for what yields batches. The arguments are those of `fit`."""
        options = without(locals(), "self", "generator")
        _warn_of_copies(generator, use_multiprocessing, workers)
        check_ends(generator, steps_per_epoch, "steps_per_epoch")
        check_ends(validation_data, validation_steps, "validation_steps")
        return self.fit(generator, **options)

    def evaluate_generator(
        self, generator, steps=None, max_queue_size=10, workers=1, use_multiprocessing=False, verbose=0, callbacks=None
    ):
        """`evaluate` under its old name for what yields batches. The arguments are those of `evaluate`."""
        options = without(locals(), "self", "generator")
        check_ends(generator, steps, "steps")
        return self.evaluate(generator, **options)

    def predict_generator(
        self, generator, steps=None, max_queue_size=10, workers=1, use_multiprocessing=False, verbose=0, callbacks=None
    ):
        """`predict` under its old name for what yields batches. The arguments are those of `predict`."""
        options = without(locals(), "self", "generator")
        check_ends(generator, steps, "steps")
        return self.predict(generator, **options)
