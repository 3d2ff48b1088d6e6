"""Configurations in the form of Keras 3, and its operations in graphs.

Keras 3 names the module of every class. A function in a graph, such as ``ops.mean(x, axis=1)``, is an object of a class
there: ``Mean(axis=1)``, called on ``x``.
"""

import inspect
from typing import Any

from ..core import kind
from ..core.registry import find_custom_object, get_registered_name

MODULES = {
    "activation": "keras.activations",
    "constraint": "keras.constraints",
    "distillation loss": "keras.distillation",
    "dtype policy": "keras.dtype_policies",
    "initializer": "keras.initializers",
    "layer": "keras.layers",
    "learning rate schedule": "keras.optimizers.schedules",
    "loss": "keras.losses",
    "metric": "keras.metrics",
    "optimizer": "keras.optimizers",
    "quantizer": "keras.quantizers",
    "regularizer": "keras.regularizers",
}
# Classes that are not in the module of their kind, or not public: their module, and the name that is written with it.
_ELSEWHERE = {
    "Functional": ("keras.src.models.functional", "Functional"),
    "Sequential": ("keras", None),
    "Model": ("keras", None),
    "DTypePolicy": ("keras", None),
    "LayerScale": ("keras.src.applications.convnext", "LayerScale"),
    "StochasticDepth": ("keras.src.applications.convnext", "StochasticDepth"),
    "FeatureSpace": ("keras.utils", None),
    "Distiller": ("keras.distillation", None),
    "TFDIdentity": ("keras.src.layers.preprocessing.feature_space", "TFDIdentity"),
}
# A part of an argument's name -> the kind of what it is given; others are given layers.
_KINDS_OF_ARGUMENTS = {
    "distillation_loss": "distillation loss",
    "quantiz": "quantizer",  # before "activation", which is a part of "activation_quantizer"
    **{part: part for part in ("initializer", "regularizer", "constraint", "activation")},
    "dtype": "dtype policy",
    "learning_rate": "learning rate schedule",
    "optimizer": "optimizer",
    "loss": "loss",
    "metric": "metric",
}
# Methods of symbols: the class of the operation, and its option.
_METHODS = {"_cast": ("Cast", "dtype"), "_reshape": ("Reshape", "newshape"), "_squeeze": ("Squeeze", "axis")}

# The modules of the classes of operations; all others are in keras.src.ops.numpy.
_FAMILIES = {
    "nn": "AdaptiveAveragePool AdaptiveMaxPool AveragePool BinaryCrossentropy CategoricalCrossentropy Celu Conv "
    "ConvTranspose CTCDecode CTCLoss DepthToSpace DepthwiseConv DotProductAttention Elu Fold Gelu Glu HardShrink "
    "HardSigmoid HardSilu HardTanh LeakyRelu LogSigmoid LogSoftmax MaxPool Moments MultiHot Normalize OneHot Polar "
    "PSNR Relu Relu6 Selu SeparableConv Sigmoid Silu SoftShrink Softmax Softplus Softsign SpaceToDepth "
    "SparseCategoricalCrossentropy SparsePlus SparseSigmoid Sparsemax Squareplus TanhShrink Threshold Unfold",
    "core": "Cast Scatter ScatterUpdate Slice SliceUpdate StopGradient Unstack",
    "math": "CDist Erf Erfc Erfinv ExtractSequences FFT FFT2 IFFT2 InTopK IRFFT ISTFT Logdet Logsumexp RFFT Rsqrt "
    "SegmentMax SegmentMin SegmentProd SegmentSum STFT TopK ViewAsComplex ViewAsReal",
    "linalg": "Cholesky CholeskyInverse Det Eig Eigh Inv Lstsq LuFactor MatrixRank Norm Pinv Qr Solve SVD "
    "SolveTriangular",
}
_MODULE_OF = {name: f"keras.src.ops.{family}" for family, names in _FAMILIES.items() for name in names.split()}
_CAPITALS = {name.lower(): name for name in [*_MODULE_OF, "AllClose", "IsIn", "SearchSorted"]}
_OPERATORS = {
    "add": "Add",
    "sub": "Subtract",
    "mul": "Multiply",
    "truediv": "TrueDivide",
    "floordiv": "FloorDivide",
    "mod": "Mod",
    "pow": "Power",
    "matmul": "Matmul",
    "and": "LogicalAnd",
    "or": "LogicalOr",
    "xor": "LogicalXor",
    "lt": "Less",
    "le": "LessEqual",
    "gt": "Greater",
    "ge": "GreaterEqual",
    "neg": "Negative",
    "abs": "Absolute",
    "invert": "LogicalNot",
    "getitem": "GetItem",
}


# --- writing


def origin(cls: type) -> dict:
    """The module and the registered name of a class, as Keras 3 writes them."""
    if cls.__module__.split(".")[0] == "oneiros":
        module, registered = _ELSEWHERE.get(
            cls.__name__, (MODULES.get(getattr(cls, "kind", None), cls.__module__), None)
        )
    else:
        registered = get_registered_name(cls)
        module = None if ">" in registered else cls.__module__
    return {"module": module, "registered_name": registered}


