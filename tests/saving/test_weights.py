"""Weights in HDF5: round trips, older layouts, and files that are damaged or hostile."""

import json
import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest

import oneiros as keras
from oneiros.core.errors import CorruptFileError, InputDataError, LimitExceededError, UnsafeModelError
from oneiros.layers import GRU, LSTM, BatchNormalization, Conv1D, Conv2D, Dense, Input
from oneiros.saving import load_attributes_from_hdf5_group, preprocess_weights_for_loading
from oneiros.saving import save_attributes_to_hdf5_group as write_names

GOLDEN = Path(__file__).parent / "golden"


def small(seed=0, units=3):
    model = keras.Sequential(
        [Input((4,)), Dense(units, name="first"), BatchNormalization(name="norm"), Dense(2, name="last")]
    )
    random = np.random.RandomState(seed)
    model.set_weights([random.uniform(0.1, 1, w.shape) for w in model.get_weights()])
    return model


def assert_same(first, second):
    assert len(first) == len(second)
    for a, b in zip(first, second):
        np.testing.assert_array_equal(a, b)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "weights.h5"
    small().save_weights(path)
    return path


def refused(path, error, message, **options):
    """Loading fails with this error, and the model is as before."""
    model = small(1)
    before = model.get_weights()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(error, match=message) as caught:
            model.load_weights(path, **options)
    assert_same(model.get_weights(), before)
    return str(caught.value)


# --- round trips


def test_round_trip_and_layout(path):
    model = small(1)
    model.load_weights(str(path))
    assert_same(model.get_weights(), small().get_weights())
    with h5py.File(path) as file:
        assert [n.decode() for n in file.attrs["layer_names"]] == ["first", "norm", "last"]
        assert file["first"]["first"]["kernel:0"].shape == (4, 3)
        order = [n.decode() for n in file["norm"].attrs["weight_names"]]
        assert order == [f"norm/{n}:0" for n in ("gamma", "beta", "moving_mean", "moving_variance")]


def test_by_name_and_skip_mismatch(path):
    other = keras.Sequential([Input((4,)), Dense(3, name="new"), Dense(5, name="last"), Dense(3, name="first")])
    before = other.get_weights()
    message = refused_by_name(other, path)
    assert "last" in message and "(3, 2)" in message and "(3, 5)" in message
    assert_same(other.get_weights(), before)
    fits = keras.Sequential([Input((4,)), Dense(3, name="first"), Dense(7, name="new")])
    before = fits.get_weights()
    fits.load_weights(path, by_name=True)
    assert_same(fits.get_weights()[:2], small().get_weights()[:2])
    assert_same(fits.get_weights()[2:], before[2:])
    mismatched = small(1, units=3)
    mismatched.layers[2].name = "norm"  # whose weights have other shapes
    with pytest.warns(UserWarning, match="Skipping the weights of layer norm"):
        mismatched.load_weights(path, by_name=True, skip_mismatch=True)
    assert_same(mismatched.get_weights()[:2], small().get_weights()[:2])


def refused_by_name(model, path):
    with pytest.raises(CorruptFileError, match="shape") as caught:
        model.load_weights(path, by_name=True)
    return str(caught.value)


def test_reshape(tmp_path):
    saved = keras.Sequential([Input((4, 4, 2)), Conv2D(3, 1, name="c")])
    saved.save_weights(tmp_path / "c.h5")
    other = keras.Sequential([Input((4, 4, 1)), Conv2D(3, (1, 2), name="c")])
    with pytest.raises(CorruptFileError):
        other.load_weights(tmp_path / "c.h5")
    other.load_weights(tmp_path / "c.h5", reshape=True)
    np.testing.assert_array_equal(other.get_weights()[0].ravel(), saved.get_weights()[0].ravel())


def test_text_attributes_and_model_weights_group(path, tmp_path):
    changed = tmp_path / "text.h5"
    with h5py.File(path) as old, h5py.File(changed, "w") as new:
        group = new.create_group("model_weights")
        for name in old:
            old.copy(name, group)
            group[name].attrs["weight_names"] = [n.decode() for n in old[name].attrs["weight_names"]]
        group.attrs["layer_names"] = [n.decode() for n in old.attrs["layer_names"]]
    model = small(1)
    model.load_weights(changed)
    assert_same(model.get_weights(), small().get_weights())


