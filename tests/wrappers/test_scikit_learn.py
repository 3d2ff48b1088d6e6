"""Estimators inside scikit-learn: search, cross-validation, pipelines, clones, pickles."""

import pickle

import numpy as np
import pytest

import oneiros as keras
from oneiros.core.lazy import LazyModule
from oneiros.layers import Dense, Input
from oneiros.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer
from oneiros.wrappers.scikit_learn import BaseWrapper, KerasClassifier, KerasRegressor

base, exceptions, model_selection, pipeline, preprocessing = (
    LazyModule(f"sklearn.{name}") for name in ("base", "exceptions", "model_selection", "pipeline", "preprocessing")
)


@pytest.fixture(scope="module")
def data():
    random = np.random.RandomState(0)
    x = random.standard_normal((60, 4)).astype("float32")
    labels = np.array(["left", "right"])[(x[:, 0] > 0).astype(int)]
    return x, labels, x @ [1.0, -2.0, 0.5, 0.0]


def classifier(units=8, loss="categorical_crossentropy"):
    outputs = Dense(1, activation="sigmoid") if loss == "binary_crossentropy" else Dense(2, activation="softmax")
    model = keras.Sequential([Input((4,)), Dense(units, activation="relu"), outputs])
    model.compile(keras.optimizers.Adam(0.05), loss, metrics=["accuracy"])
    return model


def regressor(units=8):
    model = keras.Sequential([Input((4,)), Dense(units, activation="relu"), Dense(1)])
    model.compile(keras.optimizers.Adam(0.05), "mse")
    return model


class Builder:
    def __call__(self, units=3):
        return regressor(units)


class Own(BaseWrapper):
    def __call__(self, units):
        return regressor(units)


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "sparse_categorical_crossentropy", "binary_crossentropy"])
def test_classifier_learns_labels_of_any_type(data, loss):
    x, labels, _ = data
    estimator = KerasClassifier(classifier, loss=loss, epochs=15, batch_size=20, verbose=0)
    history = estimator.fit(x, labels)
    assert len(history.history["loss"]) == 15
    assert list(estimator.classes_) == ["left", "right"]
    assert (estimator.predict(x).ravel() == labels).mean() > 0.9
    probabilities = estimator.predict_proba(x)
    assert probabilities.shape == (60, 2)
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)
    assert estimator.score(x, labels) == pytest.approx((estimator.predict(x).ravel() == labels).mean())


def test_classifier_takes_one_hot_targets(data):
    x, labels, _ = data
    estimator = KerasClassifier(classifier, epochs=15, verbose=0)
    estimator.fit(x, np.stack([labels == "left", labels == "right"], 1).astype("float32"))
    assert estimator.classes_.tolist() == [0, 1]
    assert (estimator.predict(x) == (labels == "right")).mean() > 0.9


def test_score_needs_accuracy(data):
    x, labels, _ = data

    def build():
        model = classifier()
        model.compile("sgd", "categorical_crossentropy")
        return model

    estimator = KerasClassifier(build, verbose=0)
    estimator.fit(x, labels)
    with pytest.raises(ValueError, match=r"metrics=\['accuracy'\]"):
        estimator.score(x, labels)


def test_regressor(data):
    x, _, y = data
    estimator = KerasRegressor(regressor, epochs=60, batch_size=20, verbose=0)
    estimator.fit(x, y)
    outputs = estimator.predict(x)
    assert outputs.shape == y.shape
    assert estimator.score(x, y) == pytest.approx(-np.mean((outputs - y) ** 2), rel=1e-3)


@pytest.mark.parametrize("make", [lambda: KerasRegressor(Builder(), units=5), lambda: Own(units=5)])
def test_objects_and_subclasses_build_too(data, make):
    estimator = make()
    estimator.fit(data[0], data[2], epochs=1, verbose=0)
    assert estimator.model.layers[0].units == 5


