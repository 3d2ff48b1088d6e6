"""Against a plain loop, closed forms, and results of tf_keras 2.21 (golden/text_sequence.json)."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oneiros.core.errors import InputDataError
from oneiros.preprocessing import sequence

GOLDEN = json.loads((Path(__file__).parent / "golden" / "text_sequence.json").read_text(encoding="utf-8"))
SIDES = st.sampled_from(["pre", "post"])


def padded_by_hand(rows, maxlen, padding, truncating, value):
    result = []
    for row in rows:
        row = list(row)
        while len(row) > maxlen:
            row.pop(0 if truncating == "pre" else -1)
        while len(row) < maxlen:
            row.insert(0 if padding == "pre" else len(row), value)
        result.append(row)
    return result


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.integers(-9, 9), max_size=6), max_size=5),
    st.one_of(st.none(), st.integers(0, 7)),
    SIDES,
    SIDES,
    st.integers(-3, 3),
    st.sampled_from(["int32", "float32", "object"]),
    st.booleans(),
)
def test_pad_sequences(rows, maxlen, padding, truncating, value, dtype, arrays):
    expected = padded_by_hand(
        rows, max(map(len, rows), default=0) if maxlen is None else maxlen, padding, truncating, value
    )
    given_rows = [np.array(row, "int64") for row in rows] if arrays else rows
    padded = sequence.pad_sequences(given_rows, maxlen, dtype, padding, truncating, value)
    assert padded.dtype == dtype
    assert padded.tolist() == expected


def test_pad_sequences_of_vectors_and_words():
    rows = [np.ones((1, 2)), np.full((3, 2), 2.0)]
    padded = sequence.pad_sequences(rows, maxlen=2, dtype="float32", value=-1)
    assert padded.tolist() == [[[-1, -1], [1, 1]], [[2, 2], [2, 2]]]
    assert sequence.pad_sequences([r.tolist() for r in rows], 2, "float32", value=-1).tolist() == padded.tolist()
    words = sequence.pad_sequences([["a"], ["bc", "d"]], dtype=object, value="-", padding="post")
    assert words.tolist() == [["a", "-"], ["bc", "d"]]
    assert sequence.pad_sequences([[1.7], [2]]).tolist() == [[1], [2]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sequences": 3}, "list of sequences"),
        ({"sequences": [[1], 2]}, "row 1"),
        ({"sequences": [[1]], "padding": "left"}, "'left'"),
        ({"sequences": [[1]], "truncating": "left"}, "'left'"),
        ({"sequences": [[1]], "value": "a"}, "dtype object"),
        ({"sequences": [["a"]]}, "int32"),
        ({"sequences": [[[1, 2]], [[1, 2, 3]]]}, r"\(3,\)"),
    ],
)
def test_pad_sequences_errors(arguments, message):
    with pytest.raises(InputDataError, match=message):
        sequence.pad_sequences(**arguments)


def test_sampling_table():
    np.testing.assert_allclose(sequence.make_sampling_table(20, 1e-3), GOLDEN["table"], rtol=1e-12)


@pytest.mark.parametrize("name", GOLDEN["skipgrams"])
def test_skipgrams(name):
    golden = GOLDEN["skipgrams"][name]
    random.seed(11)
    couples, labels = sequence.skipgrams([1, 2, 0, 3, 4, 5, 6, 7, 8], 10, **golden["kwargs"])
    assert couples == golden["couples"]
    assert labels == golden["labels"]


@pytest.mark.parametrize("golden", GOLDEN["timeseries"])
def test_timeseries_generator(golden):
    generator = sequence.TimeseriesGenerator(np.arange(12).reshape(12, 1), np.arange(12) * 10, **golden["kwargs"])
    assert [[x.tolist(), y.tolist()] for x, y in generator] == golden["batches"]
    assert json.loads(generator.to_json()) == golden["json"]


def test_timeseries_generator_shuffled_and_wrong():
    data = np.arange(20)
    x, y = sequence.TimeseriesGenerator(data, data, 4, shuffle=True, batch_size=8)[0]
    assert x.shape == (8, 4)
    np.testing.assert_array_equal(x[:, -1] + 1, y)
    with pytest.raises(InputDataError, match="20 steps of data but 3"):
        sequence.TimeseriesGenerator(data, data[:3], 4)
    with pytest.raises(InputDataError, match="no window of 20"):
        sequence.TimeseriesGenerator(data, data, 20)


@pytest.mark.parametrize("golden", GOLDEN["windows"])
def test_timeseries_dataset(golden):
    targets = np.arange(12) * 10 if golden["targets"] else None
    dataset = sequence.timeseries_dataset_from_array(np.arange(12).reshape(12, 1), targets, **golden["kwargs"])
    batches = [[part.tolist() for part in (batch if golden["targets"] else (batch,))] for batch in dataset]
    assert batches == golden["batches"]


def test_timeseries_dataset_shuffled_and_single():
    dataset = sequence.timeseries_dataset_from_array(
        np.arange(30), np.arange(30), 3, shuffle=True, seed=1, batch_size=4
    )
    first = np.concatenate([y for _, y in dataset])
    dataset.on_epoch_end()
    second = np.concatenate([y for _, y in dataset])
    assert sorted(first) == sorted(second) == list(range(28))
    assert first.tolist() != second.tolist()
    single = sequence.timeseries_dataset_from_array(np.arange(4), None, 3, batch_size=None)
    assert [window.tolist() for window in single] == [[0, 1, 2], [1, 2, 3]]
    with pytest.raises(InputDataError, match="sampling_rate"):
        sequence.timeseries_dataset_from_array(np.arange(4), None, 3, sampling_rate=0)
