"""What the table does not show: masks of merges, errors, generations, batch normalization over time."""

import inspect

import numpy as np
import pytest

from oneiros import core, layers
from oneiros.core.config import behaviour
from oneiros.core.registry import Configurable

X = np.array([[[1, 2], [0, 0], [3, 4]]], "float32")
Y = np.array([[[1, 2], [1, 1], [0, 0]]], "float32")


def masked(x):
    return layers.Masking()(x)


@pytest.mark.parametrize("axis", [1.5, "1", True, None])
def test_axis_of_concatenate_is_an_integer(axis):
    with pytest.raises(ValueError, match="Concatenate: axis: expected an integer"):
        layers.Concatenate(axis=axis)


# What Keras 3 and tf_keras (a "2") give for these two inputs.
@pytest.mark.parametrize("how, mask", [("any", [1, 1, 1]), ("all", [1, 0, 0])])
@pytest.mark.parametrize("name", ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"])
def test_masks_of_merges(name, how, mask, monkeypatch):
    monkeypatch.setattr(behaviour, "merged_mask", how)
    out = getattr(layers, name)()([masked(X), masked(Y)])
    assert core.get_mask(out).astype(int).tolist() == [mask]
    half = core.get_mask(getattr(layers, name)()([masked(X), Y]))
    if name == "Concatenate":
        assert half.astype(int).tolist() == [[1, 1, 1] if how == "any" else [1, 0, 1]]
    elif how == "any":
        assert half is None
    else:
        assert half.astype(int).tolist() == [[1, 0, 1]]


def test_masks_of_merges_along_time(monkeypatch):
    for how in ("any", "all"):
        monkeypatch.setattr(behaviour, "merged_mask", how)
        merged = layers.Concatenate(axis=1)([masked(X), masked(Y)])
        assert core.get_mask(merged).astype(int).tolist() == [[1, 0, 1, 1, 1, 0]]
    assert core.get_mask(layers.Dot(axes=2)([masked(X), masked(Y)])) is None


def test_multiply_skips_masked_steps(monkeypatch):
    assert layers.Multiply()([masked(X), masked(Y)]).tolist() == [[[1, 4], [1, 1], [3, 4]]]
    monkeypatch.setattr(behaviour, "merged_mask", "all")
    assert layers.Multiply()([masked(X), masked(Y)]).tolist() == [[[1, 4], [0, 0], [0, 0]]]


def test_functional_forms():
    a, b = layers.Input((3,)), layers.Input((3,))
    for name in ("add", "subtract", "multiply", "average", "maximum", "minimum"):
        assert getattr(layers, name)([a, b]).shape == (None, 3)
    assert layers.concatenate([a, b], axis=-1, name="joined").name == "joined"
    assert layers.dot([a, b], axes=1, normalize=True).shape == (None, 1)


def symbol(*shape):
    return layers.Input(shape)


ERRORS = {
    "incompatible shapes": lambda: layers.Add()([symbol(4, 3), symbol(2, 3)]),
    "should be called on a list": lambda: layers.Add()(symbol(4, 3)),
    "exactly 2 inputs": lambda: layers.Subtract()([symbol(3)] * 3),
    "different batch sizes": lambda: layers.Add()([np.ones((2, 3)), np.ones((3, 3))]),
    "except for the concatenation axis": lambda: layers.Concatenate(axis=1)([symbol(4, 3), symbol(2, 4)]),
    "there is no axis": lambda: layers.Concatenate(axis=3)([symbol(4), symbol(4)]),
    "incompatible input shapes": lambda: layers.Dot(axes=1)([symbol(4, 3), symbol(2, 4)]),
    "beside the batch": lambda: layers.Dot(axes=0)([symbol(4), symbol(4)]),
    "not supported in conjunction": lambda: layers.Conv2D(2, 2, strides=2, dilation_rate=2),
    "zero or negative": lambda: layers.Conv2D(2, 9)(symbol(4, 4, 1)),
    "computed output size": lambda: layers.MaxPooling1D(9)(np.ones((1, 4, 1))),
    "number of filters must be evenly": lambda: layers.Conv2D(4, 2, groups=3),
    "input channels must be evenly": lambda: layers.Conv2D(6, 2, groups=3)(symbol(8, 8, 4)),
    "expected one of 'valid', 'same'": lambda: layers.Conv2D(2, 2, padding="causal"),
    "must be less than `strides`": lambda: layers.Conv2DTranspose(2, 3, strides=2, output_padding=2),
    "channel dimension": lambda: layers.Conv1D(1, 1)(symbol(None, None)),
    "expected 4 dimensions, received 3": lambda: layers.Conv2D(1, 1)(symbol(4, 4)),
    "kernel_size: expected": lambda: layers.Conv2D(1, (1, 2, 3)),
    "spatial dimensions must be known": lambda: layers.LocallyConnected1D(1, 1)(symbol(None, 2)),
    "should be smaller": lambda: layers.Cropping2D(2)(symbol(4, 4, 1)),
    "should have 2 elements": lambda: layers.ZeroPadding2D((1, 2, 3)),
    "total size of the tensor must be unchanged": lambda: layers.Reshape((5,))(symbol(4, 3)),
    "at most one -1": lambda: layers.Reshape((-1, -1)),
    "consecutive and start from 1": lambda: layers.Permute((1, 3)),
    "multiple of the number of groups": lambda: layers.GroupNormalization(3)(symbol(4, 4)),
    "axis 3 is not one": lambda: layers.BatchNormalization(axis=3)(symbol(4)),
    "axis -1 of the inputs must be known": lambda: layers.LayerNormalization()(symbol(None)),
    "broadcastable": lambda: layers.Softmax()(masked(X)),
    "cannot be None or negative": lambda: layers.ReLU(negative_slope=-1),
    "expected an equation": lambda: layers.EinsumDense("ab,bc", 3)(symbol(4)),
    "wants 3 axes": lambda: layers.EinsumDense("abc,cd->abd", (None, 3))(symbol(4)),
    "neither a kernel nor embeddings": lambda: layers.SpectralNormalization(layers.Flatten())(symbol(4, 3)),
    "expected size 3 on axis -1, received 4": lambda: _twice(layers.Dense(2), (3,), (4,)),
}


def _twice(layer, first, second):
    layer(symbol(*first))
    layer(symbol(*second))


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message):
    with pytest.raises((ValueError, TypeError), match=message.replace("(", r"\(")):
        ERRORS[message]()


