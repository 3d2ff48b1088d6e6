"""Bounding boxes: formats, geometry and overlap, against NumPy."""

import itertools

import numpy as np
import pytest

from oneiros.utils import bounding_boxes as b

FORMATS = ("xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh")
CORNERS = np.array([[[10.0, 20, 30, 60], [0, 5, 40, 45]]], "float32")


@pytest.mark.parametrize("source, target", list(itertools.permutations(FORMATS, 2)))
def test_formats_lead_back(source, target):
    given = b.convert_format(CORNERS, "xyxy", source, height=80, width=100)
    there = b.convert_format(given, source, target, height=80, width=100)
    np.testing.assert_allclose(b.convert_format(there, target, "xyxy", height=80, width=100), CORNERS, atol=1e-3)


def test_what_formats_mean():
    for name, expected in {
        "yxyx": [20, 10, 60, 30],
        "xywh": [10, 20, 20, 40],
        "center_xywh": [20, 40, 20, 40],
        "center_yxhw": [40, 20, 40, 20],
        "rel_xyxy": [0.1, 0.25, 0.3, 0.75],
        "rel_yxyx": [0.25, 0.1, 0.75, 0.3],
    }.items():
        found = b.convert_format(CORNERS, "xyxy", name, height=80, width=100)
        np.testing.assert_allclose(found[0, 0], expected, atol=1e-6)
    with pytest.raises(ValueError, match="expected the size of the image"):
        b.convert_format(CORNERS, "xyxy", "rel_xyxy")
    with pytest.raises(ValueError, match="source: expected one of"):
        b.convert_format(CORNERS, "corners", "xyxy")


def overlap(one, two):
    """The share of a grid of pixels that two boxes of whole numbers have in common."""
    grid = np.zeros((2, 100, 100), bool)
    for plane, (left, top, right, bottom) in zip(grid, (one, two)):
        plane[top:bottom, left:right] = True
    return (grid[0] & grid[1]).sum() / (grid[0] | grid[1]).sum()


def test_overlap():
    random = np.random.RandomState(0)
    low, sizes = random.randint(0, 40, (2, 6, 2)), random.randint(10, 50, (2, 6, 2))
    boxes = np.concatenate([low, low + sizes], -1)
    expected = [[overlap(one, two) for two in boxes[1]] for one in boxes[0]]
    np.testing.assert_allclose(b.compute_iou(boxes[0], boxes[1], "xyxy"), expected, atol=1e-5)


def test_deltas_lead_back():
    anchors = np.array([[0, 0, 20, 20], [30, 30, 60, 50.0]], "float32")
    deltas = b.encode_box_to_deltas(anchors, CORNERS[0], "xyxy", "xyxy")
    found = b.decode_deltas_to_boxes(anchors, deltas, "xyxy", "xyxy")
    np.testing.assert_allclose(found, CORNERS[0], atol=1e-3)


def test_boxes_outside_become_empty():
    given = {"boxes": np.array([[[-10, -10, 10, 10], [50, 50, 60, 60.0]]]), "labels": np.array([[1, 2]])}
    found = b.clip_to_image_size(given, height=20, width=20, bounding_box_format="xyxy")
    assert np.asarray(found["boxes"])[0, 0].tolist() == [0, 0, 10, 10]
    assert np.asarray(found["labels"]).tolist() == [[1, -1]]
