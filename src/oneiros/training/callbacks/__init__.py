"""What can watch and steer training."""

from .base import Callback, CallbackList
from .checkpoint import BackupAndRestore, ModelCheckpoint
from .control import EarlyStopping, LearningRateScheduler, ReduceLROnPlateau, SwapEMAWeights, TerminateOnNaN
from .report import BaseLogger, CSVLogger, History, LambdaCallback, ProgbarLogger, RemoteMonitor
from .tensorboard import TensorBoard
