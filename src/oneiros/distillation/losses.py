"""Losses between what a teacher and a student compute."""

import numbers
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from .. import losses
from ..core import Configurable
from ..core.errors import InputDataError
from ..core.fields import field
from ..core.structure import is_nested, keys_of, leaves, rebuilt, values_of


def _losses(name, value):
    """Losses in the structure of the outputs, got by their names."""
    if isinstance(value, dict) and value.get("class_name") == "function":
        return losses.get(value["config"])
    if is_nested(value) and not (isinstance(value, dict) and "class_name" in value):
        return rebuilt(value, [_losses(name, item) for item in values_of(value)])
    return losses.get(value)


def _some(name, value):
    value = _losses(name, value)
    if not leaves(value):
        raise InputDataError(f"{name}: at least one loss must be other than None. Received: {name}={value!r}")
    return value


def _positive(name, value):
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise InputDataError(f"{name}: expected a number. Received: {name}={value!r}")
    if value <= 0:
        raise InputDataError(f"{name}: must be positive. Received: {name}={value!r}")
    return float(value)


class DistillationLoss(Configurable):
    """Base of the losses between what a teacher and a student compute. A subclass writes `compute_loss`.

    >>> class Difference(DistillationLoss):
    ...     def compute_loss(self, teacher_outputs, student_outputs, **kwargs):
    ...         return jnp.mean(jnp.abs(teacher_outputs - student_outputs))
    >>> float(Difference().compute_loss(jnp.ones(3), jnp.zeros(3)))
    1.0
    """

    kind = "distillation loss"

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Array:
        """The loss, a number.

        Args:
            teacher_outputs: What the teacher computes: an array, or a structure of arrays.
            student_outputs: What the student computes.
            **kwargs: Arguments of subclasses.
        """
        raise NotImplementedError(f"{type(self).__name__}: write compute_loss(teacher_outputs, student_outputs).")

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        """Checks that the outputs of teacher and student have the same structure.

        Raises:
            ValueError: If they have not.
        """
        if _form(teacher_outputs) != _form(student_outputs):
            raise InputDataError(
                f"{type(self).__name__}: the outputs of teacher and student should have the same structure. Received: "
                f"{_form(teacher_outputs)} and {_form(student_outputs)}"
            )

    def validate_model_compatibility(self, teacher: Any, student: Any) -> None:
        """Checks that the models are such as the loss needs. Here, any are.

        Args:
            teacher: The teacher.
            student: The student.
        """


def _form(tree):
    return jax.tree.structure(tree)


def _total(functions, teacher_outputs, student_outputs, one, what):
    """The sum of the losses for the parts of the outputs."""
    if not is_nested(functions):
        if is_nested(teacher_outputs):
            raise InputDataError(
                f"{what}: one loss was given for several outputs. Give losses in the structure of the outputs, "
                f"{_form(teacher_outputs)}."
            )
        return one(functions, teacher_outputs, student_outputs) if functions is not None else 0.0
    pairs = [(function, *_parts(key, teacher_outputs, student_outputs, what)) for key, function in _items(functions)]
    return sum(_total(*pair, one, what) for pair in pairs if leaves(pair[0]))


def _items(tree):
    return zip(keys_of(tree), values_of(tree))


def _parts(key, teacher_outputs, student_outputs, what):
    try:
        return teacher_outputs[key], student_outputs[key]
    except (KeyError, IndexError, TypeError):
        raise InputDataError(f"{what}: there is a loss for the output {key!r}, but no such output.") from None


class LogitsDistillation(DistillationLoss):
    """Lets the student's logits come near those of the teacher, after division by a temperature.

    With a loss that is a divergence of Kullback and Leibler, the probabilities are compared, and the loss is multiplied
    by the square of the temperature, so that its gradients stay comparable (Hinton et al., "Distilling the Knowledge in
    a Neural Network", 2015). Other losses get the divided logits themselves.

    >>> logits = jnp.array([[1.0, 2.0, 3.0]])
    >>> float(LogitsDistillation(temperature=2.0).compute_loss(logits, logits))
    0.0
    """

    temperature: float = field(_positive, default=3.0, doc="What logits are divided by; more makes them more alike.")
    loss: Any = field(
        _some,
        default="kl_divergence",
        doc="The loss: a name or an object, or a structure of them for several outputs, where `None` leaves one out.",
    )

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Array:
        return _total(self.loss, teacher_outputs, student_outputs, self._one, type(self).__name__)

    def _one(self, function, teacher, student):
        teacher, student = teacher / self.temperature, student / self.temperature
        if function is not losses.kl_divergence and not isinstance(function, losses.KLDivergence):
            return jnp.mean(function(teacher, student))
        found = jnp.mean(function(jax.nn.softmax(teacher), jax.nn.softmax(student)))
        return found * self.temperature**2


class FeatureDistillation(DistillationLoss):
    """Lets the outputs of a layer of the student come near those of a layer of the teacher.

    See Romero et al., "FitNets: Hints for Thin Deep Nets", 2015.

    >>> float(FeatureDistillation().compute_loss(jnp.ones((2, 3)), jnp.zeros((2, 3))))
    1.0
    """

    loss: Any = field(
        _some,
        default="mse",
        doc="The loss: a name or an object, or a structure of them for several outputs, where `None` leaves one out.",
    )
    teacher_layer_name: str = field(default=None, doc="The teacher's layer. `None`: the outputs of the model.")
    student_layer_name: str = field(default=None, doc="The student's layer. `None`: the outputs of the model.")

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Array:
        return _total(self.loss, teacher_outputs, student_outputs, self._one, type(self).__name__)

    @staticmethod
    def _one(function, teacher, student):
        return jnp.mean(function(teacher, student))

    def validate_model_compatibility(self, teacher: Any, student: Any) -> None:
        """Checks that the layers are there, in models whose graphs are known.

        Args:
            teacher: The teacher.
            student: The student.

        Raises:
            ValueError: If they are not.
        """
        for model, name, what in (
            (teacher, self.teacher_layer_name, "teacher"),
            (student, self.student_layer_name, "student"),
        ):
            if name is None:
                continue
            if model.inputs is None:
                raise InputDataError(
                    f"FeatureDistillation: the {what} {model.name} has no graph of layers, so that the outputs of its "
                    f"layer {name!r} cannot be had. Use a functional or a built Sequential model."
                )
            try:
                model.get_layer(name)
            except ValueError as error:
                raise InputDataError(f"FeatureDistillation: in the {what}: {error}") from None
