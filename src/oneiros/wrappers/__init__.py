"""Models as estimators of scikit-learn: Keras 3's wrappers here, those of Keras 1 and 2 in `scikit_learn`."""

from .estimators import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]
