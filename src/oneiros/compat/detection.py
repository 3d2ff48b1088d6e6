"""Which generation of Keras a program was written for, from the names that it uses.

Keras 2 took most of Keras 1's spellings, Keras 1 none of Keras 2's: a program with both is for Keras 2. Programs that
read the accuracy from the logs by its full name are for Keras 2.3.
"""

import ast
import re
from pathlib import Path
from typing import Any

# keyword arguments and names that only one generation had
_KEYWORDS = {
    "1": "nb_epoch nb_filter nb_row nb_col filter_length border_mode subsample subsample_length pool_length "
    "dim_ordering inner_activation inner_init forget_bias_init W_regularizer b_regularizer U_regularizer W_constraint "
    "b_constraint dropout_W dropout_U consume_less samples_per_epoch nb_val_samples val_samples nb_worker "
    "pickle_safe max_q_size nb_words concat_axis dot_axes atrous_rate",
    "2": "steps_per_epoch validation_steps max_queue_size use_multiprocessing num_words data_format kernel_initializer "
    "kernel_size kernel_regularizer bias_regularizer recurrent_activation recurrent_dropout use_bias "
    "dilation_rate schedule_decay",
}
_NAMES = {
    "1": "Merge merge TimeDistributedDense MaxoutDense Highway AtrousConvolution1D AtrousConvolution2D SReLU "
    "ParametricSoftplus image_dim_ordering set_image_dim_ordering activity_l2 activity_l1 l1l2 visualize_util "
    "initializations WeightRegularizer",
    "2": "Concatenate concatenate Conv2DTranspose SeparableConv1D CuDNNLSTM CuDNNGRU image_data_format "
    "set_image_data_format vis_utils plot_model multi_gpu_model StackedRNNCells clone_model",
    "3": "ops SeedGenerator KerasTensor StatelessScope stateless_call set_random_seed distribution "
    "register_keras_serializable LoRA RandomFlip Rescaling TextVectorization MultiHeadAttention LayerNormalization "
    "RandomRotation RandomZoom RandomCrop RandomContrast RandomTranslation RandomBrightness Resizing CenterCrop "
    "Normalization StringLookup IntegerLookup Discretization CategoryEncoding Hashing EinsumDense UnitNormalization "
    "GroupNormalization RMSNormalization SpectralNormalization GroupQueryAttention AdditiveAttention AdamW Lion "
    "Adafactor Lamb Muon PyDataset FeatureSpace BackupAndRestore SwapEMAWeights image_dataset_from_directory "
    "mixed_precision text_dataset_from_directory audio_dataset_from_directory timeseries_dataset_from_directory "
    "dtype_policies split_dataset EfficientNetB0 EfficientNetV2B0 ConvNeXtTiny MobileNetV3Small MobileNetV3Large "
    "BinaryIoU OneHotIoU SparseTopKCategoricalAccuracy BinaryFocalCrossentropy CategoricalFocalCrossentropy "
    "Distiller quantizers",
}
# methods of Keras 3 that programs call or write
_METHODS = ("stateless_call", "stateless_apply", "stateless_update_state", "stateless_result", "enable_lora")
_OWN_METHODS = ("train_step", "test_step", "predict_step", "compute_output_spec", "compute_loss")
_MODULES = {
    "1": "keras.initializations keras.utils.visualize_util keras.objectives",
    "2": "keras.initializers keras.layers.merge keras.utils.vis_utils keras.legacy keras.engine.base_layer "
    "keras.utils.conv_utils keras.engine.training keras.layers.cudnn_recurrent keras.losses",
    "3": "keras.ops keras.random keras.saving keras.src keras.distribution keras.tree keras.dtype_policies",
}
_PACKAGES = ("keras", "tensorflow", "tf_keras", "oneiros")
_TF_PREFIXES = ("tensorflow.keras", "tensorflow.python.keras", "tensorflow.contrib.keras", "tf_keras")
_KEYWORDS, _NAMES, _MODULES = (
    {word: generation for generation, words in table.items() for word in words.split()}
    for table in (_KEYWORDS, _NAMES, _MODULES)
)
# Keyword arguments of these calls say something only there.
_IN_CALLS = {
    ("Dense", "output_dim"): "1", ("LSTM", "output_dim"): "1", ("GRU", "output_dim"): "1", ("merge", "mode"): "1",
    ("Model", "input"): "1", ("Model", "output"): "1", ("Dense", "init"): "1", ("Merge", "mode"): "1",
    ("fit", "epochs"): "2", ("Dense", "units"): "2", ("BatchNormalization", "mode"): "1", ("Dropout", "p"): "1",
}  # fmt: skip
_TWO_SIZES = ("Convolution2D", "Deconvolution2D", "AtrousConvolution2D", "SeparableConvolution2D", "LocallyConnected2D")


_LOGS = re.compile("hist|log", re.IGNORECASE)  # what dictionaries of logs are called


