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
