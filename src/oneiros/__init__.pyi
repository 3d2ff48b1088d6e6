# Written by tests/typing/make_stubs.py.
# ruff: noqa
from typing import Any
from . import activations as activations
from . import callbacks as callbacks
from . import compat as compat
from . import config as config
from . import constraints as constraints
from . import core as core
from . import distillation as distillation
from . import dtype_policies as dtype_policies
from . import initializers as initializers
from . import layers as layers
from . import losses as losses
from . import metrics as metrics
from . import models as models
from . import optimizers as optimizers
from . import quantizers as quantizers
from . import regularizers as regularizers
from . import saving as saving
from . import utils as utils
from .core import Function as Function
from .core import Operation as Operation
from .core import RematScope as RematScope
from .core import StatelessScope as StatelessScope
from .core import SymbolicScope as SymbolicScope
from .core import Variable as Variable
from .core import device as device
from .core import name_scope as name_scope
from .core import remat as remat
from .core import Symbol as KerasTensor
from .core.policy import DTypePolicy as DTypePolicy
from .core.policy import FloatDTypePolicy as FloatDTypePolicy
from .core.random import SeedGenerator as SeedGenerator
from .initializers import Initializer as Initializer
from .layers import Input as Input
from .layers import InputSpec as InputSpec
from .layers import Layer as Layer
from .losses import Loss as Loss
from .metrics import Metric as Metric
from .models import Functional as Functional
from .models import Model as Model
from .models import Sequential as Sequential
from .optimizers import Optimizer as Optimizer
from .quantizers import Quantizer as Quantizer
from .regularizers import Regularizer as Regularizer
from . import applications as applications
from . import backend as backend
from . import datasets as datasets
from . import mixed_precision as mixed_precision
from . import ops as ops
from . import preprocessing as preprocessing
from . import random as random
from . import tree as tree
from . import visualization as visualization
from . import wrappers as wrappers

def version(*args: Any, **kwargs: Any) -> Any: ...
