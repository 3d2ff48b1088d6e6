"""The table of generations: each row has an effect."""

import functools
import inspect
import json
import re
import warnings
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import oneiros
from oneiros import compat, core, layers
from oneiros.compat import generations
from oneiros.core.config import behaviour
from oneiros.core.errors import InputDataError


@pytest.fixture(params=generations.GENERATIONS)
def generation(request):
    compat.install(request.param)
    core.names.reset_uids()
    yield request.param
    compat.uninstall()


def test_the_table_has_a_row_for_each_difference_and_its_native_column():
    assert set(vars(behaviour)) == set(generations.BEHAVIOUR)
    for row, values in generations.BEHAVIOUR.items():
        assert len(values) == 4 and values[3] == getattr(behaviour, row), row


def test_selecting_sets_every_row(generation):
    column = generations.GENERATIONS.index(generation)
    assert {row: getattr(behaviour, row) for row in generations.BEHAVIOUR} == {
        row: values[column] for row, values in generations.BEHAVIOUR.items()
    }


def test_an_unknown_generation():
    with pytest.raises(ValueError, match="'1', '2', 'tf' or '3'"):
        compat.install("4")
    assert behaviour.generation == "3"


def _at(generation, *values):
    return dict(zip(generations.GENERATIONS, values))[generation]


def test_first_name_suffix(generation):
    assert layers.Dense(1).name == _at(generation, "dense_1", "dense_1", "dense", "dense")
    assert layers.Dense(1).name == _at(generation, "dense_2", "dense_2", "dense_1", "dense_1")


def test_numbered_inputs(generation):
    names = [layers.Input((1,)).name, layers.Input((1,)).name]
    assert names == _at(generation, *[["input_1", "input_2"]] * 3, ["input_layer", "input_layer_1"])


def test_lowercase_names(generation):
    names = [layers.MaxPooling2D().name, layers.Conv2D(1, 1).name, layers.BatchNormalization().name]
    snake = ["max_pooling2d", "conv2d", "batch_normalization"]
    lower = ["maxpooling2d_1", "convolution2d_1", "batchnormalization_1"]
    assert names == _at(generation, lower, [name + "_1" for name in snake], snake, snake)


def test_weight_suffix(generation):
    layer = layers.Dense(1, name="d")
    layer.build((None, 2))
    assert layer.weights[0].name == _at(generation, "d/kernel:0", "d/kernel:0", "d/kernel:0", "kernel")


def test_accuracy_name(generation):
    for written in ("accuracy", "acc"):
        model = oneiros.Sequential([layers.Dense(1, input_shape=(2,))])
        model.compile("sgd", "binary_crossentropy", metrics=[written])
        history = model.fit(np.ones((2, 2)), np.ones((2, 1)), epochs=1, verbose=0).history
        assert set(history) == {"loss", _at(generation, "acc", "acc", written, written)}


def test_backend_name(generation):
    assert oneiros.backend.backend() == _at(generation, "tensorflow", "tensorflow", "tensorflow", "jax")


def test_hard_sigmoid(generation):
    value = float(oneiros.activations.hard_sigmoid(np.float32(1.0)))
    assert value == pytest.approx(_at(generation, 0.7, 0.7, 0.7, 4 / 6), abs=1e-6)


def test_recursive_trainable(generation):
    model = oneiros.Sequential([layers.Dense(1, input_shape=(2,))])
    model.trainable = False
    assert model.layers[0].trainable is _at(generation, True, True, False, False)
    assert model.trainable_weights == []


def test_track_attribute_variables(generation):
    class Mine(layers.Layer):
        def build(self, input_shape):
            self.extra = core.Variable(1.0)

    layer = Mine()
    layer.build((None, 1))
    assert len(layer.weights) == _at(generation, 0, 0, 1, 1)


def test_unsupported_mask_error(generation):
    x = layers.Embedding(5, 3, mask_zero=True)(np.array([[1, 0]]))

    class Plain(layers.Layer):
        def call(self, inputs):
            return inputs

    if generation in ("1", "2"):
        with pytest.raises(TypeError, match="does not support masking"):
            Plain()(x)
    else:
        with pytest.warns(UserWarning, match="does not support masking"):
            Plain()(x)


def test_mean_activity_regularizer(generation):
    layer = layers.ActivityRegularization(l1=1.0)
    layer(np.ones((4, 2)))
    assert float(sum(layer.losses)) == _at(generation, 8, 8, 2, 2)


def test_weights_trainable_first(generation):
    model = oneiros.Sequential([layers.BatchNormalization(input_shape=(2,)), layers.Dense(1)])
    shapes = [w.shape for w in model.weights]
    ordered, by_layer = [(2,), (2,), (2, 1), (1,), (2,), (2,)], [(2,), (2,), (2,), (2,), (2, 1), (1,)]
    assert shapes == _at(generation, ordered, ordered, by_layer, by_layer)


