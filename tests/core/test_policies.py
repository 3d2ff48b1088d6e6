"""Dtype policies: names, configurations, and maps by path."""

import copy
import pickle

import numpy as np
import pytest

from oneiros import Variable, dtype_policies, layers, optimizers

NAMES = [
    "bfloat16",
    "mixed_float16",
    "int8_from_mixed_bfloat16",
    "int4_from_float32",
    "int4/64_from_float32",
    "float8_from_mixed_float16",
    "gptq/4/128_from_float32",
    "awq/4/-1_from_float32",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_and_configurations(name):
    policy = dtype_policies.get(name)
    assert policy.name == name and repr(policy) == f'<{type(policy).__name__} "{name}">'
    mode, _, source = name.rpartition("_from_")
    plain = dtype_policies.get(source)
    assert (policy.compute_dtype, policy.variable_dtype) == (plain.compute_dtype, plain.variable_dtype)
    assert policy.quantization_mode == (mode.partition("/")[0] or None)
    for again in (
        dtype_policies.deserialize(dtype_policies.serialize(policy)),
        dtype_policies.get(dtype_policies.serialize(policy)),
        copy.deepcopy(policy),
        pickle.loads(pickle.dumps(policy)),
    ):
        assert again == policy and hash(again) == hash(policy) and again.get_config() == policy.get_config()
    assert policy != plain or not mode


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("mixed_bfloat15", "Cannot convert"),
        ("int8_from_", "Cannot convert"),
        ("int8_abc_", "Cannot convert `policy` into a valid pair"),
        ("int8_from_float16", "doesn't work well"),
        ("gptq_from_float32", "Expected format 'gptq/<weight_bits>/<group_size>'"),
        ("gptq/4/x_from_float32", "must be integers"),
        ("gptq/5/8_from_float32", "weight_bits"),
        ("awq/8/8_from_float32", "only supports 4-bit"),
        ("int4/0_from_float32", "block_size"),
        (123, "Cannot interpret `dtype` argument"),
    ],
)
def test_mistakes(wrong, message):
    with pytest.raises(ValueError, match=message):
        dtype_policies.get(wrong)


def test_a_map_by_path():
    policies = dtype_policies.DTypePolicyMap("float32", {"model/decoder/.*": "bfloat16"})
    policies["model/encoder"] = dtype_policies.get("int8_from_float32")
    assert policies["model/encoder"].quantization_mode == "int8" and "model/encoder" in policies
    assert policies["model/encoder_norm"].name == "float32"  # keys match whole paths
    assert policies["model/decoder/dense"].name == "bfloat16"
    policies["model/decoder/dense_.*"] = "float16"
    with pytest.raises(ValueError, match="matches multiple dtype policy"):
        policies["model/decoder/dense_1"]
    with pytest.raises(ValueError, match="already exist"):
        policies["model/encoder"] = "float32"
    with pytest.raises(ValueError, match="Cannot interpret the assigned value"):
        policies["other"] = 123
    again = dtype_policies.deserialize(dtype_policies.serialize(policies))
    assert again == policies and list(again) == list(policies) and len(again) == 3
    assert policies.pop("model/encoder").quantization_mode == "int8" and len(policies) == 2
    with pytest.raises(KeyError):
        policies.pop("model/encoder")


def test_layers_follow_a_map():
    policies = dtype_policies.DTypePolicyMap(
        "float32", {"mha/(query|key)": "int8_from_float32", "mha/value": "bfloat16"}
    )
    layer = layers.MultiHeadAttention(2, 4, dtype=policies, name="mha")
    layer.build((None, 3, 8), (None, 3, 8), (None, 3, 8))
    found = {part.path: part.layer_policy.name for part in layer.sublayers() if "/" in part.path}
    assert found["mha/query"] == found["mha/key"] == "int8_from_float32"
    assert found["mha/value"] == "bfloat16" and found["mha/attention_output"] == "float32"


def test_variables_that_are_overwritten():
    variables = [Variable([1.0, 2.0], overwrite_with_gradient=True), Variable([1.0, 2.0])]
    optimizer = optimizers.SGD(1.0, clipvalue=0.5, weight_decay=0.1, use_ema=True)
    optimizer.apply(list(np.array([[3.0, 4.0], [3.0, 4.0]])), variables)
    assert variables[0].numpy().tolist() == [3, 4] and [v for v, _ in optimizer.averages] == variables[1:]
    scaled = optimizers.LossScaleOptimizer(optimizers.SGD(1.0), initial_scale=4.0)
    scaled.apply(list(np.array([[5.0, 6.0], [4.0, 8.0]])), variables)
    assert variables[0].numpy().tolist() == [5, 6]
    steps = optimizers.SGD(1.0, gradient_accumulation_steps=2)
    steps.apply(list(np.array([[1.0, 9.0], [0.0, 0.0]])), variables)
    assert variables[0].numpy().tolist() == [5, 6]
    steps.apply(list(np.array([[2.0, 3.0], [0.0, 0.0]])), variables)
    assert variables[0].numpy().tolist() == [2, 9]
    with pytest.raises(TypeError, match="must be a boolean"):
        variables[0].overwrite_with_gradient = "yes"
    assert (variables[0].aggregation, variables[0].synchronization) == ("none", "auto")
    with pytest.raises(ValueError, match="aggregation"):
        Variable(1.0, aggregation="product")
