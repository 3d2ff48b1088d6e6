"""Where NaN came from: steps that were kept are done again, the one that failed layer by layer."""

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..core import Variable, config, get_mask, set_mask, value_and_grad
from .checks import all_finite
from .data import unpack
from .reading import overrides
from .steps import step_arguments, steps_of


def not_finite(logs: dict) -> list:
    """The names of logs that are NaN or infinite."""
    return [name for name, value in logs.items() if np.ndim(value) == 0 and not np.isfinite(value)]


def explainer(model: Any, phase: str) -> Callable | None:
    """What tells where NaN comes from.

    Args:
        model: the model.
        phase: ``"train"`` or ``"test"``.

    Returns:
        A function of groups of steps and names of logs that tells it and returns whether to stop. ``None`` if nobody
        wants to know.
    """
    tell = model.told_of_nan or (_raise if config.debug_nans() else None)
    return None if tell is None else lambda groups, names: tell(examine(model, phase, groups, names))


def _raise(report):
    raise FloatingPointError(report)


def examine(model: Any, phase: str, groups: list, names: list[str]) -> str:
    """Finds the step that made these logs NaN or infinite, and says what in it did.

    Args:
        model: the model. It is left in the state before the step that failed.
        phase: ``"train"`` or ``"test"``.
        groups: the last groups of steps (`loop.Group`), oldest first.
        names: the names of the logs.
    """
    steps = steps_of(model)
    one = steps.train.one if phase == "train" else steps.test.one
    one.restore(groups[0].snapshot)
    step = groups[0].last - groups[0].steps
    for group in groups:
        for batch, rows in _batches(group.calls):
            step, before = step + 1, one.snapshot(keep=True)
            head = f"{'Training' if phase == 'train' else 'Evaluation'} step {step}"
            if broken := _broken_weights(model):
                found = f"weight {broken[0]} was not finite before this step."
            else:
                logs = steps.logs(one(batch))
                if not not_finite(logs) and not _broken_weights(model):
                    continue
                names, broken = not_finite(logs) or names, _broken_weights(model)
                found = _Step(model, phase, batch, rows, functools.partial(one.restore, before)).cause(broken)
            one.restore(before)
            return f"{head}: {', '.join(names)} not finite. {found}"
    return f"{', '.join(names)} not finite, but when the last {step + 1} steps were done again all was finite."


def _broken_weights(model):
    return [v.path for v in model.weights if not all_finite(v.raw)]


def _batches(calls):
    """The single batches of calls, each with the numbers of its rows (``None`` if the data has none)."""
    for form, arguments, rows in calls:
        if form == "many":
            count, batches = int(arguments[0]), arguments[1]
            size = jax.tree.leaves(batches)[0].shape[1]
            for i in range(count):
                part = None if rows is None else rows[i * size : (i + 1) * size]
                yield jax.tree.map(lambda a, i=i: a[i], batches), part
        elif form == "filled":
            yield jax.tree.map(lambda a, n=int(arguments[1]): a[:n], arguments[0]), rows
        else:
            yield arguments[0], rows


