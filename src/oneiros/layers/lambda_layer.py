"""`Lambda`, which makes a layer of any function.

This is the only place where code from a file could be run. It happens only if the caller agrees.
"""

import base64
import importlib
import inspect
import marshal
import sys
import types
import typing

import jax.numpy as jnp
import numpy as np

from ..core import Symbol, behaviour, safety
from ..core.errors import CorruptFileError, UnsafeModelError
from ..core.fields import field
from ..core.registry import CustomObjectScope, find_custom_object, kind, serialize_value
from ..core.symbol import infer, symbols_in
from .base import Layer
from .stored_code import name_of_code

_PACKAGE = __name__.split(".")[0]
_LIVE = {kind: type("Live", (kind,), {}) for kind in (dict, tuple, str)}


def _live(form, function):
    """A serialized function that still has the function with it: copying a layer in a process needs no stored code."""
    form = _LIVE[type(form)](form)
    form.function = function
    return form


def _function(name, value):
    if not callable(value):
        raise TypeError(f"Lambda: expected a function. Received: {name}={value!r}")
    return value


def _own_output_shape(name, value):
    return value if value is None or callable(value) else _shape(value)


def _arguments(name, value):
    return dict(value or {})


class Lambda(Layer):
    """Applies a function to its inputs: ``function(inputs, **arguments)``.

    Files hold the compiled code of a function, as Keras' files do. It is never run without consent: call
    ``load_model(..., safe_mode=False)``, or give the function in `custom_objects`, under its own name or the layer's.
    In models that you save, a layer class of your own is better.

    Shapes: any. The shape of the outputs is inferred from the function.

    >>> import numpy as np
    >>> Lambda(lambda x: x**2)(np.array([[3.0]])).tolist()
    [[9.0]]
    """

    function: typing.Callable = field(
        _function, doc="Function of the inputs, and of `mask` and `training` if it takes them."
    )
    _output_shape: typing.Any = field(
        _own_output_shape,
        default=None,
        alias="output_shape",
        doc="Shape of the outputs without the batch axis, or a function of the input shape. Only needed where it "
        "cannot be inferred.",
    )
    mask: typing.Any = field(default=None, doc="Mask of the outputs, or a function of (inputs, mask).")
    arguments: dict = field(_arguments, default=None, doc="Further keyword arguments of the function.")

    def __post_init__(self):
        super().__post_init__()
        self.supports_masking = self.mask is not None

    def call(self, inputs: typing.Any, mask: typing.Any = None, training: bool | None = None) -> typing.Any:
        arguments = dict(self.arguments)
        for name, value in (("mask", mask), ("training", training)):
            if name in _parameters(self.function):
                arguments[name] = value
        outputs = self.function(inputs, **arguments)
        # An array carries its mask, so an output must not be the input itself.
        return jnp.array(outputs, copy=True) if outputs is inputs and hasattr(outputs, "ndim") else outputs

    def compute_mask(self, inputs: typing.Any, mask: typing.Any = None) -> typing.Any:
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def compute_output_shape(self, input_shape: typing.Any) -> typing.Any:
        if self._output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self._output_shape):
            return tuple(self._output_shape(input_shape))
        first = input_shape[0]
        return (first[0] if isinstance(first, (list, tuple)) else first, *self._output_shape)

    def compute_output_spec(self, *args, **kwargs) -> typing.Any:
        try:
            return infer(self, args, kwargs)
        except Exception:
            # The sizes that stand for unknown dimensions may not suit the function: then the user's word counts.
            if self._output_shape is None or not any(None in s.shape for s in symbols_in(args)):
                raise
            shapes = [tuple(s.shape) for s in symbols_in(args)]
            shape = self.compute_output_shape(shapes[0] if isinstance(args[0], Symbol) else shapes)
            return Symbol(shape, self.compute_dtype, "spec")

    def get_config(self) -> dict:
        config = super().get_config() | {"arguments": _stored_arguments(self.arguments)}
        return config | (keras2_parts(self) if behaviour.lambda_code_as_list else _keras3_parts(self))

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None, safe_mode: bool | None = None) -> "Lambda":
        config = dict(config)
        name = config.get("name")
        with safety.loading(safe_mode), CustomObjectScope(custom_objects):
            for part in ("function", "output_shape", "mask"):
                module = config.pop("module" if part == "function" else f"{part}_module", None)
                config.pop(f"{part}_type", None)
                if part in config:
                    config[part] = load_function(config[part], name, part, module)
        arguments = config.get("arguments") or {}
        config["arguments"] = {key: _load_array(value) for key, value in arguments.items()}
        return cls(**config)


