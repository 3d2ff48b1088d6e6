"""The loop over time for any step function: what `K.rnn` does."""

import jax
import jax.numpy as jnp

from ..core import scan
from ..core.structure import keep, leaves, map_structure, unkeep
from ..core.variable import Scope


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
    """Runs a step function over the time axis of the inputs.

    Args:
        step_function: ``step_function(x, states + constants) -> (output, new states)``, for one time step.
        inputs: an array ``(N, T, ...)``, or a nest of them.
        initial_states: a list of arrays, or of nests of them.
        go_backwards: runs from the last step to the first, and returns the outputs in that order.
        mask: ``(N, T)``. Where it is False the states are held and the previous output is repeated.
        constants: arrays that are passed to each step after the states.
        unroll: runs straight code instead of a loop.
        input_length: not used.
        time_major: whether inputs, mask and outputs are ``(T, N, ...)``.
        zero_output_for_mask: makes the output zero where the mask is False, instead of repeating.
        return_all_outputs: whether to keep the outputs of all steps. Otherwise `outputs` has length 1.

    Returns:
        ``(last output, outputs, states)``.

    >>> last, outputs, (total,) = rnn(lambda x, s: (x + s[0], [x + s[0]]), jnp.ones((1, 3, 2)), [jnp.zeros((1, 2))])
    >>> last.tolist(), outputs.shape
    ([[3.0, 3.0]], (1, 3, 2))
    """
    states = [jax.tree.map(jnp.asarray, state) for state in initial_states]
    run = _checked(step_function, jax.tree.structure(states), list(constants or ()))

    def step(carry, item):
        previous, states = carry
        x, counts = item
        output, new = run(x, states)
        if counts is not None:
            held = map_structure(jnp.zeros_like, output) if zero_output_for_mask else previous
            output = _choose(counts, output, held)
            new = _choose(counts, new, states)
        return (output, new), output if return_all_outputs else None

    if not time_major:
        inputs = _swapped(inputs)  # (T, N, ...)
    items = (map_structure(jnp.asarray, inputs), None if mask is None else _time_major(mask, time_major))
    carry = (_first_output(run, items[0], states), states)
    loop = _unrolled if unroll else scan
    (last, states), outputs = loop(step, carry, items, reverse=go_backwards)
    if not return_all_outputs:
        return last, map_structure(lambda o: jnp.expand_dims(o, 0 if time_major else 1), last), states
    if go_backwards:
        outputs = map_structure(lambda o: jnp.flip(o, 0), outputs)
    return last, outputs if time_major else _swapped(outputs), states


def _first_output(run, inputs, states):
    """Zeros in the shape of an output, which a dry run finds out."""
    with Scope():
        first = keep(map_structure(lambda x: x[0], inputs))
        shapes = unkeep(jax.eval_shape(lambda x, states: keep(run(unkeep(x), states)[0]), first, states))
    return map_structure(lambda s: jnp.zeros(s.shape, s.dtype), shapes)


def _checked(step_function, structure, constants):
    """The step, with states that are checked and keep their types."""

    def run(x, states):
        output, new = step_function(x, [*states, *constants])
        given = jax.tree.leaves(new)
        old = jax.tree.leaves(states)
        if [n.shape for n in given] != [o.shape for o in old]:
            raise ValueError(
                "A recurrent step must return states of the shapes that it was given: "
                f"{[o.shape for o in old]}. It returned {[n.shape for n in given]}."
            )
        return output, jax.tree.unflatten(structure, [n.astype(o.dtype) for n, o in zip(given, old)])

    return run


def _time_major(mask, is_time_major):
    """A mask ``(T, N)`` of booleans."""
    mask = jnp.asarray(mask, bool)
    mask = mask[..., 0] if mask.ndim == 3 else mask
    return mask if is_time_major else mask.T


def _swapped(arrays):
    """Arrays with their axes of samples and time exchanged."""
    return map_structure(lambda a: jnp.swapaxes(a, 0, 1), arrays)


def _choose(keep, new, old):
    """`new` in the rows where `keep` is True, else `old`."""
    return map_structure(lambda a, b: jnp.where(keep.reshape(-1, *[1] * (a.ndim - 1)), a, b), new, old)


def _unrolled(step, carry, items, reverse):
    outputs = []
    times = range(leaves(items)[0].shape[0])
    for t in reversed(times) if reverse else times:
        carry, output = step(carry, map_structure(lambda x: x[t], items))  # noqa: B023 - used at once
        outputs.append(output)
    outputs = outputs[::-1] if reverse else outputs
    return carry, map_structure(lambda *steps: jnp.stack(steps), *outputs)
