"""Many images in one picture, by matplotlib."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..core.errors import InputDataError
from .drawing import draw_bounding_boxes, draw_segmentation_masks
from .images import channels_last, in_bytes


def _pyplot():
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError("Galleries need matplotlib: pip install 'oneiros[plot]'") from None
    return plt


def plot_image_gallery(
    images: Any,
    y_true: Any = None,
    y_pred: Any = None,
    label_map: Mapping | None = None,
    rows: int | None = None,
    cols: int | None = None,
    value_range: Sequence[float] = (0, 255),
    scale: float = 2,
    path: Any = None,
    show: bool | None = None,
    transparent: bool = True,
    dpi: int = 60,
    legend_handles: Any = None,
    data_format: str | None = None,
) -> None:
    """Shows a batch of images in rows and columns, or writes the picture to a file.

    Args:
        images: The images ``(batch, height, width, channels)``.
        y_true: Their labels, which are written above them.
        y_pred: Labels that were predicted.
        label_map: The names of the labels, needed with `y_true` or `y_pred`.
        rows: The number of rows, by default so that all images have a place.
        cols: The number of columns, likewise.
        value_range: The least and the greatest value that the images may have.
        scale: The width and height of an image in inches.
        path: A file for the picture, which is then not shown.
        show: Whether the picture is shown, by default if there is no `path`. If not, it stays matplotlib's current
            figure.
        transparent: Whether the background is transparent in the file.
        dpi: The number of pixels in an inch in the file.
        legend_handles: Patches of matplotlib for a legend.
        data_format: Where the channels of the images are, by default the global setting.

    Raises:
        ValueError: If the images are no batch, if labels have no names, or with both `path` and `show`.
        ImportError: If matplotlib is not installed.

    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "gallery.png")
    >>> plot_image_gallery(np.zeros((4, 8, 8, 3)), path=path)
    >>> os.path.exists(path)
    True
    """
    plt = _pyplot()
    if path is not None and show:
        raise InputDataError("plot_image_gallery: give either `path`, or show=True: the picture is written or shown.")
    if (y_true is not None or y_pred is not None) and label_map is None:
        raise InputDataError("plot_image_gallery: with `y_true` or `y_pred`, `label_map` is needed too.")
    images = in_bytes(channels_last(images, data_format), value_range)
    rows, cols = _grid(len(images), rows, cols)
    figure, axes = plt.subplots(rows, cols, figsize=(cols * scale, rows * scale), squeeze=False, frameon=False)
    figure.subplots_adjust(wspace=0, hspace=0)
    for number, place in enumerate(axes.ravel()):
        place.axis("off")
        if number >= len(images):
            continue
        image = images[number]
        place.imshow(image[..., 0] if image.shape[-1] == 1 else image, cmap="gray" if image.shape[-1] == 1 else None)
        told = (("Label", y_true), ("Pred", y_pred))
        title = "  ".join(f"{what}: {label_map[int(np.asarray(y)[number])]}" for what, y in told if y is not None)
        if title:
            place.set_title(title)
    if legend_handles is not None:
        figure.legend(handles=legend_handles, loc="lower center")
    if path is not None:
        figure.savefig(path, pad_inches=0, bbox_inches="tight", transparent=transparent, dpi=dpi)
        plt.close(figure)
    elif show or show is None:
        plt.show()
        plt.close(figure)


def _grid(count, rows, cols):
    """The numbers of rows and columns, those that are not given so that all images have a place."""
    if rows is None and cols is None:
        cols = max(math.isqrt(count), 1)
    if rows is None:
        rows = math.ceil(count / cols)
    return rows, cols or math.ceil(count / rows)


def plot_bounding_box_gallery(
    images: Any,
    bounding_box_format: str,
    y_true: Mapping | None = None,
    y_pred: Mapping | None = None,
    value_range: Sequence[float] = (0, 255),
    true_color: Sequence[int] = (0, 188, 212),
    pred_color: Sequence[int] = (255, 235, 59),
    line_thickness: int = 2,
    font_scale: float = 1.0,
    text_thickness: int | None = None,
    class_mapping: Mapping | None = None,
    ground_truth_mapping: Mapping | None = None,
    prediction_mapping: Mapping | None = None,
    legend: bool = False,
    legend_handles: Any = None,
    rows: int | None = None,
    cols: int | None = None,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Shows a batch of images with their bounding boxes, and those that were predicted.

    Args:
        images: The images ``(batch, height, width, channels)``.
        bounding_box_format: How boxes are given; see `utils.bounding_boxes.convert_format`.
        y_true: The boxes, as `draw_bounding_boxes` takes them.
        y_pred: The boxes that were predicted.
        value_range: The least and the greatest value that the images may have.
        true_color: The colour of the boxes.
        pred_color: The colour of those that were predicted.
        line_thickness: The thickness of the lines.
        font_scale: The size of the text.
        text_thickness: The thickness of the strokes of letters, by default that of the lines.
        class_mapping: The names of the labels.
        ground_truth_mapping: Those for `y_true`, if they are others.
        prediction_mapping: Those for `y_pred`, if they are others.
        legend: Whether a legend tells the colours.
        legend_handles: Patches of matplotlib for another legend.
        rows: The number of rows.
        cols: The number of columns.
        data_format: Where the channels of the images are, by default the global setting.
        **kwargs: Further arguments of `plot_image_gallery`.

    Raises:
        ValueError: If the images are no batch, or with both `legend` and `legend_handles`.
        ImportError: If matplotlib is not installed.

    >>> boxes = {"boxes": [[[1, 1, 6, 6]]], "labels": [[0]]}
    >>> plot_bounding_box_gallery(np.zeros((1, 8, 8, 3)), "xyxy", y_true=boxes, show=False)
    """
    if legend and legend_handles is not None:
        raise InputDataError("plot_bounding_box_gallery: give either `legend` or `legend_handles`.")
    _pyplot()
    images = in_bytes(channels_last(images, data_format), value_range)
    style = {
        "line_thickness": line_thickness,
        "text_thickness": text_thickness or line_thickness,
        "font_scale": font_scale,
        "data_format": "channels_last",
    }
    kinds = (
        ("Ground Truth", y_true, true_color, ground_truth_mapping),
        ("Predictions", y_pred, pred_color, prediction_mapping),
    )
    given = [kind for kind in kinds if kind[1] is not None]
    for _, boxes, color, mapping in given:
        names = class_mapping if mapping is None else mapping
        images = draw_bounding_boxes(images, boxes, bounding_box_format, names, color, **style)
    if legend:
        from matplotlib import patches

        legend_handles = [patches.Patch(color=np.asarray(color) / 255, label=what) for what, _, color, _ in given]
    plot_image_gallery(
        images, rows=rows, cols=cols, legend_handles=legend_handles, data_format="channels_last", **kwargs
    )


