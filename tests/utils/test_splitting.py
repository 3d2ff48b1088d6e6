"""`split_dataset`: the sizes are those of Keras 3.15, and so is the order that a seed gives."""

import numpy as np
import pytest

import oneiros as keras
from oneiros.utils import split_dataset

# (number of samples, arguments, the numbers of the samples in both parts), from Keras 3.15
SPLITS = [
    (10, {"left_size": 0.35}, range(4), range(4, 10)),
    (10, {"left_size": 0.25}, range(2), range(2, 10)),
    (10, {"right_size": 0.25}, range(8), range(8, 10)),
    (10, {"left_size": 0.25, "right_size": 0.25}, range(2), range(8, 10)),
    (10, {"left_size": 2, "right_size": 0.3}, range(2), range(7, 10)),
    (10, {"right_size": 3}, range(7), range(7, 10)),
    (7, {"left_size": 0.5, "right_size": 2}, range(4), range(5, 7)),
    (10, {"left_size": 0.8, "shuffle": True, "seed": 1}, [6, 8, 9, 7, 5, 3, 0, 4], [1, 2]),
    (7, {"left_size": 0.5, "right_size": 0.5}, range(4), range(4, 7)),  # Keras rounds both up, and complains
]


@pytest.mark.parametrize(("count", "arguments", "left", "right"), SPLITS)
def test_sizes(count, arguments, left, right):
    parts = split_dataset(np.arange(count), **arguments)
    assert [[int(sample) for sample in part] for part in parts] == [list(left), list(right)]


class Pairs(keras.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return {"x": np.full(2, index), "y": (np.array(index), np.array([-index]))}


def test_kinds_of_data():
    x, y = np.arange(8).reshape(4, 2), np.arange(4)
    for data in ([x, y], (x, y)):
        left, right = split_dataset(data, left_size=0.5)
        assert [(a.tolist(), int(b)) for a, b in right] == [([4, 5], 2), ([6, 7], 3)]
    left, right = split_dataset(Pairs(), left_size=1)
    assert len(left) == left.cardinality() == 1 and right[0]["y"][1].tolist() == [-1]
    batch = right.batch(2)[0]
    assert batch["x"].tolist() == [[1, 1], [2, 2]] and batch["y"][0].tolist() == [1, 2]
    left, right = split_dataset((np.full(2, i) for i in range(3)), right_size=1)
    assert [len(left), right[0].tolist()] == [2, [2, 2]]


def test_parts_are_trained_on():
    x = np.random.RandomState(0).rand(20, 3)
    left, right = split_dataset((x, x.sum(1, keepdims=True)), left_size=0.8)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    train = left.shuffle(16, seed=1).map(lambda x, y: (2 * x, y)).batch(4).prefetch(1)
    orders = []
    for _ in range(2):
        orders.append(np.concatenate([batch for batch, _ in train])[:, 0])
        train.on_epoch_end()
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(2 * x[:16, 0])
    history = model.fit(train, validation_data=right.batch(2), epochs=2, verbose=0)
    assert len(history.history["val_loss"]) == 2
    assert len(left.batch(5)) == 4 and len(left.batch(5, drop_remainder=True)) == 3 and len(left.take(3)) == 3


MISTAKES = [
    ({}, ValueError, "must be given"),
    ({"left_size": 1.5}, ValueError, "left_size: expected"),
    ({"left_size": 0}, ValueError, "left_size: expected"),
    ({"right_size": 10}, ValueError, "right_size: expected"),
    ({"left_size": "a"}, TypeError, "left_size: expected"),
    ({"left_size": 0.6, "right_size": 0.6}, ValueError, "more than 1"),
    ({"left_size": 6, "right_size": 6}, ValueError, "10 samples"),
    ({"left_size": 0.05}, ValueError, "no part may be empty"),
]


@pytest.mark.parametrize(("arguments", "error", "message"), MISTAKES)
def test_wrong_sizes(arguments, error, message):
    with pytest.raises(error, match=message):
        split_dataset(np.arange(10), **arguments)


def test_wrong_data():
    for data in (5, None, "abc", {"a": np.ones(2)}):
        with pytest.raises(TypeError, match="expected arrays or a data set"):
            split_dataset(data, left_size=0.5)
    for data in ([], [1, 2]):
        with pytest.raises(ValueError, match="expected arrays in the list"):
            split_dataset(data, left_size=0.5)
    with pytest.raises(ValueError, match="the same length"):
        split_dataset([np.ones(3), np.ones(4)], left_size=0.5)