def test_progress_bar(generation, capsys):
    bar = oneiros.utils.Progbar(2, interval=0)
    bar.update(2, [("loss", 0.5)])
    out = capsys.readouterr().out
    assert ("2/2" in out) and (("[===" in out) == (generation != "3"))
    _trained().fit(np.ones((6, 1)), np.ones((6, 1)), batch_size=2, epochs=1, verbose=2)
    line = capsys.readouterr().out.splitlines()[-1]
    pattern = _at(
        generation,
        r"\d+s - loss: \S+$",
        r" - \d+s - loss: \S+$",
        r"3/3 - \d+s - loss: \S+ - \d+s/epoch - \S+/step$",
        r"3/3 - \d+s - \S+/step - loss: \S+$",
    )
    assert re.match(pattern, line), line


def _trained(**compile_arguments):
    """A model that predicts 0 and does not learn."""
    model = oneiros.Sequential([layers.Dense(1, kernel_initializer="zeros", input_shape=(1,))])
    model.compile(oneiros.optimizers.SGD(0.0), "mse", **compile_arguments)
    return model


def test_weights_normalized_by_count(generation):
    loss = _trained().train_on_batch(np.ones((2, 1)), np.ones((2, 1)), sample_weight=np.array([1.0, 0.0]))
    assert float(loss) == _at(generation, 1, 1, 0.5, 0.5)


def test_metric_name_from_function(generation):
    model = _trained(metrics=["mse"])
    history = model.fit(np.ones((2, 1)), np.ones((2, 1)), epochs=1, verbose=0).history
    name = _at(generation, "mean_squared_error", "mean_squared_error", "mse", "mse")
    assert set(history) == {"loss", name}


def test_running_batch_logs(generation):
    losses = []
    callback = oneiros.callbacks.LambdaCallback(on_batch_end=lambda batch, logs: losses.append(float(logs["loss"])))
    x, y = np.ones((2, 1)), np.array([[1.0], [3.0]])
    _trained().fit(x, y, batch_size=1, epochs=1, verbose=0, shuffle=False, callbacks=[callback])
    assert losses == [1, _at(generation, 9, 9, 5, 5)]


def test_quiet_predict(generation, capsys):
    _trained().predict(np.ones((2, 1)))
    assert bool(capsys.readouterr().out) is _at(generation, False, False, True, True)


def test_flat_stacked_states(generation):
    cells = layers.StackedRNNCells([layers.SimpleRNNCell(2), layers.SimpleRNNCell(3)])
    flat = [size[0] if isinstance(size, (list, tuple)) else size for size in cells.state_size]
    assert flat == _at(generation, [3, 2], [3, 2], [2, 3], [2, 3])


def test_bidirectional_zero_masked(generation):
    x = np.array([[[1.0], [0.0]]], "float32")
    layer = layers.Bidirectional(layers.SimpleRNN(1, return_sequences=True, kernel_initializer="ones"), "concat")
    y = np.asarray(layer(layers.Masking()(x)))
    forward_at_the_masked_step = y[0, 1, 0]
    assert (forward_at_the_masked_step == 0) == _at(generation, False, False, True, True)


def test_merged_mask(generation):
    x = layers.Embedding(5, 3, mask_zero=True)
    mask = layers.Add().compute_mask([None, None], [np.array([[True, True]]), np.array([[True, False]])])
    assert x is not None and np.asarray(mask).tolist() == [[True, _at(generation, False, False, False, True)]]


def test_unbiased_moving_variance(generation):
    layer = layers.BatchNormalization(momentum=0.0)
    layer(np.array([[1.0], [3.0]], "float32"), training=True)
    assert layer.get_weights()[3][0] == pytest.approx(_at(generation, 1, 2, 1, 1), rel=2e-3)


def test_embedding_is_an_input(generation):
    shape = layers.Embedding(6, 2).batch_input_shape
    assert shape == _at(generation, *[(None, None)] * 3, None)


def test_conv1d_follows_image_format(generation):
    core.config.set_image_data_format("channels_first")
    try:
        data_format = layers.Conv1D(1, 1).data_format
    finally:
        core.config.set_image_data_format("channels_last")
    assert data_format == _at(generation, *["channels_last"] * 3, "channels_first")


def test_deferred_updates(generation):
    class Counting(layers.Layer):
        def build(self, input_shape):
            self.count = self.add_weight("count", (), initializer="zeros", trainable=False)

        def call(self, inputs):
            self.add_update(oneiros.backend.update_add(self.count, 1.0))
            return inputs

    layer = Counting()
    layer(np.ones((1, 1)), training=False)
    assert float(layer.count) == _at(generation, 0, 0, 1, 1)
    layer(np.ones((1, 1)), training=True)
    assert float(layer.count) == _at(generation, 1, 1, 2, 2)


def two_heads(**arguments):
    inputs = layers.Input((1,))
    heads = [layers.Dense(1, kernel_initializer="ones", name=name)(inputs) for name in ("z", "a")]
    model = oneiros.Model(inputs, heads)
    model.compile("sgd", **arguments)
    return model.fit(np.ones((2, 1)), [np.ones((2, 1))] * 2, verbose=0, epochs=1).history


