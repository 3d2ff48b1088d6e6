"""Files of models and weights, and names for your own classes in them."""

from ..core.registry import (
    GLOBAL_CUSTOM_NAMES,
    GLOBAL_CUSTOM_OBJECTS,
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from ..core.safety import loading as SafeModeScope  # noqa: N812
from .architecture import model_from_config, model_from_yaml, model_to_yaml
from .conversion import preprocess_weights_for_loading
from .file_editor import KerasFileEditor
from .model_files import Savable, load_model, load_weights, model_from_json, model_to_json, save_model
from .model_files import load_model as load_model_from_hdf5
from .model_files import load_weights as load_weights_only
from .model_files import save_model as save_model_to_hdf5
from .safe_hdf5 import names as load_attributes_from_hdf5_group
from .safe_hdf5 import write_names as save_attributes_to_hdf5_group
from .serialization import deserialize_keras_object, serialize_keras_object
from .weights import (
    load_weights_from_hdf5_group,
    load_weights_from_hdf5_group_by_name,
    save_weights,
    save_weights_to_hdf5_group,
)
from .weights import save_weights as save_weights_only
