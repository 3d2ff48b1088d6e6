"""Event files, read back by a parser of the record and message formats that shares no code with the writer."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from test_callbacks import FakeModel, play

from oneiros import callbacks as C
from oneiros.compat import generations
from oneiros.core import Variable
from oneiros.training.callbacks.event_file import crc32c


def fields(data):
    """Field numbers and raw values of a protocol-buffer message."""
    stream, result = io.BytesIO(data), []

    def varint():
        value = shift = 0
        while True:
            byte = stream.read(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while stream.tell() < len(data):
        key = varint()
        value = {0: varint, 1: lambda: stream.read(8), 5: lambda: stream.read(4), 2: lambda: stream.read(varint())}
        result.append((key >> 3, value[key & 7]()))
    return result


def read(path):
    """The events of a file: lists of (step, tag, number of the value's field, value)."""
    data, events, place = path.read_bytes(), [], 0
    while place < len(data):
        (length,) = struct.unpack_from("<Q", data, place)
        event = dict(fields(data[place + 12 : place + 12 + length]))
        place += length + 16
        if 5 in event:
            for _, value in fields(event[5]):
                content = dict(fields(value))
                tag = content.pop(1).decode()
                ((number, raw),) = content.items()
                events.append((event.get(2, 0), tag, number, struct.unpack("<f", raw)[0] if number == 2 else raw))
        elif 4 in event:
            events.append((0, "graph", 4, event[4]))
    return events


def scalars(folder):
    (path,) = Path(folder).glob("events.out.tfevents.*")
    return [(step, tag, value) for step, tag, number, value in read(path) if number == 2]


class Layer:
    def __init__(self, name, *weights):
        self.name, self.weights = name, list(weights)


@pytest.mark.parametrize("text, crc", [(b"", 0), (b"a", 0xC1D04330), (bytes(32), 0x8A9136AA)])
def test_crc32c_has_the_published_values(text, crc):  # RFC 3720, appendix B.4
    assert crc32c(text) == crc


def test_scalars_of_epochs_and_batches(tmp_path):
    logs = [{"loss": 2.0, "val_loss": 3.0}, {"loss": 1.0, "val_loss": 2.5}]
    play([C.TensorBoard(tmp_path, update_freq=2)], logs, batches=[{"loss": 8.0}, {"loss": 4.0}, {"loss": 2.0}])
    assert scalars(tmp_path / "train") == [
        (2, "batch_loss", 4.0),
        (0, "epoch_loss", 2.0),
        (4, "batch_loss", 8.0),
        (6, "batch_loss", 2.0),
        (1, "epoch_loss", 1.0),
    ]
    assert scalars(tmp_path / "validation") == [(0, "epoch_loss", 3.0), (1, "epoch_loss", 2.5)]


def test_classic_generations_have_one_folder(tmp_path):
    generations.select("2")
    try:
        play([C.TensorBoard(tmp_path)], [{"loss": 2.0, "val_loss": 3.0}])
    finally:
        generations.select("3")
    assert scalars(tmp_path) == [(0, "loss", 2.0), (0, "val_loss", 3.0)]


def test_histograms_images_and_graph(tmp_path):
    model = FakeModel()
    values = np.array([[-1.0, 0.0, 0.5], [1.0, 1.0, np.nan]])
    model.layers = [Layer("dense", Variable(values, name="kernel"))]
    play([C.TensorBoard(tmp_path, histogram_freq=1, write_images=True)], [{"loss": 1.0}], model)
    (path,) = (tmp_path / "train").glob("events*")
    events = {tag: (number, value) for _, tag, number, value in read(path)}
    number, raw = events["dense/kernel/histogram"]
    histogram = dict(fields(raw))
    low, high, count, total, squares = (struct.unpack("<d", histogram[i])[0] for i in range(1, 6))
    assert (number, low, high, count, total, squares) == (5, -1, 1, 5, 1.5, 3.25)
    counts = np.frombuffer(histogram[7])
    assert counts.sum() == 5 and counts[-1] == 2 and len(counts) == len(np.frombuffer(histogram[6]))
    number, raw = events["dense/kernel/image/0"]
    picture = dict(fields(raw))
    assert number == 4 and (picture[1], picture[2], picture[3]) == (2, 3, 1)
    assert picture[4].startswith(b"\x89PNG") and zlib.crc32(picture[4][12:29]) == int.from_bytes(picture[4][29:33])
    node = dict(fields(dict(fields(events["graph"][1]))[1]))
    assert (node[1], node[2]) == (b"dense", b"Layer")


def test_embeddings_for_the_projector(tmp_path):
    model = FakeModel()
    model.layers = [Layer("words", Variable(np.arange(6.0).reshape(3, 2)))]
    board = C.TensorBoard(
        tmp_path, embeddings_freq=1, embeddings_layer_names=["words"], embeddings_metadata="labels.tsv"
    )
    play([board], [{"loss": 1.0}], model)
    np.testing.assert_array_equal(np.loadtxt(tmp_path / "words.tsv"), [[0, 1], [2, 3], [4, 5]])
    config = (tmp_path / "projector_config.pbtxt").read_text()
    assert 'tensor_path: "words.tsv"' in config and 'metadata_path: "labels.tsv"' in config


def test_the_file_is_closed_after_an_exception(tmp_path):
    board = C.TensorBoard(tmp_path)
    board.set_model(FakeModel())
    board.on_train_begin()
    file = board._file("train")._file
    board.on_exception(KeyError())
    assert file.closed
