"""Lookup, hashes and texts, against what tf_keras gives."""

import numpy as np
import pytest

import oneiros as keras
from oneiros import layers
from oneiros.layers.preprocessing.fingerprints import fingerprint, keyed_hash

TOKENS = ["a", "b", "c"]
DATA = np.array([["a", "c", "d"], ["d", "z", "b"]])
TEXTS = ["The cat, sat on the mat!", "A dog's day: don't-stop", "  cat   dog ", "über Straße cat"]


@pytest.mark.parametrize(
    "options, expected",
    [
        ({}, [[1, 3, 0], [0, 0, 2]]),
        ({"num_oov_indices": 2}, [[2, 4, 1], [1, 1, 3]]),
        ({"mask_token": ""}, [[2, 4, 1], [1, 1, 3]]),
        ({"output_mode": "multi_hot"}, [[1, 1, 0, 1], [1, 0, 1, 0]]),
        ({"output_mode": "count"}, [[1, 1, 0, 1], [2, 0, 1, 0]]),
        ({"output_mode": "count", "mask_token": "d"}, [[0, 1, 0, 1], [1, 0, 1, 0]]),
        (
            {"output_mode": "count", "max_tokens": 6, "pad_to_max_tokens": True},
            [[1, 1, 0, 1, 0, 0], [2, 0, 1, 0, 0, 0]],
        ),
        ({"output_mode": "tf_idf", "idf_weights": [0.25, 0.75, 0.6]}, [[0.53333, 0.25, 0, 0.6], [1.06667, 0, 0.75, 0]]),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else None,
)
def test_strings(options, expected):
    layer = layers.StringLookup(vocabulary=TOKENS, **options)
    np.testing.assert_allclose(layer(DATA), expected, rtol=1e-4)
    np.testing.assert_allclose(layer(DATA.astype("S")), expected, rtol=1e-4)
    copy = layers.StringLookup.from_config(layer.get_config())
    np.testing.assert_allclose(copy(DATA), expected, rtol=1e-4)


def test_buckets_of_unknown_strings_and_integers():
    many = layers.StringLookup(vocabulary=TOKENS, num_oov_indices=5)
    assert many(np.array(list("defghijk"))).tolist() == [0, 1, 2, 4, 2, 0, 4, 4]
    numbers = layers.IntegerLookup(vocabulary=[5, 7], num_oov_indices=3)
    assert numbers([-5, -4, -3, -2, -1, 100, 101]).tolist() == [1, 2, 0, 1, 2, 1, 2]
    assert layers.IntegerLookup(vocabulary=[5, 7])([[5, 9, 7], [0, -1, 5]]).tolist() == [[1, 0, 2], [0, 0, 1]]
    assert layers.IntegerLookup(vocabulary=[5, 7], mask_token=0)([[5, 9, 7], [0, -1, 5]]).tolist() == [
        [2, 1, 3],
        [0, 1, 2],
    ]
    with pytest.raises(ValueError, match="all inputs must be in the vocabulary. Received: 'd'"):
        layers.StringLookup(vocabulary=TOKENS, num_oov_indices=0)(DATA)


def test_vocabularies(tmp_path):
    layer = layers.StringLookup(mask_token="", max_tokens=5)
    with pytest.raises(ValueError, match="no vocabulary yet"):
        layer(DATA)
    layer.adapt(iter([np.array([["x", "", "b", "[UNK]"]]), np.array([["c", "a", "b", ""]])]))
    assert layer.get_vocabulary() == ["", "[UNK]", "b", "x", "c"] and layer.vocabulary_size() == 5
    assert layer.get_vocabulary(include_special_tokens=False) == ["b", "x", "c"]
    inverse = layers.StringLookup(vocabulary=layer.get_vocabulary(), mask_token="", invert=True)
    assert inverse([[2, 4, 0, 9]]).tolist() == [["b", "c", "", "[UNK]"]]
    file = tmp_path / "tokens.txt"
    file.write_text("über\nb\n", encoding="utf-8")
    assert layers.StringLookup(vocabulary=str(file)).get_vocabulary() == ["[UNK]", "über", "b"]
    with pytest.raises(ValueError, match="tokens repeat"):
        layers.StringLookup(vocabulary=["a", "a"])
    with pytest.raises(ValueError, match="at most max_tokens=3"):
        layers.StringLookup(vocabulary=TOKENS, max_tokens=3)
    with pytest.raises(ValueError, match="needs idf_weights"):
        layers.StringLookup(vocabulary=TOKENS, output_mode="tf_idf")
    with pytest.raises(ValueError, match="expected strings.*dtype=.string"):
        layers.StringLookup(vocabulary=TOKENS)(keras.Input((1,)))


def test_layers_for_strings_in_models(tmp_path):
    texts, numbers = keras.Input((1,), dtype="string", name="texts"), keras.Input((1,), dtype="int32", name="numbers")
    tokens = layers.StringLookup(vocabulary=["a", "b"])(texts)
    parts = [
        layers.HashedCrossing(7, output_mode="one_hot")((tokens, numbers)),
        layers.IntegerLookup(vocabulary=[3, 4], output_mode="multi_hot")(numbers),
        layers.TextVectorization(vocabulary=["a", "b"], output_mode="count")(texts),
        layers.TextVectorization(vocabulary=["a"], output_mode="tf_idf", idf_weights=[2.0])(texts),
        layers.Hashing(5, output_mode="one_hot")(texts),
    ]
    assert [part.shape for part in parts] == [(None, 7), (None, 3), (None, 3), (None, 2), (None, 5)]
    model = keras.Model([texts, numbers], layers.Dense(2)(layers.Concatenate()(parts)))
    model.compile("sgd", "mse")
    data = [np.array([["a"], ["a b"], ["b"], ["c"]] * 10), np.array([[3], [4], [5], [3]] * 10)]
    found = model.predict(data, verbose=0)
    np.testing.assert_allclose(found, model(data), rtol=1e-6)
    model.fit(data, np.zeros((40, 2)), verbose=0)
    assert not np.allclose(found, model.predict([data[0].astype(object), data[1]], verbose=0))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(data, verbose=0), model.predict(data, verbose=0), rtol=1e-6)
    with pytest.raises(ValueError, match="Received a symbol for strings"):
        layers.Dense(1)(texts)
    with pytest.raises(ValueError, match="output_sequence_length"):
        layers.TextVectorization(vocabulary=["a"])(texts)


