"""Modules of PyTorch as layers."""

import base64
import copy
import importlib
import io
import threading
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ...core import safety
from ...core.errors import UnsafeModelError
from ...core.random import SeedGenerator
from ...core.structure import leaves, map_structure, pack
from ..base import Layer
from .host_function import host_function

_LOCK = threading.Lock()  # modules know of one mode, training or not, at a time


def _torch():
    try:
        return importlib.import_module("torch")
    except ImportError:
        raise ImportError(
            "TorchModuleWrapper needs PyTorch, which is not installed: pip install torch. The rest of the model runs "
            "without it."
        ) from None


class TorchModuleWrapper(Layer):
    """Makes a layer of a module of PyTorch, whose parameters become its weights.

    The module is computed by PyTorch, on the host's processor, forward and backward; compiled code calls it and waits.
    Its parameters are trained by this library. Its buffers, such as the averages of a normalization, are weights too
    that are not trained, and change in training. After training, `sync_module` brings the values into the module.

    Files hold the module as PyTorch pickles it. To read that is to run code: only
    ``load_model(..., safe_mode=False)`` does it.

    Shapes: those of the module, which takes one or several arrays.

    Args:
        module: a `torch.nn.Module`.
        name: the layer's name.
        output_shape: the shape of the outputs with the batch axis, where running the module should not tell it.
        **kwargs: arguments of `Layer`.

    Raises:
        ImportError: if PyTorch is not installed.

    >>> import torch  # doctest: +SKIP
    >>> TorchModuleWrapper(torch.nn.Linear(3, 2))(np.ones((5, 3))).shape  # doctest: +SKIP
    (5, 2)
    """

    def __init__(self, module: Any, name: str | None = None, output_shape: Any = None, **kwargs):
        torch = _torch()
        super().__init__(name=name, **kwargs)
        if not isinstance(module, torch.nn.Module):
            raise TypeError(f"TorchModuleWrapper: expected a torch.nn.Module. Received: module={module!r}")
        self.module = module.cpu()
        self._given_shape = None if output_shape is None else tuple(output_shape)
        self.seed_generator = SeedGenerator()
        self._names, self._variables = [], []
        for trained, named in ((True, module.named_parameters()), (False, module.named_buffers())):
            for path, tensor in named:
                self._names.append(path)
                self._variables.append(self._weight(path, tensor.detach().numpy(), trained and tensor.requires_grad))

    def _weight(self, path, value, trainable):
        def initial(shape, dtype=None):
            return jnp.asarray(value)

        name = path.replace(".", "_")
        dtype = str(jnp.asarray(value).dtype)
        return self.add_weight(name=name, shape=value.shape, dtype=dtype, initializer=initial, trainable=trainable)

    def parameters(self, recurse: bool = True) -> list:
        """The module's parameters, as PyTorch gives them."""
        return list(self.module.parameters(recurse))

    def sync_module(self) -> Any:
        """Writes the values of the weights into the module.

        Returns:
            The module.
        """
        torch = _torch()
        own = dict(self.module.named_parameters()) | dict(self.module.named_buffers())
        with torch.no_grad():
            for path, variable in zip(self._names, self._variables):
                own[path].copy_(torch.from_numpy(np.array(variable.raw)))
        return self.module

    # --- calls

    def call(self, *args: Any, training: bool = False, **kwargs: Any) -> Any:
        args = map_structure(self._in_its_type, args)
        seed = self.seed_generator.next() if training else jnp.zeros(2, "uint32")
        buffers = len([name for name, _ in self.module.named_buffers()])
        inputs = leaves(args)
        specs, form = self._outputs(args, bool(training), kwargs)
        run = _Runs(self.module, self._names, buffers, args, kwargs, bool(training))
        values = [*(v.raw for v in self._variables[: len(self._names) - buffers]), *map(jnp.asarray, inputs)]
        constants = [*(v.raw for v in self._variables[len(self._names) - buffers :]), seed]
        states = [jax.ShapeDtypeStruct(v.shape, v.dtype) for v in self._variables[len(self._names) - buffers :]]
        found = host_function(run.forward, run.backward, [*specs, *states])(values, constants)
        if training:
            for variable, value in zip(self._variables[len(self._names) - buffers :], found[len(specs) :]):
                variable.assign(value)
        return map_structure(self._in_compute_type, pack(form, found[: len(specs)]))

    def _in_its_type(self, x):
        """Floats in the type of the parameters: PyTorch does not mix types."""
        types = [v.dtype for v in self._variables if jnp.issubdtype(v.dtype, jnp.floating)]
        x = jnp.asarray(x)
        return x.astype(types[0]) if types and jnp.issubdtype(x.dtype, jnp.floating) else x

    def _in_compute_type(self, x):
        return x.astype(self.compute_dtype) if jnp.issubdtype(x.dtype, jnp.floating) else x

    def _outputs(self, args, training, kwargs):
        """The shapes and types of the outputs, and their structure, from a run on tensors without values."""
        torch = _torch()
        if self._given_shape is not None:
            batch = leaves(args)[0].shape[0]
            shape = tuple(batch if d is None else d for d in self._given_shape)
            return [jax.ShapeDtypeStruct(shape, self.compute_dtype)], 0
        kinds = {"meta": lambda x: torch.empty(x.shape, dtype=_type_in_torch(torch, x), device="meta")}
        kinds["cpu"] = lambda x: torch.zeros(x.shape, dtype=_type_in_torch(torch, x))
        for device, made in kinds.items():
            try:
                module = copy.deepcopy(self.module).to(device).train(training)
                with torch.no_grad():
                    outputs = module(*map_structure(made, args), **kwargs)
                break
            except (NotImplementedError, RuntimeError):  # not all modules run without values
                if device == "cpu":
                    raise
        flat = leaves(outputs)
        specs = [jax.ShapeDtypeStruct(tuple(x.shape), _type_in_jax(x)) for x in flat]
        numbers = iter(range(len(flat)))
        return specs, map_structure(lambda _: next(numbers), outputs)

    # --- files

    def get_config(self) -> dict:
        buffer = io.BytesIO()
        _torch().save(self.sync_module(), buffer)
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": self.dtype_policy.name,
            "module": base64.b64encode(buffer.getvalue()).decode("ascii"),
            "output_shape": None if self._given_shape is None else list(self._given_shape),
        }

    @classmethod
    def from_config(cls, config: dict, safe_mode: bool | None = None) -> "TorchModuleWrapper":
        """A new layer from what `get_config` returned.

        Args:
            config: the configuration.
            safe_mode: `False` allows the pickled module to be read.

        Raises:
            UnsafeModelError: if nobody allowed that.
        """
        config = dict(config)
        module = config.get("module")
        if module is None or isinstance(module, str):
            with safety.loading(safe_mode):
                if safety.in_safe_mode():
                    raise UnsafeModelError(
                        "TorchModuleWrapper: reading its module with `torch.load()` can run any code (arbitrary code "
                        f"execution). It is not read. If you trust its source, allow it: {safety.CONSENT}."
                    )
            stream = io.BytesIO(base64.b64decode(module or ""))
            config["module"] = _torch().load(stream, weights_only=False)
        return cls(**config)


