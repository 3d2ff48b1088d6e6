"""Loss objects: a function of (y_true, y_pred), its options, and how its values become one number."""

import typing
from typing import Annotated

from .. import core
from ..core import policy
from ..core.fields import Argument, field, fields_of
from ..core.names import to_snake_case
from ..core.registry import serialize_value
from ..core.structure import map_structure
from ..ops.table import tensor
from . import functions as f
from .checks import check_result
from .traits import inherit_traits, traits_of
from .weighting import both_masks, mask_of, reduce_weighted

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None, "auto")


class Reduction:
    """The names of reductions, as tf.keras has them.

    >>> Reduction.SUM
    'sum'
    """

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"

    @classmethod
    def all(cls):
        return cls.AUTO, cls.NONE, cls.SUM, cls.SUM_OVER_BATCH_SIZE


def _compute_type(name, value):
    return None if value is None else policy.get(value).compute_dtype


class Loss(core.Configurable):
    """Base of losses: subclasses define ``call(y_true, y_pred)``, one value for each example or place.

    >>> import jax.numpy as jnp
    >>> class Distance(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return jnp.sqrt(jnp.sum(jnp.square(y_pred - y_true), -1))
    >>> float(Distance()(jnp.zeros((1, 2)), jnp.array([[3.0, 4.0]])))
    5.0
    """

    kind = "loss"
    traits = None  # what the loss says about itself, see `Traits`

    name: str = field(default=None, last=True, doc="Name in logs and files. Made from the class's name by default.")
    reduction: str = field(
        default="sum_over_batch_size",
        last=True,
        doc='`"sum_over_batch_size"` for the mean of all values (also called `"mean"` and `"auto"`), `"sum"`, '
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
    def dtype(self):
        return self._dtype or core.floatx()

    def call(self, y_true, y_pred):
        raise NotImplementedError(f"{type(self).__name__} must define call(y_true, y_pred).")

    @core.op
    def __call__(self, y_true, y_pred, sample_weight=None):
        mask = mask_of(y_pred)
        y_true, y_pred = (map_structure(lambda y: tensor(y).astype(self.dtype), y) for y in (y_true, y_pred))
        values = tensor(check_result(self.call(y_true, y_pred), getattr(self, "fn", self.call)))
        return reduce_weighted(values, sample_weight, both_masks(mask, mask_of(values)), self.reduction)

    def get_config(self):
        config = super().get_config()
        if self._dtype is None:
            config.pop("dtype", None)
        return config


class LossFunctionWrapper(Loss):
    """A function of (y_true, y_pred, **options) as a loss.

    >>> float(LossFunctionWrapper(f.huber, delta=1.0)([[0.0, 1.0]], [[2.0, 1.0]]))
    0.75
    """

    def __init__(self, fn, reduction="sum_over_batch_size", name=None, dtype=None, **options):
        super().__init__(name=name or getattr(fn, "__name__", None), reduction=reduction, dtype=dtype)
        self.fn = fn
        self._options = options

    @property
    def traits(self):
        return traits_of(self.fn)

    def call(self, y_true, y_pred):
        return self.fn(y_true, y_pred, **self._options)

    def get_config(self):
        return {**super().get_config(), "fn": f.kind.serialize(self.fn), **serialize_value(self._options)}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "fn": f.kind.deserialize(config["fn"])})