def test_integers_in_compiled_code():
    numbers = keras.Input((1,), dtype="int32")
    made = [layers.IntegerLookup(vocabulary=[3, 4]), layers.Hashing(50), layers.StringLookup(vocabulary=["4"])]
    model = keras.Model(numbers, [layer(numbers) for layer in made])
    data = np.array([[3], [4], [5]])
    for layer, found in zip(made, model.predict(data, verbose=0)):
        assert found.tolist() == layer(data).tolist()


# Of TensorFlow 2.21: tf.sparse.cross_hashed.
CROSSES = [
    ((list("ABABA"), [101, 101, 101, 102, -102]), 5, [1, 4, 1, 1, 4]),
    (
        ([101, 101, 101, 102, -102], np.array([101, 101, 101, 102, 154], "uint8")),
        1000003,
        [717843, 717843, 717843, 444532, 961007],
    ),
    (
        (list("ABABA"), [101, 101, 101, 102, -102], ["", "日本", "x" * 70, "xyzabcdefghijk", "1"]),
        1000003,
        [237984, 760292, 578547, 290519, 550091],
    ),
]


@pytest.mark.parametrize("features, bins, expected", CROSSES)
def test_hashed_crossing(features, bins, expected):
    layer = layers.HashedCrossing(bins)
    assert layer(features).tolist() == expected
    columns = [np.asarray(feature)[:, None] for feature in features]
    assert layer(columns).tolist() == [[number] for number in expected]
    assert layers.HashedCrossing.from_config(layer.get_config())(features).tolist() == expected
    small = layers.HashedCrossing(5, output_mode="one_hot")
    assert np.argmax(small(features), -1).tolist() == layers.HashedCrossing(5)(features).tolist()
    assert small([np.asarray(f)[0] for f in features]).shape == (1, 5)


