"""What differs between the generations of Keras: behaviour and constructor defaults, each in one table.

Columns: Keras 1 (1.2.2), Keras 2 (2.1.4), tf.keras (TensorFlow 2), Keras 3, which is native. Below the table is what
other versions of Keras 2 did otherwise; Keras 2.4 and later are tf.keras.
"""

from types import SimpleNamespace

from ..core.config import behaviour

GENERATIONS = ("1", "2", "tf", "3")
TITLES = {"1": "Keras 1", "2": "Keras 2", "tf": "tf.keras", "3": "Keras 3"}
_TENSORFLOW = {"1": "1.15.0", "2": "1.15.0", "tf": "2.15.0", "3": "2.21.0"}

# Each row is an attribute of `core.config.behaviour`; what the values mean is said there and where they are read.
BEHAVIOUR = {
    # row                           Keras 1       Keras 2       tf.keras      Keras 3
    "generation":                  ("1",          "2",          "tf",         "3"),
    "version":                     ("1.2.2",      "2.1.4",      "2.15.0",     "3.15.1"),
    "defaults":                    ("1",          "2",          "tf",         "3"),
    "backend_name":                ("tensorflow", "tensorflow", "tensorflow", "jax"),
    "first_name_suffix":           (True,         True,         False,        False),
    "numbered_inputs":             (True,         True,         True,         False),
    "lowercase_names":             (True,         False,        False,        False),
    "weight_suffix":               (True,         True,         True,         False),
    "accuracy_name":               ("acc",        "acc",        None,         None),
    "metric_name_from_function":   (True,         True,         False,        False),
    "metrics_of_outputs_sorted":   (False,        False,        False,        True),
    "metrics_by_place":            (False,        False,        False,        True),
    "metrics_get_aligned_targets": (True,         True,         True,         False),
    "lone_output_loss":            (True,         True,         True,         False),
    "progress_bar":                ("keras1",     "keras2",     "tf",         "keras3"),
    "seeds_are_variables":         (False,        False,        False,        True),
    "executions_count_full":       (False,        False,        False,        True),
    "counts_in_batch_logs":        (True,         True,         False,        False),
    "quiet_predict":               (True,         True,         False,        False),
    "fractional_steps":            (True,         True,         True,         False),
    "digits_end_words":            (False,        True,         True,         False),
    "keras_archives":              (False,        False,        True,         True),
    "nested_weights_files":        (False,        False,        False,        True),
    "keras3_json":                 (False,        False,        False,        True),
    "save_needs_suffix":           (False,        False,        False,        True),
    "epochs_shuffle_on":           (True,         True,         False,        False),
    "epochs_go_round":             (False,        False,        True,         False),
    "running_batch_logs":          (False,        False,        True,         True),
    "weights_normalized_by_count": (True,         True,         False,        False),
    "relu6_hard_sigmoid":          (False,        False,        False,        True),
    "optimizer_formulas":          ("keras1",     "keras2",     "keras3",     "keras3"),
    "average_begins_with_weights": (False,        False,        True,         False),
    "deferred_updates":            (True,         True,         False,        False),
    "frozen_uses_batch":           (True,         True,         False,        False),
    "frozen_updates_dropped":      (False,        True,         False,        False),
    "updates_in_training_only":    (True,         True,         False,        False),
    "track_attribute_variables":   (False,        False,        True,         True),
    "recursive_trainable":         (False,        False,        True,         True),
    "weights_trainable_first":     (True,         True,         False,        False),
    "mean_activity_regularizer":   (False,        False,        True,         True),
    "unsupported_mask_error":      (True,         True,         False,        False),
    "merged_mask":                 ("all",        "all",        "all",        "any"),
    "bidirectional_zero_masked":   (False,        False,        True,         True),
    "flat_stacked_states":         (True,         True,         False,        False),
    "unbiased_moving_variance":    (False,        True,         False,        False),
    "gates_initialized_apart":     (True,         False,        False,        False),
    "identity_of_squares":         (True,         True,         False,        False),
    "weighted_metric_prefix":      (True,         True,         False,        False),
    "metrics_need_loss":           (True,         True,         False,        False),
    "top_k_is_mean":               (True,         True,         False,        False),
    "ctc_beams_merged":            (True,         True,         True,         False),
    "ctc_scores_of_best":          (True,         True,         False,        False),
    "model_io_structured":         (False,        False,        True,         True),
    "model_io_lists_of_one":       (False,        False,        False,        True),
    "model_input_shapes_checked":  (False,        False,        True,         True),
    "sequential_in_paths":         (False,        False,        False,        True),
    "early_layers_first":          (False,        False,        False,        True),
    "steps_carry_state":           (False,        False,        False,        True),
    "stateless_are_built":         (False,        False,        False,        True),
    "unmonitored_is_saved":        (False,        False,        False,        True),
    "clones_compiled":             (False,        False,        False,        True),
    "model_inputs_are_inputs":     (True,         True,         False,        False),
    "callbacks_see_validation":    (True,         True,         False,        False),
    "histograms_need_validation":  (False,        True,         False,        False),
    "scopes_change_registry":      (True,         True,         False,        False),
    "calls_use_outer_symbols":     (True,         True,         True,         False),
    "live_layers":                 (True,         True,         False,        False),
    "summary_checks_trainable":    (True,         True,         False,        False),
    "lists_not_tuples":            (True,         True,         False,        False),
    "unknown_weights_ignored":     (True,         True,         False,        False),
    "sequential_lists_input":      (True,         True,         False,        False),
    "super_output_shape_is_input": (True,         True,         False,        False),
    "embedding_is_an_input":       (True,         True,         True,         False),
    "conv1d_follows_image_format": (False,        False,        False,        True),
    "classic_progress":            (True,         True,         False,        False),
    "csv_has_val_columns":         (False,        False,        True,         True),
    "epoch_digits":                (5,            5,            1,            1),
    "auto_mode_knows_scores":      (False,        False,        False,        True),
    "file_epochs_from":            (0,            1,            1,            1),
    "lr_log_name":                 ("lr",         "lr",         "lr",         "learning_rate"),
    "scheduled_rate_stays":        (False,        False,        True,         False),
    "tensorboard_one_folder":      (True,         True,         False,        False),
    "fixed_phase_in_fit":          (True,         True,         False,        False),
    "accuracy_is_mean":            (True,         True,         True,         False),
    "metrics_drop_ignored":        (True,         True,         True,         False),
    "iou_counts_integers":         (False,        False,        False,        True),
    "accuracy_follows_loss":       (True,         True,         False,        False),
    "metric_name_as_written":      (True,         True,         False,        True),
    "metric_names_give_objects":   (False,        False,        False,        True),
    "expressions_recorded":        (True,         True,         False,        False),
    "keras_tensor_is_of_layer":    (True,         True,         False,        False),
    "ctc_labels_trimmed":          (True,         True,         False,        False),
    "unseeded_values_repeat":      (False,        False,        False,        True),
    "add_weight_name_third":       (True,         False,        False,        False),
    "lambda_code_as_list":         (True,         True,         True,         False),
    "model_name":                  ("model",      "model",      "model",      "functional"),
    "plain_model_class":           ("Model",      "Model",      "Functional", "Functional"),
    "optimizer_saved_by_name":     (False,        False,        True,         True),
    "optimizer_state_by_kind":     (True,         True,         False,        False),
    "boxed_summary":               (False,        False,        False,        True),
    "archives_unpacked_beside":    (True,         True,         True,         False),
    "classic_resnet50":            (True,         True,         False,        False),
    "batch_dot_of_matrices":       (True,         True,         False,        False),
    "unlimited_arguments":         (True,         True,         False,        False),
    "negative_leaks":              (True,         True,         True,         False),
    "softmax_needs_batch":         (True,         True,         True,         False),
    "layer_as_activation_warns":   (False,        True,         False,        False),
    "merges_need_two":             (True,         True,         False,        False),
    "theano_backend_is_k":         (True,         False,        False,        False),
    "optimizers_are_shared":       (True,         True,         True,         False),
    "numpy_numbers":               (True,         True,         False,        False),
    "scaled_normals":              ("untruncated_normal", "normal", "truncated_normal", "truncated_normal"),
    "old_configurations":          (True,         True,         False,        False),
    "rate_argument":               ("lr",         "lr",         "learning_rate", "learning_rate"),
    "sequential_config_is_list":   (True,         True,         False,        False),
    "dimensions_have_values":      (True,         True,         False,        False),
}  # fmt: skip

