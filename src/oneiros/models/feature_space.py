"""Tables of features, turned into vectors for a model."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..core import has_symbol, kind
from ..core.checks import one_of, positive_int
from ..core.errors import InputDataError
from ..core.fields import field, optional
from ..core.names import unique_name
from ..core.registry import serialize_value
from ..core.symbol import STRING
from ..layers import (
    CategoryEncoding,
    Concatenate,
    Discretization,
    HashedCrossing,
    Hashing,
    Identity,
    Input,
    IntegerLookup,
    Layer,
    Normalization,
    Rescaling,
    StringLookup,
)
from ..saving import Savable
from ..utils.data import PyDataset

_MODES = ("int", "one_hot", "float")
_KERAS_MODULE = "keras.src.layers.preprocessing.feature_space"  # where files of Keras 3 say that the classes are


class TFDIdentity(Identity):
    """Returns its inputs unchanged. Files of Keras 3 call it so where a feature is taken as it is.

    >>> TFDIdentity()(np.array([[1.0, 2.0]])).tolist()
    [[1.0, 2.0]]
    """


class Feature:
    """How one feature is prepared. The functions of `FeatureSpace`, such as `FeatureSpace.float`, make it.

    Args:
        dtype: The type of the data: a number type, or ``"string"``.
        preprocessor: The layer that is applied to them.
        output_mode: ``"float"`` if the layer's outputs are taken as they are, ``"one_hot"`` if they are integers that
            become vectors, ``"int"`` if they stay integers.

    >>> Feature("float32", Rescaling(2.0), "float").dtype
    'float32'
    """

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str):
        self.dtype, self.preprocessor = dtype, preprocessor
        self.output_mode = one_of("output_mode", output_mode, _MODES)

    def get_config(self) -> dict:
        """The arguments as JSON can hold them."""
        preprocessor = serialize_value(self.preprocessor)
        if isinstance(self.preprocessor, TFDIdentity):
            preprocessor |= {"module": _KERAS_MODULE, "registered_name": "TFDIdentity"}
        return {"dtype": self.dtype, "preprocessor": preprocessor, "output_mode": self.output_mode}

    @classmethod
    def from_config(cls, config: dict) -> "Feature":
        """A new object from what `get_config` returned."""
        preprocessor = config["preprocessor"]
        return cls(config["dtype"], _learnt(kind("layer").deserialize(preprocessor)), config["output_mode"])


def _learnt(preprocessor):
    """A layer from a file, whose vocabulary counts as learnt: `adapt` may replace it."""
    if getattr(preprocessor, "vocabulary", None) is not None:
        preprocessor.vocabulary = None
    return preprocessor


class Cross:
    """A feature that is a combination of others. `FeatureSpace.cross` makes it.

    Args:
        feature_names: The names of the features.
        crossing_dim: The number of buckets that their combinations are put into.
        output_mode: ``"one_hot"`` for vectors, ``"int"`` for the numbers of the buckets.

    >>> Cross(("age", "town"), 8).name
    'age_X_town'
    """

    def __init__(self, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot"):
        self.feature_names = tuple(feature_names)
        self.crossing_dim = positive_int("crossing_dim", crossing_dim)
        self.output_mode = one_of("output_mode", output_mode, ("int", "one_hot"))

    @property
    def name(self) -> str:
        """The names of the features, with ``_X_`` between them."""
        return "_X_".join(self.feature_names)

    def get_config(self) -> dict:
        """The arguments as JSON can hold them."""
        return {
            "feature_names": list(self.feature_names),
            "crossing_dim": self.crossing_dim,
            "output_mode": self.output_mode,
        }

    @classmethod
    def from_config(cls, config: dict) -> "Cross":
        """A new object from what `get_config` returned."""
        return cls(**config)


def _feature(dtype, preprocessor, output_mode, name, default_name):
    """A feature whose layer is made by a class and arguments, and is called after the feature."""
    cls, arguments = preprocessor
    name = name or unique_name(default_name)
    return Feature(dtype, cls(**arguments, name=f"{name}_preprocessor"), output_mode)


class FeatureConstructors:
    """The functions that say what a feature of a `FeatureSpace` is.

    >>> FeatureConstructors.integer_hashed(num_bins=10).output_mode
    'one_hot'
    """

    @classmethod
    def cross(cls, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot") -> Cross:
        """A combination of features, hashed.

        Args:
            feature_names: The names of two or more features with integers or strings.
            crossing_dim: The number of buckets.
            output_mode: ``"one_hot"`` for vectors, ``"int"`` for the numbers of the buckets.
        """
        return Cross(feature_names, crossing_dim, output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Any, output_mode: str) -> Feature:
        """A feature with a layer of your own.

        Args:
            dtype: The type of the data: a number type, or ``"string"``.
            preprocessor: The layer. It is adapted with the others if it has a method `adapt`.
            output_mode: ``"float"``, ``"one_hot"`` (of the integers that a layer for categories gives) or ``"int"``.
        """
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """A number that is taken as it is. `name`: what the layer is called after."""
        return _feature("float32", (TFDIdentity, {}), "float", name, "float")

    @classmethod
    def float_rescaled(cls, scale: Any = 1.0, offset: Any = 0.0, name: str | None = None) -> Feature:
        """A number that is multiplied and moved.

        Args:
            scale: The factor.
            offset: What is added.
            name: What the layer is called after.
        """
        return _feature("float32", (Rescaling, {"scale": scale, "offset": offset}), "float", name, "float_rescaled")

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """A number that gets mean 0 and variance 1. `name`: what the layer is called after."""
        return _feature("float32", (Normalization, {"axis": -1}), "float", name, "float_normalized")

    @classmethod
    def float_discretized(
        cls, num_bins: int | None, bin_boundaries: Any = None, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """A number that is put into a bin.

        Args:
            num_bins: The number of bins, whose boundaries `adapt` chooses.
            bin_boundaries: The boundaries, in place of `num_bins`.
            output_mode: ``"one_hot"`` for vectors, ``"int"`` for the numbers of the bins.
            name: What the layer is called after.
        """
        made = (Discretization, {"num_bins": num_bins, "bin_boundaries": bin_boundaries})
        return _feature("float32", made, output_mode, name, "float_discretized")

    @classmethod
    def integer_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """An integer that stands for a category, which is looked up.

        Args:
            max_tokens: Most categories, those for others included.
            num_oov_indices: The number of categories for all others.
            output_mode: ``"one_hot"`` for vectors, ``"int"`` for the numbers of the categories.
            name: What the layer is called after.
        """
        made = (IntegerLookup, {"max_tokens": max_tokens, "num_oov_indices": num_oov_indices})
        return _feature("int32", made, output_mode, name, "integer_categorical")

    @classmethod
    def string_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """A string that stands for a category, which is looked up. The arguments are those of `integer_categorical`."""
        made = (StringLookup, {"max_tokens": max_tokens, "num_oov_indices": num_oov_indices})
        return _feature(STRING, made, output_mode, name, "string_categorical")

    @classmethod
    def string_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """A string that is put into a bucket by its hash.

        Args:
            num_bins: The number of buckets.
            output_mode: ``"one_hot"`` for vectors, ``"int"`` for the numbers of the buckets.
            name: What the layer is called after.
        """
        return _feature(STRING, (Hashing, {"num_bins": num_bins}), output_mode, name, "string_hashed")

    @classmethod
    def integer_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """An integer that is put into a bucket by its hash. The arguments are those of `string_hashed`."""
        return _feature("int32", (Hashing, {"num_bins": num_bins}), output_mode, name, "integer_hashed")


def _features(name, value):
    if not isinstance(value, dict) or not value:
        raise InputDataError(
            f"{name}: expected a dictionary of features; it cannot be None or empty. Received: {value!r}"
        )
    return value


class FeatureSpace(FeatureConstructors, Savable, Layer):
    """Turns tables of features into vectors: each column is prepared in its own way, and the results are joined.

    A feature is told by a string (``"float"``, ``"float_rescaled"``, ``"float_normalized"``, ``"float_discretized"``,
    ``"integer_categorical"``, ``"string_categorical"``, ``"integer_hashed"``, ``"string_hashed"``), or made by the
    function of that name, which takes more arguments. `adapt` learns what must be known of the data.

    The space is applied to data, ``space({"age": [31, 57], "town": ["A", "B"]})``, or the model begins with it:
    ``Model(space.get_inputs(), layer(space.get_encoded_features()))``.

    Shapes: a dictionary of columns ``(batch,)`` or ``(batch, 1)``, or of single values. The outputs are
    ``(batch, entries)``, or a dictionary of such arrays with ``output_mode="dict"``; without the axis of the batch for
    single values.

    >>> space = FeatureSpace({"age": "float_rescaled", "town": "string_categorical"}, output_mode="concat")
    >>> space.adapt({"age": [31.0, 57.0, 40.0], "town": ["A", "B", "A"]})
    >>> space({"age": [20.0], "town": ["B"]}).tolist()
    [[20.0, 0.0, 0.0, 1.0]]
    """

    takes_strings = True
    untracked_attributes = Layer.untracked_attributes | {"inputs", "encoded_features"}

    features: Any = field(_features, doc="A dictionary from the names of the features to what they are.")
    output_mode: str = field(
        partial(one_of, allowed=("concat", "dict")),
        default="concat",
        doc='`"concat"` for one vector of all features, `"dict"` for a dictionary of them.',
    )
    crosses: Any = field(default=None, doc="Combinations of features: tuples of names, or what `cross` makes.")
    crossing_dim: int = field(optional(positive_int), default=32, doc="Number of buckets of the combinations.")
    hashing_dim: int = field(optional(positive_int), default=32, doc='Number of buckets of `"..._hashed"` features.')
    num_discretization_bins: int = field(
        optional(positive_int), default=32, doc='Number of bins of `"float_discretized"` features.'
    )

    def __post_init__(self):
        super().__post_init__()
        self.features = {name: self._as_feature(name, feature) for name, feature in self.features.items()}
        self.crosses = [self._as_cross(cross) for cross in self.crosses or ()]
        self.crosses_by_name = {cross.name: cross for cross in self.crosses}
        self.preprocessors = {name: feature.preprocessor for name, feature in self.features.items()}
        self.crossers = {
            name: HashedCrossing(cross.crossing_dim, name=name) for name, cross in self.crosses_by_name.items()
        }
        self.one_hot_encoders = {}
        self.inputs = {name: Input((1,), dtype=feature.dtype, name=name) for name, feature in self.features.items()}
        self.encoded_features, self._adapted = None, False

    def _as_feature(self, name, feature):
        if isinstance(feature, Feature):
            return feature
        if isinstance(feature, dict):
            return Feature.from_config(feature["config"])
        arguments = {
            "float_discretized": (self.num_discretization_bins,),
            "integer_hashed": (self.hashing_dim,),
            "string_hashed": (self.hashing_dim,),
        }
        known = ("float", "float_rescaled", "float_normalized", "integer_categorical", "string_categorical", *arguments)
        if feature not in known:
            raise InputDataError(
                f"FeatureSpace: invalid type of feature {name!r}. Expected one of {', '.join(known)}, or what a "
                f"function such as FeatureSpace.float() returns. Received: {feature!r}"
            )
        return getattr(self, feature)(*arguments.get(feature, ()), name=name)

    def _as_cross(self, cross):
        if isinstance(cross, dict):
            cross = Cross.from_config(cross["config"])
        elif not isinstance(cross, Cross):
            if self.crossing_dim is None:
                raise InputDataError(
                    "FeatureSpace: with `crosses`, the argument `crossing_dim` (number of buckets) is needed too."
                )
            cross = Cross(cross, self.crossing_dim)
        unknown = [name for name in cross.feature_names if name not in self.features]
        if unknown:
            raise InputDataError(
                f"FeatureSpace: the features of a cross should be present in `features`. Received: {unknown[0]!r} in "
                f"{cross.feature_names}, while the features are {list(self.features)}"
            )
        return cross

    # --- learning

    def adapt(self, dataset: Any) -> None:
        """Learns what the features need to know of data: vocabularies, boundaries, means and variances.

        Args:
            dataset: A dictionary of columns; or a `PyDataset`, a data set or another iterable of such dictionaries, of
                batches or of single rows. Targets beside the dictionaries are left out.

        Raises:
            InputDataError: If there are no dictionaries.
        """
        learning = {name: layer for name, layer in self.preprocessors.items() if _learns(layer)}
        columns = {name: [] for name in learning}
        for table in _tables(dataset):
            for name in learning:
                columns[name].append(np.atleast_2d(np.asarray(self._column(table, name))))
        for name, layer in learning.items():
            if hasattr(layer, "reset_state"):
                layer.reset_state()
            layer.adapt(np.concatenate(columns[name]))
        self._adapted, self.built = True, True
        self.encoded_features, self.one_hot_encoders = None, {}

    def _check_adapted(self):
        missing = [
            name
            for name, layer in self.preprocessors.items()
            if hasattr(layer, "adapt") and not getattr(layer, "is_adapted", self._adapted)
        ]
        if missing:
            raise ValueError(
                "You need to call `.adapt(dataset)` on the FeatureSpace before you can start using it. "
                f"Layer {self.name} knows nothing yet of the features {missing}."
            )

    # --- what models are built of

    def get_inputs(self) -> dict:
        """The inputs of a model that begins with this space: a dictionary of symbols."""
        return self.inputs

    def get_encoded_features(self) -> Any:
        """The outputs for `get_inputs`: a symbol, or a dictionary of symbols with ``output_mode="dict"``.

        Raises:
            ValueError: If `adapt` was not called.
        """
        self._check_adapted()
        if self.encoded_features is None:
            self.encoded_features = self._encoded(self.inputs)
        return self.encoded_features

    # --- the computation

    def __call__(self, data: Any) -> Any:
        """The encoded features of a dictionary of columns, of single values, or of symbols."""
        self._check_adapted()
        if not isinstance(data, dict):
            raise InputDataError(
                f"Layer {self.name} (FeatureSpace) can only be called with a dictionary. Received: {data!r}"
            )
        return super().__call__(data) if has_symbol(data) else self.call(data)

    def build(self, input_shape: Any = None) -> None:
        """The layers inside are built when data reach them."""

    def call(self, data: dict) -> Any:
        columns = {name: self._column(data, name) for name in self.features}
        single = all(column.ndim == 0 for column in columns.values())
        columns = {name: column.reshape(1, 1) if column.ndim == 0 else column for name, column in columns.items()}
        encoded = self._encoded(columns)
        return jax.tree.map(lambda x: x[0], encoded) if single else encoded

    def _column(self, data, name):
        """The values of one feature as an array of its type; an axis is added to a flat column."""
        if name not in data:
            raise InputDataError(f"Layer {self.name} (FeatureSpace): the feature {name!r} is missing in the data.")
        dtype, value = self.features[name].dtype, data[name]
        if not isinstance(value, jax.Array):
            value = np.asarray(value)
        if dtype != STRING:
            value = jnp.asarray(value.astype(dtype)) if isinstance(value, jax.Array) else value.astype(dtype)
        return value[:, None] if value.ndim == 1 else value

    def _encoded(self, columns):
        """From arrays or symbols with an axis of the batch."""
        prepared = {name: layer(columns[name]) for name, layer in self.preprocessors.items()}
        for name, cross in self.crosses_by_name.items():
            prepared[name] = self.crossers[name]([prepared[part] for part in cross.feature_names])
        described = self.features | self.crosses_by_name
        encoded = {
            name: self._one_hot(name)(x) if described[name].output_mode == "one_hot" else x
            for name, x in prepared.items()
        }
        if self.output_mode == "dict":
            return encoded
        for name, x in encoded.items():
            if not str(x.dtype).startswith(("float", "bfloat")):
                raise InputDataError(
                    f"Layer {self.name} (FeatureSpace): cannot concatenate features, as feature {name!r} has not been "
                    f"encoded (it has dtype {x.dtype}). Consider using `output_mode='dict'`."
                )
        parts = list(encoded.values())
        return parts[0] if len(parts) == 1 else Concatenate(axis=-1)(parts)

    def _one_hot(self, name):
        """The layer that makes vectors of the categories of a feature."""
        if name not in self.one_hot_encoders:
            size = _cardinality(self.crossers.get(name, self.preprocessors.get(name)))
            if size is None:
                raise InputDataError(
                    f"Layer {self.name} (FeatureSpace): feature {name!r} has output_mode='one_hot', but how many "
                    "different integers its preprocessor gives is not known. Use output_mode='int'."
                )
            self.one_hot_encoders[name] = CategoryEncoding(size, output_mode="multi_hot")
        return self.one_hot_encoders[name]

    # --- files

    def get_config(self) -> dict:
        names = ("output_mode", "crossing_dim", "hashing_dim", "num_discretization_bins")
        return {
            "name": self.name,
            "features": {name: _described(feature) for name, feature in self.features.items()},
            "crosses": [_described(cross) for cross in self.crosses],
        } | {name: getattr(self, name) for name in names}

    def get_build_config(self) -> dict:
        """What the layers inside were built for, by the names of the features."""
        return {name: _build_config(layer) for name, layer in self.preprocessors.items()}

    def build_from_config(self, config: dict) -> None:
        """Builds the layers inside as `get_build_config` says."""
        for name, inner in config.items():
            layer = self.preprocessors.get(name)
            if inner and layer is not None and not layer.built:
                layer.build_from_config(inner)
                layer.built = True
        self.built = True

    def save(self, filepath: Any, **kwargs) -> None:
        """Writes the space to a file that ends in ``.keras``. `oneiros.models.load_model` reads it.

        Args:
            filepath: The path.
            **kwargs: Further arguments of `save_model`.
        """
        super().save(filepath, **kwargs)


def _learns(layer):
    """Whether a layer learns from data: those whose knowledge was given to them do not."""
    given = (
        getattr(layer, "vocabulary", None) is not None
        or (isinstance(layer, Normalization) and layer.knows_statistics)
        or (isinstance(layer, Discretization) and layer.num_bins is None)
    )
    return hasattr(layer, "adapt") and not given


def _cardinality(layer):
    """How many integers a layer can give, if that is known."""
    if isinstance(layer, (IntegerLookup, StringLookup)):
        return layer.vocabulary_size()
    if isinstance(layer, (Hashing, HashedCrossing)):
        return layer.num_bins
    if isinstance(layer, Discretization):  # of little data, fewer bins are made than are asked for
        return layer.num_bins or len(layer.bin_boundaries) + 1
    return None


def _described(part):
    """A feature or cross in the form of Keras 3."""
    name = type(part).__name__
    return {"module": _KERAS_MODULE, "class_name": name, "config": part.get_config(), "registered_name": name}


def _build_config(layer):
    return {"input_shape": [None, 1]} if isinstance(layer, Normalization) and layer.built else {}


def _tables(dataset: Any) -> Iterator[dict]:
    """The dictionaries in a data set."""
    if isinstance(dataset, dict):
        dataset = [dataset]
    elif isinstance(dataset, PyDataset):
        dataset = map(dataset.__getitem__, range(len(dataset)))
    elif not isinstance(dataset, Iterable) or isinstance(dataset, (list, tuple, str)) or hasattr(dataset, "__array__"):
        raise InputDataError(
            "FeatureSpace: adapt() takes a dictionary of columns, or a data set of such dictionaries. Received: "
            f"{type(dataset).__name__}"
        )
    count = 0
    for count, table in enumerate(dataset, 1):  # noqa: B007 - looked at below
        table = table[0] if isinstance(table, (tuple, list)) and table else table
        if not isinstance(table, dict):
            raise InputDataError(
                f"FeatureSpace: adapt() needs dictionaries of columns. The data set yields {type(table).__name__}."
            )
        yield table
    if not count:
        raise InputDataError("FeatureSpace: adapt(): the data set is empty.")
