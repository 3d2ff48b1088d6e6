"""Where this library means to differ from its peers: the kind, a pattern of the finding's text, and the reason.

Dictionaries of logs and outputs are compared without regard to the order of their names: see `comparing.LOGS`.
"""

_PEER = "A limit of the peer: this program is right."
KNOWN = [
    # kind            pattern                                             reason
    ("refused here", "SwapEMAWeights must be used", "Told at once: without `use_ema` the callback does nothing."),
    ("refused there", "Could not locate function 'own_", _PEER),  # a compiled model with the user's functions, copied
    ("refused there", "Could not locate function '<lambda>", _PEER),
    ("refused there", "Unknown layer: '(Negative|Absolute|Sin)'", _PEER),  # graphs with functions in HDF5 files
    ("refused there", "Only input tensors may be passed as positional", _PEER),
    ("refused there", "Incompatible shapes for broadcasting", "Weights of rows are spread over time steps here."),
    ("refused there", "Could not interpret metric identifier: crossentropy", "An older spelling, taken here."),
    ("refused there", "TypeError: 'NoneType' object is not callable", _PEER),  # fit again after validation, with EMA
    ("refused there", "only 0-dimensional arrays can be converted", _PEER),  # class_weight for two labels a row
    ("refused there", "KeyError: 0", _PEER),  # losses in a list, outputs in a dictionary
]
