"""Against results of tf_keras 2.21 and tf.image (golden/image.npz, for the arguments in golden/image.json).

Two things differ from tf_keras on purpose, and are as its documentation and Keras 2.1 have them: ``height_shift_range``
moves along the rows, and images that are not square turn about their centre. So the golden images are square, and the
golden shifts were made with tx and ty exchanged.
"""

import io
import json
import warnings
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from oneiros.core.errors import CorruptFileError, InputDataError, LimitExceededError
from oneiros.preprocessing import directory as folders
from oneiros.preprocessing import image, image_io

FOLDER = Path(__file__).parent / "golden"
GOLDEN = dict(np.load(FOLDER / "image.npz"))
ARGUMENTS = json.loads((FOLDER / "image.json").read_text())
X, BATCH, Y = GOLDEN["x"], GOLDEN["X"], np.arange(9)
LAST = {"row_axis": 0, "col_axis": 1, "channel_axis": 2}


def close(actual, name, tolerance=2e-3):
    np.testing.assert_allclose(actual, GOLDEN[name], rtol=1e-5, atol=tolerance)


# --- transforms ---


@pytest.mark.parametrize("name", ARGUMENTS["affine"])
def test_affine(name):
    close(image.apply_affine_transform(X, **ARGUMENTS["affine"][name], **LAST), f"affine_{name}")


def test_affine_channels_first():
    close(image.apply_affine_transform(X.transpose(2, 0, 1), theta=30, tx=1, shear=5, zx=0.8), "affine_cf")


def test_affine_about_the_centre():
    ramp = np.arange(6.0)[:, None, None] + 10 * np.arange(9.0)[:, None]  # (6, 9, 1): 6 rows, 9 columns
    turned = image.apply_affine_transform(ramp, theta=180, **LAST)
    np.testing.assert_allclose(turned, ramp[::-1, ::-1], atol=1e-10)
    closer = image.apply_affine_transform(ramp, zx=0.5, zy=0.5, **LAST)
    np.testing.assert_allclose(closer, (ramp + ramp[::-1, ::-1]) / 2 * 0.5 + ramp * 0.5, atol=1e-10)


def test_height_shift_moves_along_the_rows():
    columns = np.broadcast_to(np.arange(5.0)[None, :, None], (6, 5, 1))
    rows = np.broadcast_to(np.arange(6.0)[:, None, None], (6, 5, 1))
    generator = image.ImageDataGenerator(height_shift_range=[2], fill_mode="constant", cval=-1)
    moved = generator.random_transform(rows, seed=1)
    assert moved[:, 0, 0].tolist() in ([2, 3, 4, 5, -1, -1], [-1, -1, 0, 1, 2, 3])
    np.random.seed(0)
    np.testing.assert_array_equal(image.random_shift(columns, 0, 0.3, **LAST), columns)
    np.random.seed(0)
    assert not np.array_equal(image.random_shift(rows, 0, 0.3, **LAST), rows)


@pytest.mark.parametrize(
    ("name", "function", "arguments", "axes"),
    [
        ("rotation", image.random_rotation, (40,), LAST),
        ("shift", image.random_shift, (0.3, 0.2), LAST),
        ("shear", image.random_shear, (30,), LAST),
        ("zoom", image.random_zoom, ((0.5, 1.5),), LAST),
        ("channel_shift", image.random_channel_shift, (60,), {"channel_axis": 2}),
        ("brightness", image.random_brightness, ((0.5, 1.5),), {}),
    ],
)
def test_random_functions(name, function, arguments, axes):
    np.random.seed(5)
    close(function(X, *arguments, **axes), f"random_{name}")


def test_brightness_beyond_0_to_255():
    close(image.apply_brightness_shift(X - 50, 0.6, scale=False), "bright_neg")
    close(image.apply_brightness_shift(X, 1.4, scale=False), "bright_ns")


def test_flip_axis():
    np.testing.assert_array_equal(image.flip_axis(X, 1), X[:, ::-1])


