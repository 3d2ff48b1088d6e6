"""Settings: where progress goes, and what there is one of."""

import numpy as np
import pytest

import oneiros


def test_progress_goes_to_the_logger_without_interactive_logging(capsys, caplog):
    model = oneiros.Sequential([oneiros.layers.Dense(1)])
    model.compile("sgd", "mse")
    oneiros.config.disable_interactive_logging()
    try:
        with caplog.at_level("INFO", "oneiros"):
            model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=2)
    finally:
        oneiros.utils.enable_interactive_logging()
    assert oneiros.utils.is_interactive_logging_enabled()
    assert capsys.readouterr().out == ""
    assert "Epoch 2/2" in caplog.messages and "loss: " in caplog.text
    model.fit(np.ones((4, 2)), np.ones((4, 1)))
    assert "loss: " in capsys.readouterr().out


def test_there_is_one_backend():
    oneiros.config.set_backend("jax")
    with pytest.raises(ValueError, match="there is one engine"):
        oneiros.config.set_backend("torch")
    assert not oneiros.config.is_nnx_enabled()
    oneiros.config.disable_flash_attention()
    assert oneiros.config.is_flash_attention_enabled() is False
    oneiros.config.enable_flash_attention()
    assert oneiros.config.is_flash_attention_enabled() is None
