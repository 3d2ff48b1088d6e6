"""Settings of the whole library: number types, the layout of images, and the generation of Keras that is followed.

``KERAS_HOME/keras.json`` (by default ``~/.keras/keras.json``) gives `floatx`, `epsilon` and `image_data_format`, as in
Keras.
"""

import json
import logging
import os
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

FLOAT_TYPES = ("float16", "bfloat16", "float32", "float64")
IMAGE_FORMATS = ("channels_last", "channels_first")

# What differs between the generations of Keras, with the native (Keras 3) value of each.
# compat/generations.py holds the other generations' columns and describes the rows.
behaviour = SimpleNamespace(
    generation="3",
    version="3.15.1",  # what keras.__version__ says
    defaults="3",  # which column of constructors' defaults holds: a generation's, or that of a version of Keras 2
    backend_name="jax",
    first_name_suffix=False,  # True: the first Dense is `dense_1`
    numbered_inputs=False,  # True: inputs are named `input_1`, ...; not `input_layer`, ...
    lowercase_names=False,  # True: layers are named as Keras 1 did: `maxpooling2d_1`, `convolution2d_1`
    weight_suffix=False,  # True: a weight's name is `dense_1/kernel:0`, not `kernel`
    accuracy_name=None,  # what the logs call metrics=["accuracy"] and ["acc"]; None: as the user wrote it
    progress_bar="keras3",
    relu6_hard_sigmoid=True,  # False: clip(0.2 x + 0.5, 0, 1)
    optimizer_formulas="keras3",
    average_begins_with_weights=False,  # True: the averages of use_ema begin before the first step, not after it
    deferred_updates=False,  # True: updates made in a layer's call run in training only
    frozen_uses_batch=False,  # True: a frozen BatchNormalization in training normalizes by the batch's statistics
    frozen_updates_dropped=False,  # True: nothing inside a frozen layer or model is updated, unless it is stateful
    updates_in_training_only=False,  # True: K.function and the like leave statistics and added updates alone
    track_attribute_variables=True,  # False: only add_weight and trainable_weights make weights
    recursive_trainable=True,  # False: `trainable` of a model leaves its layers' own flags alone
    weights_trainable_first=False,  # True: model.weights lists all trainable weights first
    mean_activity_regularizer=True,  # True: the activity penalty is divided by the batch size
    weights_normalized_by_count=False,  # True: weighted losses are divided by the number of nonzero weights
    metric_name_from_function=False,  # True: metrics=["mse"] is logged as mean_squared_error
    fractional_steps=False,  # True: fit and the like take a number of steps such as 31.25, which means 32
    digits_end_words=False,  # True: a layer of the class ConvLSTM2D is called conv_lst_m2d
    keras_archives=True,  # False: models are written to HDF5 files, whatever the file's name
    nested_weights_files=True,  # False: files that end in .weights.h5 have the flat layout of all others
    keras3_json=True,  # False: to_json describes models as Keras 2 did
    save_needs_suffix=True,  # False: models are written to files of any name
    epochs_shuffle_on=False,  # True: each epoch shuffles the order of the one before, not the rows as they were given
    epochs_go_round=False,  # True: an epoch of arrays that is longer than what is left of a pass goes on in the next
    # False: metrics of several outputs, and losses of those in a dictionary, come in the outputs' order, not by name
    metrics_of_outputs_sorted=True,
    metrics_by_place=True,  # False: a flat list of metrics is for every output, however long it is
    metrics_get_aligned_targets=False,  # True: metrics of (n, 1) outputs get targets of shape (n,) as (n, 1)
    lone_output_loss=False,  # True: the loss of an output is logged also where no other output has one
    running_batch_logs=True,  # False: batch logs are of the batch alone, and so is what train_on_batch returns
    seeds_are_variables=True,  # False: layer.variables are the weights, without states of random generators
    executions_count_full=True,  # False: a short last group of steps_per_execution has the number of its last step
    counts_in_batch_logs=False,  # True: logs of batches hold `batch` and `size` too
    quiet_predict=False,  # True: predict and evaluate_generator print nothing unless asked
    flat_stacked_states=False,  # True: StackedRNNCells has one flat list of states, the last cell's first
    bidirectional_zero_masked=True,  # False: masked steps of Bidirectional sequences repeat the output before
    unsupported_mask_error=False,  # True: a mask that reaches a layer that cannot use it is an error
    merged_mask="any",  # a step of merged inputs is valid where "any" of them is, or where "all" are
    unbiased_moving_variance=False,  # True: BatchNormalization's moving variance is of the n / (n - 1) kind
    gates_initialized_apart=False,  # True: each gate of a recurrent cell gets an initial matrix of its own
    identity_of_squares=False,  # True: the Identity initializer refuses matrices that are not square
    weighted_metric_prefix=False,  # True: a metric of weighted_metrics is logged as weighted_mean_squared_error
    metrics_need_loss=False,  # True: metrics of an output without a loss are left out
    top_k_is_mean=False,  # True: the functions of top-k accuracy give one number, the mean over the samples
    ctc_beams_merged=False,  # True: K.ctc_decode merges equal neighbours in the labels of beams
    ctc_scores_of_best=False,  # True: its scores of beams are relative to the product of the best of each frame
    model_io_structured=True,  # True: model.input and model.output are as Model was given them, False: lists
    model_io_lists_of_one=True,  # True: model.input is a list of one where Model was given that
    model_input_shapes_checked=True,  # True: a model is called on the shapes of its inputs alone
    sequential_in_paths=True,  # True: the paths of weights begin with the name of the Sequential that makes them
    early_layers_first=True,  # True: layers that a model got as attributes before its graph come before those of it
    steps_carry_state=True,  # True: a train_step(*args) that hands its arguments on is one of (state, data)
    stateless_are_built=True,  # True: layers without weights are built from the start
    unmonitored_is_saved=True,  # True: ModelCheckpoint saves although the logs lack what tells which is the best
    clones_compiled=True,  # True: clone_model compiles what it makes as the original was
    model_inputs_are_inputs=False,  # True: the inputs of a model must be those of Input layers
    callbacks_see_validation=False,  # True: callbacks get validation_data: a list of inputs, targets and weights
    histograms_need_validation=False,  # True: TensorBoard refuses histogram_freq where there are no validation arrays
    scopes_change_registry=False,  # True: get_custom_objects() has what scopes add, until they end
    calls_use_outer_symbols=False,  # True: a layer's call may use symbols of the graph around it that are no inputs
    live_layers=False,  # True: model.layers is the model's own list, which programs shorten
    summary_checks_trainable=False,  # True: summary() warns if `trainable` was changed after compile
    lists_not_tuples=False,  # True: weights of several outputs are given in lists or dictionaries, not in tuples
    unknown_weights_ignored=False,  # True: sample weights under names that no output has are left out
    sequential_lists_input=False,  # True: the layers of a Sequential begin with an InputLayer that was added
    super_output_shape_is_input=False,  # True: compute_output_shape of the base returns the shape that it is given
    embedding_is_an_input=False,  # True: an Embedding that comes first in a model takes sequences of any length
    conv1d_follows_image_format=True,  # False: layers over one axis are channels_last unless told otherwise
    # fit announces its samples and each epoch, counts samples, shows the listed metrics; evaluate shows none
    classic_progress=False,
    csv_has_val_columns=True,  # False: a CSVLogger whose first epoch has no validation never has columns for it
    epoch_digits=1,  # how many digits the messages of callbacks give an epoch at least
    auto_mode_knows_scores=True,  # False: mode="auto" expects only acc, auc and fmeasure to grow
    file_epochs_from=1,  # what ModelCheckpoint calls the first epoch in the names of files
    lr_log_name="learning_rate",  # what schedules of callbacks call the learning rate in the logs
    # True: the rate of a schedule is that of the last step, not of the next, and callbacks leave it as it is
    scheduled_rate_stays=False,
    tensorboard_one_folder=False,  # True: TensorBoard writes to log_dir itself, under bare names
    fixed_phase_in_fit=False,  # True: K.set_learning_phase holds for fit, evaluate and predict too
    accuracy_is_mean=False,  # True: the functions accuracy and binary_accuracy give means over the last axis
    metrics_drop_ignored=False,  # False: without weights, samples of a metric's ignore_class count, with the value 0
    iou_counts_integers=True,  # False: metrics of the intersection over union count in floats
    accuracy_follows_loss=False,  # True: what "accuracy" means depends on the loss, not on the targets' shape
    metric_name_as_written=True,  # False: metrics=["AUC"] is logged under the name of the object, as auc
    metric_names_give_objects=True,  # False: metrics.get("mse") is the function
    expressions_recorded=False,  # True: K's functions of variables record expressions outside of calls
    keras_tensor_is_of_layer=False,  # True: K.is_keras_tensor is only true of what a layer returned
    ctc_labels_trimmed=False,  # True: K.ctc_decode gives no columns that no sequence reaches
    unseeded_values_repeat=True,  # False: an initializer without a seed gives other values at each call
    add_weight_name_third=False,  # True: add_weight(shape, initializer, name)
    lambda_code_as_list=False,  # True: a Lambda's configuration has its code as [code, defaults, closure]
    model_name="functional",  # what models without a name are called
    plain_model_class="Functional",  # the class of a Model of layers in saved configurations
    optimizer_saved_by_name=True,  # True: model files name the optimizer as Custom>Adam
    optimizer_state_by_kind=False,  # True: model files have the optimizer's arrays kind by kind, not weight by weight
    boxed_summary=True,  # False: summary() has rules of = and _, not a table of box characters
    archives_unpacked_beside=False,  # True: get_file unpacks next to the archive and returns the archive's path
    classic_resnet50=False,  # True: ResNet50 has the layers and files of Keras 1 and 2
    batch_dot_of_matrices=False,  # True: K.batch_dot multiplies matrices, as before Keras 2.3; False: it sums over axes
    unlimited_arguments=False,  # True: rates, slopes and crops have no limits; a rate of 1 drops nothing
    negative_leaks=False,  # True: LeakyReLU takes negative slopes
    softmax_needs_batch=False,  # True: the activation softmax refuses tensors of one axis
    layer_as_activation_warns=False,  # True: a layer as the activation of another layer gives a warning
    merges_need_two=False,  # True: layers that merge a list of inputs refuse a list of one
    theano_backend_is_k=False,  # True: keras.backend.theano_backend is K; False: it cannot be imported
    numpy_numbers=False,  # True: evaluate and train_on_batch return numbers of NumPy
    scaled_normals="truncated_normal",  # the distribution of he_normal, glorot_normal and lecun_normal
    old_configurations=False,  # True: configurations are those of Keras 2, with `lr`, L1L2 and VarianceScaling
    rate_argument="learning_rate",  # what old configurations of optimizers call the learning rate
    sequential_config_is_list=False,  # True: the configuration of a Sequential is a list of its layers, without a name
    dimensions_have_values=False,  # True: x.shape[1].value is a number, as in TensorFlow 1
    optimizers_are_shared=False,  # True: an optimizer of one model makes slots for the variables of another one too
)