class _Runs:
    """One call of a module: what the callbacks compute."""

    def __init__(self, module, names, buffers, args, kwargs, training):
        self.module, self.kwargs, self.training = module, kwargs, training
        self.parameters, self.buffers = names[: len(names) - buffers], names[len(names) - buffers :]
        numbers = iter(range(len(leaves(args))))
        self.form = map_structure(lambda _: next(numbers), args)

    def _run(self, torch, values, constants):
        """The outputs, the tensors of the values, and those of the buffers."""
        *states, seed = constants
        tensors = [torch.from_numpy(np.array(x)) for x in values]
        for tensor in tensors:
            tensor.requires_grad_(tensor.is_floating_point())
        own = dict(zip(self.parameters, tensors))
        buffers = {name: torch.from_numpy(np.array(x)) for name, x in zip(self.buffers, states)}
        types = {name: tensor.dtype for name, tensor in self.module.named_buffers()}
        buffers = {name: tensor.to(types[name]) for name, tensor in buffers.items()}
        args = pack(self.form, tensors[len(self.parameters) :])
        with _LOCK, torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(seed[0]) << 16 ^ int(seed[1]))  # the same backward: dropout drops the same
            self.module.train(self.training)
            outputs = torch.func.functional_call(self.module, own | buffers, args, self.kwargs)
        return leaves(outputs), tensors, list(buffers.values())

    def forward(self, values, constants):
        torch = _torch()
        with torch.no_grad():
            outputs, _, buffers = self._run(torch, values, constants)
        return [x.detach().numpy() for x in (*outputs, *buffers)]

    def backward(self, values, constants, cotangents):
        torch = _torch()
        with torch.enable_grad():
            outputs, tensors, _ = self._run(torch, values, constants)
        pairs = [(x, c) for x, c in zip(outputs, cotangents) if x.requires_grad]
        wanted = [x for x in tensors if x.requires_grad]
        found = iter([None] * len(wanted))
        if pairs and wanted:
            given = [torch.from_numpy(np.array(c)).to(x.dtype) for x, c in pairs]
            found = iter(torch.autograd.grad([x for x, _ in pairs], wanted, given, allow_unused=True))
        gradients = [next(found) if x.requires_grad else None for x in tensors]
        return [np.zeros(x.shape) if g is None else g.numpy() for g, x in zip(gradients, tensors)]


def _type_in_torch(torch, x):
    return getattr(torch, str(x.dtype).replace("bool_", "bool"))


def _type_in_jax(tensor):
    name = str(tensor.dtype).removeprefix("torch.")
    return jnp.zeros((), name).dtype  # without 64 bits, where JAX has none