def test_batch_normalization_moves_its_statistics(monkeypatch):
    x = np.random.RandomState(0).normal(3, 2, (16, 4)).astype("float32")
    layer = layers.BatchNormalization(momentum=0.9)
    mean, variance = np.zeros(4), np.ones(4)
    for unbiased in (False, True, False):
        monkeypatch.setattr(behaviour, "unbiased_moving_variance", unbiased)
        layer(x, training=True)
        mean = 0.9 * mean + 0.1 * x.mean(0)
        variance = 0.9 * variance + 0.1 * x.var(0, ddof=int(unbiased))
    np.testing.assert_allclose(layer.moving_mean.numpy(), mean, rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance.numpy(), variance, rtol=1e-5)
    layer.trainable = False  # frozen: as in inference
    before = layer.get_weights()
    np.testing.assert_array_equal(layer(x, training=True), layer(x))
    np.testing.assert_allclose(layer(x), (x - mean) / np.sqrt(variance + 1e-3), rtol=1e-4, atol=1e-5)
    for old, new in zip(before, layer.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_half_precision_statistics_are_exact():
    x = (np.random.RandomState(0).normal(size=(4096, 2)) + 100).astype("float16")
    layer = layers.BatchNormalization(dtype="mixed_float16")
    out = np.asarray(layer(x, training=True), np.float32)
    assert layer.moving_mean.dtype == "float32"
    np.testing.assert_allclose(out.std(0), 1, atol=0.02)


def test_conv1d_follows_the_image_format_or_not(monkeypatch):
    monkeypatch.setattr(core.config.settings, "image_data_format", "channels_first")
    assert layers.Conv1D(2, 1).data_format == layers.Conv2D(2, 1).data_format == "channels_first"
    monkeypatch.setattr(behaviour, "conv1d_follows_image_format", False)
    assert layers.Conv1D(2, 1).data_format == layers.MaxPooling1D().data_format == "channels_last"
    assert layers.Conv2D(2, 1).data_format == "channels_first"


def test_configurations_of_other_versions():
    conv = layers.Conv2DTranspose(2, 3).get_config() | {"groups": 1}
    assert layers.Conv2DTranspose.from_config(conv).filters == 2
    separable = layers.SeparableConv2D(2, 3).get_config() | {"kernel_initializer": "zeros", "groups": 1}
    assert layers.SeparableConv2D.from_config(separable).filters == 2
    assert layers.Conv2D.from_config(layers.Conv2D(4, 3, groups=2).get_config()).groups == 2
    assert layers.BatchNormalization(axis=[3]).axis == 3
    assert layers.Dense.from_config(layers.Dense(2).get_config() | {"quantization_config": None}).units == 2
    assert layers.LeakyReLU(alpha=0.1).negative_slope == 0.1
    assert layers.deserialize({"class_name": "Convolution2D", "config": {"filters": 2, "kernel_size": 3}}).filters == 2
    assert layers.MaxPool2D is layers.MaxPooling2D and layers.Deconv2D is layers.Conv2DTranspose


def test_activity_penalty():
    layer = layers.ActivityRegularization(l1=0.5, l2=0.25)
    layer(np.array([[1.0, -2.0]]))
    assert float(layer.losses[0]) == pytest.approx(0.5 * 3 + 0.25 * 5)


def test_spectral_normalization_reaches_norm_one():
    layer = layers.SpectralNormalization(layers.Dense(5), power_iterations=30)
    layer(np.ones((2, 8), "float32"), training=True)
    assert np.linalg.svd(layer.layer.kernel.numpy())[1][0] == pytest.approx(1, rel=1e-3)


# --- what constructors check beyond single fields


class Marked(Configurable):
    """A base beside a layer, as users mix them in: its own checks must run too."""

    def __post_init__(self):
        super().__post_init__()
        self.marked = True


MIXED = {
    "Attention": (),
    "MultiHeadAttention": (1, 2),
    "GroupQueryAttention": (2, 4, 2),
    "SimpleRNNCell": (2,),
    "LSTM": (2,),
    "RNN": (layers.SimpleRNNCell(2),),
    "Bidirectional": (layers.SimpleRNN(2),),
    "Conv1D": (2, 3),
    "Conv2DTranspose": (2, 3),
    "DepthwiseConv1D": (2,),
    "LocallyConnected1D": (2, 3),
    "ConvLSTM1D": (2, 3),
    "MaxPooling1D": (),
    "UpSampling2D": (),
    "Dropout": (0.5,),
    "GaussianNoise": (0.5,),
    "SpatialDropout1D": (0.5,),
    "ActivityRegularization": (),
    "BatchNormalization": (),
    "Embedding": (2, 3),
    "Lambda": (abs,),
    "Permute": ((2, 1),),
}


@pytest.mark.parametrize("name", MIXED)
def test_post_init_of_further_bases_runs(name):
    mixed = type("Mixed", (getattr(layers, name), Marked), {}, abstract=True)
    assert mixed(*MIXED[name]).marked


@pytest.mark.parametrize("name", ["Conv2D", "ConvLSTM2D"])
def test_strides_or_dilation_alone_are_fine(name):
    for argument in ("strides", "dilation_rate"):
        assert getattr(layers, name)(2, 2, **{argument: 2}).get_config()[argument] == (2, 2)
    with pytest.raises(ValueError, match="strides > 1"):
        getattr(layers, name)(2, 2, strides=2, dilation_rate=2)


@pytest.mark.parametrize("base", [layers.Dense, layers.Conv1D, layers.PReLU, layers.Embedding, layers.SeparableConv1D])
def test_a_layer_with_a_constructor_of_its_own_keeps_what_its_base_gives_weights(base):
    class Own(base):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)

    arguments = {
        layers.Dense: ((2,), ("kernel", "bias")),
        layers.Conv1D: ((2, 1), ("kernel", "bias")),
        layers.PReLU: ((), ("alpha",)),
        layers.Embedding: ((4, 3), ("embeddings",)),
        layers.SeparableConv1D: ((2, 1), ("depthwise", "pointwise", "bias")),
    }
    positional, names = arguments[base]
    made = [(f"{n}_initializer", "ones") for n in names] + [(f"{n}_constraint", "non_neg") for n in names]
    layer = Own(*positional, **dict(made), **{f"{n}_regularizer": "l2" for n in names})
    layer.build((None, 5, 3))
    assert len(layer.weights) == len(names) == len(layer.losses)
    assert all((np.asarray(w) == 1).all() and w.constraint is not None for w in layer.weights)


