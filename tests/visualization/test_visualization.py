"""Pictures of boxes, masks and labels. The numbers are checksums of what Keras 3.15 draws, with OpenCV."""

import zlib

import numpy as np
import pytest

from oneiros import visualization
from oneiros.core.lazy import LazyModule

plt = LazyModule("matplotlib.pyplot")

STREAM = np.random.RandomState(0)
IMAGES = STREAM.randint(0, 256, (2, 40, 50, 3)).astype("uint8")
BLACK = np.zeros((2, 40, 50, 3), "uint8")
MASKS = STREAM.randint(0, 4, (2, 40, 50)).astype("int32")
BOXES = np.array([[[5, 6, 20, 25], [30.4, 2.6, 44.5, 39.9]], [[-1, -1, -1, -1], [0, 0, 49, 39]]], "float32")
LABELS = np.array([[0, 1], [-1, 2]])
COLORS = {1: (255, 0, 0), 2: (0, 255, 0), 3: (0, 0, 255), 0: (9, 9, 9)}
FLAT = np.array([[[5, 5, 5, 5], [7, 7, 8, 8.0]], [[20, 20, 10, 10], [1, 1, 3, 30]]])
FIRST = {"data_format": "channels_first"}


def close_all():
    plt.close("all")


def boxes(images=BLACK, form="xyxy", where=BOXES, **options):
    return visualization.draw_bounding_boxes(images, {"boxes": where, "labels": LABELS}, form, **options)


def masks(images=IMAGES, where=MASKS, **options):
    return visualization.draw_segmentation_masks(images, where, **{"num_classes": 4} | options)


def tiny(images):
    given = {"boxes": np.array([[[2, 2, 5, 5.0]]]), "labels": np.array([[0]])}
    return visualization.draw_bounding_boxes(images, given, "xyxy")


DRAWN = {
    "segNone": (lambda: masks(BLACK, num_classes=None), 261561852),
    "seg3": (lambda: masks(BLACK, num_classes=3), 261561852),
    "seg4": (lambda: masks(BLACK), 3154639500),
    "segblend": (lambda: masks(), 1213154195),
    "segalpha": (lambda: masks(alpha=0.3), 640982601),
    "segnoblend": (lambda: masks(blend=False), 3718167386),
    "segcm2": (lambda: masks(color_mapping=COLORS), 3493487644),
    "segig": (lambda: masks(ignore_index=0), 1591072618),
    "seg4d": (lambda: masks(where=MASKS[..., None]), 1213154195),
    "segf": (lambda: masks(IMAGES / 255.0), 4080205273),
    "segf2": (lambda: masks(IMAGES.astype("float32")), 1213154195),
    "segcf4": (lambda: masks(np.moveaxis(IMAGES, -1, 1), MASKS[:, None], **FIRST), 1213154195),
    "segbig": (lambda: masks(where=MASKS + 3), 3365829826),
    "segneg": (lambda: masks(where=MASKS - 1), 3570274249),
    "box1": (lambda: boxes(color=(1, 2, 3), line_thickness=1), 1352124914),
    "box2": (lambda: boxes(color=(1, 2, 3)), 2355521834),
    "box3": (lambda: boxes(color=(1, 2, 3), line_thickness=3), 4428188),
    "box4": (lambda: boxes(color=(1, 2, 3), line_thickness=4), 4428188),
    "box5": (lambda: boxes(color=(1, 2, 3), line_thickness=5), 2606395162),
    "boxim": (lambda: boxes(IMAGES), 1715427272),
    "boxxywh": (lambda: boxes(IMAGES, "xywh"), 488594307),
    "boxrel": (lambda: boxes(BLACK, "rel_xyxy", BOXES / 50), 2924000474),
    "boxf": (lambda: boxes(IMAGES.astype("float32")), 1715427272),
    "boxf01": (lambda: boxes(IMAGES / 255.0), 1715427272),
    "boxout": (lambda: boxes(where=BOXES * 3 - 20), 796350401),
    "boxsmall": (lambda: boxes(where=FLAT), 1719755791),
    "boxgray": (lambda: boxes(IMAGES[..., :1]), 1380954111),
    "tinyhalf": (lambda: tiny(np.full((1, 10, 10, 3), 0.5)), 1080207652),
    "tinytwo": (lambda: tiny(np.full((1, 10, 10, 3), 2.5)), 1900612738),
    "tinyneg": (lambda: tiny(np.linspace(-1, 1, 300).reshape(1, 10, 10, 3)), 3008386895),
}


@pytest.mark.parametrize("name", list(DRAWN))
def test_what_is_drawn_is_what_keras_draws(name):
    draw, checksum = DRAWN[name]
    image = draw()
    assert zlib.crc32(image.tobytes()) == checksum and image.shape[1:3] in ((40, 50), (10, 10), (1, 25))