def keras_home() -> Path:
    """The folder for configuration, data sets and weights: ``KERAS_HOME``, or ``~/.keras``."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras").expanduser()


# What users set for the whole process. `core/context.py` has what holds for a block of code.
settings = SimpleNamespace(
    interactive=True,
    flash_attention=None,
    floatx="float32",
    epsilon=1e-7,
    image_data_format="channels_last",
    check_finite=True,
    debug_nans=False,
    data_timeout=None,  # seconds that training waits for a batch
    max_epochs=None,  # how many epochs a fit may have at most
    max_steps_per_epoch=None,  # how many steps an epoch, an evaluation or a prediction may have at most
    distribution=None,  # how data and variables lie on devices
    dtype_policy=None,  # of layers that are given none; None: floatx
    learning_phase=None,  # what set_learning_phase fixed
    unsafe_deserialization=False,  # whether there was consent to run code from files
    seeds=None,  # a generator that seeds are drawn from; None: NumPy's global one
    seed_generator=None,  # the stream for random functions without a seed, outside any layer
)


def floatx() -> str:
    """The default float type, `"float32"` unless it was changed.

    >>> floatx()
    'float32'
    """
    return settings.floatx


def set_floatx(value: str) -> None:
    """Sets the default float type.

    Args:
        value: `"float16"`, `"bfloat16"`, `"float32"` or `"float64"`.

    Raises:
        ValueError: if it is something else.
    """
    value = getattr(value, "name", value)
    if value not in FLOAT_TYPES:
        raise ValueError(f"set_floatx: expected one of {', '.join(FLOAT_TYPES)}. Received: {value!r}")
    require_float64(value)
    settings.floatx = value


def require_float64(dtype):
    """Makes JAX compute in 64 bits if this type needs it. JAX does so only if it is told to, for the whole process."""
    if str(dtype) == "float64":
        import jax

        if not jax.config.jax_enable_x64:
            jax.config.update("jax_enable_x64", True)


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite, 1e-7 unless it was changed.

    >>> epsilon()
    1e-07
    """
    return settings.epsilon


