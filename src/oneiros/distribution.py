"""What lies on which device: `keras.distribution`, on JAX's meshes and shardings.

Layouts, meshes and maps are complete, and tensors can be spread over devices. Models train on one device only: a
distribution over several is refused when it is set.
"""

import contextlib
import os
import re
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any

import jax
import numpy as np

from .core.config import settings
from .core.structure import map_structure


def list_devices(device_type: str | None = None) -> list[str]:
    """The devices of all processes, such as ``["cpu:0"]``.

    Args:
        device_type: ``"cpu"``, ``"gpu"`` or ``"tpu"``; by default those that JAX uses.

    >>> list_devices("cpu")[0]
    'cpu:0'
    """
    kind = None if device_type is None else device_type.lower()
    return [f"{device.platform}:{device.id}" for device in jax.devices(kind)]


def get_device_count(device_type: str | None = None) -> int:
    """The number of devices. device_type: as for `list_devices`."""
    return len(list_devices(device_type))


def initialize(
    job_addresses: str | None = None, num_processes: int | None = None, process_id: int | None = None
) -> None:
    """Joins this process with others, by `jax.distributed.initialize`.

    Args:
        job_addresses: the addresses ``host:port`` of the processes, with commas in between; that of the first is
            enough. By default the variable ``KERAS_DISTRIBUTION_JOB_ADDRESSES`` of the environment.
        num_processes: how many there are, by default ``KERAS_DISTRIBUTION_NUM_PROCESSES``.
        process_id: the number of this one, by default ``KERAS_DISTRIBUTION_PROCESS_ID``.
    """

    def given(value, name):
        return os.environ.get(f"KERAS_DISTRIBUTION_{name}") if value is None else value

    addresses = given(job_addresses, "JOB_ADDRESSES")
    count, number = given(num_processes, "NUM_PROCESSES"), given(process_id, "PROCESS_ID")
    jax.distributed.initialize(
        coordinator_address=addresses and addresses.split(",")[0],
        num_processes=None if count is None else int(count),
        process_id=None if number is None else int(number),
    )


class DeviceMesh:
    """Devices in rows and columns, along axes with names.

    Args:
        shape: the number of devices along each axis.
        axis_names: the names of the axes.
        devices: names of devices, as `list_devices` gives them; by default all of those.

    Raises:
        ValueError: if shape, names and devices do not fit together.

    >>> mesh = DeviceMesh((1, 1), ["batch", "model"], ["cpu:0"])
    >>> mesh.devices.tolist()
    [['cpu:0']]
    """

    def __init__(self, shape: Sequence[int], axis_names: Sequence[str], devices: Sequence[str] | None = None):
        if not shape or not axis_names or len(shape) != len(axis_names):
            raise ValueError(
                f"DeviceMesh: expected a name for each axis. Received: shape={shape!r}, axis_names={axis_names!r}"
            )
        devices = list_devices() if devices is None else devices
        flat = np.asarray(devices).reshape(-1)
        if np.prod(shape) != len(flat):
            raise ValueError(
                f"DeviceMesh: expected {np.prod(shape)} devices for the shape {shape}. Received: {len(flat)}"
            )
        self.shape, self.axis_names = shape, axis_names
        self.devices = flat.reshape(shape)

    @property
    def backend_mesh(self) -> jax.sharding.Mesh:
        """JAX's mesh of these devices."""
        known = {f"{device.platform}:{device.id}": device for device in jax.devices()}
        devices = [known[str(name)] for name in self.devices.reshape(-1)]
        return jax.sharding.Mesh(np.array(devices).reshape(self.devices.shape), tuple(self.axis_names))

    def __repr__(self):
        return f"<DeviceMesh shape={self.shape}, axis_names={self.axis_names}>"


