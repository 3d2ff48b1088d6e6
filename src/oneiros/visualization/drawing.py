"""Bounding boxes and masks, drawn on images."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..core.errors import InputDataError
from ..utils.bounding_boxes import convert_format
from .images import channels_last, in_bytes

_TEXT_HEIGHT = 24  # pixels of a line of text at scale 1


def draw_bounding_boxes(
    images: Any,
    bounding_boxes: Any,
    bounding_box_format: str,
    class_mapping: Mapping | None = None,
    color: Sequence[int] = (128, 128, 128),
    line_thickness: int = 2,
    text_thickness: int = 1,
    font_scale: float = 1.0,
    data_format: str | None = None,
) -> np.ndarray:
    """Draws bounding boxes on a batch of images.

    Args:
        images: The images ``(batch, height, width, channels)``, with values from 0 to 255, or of floats from 0 to 1.
        bounding_boxes: A dictionary with ``"boxes"``, an array ``(batch, boxes, 4)``, with ``"labels"``, an array
            ``(batch, boxes)``, where -1 is for no box, and perhaps with ``"confidences"``, an array of the same shape.
        bounding_box_format: How boxes are given; see `utils.bounding_boxes.convert_format`.
        class_mapping: The names of the labels, which are written at the boxes. `None`: nothing is written.
        color: The colour of lines and text.
        line_thickness: The thickness of the lines.
        text_thickness: The thickness of the strokes of letters.
        font_scale: The size of the text; 1 is 24 pixels.
        data_format: Where the channels of the images are, by default the global setting.

    Returns:
        The images with the boxes, as bytes, the channels last.

    Raises:
        ValueError: If the images are no batch, or boxes or labels are missing.
        TypeError: If the boxes are in no dictionary.
        ImportError: If names are to be written, and Pillow is not installed.

    >>> boxes = {"boxes": [[[1, 1, 3, 3]]], "labels": [[0]]}
    >>> image = draw_bounding_boxes(np.zeros((1, 5, 5, 3)), boxes, "xyxy", color=(9, 9, 9), line_thickness=1)[0]
    >>> image[:, :, 0].tolist()
    [[0, 0, 0, 0, 0], [0, 9, 9, 9, 0], [0, 9, 0, 9, 0], [0, 9, 9, 9, 0], [0, 0, 0, 0, 0]]
    """
    if not isinstance(bounding_boxes, Mapping):
        raise TypeError(f"bounding_boxes: expected a dictionary. Received: {type(bounding_boxes).__name__}")
    if "boxes" not in bounding_boxes or "labels" not in bounding_boxes:
        raise InputDataError(
            "bounding_boxes: expected a dictionary with 'boxes' and 'labels'. Received one with "
            f"{sorted(bounding_boxes)}."
        )
    images = channels_last(images, data_format)
    height, width = images.shape[1:3]
    ones = images.dtype.kind == "f" and images.size and images.max() <= 1
    images = in_bytes(images, (0, 1) if ones else (0, 255)).copy()
    boxes = convert_format(np.asarray(bounding_boxes["boxes"], "float32"), bounding_box_format, "xyxy", height, width)
    boxes, labels = np.asarray(boxes).astype(int), np.asarray(bounding_boxes["labels"]).astype(int)
    labels = labels.reshape(boxes.shape[:2])
    confidences = bounding_boxes.get("confidences")
    confidences = None if confidences is None else np.asarray(confidences).reshape(labels.shape)
    color = np.asarray(color)[: images.shape[-1]]
    for number, place in np.argwhere(labels >= 0):
        _draw_box(images[number], boxes[number, place], color, line_thickness)
        name = None if class_mapping is None else class_mapping.get(int(labels[number, place]))
        if name is not None:
            value = "" if confidences is None else f" {confidences[number, place]:.2f}"
            _write(images[number], f"{name}{value}", boxes[number, place], color, font_scale, text_thickness)
    return images


def _draw_box(image, box, color, thickness):
    """Paints the pixels that are near the outline: half of the thickness, rounded up, but for a line of one pixel."""
    left, top, right, bottom = (int(v) for v in box)
    left, right, top, bottom = min(left, right), max(left, right), min(top, bottom), max(top, bottom)
    reach = (thickness + 1) // 2 if thickness > 1 else 0
    y, x = np.ogrid[: image.shape[0], : image.shape[1]]
    beside, above = np.maximum(np.maximum(left - x, x - right), 0), np.maximum(np.maximum(top - y, y - bottom), 0)
    inside = np.minimum(np.minimum(x - left, right - x), np.minimum(y - top, bottom - y))
    image[(beside**2 + above**2 <= reach**2) & (inside <= reach)] = color


def _write(image, text, box, color, scale, thickness):
    """Writes a text with its lower edge at the upper edge of a box; below that edge if there is no room."""
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError:
        raise ImportError("Writing names at boxes needs Pillow: pip install 'oneiros[image]'") from None
    size = max(_TEXT_HEIGHT * scale, 1)
    font = ImageFont.load_default(size)
    x, y = int(box[0]), int(box[1])
    y = y - int(size) if y >= size else y
    sheet = Image.new("L", (image.shape[1], image.shape[0]))
    ImageDraw.Draw(sheet).text((max(x, 0), max(y, 0)), text, 255, font, stroke_width=max(thickness - 1, 0))
    share = np.asarray(sheet)[..., None] / 255.0
    image[:] = np.round(image * (1 - share) + color * share).astype("uint8")


def draw_segmentation_masks(
    images: Any,
    segmentation_masks: Any,
    num_classes: int | None = None,
    color_mapping: Mapping | None = None,
    alpha: float = 0.8,
    blend: bool = True,
    ignore_index: int = -1,
    data_format: str | None = None,
) -> np.ndarray:
    """Paints the pixels of images in the colours of their classes.

    Args:
        images: The images ``(batch, height, width, 3)``, with values from 0 to 255.
        segmentation_masks: The classes of the pixels, integers ``(batch, height, width)`` or with an axis of 1 where
            the channels are.
        num_classes: The number of classes: those below it are painted. By default the largest class.
        color_mapping: The colours of the classes; a class without one is not painted. `None` gives each class one,
            black to class 0.
        alpha: How much of a pixel is the colour, from 0 to 1.
        blend: Whether to mix colours and images. If not, the colours are put on the images as they are.
        ignore_index: The class that is not painted.
        data_format: Where the channels of the images are, by default the global setting.

    Returns:
        The painted images, the channels last: bytes, or floats without blending.

    Raises:
        ValueError: If the images are no batch, or the masks are of another size.
        TypeError: If the masks are not of integers.

    >>> draw_segmentation_masks(np.zeros((1, 1, 2, 3)), [[[0, 1]]], num_classes=2, alpha=1.0).tolist()
    [[[[0, 0, 0], [1, 127, 31]]]]
    """
    images, masks = channels_last(images, data_format), np.asarray(segmentation_masks)
    if masks.dtype.kind not in "iu":
        raise TypeError(f"segmentation_masks: expected integers. Received an array of type {masks.dtype}.")
    if masks.ndim == 4:
        masks = channels_last(masks, data_format)[..., 0]
    if masks.shape != images.shape[:3]:
        raise InputDataError(
            f"segmentation_masks: expected the shape of the images, {images.shape[:3]}. Received: {masks.shape}"
        )
    count = int(masks.max()) if num_classes is None else num_classes
    if color_mapping is None:
        color_mapping = {number: _color(number) for number in range(count)}
    painted = np.array(images, "float32")
    for number, color in color_mapping.items():
        if number != ignore_index and number < count:
            painted[masks == number] = np.asarray(color)[: images.shape[-1]]
    if not blend:
        return painted
    return (painted * alpha + np.asarray(images, "float32") * (1 - alpha)).astype("uint8")


def _color(number):
    """A colour for a class: neighbours differ much."""
    return tuple(number * factor % 255 for factor in (1, 127, 31))