class _Evidence(ast.NodeVisitor):
    def __init__(self):
        self.found = {}  # generation -> what spoke for it
        self.imports = []
        self.tensorflow = set()  # names bound to the package tensorflow
        self.keras = set()  # names bound to modules and classes of Keras

    def say(self, generation, what):
        self.found.setdefault(generation, []).append(what)

    def visit_Import(self, node):
        for alias in node.names:
            self.module(alias.name)
            if alias.name == "tensorflow":
                self.tensorflow.add(alias.asname or alias.name)
            elif alias.name.split(".")[0] in _PACKAGES:
                self.keras.add(alias.asname or alias.name.split(".")[0])

    def visit_ImportFrom(self, node):
        name = "." * node.level + (node.module or "")
        self.module(name)
        if name.split(".")[0] in _PACKAGES:
            for alias in node.names:
                self.keras.add(alias.asname or alias.name)
                if alias.name not in _NAMES:
                    self.module(f"{name}.{alias.name}")
                self.name(alias.name)
        else:
            self.imports.extend(f"{name}{'' if name.endswith('.') else '.'}{alias.name}" for alias in node.names)

    def module(self, name):
        self.imports.append(name)
        if name.startswith(_TF_PREFIXES):
            self.say("tf", name)
        elif name in _MODULES:
            self.say(_MODULES[name], name)
        if name.split(".")[0] in ("jax", "flax"):
            self.say("jax", f"import {name}")  # no program for Keras 1 or 2 knows them
        if name == "keras" or name.startswith("keras."):
            self.say("keras", name)
        if name.split(".")[0] == "oneiros":
            self.say("oneiros", name)

    def name(self, name):
        if name in _NAMES:
            self.say(_NAMES[name], name)

    def visit_Attribute(self, node):
        root = node.value
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(root, ast.Name) and root.id in self.tensorflow and ".keras" in ast.unparse(node):
            self.say("tf", "tf.keras")
        elif isinstance(root, ast.Name) and root.id in self.keras:
            self.name(node.attr)
        if node.attr in _METHODS:
            self.say("3", f".{node.attr}")
        self.generic_visit(node)

    def visit_FunctionDef(self, node):
        if node.name in _OWN_METHODS and node.args.args and node.args.args[0].arg == "self":
            self.say("3", f"def {node.name}")
        self.generic_visit(node)

    def visit_Subscript(self, node):
        self.log(node.value, node.slice, node)
        self.generic_visit(node)

    def visit_Constant(self, node):
        if isinstance(node.value, str) and "{val_acc" in node.value:  # in the name of a file, for ModelCheckpoint
            self.say("accuracy" if "{val_accuracy" in node.value else "acc", repr(node.value))
        elif isinstance(node.value, str) and node.value.endswith((".keras", ".weights.h5")):  # its formats of files
            self.say("3", repr(node.value))
        elif node.value in ("KERAS_BACKEND", "jax", "torch"):
            self.say("engine" if node.value in ("jax", "torch") else "backend", f"KERAS_BACKEND={node.value}")

    def log(self, logs, key, node):
        key = getattr(key, "value", None)
        if key in ("acc", "val_acc", "accuracy", "val_accuracy") and _LOGS.search(ast.unparse(logs)):
            self.say("accuracy" if "accuracy" in key else "acc", ast.unparse(node))

    def visit_Call(self, node):
        function = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if function == "get" and node.args:
            self.log(getattr(node.func, "value", node.func), node.args[0], node)
        for keyword in node.keywords:
            generation = _KEYWORDS.get(keyword.arg) or _IN_CALLS.get((function, keyword.arg))
            if keyword.arg == "padding" and function.startswith(("Conv", "MaxPool", "Average", "Separable")):
                generation = "2"
            if generation:
                self.say(generation, f"{function}({keyword.arg}=)")
        sizes = node.args[1:3]
        if (
            function in _TWO_SIZES
            and len(sizes) == 2
            and all(isinstance(a, ast.Constant) and isinstance(a.value, int) for a in sizes)
        ):
            self.say("1", f"{function}({', '.join(map(ast.unparse, node.args))})")
        self.generic_visit(node)


def detect(paths: Any) -> Any:
    """The generation that the programs in `paths` are for, and what says so: ``("1", "fit(nb_epoch=)")``.

    Modules that lie beside them and are imported are read too.
    """
    evidence, seen, queue = _Evidence(), set(), [Path(p) for p in paths]
    while queue and len(seen) < 200:
        path = queue.pop()
        if path in seen or not path.is_file():
            continue
        seen.add(path)
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError):
            continue
        evidence.imports = []
        evidence.visit(tree)
        queue.extend(p for name in evidence.imports for p in _local(path.parent, name))
    return _judge(evidence.found)


def detect_text(text: str) -> Any:
    """Like `detect`, for a program's text.

    >>> detect_text("from keras.layers import Dense; model.fit(x, y, nb_epoch=3)")
    ('1', 'fit(nb_epoch=)')
    """
    evidence = _Evidence()
    evidence.visit(ast.parse(text))
    return _judge(evidence.found)


def _local(folder, name):
    """The files that may be meant by an import in a file of this folder."""
    while name.startswith(".."):
        folder, name = folder.parent, name[1:]
    parts = [part for part in name.lstrip(".").split(".") if part]
    for depth in range(len(parts), 0, -1):
        base = folder.joinpath(*parts[:depth])
        yield from (base.with_suffix(".py"), base / "__init__.py")


def _judge(found):
    if "keras" in found and ("jax" in found or ("backend" in found and "engine" in found)):
        found.setdefault("3", []).extend(found.get("jax", []) or found["engine"])
    if "1" in found and "2" not in found and "3" not in found:
        generation = "1"
    else:
        generation = next((g for g in ("tf", "3", "2") if g in found), None)
    if generation in (None, "2") and "keras" in found and "accuracy" in found and "acc" not in found:
        return "2.3", found["accuracy"][0]  # before, logs had the accuracy as acc
    if generation is not None:
        return generation, ", ".join(dict.fromkeys(found[generation][:3]))
    if "keras" in found:
        return "2", f"import {found['keras'][0]}"
    return ("3", "import oneiros") if "oneiros" in found else ("2", "nothing that tells; the default")