def _shape(value):
    return (value,) if isinstance(value, int) else tuple(value)


def _parameters(function):
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):  # some built-in functions have none
        return ()


def _stored_arguments(arguments):
    if not behaviour.lambda_code_as_list:
        return serialize_value(arguments)
    return {key: _store_array(value) for key, value in arguments.items()}


def _store_array(value):
    if isinstance(value, (np.ndarray, jnp.ndarray)):
        return {"type": "ndarray", "value": np.asarray(value).tolist()}
    return serialize_value(value)


def _load_array(value):
    """Keras 2 writes arrays among the arguments as dictionaries."""
    if isinstance(value, dict) and value.get("type") == "ndarray":
        return np.asarray(value["value"])
    return value


# --- functions as files hold them


def _parts(layer):
    return {"function": layer.function, "output_shape": layer._output_shape, "mask": layer.mask}


def _keras3_parts(layer):
    parts = {name: _keras3_form(value) for name, value in _parts(layer).items() if value is not None}
    return {"output_shape": None, "mask": None} | parts


def _keras3_form(value):
    if not callable(value):
        return value
    name = getattr(value, "__name__", type(value).__name__)
    if name == "<lambda>":
        code, defaults, closure = _dump(value)
        form = {"class_name": "__lambda__", "config": {"code": code, "defaults": defaults, "closure": closure}}
    else:
        module = getattr(value, "__module__", None)
        form = {"module": module, "class_name": "function", "config": name, "registered_name": name}
    return _live(form, value)


def keras2_parts(layer: typing.Any) -> dict:
    """The configuration of a Lambda's functions as Keras 2 and tf.keras write and read it."""
    parts = _parts(layer)
    config = keras2_forms({name: value for name, value in parts.items() if name != "mask" or value is not None})
    for name, value in parts.items():
        if name in config:
            module = getattr(value, "__module__", None) if callable(value) else None
            config["module" if name == "function" else f"{name}_module"] = module
    return config


def keras2_forms(parts: dict) -> dict:
    """Functions and other values as Keras 1 and 2 write them: each with its type, ``lambda``, ``function`` or ``raw``.

    >>> keras2_forms({"mode": "sum"})
    {'mode': 'sum', 'mode_type': 'raw'}
    """
    config = {}
    for name, value in parts.items():
        form, form_type = value, "raw"
        if isinstance(value, types.FunctionType) and not _is_ours(value):
            form, form_type = _live(_dump(value), value), "lambda"
        elif callable(value):
            form, form_type = _live(getattr(value, "__name__", type(value).__name__), value), "function"
        config |= {name: form, f"{name}_type": form_type}
    return config


def _is_ours(function):
    return str(getattr(function, "__module__", "")).split(".")[0] == _PACKAGE


def _dump(function):
    code = base64.encodebytes(marshal.dumps(function.__code__)).decode("ascii")
    closure = tuple(cell.cell_contents for cell in function.__closure__) if function.__closure__ else None
    return code, function.__defaults__, closure