class TensorLayout:
    """Along which axis of a mesh each axis of a tensor is cut.

    Args:
        axes: for each axis of the tensor the name of an axis of the mesh; `None` where it is not cut.
        device_mesh: the mesh. It may be set later.

    Raises:
        ValueError: if the mesh has no axis of such a name.

    >>> TensorLayout([None, "model"], DeviceMesh((1,), ["model"], ["cpu:0"])).backend_layout.spec
    P(None, 'model')
    """

    def __init__(self, axes: Sequence[str | None], device_mesh: DeviceMesh | None = None):
        self._axes, self._device_mesh = tuple(axes), device_mesh
        self._check()

    def _check(self):
        if self._device_mesh is not None and not set(self._axes) - {None} <= set(self._device_mesh.axis_names):
            raise ValueError(
                f"TensorLayout: expected axes of the mesh, {list(self._device_mesh.axis_names)}. Received: {self._axes}"
            )

    axes = property(lambda self: self._axes, doc="The names of the axes.")

    @property
    def device_mesh(self) -> DeviceMesh | None:
        """The mesh; it can be set once."""
        return self._device_mesh

    @device_mesh.setter
    def device_mesh(self, mesh: DeviceMesh) -> None:
        if self._device_mesh is not None:
            raise ValueError(f"TensorLayout: the mesh is set already: {self._device_mesh}.")
        self._device_mesh = mesh
        self._check()

    @property
    def backend_layout(self) -> jax.sharding.NamedSharding:
        """JAX's sharding of this layout."""
        if self._device_mesh is None:
            raise ValueError("TensorLayout: set device_mesh first.")
        return jax.sharding.NamedSharding(self._device_mesh.backend_mesh, jax.sharding.PartitionSpec(*self._axes))

    def __repr__(self):
        return f"<TensorLayout axes={self._axes}, device_mesh={self._device_mesh}>"


class LayoutMap(MutableMapping):
    """Layouts by the paths of variables. Keys are paths, or regular expressions that are searched for in paths.

    Args:
        device_mesh: the mesh of layouts that have none.

    >>> layouts = LayoutMap(DeviceMesh((1,), ["model"], ["cpu:0"]))
    >>> layouts["dense.*kernel"] = (None, "model")
    >>> layouts["dense_1/kernel"].axes, layouts["dense_1/bias"]
    ((None, 'model'), None)
    """

    def __init__(self, device_mesh: DeviceMesh | None = None):
        self._layouts, self.device_mesh = {}, device_mesh

    def __getitem__(self, key: str) -> TensorLayout | None:
        if key in self._layouts:
            return self._layouts[key]
        found = [pattern for pattern in self._layouts if re.search(pattern, key)]
        if len(found) > 1:
            raise ValueError(f"LayoutMap: path {key!r} fits more than one key: {found}. Make the keys more special.")
        return self._layouts[found[0]] if found else None

    def __setitem__(self, key: str, layout: Any) -> None:
        if key in self._layouts:
            raise ValueError(f"LayoutMap: {key!r} is there already, with {self._layouts[key]}. Delete it first.")
        layout = TensorLayout(layout) if isinstance(layout, (list, tuple)) else layout
        if not isinstance(layout, TensorLayout):
            raise ValueError(f"LayoutMap: expected a TensorLayout or a tuple of axes. Received: {layout!r}")
        if layout.device_mesh is None and self.device_mesh is not None:
            layout.device_mesh = self.device_mesh
        self._layouts[key] = layout

    def __delitem__(self, key: str) -> None:
        del self._layouts[key]

    def __len__(self) -> int:
        return len(self._layouts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._layouts)


class Distribution:
    """How data and variables lie on a mesh; the base of `DataParallel` and `ModelParallel`.

    Args:
        device_mesh: the mesh.
        batch_dim_name: the axis of the mesh along which batches are cut.
        auto_shard_dataset: whether each process takes its share of the data.
    """

    def __init__(self, device_mesh: DeviceMesh, batch_dim_name: str | None = None, auto_shard_dataset: bool = True):
        self.device_mesh, self.auto_shard_dataset = device_mesh, auto_shard_dataset
        self.batch_dim_name = batch_dim_name or device_mesh.axis_names[0]

    num_processes = property(lambda self: jax.process_count(), doc="How many processes take part.")

    @property
    def num_model_replicas(self) -> int:
        """How many parts a batch is cut into."""
        return self.device_mesh.shape[list(self.device_mesh.axis_names).index(self.batch_dim_name)]

    @property
    def data_shard_id(self) -> int:
        """Which share of the data is that of this process."""
        return jax.process_index() * self.num_model_replicas // self.num_processes

    def get_data_layout(self, data_shape: Sequence) -> TensorLayout:
        """The layout of a batch of data: cut along its first axis."""
        return TensorLayout([self.batch_dim_name, *[None] * (len(data_shape) - 1)], self.device_mesh)

    def get_variable_layout(self, variable: Any) -> TensorLayout:
        """The layout of a variable: the whole of it on each device."""
        return TensorLayout([None] * len(variable.shape), self.device_mesh)

    def get_tensor_layout(self, path: str) -> TensorLayout | None:
        """The layout of an output of a layer; `None` where it is left to JAX."""
        return None

    def distribute_dataset(self, dataset: Any) -> Any:
        """The share of a data set that is that of this process; the whole of it for one process."""
        if self.num_processes > 1:
            raise NotImplementedError("distribution: data for several processes must be cut by the program.")
        return dataset

    distribute_tf_dataset = distribute_dataset

    @contextlib.contextmanager
    def scope(self) -> Iterator:
        """A context in which this is the distribution."""
        before = distribution()
        set_distribution(self)
        try:
            yield self
        finally:
            settings.distribution = before


