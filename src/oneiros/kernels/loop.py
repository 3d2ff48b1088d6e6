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
    """Runs ``step_function(x, states + constants) -> (output, new states)`` over axis 1 (0 if `time_major`).

    inputs: an array ``(N, T, ...)``, or a nest of them. initial_states: a list of arrays, or of nests of them.
    mask: ``(N, T)``; where it is False the states are held and the previous output is repeated (zeros before the first
    step that counts, or always with `zero_output_for_mask`). go_backwards: from the last step to the first, with the
    outputs in that order. unroll: as straight code instead of a loop. input_length: not needed.

    Returns ``(last output, outputs, states)``; without `return_all_outputs` the outputs are those of the last step.
    """
    constants = list(constants or ())
    states = [jax.tree.map(jnp.asarray, state) for state in initial_states]
    structure = jax.tree.structure(states)

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
        inputs = map_structure(lambda x: jnp.swapaxes(x, 0, 1), inputs)
    if mask is not None:
        mask = jnp.asarray(mask, bool)
        mask = mask[..., 0] if mask.ndim == 3 else mask
        mask = mask if time_major else mask.T
    items = (map_structure(jnp.asarray, inputs), mask)
    with Scope():  # a dry run, for the shape of the output
        first = keep(map_structure(lambda x: x[0], items[0]))
        shapes = unkeep(jax.eval_shape(lambda x, states: keep(run(unkeep(x), states)[0]), first, states))
    carry = (map_structure(lambda s: jnp.zeros(s.shape, s.dtype), shapes), states)
    if unroll:
        carry, outputs = _unrolled(step, carry, items, go_backwards)
    else:
        carry, outputs = scan(step, carry, items, reverse=go_backwards)
    last, states = carry
    if not return_all_outputs:
        return last, map_structure(lambda o: jnp.expand_dims(o, 0 if time_major else 1), last), states
    if go_backwards:
        outputs = map_structure(lambda o: jnp.flip(o, 0), outputs)
    if not time_major:
        outputs = map_structure(lambda o: jnp.swapaxes(o, 0, 1), outputs)
    return last, outputs, states


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
