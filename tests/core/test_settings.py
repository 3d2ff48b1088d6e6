"""Names, seeds and settings at their edges."""

import numpy as np
import pytest

import oneiros as keras
from oneiros.core import config
from oneiros.core.names import to_snake_case
from oneiros.core.structure import leaves


def test_names_of_private_classes_do_not_begin_with_an_underscore():
    assert to_snake_case("_Own").startswith("private_")
    assert to_snake_case("Own_") == "own_"


def test_seeds_are_unsigned_numbers_of_32_bits():
    keras.utils.set_random_seed(2**32 - 1)
    for seed in (2**32, -1, True, 1.5):
        with pytest.raises(ValueError, match="seed"):
            keras.utils.set_random_seed(seed)


def test_the_timeout_of_data_is_positive_or_none():
    before = config.data_timeout()
    try:
        for given, kept in [(3, 3.0), (0.5, 0.5), (float("inf"), None), (None, None)]:
            config.set_data_timeout(given)
            assert config.data_timeout() == kept
        for wrong in (0, -1, float("nan")):
            with pytest.raises(ValueError, match="positive number or None"):
                config.set_data_timeout(wrong)
    finally:
        config.set_data_timeout(before)


def test_leaves_of_a_single_thing():
    array = np.ones(2)
    assert leaves(array)[0] is array
    assert leaves(None) == []
    assert leaves([]) == []


def test_policies_are_equal_if_their_names_are():
    policy = keras.DTypePolicy("mixed_bfloat16")
    assert policy == keras.DTypePolicy("mixed_bfloat16")
    assert policy != keras.DTypePolicy("float32")
    assert policy != "mixed_bfloat16"
