"""NASNet: stacked cells whose structure was found by a search (Zoph et al., 2018, arXiv:1707.07012)."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ..layers import (
    Add,
    AveragePooling2D,
    Concatenate,
    Conv2D,
    Cropping2D,
    MaxPooling2D,
    SeparableConv2D,
    ZeroPadding2D,
)
from ..models import Model
from ..utils.imagenet import decode_predictions
from .common import Files, build, channel_axis, classifier, described, normalized, relu, shared, spatial_shape
from .inception_v3 import preprocess_input

_URL = "https://storage.googleapis.com/tensorflow/keras-applications/nasnet/NASNet"
_normalized = partial(normalized, momentum=0.9997, epsilon=1e-3)


def _conv(x, filters, name):
    return Conv2D(filters, 1, padding="same", use_bias=False, name=name)(x)


def _padding(x, size):
    """Zeros around `x` for a kernel of this size with strides of 2, as TensorFlow's networks place them."""
    return tuple((size // 2 - (0 if side is None else 1 - side % 2), size // 2) for side in spatial_shape(x))


def _separable(x, filters, size, strides, name):
    """ReLU, separable convolution and normalization, twice. Only the first convolution has strides."""
    for i in (1, 2):
        x, padding = relu(x), "same"
        if strides == 2 and i == 1:
            x, padding = ZeroPadding2D(_padding(x, size), name=f"separable_conv_1_pad_{name}")(x), "valid"
        x = SeparableConv2D(
            filters,
            size,
            strides=strides if i == 1 else 1,
            padding=padding,
            use_bias=False,
            name=f"separable_conv_{i}_{name}",
        )(x)
        x = _normalized(x, f"separable_conv_{i}_bn_{name}")
    return x


def _adjusted(p, x, filters, name):
    """The output `p` of the cell before the last, adjusted to the size of `x` and to `filters` channels."""
    if p is None:
        return x
    if spatial_shape(p) != spatial_shape(x):
        p = relu(p, f"adjust_relu_1_{name}")
        shifted = Cropping2D(((1, 0), (1, 0)))(ZeroPadding2D(((0, 1), (0, 1)))(p))
        halves = [
            _conv(AveragePooling2D(1, strides=2, name=f"adjust_avg_pool_{i}_{name}")(half), filters // 2, conv_name)
            for i, half, conv_name in ((1, p, f"adjust_conv_1_{name}"), (2, shifted, f"adjust_conv_2_{name}"))
        ]
        return _normalized(Concatenate(axis=channel_axis())(halves), f"adjust_bn_{name}")
    if p.shape[channel_axis()] != filters:
        return _normalized(_conv(relu(p), filters, f"adjust_conv_projection_{name}"), f"adjust_bn_{name}")
    return p


def _average(x, name):
    return AveragePooling2D(3, strides=1, padding="same", name=name)(x)


def _normal_cell(x, p, filters, name):
    """A cell that keeps the size. Returns the outputs of this cell and of the previous one."""
    before = x
    p = _adjusted(p, x, filters, name)
    h = _normalized(_conv(relu(x), filters, f"normal_conv_1_{name}"), f"normal_bn_1_{name}")

    def separable(x, size, part):
        return _separable(x, filters, size, 1, f"normal_{part}_{name}")

    pairs = [
        lambda: [separable(h, 5, "left1"), separable(p, 3, "right1")],
        lambda: [separable(p, 5, "left2"), separable(p, 3, "right2")],
        lambda: [_average(h, f"normal_left3_{name}"), p],
        lambda: [_average(p, f"normal_left4_{name}"), _average(p, f"normal_right4_{name}")],
        lambda: [separable(h, 3, "left5"), h],
    ]
    sums = [Add(name=f"normal_add_{i}_{name}")(pair()) for i, pair in enumerate(pairs, 1)]
    return Concatenate(axis=channel_axis(), name=f"normal_concat_{name}")([p, *sums]), before


def _reduction_cell(x, p, filters, name):
    """A cell that halves the size. Returns the outputs of this cell and of the previous one."""
    before = x
    p = _adjusted(p, x, filters, name)
    h = _normalized(_conv(relu(x), filters, f"reduction_conv_1_{name}"), f"reduction_bn_1_{name}")
    padded = ZeroPadding2D(_padding(h, 3), name=f"reduction_pad_1_{name}")(h)

    def separable(x, size, part, strides=2):
        return _separable(x, filters, size, strides, f"reduction_{part}_{name}")

    def pooled(layer, part):
        return layer(3, strides=2, name=f"reduction_{part}_{name}")(padded)

    x1 = Add(name=f"reduction_add_1_{name}")([separable(h, 5, "left1"), separable(p, 7, "right1")])
    x2 = Add(name=f"reduction_add_2_{name}")([pooled(MaxPooling2D, "left2"), separable(p, 7, "right2")])
    x3 = Add(name=f"reduction_add3_{name}")([pooled(AveragePooling2D, "left3"), separable(p, 5, "right3")])
    x4 = Add()([x2, _average(x1, f"reduction_left4_{name}")])
    x5 = Add(name=f"reduction_add4_{name}")([separable(x1, 3, "left4", 1), pooled(MaxPooling2D, "right5")])
    return Concatenate(axis=channel_axis(), name=f"reduction_concat_{name}")([x2, x3, x4, x5]), before


def _body(x, penultimate_filters, num_blocks, stem_block_filters, skip_reduction, filter_multiplier):
    filters = penultimate_filters // 24
    x = Conv2D(stem_block_filters, 3, strides=2, use_bias=False, name="stem_conv1")(x)
    x, p = _normalized(x, "stem_bn1"), None
    x, p = _reduction_cell(x, p, filters // filter_multiplier**2, "stem_1")
    x, p = _reduction_cell(x, p, filters // filter_multiplier, "stem_2")
    for stage in range(3):
        width, first = filters * filter_multiplier**stage, stage * num_blocks
        if stage:
            x, before = _reduction_cell(x, p, width, f"reduce_{first}")
            p = p if skip_reduction else before
        for i in range(num_blocks):
            x, p = _normal_cell(x, p, width, f"{first + i + (stage > 0)}")
    return relu(x)


def NASNet(  # noqa: N802
    input_shape: Sequence[int | None] | None = None,
    penultimate_filters: int = 4032,
    num_blocks: int = 6,
    stem_block_filters: int = 96,
    skip_reduction: bool = True,
    filter_multiplier: int = 2,
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    default_size: int | None = None,
    classifier_activation: str | Callable | None = "softmax",
    name: str | None = "NASNet",
    files: Files | None = None,
) -> Model:
    """A NASNet-A of any size, made of the cells that were found for ImageNet.

    Args:
        input_shape: Shape of an image without the batch axis.
        penultimate_filters: Number of channels of the features, a multiple of ``24 * filter_multiplier**2``.
        num_blocks: Number of cells at each of the three sizes.
        stem_block_filters: Number of filters of the first convolution.
        skip_reduction: Whether the cell behind a reduction takes the output of the second last cell before the
            reduction instead of the last one.
        filter_multiplier: Factor of the number of filters after each reduction.
        include_top: Whether the network includes its classifier.
        weights: 'imagenet', ``None`` for random weights, or the path of a weights file.
        input_tensor: Symbol to use as the images.
        pooling: Pooling of the features if there is no classifier: 'avg', 'max' or ``None``.
        classes: Number of classes; 1000 with the weights for ImageNet.
        default_size: Default height and width of the images.
        classifier_activation: Activation of the classifier; ``None`` for logits.
        name: Name of the model.
        files: Dictionary from `include_top` to (URL, MD5) of the weights for ImageNet.

    Returns:
        A `Model`.

    Raises:
        ValueError: If `penultimate_filters` is not such a multiple.
        InputDataError: If the arguments contradict each other.
    """
    given = shared(locals())
    if penultimate_filters % (24 * filter_multiplier**2):
        raise ValueError(
            f"NASNet: penultimate_filters must be a multiple of {24 * filter_multiplier**2} (24 * filter_multiplier**2)"
            f". Received: {penultimate_filters}"
        )
    return build(
        partial(
            _body,
            penultimate_filters=penultimate_filters,
            num_blocks=num_blocks,
            stem_block_filters=stem_block_filters,
            skip_reduction=skip_reduction,
            filter_multiplier=filter_multiplier,
        ),
        name,
        **given,
        size=default_size or 331,
        min_size=32,
        top=partial(classifier, pool_name=None),
        files=files,
    )


def _nasnet(function_name, name, doc, size, hashes, **cells):
    part = name.removeprefix("nasnet_")

    def make(
        input_shape=None,
        include_top=True,
        weights="imagenet",
        input_tensor=None,
        pooling=None,
        classes=1000,
        classifier_activation="softmax",
        name=name,
    ):
        return NASNet(
            **shared(locals()),
            **cells,
            default_size=size,
            name=name,
            files={
                True: (f"{_URL}-{part}.h5", hashes[0]),
                False: (f"{_URL}-{part}-no-top.h5", hashes[1]),
            },
        )

    make.__name__ = make.__qualname__ = function_name
    make.__doc__ = described(doc, size=size, min_size=32)
    return make


NASNetMobile = _nasnet(
    "NASNetMobile",
    "nasnet_mobile",
    "NASNet-A (4 @ 1056) with 5,326,716 weights (with the top) for images of 224x224.",
    224,
    ("020fb642bf7360b370c678b08e0adf61", "1ed92395b5b598bdda52abe5c0dbfd63"),
    penultimate_filters=1056,
    num_blocks=4,
    stem_block_filters=32,
    skip_reduction=False,
)
NASNetLarge = _nasnet(
    "NASNetLarge",
    "nasnet_large",
    "NASNet-A (6 @ 4032) with 88,949,818 weights (with the top) for images of 331x331.",
    331,
    ("11577c9a518f0070763c2b964a382f17", "d81d89dc07e6e56530c4e77faddd61b5"),
    penultimate_filters=4032,
    num_blocks=6,
    stem_block_filters=96,
    skip_reduction=True,
)

__all__ = ["NASNet", "NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]