def test_mistakes_with_crosses():
    layer = layers.HashedCrossing(3)
    for inputs, message in [
        (np.array([1]), "list or tuple"),
        ([[1]], "at least two"),
        (([1, 2], [[1], [2]]), "equal shapes"),
        (([[1, 2]], [[1, 2]]), "should have shape"),
        (([1.0], [1.0]), "integer or string"),
    ]:
        with pytest.raises(ValueError, match=message):
            layer(inputs)


def test_weights_of_documents():
    layer = layers.StringLookup(output_mode="tf_idf")
    layer.adapt(DATA)
    assert layer.get_vocabulary() == ["[UNK]", "d", "z", "c", "b", "a"]
    once, twice = np.log(1 + 2 / 2), np.log(1 + 2 / 3)
    np.testing.assert_allclose(layer(DATA), [[0, twice, 0, once, 0, once], [0, twice, once, 0, once, 0]], rtol=1e-5)


def test_hashes():
    texts = ["", "a", "abc", "hello world", "x" * 15, "y" * 16, "0123456789abcdef0", "q" * 32, "r" * 33, "s" * 64]
    texts += ["t" * 65, "u" * 127, "v" * 130, "wörld"]
    buckets = [377723, 291400, 152962, 234754, 464981, 386336, 449828, 192971, 222356, 122096, 71413, 687738, 582879]
    assert [fingerprint(text.encode()) % 1000003 for text in texts] == [*buckets, 504187]
    assert [keyed_hash(text.encode(), (1, 2)) % 1000003 for text in ("abcdefg", "abcdefgh")] == [330372, 19760]
    letters = np.array([["A"], ["B"], ["C"], ["D"], ["E"]])
    assert layers.Hashing(5)(letters).ravel().tolist() == [4, 3, 2, 0, 2]
    assert layers.Hashing(5, salt=133)(letters).ravel().tolist() == [4, 3, 2, 3, 2]
    assert layers.Hashing(5, salt=[133, 137])(letters).ravel().tolist() == [4, 0, 2, 2, 4]
    assert layers.Hashing(5, mask_value="")([["A"], [""], ["C"]]).ravel().tolist() == [1, 0, 4]
    assert layers.Hashing(7)([0, 1, 2, 3, -1, 100, 12345678]).tolist() == [2, 5, 5, 2, 4, 4, 2]
    assert layers.Hashing(3, output_mode="count")([["a", "b", "c", "d"]]).tolist() == [[1, 2, 1]]
    with pytest.raises(ValueError, match="salt: expected one or two whole numbers"):
        layers.Hashing(3, salt="x")


def adapted(**options):
    layer = layers.TextVectorization(**options)
    layer.adapt(TEXTS)
    return layer


