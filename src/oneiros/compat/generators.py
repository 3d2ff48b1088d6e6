"""Keras 1's and 2's methods for what yields batches; today `fit`, `evaluate` and `predict` take it themselves."""

import warnings
from typing import Any

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
        generator: Any,
        steps_per_epoch: int | None = None,
        epochs: int = 1,
        verbose: Any = 1,
        callbacks: Any = None,
        validation_data: Any = None,
        validation_steps: int | None = None,
        class_weight: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        shuffle: bool = True,
        initial_epoch: int = 0,
        validation_freq: int = 1,
    ) -> Any:
        """`fit` under its old name for what yields batches. The arguments are those of `fit`."""
        options = without(locals(), "self", "generator")
        _warn_of_copies(generator, use_multiprocessing, workers)
        check_ends(generator, steps_per_epoch, "steps_per_epoch")
        check_ends(validation_data, validation_steps, "validation_steps")
        return self.fit(generator, **options)

    def evaluate_generator(
        self,
        generator: Any,
        steps: int | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: Any = 0,
        callbacks: Any = None,
    ) -> Any:
        """`evaluate` under its old name for what yields batches. The arguments are those of `evaluate`."""
        options = without(locals(), "self", "generator")
        check_ends(generator, steps, "steps")
        return self.evaluate(generator, **options)

    def predict_generator(
        self,
        generator: Any,
        steps: int | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: Any = 0,
        callbacks: Any = None,
    ) -> Any:
        """`predict` under its old name for what yields batches. The arguments are those of `predict`."""
        options = without(locals(), "self", "generator")
        check_ends(generator, steps, "steps")
        return self.predict(generator, **options)