def test_names_beyond_64_kilobytes(tmp_path):
    names = [f"layer_with_a_rather_long_name_{i:06d}" for i in range(6000)]
    with h5py.File(tmp_path / "x.h5", "w") as file:
        write_names(file, "layer_names", names)
        assert "layer_names0" in file.attrs and "layer_names" not in file.attrs
        assert load_attributes_from_hdf5_group(file, "layer_names") == names
        del file.attrs["layer_names1"]
        with pytest.raises(CorruptFileError, match="incomplete"):
            load_attributes_from_hdf5_group(file, "layer_names")
        with pytest.raises(LimitExceededError, match="shorter name"):
            write_names(file, "weight_names", ["x" * 70_000])


def test_bfloat16_is_stored_as_float32(tmp_path):
    model = keras.Sequential([Input((4,)), Dense(3, dtype="bfloat16")])
    model.save_weights(tmp_path / "b.h5")
    with h5py.File(tmp_path / "b.h5") as file:
        assert file["dense/dense/kernel:0"].dtype == "f4" if "dense" in file else True
    values = model.get_weights()
    model.set_weights([0 * w for w in values])
    model.load_weights(tmp_path / "b.h5")
    assert_same(model.get_weights(), values)


# --- what cannot be loaded


def test_other_architectures_get_a_table(tmp_path):
    small(units=5).save_weights(tmp_path / "five.h5")
    message = refused(tmp_path / "five.h5", CorruptFileError, "shape")
    lines = [line.split("  ") for line in message.splitlines()]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert ["layer", "stored", "expected"] in cells
    assert ["first", "[(4, 5), (5,)]", "[(4, 3), (3,)]"] in cells
    keras.Sequential([Input((4,)), Dense(3)]).save_weights(tmp_path / "one.h5")
    refused(tmp_path / "one.h5", CorruptFileError, "holds weights of 1 layers, the model has 3 layers")


def test_missing_and_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nope\.h5"):
        small().load_weights(tmp_path / "nope.h5")
    refused(tmp_path, ValueError, "found a folder")
    with pytest.raises(ValueError, match=r"files of weights end in \.weights\.h5"):
        small().save_weights(tmp_path / "model.keras")


@pytest.mark.parametrize(
    "option, error, message",
    [
        ({"save_format": "tf"}, InputDataError, "save_format='tf' is not supported"),
        ({"save_format": "keras"}, InputDataError, "is not supported"),
        ({"options": object()}, InputDataError, "options"),
        ({"overwrit": True}, TypeError, "argument 'overwrit'"),
    ],
)
def test_options_that_would_change_the_file_are_refused(tmp_path, option, error, message):
    model = small()
    for save in (model.save, model.save_weights):
        with pytest.raises(error, match=message):
            save(tmp_path / "file.h5", **option)
    assert not list(tmp_path.iterdir())


def test_options_without_effect_are_taken(tmp_path):
    model = small()
    with pytest.warns(UserWarning, match="deprecated"):
        model.save(tmp_path / "no_suffix", save_format="h5", save_traces=False, zipped=None)
    model.save_weights(tmp_path / "w.h5", save_format=None, options=None, max_shard_size=None)
    assert keras.models.load_model(tmp_path / "no_suffix", compile=False).count_params() == model.count_params()
    with pytest.raises(TypeError, match="by_names"):
        model.load_weights(tmp_path / "w.h5", by_names=True)


@pytest.mark.parametrize("part", [0, 0.1, 0.5, 0.9, 0.999])
def test_truncated_files(path, part):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    refused(path, CorruptFileError, "truncated")


def replace(path, make):
    with h5py.File(path, "r+") as file:
        group = file["first/first"]
        del group["kernel:0"]
        make(group)


def external_link(group):
    group["kernel:0"] = h5py.ExternalLink("/etc/passwd", "/x")


def soft_link(group):
    group["kernel:0"] = h5py.SoftLink("/last/last/kernel:0")


