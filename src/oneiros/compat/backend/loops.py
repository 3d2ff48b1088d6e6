"""Recurrence, folds, conditions, and connectionist temporal classification."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ...core import Symbol, behaviour, config, has_symbol, scan
from ...core.structure import map_structure
from ...kernels import loop
from ...ops.core import cond
from ...ops.ctc import beam_search, changes, ctc_log_likelihood, greedy_decode, packed
from ...ops.table import DType, Tensor, as_float, tensor
from .recording import function_of_tensors, is_building


@function_of_tensors
def rnn(
    step_function: Callable,
    inputs: Tensor,
    initial_states: Sequence,
    go_backwards: bool = False,
    mask: Tensor | None = None,
    constants: Sequence | None = None,
    unroll: bool = False,
    input_length: int | None = None,
    time_major: bool = False,
    zero_output_for_mask: bool = False,
    return_all_outputs: bool = True,
) -> tuple:
    """Runs a function over the steps of sequences.

    Args:
        step_function: Function ``(x, states) -> (output, new states)``, with `x` ``(N, ...)``. It may read and write
            variables.
        inputs: Sequences ``(N, steps, ...)``.
        initial_states: List of the states before the first step.
        go_backwards: Whether to process the steps from the last to the first.
        mask: Booleans ``(N, steps)``. Where it is False, the states are kept, and the output of the step before is
            repeated (0 before the first).
        constants: List of tensors that is appended to the states at each step.
        unroll: Whether to compile each step separately instead of a loop.
        input_length: Number of steps, if it is not known from the inputs.
        time_major: Whether sequences have the shape ``(steps, N, ...)``.
        zero_output_for_mask: Whether masked steps output 0 instead.
        return_all_outputs: Whether to return the outputs of all steps, or only the last.

    Returns:
        The last output ``(N, ...)``, the outputs ``(N, steps, ...)``, and the list of final states.

    >>> last, outputs, states = rnn(lambda x, s: (x + s[0], [x + s[0]]), jnp.ones((1, 3, 2)), [jnp.zeros((1, 2))])
    >>> last.tolist(), outputs.shape
    ([[3.0, 3.0]], (1, 3, 2))
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
def map_fn(fn: Callable, elems: Any, name: str | None = None, dtype: DType = None) -> Any:
    """Applies a function to each element along the first axis.

    Args:
        fn: Function of an element.
        elems: Tensor ``(N, ...)``, or a list of such tensors, of which the function gets a tuple of elements.
        name: Not used.
        dtype: Type of the result; by default that of the function's values.

    Returns:
        The values of the function, stacked along a new first axis.

    >>> map_fn(lambda x: x * 2, jnp.array([1.0, 2.0])).tolist()
    [2.0, 4.0]
    """
    _, results = scan(lambda _, x: ((), map_structure(tensor, fn(x))), (), _elements(elems))
    return results if dtype is None else map_structure(lambda x: x.astype(dtype), results)


