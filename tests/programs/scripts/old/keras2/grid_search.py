"""Hyperparameters with scikit-learn: KerasClassifier in GridSearchCV, cross_val_score in a pipeline, K-fold by hand."""

import numpy as np
from keras.layers import Dense
from keras.models import Sequential
from keras.wrappers.scikit_learn import KerasClassifier, KerasRegressor
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

seed = 7
np.random.seed(seed)
X = np.random.normal(size=(120, 4))
Y = (X[:, 0] + X[:, 1] > 0).astype(int)


def create_model(units=4, optimizer="rmsprop"):
    model = Sequential()
    model.add(Dense(units, input_dim=4, activation="tanh"))
    model.add(Dense(1, activation="sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return model


model = KerasClassifier(build_fn=create_model, epochs=10, batch_size=4, verbose=0)
grid = GridSearchCV(estimator=model, param_grid={"units": [1, 8]}, cv=2)
grid_result = grid.fit(X, Y)
print("Best: %f using %s" % (grid_result.best_score_, grid_result.best_params_))
print(
    "CLASSES", grid_result.best_estimator_.predict(X[:3]).shape, grid_result.best_estimator_.predict_proba(X[:3]).shape
)

estimators = [
    ("standardize", StandardScaler()),
    ("mlp", KerasRegressor(build_fn=lambda: create_model(), epochs=2, verbose=0)),
]
results = cross_val_score(Pipeline(estimators), X, Y, cv=KFold(n_splits=2))
print("RESULTS", results.shape, bool((results <= 0.5).all()))
cvscores = []
for train, test in StratifiedKFold(n_splits=2, shuffle=True, random_state=seed).split(X, Y):
    net = create_model(units=16)
    net.fit(X[train], Y[train], epochs=10, batch_size=4, verbose=0)
    scores = net.evaluate(X[test], Y[test], verbose=0)
    cvscores.append(scores[1] * 100)
print("FOLDS %.2f%% (+/- %.2f%%)" % (np.mean(cvscores), np.std(cvscores)), net.metrics_names)