class _Step:
    """A step that failed. reset: puts the state before it back."""

    def __init__(self, model, phase, batch, rows, reset):
        self.model, self.phase, self.rows, self.reset = model, phase, rows, reset
        self.batch = step_arguments(batch)
        self.x, self.y, self.weights = unpack(self.batch)
        self.places = []  # one for each call of a layer, in the order in which they end
        self.taps = {}  # by path: those places again, with what is added to inputs and outputs

    def cause(self, broken):
        """What went wrong, as text. broken: the weights that were not finite after the step."""
        own = "train_step" if self.phase == "train" else "test_step"
        self.reset()
        with self._instrumented(self._note):
            logs = getattr(self.model, own)(self.batch)
            jax.effects_barrier()
        found = next((place for place in self.places if place.get("bad")), None)
        if found is not None:
            inputs = (
                "its inputs were not finite, so the data hold NaN or an operation outside of layers gave it"
                if not found["inputs_finite"]
                else (f"its inputs were finite, from {found['low']:.3g} to {found['high']:.3g}")
            )
            where = self._row(found["row"])
            return f"The first output that is not finite is that of layer {found['name']}{where}; {inputs}."
        if not_finite({name: np.asarray(value) for name, value in logs.items()}):
            return f"The outputs of all layers are finite, the loss or metric is not{self._row(self._row_of_loss())}."
        standard = self.phase == "train" and not overrides(self.model, "train_step")
        found = self._gradient() if standard else None
        return found or f"The update made these weights not finite: {', '.join(broken[:5])}. Lower the learning rate."

    def _row(self, row):
        if row is None:
            return ""
        index = f", row {int(self.rows[row])} of the data" if self.rows is not None and row < len(self.rows) else ""
        return f" (row {row} of the batch{index})"

    # --- outputs

    @contextlib.contextmanager
    def _instrumented(self, watch):
        """Inside, each call of a layer goes through ``watch(place, call, args, kwargs)``."""
        stack, self.places = [], []

        def wrap(layer, call):
            @functools.wraps(call)
            def wrapped(*args, **kwargs):
                stack.append(layer.name)
                place = {"name": f"{'/'.join(stack[1:]) or layer.name} ({type(layer).__name__})", "layer": layer}
                place["path"] = tuple(stack)
                try:
                    return watch(place, call, args, kwargs)
                finally:
                    stack.pop()

            return wrapped

        layers = [self.model, *self.model.sublayers()]
        had = [vars(layer).get("call") for layer in layers]
        for layer in layers:
            vars(layer)["call"] = wrap(layer, layer.call)  # not by setattr: layers look at what they are given
        try:
            yield
        finally:
            for layer, call in zip(layers, had):
                del vars(layer)["call"]
                if call is not None:
                    vars(layer)["call"] = call

    def _note(self, place, call, args, kwargs):
        outputs = call(*args, **kwargs)
        self.places.append(place)
        inputs = _floats((args, kwargs))
        ends = [(x.min(), x.max()) for x in inputs if x.size]
        low = functools.reduce(jnp.minimum, [a for a, _ in ends], jnp.inf)
        high = functools.reduce(jnp.maximum, [b for _, b in ends], -jnp.inf)
        finite = functools.reduce(jnp.logical_and, [jnp.isfinite(x).all() for x in inputs], True)
        for output in _floats(outputs):
            # By a callback, which also gets the values inside gradients and loops.
            jax.debug.callback(functools.partial(_look, place), _bad_rows(output), finite, low, high)
        return outputs

    def _row_of_loss(self):
        """The first row whose loss alone is not finite; ``None`` if that cannot be told."""
        with contextlib.suppress(Exception):  # a loss may need the whole batch
            self.reset()
            outputs = self.model(self.x, training=self.phase == "train")
            parts = (self.x, self.y, outputs, self.weights)
            for row in range(jax.tree.leaves(outputs)[0].shape[0]):
                loss = self.model.compute_loss(*jax.tree.map(lambda a, row=row: jnp.asarray(a)[row : row + 1], parts))
                if not np.isfinite(loss):
                    return row
        return None

    # --- gradients

    def _gradient(self):
        """The layer in which the gradient stops being finite on its way back; ``None`` if it is finite."""
        self.reset()
        with self._instrumented(self._measure):
            self.model(self.x, training=True)
        taps = [tap for place in self.places for tap in (*place["in"], *place["out"])]
        trained = steps_of(self.model).trained_variables()

        def loss():
            outputs = self.model(self.x, training=True)
            return self.model.compute_loss(self.x, self.y, outputs, self.weights)

        self.reset()
        measured, self.taps = self.places, {}
        for place in measured:
            self.taps.setdefault(place["path"], []).append(place)
        with self._instrumented(self._tap):
            _, gradients = value_and_grad(loss, [*trained, *taps])()
        found = dict(zip([*trained, *taps], gradients))
        if all(map(all_finite, found.values())):
            return None
        return self._culprit(measured, found)

    def _measure(self, place, call, args, kwargs):
        """Makes zeros to add to inputs and outputs: the gradient in these is that in the inputs and outputs."""
        outputs = call(*args, **kwargs)
        for side, tree in (("in", args), ("out", outputs)):
            known = [leaf for leaf in _floats(tree) if not isinstance(leaf, jax.core.Tracer)]
            place[side] = [Variable(jnp.zeros(leaf.shape, leaf.dtype)) for leaf in known]
        self.places.append(place)
        return outputs

    def _tap(self, place, call, args, kwargs):
        mine = self.taps[place["path"]].pop(0)
        return _plus(call(*_plus(args, mine["in"]), **kwargs), mine["out"])

    def _culprit(self, places, found):
        def finite(taps):
            return all(all_finite(found[tap]) for tap in taps)

        def loses(place):
            own = [v for v in place["layer"].trainable_weights if v in found]
            return finite(place["out"]) and not (finite(place["in"]) and finite(own))

        lost = [place for place in places if loses(place)]
        deepest = [p for p in lost if not any(q is not p and q["path"][: len(p["path"])] == p["path"] for q in lost)]
        if not deepest:
            return "Outputs and loss are finite, the gradient of the loss with respect to the outputs is not."
        place = deepest[-1]
        rows = [np.asarray(_bad_rows(found[tap])) for tap in place["in"]]
        row = next((int(bad.argmax()) for bad in rows if bad.any()), None)
        return (
            f"Outputs and loss are finite, the gradient is not: going back from the loss, it stops being finite in "
            f"layer {place['name']}{self._row(row)}."
        )


def _floats(tree):
    return [x for x in jax.tree.leaves(tree) if isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jnp.floating)]


def _bad_rows(array):
    wrong = ~jnp.isfinite(array)
    return wrong.reshape(wrong.shape[0] if wrong.ndim else 1, -1).any(1)


def _look(place, bad, finite, low, high):
    if np.any(bad) and not place.get("bad"):
        place.update(bad=True, row=int(np.argmax(bad)), inputs_finite=bool(finite), low=float(low), high=float(high))


def _plus(tree, taps):
    """The tree with these variables added to its floating point arrays; masks travel along."""
    taps = iter(taps)

    def add(x):
        if not isinstance(x, jax.Array) or not jnp.issubdtype(x.dtype, jnp.floating):
            return x
        tap = next(taps, None)
        if tap is None:
            return x
        moved = x + tap.value.astype(x.dtype)
        set_mask(moved, get_mask(x))
        return moved

    return jax.tree.map(add, tree)