@pytest.mark.parametrize(
    "options, vocabulary, rows",
    [
        (
            {},
            ["", "[UNK]", "cat", "the", "über", "straße"],
            [[3, 2, 6, 7, 3, 8], [13, 10, 12, 9, 0, 0], [2, 11, 0, 0, 0, 0], [4, 5, 2, 0, 0, 0]],
        ),
        (
            {"output_sequence_length": 3},
            ["", "[UNK]", "cat", "the", "über", "straße"],
            [[3, 2, 6], [13, 10, 12], [2, 11, 0], [4, 5, 2]],
        ),
        (
            {"max_tokens": 5},
            ["", "[UNK]", "cat", "the", "über"],
            [[3, 2, 1, 1, 3, 1], [1, 1, 1, 1, 0, 0], [2, 1, 0, 0, 0, 0], [4, 1, 2, 0, 0, 0]],
        ),
        (
            {"ngrams": 2},
            ["", "[UNK]", "cat", "the", "über straße", "über"],
            [
                [3, 2, 11, 13, 3, 14, 7, 21, 10, 12, 6],
                [24, 17, 20, 15, 23, 16, 19, 0, 0, 0, 0],
                [2, 18, 22, 0, 0, 0, 0, 0, 0, 0, 0],
                [5, 9, 2, 4, 8, 0, 0, 0, 0, 0, 0],
            ],
        ),
        (
            {"ngrams": (2,)},
            ["", "[UNK]", "über straße", "the mat", "the cat", "straße cat"],
            [[4, 10, 6, 7, 3], [12, 8, 9, 0, 0], [11, 0, 0, 0, 0], [2, 5, 0, 0, 0]],
        ),
        (
            {"standardize": None},
            ["", "[UNK]", "cat", "über", "the", "sat"],
            [[13, 12, 5, 6, 4, 7], [15, 9, 11, 8, 0, 0], [2, 10, 0, 0, 0, 0], [3, 14, 2, 0, 0, 0]],
        ),
        (
            {"standardize": "lower"},
            ["", "[UNK]", "the", "cat", "über", "straße"],
            [[2, 13, 6, 7, 2, 8], [14, 10, 12, 9, 0, 0], [3, 11, 0, 0, 0, 0], [4, 5, 3, 0, 0, 0]],
        ),
        (
            {"standardize": "strip_punctuation"},
            ["", "[UNK]", "cat", "über", "the", "sat"],
            [[12, 2, 5, 6, 4, 7], [14, 9, 11, 8, 0, 0], [2, 10, 0, 0, 0, 0], [3, 13, 2, 0, 0, 0]],
        ),
        (
            {"split": "character"},
            ["", "[UNK]", " ", "t", "a", "o"],
            [
                [3, 12, 7, 2, 9, 4, 3, 2, 6, 4, 3, 2, 5, 11, 2, 3, 12, 7, 2, 18, 4, 3],
                [4, 2, 8, 5, 13, 6, 2, 8, 4, 16, 2, 8, 5, 11, 3, 6, 3, 5, 17, 0, 0, 0],
                [2, 2, 9, 4, 3, 2, 2, 2, 8, 5, 13, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
                [14, 19, 7, 10, 2, 6, 3, 10, 4, 15, 7, 2, 9, 4, 3, 0, 0, 0, 0, 0, 0, 0],
            ],
        ),
        (
            {"output_mode": "multi_hot"},
            ["[UNK]", "cat", "the", "über", "straße", "sat"],
            [
                [0, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0],
                [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 1],
                [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0],
                [0, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0],
            ],
        ),
        (
            {"output_mode": "count", "max_tokens": 4},
            ["[UNK]", "cat", "the", "über"],
            [[3, 1, 2, 0], [4, 0, 0, 0], [1, 1, 0, 0], [1, 1, 0, 1]],
        ),
        (
            {"output_mode": "tf_idf", "max_tokens": 6},
            ["[UNK]", "cat", "the", "über", "straße", "sat"],
            [
                [2.0350399017333984, 0.693149983882904, 2.1972200870513916, 0, 0, 1.0986100435256958],
                [4.070079803466797, 0, 0, 0, 0, 0],
                [1.0175199508666992, 0.693149983882904, 0, 0, 0, 0],
                [0, 0.693149983882904, 0, 1.0986100435256958, 1.0986100435256958, 0],
            ],
        ),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_texts(options, vocabulary, rows):
    layer = adapted(**options)
    assert layer.get_vocabulary()[: len(vocabulary)] == vocabulary
    np.testing.assert_allclose(layer(TEXTS), rows, rtol=1e-4)
    np.testing.assert_allclose(type(layer).from_config(layer.get_config())(TEXTS), rows, rtol=1e-4)


def test_forms_of_texts(tmp_path):
    layer = adapted()
    assert layer("cat zebra").tolist() == [2, 1] and layer([["cat zebra"], ["dog"]]).shape == (2, 2)
    assert [row.tolist() for row in adapted(ragged=True)(["cat cat", "dog"])] == [[2, 2], [11]]
    doubled = layers.TextVectorization(
        vocabulary=["cat"], standardize=np.char.lower, split=lambda texts: [t.split("-") for t in texts]
    )
    assert doubled(["CAT-dog"]).tolist() == [[2, 1]]
    layer.save_assets(tmp_path)
    empty = layers.TextVectorization()
    empty.load_assets(tmp_path)
    assert empty.get_vocabulary() == layer.get_vocabulary()
    with pytest.raises(ValueError, match="need output_mode='int'"):
        layers.TextVectorization(output_mode="count", output_sequence_length=3)


def test_a_model_learns_from_texts():
    texts = ["good film", "bad film", "good play", "bad play"] * 8
    layer = layers.TextVectorization(output_sequence_length=2)
    layer.adapt(texts)
    model = keras.Sequential(
        [layers.Embedding(layer.vocabulary_size(), 4), layers.Flatten(), layers.Dense(1, "sigmoid")]
    )
    model.compile(keras.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(layer(texts), np.array([1, 0, 1, 0] * 8), epochs=12, verbose=0)
    assert history.history["accuracy"][-1] == 1.0


# Of Keras 3.15 on TensorFlow 2.21, where hashes decide.
OTHERS = [
    ({}, [5, 6, 3, 4, 0, 1, 0, 3], [5, 2, 2, 0, 1, 2, 4, 1, 3]),
    ({"oov_method": "farmhash"}, [5, 6, 1, 3, 1, 2, 0, 2], [5, 2, 2, 0, 1, 2, 4, 1, 3]),
    ({"oov_method": "farmhash", "salt": [1, 2]}, [5, 6, 0, 2, 3, 2, 4, 2], [5, 4, 4, 3, 3, 2, 0, 1, 2]),
    ({"oov_method": "farmhash", "salt": 7}, [5, 6, 0, 1, 2, 0, 0, 1], [5, 3, 3, 0, 4, 2, 2, 1, 3]),
]


@pytest.mark.parametrize("options, of_integers, of_strings", OTHERS)
def test_how_others_are_spread(options, of_integers, of_strings):
    integers = layers.IntegerLookup(num_oov_indices=5, vocabulary=[1, 2], **options)
    strings = layers.StringLookup(num_oov_indices=5, vocabulary=["a"], **options)
    for layer in (integers, layers.IntegerLookup.from_config(integers.get_config())):
        assert layer([1, 2, 3, 4, 5, 6, 100, -7]).tolist() == of_integers
    for layer in (strings, layers.StringLookup.from_config(strings.get_config())):
        assert layer([*"abcdefg", "hello world", "12"]).tolist() == of_strings


def test_arguments_that_do_not_fit():
    with pytest.raises(ValueError, match="oov_method='farmhash'"):
        layers.IntegerLookup(vocabulary=[1], salt=3)
    for make in (
        lambda: layers.Hashing(3, sparse=True),
        lambda: layers.Discretization([1.0], sparse=True),
        lambda: layers.StringLookup(vocabulary=["a"], sparse=True),
        lambda: layers.TextVectorization(sparse=True),
    ):
        with pytest.raises(ValueError, match="sparse: may only be true"):
            make()
    assert layers.Hashing(3, output_mode="one_hot", sparse=True, dtype="float16")(["a"]).dtype == "float16"


def test_boundaries_that_were_learnt_stay_learnt():
    layer = layers.Discretization(num_bins=2)
    layer.adapt([1.0, 2.0, 3.0, 4.0])
    again = layers.Discretization.from_config(layer.get_config())
    assert again.bin_boundaries == layer.bin_boundaries and again.num_bins == 2
    again.adapt([10.0, 20.0])
    assert again.bin_boundaries != layer.bin_boundaries
    assert layer(keras.Input((1,))).dtype == "int32"
