"""In what order older generations took arguments, where Keras 3 takes them in another: one table.

The names are those of the generation, so that they go through the table of renamed arguments like any keyword.
"""

_K1 = "W_regularizer b_regularizer activity_regularizer W_constraint b_constraint bias"
_K2 = (
    "activation use_bias kernel_initializer bias_initializer kernel_regularizer bias_regularizer activity_regularizer "
    "kernel_constraint bias_constraint"
)
_SEPARABLE = (
    "depth_multiplier activation use_bias depthwise_initializer pointwise_initializer bias_initializer "
    "depthwise_regularizer pointwise_regularizer bias_regularizer activity_regularizer depthwise_constraint "
    "pointwise_constraint bias_constraint"
)
_RNN1 = "W_regularizer U_regularizer b_regularizer dropout_W dropout_U"
_RNN2_START = "units activation recurrent_activation use_bias kernel_initializer recurrent_initializer bias_initializer"
_RNN2_MIDDLE = (
    "kernel_regularizer recurrent_regularizer bias_regularizer activity_regularizer kernel_constraint "
    "recurrent_constraint bias_constraint"
)
_RNN2_END = "dropout recurrent_dropout implementation return_sequences return_state go_backwards stateful unroll"
_RNN_TF_END = "dropout recurrent_dropout return_sequences return_state go_backwards stateful"
_CONV_LSTM = (
    "filters kernel_size strides padding data_format dilation_rate activation recurrent_activation use_bias "
    f"kernel_initializer recurrent_initializer bias_initializer unit_forget_bias {_RNN2_MIDDLE}"
)
_APPLICATION1 = "include_top weights input_tensor input_shape classes"