def set_epsilon(value: float) -> None:
    """Sets the number that `epsilon` returns.

    Args:
        value: a small positive number.
    """
    settings.epsilon = float(value)


def image_data_format() -> str:
    """Where images have their channels by default: `"channels_last"` or `"channels_first"`.

    >>> image_data_format()
    'channels_last'
    """
    return settings.image_data_format


def set_image_data_format(data_format: str) -> None:
    """Sets where images have their channels by default.

    Args:
        data_format: `"channels_last"` or `"channels_first"`.

    Raises:
        ValueError: if it is something else.
    """
    settings.image_data_format = standardize_data_format(data_format)


def standardize_data_format(value: str | None) -> str:
    """Checks a `data_format` argument; ``None`` stands for the default one."""
    if value is None:
        return settings.image_data_format
    if str(value).lower() not in IMAGE_FORMATS:
        raise ValueError(f"data_format: expected 'channels_last' or 'channels_first'. Received: {value!r}")
    return str(value).lower()


def check_finite() -> bool:
    """Whether data for training and evaluation are searched for NaN and infinities, as they are by default."""
    return settings.check_finite


def set_check_finite(value: bool) -> None:
    """Switches the search for NaN and infinities in data for training and evaluation on or off.

    Args:
        value: whether to search.
    """
    settings.check_finite = bool(value)


