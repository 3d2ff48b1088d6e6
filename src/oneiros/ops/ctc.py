"""Connectionist temporal classification (Graves et al. 2006): the loss, and the decoding of network outputs."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core import op
from .table import Tensor, as_float, tensor


def ctc_log_likelihood(log_probs: Array, steps: Array, labels: Array, counts: Array, blank: int) -> Array:
    """The log-probability of each label sequence, by the forward recursion in logarithms (Graves et al. 2006, 4.1).

    Args:
        log_probs: ``(N, T, classes)``.
        steps: Integers ``(N,)``: how many of the `T` frames are valid.
        labels: Integers ``(N, L)``.
        counts: Integers ``(N,)``: how many of the `L` labels are valid.
        blank: Index of the blank class, which stands for no label.

    Returns:
        Log-probabilities ``(N,)``.
    """
    labels = labels.astype("int32")
    length = labels.shape[1]
    states = jnp.full((labels.shape[0], 2 * length + 1), blank, "int32").at[:, 1::2].set(labels)
    # A label may follow another one directly unless both are equal (or one is a blank).
    skips = jnp.zeros(states.shape, bool).at[:, 3::2].set(labels[:, 1:] != labels[:, :-1])
    impossible = jnp.asarray(-1e30, log_probs.dtype)

    def shifted(alpha, by):
        return jnp.pad(alpha, ((0, 0), (by, 0)), constant_values=impossible)[:, : alpha.shape[1]]

    def step(alpha, inputs):
        t, frame = inputs
        stay_or_move = jnp.logaddexp(alpha, shifted(alpha, 1))
        new = jnp.logaddexp(stay_or_move, jnp.where(skips, shifted(alpha, 2), impossible))
        new = new + jnp.take_along_axis(frame, states, -1)
        return jnp.where((t < steps)[:, None], new, alpha), None

    start = jnp.full(states.shape, impossible).at[:, 0].set(0)
    frames = jnp.swapaxes(log_probs, 0, 1)  # (T, N, classes)
    first = jnp.take_along_axis(frames[0], states, -1)
    alpha = jnp.where(jnp.arange(states.shape[1]) < 2, first, impossible) if length else first
    alpha = jnp.where((steps > 0)[:, None], alpha, start)
    alpha, _ = jax.lax.scan(step, alpha, (jnp.arange(1, frames.shape[0]), frames[1:]))
    last = jnp.take_along_axis(alpha, 2 * counts[:, None], -1)[:, 0]
    before = jnp.take_along_axis(alpha, jnp.maximum(2 * counts[:, None] - 1, 0), -1)[:, 0]
    return jnp.where(counts > 0, jnp.logaddexp(last, before), last)


@op
def ctc_loss(
    target: Tensor, output: Tensor, target_length: Tensor, output_length: Tensor, mask_index: int = 0
) -> Array:
    """The CTC loss of each example (Graves et al. 2006).

    Args:
        target: Integers ``(N, L)``: the labels.
        output: ``(N, T, classes)`` logits.
        target_length: Integers ``(N,)``: how many of the labels are valid.
        output_length: Integers ``(N,)``: how many of the frames are valid.
        mask_index: Index of the blank class, which stands for no label.

    Returns:
        Minus the log-probability of each label sequence, ``(N,)``.

    >>> print(ctc_loss([[1]], jnp.zeros((1, 2, 2)), [1], [2]).round(4))  # 3 of 4 paths give the label
    [0.2877]
    """
    log_probs = jax.nn.log_softmax(as_float(output))
    steps, counts = tensor(output_length).astype("int32"), tensor(target_length).astype("int32")
    return -ctc_log_likelihood(log_probs, steps, tensor(target), counts, mask_index)


def greedy_decode(scores: Array, steps: Array, blank: int, merge_repeated: bool = True) -> tuple[Array, Array]:
    """Decodes by the best class of each frame.

    Args:
        scores: ``(N, T, classes)``.
        steps: Integers ``(N,)``: how many of the frames are valid.
        blank: Index of the blank class, which stands for no label.
        merge_repeated: Whether repeated labels are merged into one.

    Returns:
        ``(labels, scores)``: the labels ``(N, T)``, padded with -1, and the sums of the best scores ``(N,)``.
    """
    length = scores.shape[1]
    valid = jnp.arange(length) < steps[:, None]
    best = jnp.argmax(scores, -1).astype("int32")
    keep = valid & (best != blank)
    if merge_repeated:
        keep &= changes(best)
    return packed(best, keep), jnp.sum(jnp.where(valid, scores.max(-1), 0), -1)


def packed(labels: Array, keep: Array) -> Array:
    """Moves the labels to keep to the start of their rows, and pads the rows with -1.

    Args:
        labels: Integers ``(N, T)``.
        keep: Booleans ``(N, T)``.

    Returns:
        Integers ``(N, T)``.

    >>> packed(jnp.array([[7, 8, 9]]), jnp.array([[True, False, True]])).tolist()
    [[7, 9, -1]]
    """
    place = jnp.where(keep, jnp.cumsum(keep, -1) - 1, labels.shape[-1])
    rows = jnp.arange(labels.shape[0])[:, None]
    return jnp.full(labels.shape, -1, "int32").at[rows, place].set(labels, mode="drop")


def changes(labels: Array) -> Array:
    """Where a label differs from the one before it.

    Args:
        labels: Integers ``(N, T)``.

    Returns:
        Booleans ``(N, T)``; the first label of a row always counts as a change.

    >>> changes(jnp.array([[1, 1, 2]])).tolist()
    [[True, False, True]]
    """
    return jnp.pad(labels[:, 1:] != labels[:, :-1], ((0, 0), (1, 0)), constant_values=True)


def beam_search(log_probs: Array, steps: Array, blank: int, width: int, top_paths: int) -> tuple[Array, Array]:
    """The most probable label sequences, by a search over prefixes (Graves 2012, 7.5).

    The search runs in NumPy on the host.

    Args:
        log_probs: ``(N, T, classes)``.
        steps: Integers ``(N,)``: how many of the frames are valid.
        blank: Index of the blank class, which stands for no label.
        width: Number of prefixes to keep after each frame.
        top_paths: Number of sequences to return.

    Returns:
        ``(labels, scores)``: the labels ``(top_paths, N, T)``, padded with -1, and the log-probabilities
        ``(N, top_paths)``.
    """
    log_probs = jnp.asarray(log_probs, "float32")
    batch, length, _ = log_probs.shape
    results = (
        jax.ShapeDtypeStruct((top_paths, batch, length), "int32"),
        jax.ShapeDtypeStruct((batch, top_paths), "float32"),
    )

    def search(log_probs, steps):
        labels, scores = np.full(results[0].shape, -1, np.int32), np.full(results[1].shape, -np.inf, np.float32)
        for n, (frames, count) in enumerate(zip(np.asarray(log_probs, np.float64), steps)):
            for k, (prefix, score) in enumerate(_best_prefixes(frames[:count], blank, width)[:top_paths]):
                labels[k, n, : len(prefix)], scores[n, k] = prefix, score
        return labels, scores

    if isinstance(log_probs, jax.core.Tracer) or isinstance(steps, jax.core.Tracer):
        return jax.pure_callback(search, results, log_probs, steps)
    return tuple(map(jnp.asarray, search(np.asarray(log_probs), np.asarray(steps))))


def _best_prefixes(frames, blank, width):
    """[(labels, log-probability)], the best first. For each prefix: ending in a blank, ending in its last label."""
    beams = {(): (0.0, -np.inf)}
    for frame in frames:
        new = {}

        def add(prefix, ends_blank, ends_label, new=new):
            old = new.get(prefix, (-np.inf, -np.inf))
            new[prefix] = np.logaddexp(old[0], ends_blank), np.logaddexp(old[1], ends_label)

        for prefix, (ends_blank, ends_label) in beams.items():
            total = np.logaddexp(ends_blank, ends_label)
            repeated = ends_label + frame[prefix[-1]] if prefix else -np.inf
            add(prefix, total + frame[blank], repeated)
            for label, score in enumerate(frame):
                if label != blank:
                    # The same label again is a new one only after a blank.
                    source = ends_blank if prefix and label == prefix[-1] else total
                    add((*prefix, label), -np.inf, source + score)
        beams = dict(sorted(new.items(), key=lambda item: -np.logaddexp(*item[1]))[:width])
    return sorted(((p, np.logaddexp(*s)) for p, s in beams.items()), key=lambda item: -item[1])


@op
def ctc_decode(
    inputs: Tensor,
    sequence_lengths: Tensor,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> tuple[Array, Array]:
    """Decodes the outputs of a network that was trained with the CTC loss.

    Args:
        inputs: ``(N, T, classes)`` logits.
        sequence_lengths: Integers ``(N,)``: how many of the frames are valid.
        strategy: 'greedy' takes the best class of each frame; 'beam_search' searches for the most probable sequences.
        beam_width: Number of prefixes that the beam search keeps after each frame.
        top_paths: Number of sequences that the beam search returns.
        merge_repeated: Whether 'greedy' merges repeated labels into one.
        mask_index: Index of the blank class, which stands for no label.

    Returns:
        ``(labels, scores)``. The labels are ``(top_paths, N, T)``, padded with -1. The scores are the negated sums of
        the best logits ``(N, 1)`` for 'greedy', and log-probabilities ``(N, top_paths)`` for 'beam_search'.

    Raises:
        ValueError: If the strategy is unknown.

    >>> logits = 9.0 * jnp.eye(3)[jnp.array([[1, 1, 0, 2]])]
    >>> ctc_decode(logits, [4])[0].tolist()
    [[[1, 2, -1, -1]]]
    """
    x, steps = as_float(inputs), tensor(sequence_lengths).astype("int32")
    if strategy == "greedy":
        labels, score = greedy_decode(x, steps, mask_index, merge_repeated)
        return labels[None], -score[:, None]
    if strategy != "beam_search":
        raise ValueError(f"ctc_decode: strategy must be 'greedy' or 'beam_search'. Received: {strategy!r}")
    return beam_search(jax.nn.log_softmax(x), steps, mask_index, beam_width, top_paths)
