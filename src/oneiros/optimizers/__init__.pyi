# Written by tests/typing/make_stubs.py.
# ruff: noqa
from typing import Any
from . import schedules as schedules
from .algorithms import SGD as _SGD
from .algorithms import Adadelta as _Adadelta
from .algorithms import Adafactor as _Adafactor
from .algorithms import Adagrad as _Adagrad
from .algorithms import Adam as _Adam
from .algorithms import Adamax as _Adamax
from .algorithms import AdamW as _AdamW
from .algorithms import Ftrl as _Ftrl
from .algorithms import Lamb as _Lamb
from .algorithms import Lion as _Lion
from .algorithms import Muon as _Muon
from .algorithms import Nadam as _Nadam
from .algorithms import RMSprop as _RMSprop
from .algorithms import ScheduleFreeAdamW as _ScheduleFreeAdamW
from .base import Optimizer as Optimizer
from .schedules import LearningRateSchedule as LearningRateSchedule
from .wrappers import LossScaleOptimizer as LossScaleOptimizer
from .wrappers import MultiOptimizer as MultiOptimizer
from .wrappers import OptaxOptimizer as OptaxOptimizer
from .wrappers import OptimizerMap as OptimizerMap
from .wrappers import TFOptimizer as TFOptimizer

class SGD(_SGD):
    def __init__(self, learning_rate: Any = ..., momentum: float = ..., nesterov: bool = ..., weight_decay: float | None = ..., clipnorm: float | None = ..., clipvalue: float | None = ..., global_clipnorm: float | None = ..., use_ema: bool = ..., ema_momentum: float = ..., ema_overwrite_frequency: int | None = ..., loss_scale_factor: float | None = ..., gradient_accumulation_steps: int | None = ..., name: str | None = ..., *, decay: float = ..., **kwargs: Any) -> None: ...
class Adadelta(_Adadelta):
    def __init__(self, learning_rate: Any = ..., rho: float = ..., epsilon: float = ..., weight_decay: float | None = ..., clipnorm: float | None = ..., clipvalue: float | None = ..., global_clipnorm: float | None = ..., use_ema: bool = ..., ema_momentum: float = ..., ema_overwrite_frequency: int | None = ..., loss_scale_factor: float | None = ..., gradient_accumulation_steps: int | None = ..., name: str | None = ..., *, decay: float = ..., **kwargs: Any) -> None: ...
class Adafactor(_Adafactor):
    def __init__(self, learning_rate: Any = ..., beta_2_decay: float = ..., epsilon_1: float = ..., epsilon_2: float = ..., clip_threshold: float = ..., relative_step: bool = ..., weight_decay: float | None = ..., clipnorm: float | None = ..., clipvalue: float | None = ..., global_clipnorm: float | None = ..., use_ema: bool = ..., ema_momentum: float = ..., ema_overwrite_frequency: int | None = ..., loss_scale_factor: float | None = ..., gradient_accumulation_steps: int | None = ..., name: str | None = ..., *, decay: float = ..., **kwargs: Any) -> None: ...
class Adagrad(_Adagrad):
    def __init__(self, learning_rate: Any = ..., initial_accumulator_value: float = ..., epsilon: float = ..., weight_decay: float | None = ..., clipnorm: float | None = ..., clipvalue: float | None = ..., global_clipnorm: float | None = ..., use_ema: bool = ..., ema_momentum: float = ..., ema_overwrite_frequency: int | None = ..., loss_scale_factor: float | None = ..., gradient_accumulation_steps: int | None = ..., name: str | None = ..., *, decay: float = ..., **kwargs: Any) -> None: ...
class Adam(_Adam):
    def __init__(self, learning_rate: Any = ..., beta_1: float = ..., beta_2: float = ..., epsilon: float = ..., amsgrad: bool = ..., weight_decay: float | None = ..., clipnorm: float | None = ..., clipvalue: float | None = ..., global_clipnorm: float | None = ..., use_ema: bool = ..., ema_momentum: float = ..., ema_overwrite_frequency: int | None = ..., loss_scale_factor: float | None = ..., gradient_accumulation_steps: int | None = ..., name: str | None = ..., *, decay: float = ..., **kwargs: Any) -> None: ...
class Adamax(_Adamax):
    def __init__(self, learning_rate: Any = ..., beta_1: float = ..., beta_2: float = ..., epsilon: float = ..., weight_decay: float | None = ..., clipnorm: float | None = ..., clipvalue: float | None = ..., global_clipnorm: float | None = ..., use_ema: bool = ..., ema_momentum: float = ..., ema_overwrite_frequency: int | None = ..., loss_scale_factor: float | None = ..., gradient_accumulation_steps: int | None = ..., name: str | None = ..., *, decay: float = ..., **kwargs: Any) -> None: ...
class AdamW(_AdamW):
    def __init__(self, learning_rate: Any = ..., weight_decay: float = ..., beta_1: float = ..., beta_2: float = ..., epsilon: float = ..., amsgrad: bool = ..., clipnorm: float | None = ..., clipvalue: float | None = ..., global_clipnorm: float | None = ..., use_ema: bool = ..., ema_momentum: float = ..., ema_overwrite_frequency: int | None = ..., loss_scale_factor: float | None = ..., gradient_accumulation_steps: int | None = ..., name: str | None = ..., *, decay: float = ..., **kwargs: Any) -> None: ...
