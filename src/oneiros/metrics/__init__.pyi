# Written by tests/typing/make_stubs.py.
# ruff: noqa
from typing import Any
from ..losses import MAE as MAE
from ..losses import MAPE as MAPE
from ..losses import MSE as MSE
from ..losses import MSLE as MSLE
from ..losses import binary_crossentropy as binary_crossentropy
from ..losses import binary_focal_crossentropy as binary_focal_crossentropy
from ..losses import categorical_crossentropy as categorical_crossentropy
from ..losses import categorical_focal_crossentropy as categorical_focal_crossentropy
from ..losses import categorical_hinge as categorical_hinge
from ..losses import hinge as hinge
from ..losses import huber as huber
from ..losses import kl_divergence as kl_divergence
from ..losses import kullback_leibler_divergence as kullback_leibler_divergence
from ..losses import log_cosh as log_cosh
from ..losses import logcosh as logcosh
from ..losses import mae as mae
from ..losses import mape as mape
from ..losses import mean_absolute_error as mean_absolute_error
from ..losses import mean_absolute_percentage_error as mean_absolute_percentage_error
from ..losses import mean_squared_error as mean_squared_error
from ..losses import mean_squared_logarithmic_error as mean_squared_logarithmic_error
from ..losses import mse as mse
from ..losses import msle as msle
from ..losses import poisson as poisson
from ..losses import sparse_categorical_crossentropy as sparse_categorical_crossentropy
from ..losses import squared_hinge as squared_hinge
from ..losses.functions import KLD as KLD
from ..losses.functions import kld as kld
from .averages import CLASS_OF as CLASS_OF
from .averages import Accuracy as _Accuracy
from .averages import BinaryAccuracy as _BinaryAccuracy
from .averages import BinaryCrossentropy as _BinaryCrossentropy
from .averages import CategoricalAccuracy as _CategoricalAccuracy
from .averages import CategoricalCrossentropy as _CategoricalCrossentropy
from .averages import CategoricalHinge as _CategoricalHinge
from .averages import ConcordanceCorrelation as _ConcordanceCorrelation
from .averages import CosineSimilarity as _CosineSimilarity
from .averages import Hinge as _Hinge
from .averages import KLDivergence as _KLDivergence
from .averages import LogCoshError as _LogCoshError
from .averages import MeanAbsoluteError as _MeanAbsoluteError
from .averages import MeanAbsolutePercentageError as _MeanAbsolutePercentageError
from .averages import MeanSquaredError as _MeanSquaredError
from .averages import MeanSquaredLogarithmicError as _MeanSquaredLogarithmicError
from .averages import PearsonCorrelation as _PearsonCorrelation
from .averages import Poisson as _Poisson
from .averages import SparseCategoricalAccuracy as _SparseCategoricalAccuracy
from .averages import SparseCategoricalCrossentropy as _SparseCategoricalCrossentropy
from .averages import SparseTopKCategoricalAccuracy as _SparseTopKCategoricalAccuracy
from .averages import SquaredHinge as _SquaredHinge
from .averages import TopKCategoricalAccuracy as _TopKCategoricalAccuracy
from .base import Mean as _Mean
from .base import MeanMetricWrapper as MeanMetricWrapper
from .base import MeanTensor as _MeanTensor
from .base import Metric as Metric
from .base import Sum as _Sum
from .base import SumOverBatchSize as _SumOverBatchSize
from .base import SumOverBatchSizeMetricWrapper as SumOverBatchSizeMetricWrapper
from .confusion import AUC as _AUC
from .confusion import F1Score as _F1Score
from .confusion import FalseNegatives as _FalseNegatives
from .confusion import FalsePositives as _FalsePositives
from .confusion import FBetaScore as _FBetaScore
from .confusion import Precision as _Precision
from .confusion import PrecisionAtRecall as _PrecisionAtRecall
from .confusion import Recall as _Recall
from .confusion import RecallAtPrecision as _RecallAtPrecision
from .confusion import SensitivityAtSpecificity as _SensitivityAtSpecificity
from .confusion import SpecificityAtSensitivity as _SpecificityAtSensitivity
from .confusion import TrueNegatives as _TrueNegatives
from .confusion import TruePositives as _TruePositives
from .functions import accuracy as accuracy
from .functions import binary_accuracy as binary_accuracy
from .functions import categorical_accuracy as categorical_accuracy
from .functions import concordance_correlation as concordance_correlation
from .functions import cosine as cosine
from .functions import cosine_proximity as cosine_proximity
from .functions import cosine_similarity as cosine_similarity
from .functions import pearson_correlation as pearson_correlation
from .functions import resolve_accuracy as resolve_accuracy
from .functions import sparse_categorical_accuracy as sparse_categorical_accuracy
from .functions import sparse_top_k_categorical_accuracy as sparse_top_k_categorical_accuracy
from .functions import top_k_categorical_accuracy as top_k_categorical_accuracy
from .iou import BinaryIoU as _BinaryIoU
from .iou import IoU as _IoU
from .iou import MeanIoU as _MeanIoU
from .iou import OneHotIoU as _OneHotIoU
from .iou import OneHotMeanIoU as _OneHotMeanIoU
from .regression import MeanRelativeError as _MeanRelativeError
from .regression import R2Score as _R2Score
from .regression import RootMeanSquaredError as _RootMeanSquaredError