@pytest.mark.parametrize(
    "method", ["nearest", "bilinear", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic"]
)
@pytest.mark.parametrize("size", [(3, 4), (10, 9)])
def test_resize(method, size):
    # TensorFlow takes the cubic's values from a table
    tolerance = 0.2 if method == "bicubic" else 5e-3
    close(image_io.resize_array(X, size, method), f"resize_{method}_{size[0]}", tolerance)


def test_smart_resize():
    close(image.smart_resize(X, (4, 2)), "smart")
    close(image.smart_resize(BATCH[:2], (3, 5), interpolation="nearest"), "smart4")
    first = image.smart_resize(X.transpose(2, 0, 1), (4, 2), data_format="channels_first")
    close(first.transpose(1, 2, 0), "smart")


# --- the generator ---


@pytest.mark.parametrize("name", ARGUMENTS["generators"])
def test_generator(name):
    generator = image.ImageDataGenerator(**ARGUMENTS["generators"][name])
    np.random.seed(7)
    drawn = [generator.get_random_transform((7, 7, 3)) for _ in range(4)]
    columns = ["theta", "tx", "ty", "shear", "zx", "zy", "flip_horizontal", "flip_vertical"]
    columns += ["channel_shift_intensity", "brightness"]
    np.testing.assert_allclose([[float(d[c] or 0) for c in columns] for d in drawn], GOLDEN[f"params_{name}"])
    changed = [generator.standardize(generator.apply_transform(x, d)) for x, d in zip(BATCH, drawn)]
    # brightness rounds to whole levels, where a last bit decides
    close(changed, f"changed_{name}", 1.01 if name == "a" else 2e-3)


@pytest.mark.parametrize("name", ["d", "e"])
def test_flow(name):
    generator = image.ImageDataGenerator(**ARGUMENTS["generators"][name])
    flow = generator.flow(BATCH, Y, batch_size=4, seed=3)
    for i in range(4):
        x, y = next(flow)
        close(x, f"flow_{name}_{i}_x")
        assert y.tolist() == GOLDEN[f"flow_{name}_{i}_y"].tolist()
        assert x.dtype == generator.dtype


@pytest.mark.parametrize("name", ARGUMENTS["fit"])
def test_fit(name):
    generator = image.ImageDataGenerator(**ARGUMENTS["fit"][name])
    generator.fit(BATCH / 255)
    close(generator.standardize(X * 0 + BATCH[0] / 255), f"fit_{name}")


def test_fit_augmented():
    generator = image.ImageDataGenerator(featurewise_center=True, horizontal_flip=True, rotation_range=20)
    generator.fit(BATCH, augment=True, rounds=2, seed=4)
    close(generator.mean, "fit_augment")


def test_whitened_pixels_are_uncorrelated():
    x = np.random.RandomState(0).normal(size=(500, 2, 2, 1)) @ np.ones((1, 1))
    x[:, 0, 0] += x[:, 1, 1]
    generator = image.ImageDataGenerator(featurewise_center=True, zca_whitening=True, zca_epsilon=0, dtype="float64")
    generator.fit(x)
    white = np.array([generator.standardize(one) for one in x]).reshape(500, 4)
    np.testing.assert_allclose(white.T @ white / 500, np.eye(4), atol=1e-10)


def test_numpy_iterator():
    generator = image.ImageDataGenerator(validation_split=0.3, preprocessing_function=lambda x: x + 1, rescale=2.0)
    subset = {"batch_size": 9, "shuffle": False, "ignore_class_split": True}
    assert next(generator.flow(BATCH, Y, subset="validation", **subset))[1].tolist() == GOLDEN["val_y"].tolist()
    x, y = next(generator.flow(BATCH, Y, subset="training", **subset))
    assert y.tolist() == list(range(len(GOLDEN["val_y"]), 9))
    np.testing.assert_allclose(x, (BATCH[y] + 1) * 2)
    with pytest.raises(InputDataError, match="ignore_class_split"):
        generator.flow(BATCH, Y, subset="validation")
    flow = image.ImageDataGenerator().flow(BATCH, Y, batch_size=4, seed=3)
    assert len(flow) == 3
    assert np.concatenate([flow[i][1] for i in range(3)]).tolist() == GOLDEN["item_y"].tolist()
    with pytest.raises(InputDataError, match="batch 3"):
        flow[3]


def test_numpy_iterator_shapes_of_output(tmp_path):
    generator = image.ImageDataGenerator()
    weights = np.linspace(0, 1, 9)
    x, y, w = next(generator.flow(BATCH, Y, sample_weight=weights, batch_size=4))
    np.testing.assert_array_equal(w, weights[y])
    (x, misc), y = next(generator.flow((BATCH, Y * 10), Y, batch_size=4))
    np.testing.assert_array_equal(misc, y * 10)
    np.testing.assert_array_equal(x, BATCH[y])
    assert next(generator.flow(BATCH, batch_size=4, save_to_dir=tmp_path, save_prefix="p")).shape == (4, 7, 7, 3)
    assert len(list(tmp_path.glob("p_*.png"))) == 4
    with pytest.raises(InputDataError, match="9 images but 3"):
        generator.flow(BATCH, Y[:3])
    with pytest.raises(InputDataError, match="4 axes"):
        generator.flow(BATCH[0], None)


def test_channels_first_is_the_same_transposed():
    arguments = {"rotation_range": 40, "width_shift_range": 0.3, "horizontal_flip": True, "zoom_range": 0.3}
    last = image.ImageDataGenerator(**arguments).flow(BATCH, batch_size=4, seed=1)
    first = image.ImageDataGenerator(**arguments, data_format="channels_first")
    first = first.flow(BATCH.transpose(0, 3, 1, 2), batch_size=4, seed=1)
    np.testing.assert_array_equal(next(first).transpose(0, 2, 3, 1), next(last))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"zoom_range": (1, 2, 3)}, "zoom_range"), ({"brightness_range": 2}, "brightness_range"),
     ({"validation_split": 2}, "validation_split"), ({"data_format": "x"}, "data_format")],
)  # fmt: skip
def test_generator_argument_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        image.ImageDataGenerator(**arguments)