def virtual(group):
    layout = h5py.VirtualLayout((4, 3), "f4")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "x", (4, 3))
    group.create_virtual_dataset("kernel:0", layout)


def external_storage(group):
    group.create_dataset("kernel:0", (4, 3), "f4", external=[("/etc/hostname", 0, 48)])


@pytest.mark.parametrize(
    "make, message",
    [
        (external_link, "ExternalLink"),
        (soft_link, "SoftLink"),
        (virtual, "virtual dataset"),
        (external_storage, "external storage"),
    ],
)
def test_nothing_leads_out_of_the_file(path, make, message):
    replace(path, make)
    refused(path, UnsafeModelError, message)
    refused(path, UnsafeModelError, message, by_name=True)


def test_links_of_groups_are_refused(path):
    with h5py.File(path, "r+") as file:
        del file["first"]
        file["first"] = h5py.ExternalLink("other.h5", "/first")
    refused(path, UnsafeModelError, "ExternalLink")


def test_declared_sizes_are_compared_before_reading(path):
    def bomb(rows):
        def make(group):
            group.create_dataset("kernel:0", (rows, 1000, 1000), "f4", chunks=(1, 1000, 1000), compression="gzip")

        return make

    replace(path, bomb(750))  # 3 GB declared, nothing stored
    refused(path, CorruptFileError, "shape")
    replace(path, bomb(2000))  # 8 GB
    refused(path, LimitExceededError, "declares 8.0 GB")


@pytest.mark.parametrize("dtype", ["i1", "?", "c8", "S4"])
def test_types_that_are_no_floats(path, dtype):
    replace(path, lambda group: group.create_dataset("kernel:0", (4, 3), dtype))
    with h5py.File(path, "r+") as file:
        del file["first"].attrs["crc32"]
    refused(path, CorruptFileError, "dtype")


def test_missing_datasets_and_attributes(path):
    with h5py.File(path, "r+") as file:
        del file["last/last/bias:0"]
    refused(path, CorruptFileError, "listed but not there")
    with h5py.File(path, "r+") as file:
        del file.attrs["layer_names"]
    refused(path, CorruptFileError, "layer_names")


def test_values_that_are_not_finite_warn(tmp_path):
    model = small()
    weights = model.get_weights()
    weights[0][0, 0] = np.nan
    model.set_weights(weights)
    model.save_weights(tmp_path / "nan.h5")
    with pytest.warns(UserWarning, match="non-finite"):
        small().load_weights(tmp_path / "nan.h5")


def test_every_flipped_bit_in_the_weights_is_noticed(tmp_path):
    model = keras.Sequential([Input((40,)), Dense(50, name="d")])
    model.save_weights(tmp_path / "d.h5")
    data = (tmp_path / "d.h5").read_bytes()
    kernel = np.asarray(model.get_weights()[0]).tobytes()
    start = data.index(kernel)
    random = np.random.RandomState(0)
    for place in random.randint(start, start + len(kernel), 40):
        broken = bytearray(data)
        broken[place] ^= 1 << random.randint(8)
        (tmp_path / "broken.h5").write_bytes(broken)
        with pytest.raises(CorruptFileError, match="checksum"):
            model.load_weights(tmp_path / "broken.h5")


# --- older arrangements


def test_keras1_weights():
    model = keras.models.model_from_json((GOLDEN / "keras1_weights.json").read_text())
    model.load_weights(GOLDEN / "keras1_weights.h5")
    with np.load(GOLDEN / "keras1_weights.npz") as stored:
        np.testing.assert_allclose(model.predict(stored["x0"], verbose=0), stored["out0"], atol=1e-5)


def test_theano_kernels_are_flipped():
    layer = Conv2D(4, (3, 2))
    layer.build((None, 6, 6, 3))
    kernel, bias = np.random.RandomState(0).rand(3, 2, 3, 4), np.zeros(4)
    converted = preprocess_weights_for_loading(layer, [kernel, bias], "2.1.4", "theano")
    np.testing.assert_array_equal(converted[0], kernel[::-1, ::-1])
    converted = preprocess_weights_for_loading(layer, [kernel, bias], "2.1.4", "tensorflow")
    np.testing.assert_array_equal(converted[0], kernel)