class Accuracy(_Accuracy):
    def __init__(self, name: str = ..., dtype: str | None = ...) -> None: ...
class BinaryAccuracy(_BinaryAccuracy):
    def __init__(self, name: str = ..., dtype: str | None = ..., threshold: float = ...) -> None: ...
class BinaryCrossentropy(_BinaryCrossentropy):
    def __init__(self, name: str = ..., dtype: str | None = ..., from_logits: bool = ..., label_smoothing: float = ...) -> None: ...
class CategoricalAccuracy(_CategoricalAccuracy):
    def __init__(self, name: str = ..., dtype: str | None = ...) -> None: ...
class CategoricalCrossentropy(_CategoricalCrossentropy):
    def __init__(self, name: str = ..., dtype: str | None = ..., from_logits: bool = ..., label_smoothing: float = ..., axis: int = ...) -> None: ...
class CategoricalHinge(_CategoricalHinge):
    def __init__(self, name: str = ..., dtype: str | None = ...) -> None: ...
class ConcordanceCorrelation(_ConcordanceCorrelation):
    def __init__(self, name: str = ..., dtype: str | None = ..., axis: int = ...) -> None: ...
class CosineSimilarity(_CosineSimilarity):
    def __init__(self, name: str = ..., dtype: str | None = ..., axis: int = ...) -> None: ...
class Hinge(_Hinge):
    def __init__(self, name: str = ..., dtype: str | None = ...) -> None: ...
class KLDivergence(_KLDivergence):
    def __init__(self, name: str = ..., dtype: str | None = ...) -> None: ...
class LogCoshError(_LogCoshError):
    def __init__(self, name: str = ..., dtype: str | None = ...) -> None: ...
class MeanAbsoluteError(_MeanAbsoluteError):
    def __init__(self, name: str = ..., dtype: str | None = ...) -> None: ...
class MeanAbsolutePercentageError(_MeanAbsolutePercentageError):
    def __init__(self, name: str = ..., dtype: str | None = ...) -> None: ...
class MeanSquaredError(_MeanSquaredError):
    def __init__(self, name: str = ..., dtype: str | None = ...) -> None: ...
class MeanSquaredLogarithmicError(_MeanSquaredLogarithmicError):
    def __init__(self, name: str = ..., dtype: str | None = ...) -> None: ...
class PearsonCorrelation(_PearsonCorrelation):
    def __init__(self, name: str = ..., dtype: str | None = ..., axis: int = ...) -> None: ...
class Poisson(_Poisson):
    def __init__(self, name: str = ..., dtype: str | None = ...) -> None: ...
class SparseCategoricalAccuracy(_SparseCategoricalAccuracy):
    def __init__(self, name: str = ..., dtype: str | None = ...) -> None: ...
class SparseCategoricalCrossentropy(_SparseCategoricalCrossentropy):
    def __init__(self, name: str = ..., dtype: str | None = ..., from_logits: bool = ..., ignore_class: int | None = ..., axis: int = ...) -> None: ...
class SparseTopKCategoricalAccuracy(_SparseTopKCategoricalAccuracy):
    def __init__(self, k: int = ..., name: str = ..., dtype: str | None = ..., from_sorted_ids: bool = ...) -> None: ...
class SquaredHinge(_SquaredHinge):
    def __init__(self, name: str = ..., dtype: str | None = ...) -> None: ...
class TopKCategoricalAccuracy(_TopKCategoricalAccuracy):
    def __init__(self, k: int = ..., name: str = ..., dtype: str | None = ...) -> None: ...
class Mean(_Mean):
    def __init__(self, name: str = ..., dtype: str | None = ..., **kwargs: Any) -> None: ...
class MeanTensor(_MeanTensor):
    def __init__(self, name: str = ..., dtype: str | None = ..., shape: Any = ..., **kwargs: Any) -> None: ...
class Sum(_Sum):
    def __init__(self, name: str = ..., dtype: str | None = ..., **kwargs: Any) -> None: ...
class SumOverBatchSize(_SumOverBatchSize):
    def __init__(self, name: str = ..., dtype: str | None = ..., **kwargs: Any) -> None: ...
