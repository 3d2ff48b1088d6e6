"""Rows, as in table.py, for layers and arguments that only Keras 3 has. make_golden_keras3.py reads them."""

from table import Row
from table import _rows as rows

_SOUND = {"inputs": ((2, 40, 2),), "unknown": (0, 1), "masking": "drop"}

ROWS: list[Row] = [
    *rows(
        "STFTSpectrogram",
        {"config": {"frame_length": 16, "frame_step": 5}},
        {"config": {"mode": "magnitude", "frame_length": 15, "fft_length": 25, "window": "hamming", "padding": "same"}},
        {"config": {"mode": "psd", "frame_length": 16, "scaling": "spectrum", "periodic": True, "expand_dims": True}},
        {"config": {"mode": "real", "frame_length": 16, "window": None, "data_format": "channels_last"}},
        {"config": {"mode": "imag", "frame_length": 16, "scaling": None, "expand_dims": True}},
        {"config": {"mode": "angle", "frame_length": 16}, "gradients": False},
        {"config": {"mode": "stft", "frame_length": 8, "window": [0.5, 1, 1, 1, 1, 1, 1, 0.5]}},
        {"config": {"mode": "stft", "frame_length": 8, "expand_dims": True, "padding": "same"}},
        twin=True,
        **_SOUND,
    ),
    *rows(
        "MelSpectrogram",
        {"config": {"fft_length": 32, "sequence_stride": 8, "num_mel_bins": 6, "sampling_rate": 8000}},
        {
            "config": {
                "fft_length": 32,
                "sequence_stride": 7,
                "sequence_length": 20,
                "window": "hamming",
                "num_mel_bins": 6,
                "min_freq": 100.0,
                "max_freq": 3000.0,
                "top_db": 20.0,
                "ref_power": 2.0,
                "min_power": 0.01,
            }
        },
        {"config": {"fft_length": 16, "sequence_stride": 8, "num_mel_bins": 4, "mag_exp": 1.0, "power_to_db": False}},
        {
            "config": {"fft_length": 16, "sequence_length": 10, "num_mel_bins": 4, "window": None},
            "inputs": ((2, 2, 90),),
        },
        inputs=((2, 90),),
        unknown=(0, 1),
    ),
    *rows(
        "BatchNormalization",
        {"config": {"renorm": True, "renorm_momentum": 0.8}, "inputs": ((5, 3),)},
        {"config": {"renorm": True, "renorm_clipping": {"rmax": 1.1, "rmin": 0.9, "dmax": 0.2}, "axis": 1}},
        {"config": {"renorm": True, "center": False, "scale": False}, "training": False},
        inputs=((4, 3, 2),),
        training=True,
        masking="keep",
    ),
    *rows(
        "ReversibleEmbedding",
        {"config": {"input_dim": 10, "output_dim": 3}},
        {"config": {"input_dim": 10, "output_dim": 3, "tie_weights": False, "logit_soft_cap": 2.0}},
        inputs=((2, 5),),
        dtype="int32",
        unknown=(0, 1),
    ),
]
for row in ROWS:
    row.id += "-keras3"  # table.py has rows of the same layers
