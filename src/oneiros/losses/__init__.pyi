# Written by tests/typing/make_stubs.py.
# ruff: noqa
from typing import Any
from .checks import check_labels as check_labels
from .checks import check_result as check_result
from .checks import check_shapes as check_shapes
from .classes import CTC as _CTC
from .classes import BinaryCrossentropy as _BinaryCrossentropy
from .classes import BinaryFocalCrossentropy as _BinaryFocalCrossentropy
from .classes import CategoricalCrossentropy as _CategoricalCrossentropy
from .classes import CategoricalFocalCrossentropy as _CategoricalFocalCrossentropy
from .classes import CategoricalGeneralizedCrossEntropy as _CategoricalGeneralizedCrossEntropy
from .classes import CategoricalHinge as _CategoricalHinge
from .classes import Circle as _Circle
from .classes import CosineSimilarity as _CosineSimilarity
from .classes import Dice as _Dice
from .classes import Hinge as _Hinge
from .classes import Huber as _Huber
from .classes import KLDivergence as _KLDivergence
from .classes import LogCosh as _LogCosh
from .classes import Loss as Loss
from .classes import LossFunctionWrapper as LossFunctionWrapper
from .classes import MeanAbsoluteError as _MeanAbsoluteError
from .classes import MeanAbsolutePercentageError as _MeanAbsolutePercentageError
from .classes import MeanSquaredError as _MeanSquaredError
from .classes import MeanSquaredLogarithmicError as _MeanSquaredLogarithmicError
from .classes import Poisson as _Poisson
from .classes import Reduction as Reduction
from .classes import SparseCategoricalCrossentropy as _SparseCategoricalCrossentropy
from .classes import SquaredHinge as _SquaredHinge
from .classes import Tversky as _Tversky
from .functions import BCE as BCE
from .functions import KLD as KLD
from .functions import MAE as MAE
from .functions import MAPE as MAPE
from .functions import MSE as MSE
from .functions import MSLE as MSLE
from .functions import bce as bce
from .functions import binary_crossentropy as binary_crossentropy
from .functions import binary_focal_crossentropy as binary_focal_crossentropy
from .functions import categorical_crossentropy as categorical_crossentropy
from .functions import categorical_focal_crossentropy as categorical_focal_crossentropy
from .functions import categorical_generalized_cross_entropy as categorical_generalized_cross_entropy
from .functions import categorical_hinge as categorical_hinge
from .functions import circle as circle
from .functions import cosine as cosine
from .functions import cosine_proximity as cosine_proximity
from .functions import cosine_similarity as cosine_similarity
from .functions import ctc as ctc
from .functions import dice as dice
from .functions import hinge as hinge
from .functions import huber as huber
from .functions import kl_divergence as kl_divergence
from .functions import kld as kld
from .functions import kullback_leibler_divergence as kullback_leibler_divergence
from .functions import log_cosh as log_cosh
from .functions import logcosh as logcosh
from .functions import mae as mae
from .functions import mape as mape
from .functions import mean_absolute_error as mean_absolute_error
from .functions import mean_absolute_percentage_error as mean_absolute_percentage_error
from .functions import mean_squared_error as mean_squared_error
from .functions import mean_squared_logarithmic_error as mean_squared_logarithmic_error
from .functions import mse as mse
from .functions import msle as msle
from .functions import poisson as poisson
from .functions import sparse_categorical_crossentropy as sparse_categorical_crossentropy
from .functions import squared_hinge as squared_hinge
from .functions import tversky as tversky
from .traits import Traits as Traits
from .traits import expects_classes as expects_classes
from .traits import is_by_row as is_by_row
from .traits import traits_of as traits_of
from .weighting import reduce_weighted as reduce_weighted

class CTC(_CTC):
    def __init__(self, reduction: str = ..., name: str = ..., dtype: str | None = ...) -> None: ...
class BinaryCrossentropy(_BinaryCrossentropy):
    def __init__(self, from_logits: bool = ..., label_smoothing: float = ..., axis: int = ..., reduction: str = ..., name: str = ..., dtype: str | None = ...) -> None: ...
