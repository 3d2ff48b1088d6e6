"""Distillation, against the numbers of Keras 3.15."""

import jax
import numpy as np
import pytest

import oneiros as keras
from oneiros import losses
from oneiros.distillation import DistillationLoss, Distiller, FeatureDistillation, LogitsDistillation

STREAM = np.random.RandomState(0)
TEACHER, STUDENT = (STREAM.randn(4, 5).astype("float32") for _ in range(2))
X, Y = STREAM.randn(8, 5).astype("float32"), STREAM.randint(0, 3, (8,))


def model(name, units=6, outputs=3):
    made = keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Dense(units, activation="tanh", name=f"{name}1"),
            keras.layers.Dense(outputs, name=f"{name}2"),
        ],
        name=name,
    )
    shapes = [w.shape for w in made.get_weights()]
    made.set_weights([np.random.RandomState(i + len(name)).randn(*s) * 0.3 for i, s in enumerate(shapes)])
    return made


def distiller(weight=0.5, **options):
    parts = [
        LogitsDistillation(2.0, losses.KLDivergence()),
        FeatureDistillation("mse", "te1", "stu1"),
    ]
    made = Distiller(
        model("te"), model("stu"), parts, distillation_loss_weights=[0.7, 0.2], student_loss_weight=weight, **options
    )
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    made.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy"])
    return made


@pytest.mark.parametrize(
    "temperature, loss, expected",
    [
        (1.0, losses.KLDivergence(), 0.5645489692687988),
        (3.0, losses.KLDivergence(), 0.673130989074707),
        (3.0, "kl_divergence", 0.673130989074707),
        (3.0, losses.KLDivergence(reduction="sum"), 2.692523956298828),
        (1.0, "mse", 2.2209999561309814),
        (3.0, "mse", 0.24677777290344238),
        (3.0, "mae", 0.34854981303215027),
        (3.0, losses.CategoricalCrossentropy(from_logits=True), 1.5432636737823486),
    ],
)
def test_losses_of_logits(temperature, loss, expected):
    found = LogitsDistillation(temperature, loss)
    np.testing.assert_allclose(found.compute_loss(TEACHER, STUDENT), expected, rtol=1e-5)
    again = LogitsDistillation.from_config(found.get_config())
    np.testing.assert_allclose(again.compute_loss(TEACHER, STUDENT), expected, rtol=1e-5)


def test_the_gradient_is_that_of_probabilities():
    found = jax.grad(lambda s: LogitsDistillation(4.0).compute_loss(TEACHER, s))(STUDENT)
    soft = [np.exp(x / 4) / np.exp(x / 4).sum(-1, keepdims=True) for x in (TEACHER, STUDENT)]
    np.testing.assert_allclose(found, 4.0 * (soft[1] - soft[0]) / len(X[:4]), rtol=1e-3, atol=1e-6)


def test_losses_of_several_outputs():
    several = [[TEACHER, STUDENT], [STUDENT, TEACHER]]
    np.testing.assert_allclose(FeatureDistillation(["mse", "mae"]).compute_loss(*several), 3.2666492, rtol=1e-5)
    np.testing.assert_allclose(LogitsDistillation(1.0, ["mse", None]).compute_loss(*several), 2.221, rtol=1e-5)
    named = [{"a": TEACHER, "b": STUDENT}, {"a": STUDENT, "b": TEACHER}]
    found = FeatureDistillation({"a": "mse", "b": None})
    np.testing.assert_allclose(found.compute_loss(*named), 2.221, rtol=1e-5)
    again = FeatureDistillation.from_config(found.get_config())
    np.testing.assert_allclose(again.compute_loss(*named), 2.221, rtol=1e-5)
    np.testing.assert_allclose(FeatureDistillation("cosine_similarity").compute_loss(TEACHER, STUDENT), -0.22079822)
    with pytest.raises(ValueError, match="one loss was given for several"):
        LogitsDistillation().compute_loss(*several)
    with pytest.raises(ValueError, match="no such output"):
        FeatureDistillation({"c": "mse"}).compute_loss(*named)
    with pytest.raises(ValueError, match="same structure"):
        LogitsDistillation().validate_outputs(TEACHER, several[0])


