"""One row and more for each layer that is not recurrent. Plain data: make_golden.py reads it without this library."""

from dataclasses import dataclass, field


@dataclass
class Row:
    """A layer and inputs for it.

    config: constructor arguments; a `("layer", name, config)` among them stands for a layer.
    inputs: shapes with the batch axis. peer: which implementation made the golden values: "keras" (3), "tf_keras" (2),
    or None where values come from the tests of the family. training: what the call is told.
    low: the inputs are drawn from low to 1, or from the integers 0...9 if dtype says so. mask: whether a mask is given.
    unknown: axes whose lengths may be unknown. twin: whether channels_first must give the same as channels_last.
    masking: what becomes of a mask on (N, T, C) inputs: "keep", "drop" (with a warning), or None: a test of its own.
    """

    layer: str
    config: dict = field(default_factory=dict)
    inputs: tuple = ((2, 4),)
    peer: str | None = "keras"
    training: bool = False
    low: float = -1.0
    dtype: str = "float32"
    mask: bool = False
    unknown: tuple = (0,)
    twin: bool = False
    masking: str | None = None
    gradients: bool = True
    id: str = ""


def _rows(layer, *cases, **common):
    return [Row(layer, **(common | case), id=f"{layer}-{i}") for i, case in enumerate(cases)]


_X1, _X2, _X3 = (2, 7, 4), (2, 6, 5, 4), (2, 5, 4, 3, 2)
_SPATIAL = {1: _X1, 2: _X2, 3: _X3}
_INNER = {1: (0, 1), 2: (0, 1, 2), 3: (0, 1, 2, 3)}


def _family(name, ranks, *configs, **common):
    """The same layer over one to three axes; over three, with every other configuration."""
    rows = []
    for rank in ranks:
        given = {"inputs": (_SPATIAL[rank],), "unknown": _INNER[rank]} | common
        if rank == 3:
            configs = configs[::2]
        rows += _rows(f"{name[0]}{rank}D{name[1]}", *({"config": config(rank)} for config in configs), **given)
    return rows


def _all(value):
    return lambda rank: value


def _conv(**more):
    return lambda rank: {"filters": 3, "kernel_size": (3, 2, 2)[:rank]} | more


def _window(**more):
    return lambda rank: {"kernel_size": (3, 2, 2)[:rank]} | more


def _strides(rank):
    return (2, 1, 2)[:rank]


_MERGED = {"inputs": ((2, 3, 4), (2, 3, 4), (2, 3, 4)), "unknown": (0, 1), "masking": None}