NATIVE = SimpleNamespace()  # stands for the native default

# What versions of Keras 2 changed, beside 2.1: rows of the table above.
POINTS = {
    "2.0": {"version": "2.0.8", "frozen_updates_dropped": False},
    "2.2": {"version": "2.2.4", "scaled_normals": "truncated_normal", "sequential_config_is_list": False},
    "2.3": {
        "version": "2.3.1",
        "numpy_numbers": (True, True, False, False),
        "scaled_normals": "truncated_normal",
        "rate_argument": "learning_rate",
        "sequential_config_is_list": False,
        "accuracy_name": None,
        "metric_name_from_function": False,
        "weights_normalized_by_count": False,
        "track_attribute_variables": True,
        "batch_dot_of_matrices": False,
    },
}

# Constructor and function defaults that differ: names, argument, values in Keras 1, Keras 2 and tf.keras.
# None of these is Keras 3's own default.
DEFAULTS = (
    ("LSTM LSTMCell GRU GRUCell", "recurrent_activation", "hard_sigmoid", "hard_sigmoid", NATIVE),
    ("ConvLSTM1D ConvLSTM2D ConvLSTM3D ConvLSTM2DCell", "recurrent_activation", *["hard_sigmoid"] * 3),
    ("GRU GRUCell", "reset_after", False, False, NATIVE),
    ("Orthogonal", "gain", 1.1, NATIVE, NATIVE),
    ("Adadelta", "learning_rate", 1.0, 1.0, NATIVE),
    ("Adagrad", "learning_rate", 0.01, 0.01, NATIVE),
    ("Adagrad", "initial_accumulator_value", 0.0, 0.0, NATIVE),
    ("Adamax Nadam", "learning_rate", 0.002, 0.002, NATIVE),
    ("Adadelta Adagrad Adam Adamax Nadam RMSprop", "epsilon", 1e-8, NATIVE, NATIVE),
    ("l1_l2", "l1", 0.01, 0.01, 0.01),
    ("l1_l2", "l2", 0.01, 0.01, 0.01),
    ("TensorBoard", "log_dir", "./logs", "./logs", NATIVE),
    ("plot_model", "show_layer_names", True, True, True),
    ("Model.fit", "epochs", 10, NATIVE, NATIVE),
    ("Model.train_on_batch Model.test_on_batch", "reset_metrics", False, False, NATIVE),
    ("Model.summary", "line_length", 100, NATIVE, NATIVE),
)