# The history of two epochs, what evaluate gives after it, and the sum of the student's first kernel.
KERAS = {
    0.0: ([0.0, 0.0], [0.1500896, 0.1435251], [0.13901299, 0.125, 0.0, 0.13901299, 0.13901299], 6.55575),
    0.5: (
        [1.1505386, 1.119279],
        [0.1514723, 0.1425537],
        [0.6121938, 0.375, 1.0882428, 0.1361448, 0.6121938],
        6.5376916,
    ),
    1.0: ([1.157877, 1.1079116], [0.0, 0.0], [1.0550527, 0.375, 1.0550527, 0.0, 1.0550527], 6.5216346),
}


@pytest.mark.parametrize("weight", list(KERAS))
def test_training(weight):
    own, distilled, evaluated, size = KERAS[weight]
    made = distiller(weight)
    before = made.teacher.get_weights()
    history = made.fit(X, Y, epochs=2, batch_size=4, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history["student_loss"], own, rtol=1e-5)
    np.testing.assert_allclose(history["distillation_loss"], distilled, rtol=1e-5)
    total = weight * np.array(own) + (1 - weight) * np.array(distilled)
    for name in ("loss", "total_loss"):
        np.testing.assert_allclose(history[name], total, rtol=1e-5)
    np.testing.assert_allclose(made.evaluate(X, Y, verbose=0), evaluated, rtol=1e-5)
    np.testing.assert_allclose(np.abs(made.student.get_weights()[0]).sum(), size, rtol=1e-5)
    for old, new in zip(before, made.teacher.get_weights()):
        np.testing.assert_array_equal(old, new)
    np.testing.assert_allclose(made.predict(X, verbose=0), made.student.predict(X, verbose=0), rtol=1e-6)


def test_without_targets():
    made = distiller()
    made.compile("sgd", "mse")
    logs = made.fit(X, verbose=0).history
    assert logs["student_loss"] == [0.0] and 0.5 * logs["distillation_loss"][0] == pytest.approx(logs["loss"][0])


def test_files(tmp_path):
    made = distiller(0.3)
    made.fit(X, Y, verbose=0)
    made.save(tmp_path / "distiller.keras")
    again = keras.models.load_model(tmp_path / "distiller.keras")
    np.testing.assert_allclose(again.evaluate(X, Y, verbose=0), made.evaluate(X, Y, verbose=0), rtol=1e-5)
    assert again.distillation_losses[0].temperature == 2 and again.distillation_loss_weights == [0.7, 0.2]
    assert again.student_loss_weight == 0.3 and not again.teacher.trainable
    again.fit(X, Y, verbose=0)


class Own(DistillationLoss):
    def compute_loss(self, teacher_outputs, student_outputs, **kwargs):
        return ((teacher_outputs - student_outputs) ** 2).mean()


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(inputs)


def test_own_losses_and_models():
    made = Distiller(Subclassed(), Subclassed(), Own(), student_loss_weight=0.0)
    made.compile("sgd", "mse")
    first, *_, last = made.fit(X, np.zeros((8, 3)), epochs=5, verbose=0).history["loss"]
    assert last < first
    with pytest.raises(ValueError, match="no graph of layers"):
        Distiller(Subclassed(), model("stu"), FeatureDistillation("mse", "dense"))
    with pytest.raises(NotImplementedError, match="compute_loss"):
        DistillationLoss().compute_loss(1, 2)


def test_mistakes():
    for wrong, message in [
        ({"temperature": 0.0}, "must be positive"),
        ({"temperature": "a"}, "expected a number"),
        ({"loss": None}, "at least one loss"),
        ({"loss": [None, None]}, "at least one loss"),
    ]:
        with pytest.raises(ValueError, match=message):
            LogitsDistillation(**wrong)
    teacher, student, loss = model("te"), model("stu"), LogitsDistillation()
    for arguments, options, message in [
        (("a", student, loss), {}, "must be a Model"),
        ((teacher, student, [loss, 3]), {}, "objects of DistillationLoss"),
        ((teacher, student, loss), {"student_loss_weight": 2.0}, "between 0.0 and 1.0"),
        ((teacher, student, loss), {"distillation_loss_weights": [1.0, 2.0]}, "a weight for each"),
        ((model("te", outputs=4), student, loss), {}, "output shapes are incompatible"),
        ((teacher, student, FeatureDistillation("mse", "nope", "stu1")), {}, "No such layer: nope"),
    ]:
        with pytest.raises(ValueError, match=message):
            Distiller(*arguments, **options)
    with pytest.raises(ValueError, match="needs the loss"):
        Distiller(teacher, student, loss).compile("sgd")
