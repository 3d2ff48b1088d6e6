"""ResNet V2: identity mappings (He et al., 2016, arXiv:1603.05027). The networks stand in `resnet`."""

from ..utils.imagenet import decode_predictions
from .inception_v3 import preprocess_input
from .resnet import ResNet50V2, ResNet101V2, ResNet152V2

__all__ = ["ResNet50V2", "ResNet101V2", "ResNet152V2", "decode_predictions", "preprocess_input"]
