"""All layers."""

from ..core import kind as _kind
from .activation import ELU, LeakyReLU, PReLU, ReLU, Softmax, ThresholdedReLU
from .attention import AdditiveAttention, Attention, GroupedQueryAttention, MultiHeadAttention
from .base import Layer
from .cells import AbstractRNNCell, StackedRNNCells
from .convolutional import (
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Conv3DTranspose,
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
)
from .convolutional_recurrent import ConvLSTM1D, ConvLSTM2D, ConvLSTM2DCell, ConvLSTM3D, ConvRNN2D
from .cudnn_recurrent import CuDNNGRU, CuDNNLSTM
from .dense import Dense
from .einsum_dense import EinsumDense
from .elementwise import Activation, ActivityRegularization, Identity, Masking
from .embedding import Embedding, ReversibleEmbedding
from .foreign import FlaxLayer, JaxLayer, TFSMLayer, TorchModuleWrapper
from .image_preprocessing import (
    AugMix,
    AutoContrast,
    CenterCrop,
    ContrastLimitedAdaptiveHistogramEqualization,
    CutMix,
    Equalization,
    MaxNumBoundingBoxes,
    MixUp,
    RandAugment,
    RandomBrightness,
    RandomColorDegeneration,
    RandomColorJitter,
    RandomContrast,
    RandomCrop,
    RandomElasticTransform,
    RandomErasing,
    RandomFlip,
    RandomGaussianBlur,
    RandomGrayscale,
    RandomHeight,
    RandomHue,
    RandomInvert,
    RandomPerspective,
    RandomPosterization,
    RandomRotation,
    RandomSaturation,
    RandomSharpness,
    RandomShear,
    RandomTranslation,
    RandomWidth,
    RandomZoom,
    Resizing,
    Solarization,
)
from .input_layer import Input, InputLayer
from .input_spec import InputSpec
from .lambda_layer import Lambda
from .local import LocallyConnected1D, LocallyConnected2D
from .merge import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from .normalization import (
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
    Rescaling,
    RMSNormalization,
    UnitNormalization,
)
from .pooling import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from .preprocessing import (
    CategoryEncoding,
    Discretization,
    HashedCrossing,
    Hashing,
    IntegerLookup,
    MelSpectrogram,
    Normalization,
    Pipeline,
    STFTSpectrogram,
    StringLookup,
    TextVectorization,
)
from .recurrent import GRU, LSTM, GRUCell, LSTMCell, SimpleRNN, SimpleRNNCell
from .regularization import (
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from .reshaping import (
    Cropping1D,
    Cropping2D,
    Cropping3D,
    Flatten,
    Permute,
    RepeatVector,
    Reshape,
    UpSampling1D,
    UpSampling2D,
    UpSampling3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from .residual import LayerScale, StochasticDepth
from .rnn import RNN
from .spectral_normalization import SpectralNormalization
from .wrappers import Bidirectional, TimeDistributed, Wrapper

# Keras' second names, which configurations may hold too.
_SECOND_NAMES = {
    "Conv": ("Convolution", ("1D", "2D", "3D", "1DTranspose", "2DTranspose", "3DTranspose")),
    "SeparableConv": ("SeparableConvolution", ("1D", "2D")),
    "MaxPooling": ("MaxPool", ("1D", "2D", "3D")),
    "AveragePooling": ("AvgPool", ("1D", "2D", "3D")),
    "GlobalMaxPooling": ("GlobalMaxPool", ("1D", "2D", "3D")),
    "GlobalAveragePooling": ("GlobalAvgPool", ("1D", "2D", "3D")),
}
_aliases = {
    second + rank: globals()[first + rank] for first, (second, ranks) in _SECOND_NAMES.items() for rank in ranks
}
_aliases |= {"Deconv2D": Conv2DTranspose, "Deconvolution2D": Conv2DTranspose}
_aliases |= {"Deconv3D": Conv3DTranspose, "Deconvolution3D": Conv3DTranspose}
_aliases["GroupQueryAttention"] = GroupedQueryAttention
for _name, _layer in _aliases.items():
    globals()[_name] = _kind("layer").add(_layer, _name)


def serialize(layer: Layer) -> dict:
    """The configuration of a layer.

    Args:
        layer: the layer.

    Returns:
        A dictionary: ``{"class_name": ..., "config": ...}``.

    >>> serialize(Dense(2))["class_name"]
    'Dense'
    """
    return _kind("layer").serialize(layer)


def deserialize(config: dict, custom_objects: dict | None = None) -> Layer:
    """Makes a layer from its configuration.

    Args:
        config: what `serialize` returned.
        custom_objects: a dictionary from names to classes and functions of your own.

    Returns:
        A new layer.

    Raises:
        UnsafeModelError: if the class is not known.

    >>> deserialize(serialize(Dense(2))).units
    2
    """
    return _kind("layer").deserialize(config, custom_objects)