# (generations, class or function, its positional arguments)
_TABLE = (
    ("1", "Dense", f"output_dim init activation weights {_K1} input_dim"),
    (
        "1",
        "Conv1D LocallyConnected1D",
        f"nb_filter filter_length init activation weights border_mode subsample_length {_K1} input_dim input_length",
    ),
    (
        "1",
        "Conv2D LocallyConnected2D",
        f"nb_filter nb_row nb_col init activation weights border_mode subsample dim_ordering {_K1}",
    ),
    (
        "1",
        "Conv3D",
        "nb_filter kernel_dim1 kernel_dim2 kernel_dim3 init activation weights border_mode subsample dim_ordering "
        + _K1,
    ),
    (
        "1",
        "Conv2DTranspose",
        f"nb_filter nb_row nb_col output_shape init activation weights border_mode subsample dim_ordering {_K1}",
    ),
    (
        "1",
        "SeparableConv2D",
        "nb_filter nb_row nb_col init activation weights border_mode subsample depth_multiplier dim_ordering "
        "depthwise_regularizer pointwise_regularizer b_regularizer activity_regularizer depthwise_constraint "
        "pointwise_constraint b_constraint bias",
    ),
    ("1", "SimpleRNN", f"output_dim init inner_init activation {_RNN1}"),
    ("1", "GRU", f"output_dim init inner_init activation inner_activation {_RNN1}"),
    ("1", "LSTM", f"output_dim init inner_init forget_bias_init activation inner_activation {_RNN1}"),
    (
        "1",
        "ConvLSTM2D",
        "nb_filter nb_row nb_col init inner_init forget_bias_init activation inner_activation dim_ordering "
        f"border_mode subsample {_RNN1}",
    ),
    (
        "1",
        "Embedding",
        "input_dim output_dim init input_length W_regularizer activity_regularizer W_constraint mask_zero weights "
        "dropout",
    ),
    (
        "1",
        "BatchNormalization",
        "epsilon mode axis momentum weights beta_init gamma_init gamma_regularizer beta_regularizer",
    ),
    ("1", "PReLU", "init weights shared_axes"),
    ("1", "Lambda", "function output_shape arguments"),
    (
        "1",
        "Model.fit_generator",
        "generator samples_per_epoch nb_epoch verbose callbacks validation_data nb_val_samples class_weight max_q_size "
        "nb_worker pickle_safe initial_epoch",
    ),
    ("1", "Model.evaluate_generator Model.predict_generator", "generator val_samples max_q_size nb_worker pickle_safe"),
    (
        "1",
        "backend.binary_crossentropy backend.categorical_crossentropy backend.sparse_categorical_crossentropy",
        "output target from_logits",
    ),
    ("1", "get_file", "fname origin untar md5_hash cache_subdir"),
    ("1", "VGG16 VGG19 ResNet50 InceptionV3 Xception", _APPLICATION1),
    ("1", "TensorBoard", "log_dir histogram_freq write_graph write_images"),
    ("2", "Conv1D", f"filters kernel_size strides padding dilation_rate {_K2}"),
    ("2", "Conv2D Conv3D", f"filters kernel_size strides padding data_format dilation_rate {_K2}"),
    ("2", "Conv2DTranspose Conv3DTranspose", f"filters kernel_size strides padding data_format {_K2}"),
    ("2", "SeparableConv1D SeparableConv2D", f"filters kernel_size strides padding data_format {_SEPARABLE}"),
    ("2", "LSTM", f"{_RNN2_START} unit_forget_bias {_RNN2_MIDDLE} {_RNN2_END}"),
    ("2", "GRU", f"{_RNN2_START} {_RNN2_MIDDLE} {_RNN2_END}"),
    ("tf", "LSTM", f"{_RNN2_START} unit_forget_bias {_RNN2_MIDDLE} {_RNN_TF_END} time_major unroll"),
    ("tf", "GRU", f"{_RNN2_START} {_RNN2_MIDDLE} {_RNN_TF_END} unroll time_major reset_after"),
    ("2", "ConvLSTM2D", f"{_CONV_LSTM} return_sequences go_backwards stateful dropout recurrent_dropout"),
    (
        "tf",
        "ConvLSTM1D ConvLSTM2D ConvLSTM3D",
        f"{_CONV_LSTM} return_sequences return_state go_backwards stateful dropout recurrent_dropout",
    ),
    (
        "2 tf",
        "Embedding",
        "input_dim output_dim embeddings_initializer embeddings_regularizer activity_regularizer "
        "embeddings_constraint mask_zero input_length",
    ),
    ("1 2", "Input", "shape batch_shape name dtype sparse tensor"),
    ("tf", "Input", "shape batch_size name dtype sparse tensor ragged"),
    ("1 2", "SGD", "lr momentum decay nesterov"),
    ("1 2", "Adam", "lr beta_1 beta_2 epsilon decay amsgrad"),
    ("1 2", "Adamax", "lr beta_1 beta_2 epsilon decay"),
    ("1 2", "Nadam", "lr beta_1 beta_2 epsilon schedule_decay"),
    ("1 2", "RMSprop Adadelta", "lr rho epsilon decay"),
    ("1 2", "Adagrad", "lr epsilon decay"),
    ("1 2", "Model.compile", "optimizer loss metrics loss_weights sample_weight_mode weighted_metrics target_tensors"),
    ("tf", "Model.compile", "optimizer loss metrics loss_weights weighted_metrics run_eagerly steps_per_execution"),
    ("1 2", "Sequential.train_on_batch", "x y class_weight sample_weight"),
    ("1 2", "Model.load_weights Sequential.load_weights", "filepath by_name skip_mismatch reshape"),
    ("1 2", "Model.save Sequential.save", "filepath overwrite include_optimizer"),
    ("1 2", "save_model", "model filepath overwrite include_optimizer"),
    (
        "tf",
        "Conv3DTranspose",
        f"filters kernel_size strides padding output_padding data_format dilation_rate {_K2}",
    ),
    ("1 2 tf", "Sequential", "layers name"),
    ("1 2", "load_img", "path grayscale target_size interpolation"),
    ("tf", "load_img", "path grayscale color_mode target_size interpolation keep_aspect_ratio"),
    ("1 2", "plot_model", "model to_file show_shapes show_layer_names rankdir"),
    (
        "2",
        "TensorBoard",
        "log_dir histogram_freq batch_size write_graph write_grads write_images embeddings_freq "
        "embeddings_layer_names embeddings_metadata",
    ),
    ("1 2", "ModelCheckpoint", "filepath monitor verbose save_best_only save_weights_only mode period"),
    ("1 2 tf", "LambdaCallback", "on_epoch_begin on_epoch_end on_batch_begin on_batch_end on_train_begin on_train_end"),
    ("tf", "Loss", "reduction name"),
    ("tf", "Metric", "name dtype"),
    ("tf", "backend.batch_normalization", "x mean var beta gamma axis epsilon"),
)


# class or function -> generation -> its positional arguments, where they are not the native ones
ORDERS = {}
for _generations, _names, _order in _TABLE:
    for _name in _names.split():
        for _generation in _generations.split():
            ORDERS.setdefault(_name, {})[_generation] = _order.split()
