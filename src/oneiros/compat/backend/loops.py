"""Recurrence, folds, choice, and connectionist temporal classification."""

import jax
import jax.numpy as jnp
import numpy as np

from ...core import Symbol, behaviour, config, has_symbol, scan
from ...core.structure import map_structure
from ...kernels import loop
from ...ops.core import cond
from ...ops.ctc import beam_search, changes, ctc_log_likelihood, greedy_decode, packed
from ...ops.table import as_float, tensor
from .recording import function_of_tensors, is_building


@function_of_tensors
def rnn(
    step_function,
    inputs,
    initial_states,
    go_backwards=False,
    mask=None,
    constants=None,
    unroll=False,
    input_length=None,
    time_major=False,
    zero_output_for_mask=False,
    return_all_outputs=True,
):
    """Walks ``step_function(x, states) -> (output, new states)`` along time: axis 1 of `inputs` ``(N, time, ...)``.

    constants: a list that is added to the states at each step. mask: ``(N, time)``, False where a step is passed over:
    the states stay, and the output is that before (0 before the first), or 0 if zero_output_for_mask.
    Returns (last output, outputs ``(N, time, ...)``, last states). Variables may be read and written in the step.
    """
    states = [map_structure(tensor, state) for state in initial_states]

    def step(x, now):
        output, new_states = step_function(x, now)
        return map_structure(tensor, output), [map_structure(tensor, s) for s in list(new_states)[: len(states)]]

    return loop.rnn(
        step,
        map_structure(tensor, inputs),
        states,
        go_backwards,
        None if mask is None else tensor(mask),
        [map_structure(tensor, c) for c in constants or []],
        unroll,
        input_length,
        time_major,
        zero_output_for_mask,
        return_all_outputs,
    )


@function_of_tensors
def map_fn(fn, elems, name=None, dtype=None):
    """`fn` of each element along the first axis; `elems` may be a list of tensors, of which `fn` gets a tuple."""
    _, results = scan(lambda _, x: ((), map_structure(tensor, fn(x))), (), _elements(elems))
    return results if dtype is None else map_structure(lambda x: x.astype(dtype), results)


@function_of_tensors
def foldl(fn, elems, initializer=None, name=None):
    """``accumulator = fn(accumulator, x)`` along the first axis; it begins with `initializer` or the first element."""
    return _fold(fn, _elements(elems), initializer)


@function_of_tensors
def foldr(fn, elems, initializer=None, name=None):
    """`foldl` from the last element to the first."""
    return _fold(fn, map_structure(lambda x: jnp.flip(x, 0), _elements(elems)), initializer)


def _elements(elems):
    if isinstance(elems, (list, tuple)) and all(np.ndim(x) for x in elems):
        return tuple(map(tensor, elems))
    return tensor(elems)


def _fold(fn, elems, initializer):
    if initializer is None:
        start = map_structure(lambda x: x[0], elems)
        elems = map_structure(lambda x: x[1:], elems)
    else:
        start = map_structure(tensor, initializer)

    def step(accumulator, x):
        new = map_structure(tensor, fn(accumulator, x))
        return map_structure(lambda n, a: n.astype(a.dtype), new, accumulator), None

    return scan(step, start, elems)[0]


def switch(condition, then_expression, else_expression):
    """`then_expression` where the condition holds, else `else_expression`; functions without arguments, or tensors.

    A condition of fewer dimensions than the expressions goes for whole entries along their first axes.
    """
    rank = len(getattr(condition, "shape", ()))
    branches = [e if callable(e) else (lambda e=e: e) for e in (then_expression, else_expression)]
    if rank == 0:
        if is_building() and not isinstance(condition, (bool, int, Symbol)):
            return _select(condition, *(branch() for branch in branches))
        return cond(condition, *branches)
    return _select(condition, *(branch() for branch in branches))


@function_of_tensors
def _select(condition, then_expression, else_expression):
    condition, then, other = tensor(condition).astype(bool), tensor(then_expression), tensor(else_expression)
    rank = max(then.ndim, other.ndim)
    if condition.ndim > rank:
        raise ValueError(
            f"switch: the condition of shape {condition.shape} has more dimensions than the expressions, of shapes "
            f"{then.shape} and {other.shape}."
        )
    return jnp.where(condition.reshape(condition.shape + (1,) * (rank - condition.ndim)), then, other)


# Connectionist temporal classification. The blank is the last class.


def _log_probabilities(y_pred):
    y_pred = as_float(y_pred)
    return jax.nn.log_softmax(jnp.log(y_pred + config.epsilon()))


def _lengths(x):
    x = tensor(x).astype("int32")
    return x[:, 0] if x.ndim > 1 else x


@function_of_tensors
def ctc_batch_cost(y_true, y_pred, input_length, label_length):
    """The CTC loss ``(N, 1)``.

    y_true: ``(N, labels)`` integers; y_pred: ``(N, time, classes)`` probabilities; lengths: ``(N, 1)``.
    """
    log_probs = _log_probabilities(y_pred)
    steps, counts = _lengths(input_length), _lengths(label_length)
    return -ctc_log_likelihood(log_probs, steps, tensor(y_true), counts, log_probs.shape[-1] - 1)[:, None]


@function_of_tensors
def ctc_decode(y_pred, input_length, greedy=True, beam_width=100, top_paths=1):
    """The label sequences that probabilities ``(N, time, classes)`` stand for.

    Returns (a list of `top_paths` integer tensors, filled up with -1; log-probabilities ``(N, top_paths)``, or for
    greedy decoding the negative sum of the best logarithms ``(N, 1)``). For Keras 1 and 2 the scores of beams have the
    sum of each frame's best logarithm taken off, and before Keras 3 equal labels that follow each other are merged.
    """
    logs, steps = jnp.log(as_float(y_pred) + config.epsilon()), _lengths(input_length)
    blank = logs.shape[-1] - 1
    if greedy:
        labels, score = greedy_decode(logs, steps, blank)
        paths, scores = labels[None], -score[:, None]
    else:
        logs = logs - logs.max(-1, keepdims=True) if behaviour.ctc_scores_of_best else jax.nn.log_softmax(logs)
        paths, scores = beam_search(logs, steps, blank, beam_width, top_paths)
        if behaviour.ctc_beams_merged:
            paths = [packed(path, changes(path) & (path >= 0)) for path in paths]
    return [_trimmed(path) for path in paths], scores


def _trimmed(labels):
    """For Keras 1 and 2: without the columns that no sequence reaches, where that is known."""
    if isinstance(labels, jax.core.Tracer) or not behaviour.ctc_labels_trimmed:
        return labels
    return labels[:, : int((labels >= 0).sum(-1).max(initial=0))]


def ctc_label_dense_to_sparse(labels, label_lengths):
    """The first `label_lengths` labels of each row as a sparse matrix."""
    from jax.experimental import sparse

    if has_symbol((labels, label_lengths)):
        raise ValueError("ctc_label_dense_to_sparse: expected arrays. Symbols need no sparse labels: ctc_batch_cost.")
    labels, lengths = np.asarray(labels), np.asarray(label_lengths).reshape(-1)
    places = np.argwhere(np.arange(labels.shape[1]) < lengths[:, None])
    return sparse.BCOO((jnp.asarray(labels[tuple(places.T)]), jnp.asarray(places)), shape=labels.shape)