def test_classes_that_are_not_painted():
    painted = masks(BLACK, ignore_index=1, blend=False)
    assert not painted[MASKS == 1].any() and (painted[MASKS == 2] == (2, 254, 62)).all()
    painted = masks(BLACK, color_mapping={2: (7, 8, 9)}, blend=False)
    assert not painted[MASKS != 2].any() and (painted[MASKS == 2] == (7, 8, 9)).all()
    gray = visualization.draw_segmentation_masks(BLACK[..., :1], MASKS, color_mapping={2: (7, 8, 9)}, alpha=1.0)
    assert gray.shape == (2, 40, 50, 1) and (gray[MASKS == 2] == 7).all()


def test_names_at_boxes():
    plain, names = boxes(), {0: "cat", 1: "dog", 2: "a"}
    named = boxes(class_mapping=names)
    assert (named[plain != 0] == plain[plain != 0]).all() and (named != plain).any()
    large = boxes(class_mapping=names, font_scale=2.0, text_thickness=2)
    assert (large != 0).sum() > (named != 0).sum()
    given = {"boxes": BOXES, "labels": LABELS[..., None], "confidences": np.full((2, 2), 0.5)}
    told = visualization.draw_bounding_boxes(BLACK, given, "xyxy", names)
    assert (told != named).any()
    assert (visualization.draw_bounding_boxes(BLACK, given, "xyxy") == plain).all()


@pytest.mark.parametrize(
    "wrong, error, message",
    [
        (lambda: boxes(IMAGES[0]), ValueError, "expected a batch"),
        (lambda: masks(IMAGES[0]), ValueError, "expected a batch"),
        (lambda: visualization.draw_bounding_boxes(IMAGES, {"boxes": BOXES}, "xyxy"), ValueError, "'labels'"),
        (lambda: visualization.draw_bounding_boxes(IMAGES, BOXES, "xyxy"), TypeError, "a dictionary"),
        (lambda: masks(where=MASKS.astype("float32")), TypeError, "expected integers"),
        (lambda: masks(where=MASKS[:, :20]), ValueError, "the shape of the images"),
        (lambda: visualization.plot_image_gallery(IMAGES, y_true=[0, 1]), ValueError, "label_map"),
        (lambda: visualization.plot_image_gallery(IMAGES, path="x.png", show=True), ValueError, "either"),
        (
            lambda: visualization.plot_bounding_box_gallery(IMAGES, "xyxy", legend=True, legend_handles=[]),
            ValueError,
            "either",
        ),
    ],
)
def test_mistakes(wrong, error, message):
    with pytest.raises(error, match=message):
        wrong()


def shown():
    """The size of the current figure, the titles, and the images in it."""
    figure = plt.gcf()
    images = [place.images[0].get_array() for place in figure.axes if place.images]
    return figure.get_size_inches().tolist(), [place.get_title() for place in figure.axes], images


@pytest.mark.parametrize(
    "count, options, size, places",
    [
        (6, {}, [4, 6], 6),
        (6, {"rows": 2}, [6, 4], 6),
        (6, {"rows": 1, "cols": 2}, [4, 2], 2),
        (6, {"cols": 4}, [8, 4], 8),
        (7, {}, [4, 8], 8),
        (1, {"scale": 5}, [5, 5], 1),
    ],
)
def test_galleries(count, options, size, places):
    images = np.concatenate([IMAGES] * 4)[:count]
    visualization.plot_image_gallery(images, show=False, **options)
    found = shown()
    assert found[0] == size and len(found[1]) == places and len(found[2]) == min(count, places)
    assert (found[2][0] == images[0]).all()
    close_all()


def test_labels_and_values():
    names = {0: "a", 1: "b"}
    visualization.plot_image_gallery(IMAGES / 255, [0, 1], [1, 1], names, value_range=(0, 1), show=False)
    _, titles, images = shown()
    assert titles == ["Label: a  Pred: b", "Label: b  Pred: b"]
    assert np.abs(images[0].astype(int) - IMAGES[0]).max() <= 1
    close_all()
    visualization.plot_image_gallery(np.moveaxis(IMAGES, -1, 1), y_pred=[1, 0], label_map=names, show=False, **FIRST)
    assert shown()[1] == ["Pred: b", "Pred: a"] and (shown()[2][1] == IMAGES[1]).all()
    close_all()


def test_files_of_galleries(tmp_path):
    visualization.plot_image_gallery(IMAGES[..., :1], path=tmp_path / "gallery.png")
    assert plt.imread(tmp_path / "gallery.png").shape[2] == 4 and not plt.get_fignums()
    visualization.plot_image_gallery(IMAGES)
    assert not plt.get_fignums()


def test_galleries_of_boxes_and_masks():
    given = {"boxes": BOXES, "labels": LABELS}
    visualization.plot_bounding_box_gallery(IMAGES, "xyxy", given, given, legend=True, show=False)
    assert (shown()[2][0] == boxes(IMAGES, color=(255, 235, 59))[0]).all()
    assert [text.get_text() for text in plt.gcf().legends[0].get_texts()] == ["Ground Truth", "Predictions"]
    close_all()
    visualization.plot_segmentation_mask_gallery(IMAGES, 4, y_true=MASKS, y_pred=MASKS[..., None], show=False)
    size, _, images = shown()
    assert size == [6, 4] and len(images) == 6
    assert (images[0] == IMAGES[0]).all() and all((image == masks()[0]).all() for image in images[1:3])
    close_all()