class BinaryFocalCrossentropy(_BinaryFocalCrossentropy):
    def __init__(self, apply_class_balancing: bool = ..., alpha: float = ..., gamma: float = ..., from_logits: bool = ..., label_smoothing: float = ..., axis: int = ..., reduction: str = ..., name: str = ..., dtype: str | None = ...) -> None: ...
class CategoricalCrossentropy(_CategoricalCrossentropy):
    def __init__(self, from_logits: bool = ..., label_smoothing: float = ..., axis: int = ..., reduction: str = ..., name: str = ..., dtype: str | None = ...) -> None: ...
class CategoricalFocalCrossentropy(_CategoricalFocalCrossentropy):
    def __init__(self, alpha: float = ..., gamma: float = ..., from_logits: bool = ..., label_smoothing: float = ..., axis: int = ..., reduction: str = ..., name: str = ..., dtype: str | None = ...) -> None: ...
class CategoricalGeneralizedCrossEntropy(_CategoricalGeneralizedCrossEntropy):
    def __init__(self, q: float = ..., reduction: str = ..., name: str = ..., dtype: str | None = ...) -> None: ...
class CategoricalHinge(_CategoricalHinge):
    def __init__(self, reduction: str = ..., name: str = ..., dtype: str | None = ...) -> None: ...
class Circle(_Circle):
    def __init__(self, gamma: float = ..., margin: float = ..., remove_diagonal: bool = ..., reduction: str = ..., name: str = ..., dtype: str | None = ...) -> None: ...
class CosineSimilarity(_CosineSimilarity):
    def __init__(self, axis: int = ..., reduction: str = ..., name: str = ..., dtype: str | None = ...) -> None: ...
class Dice(_Dice):
    def __init__(self, reduction: str = ..., name: str = ..., axis: Any = ..., dtype: str | None = ...) -> None: ...
class Hinge(_Hinge):
    def __init__(self, reduction: str = ..., name: str = ..., dtype: str | None = ...) -> None: ...
class Huber(_Huber):
    def __init__(self, delta: float = ..., reduction: str = ..., name: str = ..., dtype: str | None = ...) -> None: ...
class KLDivergence(_KLDivergence):
    def __init__(self, reduction: str = ..., name: str = ..., dtype: str | None = ...) -> None: ...
class LogCosh(_LogCosh):
    def __init__(self, reduction: str = ..., name: str = ..., dtype: str | None = ...) -> None: ...
class MeanAbsoluteError(_MeanAbsoluteError):
    def __init__(self, reduction: str = ..., name: str = ..., dtype: str | None = ...) -> None: ...
class MeanAbsolutePercentageError(_MeanAbsolutePercentageError):
    def __init__(self, reduction: str = ..., name: str = ..., dtype: str | None = ...) -> None: ...
class MeanSquaredError(_MeanSquaredError):
    def __init__(self, reduction: str = ..., name: str = ..., dtype: str | None = ...) -> None: ...
class MeanSquaredLogarithmicError(_MeanSquaredLogarithmicError):
    def __init__(self, reduction: str = ..., name: str = ..., dtype: str | None = ...) -> None: ...
class Poisson(_Poisson):
    def __init__(self, reduction: str = ..., name: str = ..., dtype: str | None = ...) -> None: ...
class SparseCategoricalCrossentropy(_SparseCategoricalCrossentropy):
    def __init__(self, from_logits: bool = ..., ignore_class: int | None = ..., reduction: str = ..., axis: int = ..., name: str = ..., dtype: str | None = ...) -> None: ...
class SquaredHinge(_SquaredHinge):
    def __init__(self, reduction: str = ..., name: str = ..., dtype: str | None = ...) -> None: ...
class Tversky(_Tversky):
    def __init__(self, alpha: float = ..., beta: float = ..., reduction: str = ..., name: str = ..., axis: Any = ..., dtype: str | None = ...) -> None: ...
def get(*args: Any, **kwargs: Any) -> Any: ...
