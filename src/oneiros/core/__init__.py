"""Variables, scopes, symbols, graphs, randomness, configuration and the object registry."""

from .config import behaviour, epsilon, floatx, image_data_format, set_epsilon, set_floatx, set_image_data_format
from .mask_and_logits import get_mask, logits_behind, remember_logits, set_mask
from .operation import Function, Operation
from .random import SeedGenerator, draw_seed, global_seed_generator, set_random_seed
from .registry import Configurable, Kind, kind
from .scopes import RematScope, StatelessScope, SymbolicScope, device, in_symbolic_scope, name_scope, remat
from .symbol import Graph, Node, Shape, Symbol, has_symbol, is_symbol, op, symbols_in
from .variable import Scope, Variable, autocast, compiled, repeat, scan, to_array, value_and_grad, writes_are_carried