def plot_segmentation_mask_gallery(
    images: Any,
    num_classes: int,
    value_range: Sequence[float] = (0, 255),
    y_true: Any = None,
    y_pred: Any = None,
    color_mapping: Mapping | None = None,
    blend: bool = True,
    alpha: float = 0.8,
    ignore_index: int = -1,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Shows each image in a row with its mask, and with the one that was predicted.

    Args:
        images: The images ``(batch, height, width, channels)``.
        num_classes: The number of classes.
        value_range: The least and the greatest value that the images may have.
        y_true: The masks, as `draw_segmentation_masks` takes them.
        y_pred: The masks that were predicted.
        color_mapping: The colours of the classes.
        blend: Whether to mix colours and images.
        alpha: How much of a pixel is the colour, from 0 to 1.
        ignore_index: The class that is not painted.
        data_format: Where the channels of the images are, by default the global setting.
        **kwargs: Further arguments of `plot_image_gallery`.

    Raises:
        ValueError: If the images are no batch.
        ImportError: If matplotlib is not installed.

    >>> plot_segmentation_mask_gallery(np.zeros((1, 2, 2, 3)), 2, y_true=[[[0, 1], [1, 0]]], show=False)
    """
    images = in_bytes(channels_last(images, data_format), value_range)
    columns = [images]
    for masks in (y_true, y_pred):
        if masks is None:
            continue
        masks = np.asarray(masks)
        masks = channels_last(masks, data_format)[..., 0] if masks.ndim == 4 else masks
        drawn = draw_segmentation_masks(
            images, masks, num_classes, color_mapping, alpha, blend, ignore_index, "channels_last"
        )
        columns.append(drawn.astype("uint8"))
    in_rows = np.stack(columns, 1).reshape(-1, *images.shape[1:])
    plot_image_gallery(in_rows, rows=len(images), cols=len(columns), data_format="channels_last", **kwargs)
