"""How Keras 1 (and early Keras 2) spelled arguments: one table from old names to new ones.

An old name is translated for every class and function that has one of the new names among its parameters, and not
the old one itself. `adapting.py` does it; this file only says what is meant.
"""

import math
import warnings
from typing import Any

import numpy as np

# old name: the names it may have now (the first that a function has is taken)
RENAMES = {
    # layers
    "output_dim": "units",
    "nb_filter": "filters",
    "filter_length": "kernel_size",
    "nb_row": "num_row",
    "nb_col": "num_col",
    "subsample": "strides",
    "subsample_length": "strides",
    "stride": "strides",
    "border_mode": "padding",
    "atrous_rate": "dilation_rate",
    "filter_dilation": "dilation_rate",
    "dim_ordering": "data_format",
    "pool_length": "pool_size",
    "length": "size",
    "p": "rate",
    "sigma": "stddev",
    "init": "kernel_initializer embeddings_initializer alpha_initializer",
    "inner_init": "recurrent_initializer",
    "beta_init": "beta_initializer",
    "gamma_init": "gamma_initializer",
    "forget_bias_init": "unit_forget_bias",
    "inner_activation": "recurrent_activation",
    "W_regularizer": "kernel_regularizer embeddings_regularizer",
    "U_regularizer": "recurrent_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint embeddings_constraint",
    "U_constraint": "recurrent_constraint",
    "b_constraint": "bias_constraint",
    "bias": "use_bias",
    "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout",
    "consume_less": "implementation",
    "alpha": "negative_slope",
    "input_dtype": "dtype",
    # models and training
    "input": "inputs",
    "output": "outputs",
    "nb_epoch": "epochs",
    "num_epochs": "epochs",
    "nb_worker": "workers",
    "pickle_safe": "use_multiprocessing",
    "max_q_size": "max_queue_size",
    "samples_per_epoch": "steps_per_epoch",
    "nb_val_samples": "validation_steps",
    "val_samples": "steps",
    # optimizers, constraints, regularizers, initializers, callbacks
    "lr": "learning_rate",
    "m": "max_value",
    "low": "min_value minval",
    "high": "max_value maxval",
    "l": "l1 l2",
    "scale": "gain stddev",
    "epsilon": "min_delta",
    # backend, preprocessing, utilities, data sets
    "dim": "axis",
    "std": "stddev",
    "a": "x",
    "X": "x arrays",
    "e": "value",
    "xs": "tensors",
    "ops": "tensors",
    "data_format": "value",
    "f": "group",
    "layers": "model",
    "md5_hash": "file_hash",
    "floatx": "value",
    "nb_words": "num_words",
    "nb_classes": "num_classes",
    "nb_class": "num_classes",
    "nb_train": "num_train",
    "nb_test": "num_test",
    "nb_sample": "num_samples",
    "broatcastable": "broadcastable",
    "y": "x",
    "input_text": "text",
    "text": "input_text",
    "intensity": "intensity_range",
    "instance": "obj",
    "identifier": "config",
    "variable": "x",
    "top_n": "top",
}

_WEIGHT_GROUPS = "load_weights_from_hdf5_group load_weights_from_hdf5_group_by_name save_weights_to_hdf5_group"
# Translations that are for these functions only: the words are too common to be taken for the same everywhere.
ONLY_FOR = {
    "alpha": "LeakyReLU",
    "epsilon": "ReduceLROnPlateau",
    "length": "UpSampling1D",
    "scale": "RandomNormal Orthogonal Identity",
    "low": "MinMaxNorm random_uniform",
    "high": "MinMaxNorm random_uniform",
    "a": "normalize",
    "y": "to_categorical",
    "variable": "moving_average_update",
    "e": "set_epsilon",
    "floatx": "set_floatx",
    "m": "MaxNorm max_norm maxnorm",
    "identifier": "deserialize_keras_object",
    "instance": "serialize_keras_object",
    "dim": "expand_dims",
    "ops": "batch_get_value",
    "data_format": "set_image_data_format",
    "f": _WEIGHT_GROUPS,
    "layers": _WEIGHT_GROUPS,
    "md5_hash": "validate_file",
    "output_dim": "Dense SimpleRNN GRU LSTM SimpleRNNCell GRUCell LSTMCell CuDNNGRU CuDNNLSTM RNN",
    "input": "Model Sequential Functional",
    "output": "Model Sequential Functional",
}