class DataParallel(Distribution):
    """The same model on each device, which takes its part of each batch.

    Args:
        device_mesh: a mesh; only its first axis is used.
        devices: names of devices to use instead.
        auto_shard_dataset: as for all.

    >>> DataParallel(devices=["cpu:0"]).get_data_layout((32, 3)).axes
    ('batch', None)
    """

    def __init__(self, device_mesh: DeviceMesh | None = None, devices: Any = None, auto_shard_dataset: bool = True):
        if device_mesh is None:
            devices = np.asarray(list_devices() if devices is None else devices).reshape(-1)
            device_mesh = DeviceMesh((len(devices),), ["batch"], devices)
        super().__init__(device_mesh, None, auto_shard_dataset)


class ModelParallel(Distribution):
    """Variables that are cut over devices, as a map says.

    Args:
        layout_map: the layouts of variables by their paths. Others are whole on each device.
        batch_dim_name: the axis of the mesh for batches, by default the first.
        auto_shard_dataset: as for all.
        **kwargs: accepted for Keras 3.

    Raises:
        ValueError: if there is no map, or it has no mesh.

    >>> layouts = LayoutMap(DeviceMesh((1, 1), ["batch", "model"], ["cpu:0"]))
    >>> ModelParallel(layout_map=layouts).batch_dim_name
    'batch'
    """

    def __init__(
        self,
        *,
        layout_map: LayoutMap | None = None,
        batch_dim_name: str | None = None,
        auto_shard_dataset: bool = True,
        **kwargs,
    ):
        if not isinstance(layout_map, LayoutMap) or layout_map.device_mesh is None:
            raise ValueError(f"ModelParallel: expected a LayoutMap with a mesh. Received: layout_map={layout_map!r}")
        super().__init__(layout_map.device_mesh, batch_dim_name, auto_shard_dataset)
        self._layout_map = layout_map

    def get_variable_layout(self, variable: Any) -> TensorLayout:
        """The layout that the map has for the variable's path, or the whole of it on each device."""
        return self._layout_map[variable.path] or super().get_variable_layout(variable)

    def get_tensor_layout(self, path: str) -> TensorLayout | None:
        """The layout that the map has for a path."""
        return self._layout_map[path]


def distribute_tensor(tensor: Any, layout: Any) -> Any:
    """Spreads a tensor over devices.

    Args:
        tensor: an array, or a structure of arrays.
        layout: a `TensorLayout`, or a sharding of JAX.

    >>> import jax.numpy as jnp
    >>> layout = TensorLayout([None], DeviceMesh((1,), ["model"], ["cpu:0"]))
    >>> distribute_tensor(jnp.ones(3), layout).sharding.spec
    P(None,)
    """
    sharding = layout.backend_layout if isinstance(layout, TensorLayout) else layout

    def put(x):
        if isinstance(x, jax.core.Tracer):
            return jax.lax.with_sharding_constraint(x, sharding)
        return jax.device_put(x, sharding)

    return map_structure(put, tensor)


def distribution() -> Distribution | None:
    """The distribution that was set; `None` without one."""
    return settings.distribution


def set_distribution(value: Distribution | None) -> None:
    """Says how data and variables lie from now on.

    Args:
        value: the distribution; `None` ends it.

    Raises:
        NotImplementedError: if it is over several devices.
    """
    if value is not None and value.device_mesh.devices.size > 1:
        raise NotImplementedError(
            f"set_distribution: models train on one device. Received a mesh of {value.device_mesh.devices.size}. Use "
            "one device, or JAX's shardings in a loop of your own over stateless_call."
        )
    settings.distribution = value
