"""The callback that writes what TensorBoard shows."""

import io
import time
import typing
import warnings
from pathlib import Path

import numpy as np

from ...core import behaviour
from ...core.fields import field
from .base import Callback
from .event_file import EventFile, histogram, image, scalar


class TensorBoard(Callback):
    """Writes logs for TensorBoard (``tensorboard --logdir logs``).

    Keras 1 and 2 programs get one folder with `loss`, `val_loss`, ...; others `train` and `validation` with
    `epoch_loss`, ...

    Raises:
        ValueError: if `profile_batch` is no range of batches.

    >>> TensorBoard("logs", update_freq="batch").update_freq
    1
    """

    log_dir: str = field(default="logs", doc="The folder.")
    histogram_freq: int = field(default=0, doc="Every how many epochs histograms of the weights are written. 0: never.")
    write_graph: bool = field(default=True, doc="Whether the model's layers are written.")
    write_images: bool = field(default=False, doc="Whether weights are written as images too.")
    write_steps_per_second: bool = field(default=False, doc="Whether the speed is written.")
    update_freq: int | str = field(
        default="epoch",
        doc="``'batch'``, ``'epoch'``, or a number of batches after which losses and metrics are written.",
    )
    profile_batch: typing.Any = field(
        default=0, doc="A batch, or the first and last batch, in which JAX's profiler runs."
    )
    embeddings_freq: int = field(
        default=0, doc="Every how many epochs the weights of Embedding layers are written for the projector."
    )
    embeddings_metadata: typing.Any = field(
        default=None, doc="A file with the labels of embeddings, or a dictionary from layer to file."
    )
    batch_size: int | None = field(default=None, doc="Accepted.")
    write_grads: bool = field(default=False, doc="Not supported.")
    embeddings_layer_names: typing.Any = field(default=None, doc="The layers whose weights are written for it.")
    embeddings_data: typing.Any = field(default=None, doc="Accepted.")
    state_names = ("_step", "_epoch_start_step", "_batch")

    def __post_init__(self):
        if self.write_grads:
            warnings.warn("TensorBoard: write_grads is not supported: no histograms of gradients are written.")
        self.log_dir = Path(self.log_dir)
        self.update_freq = 1 if self.update_freq == "batch" else self.update_freq
        self.profile_batch = _batch_range(self.profile_batch)
        self._files = {}
        self._step = self._epoch_start_step = self._batch = 0
        self._epoch_start_time = time.time()
        self._in_fit = self._profiling = False

    def wants_batches(self, mode: str) -> bool:
        return mode == "train" and (self.update_freq != "epoch" or self.profile_batch is not None)

    _classic = property(lambda self: behaviour.tensorboard_one_folder)

    def _file(self, part):
        folder = self.log_dir if self._classic else self.log_dir / part
        if folder not in self._files:
            self._files[folder] = EventFile(folder)
        return self._files[folder]

    def on_train_begin(self, logs: dict | None = None) -> None:
        if self.histogram_freq and behaviour.histograms_need_validation and not self.validation_data:
            raise ValueError(
                "TensorBoard: for histograms, validation_data must be provided to fit, and it must not be a generator. "
                f"Received: histogram_freq={self.histogram_freq}"
            )
        self._in_fit = True
        self._step = 0
        if self.write_graph:
            self._file("train").add_graph(_nodes(self.model))
            self._file("train").flush()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._epoch_start_step, self._epoch_start_time = self._step, time.time()
        self._batch = 0

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        if self.profile_batch and self._step + 1 == self.profile_batch[0]:
            import jax

            jax.profiler.start_trace(str(self.log_dir))
            self._profiling = True

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self._step += batch + 1 - self._batch  # the loop may report many steps at once
        self._batch = batch + 1
        if self._profiling and self._step >= self.profile_batch[1]:
            self._stop_profiling()
        if self.update_freq != "epoch" and self._step % self.update_freq == 0:
            self._write(
                "train",
                {
                    name if self._classic else f"batch_{name}": value
                    for name, value in _values(logs).items()
                    if name not in ("batch", "size", "num_steps")
                },
                self._step,
            )

    def on_test_end(self, logs: dict | None = None) -> None:
        if self._classic or not logs:
            return
        names = {f"evaluation_{name}_vs_iterations": value for name, value in _values(logs).items()}
        self._write("validation", names, self._step)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        logs = _values(logs)
        if self._classic:
            self._write("train", logs, epoch)
        else:
            validation = {name: value for name, value in logs.items() if name.startswith("val_")}
            training = {f"epoch_{name}": value for name, value in logs.items() if name not in validation}
            if self.write_steps_per_second:
                seconds = max(time.time() - self._epoch_start_time, 1e-9)
                training["epoch_steps_per_second"] = (self._step - self._epoch_start_step) / seconds
            self._write("train", training, epoch)
            self._write("validation", {f"epoch_{name[4:]}": value for name, value in validation.items()}, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._write_embeddings(epoch)

    def on_train_end(self, logs: dict | None = None) -> None:
        self._in_fit = False
        self._stop_profiling()
        for file in self._files.values():
            file.close()
        self._files = {}

    def on_exception(self, error: BaseException) -> None:
        self.on_train_end()

    def _stop_profiling(self):
        if self._profiling:
            import jax

            jax.profiler.stop_trace()
            self._profiling = False

    def _write(self, part, values, step):
        if values:
            file = self._file(part)
            for name, value in values.items():
                file.add(name, scalar(value), step)
            file.flush()

    def _write_weights(self, step):
        file = self._file("train")
        for layer in self.model.layers:
            for weight in layer.weights:
                tag = (weight.name if "/" in weight.name else f"{layer.name}/{weight.name}").replace(":", "_")
                value = np.asarray(weight.raw)
                file.add(f"{tag}/histogram" if not self._classic else tag, histogram(value), step)
                if self.write_images:
                    for i, picture in enumerate(_pictures(value)):
                        file.add(f"{tag}/image/{i}", _image(picture), step)
        file.flush()

    def _write_embeddings(self, step):
        names = self.embeddings_layer_names
        layers = [
            layer
            for layer in self.model.layers
            if (layer.name in names if names else type(layer).__name__ == "Embedding")
        ]
        lines = []
        for layer in layers:
            table = f"{layer.name}.tsv"
            self.log_dir.mkdir(parents=True, exist_ok=True)
            np.savetxt(self.log_dir / table, np.asarray(layer.weights[0].raw, np.float64), "%.7g", delimiter="\t")
            metadata = self.embeddings_metadata
            metadata = metadata.get(layer.name) if isinstance(metadata, dict) else metadata
            extra = f'  metadata_path: "{metadata}"\n' if metadata else ""
            lines.append(f'embeddings {{\n  tensor_name: "{layer.name}"\n  tensor_path: "{table}"\n{extra}}}\n')
        (self.log_dir / "projector_config.pbtxt").write_text("".join(lines))


def _batch_range(batches):
    if not batches:
        return None
    if isinstance(batches, str):
        batches = [int(b) for b in batches.split(",")]
    first, last = (batches, batches) if isinstance(batches, int) else (batches[0], batches[-1])
    if not 0 < first <= last:
        raise ValueError(f"profile_batch: expected a batch, or the first and last batch. Received: {batches!r}")
    return first, last


def _values(logs):
    return {name: float(value) for name, value in (logs or {}).items() if np.ndim(value) == 0}


def _nodes(model):
    """The layers as nodes of a graph; where the model has no graph, as a list."""
    known = {layer.name for layer in model.layers}
    for layer in model.layers:
        sources = dict.fromkeys(
            source.name
            for node in getattr(layer, "inbound_nodes", ())
            for source in node.inbound_layers
            if getattr(source, "name", None) in known
        )
        yield layer.name, type(layer).__name__, list(sources)


def _pictures(value):
    """A weight as gray pictures, height by width: kernels of convolutions one by one, the first axis wide."""
    value = np.squeeze(value)
    if value.ndim == 1:
        return [value[None, :]]
    if value.ndim == 2:
        return [value.T if value.shape[0] > value.shape[1] else value]
    if value.ndim == 3:
        return list(np.moveaxis(value, -1, 0)[:8])
    if value.ndim == 4:
        return list(value.reshape(*value.shape[:2], -1).transpose(2, 0, 1)[:8])
    return []


def _image(picture):
    from PIL import Image

    low, high = np.nanmin(picture), np.nanmax(picture)
    gray = np.nan_to_num((picture - low) / (high - low or 1) * 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(gray).save(buffer, "PNG")
    return image(buffer.getvalue(), *gray.shape, 1)
