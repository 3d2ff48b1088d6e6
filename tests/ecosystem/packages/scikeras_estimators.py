"""SciKeras: estimators in searches and pipelines of scikit-learn, and pickled ones."""

import pickle

import keras
import numpy as np
from scikeras.wrappers import KerasClassifier, KerasRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

x = np.random.default_rng(0).normal(size=(80, 4)).astype("float32")
y = (x.sum(1) > 0).astype("int32")


def make(meta, hidden=8):
    hidden = keras.layers.Dense(hidden, activation="relu")
    return keras.Sequential([keras.Input(meta["X_shape_"][1:]), hidden, keras.layers.Dense(1, activation="sigmoid")])


options = {"loss": "binary_crossentropy", "optimizer": "adam", "optimizer__learning_rate": 0.05, "verbose": 0}
classifier = KerasClassifier(make, hidden=8, epochs=15, random_state=0, **options)
assert classifier.fit(x, y).score(x, y) > 0.9 and classifier.predict_proba(x).shape == (80, 2)
again = pickle.loads(pickle.dumps(classifier))
np.testing.assert_array_equal(again.predict(x), classifier.predict(x))
assert GridSearchCV(classifier, {"hidden": [2, 4]}, cv=2).fit(x, y).best_params_["hidden"] in (2, 4)
assert make_pipeline(StandardScaler(), classifier).fit(x, y).score(x, y) > 0.9


def line():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])


regressor = KerasRegressor(line, loss="mse", optimizer="sgd", optimizer__learning_rate=0.1, epochs=30, verbose=0)
assert regressor.fit(x, x.sum(1)).score(x, x.sum(1)) > 0.9
