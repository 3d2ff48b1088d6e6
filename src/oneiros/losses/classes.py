"""Loss objects: a function of (y_true, y_pred), its options, and how its values become one number."""

import typing
from collections.abc import Callable
from typing import Annotated, Any

from jax import Array

from .. import core
from ..core import policy
from ..core.fields import Argument, field, fields_of
from ..core.names import to_snake_case
from ..core.registry import serialize_value
from ..core.structure import map_structure
from ..ops.table import Tensor, tensor
from . import functions as f
from .checks import check_result
from .traits import Traits, inherit_traits, traits_of
from .weighting import both_masks, mask_of, reduce_weighted

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None, "auto")


class Reduction:
    """The names of reductions in tf.keras.

    >>> Reduction.SUM
    'sum'
    """

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """All names."""
        return cls.AUTO, cls.NONE, cls.SUM, cls.SUM_OVER_BATCH_SIZE


def _compute_type(name, value):
    return None if value is None else policy.get(value).compute_dtype


class Loss(core.Configurable):
    """Base class of losses. Subclasses define ``call(y_true, y_pred)``: one value per sample, step or pixel.

    Calling a loss weighs these values and reduces them to one number: ``loss(y_true, y_pred, sample_weight=None)``.

    >>> import jax.numpy as jnp
    >>> class Distance(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return jnp.sqrt(jnp.sum(jnp.square(y_pred - y_true), -1))
    >>> float(Distance()(jnp.zeros((1, 2)), jnp.array([[3.0, 4.0]])))
    5.0
    """

    kind = "loss"
    traits = None  # what the loss declares about itself, see `Traits`

    name: str = field(default=None, last=True, doc="Name in logs and files. Made from the class's name by default.")
    reduction: str = field(
        default="sum_over_batch_size",
        last=True,
        doc='How the values of a batch become one number: `"sum_over_batch_size"` (also called `"mean"` and '
        '`"auto"`) for the mean of all values, `"sum"`, '
        '`"mean_with_sample_weight"` to divide by the sum of the weights, or `"none"`.',
    )
    _dtype: str = field(
        _compute_type, default=None, last=True, alias="dtype", doc="Type to compute in. `None` means `floatx()`."
    )

    def __init_subclass__(cls, **kwargs):
        inherit_traits(cls, "call", "__call__")
        super().__init_subclass__(**kwargs)

    def __post_init__(self):
        super().__post_init__()
        if self.name in REDUCTIONS and self.name is not None:  # tf.keras has the reduction first
            self.name, self.reduction = (None if self.reduction in REDUCTIONS else self.reduction), self.name
        if self.reduction not in REDUCTIONS:
            raise ValueError(f"Loss: reduction must be one of {REDUCTIONS}. Received: reduction={self.reduction!r}")
        self.name = self.name or to_snake_case(type(self).__name__)

    @property
    def dtype(self) -> str:
        """The type in which the loss is computed."""
        return self._dtype or core.floatx()

    def call(self, y_true: Tensor, y_pred: Tensor) -> Array:
        """Computes the loss of each sample. Subclasses define it.

        Args:
            y_true: Targets ``(N, ...)``.
            y_pred: Predictions ``(N, ...)``.

        Returns:
            An array ``(N,)``, or ``(N, ...)`` with one value for each step or pixel.
        """
        raise NotImplementedError(f"{type(self).__name__} must define call(y_true, y_pred).")

    @core.op
    def __call__(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> Array:
        """Computes the loss of a batch, weighted and reduced as `reduction` says.

        Args:
            y_true: Targets ``(N, ...)``.
            y_pred: Predictions ``(N, ...)``. A mask that a layer attached to them excludes steps.
            sample_weight: Weights ``(N,)``, or of the shape of the values that `call` returns.

        Returns:
            A scalar; with the reduction ``"none"`` the weighted values.

        Raises:
            InputDataError: If `call` does not return numbers.
        """
        mask = mask_of(y_pred)
        y_true, y_pred = (map_structure(lambda y: tensor(y).astype(self.dtype), y) for y in (y_true, y_pred))
        values = tensor(check_result(self.call(y_true, y_pred), getattr(self, "fn", self.call)))
        return reduce_weighted(values, sample_weight, both_masks(mask, mask_of(values)), self.reduction)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if self._dtype is None:
            config.pop("dtype", None)
        return config


class LossFunctionWrapper(Loss):
    """A loss object made from a function of (y_true, y_pred).

    Args:
        fn: Function of (y_true, y_pred, **options) that returns one value per sample, step or pixel.
        reduction: As for `Loss`.
        name: Name in logs and files. Defaults to the function's name.
        dtype: Type to compute in. `None` means `floatx()`.
        **options: Further arguments for `fn`.

    >>> float(LossFunctionWrapper(f.huber, delta=1.0)([[0.0, 1.0]], [[2.0, 1.0]]))
    0.75
    """

    def __init__(
        self,
        fn: Callable,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **options,
    ):
        super().__init__(name=name or getattr(fn, "__name__", None), reduction=reduction, dtype=dtype)
        self.fn = fn
        self._options = options

    @property
    def traits(self) -> Traits | None:
        """The traits of the function."""
        return traits_of(self.fn)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Array:
        return self.fn(y_true, y_pred, **self._options)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "fn": f.kind.serialize(self.fn), **serialize_value(self._options)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LossFunctionWrapper":
        return cls(**{**config, "fn": f.kind.deserialize(config["fn"])})


class FunctionLoss(Loss, abstract=True):
    """Base class of losses made from a function: ``class Huber(FunctionLoss, function=huber)``.

    The fields that a subclass declares are the function's options. The loss has the function's name unless the class
    declares another one.
    """

    function = None

    name: str = field(default=None, last=True, after="reduction")

    def __init_subclass__(cls, function=None, **kwargs):
        if function is not None:
            cls.function = staticmethod(function)
            cls.traits = traits_of(function)
            cls.__doc__ = cls.__doc__ or f"`{function.__name__}` as an object. {function.__doc__.partition('>>>')[0]}"
            if "name" not in vars(cls):
                cls.name = function.__name__
                cls.__annotations__ = {**vars(cls).get("__annotations__", {}), "name": str}
        super().__init_subclass__(**kwargs)
        cls.options = [name for name in fields_of(cls) if name not in fields_of(Loss)]

    def call(self, y_true: Tensor, y_pred: Tensor) -> Array:
        return self.function(y_true, y_pred, **{name: getattr(self, name) for name in self.options})


FromLogits = Annotated[bool, Argument(doc="Whether the predictions are logits instead of probabilities.")]
LabelSmoothing = Annotated[
    float, Argument(doc="Share of each target that is spread evenly over all classes, from 0 to 1.")
]
ClassAxis = Annotated[int, Argument(doc="Axis of the classes.")]
Gamma = Annotated[float, Argument(doc="Exponent of the factor `(1 - p)**gamma`. 0 gives the cross-entropy.")]


class MeanSquaredError(FunctionLoss, function=f.mean_squared_error):
    """The mean of ``(y_true - y_pred)**2`` over the last axis.

    >>> round(float(MeanSquaredError()([[0.0, 1.0]], [[2.0, 1.0]])), 4)
    2.0
    """


class MeanAbsoluteError(FunctionLoss, function=f.mean_absolute_error):
    """The mean of ``|y_true - y_pred|`` over the last axis.

    >>> round(float(MeanAbsoluteError()([[0.0, 1.0]], [[2.0, 1.0]])), 4)
    1.0
    """


class MeanAbsolutePercentageError(FunctionLoss, function=f.mean_absolute_percentage_error):
    """100 times the mean of ``|y_true - y_pred| / |y_true|`` over the last axis.

    >>> round(float(MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]])), 4)
    25.0
    """


class MeanSquaredLogarithmicError(FunctionLoss, function=f.mean_squared_logarithmic_error):
    """The mean of ``(log(y_true + 1) - log(y_pred + 1))**2``. Negative values are treated as 0.

    >>> round(float(MeanSquaredLogarithmicError()([[0.0, 1.0]], [[2.0, 1.0]])), 4)
    0.6035
    """


class Hinge(FunctionLoss, function=f.hinge):
    """The mean of ``max(1 - y_true * y_pred, 0)`` for labels -1 and 1. Labels 0 and 1 are converted.

    >>> round(float(Hinge()([[1.0, -1.0]], [[0.5, 0.5]])), 4)
    1.0
    """


class SquaredHinge(FunctionLoss, function=f.squared_hinge):
    """The mean of ``max(1 - y_true * y_pred, 0)**2`` for labels -1 and 1. Labels 0 and 1 are converted.

    >>> round(float(SquaredHinge()([[1.0, -1.0]], [[0.5, 0.5]])), 4)
    1.25
    """


class CategoricalHinge(FunctionLoss, function=f.categorical_hinge):
    """``max(1 + max((1 - y_true) * y_pred) - sum(y_true * y_pred), 0)`` for one-hot targets.

    >>> round(float(CategoricalHinge()([[0.0, 1.0, 0.0]], [[0.1, 0.7, 0.2]])), 4)
    0.5
    """


class Poisson(FunctionLoss, function=f.poisson):
    """The mean of ``y_pred - y_true * log(y_pred)``, for counts `y_true` whose expected values are predicted.

    >>> round(float(Poisson()([[2.0, 1.0]], [[1.5, 1.0]])), 4)
    0.8445
    """


class KLDivergence(FunctionLoss, function=f.kl_divergence):
    """The sum of ``y_true * log(y_true / y_pred)`` (Kullback & Leibler 1951).

    >>> round(float(KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]])), 4)
    0.1438
    """


class LogCosh(FunctionLoss, function=f.log_cosh):
    """The mean of ``log(cosh(y_pred - y_true))``: close to the squared error for small errors.

    >>> round(float(LogCosh()([[0.0, 1.0]], [[2.0, 1.0]])), 4)
    0.6625
    """


class CTC(FunctionLoss, function=f.ctc):
    """Connectionist temporal classification, for labels whose positions in time are unknown (Graves et al. 2006).

    Targets are class numbers ``(N, labels)``, padded with 0, which is also the blank. Predictions are logits
    ``(N, steps, classes)``.

    >>> round(float(CTC()([[1, 2]], [[[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])), 4)
    1.1029
    """


class Huber(FunctionLoss, function=f.huber):
    """``e**2 / 2`` for errors up to `delta`, ``delta * (|e| - delta / 2)`` for larger ones (Huber 1964).

    >>> round(float(Huber(delta=1.0)([[0.0, 1.0]], [[2.0, 1.0]])), 4)
    0.75
    """

    delta: float = field(default=1.0, doc="Error at which the loss changes from quadratic to linear.")
    name: str = "huber_loss"


class CosineSimilarity(FunctionLoss, function=f.cosine_similarity):
    """Minus the cosine of the angle between targets and predictions: -1 if both have the same direction.

    >>> round(float(CosineSimilarity()([[0.0, 1.0]], [[1.0, 1.0]])), 4)
    -0.7071
    """

    axis: int = field(default=-1, doc="Axis of the vectors.")


class CategoricalCrossentropy(FunctionLoss, function=f.categorical_crossentropy):
    """``-sum(y_true * log(y_pred))`` over the classes, for one-hot targets.

    >>> round(float(CategoricalCrossentropy()([[0.0, 1.0, 0.0]], [[0.1, 0.7, 0.2]])), 4)
    0.3567
    """

    from_logits: FromLogits = False
    label_smoothing: LabelSmoothing = 0.0
    axis: ClassAxis = -1


class BinaryCrossentropy(FunctionLoss, function=f.binary_crossentropy):
    """The mean of ``-y_true * log(y_pred) - (1 - y_true) * log(1 - y_pred)``, for targets from 0 to 1.

    >>> round(float(BinaryCrossentropy()([[1.0, 0.0]], [[0.8, 0.4]])), 4)
    0.367
    """

    from_logits: FromLogits = False
    label_smoothing: LabelSmoothing = 0.0
    axis: int = field(default=-1, doc="Axis to take the mean over.")


class SparseCategoricalCrossentropy(FunctionLoss, function=f.sparse_categorical_crossentropy):
    """``-log(y_pred[y_true])``: the cross-entropy for targets that are class numbers.

    >>> round(float(SparseCategoricalCrossentropy()([1], [[0.1, 0.7, 0.2]])), 4)
    0.3567
    """

    from_logits: FromLogits = False
    ignore_class: int = field(default=None, doc="A class number whose samples or steps are ignored.")
    axis: ClassAxis = field(default=-1, after="reduction")


class BinaryFocalCrossentropy(FunctionLoss, function=f.binary_focal_crossentropy):
    """Binary cross-entropy times ``(1 - p)**gamma``, where p is the probability of the correct label (Lin et al. 2017).

    >>> round(float(BinaryFocalCrossentropy(gamma=2.0)([[1.0, 0.0]], [[0.8, 0.4]])), 4)
    0.0453
    """

    apply_class_balancing: bool = field(
        default=False, doc="Whether to multiply the loss of class 1 by `alpha` and that of class 0 by `1 - alpha`."
    )
    alpha: float = field(default=0.25, doc="Weight of class 1.")
    gamma: Gamma = 2.0
    from_logits: FromLogits = False
    label_smoothing: LabelSmoothing = 0.0
    axis: int = field(default=-1, doc="Axis to take the mean over.")


class CategoricalFocalCrossentropy(FunctionLoss, function=f.categorical_focal_crossentropy):
    """``-sum(alpha * (1 - y_pred)**gamma * y_true * log(y_pred))``, for one-hot targets (Lin et al. 2017).

    >>> round(float(CategoricalFocalCrossentropy()([[0.0, 1.0, 0.0]], [[0.1, 0.7, 0.2]])), 4)
    0.008
    """

    alpha: float = field(default=0.25, doc="Weight of the classes: a number, or a list with one for each class.")
    gamma: Gamma = 2.0
    from_logits: FromLogits = False
    label_smoothing: LabelSmoothing = 0.0
    axis: ClassAxis = -1


class CategoricalGeneralizedCrossEntropy(FunctionLoss, function=f.categorical_generalized_cross_entropy):
    """``(1 - y_pred[y_true]**q) / q``, for class numbers some of which may be wrong (Zhang & Sabuncu 2018).

    >>> round(float(CategoricalGeneralizedCrossEntropy(q=0.5)([1], [[0.1, 0.7, 0.2]])), 4)
    0.3267
    """

    q: float = field(default=0.5, doc="Exponent, from near 0 (cross-entropy) to 1 (mean absolute error).")


class Dice(FunctionLoss, function=f.dice):
    """``1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))``, for segmentation (Milletari et al. 2016).

    >>> round(float(Dice()([[1.0, 0.0]], [[0.8, 0.4]])), 4)
    0.2727
    """

    axis: typing.Any = field(default=None, after="name", last=True, doc="Axes to sum over. `None` means all.")


class Tversky(FunctionLoss, function=f.tversky):
    """``1 - tp / (tp + alpha * fn + beta * fp)``, for segmentation (Salehi et al. 2017).

    ``tp``, ``fn`` and ``fp`` are sums over true positives, false negatives and false positives. With the default
    weights this is `Dice`.

    >>> round(float(Tversky(alpha=0.7, beta=0.3)([[1.0, 0.0]], [[0.8, 0.4]])), 4)
    0.2453
    """

    alpha: float = field(default=0.5, doc="Weight of false negatives.")
    beta: float = field(default=0.5, doc="Weight of false positives.")
    axis: typing.Any = field(default=None, after="name", last=True, doc="Axes to sum over. `None` means all.")


class Circle(FunctionLoss, function=f.circle):
    """Circle loss of embeddings of length 1, with class numbers as targets (Sun et al. 2020).

    >>> round(float(Circle(gamma=2.0)([0, 0, 1], [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])), 4)
    0.6141
    """

    gamma: float = field(default=80.0, doc="Scale of the similarities.")
    margin: float = field(default=0.4, doc="Relaxation margin `m`: optimal similarities are `1 + m` and `-m`.")
    remove_diagonal: bool = field(default=True, doc="Whether to leave out the comparison of each example with itself.")