def test_metrics_of_outputs_sorted(generation):
    inputs = layers.Input((1,))
    model = oneiros.Model(inputs, [layers.Dense(1, name=name)(inputs) for name in ("z", "a")])
    model.compile("sgd", "mse", metrics=[["mae"], ["mape", "mae"]])
    data = np.ones((2, 1)), [np.zeros((2, 1)), np.full((2, 1), 9.0)]
    values, logs = model.test_on_batch(*data), model.test_on_batch(*data, return_dict=True)
    z, a = (name for name in logs if name[0] == "z"), (name for name in logs if name[0] == "a")
    outputs = ["loss", next(z), next(a)]  # z_loss, a_loss
    expected = _at(generation, *[[*outputs, *z, *a]] * 3, [*outputs, "a_mae", "a_mape", "z_mae"])
    assert list(logs) == model.metrics_names == expected
    np.testing.assert_allclose(values, list(logs.values()))


def test_average_begins_with_weights(generation):
    model = oneiros.Sequential([layers.Dense(1, kernel_initializer="ones", use_bias=False, input_shape=(1,))])
    model.compile(oneiros.optimizers.SGD(0.25, use_ema=True, ema_momentum=0.5), "mse")
    model.fit(np.ones((2, 1)), np.zeros((2, 1)), batch_size=1, epochs=1, verbose=0)
    # Weights 1, 1/2, 1/4. fit ends with their average.
    np.testing.assert_allclose(model.get_weights()[0], _at(generation, 3 / 8, 3 / 8, 1 / 2, 3 / 8))


def test_metrics_by_place(generation):
    history = two_heads(loss="mse", metrics=["mae", "mape"])
    assert len(history) == 3 + _at(generation, 4, 4, 4, 2)
    assert [name[0] for name in history][3:] == _at(generation, *[["z", "z", "a", "a"]] * 3, ["a", "z"])


def test_lone_output_loss(generation):
    history = two_heads(loss={"z": "mse"})
    assert list(history) == _at(generation, *[["loss", "z_loss"]] * 3, ["loss"])


def test_metrics_get_aligned_targets(generation):
    model = oneiros.Sequential([layers.Dense(1, kernel_initializer="zeros", input_shape=(1,))])
    model.compile("sgd", "mse", metrics=[lambda y_true, y_pred: (y_true - y_pred).shape[-1] + 0.0 * y_pred])
    found = model.test_on_batch(np.ones((3, 1)), np.ones(3))
    assert found[1] == _at(generation, 1, 1, 1, 3)  # (3,) against (3, 1) broadcasts to (3, 3)


def test_counts_in_batch_logs(generation):
    class Watch(oneiros.callbacks.Callback):
        def on_batch_end(self, batch, logs=None):
            self.names = list(logs)

    watch = Watch()
    model = oneiros.Sequential([layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 2), "float32"), np.ones((4, 1), "float32"), epochs=1, verbose=0, callbacks=[watch])
    assert (watch.names[-2:] == ["batch", "size"]) == _at(generation, True, True, False, False)


def test_classic_progress(generation, capsys):
    x, y = np.ones((4, 1)), np.ones((4, 1))
    model = _trained(metrics=["mae"])
    model.fit(x, y, batch_size=2, epochs=1, verbose=1, validation_data=(x, y))
    out = capsys.readouterr().out
    classic = generation in ("1", "2")
    assert ("Train on 4 samples, validate on 4 samples" in out) is ("Epoch 1/1" in out) is ("4/4 [" in out) is classic
    model.evaluate(x, y, verbose=1)
    assert ("loss" in capsys.readouterr().out) is not classic
    bar = oneiros.callbacks.ProgbarLogger()
    bar.set_params({"metrics": ["b", "a"], "steps": 1})
    bar.on_train_begin()
    bar.on_epoch_begin(0)
    bar.on_epoch_end(0, {"a": 1.0, "b": 2.0, "c": 3.0})
    shown = re.findall(r"- ([abc]): ", capsys.readouterr().out)
    assert shown == (["b", "a"] if classic else ["a", "b", "c"])
    callbacks = oneiros.callbacks.CallbackList([oneiros.callbacks.Callback()], add_progbar=True)
    assert isinstance(callbacks.callbacks[0], oneiros.callbacks.ProgbarLogger) is classic


def test_csv_has_val_columns(generation, tmp_path):
    logger = oneiros.callbacks.CSVLogger(tmp_path / "log.csv")
    logger.on_train_begin()
    logger.on_epoch_end(0, {"loss": 1.0})
    logger.on_train_end()
    header = (tmp_path / "log.csv").read_text().splitlines()[0]
    assert header == _at(generation, *["epoch,loss"] * 2, *["epoch,loss,val_loss"] * 2)