def data_timeout() -> float | None:
    """The seconds that training waits for a batch: 600, or ``ONEIROS_BATCH_TIMEOUT``. `None` stands for no limit."""
    return settings.data_timeout


def set_data_timeout(seconds: float | None) -> None:
    """Sets after how many seconds without a batch training ends with `DataWorkerError`.

    Args:
        seconds: a positive number; `None` sets no limit.

    Raises:
        ValueError: if it is something else.
    """
    if seconds is not None and not float(seconds) > 0:
        raise ValueError(f"set_data_timeout: expected a positive number or None. Received: {seconds!r}")
    settings.data_timeout = None if seconds is None or float(seconds) == float("inf") else float(seconds)


def max_epochs() -> int | None:
    """The largest number of epochs of a `fit`, `None` for no limit; at first that of ``KERAS_MAX_EPOCHS``."""
    return settings.max_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Limits the epochs of every `fit`, so that a long program can be tried in short.

    Args:
        max_epochs: a positive number; `None` sets no limit.

    Raises:
        ValueError: if it is something else.
    """
    settings.max_epochs = _limit("max_epochs", max_epochs)


def max_steps_per_epoch() -> int | None:
    """The largest number of steps of an epoch, `None` for no limit; at first that of ``KERAS_MAX_STEPS_PER_EPOCH``."""
    return settings.max_steps_per_epoch


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Limits the steps of each epoch, each validation, `evaluate` and `predict`.

    Args:
        max_steps_per_epoch: a positive number; `None` sets no limit.

    Raises:
        ValueError: if it is something else.
    """
    settings.max_steps_per_epoch = _limit("max_steps_per_epoch", max_steps_per_epoch)


