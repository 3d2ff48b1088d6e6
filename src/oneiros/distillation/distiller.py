"""The model that trains a student."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ..core import kind
from ..core.errors import InputDataError
from ..core.registry import serialize_value
from ..metrics import Mean
from ..models import Model
from .losses import DistillationLoss, FeatureDistillation

_TRACKED = ("student_loss", "distillation_loss", "total_loss")


class Distiller(Model):
    """Trains a student by labels and by what a teacher computes. The teacher stays as it is.

    The loss is ``w * student_loss + (1 - w) * distillation_loss`` with ``w = student_loss_weight``: the loss that
    `compile` is given, and the weighted sum of the losses between teacher and student. What the distiller computes is
    what the student computes.

    Args:
        teacher: The trained model.
        student: The model to be trained.
        distillation_losses: A `DistillationLoss`, or a list of them.
        distillation_loss_weights: The weights of these losses, by default 1.
        student_loss_weight: The weight of the student's own loss, from 0 to 1.
        name: The name of the distiller.
        **kwargs: Arguments of `Model`.

    Raises:
        ValueError: If the models or losses do not fit each other.

    >>> import numpy as np
    >>> import oneiros as keras
    >>> teacher, student = (
    ...     keras.Sequential([keras.Input((2,)), keras.layers.Dense(units, "relu"), keras.layers.Dense(3)])
    ...     for units in (16, 4)
    ... )
    >>> distiller = Distiller(teacher, student, keras.distillation.LogitsDistillation(temperature=2.0))
    >>> distiller.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    >>> sorted(distiller.fit(np.ones((4, 2)), np.zeros(4), verbose=0).history)
    ['distillation_loss', 'loss', 'student_loss', 'total_loss']
    """

    def __init__(
        self,
        teacher: Any,
        student: Any,
        distillation_losses: Any,
        distillation_loss_weights: Any = None,
        student_loss_weight: float = 0.5,
        name: str = "distiller",
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        _check_models(teacher, student)
        if isinstance(distillation_losses, DistillationLoss):
            distillation_losses = [distillation_losses]
        self.distillation_losses = list(distillation_losses)
        weights = distillation_loss_weights
        self.distillation_loss_weights = [1.0] * len(self.distillation_losses) if weights is None else list(weights)
        if len(self.distillation_loss_weights) != len(self.distillation_losses):
            raise InputDataError(
                f"Distiller: expected a weight for each of the {len(self.distillation_losses)} distillation losses. "
                f"Received: distillation_loss_weights={weights}"
            )
        if not 0 <= student_loss_weight <= 1:
            raise InputDataError(
                f"Distiller: student_loss_weight must be between 0.0 and 1.0. Received: {student_loss_weight}"
            )
        self.student_loss_weight = student_loss_weight
        for loss in self.distillation_losses:
            if not isinstance(loss, DistillationLoss):
                raise InputDataError(f"Distiller: expected objects of DistillationLoss. Received: {loss!r}")
            loss.validate_model_compatibility(teacher, student)
        self.teacher, self.student = teacher, student
        self.teacher.trainable = False
        self.student_loss_tracker, self.distillation_loss_tracker, self.total_loss_tracker = (
            Mean(name=name) for name in _TRACKED
        )
        self._teacher_feature_extractor = _extractor(teacher, self._layer_names("teacher"))
        self._student_feature_extractor = _extractor(student, self._layer_names("student"))

    def _layer_names(self, whose):
        """The names of the layers whose outputs are compared, each once."""
        named = (loss for loss in self.distillation_losses if isinstance(loss, FeatureDistillation))
        names = (getattr(loss, f"{whose}_layer_name") for loss in named)
        return list(dict.fromkeys(name for name in names if name is not None))

    def compile(self, optimizer: Any = "adam", loss: Any = None, metrics: Any = None, **kwargs: Any) -> None:
        """Says how the student is trained, as `Model.compile` does.

        Args:
            optimizer: The optimizer.
            loss: The student's own loss.
            metrics: Metrics of the student's outputs.
            **kwargs: Further arguments of `Model.compile`.

        Raises:
            ValueError: If there is no loss.
        """
        if loss is None:
            raise InputDataError("Distiller: compile() needs the loss of the student; it cannot be None.")
        super().compile(optimizer, loss=loss, metrics=metrics, **kwargs)

    def call(self, inputs: Any, training: bool | None = None, **kwargs: Any) -> Any:
        return self.student(inputs, training=training, **kwargs)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Array:
        """The weighted sum of the student's own loss and the losses between teacher and student.

        Args:
            x: The inputs.
            y: The targets; without any, the student's own loss is 0.
            y_pred: What the student computes.
            sample_weight: Weights of the student's own loss.
            training: Whether this is a training step.
        """
        weight, own, distilled = self.student_loss_weight, jnp.zeros(()), jnp.zeros(())
        if weight > 0 and y is not None:
            own = super().compute_loss(x, y, y_pred, sample_weight, training)
        if weight < 1:
            distilled = jnp.asarray(self._distilled(x, y_pred, training))
        total = weight * own + (1 - weight) * distilled
        trackers = (self.student_loss_tracker, self.distillation_loss_tracker, self.total_loss_tracker)
        for tracker, value in zip(trackers, (own, distilled, total)):
            tracker.update_state(jax.lax.stop_gradient(value))
        return total

    def _distilled(self, x, y_pred, training):
        teacher = _features(self.teacher, self._teacher_feature_extractor, self._layer_names("teacher"), x, False)
        teacher = {name: jax.lax.stop_gradient(value) for name, value in teacher.items()}
        student = {None: y_pred}
        if self._student_feature_extractor is not None:
            names = self._layer_names("student")
            student |= _features(self.student, self._student_feature_extractor, names, x, training)
            student[None] = y_pred
        total = 0.0
        for loss, weight in zip(self.distillation_losses, self.distillation_loss_weights):
            theirs = teacher[getattr(loss, "teacher_layer_name", None)]
            ours = student[getattr(loss, "student_layer_name", None)]
            loss.validate_outputs(theirs, ours)
            total = total + weight * loss.compute_loss(theirs, ours)
        return total

    def get_config(self) -> dict:
        """The arguments as JSON can hold them."""
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": self.dtype_policy.name,
            "teacher": serialize_value(self.teacher),
            "student": serialize_value(self.student),
            "distillation_losses": [serialize_value(loss) for loss in self.distillation_losses],
            "distillation_loss_weights": list(self.distillation_loss_weights),
            "student_loss_weight": self.student_loss_weight,
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> "Distiller":
        """A new distiller from what `get_config` returned.

        Args:
            config: The configuration.
            custom_objects: A dictionary from names to classes and functions of your own.
        """
        config = dict(config)
        for name in ("teacher", "student"):
            if isinstance(config[name], dict):
                config[name] = kind("layer").deserialize(config[name], custom_objects)
        given = config["distillation_losses"]
        config["distillation_losses"] = [
            kind("distillation loss").deserialize(one, custom_objects) if isinstance(one, dict) else one
            for one in (given if isinstance(given, list) else [given])
        ]
        return cls(**config)


def _check_models(teacher, student):
    for name, model in (("Teacher", teacher), ("Student", student)):
        if not isinstance(model, Model):
            raise InputDataError(f"{name} must be a Model. Received: {model!r}")
    if teacher.inputs is None or student.inputs is None:
        return
    for what in ("input", "output"):
        ours, theirs = ([tuple(s.shape) for s in getattr(model, f"{what}s")] for model in (student, teacher))
        if ours != theirs:
            raise InputDataError(
                f"Teacher and student {what} shapes are incompatible: all dimensions must match. Received: teacher "
                f"{theirs}, student {ours}."
            )


def _extractor(model, names):
    """A model that computes the outputs of layers too; `None` where there are none to compute."""
    if not names:
        return None
    outputs = [model.output_structure, *(model.get_layer(name).output for name in names)]
    return Model(model.input_structure, outputs, name=f"{model.name}_multi_feature_extractor")


def _features(model, extractor, names, x, training):
    """The outputs of a model (under `None`) and of layers in it, by name."""
    if extractor is None:
        return {None: model(x, training=training)}
    return dict(zip([None, *names], extractor(x, training=training)))
