"""The differential tester finds planted faults and shrinks them; a fixed sample of programs agrees with Keras 3."""

import ast

import pytest

from .comparing import compare, differs, examine
from .peers import PEERS, Pair
from .programs import PRELUDE, Program
from .shrinking import shrink

# Seeds without open findings. A change to what is drawn changes the programs of all seeds: try them again then.
SAMPLE = [0, 1, 3, 4, 6, 7, 8, 9, 11, 14, 15, 16, 17, 18]
# Source that breaks this library, a program, and what is left of the program when it is shrunk: at most so many lines.
FAULTS = {
    "permuted weights": (
        "Dense = keras.layers.Dense\n"
        "call = Dense.call\n"
        "Dense.call = lambda self, x: call(self, x)[..., ::-1] if self.units == 3 else call(self, x)",
        8,
    ),
    "swapped outputs": (
        "predict = keras.Model.predict\n"
        "def swapped(self, x, **options):\n"
        "    made = predict(self, x, **options)\n"
        "    return dict(zip(made, reversed(list(made.values())))) if isinstance(made, dict) else made\n"
        "keras.Model.predict = swapped",
        8,
    ),
}
BROKEN = """\
i1 = keras.Input((4,), name='x1')
t2 = keras.layers.Dense(3, activation='tanh', kernel_regularizer='l2')(i1)
t3 = keras.layers.Dense(2, activation='relu')(t2)
t4 = keras.layers.Add()([t3, t3])
t5 = keras.layers.Dense(2, name='zeta')(t4)
t6 = keras.layers.Dense(2, name='alpha')(t2)
m = keras.Model(i1, {'zeta': t5, 'alpha': t6})
give_weights(m)
x = r.normal(size=(12, 4)).astype('float32')
y = {'zeta': r.normal(size=(12, 2)), 'alpha': r.normal(size=(12, 2))}
m.compile(optimizer='sgd', loss='mse', metrics={'zeta': ['mae'], 'alpha': ['mae', 'mse']})
record('weights', m.get_weights())
record('predict', m.predict(x, batch_size=5, verbose=0))
record('evaluate', m.evaluate(x, y, batch_size=5, verbose=0))
record('history', m.fit(x, y, epochs=1, shuffle=False, verbose=0).history)
"""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_and_shrunk(fault):
    source, lines = FAULTS[fault]
    with Pair("self", source) as pair:
        finding = examine(pair, PRELUDE + BROKEN)
        assert finding is not None
        small, finding = shrink(pair, BROKEN, finding, attempts=50)
        assert finding.kind == "values"
        assert len(small.splitlines()) <= lines, small
        again = examine(pair, PRELUDE + small)
        assert again is not None and again.kind == finding.kind


def test_a_process_that_ends_or_hangs_is_a_finding():
    with Pair("self", "import time\nkeras.Model.predict = lambda self, x, **options: time.sleep(60)") as pair:
        pair.ours.limit = 10
        assert examine(pair, PRELUDE + BROKEN).kind == "hang"


def test_what_counts_as_a_difference():
    one, other = {"dict": [("b", 1.0), ("a", 2.0)]}, {"dict": [("a", 2.0), ("b", 1.0)]}
    assert differs(one, other)[0] == "structure" and differs(one, one) is None
    record = lambda value: {"records": [("history", value)], "raised": None}  # noqa: E731
    assert compare(record(one), record(other)) is None  # logs: see `LOGS`
    raised = {
        "records": [],
        "raised": {"statement": "f()", "error": "ValueError", "message": "no", "text": "no", "place": 0},
    }
    assert compare(raised, {"records": [], "raised": None}).kind == "refused here"
    assert compare(raised, raised) is None


@pytest.mark.parametrize("new", [True, False])
def test_a_seed_gives_one_program_and_it_is_python(new):
    for seed in range(200):
        source = Program(seed, new).source
        assert source == Program(seed, new).source
        ast.parse(source)


def test_a_sample_agrees_with_keras():
    if not (PEERS["keras"][0] / "bin").exists():
        pytest.skip("needs the peer's environment: make .venv-peer/keras-installed")
    with Pair("keras") as pair:
        findings = {seed: examine(pair, PRELUDE + Program(seed).source) for seed in SAMPLE}
    assert not {seed: str(found) for seed, found in findings.items() if found is not None and not found.reason}
    assert pair.refused < len(SAMPLE) / 5  # most programs run to their end