def test_epoch_digits(generation, capsys):
    stopping = oneiros.callbacks.EarlyStopping("loss", verbose=1)
    _trained().fit(np.ones((2, 1)), np.ones((2, 1)), epochs=3, verbose=0, callbacks=[stopping])
    assert f"Epoch {_at(generation, '00002', '00002', '2', '2')}: early stopping" in capsys.readouterr().out


def test_auto_mode_knows_scores(generation):
    modes = [oneiros.callbacks.EarlyStopping(name).mode for name in ("val_acc", "val_fmeasure", "val_recall", "loss")]
    assert modes == ["max", "max", _at(generation, "min", "min", "min", "max"), "min"]


def test_file_epochs_from(generation, tmp_path):
    checkpoint = oneiros.callbacks.ModelCheckpoint(tmp_path / "{epoch}.h5", save_weights_only=True)
    _trained().fit(np.ones((2, 1)), np.ones((2, 1)), epochs=2, verbose=0, callbacks=[checkpoint])
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == _at(generation, ["0.h5", "1.h5"], *[["1.h5", "2.h5"]] * 3)


def test_lr_log_name(generation):
    schedule = oneiros.callbacks.LearningRateScheduler(lambda epoch: 0.0)
    history = _trained().fit(np.ones((2, 1)), np.ones((2, 1)), epochs=1, verbose=0, callbacks=[schedule]).history
    assert set(history) == {"loss", _at(generation, "lr", "lr", "lr", "learning_rate")}


def test_tensorboard_one_folder(generation, tmp_path):
    board = oneiros.callbacks.TensorBoard(str(tmp_path), write_graph=False)
    _trained().fit(np.ones((2, 1)), np.ones((2, 1)), epochs=1, verbose=0, callbacks=[board])
    (file,) = tmp_path.rglob("*tfevents*")
    assert file.parent == tmp_path / _at(generation, "", "", "train", "train")
    assert (b"epoch_loss" in file.read_bytes()) == _at(generation, False, False, True, True)


def test_fixed_phase_in_fit(generation):
    model = oneiros.Sequential([layers.Dropout(0.9, input_shape=(20,))])
    oneiros.backend.set_learning_phase(1)
    try:
        changed = (model.predict(np.ones((1, 20)), verbose=0) != 1).any()
    finally:
        oneiros.backend.clear_session()
    assert changed == _at(generation, True, True, False, False)


def test_accuracy_is_mean(generation):
    found = np.asarray(oneiros.metrics.accuracy(np.array([[1.0, 2.0]]), np.array([[1.0, 3.0]])))
    assert found.tolist() == _at(generation, [0.5], [0.5], [0.5], [[1, 0]])


def test_metrics_drop_ignored(generation):
    metric = oneiros.metrics.SparseCategoricalCrossentropy(ignore_class=0)
    found = metric(np.array([0, 1]), np.array([[0.5, 0.5], [0.5, 0.5]]))
    assert float(found) / np.log(2) == pytest.approx(_at(generation, 1, 1, 1, 0.5))


def test_iou_counts_integers(generation):
    assert oneiros.metrics.MeanIoU(2).dtype == _at(generation, "float32", "float32", "float32", "int32")


def test_accuracy_follows_loss(generation):
    model = oneiros.Sequential([layers.Activation("linear", input_shape=(2,))])
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    found = model.test_on_batch(np.array([[0.9, 0.8]]), np.array([[1.0, 0.0]]))[1]
    assert float(found) == _at(generation, 0.5, 0.5, 1, 1)  # of both numbers, or of the largest


def test_metric_name_as_written(generation):
    history = _trained(metrics=["AUC"]).fit(np.zeros((2, 1)), np.array([[0.0], [1.0]]), epochs=1, verbose=0).history
    assert set(history) == {"loss", _at(generation, "AUC", "AUC", "auc", "AUC")}


def test_metric_names_give_objects(generation):
    metric = oneiros.metrics.get("mse")
    assert isinstance(metric, oneiros.metrics.Metric) == _at(generation, False, False, False, True)


def test_expressions_recorded(generation):
    total = oneiros.backend.variable(2.0) * 3.0
    assert isinstance(total, oneiros.KerasTensor) == _at(generation, True, True, False, False)
    assert float(oneiros.backend.eval(total)) == 6


def test_keras_tensor_is_of_layer(generation):
    x = layers.Input((2,))
    found = oneiros.backend.is_keras_tensor(oneiros.backend.relu(x))
    assert found == _at(generation, False, False, True, True)
    assert oneiros.backend.is_keras_tensor(layers.Dense(1)(x))


def test_ctc_labels_trimmed(generation):
    (labels,), _ = oneiros.backend.ctc_decode(np.full((1, 4, 2), [0.1, 0.9], "float32"), np.array([4]))
    assert labels.shape == _at(generation, (1, 0), (1, 0), (1, 4), (1, 4))


def test_unseeded_values_repeat(generation):
    draw = oneiros.initializers.RandomUniform()
    same = (np.asarray(draw((3,))) == np.asarray(draw((3,)))).all()
    assert same == _at(generation, False, False, False, True)


