"""Keras RS: layers, losses and metrics of recommenders."""

import keras_rs
import numpy as np

rng = np.random.default_rng(0)
x = rng.normal(size=(5, 4)).astype("float32")
table = rng.normal(size=(10, 4)).astype("float32")

retrieval = keras_rs.layers.BruteForceRetrieval(candidate_embeddings=table, k=3)
scores, places = retrieval(x)
expected = x @ table.T
np.testing.assert_array_equal(places, np.argsort(-expected, 1)[:, :3])
np.testing.assert_allclose(scores, np.sort(expected, 1)[:, :-4:-1], rtol=1e-4)
np.testing.assert_allclose(keras_rs.layers.DotInteraction()([x, x[::-1]])[:, 0], (x * x[::-1]).sum(1), rtol=1e-4)
assert keras_rs.layers.FeatureCross(projection_dim=2)(x, x).shape == (5, 4)
assert keras_rs.layers.EmbedReduce(10, 3, combiner="mean")(np.ones((2, 3), int)).shape == (2, 3)
table = keras_rs.layers.TableConfig(name="table", vocabulary_size=10, embedding_dim=4)
feature = keras_rs.layers.FeatureConfig(name="a", table=table, input_shape=(2, 3), output_shape=(2, 4))
layer = keras_rs.layers.DistributedEmbedding(feature_configs={"a": feature})
assert layer({"a": np.ones((2, 3), int)})["a"].shape == (2, 4)
metric = keras_rs.metrics.NDCG(k=2)
metric.update_state(np.array([[1.0, 0.0]]), np.array([[0.2, 0.5]]))
np.testing.assert_allclose(metric.result(), 1 / np.log2(3), rtol=1e-5)