# The two tables above, by today's name: (old name, which of the new names this is, where it holds)
OLD_NAMES = {}
for _old, _new in RENAMES.items():
    for _rank, _name in enumerate(_new.split()):
        _where = ONLY_FOR.get(_old)
        OLD_NAMES.setdefault(_name, []).append((_old, _rank, _where and set(_where.split())))

_ORDERINGS = {"tf": "channels_last", "th": "channels_first", "default": None}
VALUES = {
    "dim_ordering": _ORDERINGS,
    "consume_less": {"cpu": 0, "mem": 1, "gpu": 2},
    "forget_bias_init": {"one": True, "ones": True, "zero": False, "zeros": False},
    "reduction": {"auto": "sum_over_batch_size"},
}

# Several old arguments that are one now.
JOINED = {"kernel_size": (("nb_row", "nb_col"), ("kernel_dim1", "kernel_dim2", "kernel_dim3"))}

# Arguments that have no meaning any more, and what is said about them (nothing if it cannot matter).
DROPPED = {
    "consume_less": "",
    "image_shape": "",
    "filter_shape": "",
    "volume_shape": "",
    "implementation": "",
    "show_accuracy": "show_accuracy is ignored: compile the model with metrics=['accuracy'].",
    "class_mode": "class_mode is ignored: the loss says what the classes are.",
}


def translate_initializer(value: Any) -> Any:
    """Keras 1 called initializers with a shape and a name, and got a variable."""
    if not callable(value) or isinstance(value, type) or hasattr(value, "get_config"):
        return value

    def initializer(shape, dtype=None, **kwargs):
        return np.asarray(value(tuple(shape)), dtype)

    initializer.__name__ = getattr(value, "__name__", "initializer")
    return initializer


def _input_shape(kwargs, axes):
    """`input_dim` and `input_length` gave the shape of sequences."""
    if "input_dim" in kwargs or "input_length" in kwargs:
        length, dim = kwargs.pop("input_length", None), kwargs.pop("input_dim", None)
        if dim is not None and "input_shape" not in kwargs and "batch_input_shape" not in kwargs:
            kwargs["input_shape"] = (length, dim) if axes == 2 else (dim,)


def _sequence(kwargs, positional):
    _input_shape(kwargs, 2)


def _convolution(kwargs, positional):
    kwargs.pop("output_shape", None)  # of Deconvolution2D; it is inferred


def _separable(kwargs, positional):
    _convolution(kwargs, positional)
    if "init" in kwargs:
        kwargs["depthwise_initializer"] = kwargs["pointwise_initializer"] = kwargs.pop("init")


def _batch_normalization(kwargs, positional):
    mode = kwargs.pop("mode", 0)
    if mode == 1:
        raise TypeError("BatchNormalization: mode=1 (each sample by itself) is LayerNormalization today. Use that.")
    if mode == 2:
        raise TypeError(
            "BatchNormalization: mode=2 (batch statistics at prediction, too) is gone. Call it with training=True."
        )


def _embedding(kwargs, positional):
    if kwargs.pop("dropout", 0):
        warnings.warn(
            "Embedding: the argument `dropout` is ignored. Put a SpatialDropout1D layer after the Embedding layer."
        )


def _zero_padding(kwargs, positional):
    padding = positional[0] if positional else kwargs.get("padding")
    if isinstance(padding, dict):
        sides = ("left_pad", "right_pad")
        names = sides if set(padding) <= set(sides) else ("top_pad", "bottom_pad", *sides)
        unknown = sorted(set(padding) - set(names))
        if unknown:
            raise ValueError(f"ZeroPadding: expected the keys {', '.join(names)} in padding. Received: {unknown}")
        padding = tuple(padding.get(name, 0) for name in names)
    if isinstance(padding, (tuple, list)) and len(padding) == 4:
        padding = ((padding[0], padding[1]), (padding[2], padding[3]))
    if positional:
        positional[0] = padding
    elif padding is not None:
        kwargs["padding"] = padding


