"""Models: graphs of layers, chains, and what makes, copies and loads them."""

from ..core import kind as _kind
from ..saving import load_model, model_from_config, model_from_json, model_from_yaml, save_model
from . import feature_space as _feature_space  # files name what is in it
from .cloning import clone_model
from .model import Model
from .sequential import Sequential

Functional = Model
_kind("layer").add(Model, "Functional")  # as files call it