class Ftrl(_Ftrl):
    def __init__(self, learning_rate: Any = ..., learning_rate_power: float = ..., initial_accumulator_value: float = ..., l1_regularization_strength: float = ..., l2_regularization_strength: float = ..., l2_shrinkage_regularization_strength: float = ..., beta: float = ..., weight_decay: float | None = ..., clipnorm: float | None = ..., clipvalue: float | None = ..., global_clipnorm: float | None = ..., use_ema: bool = ..., ema_momentum: float = ..., ema_overwrite_frequency: int | None = ..., loss_scale_factor: float | None = ..., gradient_accumulation_steps: int | None = ..., name: str | None = ..., *, decay: float = ..., **kwargs: Any) -> None: ...
class Lamb(_Lamb):
    def __init__(self, learning_rate: Any = ..., beta_1: float = ..., beta_2: float = ..., epsilon: float = ..., weight_decay: float | None = ..., clipnorm: float | None = ..., clipvalue: float | None = ..., global_clipnorm: float | None = ..., use_ema: bool = ..., ema_momentum: float = ..., ema_overwrite_frequency: int | None = ..., loss_scale_factor: float | None = ..., gradient_accumulation_steps: int | None = ..., name: str | None = ..., *, decay: float = ..., **kwargs: Any) -> None: ...
class Lion(_Lion):
    def __init__(self, learning_rate: Any = ..., beta_1: float = ..., beta_2: float = ..., weight_decay: float | None = ..., clipnorm: float | None = ..., clipvalue: float | None = ..., global_clipnorm: float | None = ..., use_ema: bool = ..., ema_momentum: float = ..., ema_overwrite_frequency: int | None = ..., loss_scale_factor: float | None = ..., gradient_accumulation_steps: int | None = ..., name: str | None = ..., *, decay: float = ..., **kwargs: Any) -> None: ...
class Muon(_Muon):
    def __init__(self, learning_rate: Any = ..., adam_beta_1: float = ..., adam_beta_2: float = ..., adam_weight_decay: float = ..., epsilon: float = ..., weight_decay: float = ..., exclude_layers: Any = ..., exclude_embeddings: bool = ..., muon_a: float = ..., muon_b: float = ..., muon_c: float = ..., adam_lr_ratio: float = ..., momentum: float = ..., ns_steps: int = ..., nesterov: bool = ..., rms_rate: float = ..., clipnorm: float | None = ..., clipvalue: float | None = ..., global_clipnorm: float | None = ..., use_ema: bool = ..., ema_momentum: float = ..., ema_overwrite_frequency: int | None = ..., loss_scale_factor: float | None = ..., gradient_accumulation_steps: int | None = ..., name: str | None = ..., *, decay: float = ..., **kwargs: Any) -> None: ...
class Nadam(_Nadam):
    def __init__(self, learning_rate: Any = ..., beta_1: float = ..., beta_2: float = ..., epsilon: float = ..., weight_decay: float | None = ..., clipnorm: float | None = ..., clipvalue: float | None = ..., global_clipnorm: float | None = ..., use_ema: bool = ..., ema_momentum: float = ..., ema_overwrite_frequency: int | None = ..., loss_scale_factor: float | None = ..., gradient_accumulation_steps: int | None = ..., name: str | None = ..., *, decay: float = ..., schedule_decay: float | None = ..., **kwargs: Any) -> None: ...
class RMSprop(_RMSprop):
    def __init__(self, learning_rate: Any = ..., rho: float = ..., momentum: float = ..., epsilon: float = ..., centered: bool = ..., weight_decay: float | None = ..., clipnorm: float | None = ..., clipvalue: float | None = ..., global_clipnorm: float | None = ..., use_ema: bool = ..., ema_momentum: float = ..., ema_overwrite_frequency: int | None = ..., loss_scale_factor: float | None = ..., gradient_accumulation_steps: int | None = ..., name: str | None = ..., *, decay: float = ..., **kwargs: Any) -> None: ...
class ScheduleFreeAdamW(_ScheduleFreeAdamW):
    def __init__(self, learning_rate: Any = ..., beta_1: float = ..., beta_2: float = ..., epsilon: float = ..., warmup_steps: int = ..., weight_decay: float | None = ..., clipnorm: float | None = ..., clipvalue: float | None = ..., global_clipnorm: float | None = ..., use_ema: bool = ..., ema_momentum: float = ..., ema_overwrite_frequency: int | None = ..., loss_scale_factor: float | None = ..., gradient_accumulation_steps: int | None = ..., name: str | None = ..., *, decay: float = ..., **kwargs: Any) -> None: ...
def get(*args: Any, **kwargs: Any) -> Any: ...
def optimizer_from_config(*args: Any, **kwargs: Any) -> Any: ...
def clip_norm(*args: Any, **kwargs: Any) -> Any: ...