def _limit(name, value):
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ValueError(f"set_{name}: expected a positive whole number or None. Received: {value!r}")
    return None if value is None else int(value)


def debug_nans() -> bool:
    """Whether training and evaluation stop with an explanation when a loss or metric is NaN or infinite."""
    return settings.debug_nans


def set_debug_nans(value: bool) -> None:
    """Sets whether `fit`, `evaluate` and the like raise `FloatingPointError` at the first NaN.

    The message names the step, the layer and the row; the weights are those before that step. It costs nothing until it
    happens: then the last steps are computed again. The callback `NaNReport` does the same for one `fit`.

    Args:
        value: whether to do so.
    """
    settings.debug_nans = bool(value)


def enable_interactive_logging() -> None:
    """Lets progress and messages of training go to the standard output, as they do by default."""
    settings.interactive = True


def disable_interactive_logging() -> None:
    """Lets progress and messages of training go to the logger "oneiros" instead of the standard output."""
    settings.interactive = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress and messages of training go to the standard output.

    >>> is_interactive_logging_enabled()
    True
    """
    return settings.interactive


def write_message(text: str) -> None:
    """Writes text to the standard output, or to the logger "oneiros" if interactive logging is disabled."""
    if settings.interactive:
        sys.stdout.write(text)
        sys.stdout.flush()
    elif message := text.strip("\r\n"):
        logging.getLogger("oneiros").info(message)


def enable_flash_attention() -> None:
    """Asks for flash attention. XLA chooses the way of computing attention here, so it has no effect."""
    settings.flash_attention = None


def disable_flash_attention() -> None:
    """Asks for attention without the flash kernel. XLA chooses here, so it has no effect."""
    settings.flash_attention = False


def is_flash_attention_enabled() -> bool | None:
    """What was asked for: `None` or False.

    >>> is_flash_attention_enabled() is None
    True
    """
    return settings.flash_attention


def _read_config_file():
    path = keras_home() / "keras.json"
    if not path.is_file():
        return
    try:
        stored = json.loads(path.read_text())
        setters = {"floatx": set_floatx, "epsilon": set_epsilon, "image_data_format": set_image_data_format}
        for key, setter in setters.items():
            if key in stored:
                setter(stored[key])
        if stored.get("image_dim_ordering") in ("th", "tf") and "image_data_format" not in stored:
            set_image_data_format("channels_first" if stored["image_dim_ordering"] == "th" else "channels_last")
    except (ValueError, TypeError, AttributeError) as error:
        warnings.warn(f"{path} is not a valid configuration and is ignored: {error}")


set_data_timeout(os.environ.get("ONEIROS_BATCH_TIMEOUT", 600))
if "KERAS_MAX_EPOCHS" in os.environ:
    set_max_epochs(int(os.environ["KERAS_MAX_EPOCHS"]))
if "KERAS_MAX_STEPS_PER_EPOCH" in os.environ:
    set_max_steps_per_epoch(int(os.environ["KERAS_MAX_STEPS_PER_EPOCH"]))
_read_config_file()