def load_function(
    stored: typing.Any,
    layer_name: str | None,
    part: str = "function",
    module: str | None = None,
    kind_of_layer: str = "Lambda",
) -> typing.Any:
    """The function (or shape) for what a configuration holds.

    The shape of the outputs can be inferred: a function for it that may not be loaded is left out.

    Args:
        stored: the code with defaults and closure, a name, a shape, or ``None``, in the form of any generation.
        layer_name: the layer's name, under which the user may give its function.
        part: the name of the layer's argument.
        module: the name of the module that the function was in.
        kind_of_layer: the layer's class, for messages.

    Raises:
        UnsafeModelError: it is code, and nobody consented to run it, or the name of an unknown function.
        CorruptFileError: the code cannot be read.
    """
    if hasattr(stored, "function"):
        return stored.function
    if stored is None or callable(stored):
        return stored
    owner = f"{kind_of_layer} layer {layer_name!r}"
    if part in ("output_shape", "mask", "output_mask"):
        layer_name = None  # which stands for the layer's function
    try:
        return _load(stored, layer_name, owner, module)
    except UnsafeModelError:
        if part != "output_shape":
            raise
        return None


def _load(stored, layer_name, owner, module):
    if isinstance(stored, str):
        return _named(stored, owner, module)
    if isinstance(stored, dict):
        inner = stored.get("config")
        if stored.get("class_name") == "__lambda__" and isinstance(inner, dict):
            return _compiled(inner.get("code"), inner.get("defaults"), inner.get("closure"), layer_name, owner, module)
        return _named(inner if isinstance(inner, str) else str(stored), owner, stored.get("module"))
    if len(stored) == 3 and isinstance(stored[0], str):
        return _compiled(*stored, layer_name, owner, module)
    return tuple(stored)


def _named(name, owner, module):
    """A function that is only named: of the user's objects, or of the library; never imported."""
    function = find_custom_object(name) or kind("activation").objects.get(name) or _operation(name, module)
    if function is None:
        where = f"{module}.{name}" if module else name
        raise UnsafeModelError(
            f"{owner} needs the function {where!r}, which a file may name but not bring. "
            f"Pass it: custom_objects={{{name!r}: ...}}."
        )
    return function


def _operation(name, module):
    """The function of `ops`, where the module says so, or of the backend that has this name."""
    importlib.import_module(f"{_PACKAGE}.backend")
    rooms = ("ops.", "backend.") if "ops" in str(module).split(".") else ("backend.", "ops.")
    known = kind("operation").objects
    found = [known[path] for room in rooms for path in known if path.startswith(room) and path.endswith(f".{name}")]
    return getattr(found[0], "public", found[0]) if found and name.isidentifier() and name[0] != "_" else None


def _compiled(code, defaults, closure, layer_name, owner, module):
    try:
        data = base64.b64decode("".join(code.split()), validate=True)
    except ValueError:
        data = code.encode("raw_unicode_escape")  # as Keras 1 wrote it
    names = [name for name in (layer_name, name_of_code(data)) if name]
    for name in names:
        if (function := find_custom_object(name)) is not None:
            return function
    if safety.in_safe_mode():
        raise UnsafeModelError(
            f"{owner} contains Python code, which is not run unless you trust where it comes from. "
            f"Pass the function as custom_objects={{{(names or ['...'])[-1]!r}: ...}}, or consent by {safety.CONSENT}."
        )
    try:
        code = marshal.loads(data)
    except (EOFError, TypeError, ValueError) as error:
        version = ".".join(map(str, sys.version_info[:2]))
        raise CorruptFileError(
            f"{owner}: its code cannot be read by Python {version} ({error}). It was damaged or "
            f"written by another version of Python; pass the function as custom_objects={{{layer_name!r}: ...}}."
        ) from None
    # Keras runs such code with its own modules, those of the module it came from, and the caller's objects at hand.
    names = {"__builtins__": __builtins__, "np": np, "K": importlib.import_module(f"{_PACKAGE}.backend")}
    names |= {"keras": importlib.import_module(_PACKAGE)}
    names |= vars(sys.modules[module if module in sys.modules else "__main__"])
    names |= {name: found for name in _names_in(code) if (found := find_custom_object(name)) is not None}
    cells = tuple(types.CellType(_load_array(value)) for value in closure or ()) or None
    return types.FunctionType(code, names, code.co_name, tuple(defaults) if defaults else None, cells)


def _names_in(code):
    """The global names and attributes that a function's code and the code inside it mention."""
    inner = (part for part in code.co_consts if isinstance(part, types.CodeType))
    return {*code.co_names, *(name for part in inner for name in _names_in(part))}