@function_of_tensors
def foldl(fn: Callable, elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """Combines the elements along the first axis, from the first to the last: ``accumulator = fn(accumulator, x)``.

    Args:
        fn: Function of the accumulator and an element.
        elems: Tensor ``(N, ...)``, or a list of such tensors.
        initializer: First value of the accumulator; by default the first element.
        name: Not used.

    Returns:
        The last value of the accumulator.

    >>> foldl(lambda a, x: a * 10 + x, jnp.array([1, 2, 3])).tolist()
    123
    """
    return _fold(fn, _elements(elems), initializer)


@function_of_tensors
def foldr(fn: Callable, elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """`foldl` from the last element to the first.

    Args:
        fn: Function of the accumulator and an element.
        elems: Tensor ``(N, ...)``, or a list of such tensors.
        initializer: First value of the accumulator; by default the last element.
        name: Not used.

    Returns:
        The last value of the accumulator.

    >>> foldr(lambda a, x: a * 10 + x, jnp.array([1, 2, 3])).tolist()
    321
    """
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


def switch(condition: Tensor, then_expression: Any, else_expression: Any) -> Any:
    """Chooses between two expressions.

    Args:
        condition: Boolean scalar, or a tensor of booleans. If it has fewer dimensions than the expressions, each of its
            elements selects a whole entry along their first axes.
        then_expression: Tensor, or function without arguments, for where the condition is true.
        else_expression: The same for where it is false.

    Raises:
        ValueError: If the condition has more dimensions than the expressions.

    >>> switch(True, lambda: jnp.array(1.0), lambda: jnp.array(2.0)).tolist()
    1.0
    >>> switch(jnp.array([True, False]), jnp.zeros(2), jnp.ones(2)).tolist()
    [0.0, 1.0]
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
def ctc_batch_cost(y_true: Tensor, y_pred: Tensor, input_length: Tensor, label_length: Tensor) -> jax.Array:
    """The loss of connectionist temporal classification (Graves et al. 2006). The blank is the last class.

    Args:
        y_true: Labels, integers ``(N, labels)``.
        y_pred: Probabilities ``(N, steps, classes)``.
        input_length: Numbers of valid steps ``(N, 1)``.
        label_length: Numbers of valid labels ``(N, 1)``.

    Returns:
        A tensor ``(N, 1)``: minus the log-probability of each label sequence.

    >>> round(float(ctc_batch_cost([[0]], [[[0.5, 0.5], [0.5, 0.5]]], [[2]], [[1]])[0, 0]), 4)
    0.2877
    """
    log_probs = _log_probabilities(y_pred)
    steps, counts = _lengths(input_length), _lengths(label_length)
    return -ctc_log_likelihood(log_probs, steps, tensor(y_true), counts, log_probs.shape[-1] - 1)[:, None]


@function_of_tensors
def ctc_decode(
    y_pred: Tensor, input_length: Tensor, greedy: bool = True, beam_width: int = 100, top_paths: int = 1
) -> tuple[list, jax.Array]:
    """The most probable label sequences (Graves et al. 2006). The blank is the last class.

    For Keras 1 and 2, the scores of beams are relative to the best class of each step. Before Keras 3, equal labels
    that follow each other in a beam are merged.

    Args:
        y_pred: Probabilities ``(N, steps, classes)``.
        input_length: Numbers of valid steps ``(N,)``.
        greedy: Whether to take the best class of each step, instead of a beam search.
        beam_width: Number of candidates of the beam search.
        top_paths: Number of sequences that the beam search returns.

    Returns:
        A list of integer tensors ``(N, labels)``, padded with -1, and scores: log-probabilities ``(N, top_paths)``. For
        greedy decoding, the scores ``(N, 1)`` are minus the sum of the largest log-probabilities.

    >>> paths, scores = ctc_decode([[[0.9, 0.1], [0.1, 0.9]]], [2])
    >>> paths[0].tolist()[0][0]
    0
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
    """For Keras 1 and 2: without the columns that no sequence reaches, if that is known."""
    if isinstance(labels, jax.core.Tracer) or not behaviour.ctc_labels_trimmed:
        return labels
    return labels[:, : int((labels >= 0).sum(-1).max(initial=0))]


def ctc_label_dense_to_sparse(labels: Any, label_lengths: Any) -> Any:
    """The first labels of each row as a sparse matrix.

    Args:
        labels: Labels ``(N, labels)``.
        label_lengths: Number of labels of each row, ``(N,)``.

    Returns:
        A sparse matrix of JAX.

    Raises:
        ValueError: If the arguments are symbols.

    >>> ctc_label_dense_to_sparse([[1, 2], [3, 0]], [2, 1]).todense().tolist()
    [[1, 2], [3, 0]]
    """
    from jax.experimental import sparse

    if has_symbol((labels, label_lengths)):
        raise ValueError("ctc_label_dense_to_sparse: expected arrays. Symbols need no sparse labels: ctc_batch_cost.")
    labels, lengths = np.asarray(labels), np.asarray(label_lengths).reshape(-1)
    places = np.argwhere(np.arange(labels.shape[1]) < lengths[:, None])
    return sparse.BCOO((jnp.asarray(labels[tuple(places.T)]), jnp.asarray(places)), shape=labels.shape)
