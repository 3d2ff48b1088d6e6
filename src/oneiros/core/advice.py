"""Advice on common mistakes: errors that JAX raises for the user's code, and targets that need another loss."""

import re
import sys

_WHY = "needs the value of a tensor, which is not known yet: this code is compiled before there are values."
_CHOOSE = "ops.where(condition, a, b) to choose between elements, or ops.cond(condition, f, g) between functions"
_LOOP = "ops.while_loop(condition, step, values) (or ops.fori_loop, ops.scan) to repeat"
_LOGIC = "ops.logical_and, ops.logical_or and ops.logical_not for `and`, `or` and `not`"


def _on_bool(line):
    words = set(re.findall(r"\b(if|elif|while|and|or|not|assert)\b", line.text))
    uses = []
    if "while" in words:
        uses.append(_LOOP)
    if words & {"if", "elif"} or not words:
        uses.append(_CHOOSE)
    if words & {"and", "or", "not"} or not words:
        uses.append(_LOGIC)
    if not uses:  # assert
        return f"`assert` {_WHY} Check shapes here, and values outside of compiled code."
    what = next((w for w in ("while", "if", "elif", "and", "or", "not") if w in words), "if")
    return f"`{what}` {_WHY} Use {'; '.join(uses)}."


def _on_numpy(line):
    ops = sys.modules.get(f"{__name__.partition('.')[0]}.ops")
    names = [name for name in re.findall(r"\b(?:np|numpy)\.(\w+)\(", line.text) if hasattr(ops, name)]
    hint = f" (here ops.{names[0]})" if names else ""
    return f"NumPy {_WHY} Use the functions of ops{hint}, which have NumPy's names, or jax.numpy."


def _on_number(line):
    found = re.search(r"\b(float|int|bool|complex|len|range)\(|\.(item|tolist)\(", line.text)
    what = f"`{found[1] or '.' + found[2]}()`" if found else "a Python number"
    return (
        f"{what} {_WHY} Keep the tensor and compute with it by the functions of ops (ops.cast changes its type); "
        "sizes must come from shapes, and loops over tensors are ops.while_loop or ops.fori_loop."
    )


def _on_index(line):
    return (
        f"an index of booleans {_WHY} The result would have a shape that depends on values. Use ops.where(condition, "
        "x, 0) and keep the shape."
    )


def _on_assignment(line):
    return (
        "tensors cannot be changed in place. Use ops.slice_update, ops.scatter_update, or x = x.at[index].set(value)."
    )


def _on_leak(line):
    return (
        "a tensor that was made here is used in a later call, where it has no value. A layer, loss or metric must not "
        "keep tensors in attributes, lists or globals: return them, or keep state in weights (add_weight, assign)."
    )


def _on_method(line):
    found = re.search(r"\.(numpy|eval|cpu|detach)\(", line.text)
    what = f"`.{found[1]}()`" if found else "this"
    return f"{what} {_WHY} Keep the tensor and compute with it by the functions of ops."


# The name of the exception's class, what its message contains, the advice.
_TABLE = (
    ("TracerBoolConversionError", "", _on_bool),
    ("TracerArrayConversionError", "", _on_numpy),
    ("TracerIntegerConversionError", "", _on_number),
    ("NonConcreteBooleanIndexError", "", _on_index),
    ("ConcretizationTypeError", "", _on_number),
    ("UnexpectedTracerError", "", _on_leak),
    ("AttributeError", r"Tracer\S* (object )?has no attribute '?(numpy|eval|cpu|detach)\b", _on_method),
    ("TypeError", "JAX arrays are immutable", _on_assignment),
)


def advise(error, line):
    """Replaces the message of an error that JAX raised for a line of the user's code.

    Args:
        error: the exception.
        line: the innermost of the user's lines that the error passed; `None` if there was none yet.
    """
    if getattr(error, "advised", False) or not error.args:
        return
    for name, pattern, advice in _TABLE:
        if type(error).__name__ == name and re.search(pattern, str(error.args[0])):
            origin = re.search(r"created on line (\S+):\d+ ", str(error.args[0]))
            place = origin[1] if origin else line
            if place is not None:
                error.args = (f"{place}: {advice(line)}",)
                error.advised = True
            return


def on_targets(kind, target, output):
    """Says what to do about targets that do not fit the outputs of a loss.

    Args:
        kind: what the loss expects, such as `"classes"` for class numbers, or `"one-hot"`.
        target: the shape of the targets.
        output: the shape of the outputs.

    Returns:
        A sentence that starts with a space, or an empty text if the cause is unknown.

    >>> on_targets("one-hot", (8,), (8, 3))
    " The targets look like class numbers: use loss='sparse_categorical_crossentropy', or to_categorical(y, 3)."
    """
    target, output = tuple(target), tuple(output)
    numbers = target[:-1] if target[1:] and target[-1] == 1 else target
    if kind == "classes" and len(target) == len(output) > 1 and target[-1] == output[-1]:
        return " The targets look one-hot: use loss='categorical_crossentropy', or np.argmax(y, -1)."
    if kind == "one-hot" and len(numbers) == len(output) - 1 and numbers[1:] == output[1:-1]:
        return (
            " The targets look like class numbers: use loss='sparse_categorical_crossentropy', or "
            f"to_categorical(y, {output[-1]})."
        )
    if len(output) > max(len(target), len(numbers) + (kind == "classes"), 2):
        what = "a sequence" if len(output) == 3 else "an image"
        recurrent = ", or leave return_sequences=True out of the last recurrent layer" if len(output) == 3 else ""
        return (
            f" The output is still {what} for each sample: put Flatten() or a global pooling layer before the last "
            f"Dense{recurrent}."
        )
    return ""
