"""`steps_per_epoch` below a pass over the arrays: the rows that an epoch leaves are trained on in the next ones."""

import numpy as np
import pytest

import oneiros as keras
from oneiros.training.progress import Rows

X = np.arange(24, dtype="float32").reshape(12, 2)
BATCHES = [np.mean(np.square(X[i : i + 4])) for i in (0, 4, 8)]  # the losses of a model that outputs 0


def model():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    return model


@pytest.mark.parametrize(
    ("steps", "expected"),
    [(1, [[0], [1], [2], [0]]), (2, [[0, 1], [2], [0, 1], [2]]), (3, [[0, 1, 2]] * 4), (5, [[0, 1, 2]] * 4)],
)
def test_epochs_go_on_where_the_last_one_stopped(steps, expected):
    options = {"batch_size": 4, "steps_per_epoch": steps, "epochs": 4, "shuffle": False, "verbose": 0}
    losses = model().fit(X, X, **options).history["loss"]
    np.testing.assert_allclose(losses, [np.mean([BATCHES[i] for i in epoch]) for epoch in expected], rtol=1e-6)


def test_each_row_is_seen_once_in_a_shuffled_pass():
    seen = []
    record = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs["loss"]))
    model().fit(X, X, batch_size=4, steps_per_epoch=1, epochs=3, verbose=0, callbacks=[record])
    np.testing.assert_allclose(np.mean(seen), np.mean(BATCHES), rtol=1e-6)


@pytest.mark.parametrize("shuffle", [True, False, "batch"])
@pytest.mark.parametrize(("steps", "passes"), [(2, None), (2, 9), (5, 9)])
@pytest.mark.parametrize("done", [0, 1])
def test_the_order_is_the_same_after_a_backup(shuffle, steps, passes, done):
    np.random.seed(0)
    whole, later = (Rows(10, 4, steps, shuffle, passes) for _ in range(2))
    for _ in range(3):
        whole.begin_epoch()
    state, random = whole.get_state(within_epoch=bool(done)), np.random.get_state()
    later.set_state(state, within_epoch=bool(done))

    def rest(rows):
        np.random.set_state(random)
        told = [[part.tolist() for part in rows.from_step(done)]] if done else []
        for _ in range(3):
            rows.begin_epoch()
            told.append([part.tolist() for part in rows.from_step(0)])
        return told

    assert rest(whole) == rest(later)
