"""Calibration: data goes through a model block by block, and the layers of a block are quantized by what they meet."""

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .awq import AWQ
from .gptq import GPTQ
from .objects import CalibratedConfig


def should_quantize_layer(layer: Any, filters: Any) -> bool:
    """Whether a layer is among those that a user wants to have quantized.

    Args:
        layer: the layer.
        filters: a regular expression that is searched in names of layers, a list of them, or a function of a layer;
            `None` for all layers.

    >>> import types
    >>> should_quantize_layer(types.SimpleNamespace(name="dense_1"), ["conv", "dense"])
    True
    """
    if filters is None:
        return True
    if callable(filters):
        return bool(filters(layer))
    patterns = [filters] if isinstance(filters, str) else filters
    return any(re.search(pattern, layer.name) for pattern in patterns)


def get_dataloader(
    tokenizer: Any,
    sequence_length: int,
    dataset: Any,
    num_samples: int = 128,
    *,
    strategy: str = "strided",
    seed: int = 42,
    stride: int | None = None,
    eos_id: int | None = None,
) -> np.ndarray:
    """Sequences of tokens from texts.

    The tokens of all texts are put behind each other and repeated if there are too few.

    Args:
        tokenizer: a function from a text to its tokens, or an object with a method `tokenize`.
        sequence_length: the number of tokens in a sequence.
        dataset: the texts, or arrays of tokens.
        num_samples: the number of sequences.
        strategy: where they begin: `"strided"`, at even distances from a place that the seed says; `"linspace"`, from
            the first place to the last; or `"random"`.
        seed: of the random places.
        stride: the distance, with `"strided"`. By default sequences spread over all tokens.
        eos_id: a token to put between two texts.

    Returns:
        An array ``(num_samples, 1, sequence_length)`` of integers.

    Raises:
        TypeError: if the data is a name.
        ValueError: if there is none, or no such strategy.

    >>> get_dataloader(lambda text: [ord(c) for c in text], 3, ["abcd", "ef"], 2, strategy="linspace")[:, 0].tolist()
    [[97, 98, 99], [100, 101, 102]]
    """
    if isinstance(dataset, str) or not hasattr(dataset, "__iter__"):
        raise TypeError(
            "The `dataset` argument must be an iterable (e.g., a list of strings, a generator, or a NumPy array). Got "
            f"type: {type(dataset).__name__}. Please pass the loaded dataset directly."
        )
    pieces = []
    for text in dataset:
        tokens = getattr(tokenizer, "tokenize", tokenizer)(text) if isinstance(text, str) else text
        if pieces and eos_id is not None:
            pieces.append([eos_id])
        pieces.append(np.asarray(tokens).reshape(-1))
    if not pieces:
        raise ValueError("Provided dataset is empty.")
    tokens = np.concatenate(pieces).astype("int32")
    if len(tokens) < sequence_length:
        tokens = np.tile(tokens, -(-sequence_length // max(len(tokens), 1)))
    places = len(tokens) - sequence_length + 1
    generator = np.random.default_rng(seed)
    if strategy == "random":
        starts = generator.integers(0, places, num_samples)
    elif strategy == "linspace":
        starts = np.linspace(0, places - 1, num_samples, dtype="int64")
    elif strategy == "strided":
        stride = max(1, places // num_samples) if stride is None else stride
        starts = (generator.integers(0, stride) + np.arange(num_samples) * stride) % places
    else:
        raise ValueError(f"Unknown strategy {strategy!r}. Expected 'strided', 'linspace' or 'random'.")
    return np.stack([tokens[start : start + sequence_length] for start in starts])[:, None]


@contextlib.contextmanager
def _watched(layers: Sequence, notes: Sequence[Callable]) -> Iterator[None]:
    """Inside of the block, the inputs of these layers are noted when they are called."""

    def watching(call, note):
        def quantized_call(inputs, *args, **kwargs):
            note(inputs)
            return call(inputs, *args, **kwargs)

        return quantized_call

    for layer, note in zip(layers, notes):
        vars(layer)["quantized_call"] = watching(layer.quantized_call, note)
    try:
        yield
    finally:
        for layer in layers:
            del vars(layer)["quantized_call"]


_RUNS = {
    "gptq": (GPTQ, "update_hessian_with_batch", "quantize_and_correct_layer"),
    "awq": (AWQ, "update_activation_magnitudes", "quantize_layer"),
}


def calibrate(config: CalibratedConfig, quantization_layer_structure: dict | None, filters: Any = None) -> None:
    """Quantizes the layers of a model that are prepared for it, block by block.

    What a block gets is what the blocks before it return, quantized as they are.

    Args:
        config: the configuration, with the data.
        quantization_layer_structure: ``{"pre_block_layers": [...], "sequential_blocks": [...]}``: what turns tokens
            into the inputs of the first block, and the blocks.
        filters: which layers are quantized, as `should_quantize_layer` takes it.

    Raises:
        ValueError: if there is no such structure.
    """
    if not quantization_layer_structure:
        raise ValueError(
            f"For '{config.mode}' mode, a valid quantization structure must be provided either via "
            "`config.quantization_layer_structure` or by overriding `model.get_quantization_layer_structure(mode)`. "
            "It is a dictionary with the keys 'pre_block_layers' and 'sequential_blocks'."
        )
    data = get_dataloader(config.tokenizer, config.sequence_length, config.dataset, config.num_samples)
    batches = list(data)
    for layer in quantization_layer_structure.get("pre_block_layers", ()):
        batches = [layer(x) for x in batches]
    make, note, finish = _RUNS[config.mode]
    for block in quantization_layer_structure.get("sequential_blocks", ()):
        found = [
            layer
            for layer in (block, *block.sublayers())
            if getattr(layer, "quantization_mode", None) == config.mode and should_quantize_layer(layer, filters)
        ]
        runs = [make(layer, config) for layer in found]
        with _watched(found, [getattr(run, note) for run in runs]):
            for x in batches:
                block(x)
        for run in runs:
            if run.num_samples:
                getattr(run, finish)()
        batches = [block(x) for x in batches]
