"""Rows, as in table.py, for the recurrent layers, Embedding, the wrappers and attention. Plain data."""

from table import Row


def _rows(layer, *cases, **common):
    return [Row(layer, **(common | case), id=f"{layer}-{i}") for i, case in enumerate(cases)]


_X = ((2, 4, 3),)
_PAIR = ((2, 3, 4), (2, 5, 4))
_PARTS = {
    "kernel_regularizer": "l2",
    "recurrent_regularizer": "l1",
    "bias_regularizer": "l2",
    "bias_constraint": "non_neg",
}
_RUNS = (
    {},
    {"mask": True},
    {"mask": True, "config": {"return_sequences": True, "go_backwards": True}},
    {"mask": True, "config": {"return_sequences": True, "zero_output_for_mask": True}},
    {"config": {"return_sequences": True, "use_bias": False, "unroll": True}, "unknown": (0,)},
    {"config": {"activation": "relu", "recurrent_constraint": "max_norm"} | _PARTS},
)


def _recurrent(name, config, *cases, **common):
    return _rows(name, *({**case, "config": config | case.get("config", {})} for case in cases), **common)


def _gated(name):
    more = ({"mask": True, "config": {"activation": "softsign", "recurrent_activation": "hard_sigmoid"}},)
    return _recurrent(name, {"units": 2}, *_RUNS, *more, inputs=_X, unknown=(0, 1))


def _cell(name, **config):
    return {"cell": ("layer", name, {"units": 2} | config)}


def _inner(name, **config):
    return {"layer": ("layer", name, {"units": 2} | config)}


def _conv_lstm(rank, *cases):
    shape = (2, 3, *(5, 4, 4)[:rank], 2)
    unknown = tuple(range(rank + 2))
    return _recurrent(f"ConvLSTM{rank}D", {"filters": 2, "kernel_size": 3}, *cases, inputs=(shape,), unknown=unknown)


_SIMPLE = (
    {},
    {"config": {"return_sequences": True, "padding": "same", "strides": 2}},
    {"config": {"dilation_rate": 2, "kernel_size": 2, "use_bias": False, "go_backwards": True}},
)

ROWS = [
    *_recurrent("SimpleRNN", {"units": 2}, *_RUNS, inputs=_X, unknown=(0, 1)),
    *_gated("LSTM"),
    *_gated("GRU"),
    *_rows("GRU", *({"config": {"units": 2, "reset_after": False} | c} for c in ({}, {"use_bias": False})), inputs=_X),
    *_rows("LSTM", {"config": {"units": 2, "unit_forget_bias": False}, "mask": True}, inputs=_X),
    *_rows(
        "RNN",
        {"config": _cell("SimpleRNNCell")},
        {"config": _cell("LSTMCell"), "mask": True},
        inputs=_X,
        unknown=(0, 1),
    ),
    *_rows("RNN", {"config": _cell("GRUCell") | {"return_sequences": True, "go_backwards": True}}, inputs=_X),
    *_conv_lstm(1, *_SIMPLE),
    *_conv_lstm(2, *_SIMPLE, {"config": {"unroll": True}, "unknown": (0,)}),
    *_conv_lstm(3, {}, {"config": {"padding": "same", "kernel_size": 2}}),
    *_rows(
        "Embedding",
        {"config": {"input_dim": 10, "output_dim": 3}},
        {"config": {"input_dim": 10, "output_dim": 2, "mask_zero": True, "embeddings_regularizer": "l2"}},
        inputs=((2, 4),),
        dtype="int32",
        unknown=(0, 1),
    ),
    *_rows(
        "Bidirectional",
        {"config": _inner("LSTM")},
        {"config": _inner("GRU", return_sequences=True) | {"merge_mode": "sum"}, "mask": True},
        {"config": _inner("SimpleRNN", return_sequences=True) | {"merge_mode": "mul"}, "mask": True},
        {"config": _inner("SimpleRNN") | {"merge_mode": "ave"}, "mask": True},
        inputs=_X,
        unknown=(0, 1),
    ),
    *_rows("TimeDistributed", {"config": _inner("Dense")}, {"config": _inner("Dense"), "mask": True}, inputs=_X),
    *_rows("Attention", {}, {"config": {"use_scale": True, "score_mode": "concat"}}, inputs=_PAIR, unknown=(0, 1)),
    *_rows("AdditiveAttention", {}, {"config": {"use_scale": False}}, inputs=((2, 3, 4), (2, 5, 4), (2, 5, 4))),
    *_rows("TimeDistributed", {"config": _inner("LSTM")}, inputs=((2, 3, 4, 2),), unknown=(0, 1, 2)),
]
# Tested in test_recurrent.py, test_wrappers.py and test_attention.py: bases, cells, and what no peer computes here.
ELSEWHERE = {
    "ReversibleEmbedding",
    "RNN",
    "AbstractRNNCell",
    "StackedRNNCells",
    "SimpleRNNCell",
    "GRUCell",
    "LSTMCell",
    "CuDNNGRU",
    "CuDNNLSTM",
    "CuDNNGRUCell",
    "CuDNNLSTMCell",
    "ConvRNN2D",
    "ConvLSTM1DCell",
    "ConvLSTM2DCell",
    "ConvLSTM3DCell",
    "Wrapper",
    "MultiHeadAttention",
    "GroupedQueryAttention",
}
for _row in ROWS:  # rows of one layer may stand in several places
    _row.id = f"{_row.layer}-{[r for r in ROWS if r.layer == _row.layer].index(_row)}"
