"""Connectionist temporal classification (Graves et al. 2006): the loss, and the decoding of network outputs."""

import jax
import jax.numpy as jnp
import numpy as np

from ..core import op
from .table import as_float, tensor


def ctc_log_likelihood(log_probs, steps, labels, counts, blank):
    """The log-probability of each label sequence: the forward recursion, in logarithms.

    log_probs: (N, T, classes); steps: (N,), how many of the T count; labels: (N, L) integers; counts: (N,), how many
    of the L count; blank: the class that stands for nothing.
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
    frames = jnp.swapaxes(log_probs, 0, 1)
    first = jnp.take_along_axis(frames[0], states, -1)
    alpha = jnp.where(jnp.arange(states.shape[1]) < 2, first, impossible) if length else first
    alpha = jnp.where((steps > 0)[:, None], alpha, start)
    alpha, _ = jax.lax.scan(step, alpha, (jnp.arange(1, frames.shape[0]), frames[1:]))
    last = jnp.take_along_axis(alpha, 2 * counts[:, None], -1)[:, 0]
    before = jnp.take_along_axis(alpha, jnp.maximum(2 * counts[:, None] - 1, 0), -1)[:, 0]
    return jnp.where(counts > 0, jnp.logaddexp(last, before), last)


@op
def ctc_loss(target, output, target_length, output_length, mask_index=0):
    """The CTC loss of each example.

    target: (N, L) integers; output: (N, T, classes) logits; the lengths are (N,); mask_index: the blank's class.
    """
    log_probs = jax.nn.log_softmax(as_float(output))
    steps, counts = tensor(output_length).astype("int32"), tensor(target_length).astype("int32")
    return -ctc_log_likelihood(log_probs, steps, tensor(target), counts, mask_index)


def greedy_decode(scores, steps, blank, merge_repeated=True):
    """``(labels (N, T) filled up with -1, the sum of each frame's best score (N,))``."""
    length = scores.shape[1]
    valid = jnp.arange(length) < steps[:, None]
    best = jnp.argmax(scores, -1).astype("int32")
    keep = valid & (best != blank)
    if merge_repeated:
        keep &= changes(best)
    return packed(best, keep), jnp.sum(jnp.where(valid, scores.max(-1), 0), -1)


def packed(labels, keep):
    """The labels of each row that are kept, moved to its beginning; -1 behind them."""
    place = jnp.where(keep, jnp.cumsum(keep, -1) - 1, labels.shape[-1])
    rows = jnp.arange(labels.shape[0])[:, None]
    return jnp.full(labels.shape, -1, "int32").at[rows, place].set(labels, mode="drop")


def changes(labels):
    """Where a label differs from the one before it."""
    return jnp.pad(labels[:, 1:] != labels[:, :-1], ((0, 0), (1, 0)), constant_values=True)


def beam_search(log_probs, steps, blank, width, top_paths):
    """The most probable label sequences, over prefixes (Graves 2012, 7.5): computed on the host, in NumPy.

    Returns labels (top_paths, N, T) filled up with -1, and their log-probabilities (N, top_paths).
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
    inputs, sequence_lengths, strategy="greedy", beam_width=100, top_paths=1, merge_repeated=True, mask_index=0
):
    """The label sequences that network outputs ``(N, T, classes)`` (logits) stand for.

    strategy: 'greedy' or 'beam_search'. Returns ``(labels, scores)``: labels ``(top_paths, N, T)`` filled up with -1;
    scores ``(N, 1)``, the negative sum of the best logits, or ``(N, top_paths)`` log-probabilities.
    """
    x, steps = as_float(inputs), tensor(sequence_lengths).astype("int32")
    if strategy == "greedy":
        labels, score = greedy_decode(x, steps, mask_index, merge_repeated)
        return labels[None], -score[:, None]
    if strategy != "beam_search":
        raise ValueError(f"ctc_decode: strategy must be 'greedy' or 'beam_search'. Received: {strategy!r}")
    return beam_search(jax.nn.log_softmax(x), steps, mask_index, beam_width, top_paths)
