"""Where the names of every module that Keras ever had live in this library: one table.

A path is relative to its root (`keras`, `tensorflow.keras`, ...). Its places are searched in order; a place is a
module of this library. Paths that are not in the table are those of this library itself: `keras.losses` is
`oneiros.losses`.
"""

# How a whole tree of modules is called, and what its paths begin with here.
ROOTS = {
    "keras": "",
    "tf_keras": "",
    "tensorflow.keras": "",
    "tensorflow.contrib.keras": "",
    "tensorflow.contrib.keras.api.keras": "",
    "tensorflow.compat.v1.keras": "",
    "tensorflow.compat.v2.keras": "",
    "tensorflow.python.keras": "",
    "tensorflow.python.keras.api.keras": "",
    "tensorflow.python.keras.api._v1.keras": "",
    "tensorflow.python.keras.api._v2.keras": "",
    "tensorflow.contrib.keras.python.keras": "",
    "keras.src": "",
    "keras.api": "",
    "keras.api._v1.keras": "",
    "keras.api._v2.keras": "",
    "tf_keras.src": "",
    "tf_keras.api": "",
    "tf_keras.api._v1.keras": "",
    "tf_keras.api._v2.keras": "",
    "keras_applications": "applications",
    "keras_preprocessing": "preprocessing",
}

# Trees of many small files, whose names changed with every release: a path there that is not in the table is taken
# for the longest one above it that is.
LOOSE_ROOTS = ("tensorflow.python.keras", "tensorflow.contrib.keras.python.keras", "keras.src", "tf_keras.src")

# The modules that `from keras import *` brings along, as far as they are here.
_ROOMS = (
    "activations applications backend callbacks config constraints datasets distillation distribution dtype_policies "
    "export initializers layers losses metrics mixed_precision models ops optimizers preprocessing quantizers random "
    "regularizers saving tree utils visualization wrappers"
)
ROOMS = tuple(_ROOMS.split())

# Packages that Keras 1 and 2 could run on: importing them says what to use, unless they are installed.
ABSENT = {
    "theano": "Theano is not used here: everything runs on JAX. Use keras.backend (K) for tensor operations.",
    "cntk": "CNTK is not used here: everything runs on JAX. Use keras.backend (K) for tensor operations.",
}