def test_add_weight_name_third(generation):
    layer = layers.Layer()
    if generation == "1":
        assert layer.add_weight((2,), "zeros", "scale").name.endswith("scale:0")
    else:
        assert layer.add_weight((2,), "zeros", "int32").dtype == "int32"


def test_lambda_code_as_list(generation):
    code = layers.Lambda(lambda x: x).get_config()["function"]
    assert isinstance(code, (list, tuple)) == _at(generation, True, True, True, False)


def test_model_name(generation):
    x = layers.Input((1,))
    assert oneiros.Model(x, x).name == _at(generation, "model_1", "model_1", "model", "functional")


def test_plain_model_class(generation):
    x = layers.Input((1,))
    name = json.loads(oneiros.Model(x, layers.Dense(1)(x)).to_json())["class_name"]
    assert name == _at(generation, "Model", "Model", "Functional", "Functional")


def _file_of_a_trained_model(path):
    model = oneiros.Sequential([layers.Dense(1, input_shape=(2,))])
    model.compile("adam", "mse")
    model.train_on_batch(np.ones((2, 2)), np.ones((2, 1)))
    model.save(path)
    return h5py.File(path)


def test_optimizer_saved_by_name(generation, tmp_path):
    with _file_of_a_trained_model(tmp_path / "m.h5") as file:
        name = json.loads(file.attrs["training_config"])["optimizer_config"]["class_name"]
    assert name == _at(generation, "Adam", "Adam", "Custom>Adam", "Custom>Adam")


def test_optimizer_state_by_kind(generation, tmp_path):
    with _file_of_a_trained_model(tmp_path / "m.h5") as file:
        group = file["optimizer_weights"]
        shapes = [group[name].shape for name in group.attrs["weight_names"]]
    by_kind, by_weight = [(2, 1), (1,), (2, 1), (1,)], [(2, 1), (2, 1), (1,), (1,)]
    assert [shape for shape in shapes if shape] == _at(generation, by_kind, by_kind, by_weight, by_weight)


def test_boxed_summary(generation, capsys):
    _trained().summary()
    assert ("┏" in capsys.readouterr().out) == _at(generation, False, False, False, True)


def test_archives_unpacked_beside(generation, tmp_path):
    (tmp_path / "a.txt").write_text("a")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "a.txt", "a.txt")
    found = oneiros.utils.get_file(
        "b.zip", (tmp_path / "a.zip").as_uri(), extract=True, cache_dir=str(tmp_path), cache_subdir="cache"
    )
    cache = tmp_path / "cache"
    assert found == str(cache / _at(generation, *["b.zip"] * 3, "b.zip_archive"))[: len(found)]
    assert (cache / "a.txt").exists() == _at(generation, True, True, True, False)


def test_classic_resnet50(generation):
    model = oneiros.applications.ResNet50(weights=None)
    assert ("fc1000" in [layer.name for layer in model.layers]) == _at(generation, True, True, False, False)


def test_model_inputs_are_inputs(generation):
    x = layers.Dense(2)(layers.Input((3,)))
    y = layers.Dense(1)(x)
    if _at(generation, True, True, False, False):
        with pytest.raises(TypeError, match=r"inputs must come from Input\(\).*dense"):
            oneiros.Model(x, y)
    else:
        assert oneiros.Model(x, y).output_shape == (None, 1)


def test_model_input_shapes_checked(generation):
    x = layers.Input((3,))
    model = oneiros.Model(x, layers.Dense(1)(x))
    if _at(generation, False, False, True, True):
        with pytest.raises(ValueError, match=r"expected an array of shape \(None, 3\)"):
            model(np.ones((2, 5, 3)))
    else:
        assert model(np.ones((2, 5, 3))).shape == (2, 5, 1)


def test_sequential_in_paths(generation):
    model = oneiros.Sequential([layers.Dense(1, input_shape=(3,), name="inner")], name="chain")
    expected = _at(generation, "inner/kernel", "inner/kernel", "inner/kernel", "chain/inner/kernel")
    assert model.weights[0].path == expected


def test_early_layers_first(generation):
    class Own(oneiros.Model):
        def __init__(self):
            last = layers.Dense(1, name="last")
            self.last = last
            x = layers.Input((3,))
            super().__init__(inputs=x, outputs=last(layers.Dense(2, name="first")(x)))

    names = [weight.path.split("/")[-2] for weight in Own().weights[::2]]
    assert names == _at(generation, *[["first", "last"]] * 3, ["last", "first"])


def test_steps_carry_state(generation):
    counts = []

    class Handing(oneiros.Sequential):
        def train_step(self, *args):
            counts.append(len(args))
            return super().train_step(*args)

    model = Handing([layers.Dense(1, input_shape=(3,))])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
    assert set(counts) == {_at(generation, 1, 1, 1, 2)}


def test_stateless_are_built(generation):
    class Own(layers.Layer):
        pass

    class Taken(layers.ReLU):
        pass

    built = [layer.built for layer in (layers.Flatten(), Taken(), Own(), layers.Dense(1))]
    assert built == _at(generation, *[[False] * 4] * 3, [True, True, False, False])


