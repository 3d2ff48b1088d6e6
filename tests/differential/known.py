"""Where this library means to differ from its peers: kind, pattern of the finding, pattern of the program, and reason.

Dictionaries of logs and outputs are compared without regard to the order of their names: see `comparing.LOGS`.
"""

_PEER = "A limit of the peer: this program is right."
_OVERRUN = "The peer takes whole executions, and counts batches that do not exist. Here the last one may be shorter."
_MASK = "Keras 3 drops the mask of a layer that is given an initial state. tf.keras keeps it, as we do."
_TWICE = "Keras 3 lists metrics twice that are given weighted and unweighted. In dictionaries all agree."
_STATES = "Keras 3 on JAX forgets what predict and evaluate left in stateful layers. tf.keras keeps it, as we do."
_ANY = "values|structure|refused there"
KNOWN = [
    # kind            pattern                              program                        reason
    ("refused here", "SwapEMAWeights must be used", "", "Told at once: without `use_ema` the callback does nothing."),
    ("refused there", "Could not locate function 'own_", "", _PEER),  # a compiled model with the user's functions
    ("refused there", "Could not locate function '<lambda>", "", _PEER),
    ("refused there", "Unknown layer: '(Negative|Absolute|Sin|Relu|NotEqual)'", "", _PEER),  # functions in HDF5 files
    ("refused there", "Could not deserialize 'keras.metrics", "", _PEER),  # of HDF5 files that it wrote itself
    ("refused there", "class 'Attention'.*<function dot", "", _PEER),
    ("refused there", "Only input tensors may be passed as positional", "", _PEER),
    ("refused there", "Incompatible shapes for broadcasting", "", "Weights of rows are spread over time steps here."),
    ("refused there", "and got incompatible shapes for broadcasting", "", _PEER),  # fit after sample weights
    ("refused there", "Could not interpret metric identifier: crossentropy", "", "An older spelling, taken here."),
    ("refused there", "TypeError: 'NoneType' object is not callable", "", _PEER),  # fit after validation, with EMA
    ("refused there", "only 0-dimensional arrays can be converted", "", _PEER),  # class_weight for two labels a row
    ("refused there", "`class_weight` is only supported for Models with a single", "", _PEER),  # {"main": output}
    ("refused there", "KeyError: 0", "", _PEER),  # losses in a list, outputs in a dictionary
    ("refused there", "`loss_weights` must match the number of losses", "", _PEER),  # one loss for all outputs
    ("refused there", "donate the same buffer|Array has been deleted", "use_ema", _PEER),  # the first average
    ("refused there", "Array has been deleted", "", _PEER),  # a model that was saved or cloned after training
    ("refused there", "'Sequential' object has no attribute 'output_names'", "", _PEER),
    ("refused there", "`optimizer_variables` must be a list", "load_model", _PEER),
    ("refused there", "expected ndim=2, found ndim=3", "class Mine", _PEER),  # a list of one array
    ("refused there", "should have different `go_backwards`", "", _PEER),  # its own default for the second layer
    ("refused there", "outputs' must be defined before|OutOfRange", "steps_per_execution", _PEER),
    ("refused there", "in user code", "sample_weight", "Weights of rows are taken for every output here."),
    (_ANY, "", r"steps_per_execution=(?s:.*)(steps=2|steps_per_epoch|steps.append)", _OVERRUN),
    ("values|structure", "", r"(mask_zero|Masking)(?s:.*)initial_state", _MASK),
    ("values", "", r"stateful=True", _STATES),
    ("structure", r"ours has \d+ parts, the peer's \d+", r"weighted_metrics", _TWICE),
    ("structure", r"\nnames: ours has \d+ parts", "", "tf.keras lists operations among the layers."),
    ("structure", "output_names", "", "The order of a dictionary is the user's here; the peers sort it."),
    ("structure", r"'mae'\].*mean_absolute_error", "load_model", "Names of metrics as they were given, after loading."),
]