def test_generator_warns_of_what_it_switches_on():
    with pytest.warns(UserWarning, match="zca_whitening needs featurewise_center"):
        generator = image.ImageDataGenerator(zca_whitening=True)
    assert generator.featurewise_center
    with pytest.warns(UserWarning, match="fit"):
        image.ImageDataGenerator(featurewise_center=True).standardize(X)


# --- files ---


@pytest.fixture
def tree(tmp_path):
    """Two folders of images: a/0.png ... a/3.png, b/0.png ... b/5.png; each is one colour, its number times ten."""
    for folder, count in (("a", 4), ("b", 6)):
        (tmp_path / folder).mkdir()
        for i in range(count):
            Image.fromarray(np.full((5, 4, 3), 10 * i + (100 if folder == "b" else 0), "uint8")).save(
                tmp_path / folder / f"{i}.png"
            )
    (tmp_path / "a" / "notes.txt").write_text("no image")
    return tmp_path


def test_flow_from_directory(tree, capsys):
    generator = image.ImageDataGenerator(validation_split=0.5)
    flow = generator.flow_from_directory(tree, target_size=(3, 3), batch_size=4, shuffle=False)
    assert capsys.readouterr().out == "Found 10 images belonging to 2 classes.\n"
    assert flow.class_indices == {"a": 0, "b": 1}
    assert flow.filenames == [f"a/{i}.png" for i in range(4)] + [f"b/{i}.png" for i in range(6)]
    assert flow.classes.tolist() == flow.labels.tolist() == [0] * 4 + [1] * 6
    batches = [next(flow) for _ in range(4)]
    assert [len(x) for x, _ in batches] == [4, 4, 2, 4]
    assert batches[1][0][:, 0, 0, 0].tolist() == [100, 110, 120, 130]
    assert batches[0][1].tolist() == [[1, 0]] * 4
    assert batches[0][0].shape == (4, 3, 3, 3)

    def one(**arguments):
        return next(generator.flow_from_directory(tree, target_size=(3, 3), shuffle=False, **arguments))

    assert one(class_mode="binary")[1].tolist() == [0] * 4 + [1] * 6
    assert one(class_mode="sparse", classes=["b"])[1].tolist() == [0] * 6
    assert one(class_mode=None, color_mode="grayscale").shape == (10, 3, 3, 1)
    x, y = one(class_mode="input")
    np.testing.assert_array_equal(x, y)
    assert one(class_mode=None, subset="validation")[:, 0, 0, 0].tolist() == [0, 10, 100, 110, 120]
    assert one(class_mode=None, subset="training")[:, 0, 0, 0].tolist() == [20, 30, 130, 140, 150]
    with pytest.raises(InputDataError, match="class_mode"):
        one(class_mode="multi")
    with pytest.raises(InputDataError, match="color_mode"):
        one(color_mode="bgr")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        generator.flow_from_directory(tree / "nowhere")


