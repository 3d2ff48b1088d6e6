"""What layers know of their calls."""

import pytest

import oneiros as keras


def test_there_are_no_masks_of_calls():
    layer = keras.layers.Dense(2)
    layer(keras.Input((3,)))
    assert layer.get_input_mask_at(0) is None
    assert layer.get_output_mask_at(0) is None
    with pytest.raises((ValueError, AttributeError, IndexError)):
        layer.get_input_mask_at(1)


def test_the_error_for_one_missing_axis_says_how_to_add_it():
    layer = keras.layers.Conv2D(2, 3)
    with pytest.raises(ValueError) as one:
        layer(keras.Input((28, 28)))
    with pytest.raises(ValueError) as two:
        layer(keras.Input((28,)))
    assert str(one.value) != str(two.value)
    assert len(str(one.value)) > len(str(two.value))  # with advice


def test_a_weight_may_be_empty_and_not_of_unknown_size():
    layer = keras.layers.Layer()
    assert layer.add_weight("w", (0, 3)).shape == (0, 3)
    for shape in [(None, 3), (-1, 3)]:
        with pytest.raises(ValueError):
            layer.add_weight("v", shape)