@pytest.mark.parametrize("base", [layers.LSTM, layers.GRU, layers.SimpleRNN])
def test_recurrent_layers_with_a_constructor_of_their_own(base):
    class Own(base):
        def __init__(self, units, extra=1, **kwargs):
            super().__init__(units, **kwargs)
            self.extra = extra

        def get_config(self):
            return {**super().get_config(), "extra": self.extra}

    options = {"kernel_initializer": "ones", "recurrent_initializer": "zeros", "return_sequences": True}
    own, plain, x = Own(2, extra=3, **options), base(2, **options), np.ones((1, 4, 3), "float32")
    np.testing.assert_array_equal(own(x), plain(x))
    again = Own.from_config(own.get_config())
    assert again.extra == 3 and again.units == 2 and again.return_sequences


# Arguments in the order in which Keras 3.15 takes them by position.
ORDERS = {
    "LSTM": "bias_regularizer activity_regularizer kernel_constraint recurrent_constraint bias_constraint dropout "
    "recurrent_dropout seed return_sequences return_state go_backwards stateful unroll",
    "GRU": "bias_regularizer activity_regularizer kernel_constraint recurrent_constraint bias_constraint dropout "
    "recurrent_dropout seed return_sequences return_state go_backwards stateful unroll reset_after",
    "GRUCell": "dropout recurrent_dropout reset_after seed",
    "ConvLSTM2D": "bias_regularizer activity_regularizer kernel_constraint",
    "Embedding": "input_dim output_dim embeddings_initializer embeddings_regularizer embeddings_constraint mask_zero",
    "Conv2DTranspose": "filters kernel_size strides padding output_padding data_format dilation_rate",
    "Conv3DTranspose": "filters kernel_size strides padding data_format output_padding dilation_rate",
    "InputLayer": "shape batch_size dtype sparse ragged batch_shape input_tensor optional name",
    "Input": "shape batch_size dtype sparse ragged batch_shape name tensor optional",
    "StringLookup": "invert output_mode pad_to_max_tokens sparse encoding name",
    "MaxPooling1D": "pool_size strides padding data_format name",
    "SpatialDropout2D": "rate data_format seed name dtype",
    "Discretization": "bin_boundaries num_bins epsilon output_mode sparse dtype name",
    "MultiHeadAttention": "output_shape attention_axes sliding_window flash_attention kernel_initializer",
    "STFTSpectrogram": "frame_length frame_step fft_length window periodic scaling padding expand_dims data_format",
}


@pytest.mark.parametrize("name", ORDERS)
def test_orders_of_arguments(name):
    assert ORDERS[name] in " ".join(inspect.signature(getattr(layers, name)).parameters)


def test_names_by_position():
    layer = layers.MaxPooling2D(3, None, "same", None, "pool")
    assert layer.name == "pool" and layer.get_config()["name"] == "pool"
    assert layers.SpatialDropout1D(0.5, 1, "drop", "float16").get_config()["dtype"] == "float16"
    assert layers.MaxPooling2D.from_config(layer.get_config()).get_config() == layer.get_config()
    with pytest.raises(TypeError, match="at most 5 positional"):
        layers.MaxPooling2D(3, None, "same", None, "pool", 1)