def test_flow_from_dataframe(tree, capsys):
    generator = image.ImageDataGenerator()
    names = [f"a/{i}.png" for i in range(4)] + ["b/0.png", "b/missing.png"]
    table = pd.DataFrame({"filename": names, "class": list("xxyyyy"), "v": range(6), "w": np.arange(6) / 2})
    arguments = {"directory": tree, "target_size": (2, 2), "shuffle": False}
    x, y, w = next(generator.flow_from_dataframe(table, weight_col="w", class_mode="binary", **arguments))
    assert capsys.readouterr().out == "Found 5 validated image filenames belonging to 2 classes.\n"
    assert x[:, 0, 0, 0].tolist() == [0, 10, 20, 30, 100]
    assert (y.tolist(), w.tolist()) == ([0, 0, 1, 1, 1], [0, 0.5, 1, 1.5, 2])
    flow = generator.flow_from_dataframe(table, y_col="v", class_mode="raw", **arguments)
    assert next(flow)[1].tolist() == [0, 1, 2, 3, 4]
    flow = generator.flow_from_dataframe(table, y_col=["v", "w"], class_mode="multi_output", **arguments)
    assert [t.tolist() for t in next(flow)[1]] == [[0, 1, 2, 3, 4], [0, 0.5, 1, 1.5, 2]]
    table["class"] = [["p"], ["p", "q"], ["q"], ["r"], ["p", "r"], ["q"]]
    assert next(generator.flow_from_dataframe(table, **arguments))[1].tolist() == [
        [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1]]  # fmt: skip
    with pytest.raises(InputDataError, match="no column 'label'"):
        generator.flow_from_dataframe(table, y_col="label", **arguments)