ROWS = [
    *_rows("Dense", {"config": {"units": 3}}, {"config": {"units": 2, "activation": "tanh", "use_bias": False}}),
    *_rows(
        "Dense",
        {"config": {"units": 3, "activation": "softmax", "kernel_regularizer": "l2", "kernel_constraint": "max_norm"}},
        inputs=((2, 3, 4),),
        unknown=(0, 1),
        masking="keep",
    ),
    *_rows("Identity", {"inputs": ((2, 3, 4),), "unknown": (0, 1, 2), "masking": "keep"}),
    *_rows(
        "Activation",
        *({"config": {"activation": name}} for name in ("tanh", "softmax", "elu")),
        inputs=((2, 3, 4),),
        unknown=(0, 1),
        masking="keep",
    ),
    *_rows("ActivityRegularization", {"config": {"l1": 0.1, "l2": 0.01}}, inputs=((2, 3, 4),), masking="keep"),
    *_rows("Masking", {"config": {"mask_value": 3}, "dtype": "int32"}, {}, inputs=((2, 3, 4),), unknown=(0, 1)),
    *_rows("Lambda", {"config": {"function": "double"}, "peer": None}, inputs=((2, 3, 4),), unknown=(0, 1, 2)),
    *_rows(
        "EinsumDense",
        {"config": {"equation": "abc,cd->abd", "output_shape": (None, 5), "bias_axes": "d"}},
        {"config": {"equation": "...x,xy->...y", "output_shape": 5, "activation": "relu"}},
        {"config": {"equation": "abc,cde->aebd", "output_shape": (2, None, 5), "bias_axes": "ed"}},
        {"config": {"equation": "ab...,bc->ac...", "output_shape": (5,), "bias_axes": "c"}, "unknown": (0, 2)},
        inputs=((2, 3, 4),),
        unknown=(0, 1),
        masking="drop",
    ),
    # activations
    *_rows(
        "ReLU",
        {},
        {"config": {"max_value": 0.5, "negative_slope": 0.2, "threshold": 0.1}},
        {"dtype": "int32"},
        inputs=((2, 3, 4),),
        unknown=(0, 1, 2),
        masking="keep",
    ),
    *_rows("LeakyReLU", {}, {"config": {"negative_slope": 0.1}}, inputs=((2, 3, 4),), unknown=(0, 1), masking="keep"),
    *_rows("ELU", {}, {"config": {"alpha": 0.5}}, inputs=((2, 3, 4),), unknown=(0, 1), masking="keep"),
    *_rows("PReLU", {}, {"config": {"shared_axes": [1]}, "unknown": (0, 1)}, inputs=((2, 3, 4),), masking="keep"),
    *_rows("ThresholdedReLU", {"config": {"theta": 0.3}}, inputs=((2, 3, 4),), peer="tf_keras", masking="keep"),
    *_rows("Softmax", {}, {"config": {"axis": 1}}, {"config": {"axis": [1, 2]}}, {"mask": True}, inputs=((2, 3, 4),)),
    # convolutions
    *_family(
        ("Conv", ""),
        (1, 2, 3),
        _conv(),
        _conv(padding="same", activation="relu"),
        lambda rank: _conv(strides=_strides(rank), use_bias=False)(rank),
        lambda rank: _conv(strides=_strides(rank), padding="same")(rank),
        _conv(dilation_rate=2, kernel_size=2),
        lambda rank: _conv(groups=2, filters=4, kernel_regularizer="l2", bias_constraint="non_neg")(rank),
        twin=True,
    ),
    *_rows(
        "Conv1D",
        {"config": _conv(padding="causal", dilation_rate=2)(1)},
        {"config": _conv(padding="causal", strides=2)(1)},
        inputs=(_X1,),
        unknown=(0, 1),
        masking="drop",
        twin=True,
    ),
    *_family(
        ("Conv", "Transpose"),
        (1, 2, 3),
        _conv(),
        _conv(padding="same", activation="relu"),
        lambda rank: _conv(strides=_strides(rank), use_bias=False)(rank),
        _conv(strides=2, padding="same"),
        _conv(strides=3, kernel_size=2),
        _conv(strides=2, padding="same", output_padding=1, kernel_size=3),
        _conv(strides=2, output_padding=0),
        twin=True,
    ),
    *_family(("Conv", "Transpose"), (1, 2), _conv(dilation_rate=2), _conv(dilation_rate=2, padding="same"), twin=True),
    *_family(
        ("DepthwiseConv", ""),
        (1, 2),
        _window(),
        _window(depth_multiplier=2, padding="same", activation="tanh"),
        _window(strides=2, use_bias=False),
        _window(dilation_rate=2, kernel_size=2),
        twin=True,
    ),
    *_family(
        ("SeparableConv", ""),
        (1, 2),
        _conv(),
        _conv(depth_multiplier=2, padding="same", activation="tanh"),
        _conv(strides=2, use_bias=False),
        _conv(dilation_rate=2, kernel_size=2),
        twin=True,
    ),
    *_family(
        ("LocallyConnected", ""),
        (1, 2),
        _conv(),
        _conv(strides=2, activation="tanh"),
        _conv(use_bias=False, data_format="channels_first", kernel_size=2),
        unknown=(0,),
        peer="tf_keras",
    ),
    # pooling
    *_family(
        ("MaxPooling", ""),
        (1, 2, 3),
        _all({}),
        _all({"padding": "same"}),
        lambda rank: {"pool_size": (3, 2, 1)[:rank], "strides": (1, 2, 1)[:rank]},
        lambda rank: {"pool_size": (3, 2, 1)[:rank], "strides": 2, "padding": "same"},
        twin=True,
    ),
    *_family(
        ("AveragePooling", ""),
        (1, 2, 3),
        _all({"pool_size": 2}),
        _all({"pool_size": 2, "padding": "same"}),
        lambda rank: {"pool_size": (3, 2, 1)[:rank], "strides": (1, 2, 1)[:rank]},
        lambda rank: {"pool_size": (3, 2, 1)[:rank], "strides": 2, "padding": "same"},
        twin=True,
    ),
    *_family(("GlobalMaxPooling", ""), (1, 2, 3), _all({}), _all({"keepdims": True}), twin=True),
    *_family(("GlobalAveragePooling", ""), (1, 2, 3), _all({}), _all({"keepdims": True}), twin=True),
    *_rows("GlobalAveragePooling1D", {"mask": True}, {"mask": True, "config": {"keepdims": True}}, inputs=(_X1,)),
    *_family(
        ("AdaptiveMaxPooling", ""),
        (1, 2, 3),
        _all({"output_size": 2}),
        _all({"output_size": 3}),
        unknown=(0,),
        twin=True,
    ),
    *_family(
        ("AdaptiveAveragePooling", ""),
        (1, 2, 3),
        _all({"output_size": 2}),
        lambda rank: {"output_size": (3, 5, 2)[:rank]},
        unknown=(0,),
        twin=True,
    ),
    # shapes
    *_rows("Flatten", {}, {"dtype": "int32"}, inputs=((2, 3, 4),), unknown=(0, 1), masking="drop"),
    *_rows("Flatten", {"config": {"data_format": "channels_first"}}, inputs=((2, 3, 4),), unknown=(0, 1)),
    *_rows(
        "Reshape",
        {"config": {"target_shape": (6, 2)}},
        {"config": {"target_shape": (-1, 2)}, "unknown": (0, 1)},
        {"config": {"target_shape": (2, -1, 1)}, "dtype": "int32"},
        inputs=((2, 3, 4),),
        masking="drop",
    ),
    *_rows(
        "Permute", {"config": {"dims": (2, 1)}}, {"config": {"dims": (1, 2)}, "dtype": "int32"}, inputs=((2, 3, 4),)
    ),
    *_rows("Permute", {"config": {"dims": (3, 1, 2)}}, inputs=((2, 3, 4, 2),), unknown=(0, 1, 2, 3), masking="drop"),
    *_rows("RepeatVector", {"config": {"n": 3}}, {"config": {"n": 2}, "dtype": "int32"}, unknown=(0, 1)),
    *_family(("ZeroPadding", ""), (1, 2, 3), _all({}), _all({"padding": 2}), twin=True),
    *_rows("ZeroPadding1D", {"config": {"padding": (0, 2)}}, inputs=(_X1,), masking="drop", twin=True),
    *_rows("ZeroPadding2D", {"config": {"padding": ((0, 2), (1, 3))}}, inputs=(_X2,), unknown=(0, 2), twin=True),
    *_rows("ZeroPadding3D", {"config": {"padding": ((0, 2), (1, 3), (2, 0))}}, inputs=(_X3,), twin=True),
    *_rows(
        "Cropping1D", {}, {"config": {"cropping": 2}}, {"config": {"cropping": (0, 3)}}, inputs=(_X1,), unknown=(0, 1)
    ),
    *_rows(
        "Cropping2D",
        {},
        {"config": {"cropping": 1}},
        {"config": {"cropping": ((0, 2), (1, 2))}},
        inputs=(_X2,),
        twin=True,
    ),
    *_rows("Cropping3D", {}, {"config": {"cropping": ((0, 2), (1, 2), (0, 1))}}, inputs=((2, 5, 4, 3, 2),), twin=True),
    *_rows(
        "UpSampling1D", {}, {"config": {"size": 3}, "dtype": "int32"}, inputs=(_X1,), unknown=(0, 1), masking="drop"
    ),
    *_rows(
        "UpSampling2D",
        {},
        {"config": {"size": (2, 3)}, "dtype": "int32"},
        *({"config": {"size": (2, 3), "interpolation": name}} for name in ("bilinear", "bicubic", "lanczos3")),
        {"config": {"interpolation": "lanczos5"}},
        inputs=(_X2,),
        unknown=(0, 1),
        twin=True,
    ),
    *_rows("UpSampling3D", {}, {"config": {"size": (1, 2, 3)}}, inputs=(_X3,), unknown=(0, 3), twin=True),
    # normalization
    *_rows(
        "BatchNormalization",
        {"training": True},
        {},
        {"training": True, "config": {"axis": 1, "momentum": 0.8, "epsilon": 0.1}},
        {"training": True, "config": {"center": False, "scale": False}},
        {"training": True, "mask": True},
        inputs=((4, 3, 5),),
        masking="keep",
    ),
    *_rows("BatchNormalization", {"training": True}, {"config": {"axis": 1}}, inputs=(_X2,)),
    *_rows(
        "LayerNormalization",
        {},
        {"config": {"axis": [1, 2], "epsilon": 0.1}},
        {"config": {"axis": 1, "center": False}},
        {"config": {"scale": False}, "unknown": (0, 1)},
        inputs=((2, 3, 4),),
        masking="keep",
    ),
    *_rows(
        "GroupNormalization",
        {"config": {"groups": 2}},
        {"config": {"groups": -1, "scale": False}},
        {"config": {"groups": 1, "center": False, "epsilon": 0.1}},
        {"config": {"groups": 3, "axis": 1}, "inputs": ((2, 6, 5, 4),)},
        inputs=((2, 5, 4),),
        masking="keep",
    ),
    *_rows("UnitNormalization", {}, {"config": {"axis": [1, 2]}}, inputs=((2, 3, 4),), unknown=(0, 1), masking="keep"),
    *_rows("RMSNormalization", {}, {"config": {"axis": [1, 2], "epsilon": 0.1}}, inputs=((2, 3, 4),), masking="drop"),
    *_rows(
        "Rescaling",
        {"config": {"scale": 0.5}},
        {"config": {"scale": 2.0, "offset": -1.0}, "dtype": "int32"},
        inputs=((2, 3, 4),),
        unknown=(0, 1, 2),
        masking="keep",
    ),
    *_rows(
        "SpectralNormalization",
        {"config": {"layer": ("layer", "Dense", {"units": 3}), "power_iterations": 2}, "training": True},
        {"config": {"layer": ("layer", "Dense", {"units": 3})}},
        gradients=False,
    ),
    # parts of ConvNeXt, which Keras does not export
    *_rows(
        "LayerScale",
        {"config": {"init_values": 0.5, "projection_dim": 4}},
        inputs=((2, 3, 4),),
        unknown=(0, 1),
        masking="keep",
        peer=None,
    ),
    *_rows(
        "StochasticDepth",
        {"config": {"drop_path_rate": 0.5}},
        inputs=((2, 3, 4),),
        unknown=(0, 1, 2),
        masking="keep",
        peer=None,
    ),
    # noise: values are tested in test_regularization.py; without training they pass their inputs on
    *_rows("Dropout", {"config": {"rate": 0.5}}, inputs=((2, 3, 4),), unknown=(0, 1, 2), masking="keep"),
    *_rows("SpatialDropout1D", {"config": {"rate": 0.5}}, inputs=((2, 3, 4),), unknown=(0, 1, 2), masking="keep"),
    *_rows("SpatialDropout2D", {"config": {"rate": 0.5}}, inputs=(_X2,), unknown=(0, 1, 2)),
    *_rows("SpatialDropout3D", {"config": {"rate": 0.5}}, inputs=(_X3,), unknown=(0, 1, 2)),
    *_rows("AlphaDropout", {"config": {"rate": 0.5}}, inputs=((2, 3, 4),), unknown=(0, 1, 2), masking="keep"),
    *_rows("GaussianDropout", {"config": {"rate": 0.5}}, inputs=((2, 3, 4),), unknown=(0, 1, 2), masking="keep"),
    *_rows("GaussianNoise", {"config": {"stddev": 0.5}}, inputs=((2, 3, 4),), unknown=(0, 1, 2), masking="keep"),
    # merges
    *(
        row
        for name in ("Add", "Multiply", "Average", "Maximum", "Minimum")
        for row in _rows(
            name,
            {},
            {"inputs": ((2, 3, 4), (2, 1, 4)), "unknown": (0,)},
            {"inputs": ((2, 3, 4), (2, 4)), "unknown": (0,)},
            {"inputs": ((2, 3), (2, 3)), "dtype": "int32"},
            **_MERGED,
        )
    ),
    *_rows(
        "Subtract", {}, {"inputs": ((2, 3), (2, 1)), "unknown": (0,)}, inputs=((2, 3, 4), (2, 3, 4)), unknown=(0, 1)
    ),
    *_rows(
        "Concatenate",
        {},
        {"config": {"axis": 1}, "inputs": ((2, 3, 4), (2, 2, 4)), "unknown": (0, 1)},
        {"config": {"axis": -1}, "inputs": ((2, 3), (2, 2)), "dtype": "int32"},
        **_MERGED,
    ),
    *_rows(
        "Dot",
        {"config": {"axes": 1}},
        {"config": {"axes": 1, "normalize": True}},
        {"config": {"axes": (2, 1)}, "inputs": ((2, 3, 4), (2, 4, 5)), "unknown": (0, 1)},
        {"config": {"axes": -1}, "inputs": ((2, 3, 4), (2, 5, 4)), "unknown": (0, 1)},
        {"config": {"axes": (2, 1)}, "inputs": ((2, 3, 4), (2, 4))},
        {"config": {"axes": (1, 3)}, "inputs": ((2, 3, 4), (2, 5, 2, 3))},
        inputs=((2, 4), (2, 4)),
    ),
]
for _row in ROWS:  # rows of one layer may stand in several places
    _row.id = f"{_row.layer}-{[r for r in ROWS if r.layer == _row.layer].index(_row)}"
