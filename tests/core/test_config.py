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


@pytest.fixture
def limits():
    yield
    oneiros.config.set_max_epochs(None)
    oneiros.config.set_max_steps_per_epoch(None)


def test_limits_hold_for_every_loop(limits):
    model = oneiros.Sequential([oneiros.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((40, 2), "float32"), np.arange(40, dtype="float32")[:, None]
    oneiros.config.set_max_epochs(2)
    oneiros.config.set_max_steps_per_epoch(3)
    assert (oneiros.config.max_epochs(), oneiros.config.max_steps_per_epoch()) == (2, 3)
    with pytest.warns(UserWarning, match="Limiting") as warned:
        history = model.fit(x, y, epochs=5, batch_size=4, verbose=0)
    assert [str(warning.message).split(",")[0] for warning in warned] == [
        "Limiting epochs to 2",
        "Limiting steps_per_epoch to 3",
    ]
    assert history.epoch == [0, 1]
    assert model.optimizer.iterations == 6
    with pytest.warns(UserWarning, match="Limiting steps_per_epoch to 3"):
        assert len(model.predict(x, batch_size=4, verbose=0)) == 12
    with pytest.warns(UserWarning, match="Limiting steps_per_epoch to 3"):
        limited = model.evaluate(x, y, batch_size=4, verbose=0)
    oneiros.config.set_max_steps_per_epoch(None)
    np.testing.assert_allclose(limited, model.evaluate(x[:12], y[:12], batch_size=4, verbose=0), rtol=1e-6)


def test_limits_hold_for_validation(limits):
    model = oneiros.Sequential([oneiros.layers.Dense(1, kernel_initializer="ones")])
    model.compile(oneiros.optimizers.SGD(0.0), "mae")
    x = np.ones((40, 1), "float32")
    y = np.concatenate([np.zeros((20, 1)), np.full((4, 1), 3.0), np.full((16, 1), 100.0)]).astype("float32")
    oneiros.config.set_max_steps_per_epoch(1)
    with pytest.warns(UserWarning, match="Limiting"):
        split = model.fit(x, y, validation_split=0.5, batch_size=4, verbose=0)
        given = model.fit(x, y, validation_data=(x[20:], y[20:]), batch_size=4, verbose=0)
    assert split.history["val_loss"] == given.history["val_loss"] == [2.0]


@pytest.mark.parametrize("limit", [0, -1, 2.5, "3", True])
def test_limits_are_whole_numbers(limit):
    with pytest.raises(ValueError, match="set_max_epochs: expected a positive whole number or None"):
        oneiros.config.set_max_epochs(limit)
