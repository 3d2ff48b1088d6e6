"""Where tracebacks end, and which line messages name. The oracle is the text of this file."""

import os
import pdb
import subprocess
import sys
import traceback
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import oneiros
from oneiros import Model, Sequential, config, losses, ops
from oneiros.callbacks import Callback
from oneiros.layers import Activation, Dense, Input, Lambda, Layer

X, Y = np.ones((8, 4), "float32"), np.ones((8, 1), "float32")
SOURCE = Path(oneiros.__file__).parents[1]


def model(loss="mse", **options):
    made = Sequential([Input((4,)), Dense(1)])
    made.compile("sgd", loss, **options)
    return made


def caught(function, *args, **kwargs):
    """The exception, and the lines of the user's code (of this file) that its traceback holds after `caught`."""
    with pytest.raises(BaseException) as info:  # noqa: PT011 - whatever it is
        function(*args, **kwargs)
    error = info.value
    frames = traceback.extract_tb(error.__traceback__)
    assert {Path(frame.filename) for frame in frames} == {Path(__file__)}, frames
    return error, [frame.line for frame in frames][1:]


class Broken(Layer):
    def call(self, inputs):
        return jnp.dot(inputs, jnp.ones((7, 3)))  # wrong shapes


def broken_loss(y_true, y_pred):
    return jnp.dot(y_true, jnp.ones((7, 3)))  # wrong too