def test_image_dataset_from_directory(tree, capsys):
    dataset = folders.image_dataset_from_directory(tree, image_size=(3, 2), batch_size=4, shuffle=False)
    assert capsys.readouterr().out == "Found 10 files belonging to 2 classes.\n"
    assert dataset.class_names == ["a", "b"]
    x, y = zip(*dataset)
    assert [len(part) for part in x] == [4, 4, 2]
    assert (x[0].shape, x[0].dtype, y[0].dtype) == ((4, 3, 2, 3), np.float32, np.int32)
    assert np.concatenate(y).tolist() == [0] * 4 + [1] * 6
    assert np.concatenate(x)[:, 1, 1, 2].tolist() == [0, 10, 20, 30, 100, 110, 120, 130, 140, 150]
    mapped = dataset.map(lambda x, y: (x / 10, y + 1)).prefetch(2)
    assert mapped[0][0][1, 0, 0, 0] == 1
    assert mapped.take(1)[0][1].tolist() == [1] * 4

    def values(dataset):
        return sorted(np.concatenate([x[:, 0, 0, 0] for x, _ in dataset]).tolist())

    arguments = {"seed": 5, "validation_split": 0.3, "image_size": (2, 2)}
    train, validation = folders.image_dataset_from_directory(tree, subset="both", **arguments)
    assert (len(values(train)), len(values(validation))) == (7, 3)
    assert not set(values(train)) & set(values(validation))
    assert values(folders.image_dataset_from_directory(tree, subset="validation", **arguments)) == values(validation)
    for x, y in train:
        assert ((x[:, 0, 0, 0] >= 100) == y).all()
    before = [x[0, 0, 0, 0] for x in folders.image_dataset_from_directory(tree, labels=None, seed=1, batch_size=1)]
    assert len(before) == 10

    def labels(mode):
        return folders.image_dataset_from_directory(tree, label_mode=mode, image_size=(2, 2), shuffle=False)[0][1]

    assert labels("binary")[:, 0].tolist() == [0] * 4 + [1] * 6
    assert labels("categorical")[3:5].tolist() == [[1, 0], [0, 1]]
    padded = folders.image_dataset_from_directory(tree, image_size=(5, 5), pad_to_aspect_ratio=True, shuffle=False)
    assert padded[0][0][5, 0, :, 0].tolist() == [110] * 4 + [0]
    padded = folders.image_dataset_from_directory(tree, image_size=(4, 9), pad_to_aspect_ratio=True, shuffle=False)
    assert padded[0][0][5, 2, :, 0].tolist() == [0] * 2 + [110] * 3 + [0] * 4  # as Keras 3.15 places it
    for wrong in ({"label_mode": "x"}, {"subset": "training"}, {"validation_split": 0.2, "subset": "training"}):
        with pytest.raises(InputDataError):
            folders.image_dataset_from_directory(tree, **wrong)
    with pytest.raises(InputDataError, match="2 labels but 10 files"):
        folders.image_dataset_from_directory(tree, labels=[1, 2])


