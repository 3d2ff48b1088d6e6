"""What can watch and steer training."""

from .backup import BackupAndRestore
from .base import Callback
from .callback_list import CallbackList
from .checkpoint import ModelCheckpoint
from .control import EarlyStopping, LearningRateScheduler, ReduceLROnPlateau, SwapEMAWeights, TerminateOnNaN
from .nan_report import NaNReport
from .report import BaseLogger, CSVLogger, History, LambdaCallback, ProgbarLogger, RemoteMonitor
from .tensorboard import TensorBoard