class BrokenCallback(Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise KeyError("mine")


ENTRIES = {
    "layer": lambda: Dense(3)(np.ones(())),
    "constructor": lambda: Dense(-1),
    "unknown argument": lambda: Dense(3, unit=2),
    "activation": lambda: Dense(3, activation="rleu"),
    "symbolic": lambda: Dense(3)(Input(())),
    "sequential": lambda: Sequential([Dense(3), 5]),
    "functional": lambda: Model(Input((3,)), Input((3,))),
    "compile": lambda: model("nonsense"),
    "fit": lambda: model().fit(X[:, :2], Y, verbose=0),
    "evaluate": lambda: model().evaluate(X, Y[:3], verbose=0),
    "predict": lambda: model().predict(X[0], verbose=0),
    "train_on_batch": lambda: model().train_on_batch(X[:, :2], Y),
    "predict_on_batch": lambda: model().predict_on_batch(X[:, :2]),
    "set_weights": lambda: model().set_weights([]),
    "load_weights": lambda: model().load_weights("/nowhere.weights.h5"),
    "save": lambda: model().save("/nowhere/at/all.h5"),
    "load_model": lambda: oneiros.models.load_model("/nowhere.h5"),
    "from_config": lambda: Dense.from_config({"unit": 3}),
    "op": lambda: ops.matmul(np.ones((2, 3)), np.ones((2, 3))),
    "loss": lambda: losses.MeanSquaredError()(np.ones((2, 3)), np.ones((2, 4))),
    "optimizer": lambda: oneiros.optimizers.SGD().apply([np.ones(3)], []),
    "to_categorical": lambda: oneiros.utils.to_categorical(["a"]),
    "get_layer": lambda: model().get_layer("nothing"),
    "symbol": lambda: bool(Input((3,)) > 0),
}


@pytest.mark.parametrize("name", ENTRIES)
def test_tracebacks_end_at_the_call(name):
    _, lines = caught(ENTRIES[name])
    assert lines[-1].startswith((f'"{name}"', "made."))
    assert len(lines) <= 2


@pytest.mark.parametrize(
    ("call", "last"),
    [
        (lambda: Broken()(X), "return jnp.dot(inputs, jnp.ones((7, 3)))  # wrong shapes"),
        (lambda: Sequential([Input((4,)), Broken()]), "return jnp.dot(inputs, jnp.ones((7, 3)))  # wrong shapes"),
        (lambda: model(broken_loss).fit(X, Y, verbose=0), "return jnp.dot(y_true, jnp.ones((7, 3)))  # wrong too"),
        (lambda: model().fit(X, Y, verbose=0, callbacks=[BrokenCallback()]), 'raise KeyError("mine")'),
        (lambda: model(metrics=[broken_loss]).evaluate(X, Y, verbose=0), "return jnp.dot(y_true, jnp.ones((7, 3)))"),
    ],
)
def test_frames_of_users_stay_in_the_middle(call, last):
    _, lines = caught(call)
    assert lines[-1].startswith(last)
    assert len(lines) == 2


def test_jax_adds_nothing():
    error, _ = caught(model(broken_loss).fit, X, Y, verbose=0)
    text = "".join(traceback.format_exception(error))
    assert "JAX" not in text
    assert error.__cause__ is None
    assert len(text.splitlines()) < 20


def test_chained_errors_are_tidied_too():
    class Chained(Callback):
        def on_epoch_end(self, epoch, logs=None):
            try:
                Dense(3)(np.ones(()))
            except ValueError as error:
                raise RuntimeError("mine") from error

    error, _ = caught(model().fit, X, Y, verbose=0, callbacks=[Chained()])
    assert {frame.filename for frame in traceback.extract_tb(error.__cause__.__traceback__)} == {__file__}


def test_interrupts_are_tidied():
    def stop(y_true, y_pred):
        raise KeyboardInterrupt

    error, lines = caught(model(stop).fit, X, Y, verbose=0)
    assert isinstance(error, KeyboardInterrupt)
    assert lines == ["raise KeyboardInterrupt"]


def test_it_can_be_switched_off():
    assert config.is_traceback_filtering_enabled()
    config.disable_traceback_filtering()
    try:
        assert not config.is_traceback_filtering_enabled()
        with pytest.raises(ValueError, match="dimensions") as info:
            Dense(3)(np.ones(()))
    finally:
        config.enable_traceback_filtering()
    names = {Path(frame.filename).name for frame in traceback.extract_tb(info.value.__traceback__)}
    assert {"calls.py", "input_spec.py"} <= names


def test_debuggers_start_at_the_users_line(capsys):
    error, _ = caught(Broken(), X)
    debugger = pdb.Pdb()
    debugger.reset()
    stack, index = debugger.get_stack(None, error.__traceback__)
    assert stack[index][0].f_code.co_name == "call"
    assert stack[index][0].f_locals["inputs"].shape == (8, 4)


def run(tmp_path, *command, **environment):
    script = tmp_path / "script.py"
    script.write_text(
        "import numpy as np\n"
        "from keras.models import Sequential\n"
        "from keras.layers import Dense\n"
        "model = Sequential([Dense(1, input_shape=(4,))])\n"
        "model.predict(np.ones((3, 5)))\n"
    )
    return subprocess.run(
        [sys.executable, *command, str(script)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(SOURCE), "KERAS_HOME": str(tmp_path), **environment},
    )


def test_the_runner_shows_the_script_alone(tmp_path):
    result = run(tmp_path, "-m", "oneiros", "run", "--keras", "3")
    assert result.returncode == 1
    lines = result.stderr.splitlines()[1:]
    assert lines[0].startswith("Traceback")
    assert [line.split('"')[1] for line in lines if line.startswith("  File ")] == [str(tmp_path / "script.py")]
    assert lines[2].strip() == "model.predict(np.ones((3, 5)))"
    assert "(None, 4)" in lines[-1]


def test_the_environment_asks_for_everything(tmp_path):
    result = run(tmp_path, "-m", "oneiros", "run", "--keras", "3", ONEIROS_TRACEBACK="full")
    assert "trainer.py" in result.stderr


# --- the line that a message names


def fails(code, loss=False):
    """The message of the error when this function body runs inside a layer's call, or in a loss."""
    if loss:
        return str(caught(model(code).fit, X, Y, verbose=0)[0])
    return str(caught(lambda: Sequential([Input((4,)), Lambda(code)]))[0])


def with_if(x, y=None):
    if ops.mean(x) > 0:
        return x
    return -x


def with_while(x):
    while ops.sum(x) < 3:
        x = x * 2
    return x


def with_and(x):
    return (ops.mean(x) > 0) and x


def with_numpy(x, y=None):
    return np.square(x)


def with_float(x, y=None):
    return x * float(ops.mean(x))


def with_range(x):
    for _ in range(ops.cast(ops.sum(x), "int32")):
        x = x + 1
    return x


def with_item(x, y=None):
    return ops.mean(x).item()


def with_method(x, y=None):
    return x.numpy() ** 2


def with_index(x):
    return x[x > 0]


def with_assignment(x):
    x[0] = 1
    return x


@pytest.mark.parametrize(
    ("code", "offset", "parts"),
    [
        (with_if, 1, ["`if`", "ops.where(condition, a, b)", "ops.cond("]),
        (with_while, 1, ["`while`", "ops.while_loop("]),
        (with_and, 1, ["`and`", "ops.logical_and"]),
        (with_numpy, 1, ["NumPy", "ops.square"]),
        (with_float, 1, ["`float()`", "functions of ops"]),
        (with_range, 1, ["`range()`", "ops.fori_loop"]),
        (with_item, 1, ["`.item()`", "functions of ops"]),
        (with_method, 1, ["`.numpy()`", "functions of ops"]),
        (with_index, 1, ["booleans", "ops.where(condition, x, 0)"]),
        (with_assignment, 1, ["in place", "ops.slice_update"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_python_on_tensors_names_the_line_and_the_way_out(code, offset, parts):
    number = code.__code__.co_firstlineno + offset
    line = Path(__file__).read_text().splitlines()[number - 1].strip()
    expected = [f"{__file__}:{number}, in {code.__name__}: `{line}`", *parts]
    for message in (fails(code), *([fails(code, loss=True)] if code.__code__.co_argcount == 2 else [])):
        for part in expected:
            assert part in message
        assert len(message.splitlines()) == 1


def test_a_tensor_kept_from_an_earlier_call():
    class Keeps(Layer):
        last = None

        def call(self, x):
            if self.last is None:
                self.last = x * 2
            return x[:1] + self.last[:1]

    error, _ = caught(Sequential([Input((4,), batch_size=2), Keeps()]).predict, X[:2], verbose=0)
    number = Keeps.call.__code__.co_firstlineno + 2
    assert str(error).startswith(f"{__file__}:{number}: a tensor that was made here is used in a later call")
    assert "add_weight" in str(error)


def test_symbols_name_the_line():
    x = Input((4,))
    for code, parts in {
        (lambda: 1 if x > 0 else 2): ["lambda: 1 if x > 0 else 2", "ops.where and ops.cond"],
        (lambda: np.sin(x)): ["lambda: np.sin(x)", "oneiros.ops"],
        (lambda: float(ops.mean(x))): ["float(ops.mean(x))"],
        (lambda: list(x)): ["no known length", "ops.scan"],
    }.items():
        message = str(caught(code)[0])
        assert all(part in message for part in parts), message


def test_numpy_arrays_still_compute_with_symbols():
    x = Input((4,))
    array = np.arange(4, dtype="float32")
    values = Model(x, [array - x, array / x, array > x, array @ ops.transpose(x)]).predict(X * 2, verbose=0)
    expected = [array - X * 2, array / (X * 2), array > X * 2, array @ (X.T * 2)]
    for value, oracle in zip(values, expected):
        np.testing.assert_allclose(value, oracle)


def test_the_call_is_named_with_unknown_sizes():
    class Outer(Layer):
        def __init__(self):
            super().__init__(name="outer")
            self.inner = Broken(name="inner")

        def call(self, inputs):
            return self.inner(inputs)

    error, _ = caught(lambda: Sequential([Input((4,)), Outer()], name="net"))
    assert error.__notes__ == [
        "While calling layer 'inner' (Broken) with inputs of shape (None, 4), inside layer 'outer' (Outer), inside "
        "layer 'net' (Sequential)."
    ]
    error, _ = caught(Sequential([Outer()], name="net"), X)
    assert error.__notes__[0].startswith("While calling layer 'inner' (Broken) with inputs of shape (None, 4)")


def test_an_error_that_cannot_be_shown_does_no_harm():
    class Nasty(Exception):
        def __str__(self):
            raise RuntimeError("no text")

        __repr__ = __str__

    def raises(x):
        raise Nasty

    with pytest.raises(Nasty):
        Lambda(raises)(X)
    with pytest.raises(Nasty):
        Activation(raises)(X)
