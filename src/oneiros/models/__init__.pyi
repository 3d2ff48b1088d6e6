# Written by tests/typing/make_stubs.py.
# ruff: noqa
from typing import Any
from ..saving import load_model as load_model
from ..saving import model_from_config as model_from_config
from ..saving import model_from_json as model_from_json
from ..saving import model_from_yaml as model_from_yaml
from ..saving import save_model as save_model
from .cloning import clone_model as clone_model
from .model import Model as Model
from .sequential import Sequential as Sequential


