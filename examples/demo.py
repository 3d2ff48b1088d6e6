"""Trains a small network on real data: 1,797 handwritten digits that scikit-learn ships.

Shows what a first program usually needs: a summary, training with a progress bar, curves saved as a picture, a model
saved and loaded again, and predictions.
"""

from pathlib import Path

import matplotlib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import oneiros as keras
from oneiros import layers

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

OUTPUT = Path("demo-output")


def load_data():
    """Images (n, 8, 8, 1) from 0 to 1, and the digits they show."""
    digits = load_digits()
    images = digits.images[..., np.newaxis].astype("float32") / 16.0
    return train_test_split(images, digits.target, test_size=0.25, random_state=7, stratify=digits.target)


def build_model():
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ],
        name="digits",
    )


def plot_curves(history, path):
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5))
    for axis, name in ((left, "loss"), (right, "accuracy")):
        axis.plot(history[name], label="training")
        axis.plot(history[f"val_{name}"], label="validation")
        axis.set_xlabel("epoch")
        axis.set_title(name)
        axis.legend()
    figure.tight_layout()
    figure.savefig(path)


def show(image):
    """An image as characters."""
    return "\n".join("".join(" .:-=+*#%@"[int(v * 9)] * 2 for v in row) for row in image[..., 0])


def main():
    keras.utils.set_random_seed(7)
    OUTPUT.mkdir(exist_ok=True)
    x_train, x_test, y_train, y_test = load_data()
    model = build_model()
    model.summary()
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x_train, y_train, batch_size=32, epochs=20, validation_split=0.1)
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"\nTest accuracy: {accuracy:.2%} (loss {loss:.3f})")

    plot_curves(history.history, OUTPUT / "curves.png")
    model.save(OUTPUT / "digits.h5")
    reloaded = keras.models.load_model(OUTPUT / "digits.h5")
    difference = np.abs(reloaded.predict(x_test, verbose=0) - model.predict(x_test, verbose=0)).max()
    print(f"Saved to {OUTPUT / 'digits.h5'} and loaded again: predictions differ by {difference:.1g}")
    print(f"Curves: {OUTPUT / 'curves.png'}\n")

    for image, digit, guess in zip(x_test[:3], y_test, reloaded.predict(x_test[:3], verbose=0)):
        print(show(image))
        print(f"a {digit}; the model says {guess.argmax()} ({guess.max():.1%})\n")


if __name__ == "__main__":
    main()