def test_parameters():
    estimator = KerasClassifier(classifier, units=3, epochs=2)
    assert estimator.get_params() == {"units": 3, "epochs": 2, "build_fn": classifier}
    assert estimator.set_params(units=4) is estimator
    assert estimator.filter_sk_params(classifier) == {"units": 4}
    with pytest.raises(ValueError, match="depth is not a legal parameter"):
        KerasClassifier(classifier, depth=3)
    with pytest.raises(ValueError, match="depth is not a legal parameter"):
        estimator.set_params(depth=3)
    copy = base.clone(estimator)
    assert copy is not estimator
    assert copy.get_params() == estimator.get_params()
    assert base.is_classifier(estimator)
    assert base.is_regressor(KerasRegressor(regressor))
    assert "units=4" in repr(estimator)


def test_predicting_before_fitting(data):
    with pytest.raises(exceptions.NotFittedError, match="call fit"):
        KerasRegressor(regressor).predict(data[0])


def test_grid_search_pipeline_and_pickle(data):
    x, labels, _ = data
    estimator = KerasClassifier(classifier, epochs=5, batch_size=20, verbose=0)
    search = model_selection.GridSearchCV(estimator, {"units": [2, 8]}, cv=2).fit(x, labels)
    assert search.best_params_["units"] in (2, 8)
    assert search.best_estimator_.predict(x).shape == (60,)
    scaled = pipeline.make_pipeline(preprocessing.StandardScaler(), KerasRegressor(regressor, epochs=2, verbose=0))
    assert model_selection.cross_val_score(scaled, x, data[2], cv=2).shape == (2,)
    again = pickle.loads(pickle.dumps(search.best_estimator_))
    np.testing.assert_allclose(again.predict_proba(x), search.best_estimator_.predict_proba(x), rtol=1e-5)


# --- Keras 3's


def build(X, y, units=8):  # noqa: N803
    if y.ndim > 1 and y.shape[1] > 1:
        return classifier(units)
    return regressor(units)


@pytest.mark.parametrize("model", [build, classifier()])
def test_sklearn_classifier(data, model):
    x, labels, _ = data
    estimator = SKLearnClassifier(model, fit_kwargs={"epochs": 15})
    assert estimator.fit(x, labels) is estimator
    assert estimator.score(x, labels) > 0.9
    assert estimator.predict_proba(x).shape == (60, 2)
    assert estimator.n_features_in_ == 4
    before = estimator.model_.get_weights()
    again = pickle.loads(pickle.dumps(estimator))
    assert (again.predict(x) == estimator.predict(x)).all()
    assert not hasattr(base.clone(estimator), "model_")
    assert all((a == b).all() for a, b in zip(before, estimator.model_.get_weights()))
    with pytest.raises(ValueError, match="3 features"):
        estimator.predict(x[:, :3])
    with pytest.raises(ValueError, match="one class only"):
        SKLearnClassifier(model).fit(x, ["a"] * 60)


def test_sklearn_regressor_in_a_search(data):
    x, _, y = data
    estimator = SKLearnRegressor(build, model_kwargs={"units": 4}, fit_kwargs={"epochs": 3})
    search = model_selection.GridSearchCV(
        pipeline.make_pipeline(preprocessing.StandardScaler(), estimator),
        {"sklearnregressor__warm_start": [False]},
        cv=2,
    )
    assert search.fit(x, y).predict(x).shape == (60,)
    estimator.fit(x, y[:, None])
    assert estimator.predict(x).shape == (60, 1)
    for unfitted in (SKLearnRegressor(build), SKLearnClassifier(build), SKLearnTransformer(build)):
        with pytest.raises(exceptions.NotFittedError):
            getattr(unfitted, "predict", getattr(unfitted, "transform", None))(x)


def test_warm_start_goes_on(data):
    x, _, y = data
    estimator = SKLearnRegressor(build, warm_start=True)
    model = estimator.fit(x, y).model_
    assert estimator.fit(x, y).model_ is model
    assert int(model.optimizer.iterations.raw) == 4


def test_sklearn_transformer(data):
    x, _, y = data
    estimator = SKLearnTransformer(build)
    features = estimator.fit_transform(x, y)
    np.testing.assert_allclose(features, estimator.transform(x), rtol=1e-6)


def test_uncompiled_models_are_refused(data):
    with pytest.raises(ValueError, match="must be compiled"):
        SKLearnRegressor(keras.Sequential([Dense(1)])).fit(data[0], data[2])