# (paths, places)
_TABLE = (
    ("", "oneiros compat.legacy_engine"),
    (
        "backend backend.tensorflow_backend backend.theano_backend backend.load_backend backend.common backend.config "
        "backend_config common",
        "backend config compat.helpers",
    ),
    (
        "callbacks callbacks.callbacks callbacks.experimental callbacks.tensorboard_v1 callbacks.tensorboard_v2 "
        "callbacks_v1",
        "callbacks",
    ),
    ("applications.imagenet_utils", "applications.imagenet_utils utils.imagenet"),
    ("applications", "applications compat.submodules"),
    ("applications.resnet_common applications.resnext", "applications applications.resnet_v2"),
    ("applications.audio_conv_utils applications.music_tagger_crnn", "applications"),
    ("constraints", "constraints compat.legacy_functions"),
    ("engine.topology", "compat.legacy_engine layers models saving utils compat.legacy_layers"),
    (
        "engine engine.base_layer engine.base_layer_utils engine.base_layer_v1 engine.compile_utils engine.container "
        "engine.data_adapter engine.functional engine.input_layer engine.input_spec engine.keras_tensor "
        "engine.network engine.node engine.saving engine.sequential engine.training "
        "engine.training_arrays engine.training_generator engine.training_utils engine.training_v1 engine.training_v2",
        "compat.legacy_engine layers models callbacks saving utils compat.legacy_layers compat.engine_functions "
        "compat.h5dict",
    ),
    ("dtype_policies dtype_policies.dtype_policy dtype_policies.dtype_policy_map", "dtype_policies"),
    ("experimental", "optimizers.schedules models"),
    ("initializations", "compat.initializations"),
    ("initializers initializers.initializers_v1 initializers.initializers_v2", "initializers compat.legacy_functions"),
    ("layers", "layers compat.legacy_layers"),
    (
        "layers.activation layers.advanced_activations layers.attention "
        "layers.convolutional_recurrent layers.core layers.cudnn_recurrent layers.dense_attention "
        "layers.embeddings layers.experimental layers.experimental.preprocessing layers.layer layers.local "
        "layers.locally_connected layers.merge layers.merging layers.noise layers.normalization "
        "layers.normalization_v2 layers.preprocessing layers.recurrent layers.recurrent_v2 "
        "layers.regularization layers.reshaping layers.rnn layers.serialization layers.wrappers legacy.layers "
        "legacy_tf_layers",
        "layers compat.legacy_layers compat.legacy_engine",
    ),
    ("layers.convolutional layers.pooling", "layers compat.legacy_layers compat.legacy_bases compat.legacy_engine"),
    ("legacy", "compat.legacy_layers compat.legacy_engine saving"),
    ("legacy.interfaces", "compat.interfaces"),
    ("legacy.models engine.cloning", "compat.legacy_engine models"),
    ("legacy.saving", "saving"),
    ("losses objectives", "losses compat.legacy_functions"),
    ("metrics metrics.experimental", "metrics compat.legacy_functions"),
    (
        "mixed_precision mixed_precision.experimental mixed_precision.policy mixed_precision.loss_scale_optimizer",
        "mixed_precision optimizers",
    ),
    (
        "models models.cloning models.experimental models.functional models.model models.sequential",
        "models compat.legacy_engine saving",
    ),
    ("ops.operation", "ops layers"),
    (
        "optimizers optimizers.experimental optimizer_v1 optimizer_v2 optimizer_v2.adadelta optimizer_v2.adagrad "
        "optimizer_v2.adam optimizer_v2.adamax optimizer_v2.ftrl optimizer_v2.gradient_descent optimizer_v2.nadam "
        "optimizer_v2.optimizer_v2 optimizer_v2.rmsprop optimizers.optimizer_v1 optimizers.optimizer_v2 "
        "optimizers.adam optimizers.sgd optimizers.rmsprop",
        "optimizers compat.legacy_functions",
    ),
    ("optimizers.legacy", "optimizers"),
    (
        "optimizers.schedules optimizer_v2.learning_rate_schedule optimizers.schedules.learning_rate_schedule",
        "optimizers.schedules",
    ),
    (
        "preprocessing.image preprocessing.image.affine_transformations preprocessing.image.image_data_generator "
        "preprocessing.image.iterator preprocessing.image.utils preprocessing.image_dataset",
        "preprocessing.image utils",
    ),
    ("preprocessing.text_dataset preprocessing.timeseries", "utils"),
    ("preprocessing.sequence", "preprocessing.sequence compat.helpers"),
    ("preprocessing.text", "preprocessing.text utils compat.legacy_functions"),
    ("quantizers quantizers.quantizers quantizers.quantization_config", "quantizers"),
    ("quantizers.gptq_config quantizers.awq_config quantizers.utils", "quantizers"),
    ("regularizers", "regularizers compat.legacy_functions"),
    (
        "saving saving.hdf5_format saving.legacy saving.legacy.hdf5_format saving.object_registration saving.save "
        "saving.saved_model saving.saving_api saving.saving_lib saving.saving_utils saving.serialization_lib",
        "saving models utils",
    ),
    (
        "utils utils.all_utils utils.conv_utils utils.data_utils utils.dataset_utils utils.experimental "
        "utils.hdf5 utils.hdf5_utils "
        "utils.file_utils utils.generic_utils utils.image_dataset utils.image_utils utils.io_utils utils.layer_utils "
        "utils.legacy utils.metrics_utils utils.multi_gpu_utils utils.np_utils "
        "utils.numerical_utils utils.python_utils utils.sequence_utils utils.summary_utils utils.tf_utils "
        "utils.timeseries_dataset utils.training_utils utils.vis_utils utils.visualize_util",
        "utils compat.legacy_functions utils.conv_utils utils.layer_utils utils.generic_utils utils.io_utils saving "
        "compat.legacy_engine compat.helpers compat.h5dict",
    ),
    ("utils.losses_utils", "losses utils"),
    ("utils.test_utils", "compat.testing utils"),
)

PLACES = {path: places.split() for paths, places in _TABLE for path in paths.split(" ")}

# Names that are not here: what to use instead. The same names stand in docs/compatibility.md.
REMOVED = {
    "theano_backend": ABSENT["theano"],
    "cntk_backend": ABSENT["cntk"],
    "py_all": "Use the built-in all().",
    "py_sum": "Use the built-in sum().",
    "ctc_cost": "It was Theano's. Use K.ctc_batch_cost(y_true, y_pred, input_length, label_length).",
    "DenseFeatures": "It was for tf.estimator's feature columns. Use utils.FeatureSpace.",
    "SequenceFeatures": "It was for tf.estimator's feature columns. Use Embedding or StringLookup.",
    "model_to_estimator": "tf.estimator is gone. Train the model with fit().",
    "estimator": "tf.estimator is gone. Train the model with fit().",
    "MusicTaggerCRNN": "Its weights are no longer published.",
}
