"""Against results of tf_keras 2.21 (golden/text_sequence.json)."""

import json
from pathlib import Path

import numpy as np
import pytest

from oneiros.core.errors import InputDataError
from oneiros.preprocessing import text

GOLDEN = json.loads((Path(__file__).parent / "golden" / "text_sequence.json").read_text(encoding="utf-8"))
TEXTS = GOLDEN["texts"]


def test_words():
    assert [text.text_to_word_sequence(t) for t in TEXTS] == GOLDEN["words"]
    assert text.text_to_word_sequence("a--b-c", filters="-", split="ab") == GOLDEN["words_split"]


def test_hashing_trick():
    assert text.hashing_trick(TEXTS[0], 50, "md5") == GOLDEN["hash"]
    assert text.hashing_trick("a b", 10, len) == [2, 2]
    assert text.one_hot("a b a", 10) == [hash(w) % 9 + 1 for w in "aba"]
    assert text.one_hot("a b", 10, analyzer=list) == [hash(c) % 9 + 1 for c in "a b"]


@pytest.mark.parametrize("name", GOLDEN["tokenizer"])
def test_tokenizer(name):
    golden = GOLDEN["tokenizer"][name]
    tokenizer = text.Tokenizer(**golden["kwargs"])
    tokenizer.fit_on_texts(iter(TEXTS[:3]))
    restored = text.tokenizer_from_json(tokenizer.to_json())
    foreign = text.tokenizer_from_json(json.dumps(golden["json"]))
    for tested in (tokenizer, restored, foreign):
        assert tested.word_index == golden["word_index"]
        assert dict(tested.word_docs) == golden["word_docs"]
        assert {str(k): v for k, v in tested.index_docs.items()} == golden["index_docs"]
        sequences = tested.texts_to_sequences(TEXTS)
        assert sequences == golden["sequences"]
        assert tested.sequences_to_texts(sequences) == golden["back"]
        for mode in ("binary", "count", "freq", "tfidf"):
            np.testing.assert_allclose(tested.texts_to_matrix(TEXTS, mode), golden[mode], rtol=1e-12)
    config = tokenizer.get_config()
    assert config.keys() == golden["config"].keys()
    for key, value in golden["config"].items():
        if key in ("word_docs", "index_docs"):  # dictionaries whose order is not meant
            assert json.loads(config[key]) == json.loads(value)
        else:
            assert config[key] == value


def test_tokenizer_of_split_texts():
    tokenizer = text.Tokenizer()
    tokenizer.fit_on_texts([["A", "b", "a"], ["c"]])
    assert tokenizer.word_index == {"a": 1, "b": 2, "c": 3}
    assert tokenizer.texts_to_sequences([["C", "z", "a"]]) == [[3, 1]]


def test_fit_on_sequences():
    tokenizer = text.Tokenizer(num_words=4)
    tokenizer.fit_on_sequences([[1, 1, 2], [1, 3]])
    matrix = tokenizer.sequences_to_matrix([[1, 1]], mode="tfidf")
    np.testing.assert_allclose(matrix, [[0, (1 + np.log(2)) * np.log(1 + 2 / 3), 0, 0]])


def test_tokenizer_errors():
    with pytest.raises(InputDataError, match="fit_on_texts"):
        text.Tokenizer().sequences_to_matrix([[1]])
    with pytest.raises(InputDataError, match="tfidf"):
        text.Tokenizer(num_words=3).sequences_to_matrix([[1]], mode="tfidf")
    with pytest.raises(InputDataError, match="'binary'"):
        text.Tokenizer(num_words=3).sequences_to_matrix([[1]], mode="sum")