def test_unmonitored_is_saved(generation, tmp_path):
    model = oneiros.Sequential([layers.Dense(1, input_shape=(3,))])
    model.compile("sgd", "mse")
    checkpoint = oneiros.callbacks.ModelCheckpoint(str(tmp_path / "a.h5"), monitor="nothing", save_best_only=True)
    with pytest.warns(UserWarning, match="Can save best model only with nothing available"):
        model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0, callbacks=[checkpoint])
    assert (tmp_path / "a.h5").exists() == _at(generation, False, False, False, True)


def test_clones_compiled(generation):
    model = oneiros.Sequential([layers.Dense(1, input_shape=(3,))])
    model.compile("sgd", "mse")
    assert oneiros.models.clone_model(model).compiled == _at(generation, False, False, False, True)


def test_model_io_structured(generation):
    x, z = layers.Input((3,)), layers.Input((3,))
    model = oneiros.Model((x, z), {"a": layers.Dense(1)(layers.add([x, z]))})
    expected = _at(generation, list, list, tuple, tuple)
    assert type(model.input) is expected
    assert isinstance(model.output, dict) == _at(generation, False, False, True, True)


def test_model_io_lists_of_one(generation):
    x = layers.Input((3,))
    model = oneiros.Model([x], [layers.Dense(1)(x)])
    assert isinstance(model.input, list) == isinstance(model.output, list) == _at(generation, False, False, False, True)
    assert model.predict(np.ones((2, 3)), verbose=0).shape == (2, 1)


def test_sequential_lists_input(generation):
    given = oneiros.Sequential([layers.InputLayer(batch_shape=(None, 3)), layers.Dense(2)])
    assert len(given.layers) == _at(generation, 2, 2, 1, 1)
    implied = oneiros.Sequential([layers.Dense(2, input_shape=(3,))])
    copies = [oneiros.models.clone_model(implied), type(implied).from_config(implied.get_config())]
    assert [len(model.layers) for model in (implied, *copies)] == [1, 1, 1]
    assert given.compute_output_shape((4, 3)) == (4, 2)


def test_super_output_shape_is_input(generation):
    class Twice(layers.Layer):
        def call(self, inputs):
            return [inputs, inputs * 2]

        def compute_output_shape(self, input_shape):
            shape = super().compute_output_shape(input_shape)
            return [shape, shape] if isinstance(shape, tuple) else shape

    assert layers.Layer.compute_output_shape(Twice(), (None, 3)) == _at(
        generation, *[(None, 3)] * 2, *[[(None, 3), (None, 3)]] * 2
    )
    assert [s.shape for s in Twice()(layers.Input((3,)))] == [(None, 3), (None, 3)]


def _two_outputs(**arguments):
    x = layers.Input((2,))
    model = oneiros.Model(x, [layers.Dense(1, name=name)(x) for name in "ab"])
    model.compile("sgd", "mse", **arguments)
    return model


def test_callbacks_see_validation(generation):
    x, y = np.ones((4, 2)), np.arange(4.0)
    seen = []

    class Look(oneiros.callbacks.Callback):
        def on_train_begin(self, logs=None):
            seen.append(self.validation_data)

    model = _two_outputs()
    for given in ((x, [y, y]), (x, [y, y], [np.full(4, 2.0), None]), iter([(x, [y, y])])):
        steps = 1 if hasattr(given, "__next__") else None
        model.fit(x, [y, y], epochs=1, verbose=0, callbacks=[Look()], validation_data=given, validation_steps=steps)
    model.fit(x, [y, y], epochs=1, verbose=0, callbacks=[Look()], validation_split=0.5)
    if not _at(generation, True, True, False, False):
        assert seen == [None] * 4
        return
    assert seen[0][0] is x and [a.shape for a in seen[0]] == [(4, 2), (4, 1), (4, 1), (4,), (4,)]
    assert seen[0][3].tolist() == [1] * 4 and seen[1][3].tolist() == [2] * 4 and seen[1][4].tolist() == [1] * 4
    assert seen[2] is None and [len(a) for a in seen[3]] == [2] * 5


def test_histograms_need_validation(generation, tmp_path):
    model, x = _two_outputs(), np.ones((4, 2))
    callback = oneiros.callbacks.TensorBoard(log_dir=str(tmp_path), histogram_freq=1)
    arguments = {"x": x, "y": [x[:, :1]] * 2, "epochs": 1, "verbose": 0, "callbacks": [callback]}
    if _at(generation, False, True, False, False):
        with pytest.raises(ValueError, match="validation_data must be provided"):
            model.fit(**arguments)
    else:
        model.fit(**arguments)
    model.fit(**arguments, validation_split=0.5)