def test_text_dataset_from_directory(tmp_path):
    for name, content in (("x", "ünï"), ("y", "zwei")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.txt").write_text(content, encoding="utf-8")
    texts, labels = folders.text_dataset_from_directory(tmp_path, shuffle=False, max_length=3, verbose=False)[0]
    assert (texts.tolist(), labels.tolist()) == (["ünï", "zwe"], [0, 1])


def png(width, height):
    """A PNG of one bit a pixel, all black."""

    def chunk(kind, data):
        body = kind + data
        return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([1, 0, 0, 0, 0])
    rows = zlib.compress(bytes((width + 7) // 8 + 1) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [13000, 15000])
def test_too_many_pixels(tmp_path, side):
    (tmp_path / "bomb.png").write_bytes(png(side, side))
    with pytest.raises(LimitExceededError, match="bomb.png"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image.load_img(tmp_path / "bomb.png")
    with pytest.raises(LimitExceededError, match="bomb.png"):
        image.load_img(str(tmp_path / "bomb.png"))


def test_damaged_files(tmp_path):
    picture = Image.fromarray(np.random.RandomState(0).randint(0, 255, (40, 40, 3), "uint8"))
    whole = io.BytesIO()
    picture.save(whole, "jpeg")
    for name, content in (("cut.jpg", whole.getvalue()[:-500]), ("empty.png", b""), ("text.png", b"hello"),
                          ("bad.png", png(8, 8)[:-20] + bytes(20))):  # fmt: skip
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CorruptFileError, match=name):
            image.load_img(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="nothing.png"):
        image.load_img(tmp_path / "nothing.png")


def test_load_img(tmp_path):
    pixels = np.arange(60, dtype="uint8").reshape(5, 4, 3)
    Image.fromarray(pixels).save(tmp_path / "x.png")
    path = tmp_path / "x.png"
    np.testing.assert_array_equal(image.img_to_array(image.load_img(path)), pixels.astype("float32"))
    np.testing.assert_array_equal(image.img_to_array(image.load_img(io.BytesIO(path.read_bytes()))), pixels)
    with open(path, "rb") as file:
        assert image.load_img(file).size == (4, 5)
    assert image.load_img(path, grayscale=True).mode == image.load_img(path, "grayscale").mode == "L"
    assert image.load_img(path, target_size=(2, 3)).size == (3, 2)
    assert image.load_img(path, color_mode="rgba", target_size=(2, 3), interpolation="bicubic").mode == "RGBA"
    square = np.array(image.load_img(path, target_size=(4, 4), keep_aspect_ratio=True))
    np.testing.assert_array_equal(square, pixels[:4])
    with pytest.raises(InputDataError, match="'grayscale'"):
        image.load_img(path, color_mode="hsv")
    with pytest.raises(InputDataError, match="bicubic"):
        image.load_img(path, target_size=(2, 2), interpolation="best")


def test_unusual_files(tmp_path):
    """What Keras does with them, kept: first frame, no EXIF rotation, 16 bits clipped in RGB only."""
    frames = [Image.fromarray(np.full((2, 3), value, "uint8")) for value in (10, 200)]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    assert image.img_to_array(image.load_img(tmp_path / "x.gif")).max() == 10
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (3, 2)).save(tmp_path / "x.jpg", exif=exif)
    assert image.load_img(tmp_path / "x.jpg").size == (3, 2)
    Image.fromarray(np.array([[0, 100, 4000, 65520]], "uint16")).save(tmp_path / "x.png")
    grey = image.img_to_array(image.load_img(tmp_path / "x.png", color_mode="grayscale"))
    assert grey[0, :, 0].tolist() == [0, 100, 4000, 65520]
    assert image.img_to_array(image.load_img(tmp_path / "x.png"))[0, :, 0].tolist() == [0, 100, 255, 255]


def test_conversions():
    grey = np.array([[[-1.0], [3.0]]])
    assert np.asarray(image.array_to_img(grey)).tolist() == [[0, 255]]
    assert np.asarray(image.array_to_img(grey, scale=False)).tolist() == [[255, 3]]
    assert np.asarray(image.array_to_img(grey * 1000, scale=False)).tolist() == [[-1000, 3000]]
    assert image.array_to_img(np.full((2, 3, 4), 7.0)).mode == "RGBA"
    assert image.array_to_img(np.zeros((3, 2, 4)), "channels_first").size == (4, 2)
    assert image.img_to_array(np.zeros((2, 5))).shape == (2, 5, 1)
    assert image.img_to_array(np.zeros((2, 5)), "channels_first").shape == (1, 2, 5)
    assert image.img_to_array(Image.new("RGB", (4, 2)), "channels_first", "float64").shape == (3, 2, 4)
    for wrong in (np.zeros((2, 2)), np.zeros((2, 2, 5))):
        with pytest.raises(InputDataError, match="array_to_img"):
            image.array_to_img(wrong)
    with pytest.raises(InputDataError, match="img_to_array"):
        image.img_to_array(np.zeros((1, 2, 2, 3)))


def test_save_img(tmp_path):
    pixels = np.random.RandomState(0).randint(0, 256, (6, 5, 3)).astype("float32")
    image.save_img(tmp_path / "x.png", pixels, scale=False)
    np.testing.assert_array_equal(image.img_to_array(image.load_img(tmp_path / "x.png")), pixels)
    memory = io.BytesIO()
    image.save_img(memory, pixels, file_format="jpg")
    assert Image.open(memory).format == "JPEG"
    with pytest.warns(UserWarning, match="transparency"):
        image.save_img(tmp_path / "x.jpg", np.zeros((2, 2, 4)))
    with pytest.raises(InputDataError, match="unknown-format"):
        image.save_img(tmp_path / "x.png", pixels, file_format="unknown-format")
    np.testing.assert_array_equal(image.img_to_array(image.load_img(tmp_path / "x.png")), pixels)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.jpg", "x.png"]
    assert image.list_pictures(tmp_path, ext="png") == [str(tmp_path / "x.png")]


def test_gray_images_stretched_to_255_are_of_bytes():
    """Rounding must not make a wider image of them: its values would be cut off, or the file refused."""
    for highest in np.random.default_rng(0).random(200, "float32"):
        picture = image.array_to_img(np.array([[[0.0], [highest]]], "float32"))
        assert picture.mode == "L" and np.asarray(picture).tolist()[0][1] in (254, 255)
