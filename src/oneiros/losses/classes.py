"""Loss objects: a function of (y_true, y_pred), its options, and how its values become one number."""

import inspect

import jax
import jax.numpy as jnp

from .. import core
from ..core import policy
from ..core.names import to_snake_case
from ..core.registry import serialize_value
from ..core.structure import map_structure
from ..ops.table import tensor
from . import functions as f

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None, "auto")


class Reduction:
    """The names of reductions, as tf.keras has them."""

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"

    @classmethod
    def all(cls):
        return cls.AUTO, cls.NONE, cls.SUM, cls.SUM_OVER_BATCH_SIZE


class Loss(core.Configurable):
    """Base of losses: subclasses define ``call(y_true, y_pred)``, one value for each example or place.

    reduction: 'sum_over_batch_size' (the mean of all values, also called 'mean' and 'auto'), 'sum',
        'mean_with_sample_weight' (divided by the sum of the weights) or 'none'.
    dtype: in what to compute; ``floatx()`` by default.
    """

    kind = "loss"

    def __init__(self, name=None, reduction="sum_over_batch_size", dtype=None):
        if name in REDUCTIONS and name is not None:  # tf.keras has the reduction first
            name, reduction = None if reduction in REDUCTIONS else reduction, name
        if reduction not in REDUCTIONS:
            raise ValueError(f"Loss: reduction must be one of {REDUCTIONS}. Received: reduction={reduction!r}")
        self.name = name or to_snake_case(type(self).__name__)
        self.reduction = reduction
        self._dtype = None if dtype is None else policy.get(dtype).compute_dtype

    @property
    def dtype(self):
        return self._dtype or core.floatx()

    def call(self, y_true, y_pred):
        raise NotImplementedError(f"{type(self).__name__} must define call(y_true, y_pred).")

    @core.op
    def __call__(self, y_true, y_pred, sample_weight=None):
        mask = core.get_mask(y_pred) if isinstance(y_pred, jax.Array) else None
        y_true, y_pred = (map_structure(lambda y: tensor(y).astype(self.dtype), y) for y in (y_true, y_pred))
        values = tensor(self.call(y_true, y_pred))
        inner = core.get_mask(values)
        mask = inner if mask is None else mask if inner is None else mask & inner
        return reduce_weighted(values, sample_weight, mask, self.reduction)

    def get_config(self):
        config = super().get_config()
        if self._dtype is None:
            config.pop("dtype", None)
        return config


def weight_like(weight, values):
    """Weights with the rank of the values they weigh: missing last axes are added, an axis of size 1 too many goes."""
    weight = tensor(weight).astype(values.dtype)
    if weight.ndim == values.ndim + 1 and weight.shape[-1] == 1:
        return weight[..., 0]
    return weight.reshape(weight.shape + (1,) * (values.ndim - weight.ndim))


def reduce_weighted(values, sample_weight=None, mask=None, reduction="sum_over_batch_size"):
    """Weighs values and reduces them; where the mask is False they do not count, neither in sums nor in means."""
    weight = None if sample_weight is None else weight_like(sample_weight, values)
    if mask is not None:
        mask = weight_like(mask, values)
        weight = mask if weight is None else weight * mask
    if weight is not None:
        values = jnp.where(weight == 0, 0, values) * weight if mask is not None else values * weight
    if reduction in (None, "none"):
        return values
    total = jnp.sum(values)
    if reduction == "sum":
        return total
    if reduction == "mean_with_sample_weight" and weight is not None:
        count = jnp.sum(jnp.broadcast_to(weight, values.shape))
    elif mask is not None:
        count = jnp.sum(jnp.broadcast_to(mask, values.shape))
    else:
        return total / max(values.size, 1)
    return jnp.where(count == 0, 0, total / jnp.where(count == 0, 1, count))


class LossFunctionWrapper(Loss):
    """A function of (y_true, y_pred, **options) as a loss."""

    def __init__(self, fn, reduction="sum_over_batch_size", name=None, dtype=None, **options):
        super().__init__(name or getattr(fn, "__name__", None), reduction, dtype)
        self.fn = fn
        self._options = options

    def call(self, y_true, y_pred):
        return self.fn(y_true, y_pred, **self._options)

    def get_config(self):
        return {**super().get_config(), "fn": f.kind.serialize(self.fn), **serialize_value(self._options)}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "fn": f.kind.deserialize(config["fn"])})