class AUC(_AUC):
    def __init__(self, num_thresholds: int = ..., curve: str = ..., summation_method: str = ..., name: str | None = ..., dtype: str | None = ..., thresholds: Any = ..., multi_label: bool = ..., num_labels: int | None = ..., label_weights: Any = ..., from_logits: bool = ..., **kwargs: Any) -> None: ...
class F1Score(_F1Score):
    def __init__(self, average: str | None = ..., threshold: float | None = ..., name: str = ..., dtype: str | None = ..., **kwargs: Any) -> None: ...
class FalseNegatives(_FalseNegatives):
    def __init__(self, thresholds: Any = ..., name: str | None = ..., dtype: str | None = ..., **kwargs: Any) -> None: ...
class FalsePositives(_FalsePositives):
    def __init__(self, thresholds: Any = ..., name: str | None = ..., dtype: str | None = ..., **kwargs: Any) -> None: ...
class FBetaScore(_FBetaScore):
    def __init__(self, average: str | None = ..., beta: float = ..., threshold: float | None = ..., name: str = ..., dtype: str | None = ..., **kwargs: Any) -> None: ...
class Precision(_Precision):
    def __init__(self, thresholds: Any = ..., top_k: int | None = ..., class_id: int | None = ..., name: str | None = ..., dtype: str | None = ..., **kwargs: Any) -> None: ...
class PrecisionAtRecall(_PrecisionAtRecall):
    def __init__(self, recall: float, num_thresholds: int = ..., class_id: int | None = ..., name: str | None = ..., dtype: str | None = ..., **kwargs: Any) -> None: ...
class Recall(_Recall):
    def __init__(self, thresholds: Any = ..., top_k: int | None = ..., class_id: int | None = ..., name: str | None = ..., dtype: str | None = ..., **kwargs: Any) -> None: ...
class RecallAtPrecision(_RecallAtPrecision):
    def __init__(self, precision: float, num_thresholds: int = ..., class_id: int | None = ..., name: str | None = ..., dtype: str | None = ..., **kwargs: Any) -> None: ...
class SensitivityAtSpecificity(_SensitivityAtSpecificity):
    def __init__(self, specificity: float, num_thresholds: int = ..., class_id: int | None = ..., name: str | None = ..., dtype: str | None = ..., **kwargs: Any) -> None: ...
class SpecificityAtSensitivity(_SpecificityAtSensitivity):
    def __init__(self, sensitivity: float, num_thresholds: int = ..., class_id: int | None = ..., name: str | None = ..., dtype: str | None = ..., **kwargs: Any) -> None: ...
class TrueNegatives(_TrueNegatives):
    def __init__(self, thresholds: Any = ..., name: str | None = ..., dtype: str | None = ..., **kwargs: Any) -> None: ...
class TruePositives(_TruePositives):
    def __init__(self, thresholds: Any = ..., name: str | None = ..., dtype: str | None = ..., **kwargs: Any) -> None: ...
class BinaryIoU(_BinaryIoU):
    def __init__(self, target_class_ids: Any = ..., threshold: float = ..., name: str | None = ..., dtype: str | None = ..., **kwargs: Any) -> None: ...
class IoU(_IoU):
    def __init__(self, num_classes: int, target_class_ids: Any, name: str | None = ..., dtype: str | None = ..., ignore_class: int | None = ..., sparse_y_true: bool = ..., sparse_y_pred: bool = ..., axis: int = ..., **kwargs: Any) -> None: ...
class MeanIoU(_MeanIoU):
    def __init__(self, num_classes: int, name: str | None = ..., dtype: str | None = ..., ignore_class: int | None = ..., sparse_y_true: bool = ..., sparse_y_pred: bool = ..., axis: int = ..., **kwargs: Any) -> None: ...
class OneHotIoU(_OneHotIoU):
    def __init__(self, num_classes: int, target_class_ids: Any, name: str | None = ..., dtype: str | None = ..., ignore_class: int | None = ..., sparse_y_pred: bool = ..., axis: int = ..., **kwargs: Any) -> None: ...
class OneHotMeanIoU(_OneHotMeanIoU):
    def __init__(self, num_classes: int, name: str | None = ..., dtype: str | None = ..., ignore_class: int | None = ..., sparse_y_pred: bool = ..., axis: int = ..., **kwargs: Any) -> None: ...
class MeanRelativeError(_MeanRelativeError):
    def __init__(self, normalizer: Any, name: str | None = ..., dtype: str | None = ..., **kwargs: Any) -> None: ...
class R2Score(_R2Score):
    def __init__(self, class_aggregation: str = ..., num_regressors: int = ..., name: str = ..., dtype: str | None = ..., **kwargs: Any) -> None: ...
class RootMeanSquaredError(_RootMeanSquaredError):
    def __init__(self, name: str = ..., dtype: str | None = ..., **kwargs: Any) -> None: ...
def get(*args: Any, **kwargs: Any) -> Any: ...