def test_lists_not_tuples(generation):
    x, y, w = np.ones((4, 2)), np.ones((4, 1)), np.ones(4)
    calls = [
        lambda: _two_outputs(loss_weights=(1.0, 2.0)),
        lambda: _two_outputs().train_on_batch(x, [y, y], sample_weight=(w, w)),
    ]
    for call in calls:
        if _at(generation, True, True, False, False):
            with pytest.raises(TypeError, match="expected a list or a dictionary"):
                call()
        else:
            call()


def test_unknown_weights_ignored(generation):
    x, y, w = np.ones((4, 2)), np.ones((4, 1)), np.ones(4)
    if _at(generation, True, True, False, False):
        _two_outputs().train_on_batch(x, [y, y], sample_weight={"a": w, "other": w})
    else:
        with pytest.raises(ValueError, match="no output is called.*other"):
            _two_outputs().train_on_batch(x, [y, y], sample_weight={"a": w, "other": w})


def test_scopes_change_registry(generation):
    class Own(layers.Layer):
        pass

    known = oneiros.utils.get_custom_objects()
    with oneiros.utils.custom_object_scope({"Own": Own}):
        with oneiros.utils.custom_object_scope({"Other": Own}):
            assert ("Own" in known and "Other" in known) == _at(generation, True, True, False, False)
            known["Third"] = Own
        assert ("Own" in known) == _at(generation, True, True, False, False) and "Other" not in known
    assert "Own" not in known and ("Third" in known) == _at(generation, False, False, True, True)
    known.pop("Third", None)


def test_live_layers(generation):
    x = layers.Input((2,))
    for model in (oneiros.Sequential([layers.Dense(1, input_shape=(2,))]), oneiros.Model(x, layers.Dense(1)(x))):
        count = len(model.layers)
        model.layers.pop()
        assert len(model.layers) == count - _at(generation, 1, 1, 0, 0)


def test_summary_checks_trainable(generation, capsys):
    model = _two_outputs()
    model.get_layer("a").trainable = False
    if _at(generation, True, True, False, False):
        with pytest.warns(UserWarning, match="Discrepancy"):
            model.summary()
    model.compile("sgd", "mse")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.summary()


def test_only_compat_asks_for_the_generation():
    package = Path(oneiros.__file__).parent
    asking = [p for p in package.rglob("*.py") if re.search(r"\bbehaviour\.generation\b", p.read_text())]
    assert {path.relative_to(package).parts[0] for path in asking} == {"compat"}


def test_keras_archives(generation, tmp_path):
    model = oneiros.Sequential([layers.Input((3,)), layers.Dense(2)])
    model.save(tmp_path / "model.keras")
    assert zipfile.is_zipfile(tmp_path / "model.keras") == (generation in ("tf", "3"))
    loaded = oneiros.models.load_model(tmp_path / "model.keras", compile=False)
    assert np.array_equal(loaded.get_weights()[0], model.get_weights()[0])


def test_keras3_json(generation):
    model = oneiros.Sequential([layers.Input((3,)), layers.Dense(2)])
    assert ("module" in json.loads(model.to_json())) == (generation == "3")
    assert oneiros.models.model_from_json(model.to_json()).count_params() == 8


def test_nested_weights_files(generation, tmp_path):
    model = oneiros.Sequential([layers.Input((3,)), layers.Dense(2)])
    model.save_weights(tmp_path / "model.weights.h5")
    with h5py.File(tmp_path / "model.weights.h5") as file:
        assert ("layers/dense/vars/0" in file) == (generation == "3")
    kernel = model.get_weights()[0]
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    model.load_weights(tmp_path / "model.weights.h5")
    assert np.array_equal(model.get_weights()[0], kernel)


def test_digits_end_words(generation):
    prefix = {"1": "convlstm2d", "2": "conv_lst_m2d", "tf": "conv_lst_m2d", "3": "conv_lstm2d"}[generation]
    assert layers.ConvLSTM2D(2, 3).name.startswith(prefix)


def test_calls_use_outer_symbols(generation):
    x = layers.Input((3,))
    outer = layers.Dense(3, kernel_initializer="ones")(x)

    class Captures(layers.Layer):
        def call(self, inputs):
            return inputs * outer

        def compute_output_shape(self, input_shape):
            return input_shape

    data = np.ones((2, 3), "float32")
    if generation == "3":
        with pytest.raises(InputDataError, match="none of its inputs"):
            oneiros.Model(x, Captures()(x)).predict(data, verbose=0)
    else:
        np.testing.assert_allclose(oneiros.Model(x, Captures()(x)).predict(data, verbose=0), 3 * data)


def test_seeds_are_variables(generation):
    layer = layers.Dropout(0.5)
    layer.build((None, 2))
    assert len(layer.variables) == len(layer.non_trainable_variables) == (generation == "3")
    assert layer.weights == []