class FunctionLoss(Loss, abstract=True):
    """Base of losses made from a function: ``class Huber(FunctionLoss, function=huber)``.

    What a subclass declares are the function's options. The loss goes by the function's name unless it says otherwise.
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

    def call(self, y_true, y_pred):
        return self.function(y_true, y_pred, **{name: getattr(self, name) for name in self.options})


FromLogits = Annotated[bool, Argument(doc="Whether the predictions are logits instead of probabilities.")]
LabelSmoothing = Annotated[float, Argument(doc="Share of each target that is spread over all classes, from 0 to 1.")]
ClassAxis = Annotated[int, Argument(doc="Axis of the classes.")]
Gamma = Annotated[float, Argument(doc="Exponent of the focal factor `(1 - p)**gamma`.")]


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
    """The mean of ``(log(y_true + 1) - log(y_pred + 1))**2``. Values below 0 are taken as 0.

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
    """The mean of ``y_pred - y_true * log(y_pred)``: for counts whose expected value is predicted.

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
    """Connectionist temporal classification (Graves et al. 2006), for labels whose places in time are unknown.

    Targets are class numbers ``(N, labels)``, padded with 0, which is also the blank. Predictions are logits
    ``(N, time, classes)``.

    >>> round(float(CTC()([[1, 2]], [[[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])), 4)
    1.1029
    """


class Huber(FunctionLoss, function=f.huber):
    """``e**2 / 2`` for errors up to `delta`, ``delta * (|e| - delta / 2)`` for larger ones (Huber 1964).

    >>> round(float(Huber(delta=1.0)([[0.0, 1.0]], [[2.0, 1.0]])), 4)
    0.75
    """

    delta: float = field(default=1.0, doc="Error from which on the loss grows linearly.")
    name: str = "huber_loss"


class CosineSimilarity(FunctionLoss, function=f.cosine_similarity):
    """Minus the cosine of the angle between targets and predictions: -1 if they point in one direction.

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
    """``-log(y_pred[y_true])`` over the classes, for targets that are class numbers.

    >>> round(float(SparseCategoricalCrossentropy()([1], [[0.1, 0.7, 0.2]])), 4)
    0.3567
    """

    from_logits: FromLogits = False
    ignore_class: int = field(default=None, doc="Class whose places do not count.")
    axis: ClassAxis = field(default=-1, after="reduction")


class BinaryFocalCrossentropy(FunctionLoss, function=f.binary_focal_crossentropy):
    """Binary cross-entropy times ``(1 - p)**gamma``, p the probability of the right answer (Lin et al. 2017).

    >>> round(float(BinaryFocalCrossentropy(gamma=2.0)([[1.0, 0.0]], [[0.8, 0.4]])), 4)
    0.0453
    """

    apply_class_balancing: bool = field(
        default=False, doc="Whether to weigh class 1 by `alpha`, class 0 by `1 - alpha`."
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

    alpha: float = field(default=0.25, doc="Weight of all classes, or a list with one for each.")
    gamma: Gamma = 2.0
    from_logits: FromLogits = False
    label_smoothing: LabelSmoothing = 0.0
    axis: ClassAxis = -1


class CategoricalGeneralizedCrossEntropy(FunctionLoss, function=f.categorical_generalized_cross_entropy):
    """``(1 - y_pred[y_true]**q) / q``, for class numbers of which some are wrong (Zhang & Sabuncu 2018).

    >>> round(float(CategoricalGeneralizedCrossEntropy(q=0.5)([1], [[0.1, 0.7, 0.2]])), 4)
    0.3267
    """

    q: float = field(default=0.5, doc="Between the mean absolute error (1) and the cross-entropy (near 0).")


class Dice(FunctionLoss, function=f.dice):
    """``1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))``, for segmentation (Milletari et al. 2016).

    >>> round(float(Dice()([[1.0, 0.0]], [[0.8, 0.4]])), 4)
    0.2727
    """

    axis: typing.Any = field(default=None, after="name", last=True, doc="Axes to sum over. `None` means all.")


class Tversky(FunctionLoss, function=f.tversky):
    """`Dice` with a weight for each kind of error, for segmentation (Salehi et al. 2017).

    >>> round(float(Tversky(alpha=0.7, beta=0.3)([[1.0, 0.0]], [[0.8, 0.4]])), 4)
    0.2453
    """

    alpha: float = field(default=0.5, doc="Weight of false negatives.")
    beta: float = field(default=0.5, doc="Weight of false positives.")
    axis: typing.Any = field(default=None, after="name", last=True, doc="Axes to sum over. `None` means all.")


class Circle(FunctionLoss, function=f.circle):
    """Circle loss of unit vectors with class numbers as targets (Sun et al. 2020).

    >>> round(float(Circle(gamma=2.0)([0, 0, 1], [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])), 4)
    0.4094
    """

    gamma: float = field(default=80.0, doc="Scale of the similarities.")
    margin: float = field(default=0.4, doc="Margin between the similarities of equal and of different classes.")
    remove_diagonal: bool = field(default=True, doc="Whether to leave out the comparison of each example with itself.")
