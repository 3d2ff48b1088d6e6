"""Searches of KerasTuner over a small model: every tuner finds a model that can be evaluated."""

import tempfile

import keras
import keras_tuner
import numpy as np

rng = np.random.default_rng(0)
x = rng.normal(size=(200, 4)).astype("float32")
y = (x.sum(1) > 0).astype("int32")


def build(hp):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(hp.Int("units", 4, 16, step=4), activation=hp.Choice("activation", ["relu", "tanh"])),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    rate = hp.Float("rate", 1e-2, 1e-1, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    return model


for tuner, options in (
    (keras_tuner.RandomSearch, {"max_trials": 2}),
    (keras_tuner.Hyperband, {"max_epochs": 3}),
    (keras_tuner.BayesianOptimization, {"max_trials": 3}),
    (keras_tuner.GridSearch, {"max_trials": 2}),
):
    with tempfile.TemporaryDirectory() as folder:
        search = tuner(build, objective="val_accuracy", seed=1, directory=folder, project_name="test", **options)
        search.search(x[:150], y[:150], validation_data=(x[150:], y[150:]), epochs=3, verbose=0)
        best, trial = search.get_best_models(1)[0], search.oracle.get_best_trials(1)[0]
        accuracy = best.evaluate(x[150:], y[150:], verbose=0, return_dict=True)["accuracy"]
        assert abs(accuracy - trial.score) < 1e-6, (tuner, accuracy, trial.score)
        assert best.layers[0].units == trial.hyperparameters.get("units")


class Tuned(keras_tuner.HyperModel):
    def build(self, hp):
        return build(hp)

    def fit(self, hp, model, *args, **kwargs):
        return model.fit(*args, batch_size=hp.Choice("batch", [16, 32]), **kwargs)


with tempfile.TemporaryDirectory() as folder:
    objective = keras_tuner.Objective("val_loss", "min")
    search = keras_tuner.RandomSearch(
        Tuned(), objective=objective, max_trials=2, directory=folder, executions_per_trial=2
    )
    stop = keras.callbacks.EarlyStopping("val_loss")
    search.search(x, y, validation_data=(x, y), epochs=1, verbose=0, callbacks=[stop])
    assert search.get_best_hyperparameters()[0].get("batch") in (16, 32)
