"""Programs of the kinds that books, courses and blogs for Keras 1 and 2 had, each run whole under its generation."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SCRIPTS = HERE / "scripts" / "old"
DATA = Path(os.environ.get("ONEIROS_MIRROR") or HERE.parents[1] / ".." / "shared" / "data")
GENERATIONS = {"keras1": "1", "keras2": "2", "tf": "tf"}
WITH_MNIST = {p.stem for p in SCRIPTS.rglob("*.py") if "mnist" in p.read_text()}


def falls(share):
    """That the last loss is below this share of the first."""
    return lambda first, *rest: rest[-1] < share * first


def above(bound):
    return lambda *values: min(values) > bound


# What a program must print: lines as they are; or the word that a line begins with, and a condition for its numbers.
EXPECTED = {
    "keras1/bidirectional_text": [
        "WORDS ['the', 'film', 'it', 'was', 'great']",
        "PADDED (240, 8) 0",
        ("ACCURACY", above(0.8)),
        "BEST True ['loss', 'acc']",
    ],
    "keras1/cnn_generator": [
        "SHAPES [(None, 8, 12, 12), (None, 8, 12, 12), (None, 8, 10, 10), (None, 8, 10, 10), (None, 8, 5, 5)] "
        "(3, 3, 1, 8)",
        ("ACCURACY", above(0.9)),
        "MOMENTS True (1, 1, 1)",
    ],
    "keras1/custom_layer": [
        "SHAPES (None, 10, 12) (None, 12) "
        "['attentionwithcontext_1/attentionwithcontext_1_W:0', 'attentionwithcontext_1/attentionwithcontext_1_u:0']",
        ("ACCURACY", above(0.9)),
        "SAME True",
    ],
    "keras1/merge_layers": [
        ("ACCURACY", lambda accuracy, count, size: accuracy > 0.7 and (count, size) == (2, 16)),
        # u = (1, 2, 3) and v = (3, -1, 0.5)
        "MODE sum [4.0, 1.0, 3.5]",
        "MODE mul [3.0, -2.0, 1.5]",
        "MODE ave [2.0, 0.5, 1.75]",
        "MODE max [3.0, 2.0, 3.0]",
        "MODE concat [1.0, 2.0, 3.0, 3.0, -1.0, 0.5]",
        "MODE dot [2.5]",
        ("MODE cos", lambda cos: abs(cos - 2.5 / (14 * 10.25) ** 0.5) < 1e-4),
        "MODE lambda [-5.0, 4.0, 2.0]",
        "SHARED 2 (None, 2) (None, 4)",
    ],
    "keras1/mlp_mnist": [
        "Train on 4000 samples, validate on 1000 samples",
        "Epoch 3/3",
        ("Test accuracy:", above(0.85)),
        "KEYS ['acc', 'loss', 'val_acc', 'val_loss'] [0, 1, 2]",
        "CLASSES (5,) True",
    ],
    "keras1/neural_style": [("LOSSES", falls(0.4)), "SHAPES (768,) (3, 8, 8, 8)"],
    "keras1/siamese": ["SHAPES (2, 784) (5200, 1) (None, 1) 3", ("ACCURACY", above(0.8))],
    "keras1/stateful_lstm": ["STATES True True", ("LOSSES", falls(0.2))],
    "keras1/vae_closure": [("LOSSES", falls(0.8)), "SHAPES (1000, 2) (1, 30)"],
    "keras2/acgan": [
        "NAMES ['loss', 'generation_loss', 'auxiliary_loss']",
        "LOSSES 3 3 True True",
        ("CLASSES", above(0.9)),
    ],
    "keras2/addition_seq2seq": ["SHAPE (None, 2, 12) (None, 2, 64)", ("ACCURACY", above(0.6))],
    "keras2/attention_layer": [("ACCURACY", lambda accuracy, *shapes: accuracy > 0.9), "SAME True 8"],
    "keras2/callbacks_of_all_kinds": [
        "RATES [0.1, 0.05, 0.05, 0.025, 0.025, 0.0125]",
        "BATCHES 18 [(0, 32), (1, 32), (2, 16)]",
        "CSV ['epoch', 'loss', 'lr', 'mean_absolute_error', 'val_loss', 'val_mean_absolute_error'] 7 True",
        "HISTORY [0, 1, 2, 3, 4, 5] ['loss', 'lr', 'mean_absolute_error', 'val_loss', 'val_mean_absolute_error'] True",
        "Epoch 00003: early stopping",
        "STOPPED 2 3 0.0001",
    ],
    "keras2/capsules": ["SHAPES (None, None, 32) (None, 10, 8) (None, 10)", ("ACCURACY", above(0.25))],
    "keras2/char_rnn": [("LOSS", falls(0.5)), ("DIVERSITY 0.2 the cat sat ", lambda *_: True)],
    "keras2/class_activation_map": [
        ("ACCURACY", lambda accuracy, rate: accuracy > 0.9 and rate == 0.01),
        "HOT True",
        "SHAPES (12, 12) (1, 2) True",
    ],
    "keras2/collaborative_filtering": [("LOSSES", falls(0.1)), "SHAPES True (1, 1) (None, 1)"],
    "keras2/ctc_ocr": [("LOSSES", falls(0.2)), ("READ", above(0.8))],
    "keras2/deep_dream": ["UNIT True (1, 28, 20, 3)", ("LOSSES", lambda first, last, *shape: last > 10 * first)],
    "keras2/denoising_autoencoder": ["SHAPES (None, 7, 7, 8) (3, 7, 7, 8)", ("ERRORS", falls(0.8))],
    "keras2/dqn_agent": [("POLICY [1, 1, 1] VALUE", above(0.4))],
    "keras2/fasttext": ["NGRAMS [(1, 4), (4, 1), (4, 9), (9, 4)]", ("ACCURACY", above(0.9))],
    "keras2/filter_visualization": [
        ("GAINS", above(0.5)),
        "PHASES (2, 4, 4, 4) True True",
        "LAYERS [(2, 8, 8, 4), (2, 4, 4, 4), (2, 2, 2, 4), (2, 16), (2, 16), (2, 2)] True",
    ],
    "keras2/gan": ["FROZEN True 6 0", ("DISTANCE", falls(0.4))],
    "keras2/grid_search": [("Best:", lambda score, *rest: score > 0.7), "CLASSES (3, 1) (3, 2)", "RESULTS (2,) True"],
    # LSTM(16) of one pixel, LSTM(32) of 16 features, Dense(10): 4 * 16 * 18 + 4 * 32 * 49 + 330
    "keras2/hierarchical_rnn": ["SHAPES (None, 14, 16) (None, 32) 7754", ("LOSSES", falls(0.98))],
    "keras2/image_folders": [
        "INDICES {'blue': 0, 'red': 1} 48 [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]",
        ("ACCURACY", above(0.7)),
        "IMAGE (16, 16) (16, 16, 3) float32 True",
        "SAVED True True",
    ],
    "keras2/inception_resnet": [
        ("ACCURACY", above(0.8)),
        "PARAMETERS 5138 30",
        "WEIGHTS 20 16 (None, 10, 10, 16)",
    ],
    "keras2/memory_network": [
        "VOCABULARY 13 12 4",
        "ANSWER (None, 4, 44) (None, 4, 44)",
        ("ACCURACY", lambda first, last: last > first),
    ],
    "keras2/multi_output": [
        "NAMES ['loss', 'age_loss', 'income_loss', 'gender_loss', 'age_mean_absolute_error', 'gender_acc']",
        ("LOSSES", falls(0.99)),
        "SUM True",
        "HISTORY ['age_loss', 'age_mean_absolute_error', 'gender_acc', 'gender_loss', 'income_loss', 'loss']",
    ],
    "keras2/policy_gradient": [("REWARDS", lambda first, last: last > 0.9 > first), "POLICY [2, 0, 1]"],
    "keras2/seq2seq_states": [("RIGHT", above(4))],
    "keras2/text_and_image": [
        ("ACCURACY", above(0.9)),
        "INPUTS ['image', 'question'] ['answer'] [(None, 8, 8, 3), (None, 4)]",
    ],
    "keras2/text_cnn": [("ACCURACY", above(0.6)), "FROZEN True 8", "MATRIX 3.0 300"],
    "keras2/time_series": [("RMSE", lambda error: error < 4), "GENERATOR 18 (16, 20, 1) True", "EVALUATED True"],
    "keras2/transfer_bottleneck": ["FROZEN True 4", "TUNED True 6", ("ACCURACY", above(0.9))],
    "keras2/triplets": [("LOSS", falls(0.5)), "NORMS True (300, 8)", ("NEAREST", above(0.9))],
    "keras2/unet": [("DICE", above(0.6)), "NEGATIVE True", "SAME True"],
    "keras2/vae_add_loss": [("LOSSES", falls(0.7)), "SHAPES (500, 2) (1, 784)"],
    "keras2/vae_loss_layer": [("LOSSES", falls(0.9)), "SHAPES (1000, 2) (3, 36)"],
    "keras2/wgan": ["CLIPPED True", ("MEANS", lambda first, last: abs(last - 4) < 0.5 * abs(first - 4))],
    "keras2/word_language_model": ["VOCABULARY 20 1 3", ("ACCURACY", above(0.5)), ("LINE The cat ", lambda *_: True)],
    "tf/quickstart": [
        "FIRST (1, 10) True",
        ("ACCURACY", lambda accuracy, *rest: accuracy > 0.8),
        "PROBABILITIES (5, 10) True",
        "CONFIG ['InputLayer', 'Flatten', 'Dense', 'Dropout', 'Dense']",
    ],
    "tf/subclassed": [
        "KEYS ['acc', 'loss', 'val_acc', 'val_loss']",
        ("ACCURACY", above(0.8)),
        "WEIGHTS 4 (6, 16) 163",
        "SAME True",
    ],
    "tf/tf1_sessions": [("LOSSES", falls(0.7)), "SAME True", "CLONE True 0.001"],
}


@pytest.fixture(scope="module")
def outputs(request, tmp_path_factory):
    """What each program printed. Those of one generation run in one process."""
    items = [item for item in request.session.items if item.path == request.path and hasattr(item, "callspec")]
    chosen = [item.callspec.params["program"] for item in items]
    printed = {}
    for folder, generation in GENERATIONS.items():
        scripts = [str(SCRIPTS / f"{p}.py") for p in chosen if p.startswith(f"{folder}/")]
        if not scripts:
            continue
        command = [sys.executable, "-m", "oneiros", "run", "--keras", generation, str(HERE / "in_turn.py"), *scripts]
        environment = {**os.environ, "ONEIROS_MIRROR": str(DATA)}
        where = tmp_path_factory.mktemp(folder)
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=where, timeout=1500)
        assert done.returncode == 0, done.stderr[-3000:]
        for part in done.stdout.split("\n### PROGRAM ")[1:]:
            path, _, text = part.partition("\n")
            printed[f"{folder}/{Path(path).stem}"] = text
    return printed


def numbers(text):
    return [float(n) for n in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", text)]


@pytest.mark.parametrize("program", EXPECTED)
def test_program(program, outputs):
    if Path(program).name in WITH_MNIST and not (DATA / "mnist.npz").exists():
        pytest.skip("needs the data sets: set ONEIROS_MIRROR")
    text = outputs[program]
    assert "### FAILED" not in text, text[-3000:]
    lines = text.splitlines()
    for expected in EXPECTED[program]:
        word, condition = expected if isinstance(expected, tuple) else (expected, None)
        found = [line for line in lines if line == word or (line.startswith(word) and condition)]
        assert found, f"{program} did not print {word!r}:\n{text[-2000:]}"
        assert condition is None or condition(*numbers(found[0][len(word) :])), found[0]


def test_every_program_is_run():
    assert {f"{path.parent.name}/{path.stem}" for path in SCRIPTS.rglob("*.py")} == set(EXPECTED)