def test_keras1_orders_of_channels_first():
    layer = Conv2D(4, (3, 2), data_format="channels_first")
    layer.build((None, 3, 6, 6))
    old = np.random.RandomState(0).rand(4, 3, 3, 2)  # filters, channels, rows, columns
    converted = preprocess_weights_for_loading(layer, [old, np.zeros(4)], "1")
    np.testing.assert_array_equal(converted[0], old.transpose(2, 3, 1, 0))
    layer = Conv1D(4, 3)
    layer.build((None, 6, 2))
    old = np.random.RandomState(0).rand(4, 2, 3, 1)  # Keras 1.0: filters, channels, length, 1
    converted = preprocess_weights_for_loading(layer, [old, np.zeros(4)], "1.0.0")
    np.testing.assert_array_equal(converted[0], old[..., 0].transpose(2, 1, 0))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_cudnn_lstm_computes_what_its_equations_say():
    random, units, width = np.random.RandomState(0), 3, 2
    # cuDNN keeps one matrix per gate, (units, inputs); Keras stores it as a (inputs, units) array of the same memory
    w = random.uniform(-1, 1, (4, units, width))
    r = random.uniform(-1, 1, (4, units, units))
    bias_w, bias_r = random.uniform(-1, 1, (4, units)), random.uniform(-1, 1, (4, units))
    kernel = np.hstack([gate.reshape(width, units) for gate in w])
    recurrent = np.hstack([gate.reshape(units, units) for gate in r])
    x = random.uniform(-1, 1, (1, 4, width))
    h = c = np.zeros(units)
    for step in x[0]:
        i, f, g, o = (w[k] @ step + r[k] @ h + bias_w[k] + bias_r[k] for k in range(4))
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    layer = LSTM(units, recurrent_activation="sigmoid")
    layer.build((None, 4, width))
    stored = [kernel, recurrent, np.concatenate([bias_w.ravel(), bias_r.ravel()])]
    layer.set_weights(preprocess_weights_for_loading(layer, stored, "2.1.4", "tensorflow"))
    np.testing.assert_allclose(layer(x.astype("float32"))[0], h, atol=1e-6)


def test_cudnn_gru_needs_reset_after():
    stored = [np.zeros((2, 9)), np.zeros((3, 9)), np.arange(18.0)]
    layer = GRU(3, reset_after=True)
    layer.build((None, 4, 2))
    assert preprocess_weights_for_loading(layer, stored)[2].shape == (2, 9)
    layer = GRU(3, reset_after=False)
    layer.build((None, 4, 2))
    with pytest.raises(CorruptFileError, match="reset_after=True"):
        preprocess_weights_for_loading(layer, stored)


def test_nested_models_of_keras1(tmp_path):
    inner = keras.Sequential([Input((5, 2)), LSTM(3, name="lstm"), BatchNormalization(name="bn"), Dense(1, name="d")])
    model = keras.Sequential([Input((5, 2)), inner])
    random = np.random.RandomState(0)
    shapes = [(2, 3), (3, 3), (3,)] * 4 + [(3,), (3,), (3, 1), (1,), (3,), (3,)]
    stored = [random.rand(*s).astype("float32") for s in shapes]
    with h5py.File(tmp_path / "old.h5", "w") as file:
        file.attrs["layer_names"] = [b"inner"]
        file.attrs["keras_version"] = b"1.2.2"
        group = file.create_group("inner")
        group.attrs["weight_names"] = [b"w%d" % i for i in range(len(stored))]
        for i, array in enumerate(stored):
            group[f"w{i}"] = array
    model.load_weights(tmp_path / "old.h5")
    kernel = np.concatenate([stored[0], stored[6], stored[3], stored[9]], -1)
    np.testing.assert_array_equal(inner.layers[0].get_weights()[0], kernel)
    assert_same(inner.layers[1].get_weights(), [*stored[12:14], *stored[16:18]])
    assert_same(inner.layers[2].get_weights(), stored[14:16])
    assert json.loads(model.to_json())["class_name"] == "Sequential"
