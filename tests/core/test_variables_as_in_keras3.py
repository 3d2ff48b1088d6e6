"""What Keras 3 lets programs do with variables."""

import numpy as np
import pytest

import oneiros
from oneiros import optimizers


def test_initializers_are_named():
    assert oneiros.Variable("ones", shape=(2, 3)).numpy().tolist() == [[1, 1, 1], [1, 1, 1]]
    drawn = oneiros.Variable("random_normal", shape=(50,), dtype="float16")
    assert drawn.dtype == "float16" and drawn.numpy().std() > 0
    with pytest.raises(ValueError, match="nope"):
        oneiros.Variable("nope", shape=(1,))


def test_stateless_methods_take_variables_for_their_values():
    mean = oneiros.metrics.Mean()
    values = mean.stateless_update_state(mean.variables, [1.0, 3.0])
    assert [float(v) for v in values] == [4, 2] and float(mean.total) == 0
    weight = oneiros.Variable([1.0])
    sgd = optimizers.SGD(0.5)
    sgd.build([weight])
    new, _ = sgd.stateless_apply(sgd.variables, [np.array([1.0], "float32")], [weight])
    assert new[0].tolist() == [0.5] and weight.numpy().tolist() == [1.0]


def test_muon_has_its_own_arguments_last():
    optimizer = optimizers.Muon(0.1, 0.8, 0.99, 0.0, 1e-6, 0.0, 2.0)
    assert optimizer.clipnorm == 2.0 and optimizer.adam_beta_1 == 0.8 and optimizer.exclude_layers == []