def _steps(samples, generator):
    """Keras 1 counted samples, Keras 2 counts batches: the number of batches that hold so many samples."""
    size = getattr(generator, "batch_size", None)
    if size is None and hasattr(generator, "__getitem__") and hasattr(generator, "__len__"):
        size = _rows(generator[0])
    if size is None and hasattr(generator, "__next__"):
        first = next(generator)
        generator = _Resumed(first, generator)
        size = _rows(first)
    return (math.ceil(samples / size) if size else samples), generator


def _rows(batch):
    x = batch[0] if isinstance(batch, (tuple, list)) else batch
    while isinstance(x, (list, tuple, dict)):
        x = next(iter(x.values() if isinstance(x, dict) else x))
    return len(x)


class _Resumed:
    """An iterator whose first item has been looked at."""

    def __init__(self, first, rest):
        self.first, self.rest = [first], rest

    def __iter__(self):
        return self

    def __next__(self):
        return self.first.pop() if self.first else next(self.rest)


def _generator(kwargs, positional):
    data = "generator" if "generator" in kwargs else None
    generator = kwargs[data] if data else positional[0]
    for old, new in (("samples_per_epoch", "steps_per_epoch"), ("val_samples", "steps")):
        if old in kwargs:
            kwargs[new], generator = _steps(kwargs.pop(old), generator)
    if data:
        kwargs[data] = generator
    else:
        positional[0] = generator
    if "nb_val_samples" in kwargs:
        samples, validation = kwargs.pop("nb_val_samples"), kwargs.get("validation_data")
        if samples is not None and validation is not None and not isinstance(validation, (tuple, list)):
            kwargs["validation_steps"], kwargs["validation_data"] = _steps(samples, validation)


_SUBMODULES = ("backend", "layers", "models", "utils")


def _of_applications(kwargs, positional):
    """keras_applications was told the modules of the Keras that it was to use."""
    for name in _SUBMODULES:
        kwargs.pop(name, None)


# Classes or functions, what prepares their arguments, and the old ones that it takes. Where nothing prepares them,
# the class itself takes the old arguments.
_PREPARE = (
    ("Nadam", None, "schedule_decay decay"),
    ("SGD Adam Adamax Adagrad Adadelta RMSprop", None, "decay"),
    ("LambdaCallback", None, "on_batch_begin on_batch_end"),
    (
        "SimpleRNN GRU LSTM CuDNNGRU CuDNNLSTM Conv1D LocallyConnected1D TimeDistributedDense",
        *(_sequence, "input_dim input_length"),
    ),
    (
        "Conv2D Conv3D Conv2DTranspose Conv3DTranspose LocallyConnected2D ConvLSTM2D",
        *(_convolution, "output_shape"),
    ),
    ("SeparableConv2D", _separable, "init"),
    ("BatchNormalization", _batch_normalization, "mode"),
    ("Embedding", _embedding, "dropout input_length"),
    ("ZeroPadding1D ZeroPadding2D", _zero_padding, ""),
    (
        "Model.fit_generator Model.evaluate_generator Model.predict_generator",
        *(_generator, "samples_per_epoch val_samples nb_val_samples"),
    ),
    (
        "DenseNet121 DenseNet169 DenseNet201 InceptionResNetV2 InceptionV3 MobileNet MobileNetV2 NASNetLarge "
        "NASNetMobile ResNet50 ResNet101 ResNet152 ResNet50V2 ResNet101V2 ResNet152V2 VGG16 VGG19 Xception "
        "preprocess_input decode_predictions",
        *(_of_applications, " ".join(_SUBMODULES)),
    ),
)


# What more a class or function needs than renaming: a function that changes (keywords, positional arguments), and the
# names of the old arguments that it takes.
PREPARE = {_name: (_prepare, _taken.split()) for _names, _prepare, _taken in _PREPARE for _name in _names.split()}