# The same for versions of Keras 2, where they differ from 2.1.
_DEFAULTS_OF_POINTS = (
    ("2.0", "Adadelta Adagrad Adam Adamax Nadam RMSprop", "epsilon", 1e-8),
    ("2.3", "LSTM LSTMCell GRU GRUCell", "recurrent_activation", NATIVE),
    ("2.3", "Model.train_on_batch Model.test_on_batch", "reset_metrics", NATIVE),
)

# class or function -> generation or version of Keras 2 -> {argument: default}
DEFAULTS_OF = {}
for _names, _argument, *_values in DEFAULTS:
    for _name in _names.split():
        for _generation, _value in zip(GENERATIONS, _values):
            if _value is not NATIVE:
                DEFAULTS_OF.setdefault(_name, {}).setdefault(_generation, {})[_argument] = _value
for _of_name in DEFAULTS_OF.values():
    _of_name.update({point: dict(_of_name["2"]) for point in POINTS if "2" in _of_name})
for _point, _names, _argument, _value in _DEFAULTS_OF_POINTS:
    for _name in _names.split():
        DEFAULTS_OF[_name].setdefault(_point, {})[_argument] = _value
        if _value is NATIVE:
            del DEFAULTS_OF[_name][_point][_argument]


def versions() -> dict[str, str]:
    """What `keras.__version__` and `tensorflow.__version__` say in the generation in use."""
    return {"keras": behaviour.version, "tensorflow": f"{_TENSORFLOW[behaviour.generation]}+oneiros"}


def standardize(version: str) -> str:
    """The generation, or version of Keras 2, that behaves as a version of Keras.

    Args:
        version: A generation or a version, such as "2" or "2.3.1".

    Raises:
        ValueError: If there is no such version.

    >>> standardize("2.1.6"), standardize("2.3.1"), standardize("2.11"), standardize("1.2")
    ('2', '2.3', 'tf', '1')
    """
    version = str(version)
    if version in GENERATIONS or version in POINTS:
        return version
    major, *rest = version.split(".")
    if major not in ("1", "2", "3") or not 1 <= len(rest) <= 2 or not all(n.isdecimal() for n in rest):
        raise ValueError(
            f"Expected a generation of Keras, '1', '2', 'tf' or '3', or a version such as '2.3'. Received: {version!r}"
        )
    if major == "2" and int(rest[0]) > 3:
        return "tf"
    return f"2.{rest[0]}" if f"{major}.{rest[0]}" in POINTS else major


def title(version: str) -> str:
    """What messages call a generation or a version of Keras 2."""
    return TITLES.get(version, f"Keras {version}")


def select(generation: str) -> None:
    """Makes the library behave as this generation or version, from here on."""
    version = standardize(generation)
    column = GENERATIONS.index(version.partition(".")[0])
    for row, values in BEHAVIOUR.items():
        setattr(behaviour, row, values[column])
    if version in POINTS:
        vars(behaviour).update(POINTS[version], defaults=version)