def test_executions_count_full(generation):
    numbers = []
    model = oneiros.Sequential([oneiros.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse", steps_per_execution=3)
    watch = oneiros.callbacks.LambdaCallback(on_batch_end=lambda batch, logs: numbers.append(batch))
    model.fit(np.zeros((4, 2)), np.zeros((4, 1)), batch_size=1, epochs=1, callbacks=[watch], verbose=0)
    assert numbers == ([2, 5] if generation == "3" else [2, 3])


def test_every_row_has_a_test():
    tests = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    others = {
        "generation": "selecting_sets_every_row",
        "defaults": "version",
        "old_configurations": "files_are_read_by_all_generations",
        "relu6_hard_sigmoid": "hard_sigmoid",
    }
    elsewhere = {  # tests/optimizers, tests/training, tests/compat/test_keras2_numbers.py
        *("optimizer_formulas", "frozen_uses_batch", "frozen_updates_dropped", "updates_in_training_only"),
        *("gates_initialized_apart", "identity_of_squares", "ctc_beams_merged", "ctc_scores_of_best"),
        "epochs_shuffle_on",
        *("fractional_steps", "save_needs_suffix", "weighted_metric_prefix", "metrics_need_loss", "top_k_is_mean"),
    }
    for name in ("test_keras2_layers.py", "test_keras2_programs.py", "test_spelling.py", "test_keras2_numbers.py"):
        elsewhere |= set(re.findall(r"def test_(\w+)", Path(__file__).with_name(name).read_text()))
    assert {others.get(row, row) for row in generations.BEHAVIOUR} <= tests | elsewhere


@pytest.mark.parametrize("names, argument, values", [(n, a, v) for n, a, *v in generations.DEFAULTS])
def test_defaults(generation, names, argument, values):
    for name in names.split():
        value = dict(zip(generations.GENERATIONS, (*values, generations.NATIVE)))[generation]
        function = _find(name)
        assert argument in inspect.signature(function).parameters, name
        assert function.adapted_rules.defaults.get(generation, {}).get(argument, generations.NATIVE) == value
        native = inspect.signature(function).parameters[argument].default
        assert all(v is generations.NATIVE or v != native for v in values), f"{name}.{argument}: {native!r} is native"


def _find(name):
    owner, _, method = name.partition(".")
    for module in (
        oneiros,
        layers,
        oneiros.initializers,
        oneiros.regularizers,
        oneiros.optimizers,
        oneiros.callbacks,
        oneiros.utils,
    ):
        thing = getattr(module, owner, None)
        if thing is not None:
            break
    if method:
        return getattr(thing, method)
    return thing.__init__ if inspect.isclass(thing) else thing


def test_a_default_is_filled_only_where_nothing_was_given():
    compat.install("2")
    assert layers.LSTM(3).recurrent_activation is not layers.LSTM(3, recurrent_activation="tanh").recurrent_activation
    assert layers.LSTM(3, "relu", "tanh").recurrent_activation is oneiros.activations.tanh
    assert layers.GRU(3).reset_after is False and layers.GRU(3, reset_after=True).reset_after is True
    compat.uninstall()
    assert layers.GRU(3).reset_after is True


def test_epochs_go_round(generation):
    X = np.arange(3.0).reshape(3, 1)  # the losses of its batches, for a model that outputs 0: 0, 1, 4
    model = oneiros.Sequential([layers.Dense(1, kernel_initializer="zeros", input_shape=(1,))])
    model.compile(oneiros.optimizers.SGD(0.0), "mse")
    options = {"batch_size": 1, "shuffle": False, "verbose": 0}
    losses = model.fit(X, X, steps_per_epoch=2, epochs=3, **options).history["loss"]
    np.testing.assert_allclose(losses, _at(generation, *[[0.5, 4, 0.5]] * 2, [0.5, 2, 2.5], [0.5, 4, 0.5]))
    if generation == "tf":  # as many passes as epochs
        with pytest.warns(UserWarning, match="ended after 1 of 4 steps"):
            losses = model.fit(X, X, steps_per_epoch=4, epochs=3, **options).history["loss"]
        np.testing.assert_allclose(losses, [5 / 4, 6 / 4, 4])  # 0 1 4 0 | 1 4 0 1 | 4


def test_scheduled_rate_stays(generation):
    rate = oneiros.optimizers.schedules.ExponentialDecay(0.5, 1, 0.5)
    model = oneiros.Sequential([layers.Dense(1, kernel_initializer="ones", use_bias=False, input_shape=(1,))])
    model.compile(oneiros.optimizers.SGD(rate), "mse")
    seen = []
    scheduler = oneiros.callbacks.LearningRateScheduler(lambda epoch, rate: seen.append(rate) or 0.1)
    fit = functools.partial(model.fit, np.ones((1, 1)), np.zeros((1, 1)), epochs=3, verbose=0, callbacks=[scheduler])
    if generation != "tf":
        with pytest.raises(TypeError, match="not settable"):
            fit()
        return
    with pytest.warns(UserWarning, match="stays as the schedule gives it"):
        history = fit().history
    np.testing.assert_allclose(history["lr"], [0.5, 0.25, 0.125])
    np.testing.assert_allclose(seen, [0.5, 0.5, 0.25])
    np.testing.assert_allclose(history["loss"], [1, 0, 0], atol=1e-7)  # w - 0.5 * 2 w
