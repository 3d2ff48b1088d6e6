"""Bounding boxes: formats, geometry, deltas to anchors, and how much two boxes overlap.

Boxes are arrays ``(..., 4)``. Functions whose argument is called `bounding_boxes` also take a dictionary of `"boxes"`
and `"labels"`. A format says what the four numbers are: `"xyxy"` (left, top, right, bottom), `"yxyx"`, `"xywh"` (left,
top, width, height), `"center_xywh"` and `"center_yxhw"`. With `"rel_"` in front, the numbers are fractions of the
image's width and height.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from oneiros.core.errors import InputDataError

__all__ = [
    *("affine_transform", "clip_to_image_size", "compute_ciou", "compute_iou", "convert_format", "crop"),
    *("decode_deltas_to_boxes", "encode_box_to_deltas", "pad"),
]


def _corners_of_center(x, y, w, h):
    return x - w / 2, y - h / 2, x + w / 2, y + h / 2


def _center_of_corners(left, top, right, bottom):
    return (left + right) / 2, (top + bottom) / 2, right - left, bottom - top


# For each format: how its four numbers become (left, top, right, bottom), and the way back.
_FORMATS = {
    "xyxy": (lambda x, y, z, w: (x, y, z, w),) * 2,
    "yxyx": (lambda y, x, w, z: (x, y, z, w),) * 2,
    "xywh": (lambda x, y, w, h: (x, y, x + w, y + h), lambda x, y, z, w: (x, y, z - x, w - y)),
    "center_xywh": (_corners_of_center, _center_of_corners),
    "center_yxhw": (
        lambda y, x, h, w: _corners_of_center(x, y, w, h),
        lambda *corners: tuple(_center_of_corners(*corners)[i] for i in (1, 0, 3, 2)),
    ),
}


def _parsed(argument, name):
    """The absolute format behind a name, and whether the name means fractions."""
    folded = name.lower() if isinstance(name, str) else ""
    relative = folded.startswith("rel_")
    absolute = folded.removeprefix("rel_")
    if absolute not in _FORMATS:
        known = ", ".join(map(repr, _FORMATS))
        raise InputDataError(
            f"bounding boxes: {argument}: expected one of {known}, or one of these with 'rel_' in front. Received: "
            f"{argument}={name!r}"
        )
    return absolute, relative


def _floats(boxes, dtype="float32"):
    boxes = jnp.asarray(boxes, jax.dtypes.canonicalize_dtype(dtype))
    if boxes.ndim == 0 or boxes.shape[-1] != 4:
        raise InputDataError(
            f"bounding boxes: boxes: expected an array whose last axis has length 4. Received the shape {boxes.shape}."
        )
    return boxes


def _is_labelled(boxes):
    return isinstance(boxes, dict) and "boxes" in boxes


def convert_format(
    boxes: Any, source: str, target: str, height: Any = None, width: Any = None, dtype: Any = "float32"
) -> Any:
    """Converts boxes from one format to another.

    Args:
        boxes: Boxes ``(..., 4)``, or a dictionary with such `"boxes"`.
        source: Format of the boxes.
        target: Format of the result.
        height: Height of the image, which relative formats need.
        width: Width of the image, which relative formats need.
        dtype: Data type of the result.

    Returns:
        Boxes of the same shape; a dictionary with these if a dictionary came.

    Raises:
        ValueError: If a format is unknown, if the size of the image is missing, or if boxes do not have four numbers.

    >>> convert_format([[10.0, 20.0, 50.0, 40.0]], "xyxy", "center_xywh").tolist()
    [[30.0, 30.0, 40.0, 20.0]]
    >>> convert_format([[10.0, 20.0, 50.0, 40.0]], "xyxy", "rel_yxyx", height=100, width=100).round(1).tolist()
    [[0.20000000298023224, 0.10000000149011612, 0.4000000059604645, 0.5]]
    """
    if _is_labelled(boxes):
        return boxes | {"boxes": convert_format(boxes["boxes"], source, target, height, width, dtype)}
    (start, was_relative), (end, relative) = _parsed("source", source), _parsed("target", target)
    if (was_relative or relative) and (height is None or width is None):
        raise InputDataError(
            f"convert_format: height and width: expected the size of the image, because fractions are converted. "
            f"Received: source={source!r}, target={target!r}, height={height}, width={width}"
        )
    boxes = _floats(boxes, dtype)
    if start == end and was_relative == relative:
        return boxes
    corners = jnp.stack(_FORMATS[start][0](*jnp.moveaxis(boxes, -1, 0)), -1)
    if was_relative != relative:
        size = jnp.asarray([width, height] * 2, corners.dtype)
        corners = corners / size if relative else corners * size
    return jnp.stack(_FORMATS[end][1](*jnp.moveaxis(corners, -1, 0)), -1).astype(boxes.dtype)


def _on_corners(boxes, bounding_box_format, height, width, function: Callable, new_size=None):
    """Applies a function of corners in pixels to boxes of any format, or to those of a dictionary."""
    if _is_labelled(boxes):
        moved = _on_corners(boxes["boxes"], bounding_box_format, height, width, function, new_size)
        return boxes | {"boxes": moved}
    dtype = boxes.dtype if jnp.issubdtype(getattr(boxes, "dtype", np.int32), jnp.floating) else "float32"
    corners = convert_format(boxes, bounding_box_format, "xyxy", height, width, dtype)
    new_height, new_width = new_size or (height, width)
    return convert_format(function(corners), "xyxy", bounding_box_format, new_height, new_width, dtype)


def clip_to_image_size(
    bounding_boxes: dict, height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> dict:
    """Clips boxes to the image, and gives those of which nothing is left the label -1.

    Args:
        bounding_boxes: Dictionary of `"boxes"` ``(..., n, 4)`` and `"labels"` ``(..., n)``.
        height: Height of the image. Relative formats can do without.
        width: Width of the image. Relative formats can do without.
        bounding_box_format: Format of the boxes.

    Returns:
        A dictionary of the clipped boxes and their labels.

    Raises:
        ValueError: If the size of the image is missing.

    >>> boxes = {"boxes": [[-10, 10, 50, 40], [200, 10, 300, 40]], "labels": [3, 4]}
    >>> clipped = clip_to_image_size(boxes, height=100, width=100)
    >>> clipped["boxes"].tolist(), clipped["labels"].tolist()
    ([[0.0, 10.0, 50.0, 40.0], [100.0, 10.0, 100.0, 40.0]], [3, -1])
    """
    if _parsed("bounding_box_format", bounding_box_format)[1] and height is None:
        height = width = 1
    if height is None or width is None:
        raise InputDataError(
            f"clip_to_image_size: height and width: expected the size of the image for the format "
            f"{bounding_box_format!r}. Received: height={height}, width={width}"
        )

    def clip(corners):
        return jnp.clip(corners, 0, jnp.asarray([width, height] * 2, corners.dtype))

    clipped = _on_corners(bounding_boxes, bounding_box_format, height, width, clip)
    corners = convert_format(clipped["boxes"], bounding_box_format, "xyxy", height, width)
    labels = jnp.asarray(bounding_boxes["labels"])
    empty = _area(corners) <= 0
    return clipped | {"labels": jnp.where(empty.reshape(labels.shape), jnp.asarray(-1, labels.dtype), labels)}


def _area(corners):
    return (corners[..., 2] - corners[..., 0]) * (corners[..., 3] - corners[..., 1])


def around_corners(corners: Array, move: Callable) -> Array:
    """The smallest upright boxes around boxes whose four corners have moved.

    Args:
        corners: Boxes ``(..., 4)`` in the format `"xyxy"`.
        move: Function of the corners' x and y, both ``(..., 4)``, that returns their new x and y.

    Returns:
        Boxes ``(..., 4)``.

    >>> around_corners(jnp.array([[1.0, 0.0, 2.0, 3.0]]), lambda x, y: (4 - y, x)).tolist()  # a quarter of a turn
    [[1.0, 1.0, 4.0, 2.0]]
    """
    x, y = move(corners[..., jnp.array([0, 2, 2, 0])], corners[..., jnp.array([1, 1, 3, 3])])
    return jnp.stack([x.min(-1), y.min(-1), x.max(-1), y.max(-1)], -1)


def affine_transform(
    boxes: Any,
    angle: Any,
    translate_x: Any,
    translate_y: Any,
    scale: Any,
    shear_x: Any,
    shear_y: Any,
    height: int,
    width: int,
    center_x: Any = None,
    center_y: Any = None,
    bounding_box_format: str = "xyxy",
) -> Array:
    """Boxes around boxes that are shifted, rotated, sheared and scaled with the image, in this order.

    All arguments but the sizes may be numbers, or arrays with one number for each image.

    Args:
        boxes: Boxes ``(n, 4)``, or ``(images, n, 4)``.
        angle: Angle of the rotation in degrees, counterclockwise.
        translate_x: Shift to the right, as a fraction of the width.
        translate_y: Shift down, as a fraction of the height.
        scale: Factor of the size.
        shear_x: Angle of the horizontal shear in degrees.
        shear_y: Angle of the vertical shear in degrees.
        height: Height of the image.
        width: Width of the image.
        center_x: Fixed point of rotation, scaling and shear, as a fraction of the width. By default the middle.
        center_y: The same as a fraction of the height.
        bounding_box_format: Format of the boxes.

    Returns:
        Boxes of the same shape. They may reach out of the image.

    >>> turned = affine_transform([[1.0, 0.0, 3.0, 1.0]], 90.0, 0.0, 0.0, 1.0, 0.0, 0.0, height=5, width=5)
    >>> [round(float(x)) for x in turned[0]]
    [0, 1, 1, 3]
    """
    span_x, span_y = width - 1, height - 1

    def per_box(value):  # (images,) to (images, 1, 1)
        value = jnp.asarray(value, jnp.float32)
        return value.reshape(value.shape + (1,) * 2 if value.ndim == 1 else value.shape)

    turn, skew_x, skew_y = (jnp.deg2rad(per_box(value)) for value in (angle, shear_x, shear_y))
    middle_x = per_box(0.5 if center_x is None else center_x) * span_x
    middle_y = per_box(0.5 if center_y is None else center_y) * span_y
    size, right, down = per_box(scale), per_box(translate_x) * span_x, per_box(translate_y) * span_y

    cos, sin = jnp.cos(turn), jnp.sin(turn)
    down_by_x, down_by_y = jnp.tan(skew_y) * cos - sin, jnp.tan(skew_y) * sin + cos
    # With both a shear and a rotation, this is not quite the image's map, but it is what Keras computes.
    right_by_x, right_by_y = cos - jnp.tan(skew_x) * down_by_x, sin + jnp.tan(skew_x) * down_by_y

    def move(x, y):
        x, y = x - middle_x + right, y - middle_y + down
        new_x, new_y = right_by_x * x + right_by_y * y, down_by_x * x + down_by_y * y
        return size * new_x + middle_x, size * new_y + middle_y

    return _on_corners(boxes, bounding_box_format, height, width, lambda corners: around_corners(corners, move))


def crop(boxes: Any, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy") -> Array:
    """Boxes in a window of the image, clipped to it.

    Args:
        boxes: Boxes ``(..., 4)`` in pixels of the image.
        top: Row at which the window begins.
        left: Column at which the window begins.
        height: Height of the window.
        width: Width of the window.
        bounding_box_format: Format of the boxes. It cannot be a relative one.

    Returns:
        Boxes of the same shape, in pixels of the window.

    Raises:
        ValueError: If the format is a relative one.

    >>> crop([[10.0, 20.0, 50.0, 60.0]], top=10, left=20, height=40, width=20).tolist()
    [[0.0, 10.0, 20.0, 40.0]]
    """
    limits = [width, height] * 2

    def cut(corners):
        shift = jnp.asarray([left, top] * 2, corners.dtype)
        return jnp.clip(corners - shift, 0, jnp.asarray(limits, corners.dtype))

    return _on_corners(boxes, bounding_box_format, None, None, cut)


def pad(
    boxes: Any, top: Any, left: Any, height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> Array:
    """Boxes in an image with added borders.

    Args:
        boxes: Boxes ``(..., 4)`` in pixels.
        top: Rows that are added at the top.
        left: Columns that are added at the left.
        height: Not used.
        width: Not used.
        bounding_box_format: Format of the boxes. It cannot be a relative one.

    Returns:
        Boxes of the same shape.

    Raises:
        ValueError: If the format is a relative one.

    >>> pad([[10.0, 20.0, 50.0, 60.0]], top=5, left=1).tolist()
    [[11.0, 25.0, 51.0, 65.0]]
    """

    def shift(corners):
        return corners + jnp.asarray([left, top] * 2, corners.dtype)

    return _on_corners(boxes, bounding_box_format, None, None, shift)


# --- deltas to anchors


def _delta_arguments(function, encoding, variance, image_shape):
    encoding = encoding.lower()
    if encoding not in ("center_xywh", "center_yxhw"):
        raise InputDataError(f"{function}: expected 'center_xywh' or 'center_yxhw'. Received: {encoding!r}")
    if variance is not None and len(variance) != 4:
        raise InputDataError(f"{function}: variance: expected four numbers. Received: variance={variance!r}")
    height, width = (None, None) if image_shape is None else image_shape[:2]
    return encoding, jnp.asarray([1.0] * 4 if variance is None else variance), height, width


def encode_box_to_deltas(
    anchors: Any,
    boxes: Any,
    anchor_format: str,
    box_format: str,
    encoding_format: str = "center_yxhw",
    variance: Sequence[float] | None = None,
    image_shape: Sequence[int] | None = None,
) -> Array:
    """What must be added to anchors to get boxes: shifts of the center in sizes of the anchor, and logarithms of sizes.

    From Girshick et al., "Rich feature hierarchies for accurate object detection and semantic segmentation", 2014.

    Args:
        anchors: Boxes ``(n, 4)``.
        boxes: Boxes ``(n, 4)``, or ``(images, n, 4)``.
        anchor_format: Format of the anchors.
        box_format: Format of the boxes.
        encoding_format: 'center_yxhw' or 'center_xywh': the order of the four numbers of a delta.
        variance: Four numbers by which the deltas are divided.
        image_shape: Shape of the image, (height, width, ...), which relative formats need.

    Returns:
        Deltas of the shape of the boxes.

    Raises:
        ValueError: If the encoding is another one, or if there are not four variances.

    >>> encode_box_to_deltas([[0, 0, 10, 10]], [[5, 0, 15, 10]], "xyxy", "xyxy").tolist()
    [[0.0, 0.5, 0.0, 0.0]]
    """
    encoding, variance, height, width = _delta_arguments("encode_box_to_deltas", encoding_format, variance, image_shape)
    anchors = convert_format(anchors, anchor_format, encoding, height, width)
    boxes = convert_format(boxes, box_format, encoding, height, width)
    (anchor, anchor_size), (center, size) = jnp.split(anchors, 2, -1), jnp.split(boxes, 2, -1)
    tiny = 1e-7  # a size of zero has a large logarithm, not an infinite one
    shift = (center - anchor) / jnp.maximum(anchor_size, tiny)
    growth = jnp.log(jnp.maximum(size, tiny) / jnp.maximum(anchor_size, tiny))
    return jnp.concatenate([shift, growth], -1) / variance


def decode_deltas_to_boxes(
    anchors: Any,
    boxes_delta: Any,
    anchor_format: str,
    box_format: str,
    encoded_format: str = "center_yxhw",
    variance: Sequence[float] | None = None,
    image_shape: Sequence[int] | None = None,
) -> Any:
    """The boxes that `encode_box_to_deltas` has encoded.

    Args:
        anchors: Boxes ``(n, 4)``, or a dictionary of them.
        boxes_delta: Deltas ``(n, 4)`` or ``(images, n, 4)``, or a dictionary of them with the same keys.
        anchor_format: Format of the anchors.
        box_format: Format of the result.
        encoded_format: 'center_yxhw' or 'center_xywh': the order of the four numbers of a delta.
        variance: Four numbers by which the deltas are multiplied.
        image_shape: Shape of the image, (height, width, ...), which relative formats need.

    Returns:
        Boxes of the shape of the deltas, or a dictionary of them.

    Raises:
        ValueError: If the encoding is another one, or if there are not four variances.

    >>> decode_deltas_to_boxes([[0, 0, 10, 10]], [[0.0, 0.5, 0.0, 0.0]], "xyxy", "xyxy").tolist()
    [[5.0, 0.0, 15.0, 10.0]]
    """
    encoding, variance, height, width = _delta_arguments(
        "decode_deltas_to_boxes", encoded_format, variance, image_shape
    )

    def decode(anchors, deltas):
        anchors = convert_format(anchors, anchor_format, encoding, height, width)
        (anchor, size), (shift, growth) = jnp.split(anchors, 2, -1), jnp.split(_floats(deltas) * variance, 2, -1)
        boxes = jnp.concatenate([anchor + shift * size, jnp.exp(growth) * size], -1)
        return convert_format(boxes, encoding, box_format, height, width)

    if isinstance(anchors, dict):
        return {level: decode(anchors[level], boxes_delta[level]) for level in anchors}
    return decode(anchors, boxes_delta)


# --- overlap


def _corners_of_both(boxes1, boxes2, bounding_box_format, image_shape):
    height, width = (None, None) if image_shape is None else image_shape[:2]
    if height is None and _parsed("bounding_box_format", bounding_box_format)[1]:
        raise InputDataError(
            f"bounding boxes: image_shape: expected (height, width, ...) for the relative format "
            f"{bounding_box_format!r}. Received: image_shape={image_shape}"
        )
    return [convert_format(boxes, bounding_box_format, "xyxy", height, width) for boxes in (boxes1, boxes2)]


def _intersection(a, b):
    sides = jnp.minimum(a[..., 2:], b[..., 2:]) - jnp.maximum(a[..., :2], b[..., :2])
    return jnp.maximum(sides, 0).prod(-1)


def compute_iou(
    boxes1: Any,
    boxes2: Any,
    bounding_box_format: str,
    use_masking: bool = False,
    mask_val: float = -1,
    image_shape: Sequence[int] | None = None,
) -> Array:
    """The intersection over union of each box of one list with each box of another.

    Args:
        boxes1: Boxes ``(m, 4)`` or ``(images, m, 4)``.
        boxes2: Boxes ``(n, 4)`` or ``(images, n, 4)``.
        bounding_box_format: Format of the boxes.
        use_masking: Whether boxes of which all four numbers are negative stand for no box.
        mask_val: Value for pairs with such a box.
        image_shape: Shape of the image, (height, width, ...), which relative formats need.

    Returns:
        ``(m, n)`` or ``(images, m, n)``: numbers from 0 to 1.

    Raises:
        ValueError: If boxes are of another rank, or if `image_shape` is missing.

    >>> shares = compute_iou([[0, 0, 2, 2]], [[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6]], "xyxy")
    >>> [round(float(share), 2) for share in shares[0]]
    [1.0, 0.33, 0.0]
    """
    ranks = np.ndim(boxes1), np.ndim(boxes2)
    if not set(ranks) <= {2, 3}:
        raise InputDataError(f"compute_iou: expected boxes (n, 4) or (images, n, 4). Received arrays of rank {ranks}.")
    a, b = _corners_of_both(boxes1, boxes2, bounding_box_format, image_shape)
    a, b = a[..., :, None, :], b[..., None, :, :]  # (..., m, 1, 4) and (..., 1, n, 4)
    shared = _intersection(a, b)
    union = _area(a) + _area(b) - shared
    overlap = jnp.where(union == 0, 0, shared / jnp.where(union == 0, 1, union))
    if use_masking:
        overlap = jnp.where((a < 0).all(-1) | (b < 0).all(-1), mask_val, overlap)
    return overlap


def compute_ciou(boxes1: Any, boxes2: Any, bounding_box_format: str, image_shape: Sequence[int] | None = None) -> Array:
    """The complete intersection over union of pairs of boxes, which also looks at centers and aspect ratios.

    From Zheng et al., "Distance-IoU Loss: Faster and Better Learning for Bounding Box Regression", 2020.

    Args:
        boxes1: Boxes ``(..., 4)``.
        boxes2: Boxes ``(..., 4)``; the shapes are broadcast.
        bounding_box_format: Format of the boxes.
        image_shape: Shape of the image, (height, width, ...), which relative formats need.

    Returns:
        One number for each pair: 1 for equal boxes, below 0 for boxes far apart.

    Raises:
        ValueError: If `image_shape` is missing.

    >>> compute_ciou([[0, 0, 2, 2]], [[0, 0, 2, 2]], "xyxy").round(3).tolist()
    [1.0]
    """
    a, b = _corners_of_both(boxes1, boxes2, bounding_box_format, image_shape)
    tiny = 1e-7

    def sides(corners):  # of equal boxes the result is 1, and there is no division by zero
        return corners[..., 2] - corners[..., 0], corners[..., 3] - corners[..., 1] + tiny

    (width_a, height_a), (width_b, height_b) = sides(a), sides(b)
    shared = _intersection(a, b)
    iou = shared / (width_a * height_a + width_b * height_b - shared + tiny)
    outer = jnp.maximum(a[..., 2:], b[..., 2:]) - jnp.minimum(a[..., :2], b[..., :2])
    distance = jnp.square(a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]).sum(-1) / 4
    angle = jnp.arctan(width_a / height_a) - jnp.arctan(width_b / height_b)
    aspect = 4 / math.pi**2 * jnp.square(angle)
    weight = aspect / (aspect - iou + 1 + tiny)
    return iou - (distance / (jnp.square(outer).sum(-1) + tiny) + aspect * weight)


def moved(
    bounding_boxes: dict, bounding_box_format: str, size: tuple, function: Callable, new_size: tuple | None = None
) -> dict:
    """Applies a function of corners to boxes with labels, clips them to the new image, and drops what has left it.

    Args:
        bounding_boxes: Dictionary of `"boxes"` ``(..., n, 4)`` and `"labels"`.
        bounding_box_format: Format of the boxes.
        size: Height and width of the image.
        function: Function of boxes in the format `"xyxy"`.
        new_size: Height and width of the new image, by default the same.

    Returns:
        A dictionary of the new boxes and their labels: -1 for boxes of which nothing is left.

    >>> boxes = {"boxes": jnp.array([[0.0, 0.0, 2.0, 1.0]]), "labels": jnp.array([3])}
    >>> moved(boxes, "xyxy", (5, 5), lambda corners: corners + 4)["boxes"].tolist()
    [[4.0, 4.0, 5.0, 5.0]]
    """
    new_size = new_size or size
    boxes = _on_corners(bounding_boxes, bounding_box_format, *size, function, new_size)
    return clip_to_image_size(boxes, *new_size, bounding_box_format)