def class_of(name, base, fn, defaults, module):
    """A class made from a function of (y_true, y_pred, **options), with the base's arguments and the options.

    defaults: the constructor's parameters in order. The options become attributes.
    """
    parameters = [inspect.Parameter(p, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=d) for p, d in defaults.items()]
    me = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    signature = inspect.Signature([me, *parameters])
    own = [p for p in defaults if p not in ("name", "reduction", "dtype")]

    def __init__(self, *args, **kwargs):
        try:
            bound = signature.bind(self, *args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{name}: {error}; its arguments are {', '.join(defaults)}.") from None
        bound.apply_defaults()
        options = dict(list(bound.arguments.items())[1:])
        self.__dict__.update((p, options.pop(p)) for p in own)
        base.__init__(self, **options)

    def call(self, y_true, y_pred):
        return fn(y_true, y_pred, **{p: getattr(self, p) for p in own})

    __init__.__signature__ = signature
    doc = f"`{fn.__name__}` as an object. {fn.__doc__.partition('>>>')[0].strip()}"
    return type(name, (base,), {"__init__": __init__, "call": call, "__doc__": doc, "__module__": module})


_ENTROPY = {"from_logits": False, "label_smoothing": 0.0, "axis": -1}
_END = {"reduction": "sum_over_batch_size", "name": None, "dtype": None}
# Class -> function, its options. The name is that of the function unless it stands among the options.
TABLE = {
    "MeanSquaredError": (f.mean_squared_error, _END),
    "MeanAbsoluteError": (f.mean_absolute_error, _END),
    "MeanAbsolutePercentageError": (f.mean_absolute_percentage_error, _END),
    "MeanSquaredLogarithmicError": (f.mean_squared_logarithmic_error, _END),
    "Hinge": (f.hinge, _END),
    "SquaredHinge": (f.squared_hinge, _END),
    "CategoricalHinge": (f.categorical_hinge, _END),
    "Poisson": (f.poisson, _END),
    "KLDivergence": (f.kl_divergence, _END),
    "LogCosh": (f.log_cosh, _END),
    "CTC": (f.ctc, _END),
    "Huber": (f.huber, {"delta": 1.0, **_END, "name": "huber_loss"}),
    "CosineSimilarity": (f.cosine_similarity, {"axis": -1, **_END}),
    "CategoricalCrossentropy": (f.categorical_crossentropy, {**_ENTROPY, **_END}),
    "BinaryCrossentropy": (f.binary_crossentropy, {**_ENTROPY, **_END}),
    "SparseCategoricalCrossentropy": (
        f.sparse_categorical_crossentropy,
        {"from_logits": False, "ignore_class": None, "reduction": _END["reduction"], "axis": -1, **_END},
    ),
    "BinaryFocalCrossentropy": (
        f.binary_focal_crossentropy,
        {"apply_class_balancing": False, "alpha": 0.25, "gamma": 2.0, **_ENTROPY, **_END},
    ),
    "CategoricalFocalCrossentropy": (
        f.categorical_focal_crossentropy,
        {"alpha": 0.25, "gamma": 2.0, **_ENTROPY, **_END},
    ),
    "CategoricalGeneralizedCrossEntropy": (f.categorical_generalized_cross_entropy, {"q": 0.5, **_END}),
    "Dice": (f.dice, {"reduction": _END["reduction"], "name": None, "axis": None, **_END}),
    "Tversky": (
        f.tversky,
        {"alpha": 0.5, "beta": 0.5, "reduction": _END["reduction"], "name": None, "axis": None, **_END},
    ),
    "Circle": (f.circle, {"gamma": 80.0, "margin": 0.4, "remove_diagonal": True, **_END}),
}
for _name, (_fn, _defaults) in TABLE.items():
    _defaults = {**_defaults, "name": _defaults["name"] or _fn.__name__}
    globals()[_name] = class_of(_name, Loss, _fn, _defaults, __name__)