def written(entry: dict) -> dict:
    """The entry ``{"class_name", "config"}`` of a layer or model in the form of Keras 3.

    >>> written({"class_name": "Dense", "config": {"units": 3}})["module"]
    'keras.layers'
    """
    name, config = entry["class_name"], entry["config"]
    if name == "Operation":
        return _written_operation(entry)
    if isinstance(config, dict):
        shape = config.get("batch_input_shape")
        config = {key: value for key, value in config.items() if key != "batch_input_shape"}
        if name == "InputLayer":
            config["batch_shape"] = shape
        elif isinstance(config.get("dtype"), str):
            policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": config["dtype"]}}
            config["dtype"] = policy | {"registered_name": None}
        if name.startswith("SpatialDropout") or name == "Discretization":  # which do not take it there
            config.pop("trainable", None)
    if name in _ELSEWHERE:
        module, registered = _ELSEWHERE[name]
    else:
        module, registered = MODULES["layer"], None
        if name not in kind("layer").objects:
            module, registered, name = None, name, name.rpartition(">")[2]
    name = "GroupQueryAttention" if name == "GroupedQueryAttention" else name  # its public name
    return entry | {"module": module, "class_name": name, "config": with_modules(config), "registered_name": registered}


def with_modules(config: Any, key: str = "") -> Any:
    """A configuration in which all objects name their modules.

    Args:
        config: the configuration.
        key: the name of the argument that it is, which tells the kind of objects of ambiguous names.
    """
    if isinstance(config, (list, tuple)):
        return [with_modules(item, key) for item in config]
    if not isinstance(config, dict):
        return config
    name, inner = config.get("class_name"), config.get("config")
    told = config.get("module") is not None or config.get("registered_name") is not None
    if not isinstance(name, str) or not isinstance(inner, dict) or told:
        return {key: with_modules(value, key) for key, value in config.items()}
    hint = next((of for part, of in _KINDS_OF_ARGUMENTS.items() if part in key), "layer")
    if hint == "layer":
        return written(config)
    if name not in kind(hint).objects:
        return config
    return config | {"module": MODULES[hint], "config": with_modules(inner), "registered_name": None}


def _written_operation(entry):
    function = entry["config"]["function"]
    call, short = entry["inbound_nodes"][0], function.rpartition(".")[2]
    args, kwargs, options = list(call["args"]), dict(call["kwargs"]), {}
    if short in _METHODS and function.startswith("core.symbol."):
        name, option = _METHODS[short]
        options = {option: args.pop()}
    elif function.startswith("core.symbol."):
        if short not in _OPERATORS:  # the operand on the left is the number
            short, args = short[1:], args[::-1]
        name = _OPERATORS[short]
    else:
        name = short.replace("_", "")
        name = _CAPITALS.get(name, "".join(part.capitalize() for part in short.split("_")))
        args, options = _split(kind("operation").objects[function], args, kwargs)
        kwargs = {}
    return {
        "module": _MODULE_OF.get(name, "keras.src.ops.numpy"),
        "class_name": name,
        "config": {"name": entry["name"], **_with_lists(options)},
        "registered_name": name,
        "name": entry["name"],
        "inbound_nodes": [{"args": _with_lists(args), "kwargs": kwargs}],
    }


def _with_lists(value):
    """Lists in the place of tuples: operations of Keras 3 take them as well."""
    if isinstance(value, list):
        return [_with_lists(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "__tuple__":
        return _with_lists(value["config"])
    return {key: _with_lists(item) for key, item in value.items()}


def _split(function, args, kwargs):
    """The arguments of a call that are tensors, by position and by name, and the others by name."""
    bound = inspect.signature(function).bind(*args, **kwargs)
    tensors, named, options = [], {}, {}
    for name, value in bound.arguments.items():
        parameter = bound.signature.parameters[name]
        if parameter.kind is parameter.VAR_POSITIONAL:
            tensors.extend(value)
        elif parameter.kind is parameter.VAR_KEYWORD:
            options |= value
        elif "Any" in str(parameter.annotation) and name != "dtype":
            named[name] = value
        else:
            options[name] = value
    return [*named.values(), *tensors], options


# --- reading


def read_operation(entry: dict) -> dict:
    """An entry of a graph for one of Keras 3's operations, as an entry for a function; any other as it is."""
    name, config = entry.get("class_name"), entry.get("config")
    is_op = str(entry.get("module")).startswith(("keras.src.ops.", "keras.ops."))  # there is a layer `Add` as well
    if not isinstance(name, str) or not isinstance(config, dict) or name == "Operation":
        return entry
    if find_custom_object(name) is not None or (name in kind("layer").objects and not is_op):
        return entry
    path = "core.symbol.getitem" if name == "GetItem" else _path(name)
    if path is None:
        return entry
    options = {key: value for key, value in config.items() if key not in ("name", "trainable")}
    calls = [call for call in entry.get("inbound_nodes", ()) if isinstance(call, dict) and "args" in call]
    calls = [_joined(kind("operation").objects[path], call, options) for call in calls]
    return entry | {"class_name": "Operation", "config": {"function": path}, "inbound_nodes": calls}


def _path(name):
    wanted = name.lower()
    paths = (path for path in kind("operation").objects if path.startswith("ops."))
    return next((path for path in paths if path.rpartition(".")[2].replace("_", "") == wanted), None)


def _joined(function, call, options):
    """A call with the options of the operation's object among its arguments, each at its place."""
    parameters = inspect.signature(function).parameters
    args, kwargs, left = [], dict(call.get("kwargs") or {}), list(call["args"])
    options = {key: value for key, value in options.items() if key in parameters or _takes_any(parameters)}
    for name, parameter in parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            args, left = [*args, *left], []
        elif parameter.kind is parameter.POSITIONAL_OR_KEYWORD and name in options and left:
            args.append(options.pop(name))
        elif left:
            args.append(left.pop(0))
    if function.__name__ == "getitem" and isinstance(args[1], list):
        args[1] = {"class_name": "__tuple__", "config": args[1]}
    return {"args": [*args, *left], "kwargs": options | kwargs}


def _takes_any(parameters):
    return any(p.kind is p.VAR_KEYWORD for p in parameters.values())
