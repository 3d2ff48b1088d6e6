# ruff: noqa: E501 (tables of source)
"""Draws whole programs: a model, data, `compile`, and calls in some order; each call's result is recorded.

A program is source text. It uses `keras`, `np` and `record(name, value)`, which `HEADER` gives to a printed one.
"""

import random
import re

from .models import Drawing, structure

HEADER = """\
import numpy as np
import oneiros as keras  # or: import keras
record = print
"""
# Every program starts with this. `NUDGE` moves the weights a little: see `comparing.examine`.
PRELUDE = """\
NUDGE = 0.0
r = np.random.default_rng(0)
def give_weights(model, seed=0):
    r = np.random.default_rng(seed)
    shapes = [w.shape for w in model.get_weights()]
    model.set_weights([r.uniform(-0.6 if len(s) > 1 else 0.1, 0.6, s) * (1 + NUDGE) for s in shapes])
"""
ROWS = 12
# By kind of output: losses as source; `{K}` is `keras.ops`, or `keras.backend` for the older generation.
LOSSES = {
    "real": [
        *("'mse'", "'mae'", "'mean_squared_error'", "'huber'", "'log_cosh'", "keras.losses.MeanSquaredError()"),
        *("keras.losses.Huber(0.5)", "keras.losses.MeanSquaredError(reduction='sum')", "keras.losses.mean_absolute_error"),
        *("own_loss", "lambda t, p: (t - p) ** 2", "'cosine_similarity'", "keras.losses.MeanAbsoluteError(name='own')"),
    ],
    "positive": ["'poisson'", "'mean_squared_logarithmic_error'", "keras.losses.Poisson()", "'mse'", "'mape'"],
    "probability": [
        *("'binary_crossentropy'", "keras.losses.BinaryCrossentropy(label_smoothing=0.1)", "'mse'", "own_loss"),
        *("keras.losses.BinaryFocalCrossentropy()", "'binary_focal_crossentropy'"),
    ],
    "logit": ["keras.losses.BinaryCrossentropy(from_logits=True)", "'hinge'", "'squared_hinge'", "keras.losses.Hinge()"],
    "classes": [
        *("'categorical_crossentropy'", "keras.losses.CategoricalCrossentropy(label_smoothing=0.1)"),
        *("'kl_divergence'", "'categorical_hinge'", "keras.losses.categorical_crossentropy"),
        "keras.losses.CategoricalFocalCrossentropy()",
    ],
    "labels": ["'sparse_categorical_crossentropy'", "keras.losses.SparseCategoricalCrossentropy()"],
    "label_logits": [
        "keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
        "keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)",
    ],
}  # fmt: skip
METRICS = {
    "real": [
        *("'mae'", "'mse'", "keras.metrics.RootMeanSquaredError()", "own_metric", "keras.metrics.MeanAbsoluteError('m')"),
        *("'cosine_similarity'", "keras.metrics.R2Score()", "keras.metrics.MeanSquaredError(name='q')"),
    ],
    "positive": ["'poisson'", "'mape'", "keras.metrics.MeanSquaredLogarithmicError()", "'msle'"],
    "probability": [
        *("'accuracy'", "'acc'", "'binary_accuracy'", "keras.metrics.AUC()", "keras.metrics.Precision()"),
        *("keras.metrics.Recall(thresholds=[0.3, 0.6])", "keras.metrics.BinaryAccuracy(threshold=0.4)", "'AUC'", "'mae'"),
        *("keras.metrics.TruePositives()", "keras.metrics.SensitivityAtSpecificity(0.5)", "own_metric"),
    ],
    "logit": ["'hinge'", "keras.metrics.BinaryCrossentropy(from_logits=True)", "'squared_hinge'", "'accuracy'"],
    "classes": [
        *("'accuracy'", "'acc'", "'categorical_accuracy'", "keras.metrics.TopKCategoricalAccuracy(2)", "'mae'"),
        *("'crossentropy'", "keras.metrics.CategoricalCrossentropy()", "keras.metrics.Precision(class_id=1)"),
        *("keras.metrics.KLDivergence()", "keras.metrics.OneHotMeanIoU(3)", "keras.metrics.F1Score()"),
    ],
    "labels": [
        *("'accuracy'", "'acc'", "'sparse_categorical_accuracy'", "keras.metrics.SparseTopKCategoricalAccuracy(2)"),
        *("keras.metrics.SparseCategoricalCrossentropy()", "'sparse_categorical_crossentropy'"),
    ],
    "label_logits": ["'accuracy'", "keras.metrics.SparseCategoricalAccuracy('s')"],
}  # fmt: skip
# With a large epsilon: a step divided by the gradient's own size multiplies rounding.
OPTIMIZERS = [
    *("'sgd'", "SGD({rate}{more})", "SGD({rate}, momentum=0.9{more})", "SGD({rate}, momentum=0.8, nesterov=True{more})"),
    *("Adam({rate}, epsilon=0.01{more})", "Adam({rate}, epsilon=0.01, amsgrad=True{more})", "RMSprop({rate}{small}{more})"),
    *("RMSprop({rate}{small}, momentum=0.5, centered=True{more})", "Adagrad({rate}{small}{more})", "'adam'"),
    *("AdamW({rate}, epsilon=0.01, weight_decay=0.1)", "Adadelta({rate}, epsilon=0.01{more})", "Ftrl({rate}{more})"),
    *("Adamax({rate}, epsilon=0.01{more})", "Nadam({rate}, epsilon=0.01{more})", "'rmsprop'"),
]  # fmt: skip
NEW_OPTIMIZERS = [
    *("Lamb({rate}, epsilon=0.01)", "Adafactor({rate})", "LossScaleOptimizer(keras.optimizers.SGD(0.05))"),
    "SGD({rate}, gradient_accumulation_steps=2{more})",
]
OPTIONS = [
    *([""] * 4), *(", clipnorm=0.5", ", clipvalue=0.05", ", global_clipnorm=0.7"),
    *(", use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2", ", weight_decay=0.05", ", use_ema=True"),
]  # fmt: skip
RATES = [
    *("0.05", "0.05", "0.1", "keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.7)"),
    *("keras.optimizers.schedules.PiecewiseConstantDecay([2, 4], [0.1, 0.05, 0.01])",),
    *("keras.optimizers.schedules.CosineDecay(0.1, 5)", "keras.optimizers.schedules.InverseTimeDecay(0.1, 1, 0.5)"),
    *("keras.optimizers.schedules.PolynomialDecay(0.1, 4, 0.01, power=2.0)",),
    *("keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.7, staircase=True)",),
]  # fmt: skip
CALLBACKS = [
    "keras.callbacks.ReduceLROnPlateau(monitor='{monitor}', factor=0.5, patience=1, min_delta=10.0)",
    "keras.callbacks.EarlyStopping(monitor='{monitor}', patience=1, min_delta=10.0)",
    "keras.callbacks.EarlyStopping(monitor='{monitor}', patience=0, restore_best_weights=True)",
    "keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.1 / (1 + epoch))",
    "keras.callbacks.LambdaCallback(on_train_batch_end=lambda b, logs: steps.append(dict(logs)))",
    "keras.callbacks.LambdaCallback(on_train_batch_begin=lambda b, logs: steps.append(b))",
    "keras.callbacks.LambdaCallback(on_train_batch_end=lambda b, logs: steps.append([b, dict(logs)]))",
    "keras.callbacks.LambdaCallback(on_epoch_end=lambda e, logs: steps.append(dict(logs)))",
    "keras.callbacks.LambdaCallback(on_test_batch_end=lambda b, logs: steps.append(dict(logs)))",
    "keras.callbacks.ModelCheckpoint('c{dot}weights.h5', monitor='{monitor}', save_best_only=True, "
    "save_weights_only=True)",
    "keras.callbacks.TerminateOnNaN()",
    "keras.callbacks.SwapEMAWeights()",
]


class Program(Drawing):
    """Draws one program; `source` is its text without the prelude."""

    def __init__(self, seed, new=True):
        super().__init__(random.Random(seed), new)
        self.draw()

    @property
    def source(self):
        return "\n".join(self.lines) + "\n"

    def say(self, line):
        self.lines.append(line)

    def draw(self):
        self.drawn, self.measured = self.model(), None
        if self.odds(0.2):
            self.freeze()
        self.say("give_weights(m)")
        # Without numbers: operators, and graphs inside of a Sequential, take numbers in some libraries.
        self.say("record('names', [layer.name.rstrip('_0123456789') for layer in m.layers])")
        self.say("record('weights', m.get_weights())")
        self.data()
        self.say("record('predict', m.predict(x, verbose=0))")
        self.say(self.compile())
        for _ in range(self.pick([2, 3, 3, 4, 5, 6])):
            self.action()
        self.say("record('weights', m.get_weights())")
        told = "\n".join(self.lines).rpartition("m.compile(")[2]
        trained = "m.fit(" in told or "m.train_on_batch(" in told  # before that, slots are there or not
        if trained and self.odds(0.4) and not re.search("LossScale|Adafactor", told):
            self.say("record('slots', sorted(np.shape(v) for v in m.optimizer.variables))")

    # Data.

    def data(self):
        drawn = self.drawn
        parts = []
        for name, shape in drawn.inputs:
            if shape[0] == "tokens":
                parts.append((name, f"r.integers(0, 6, ({ROWS}, 5))"))
            else:
                zeros = self.pick(["", "", f" * (r.random({(ROWS, *shape[:-1], 1)}) > 0.4)"]) if len(shape) == 2 else ""
                parts.append((name, f"(r.normal(size={(ROWS, *shape)}){zeros}).astype('float32')"))
        form = drawn.input_form
        if form == "dict" and self.odds(0.4):
            self.chance.shuffle(parts)
        elif form == "list" and len(parts) > 1 and self.odds(0.15):
            form = self.pick(["tuple", "dict"])
        elif form == "single" and self.odds(0.1):
            form = self.pick(["list", "dict"])
        self.say(f"x = {structure(form, parts)}")
        self.input_form = form
        parts = [(name, self.target(kind, shape)) for name, kind, shape in drawn.outputs]
        form = drawn.output_form
        if form == "dict" and self.odds(0.4):
            self.chance.shuffle(parts)
        elif form == "list" and self.odds(0.3):
            form = "dict" if self.odds(0.6) else "tuple"
        self.say(f"y = {structure(form, parts)}")
        self.target_form = form

    def target(self, kind, shape):
        shape = (ROWS, *shape)
        if kind == "real":
            return f"r.normal(size={shape}).astype('float32')"
        if kind == "positive":
            return f"r.uniform(0.5, 2.0, {shape}).astype('float32')"
        if kind in ("probability", "logit"):
            return f"r.integers(0, 2, {shape})" + self.pick(["", ".astype('float32')"])
        if kind == "classes":
            return f"np.eye({shape[-1]}, dtype='float32')[r.integers(0, {shape[-1]}, {shape[:-1]})]"
        return f"r.integers(0, {shape[-1]}, {shape[:-1] + self.pick([(), (1,)])})"

    def weights(self, of="12"):
        """Weights of samples: for all outputs, or by output."""
        outputs = self.drawn.outputs
        one = f"r.uniform(0, 2, {of})"
        if len(outputs) == 1 and self.target_form != "dict":
            shape = outputs[0][2]
            return f"r.uniform(0, 2, ({of}, {shape[0]}))" if len(shape) == 2 and self.odds(0.4) else one
        form = self.target_form if self.odds(0.7) else "single"
        return structure(form, [(name, one) for name, _, _ in self.spelled(outputs)])

    def spelled(self, outputs):
        """Outputs in the order of the targets, or in some other where names tell them apart."""
        outputs = list(outputs)
        if self.target_form == "dict":
            self.chance.shuffle(outputs)
        return outputs

    # Compile.

    def compile(self):
        outputs = self.drawn.outputs
        named = len(outputs) > 1 or self.drawn.output_form == "dict"
        parts = [f"optimizer={self.optimizer()}"]
        losses = [(name, self.pick(LOSSES[kind])) for name, kind, _ in outputs]
        if len(outputs) > 1 and self.odds(0.15) and self.new:  # tf.keras leaves out weights without a gradient
            losses[-1] = (losses[-1][0], "None")
        form = "single"
        # The peers sort outputs in a dictionary, and take lists in that order. Here it is the user's.
        keys = [name for name, _, _ in outputs]
        forms = ["list", "dict"] if self.drawn.output_form != "dict" or keys == sorted(keys) else ["dict"]
        if named:
            form = self.drawn.output_form if self.odds(0.7) else self.pick(forms)
            if form == "dict":
                self.chance.shuffle(losses)
                if len(losses) > 1 and self.odds(0.1):
                    losses.pop()
        if named and self.odds(0.1) and {kind for _, kind, _ in outputs} <= {"real", "probability", "positive"}:
            parts.append("loss='mse'")
        else:
            parts.append(f"loss={structure(form, losses)}")
        if named and self.odds(0.4):
            rates = [(name, self.pick(["0.5", "2.0", "0.0"])) for name, _, _ in outputs]
            parts.append(f"loss_weights={structure(form if form != 'single' else forms[0], rates)}")
        elif not named and self.odds(0.1):
            parts.append("loss_weights=" + self.pick(["0.5", "[2.0]"]))
        for argument, odds in (("metrics", 0.65), ("weighted_metrics", 0.3)):
            if self.odds(odds) or self.measured == argument:  # Keras 3 goes on with old metrics where no new ones come
                self.measured = self.measured or argument
                parts.append(f"{argument}={self.metrics(outputs, named, forms)}")
        if self.odds(0.07):
            parts.append("run_eagerly=True")
        elif self.odds(0.1):
            parts.append(f"steps_per_execution={self.pick([2, 3])}")
        for name in ("own_loss", "own_metric"):
            if any(name in part for part in parts) and not any(f"def {name}" in line for line in self.lines):
                ops = "keras.ops" if self.new else "keras.backend"
                self.say(f"def {name}(t, p):\n    return {ops}.mean({ops}.abs({ops}.cast(t, 'float32') - p), axis=-1)")
        return f"m.compile({', '.join(parts)})"

    def metrics(self, outputs, named, forms):
        def some(kind, count):
            found = self.chance.sample(METRICS[kind], count)
            if not self.new:
                found = [f for f in found if "R2Score" not in f and "F1Score" not in f and "R2" not in f]
            return found

        if not named:
            return "[" + ", ".join(some(outputs[0][1], self.pick([1, 1, 2]))) + "]"
        form = self.pick(forms)
        lists = [(name, some(kind, self.pick([1, 1, 2]))) for name, kind, _ in outputs]
        if form == "dict":
            self.chance.shuffle(lists)
            if len(lists) > 1 and self.odds(0.4):
                lists.pop()
        parts = [
            (name, found[0] if len(found) == 1 and self.odds(0.5) else "[" + ", ".join(found) + "]")
            for name, found in lists
        ]
        return structure(form, parts)

    def optimizer(self):
        source = self.pick(OPTIMIZERS + NEW_OPTIMIZERS * self.new)
        while source.startswith("Nadam") and not self.new:  # compiled, tf.keras loses its product of momenta
            source = self.pick(OPTIMIZERS)
        if source.startswith("'"):
            return source
        small = ", epsilon=0.01"
        return "keras.optimizers." + source.format(rate=self.pick(RATES), more=self.pick(OPTIONS), small=small)

    # Calls.

    def action(self):
        name = self.pick([
            *["fit"] * 5, *["train_on_batch"] * 2, "test_on_batch", *["evaluate"] * 2, "predict", "predict_on_batch",
            "toggle", "recompile", "set_weights", "weights_file", "copy", "model_file", "facts", "call", "part",
        ])  # fmt: skip
        getattr(self, "do_" + name)()

    def do_fit(self):
        single = len(self.drawn.outputs) == 1
        parts, epochs = ["x, y"], self.pick([1, 2, 2, 3])
        data = self.chance.random()
        size = 12 if self.drawn.whole else self.pick([4, 5, 12])
        weight = None
        if self.odds(0.25):
            weight = self.weights()
        if data < 0.14:
            parts = [f"{self.batches(size, weight)}"]
            if self.batches_end:
                epochs = 1
            else:
                parts.append(f"steps_per_epoch={-(-ROWS // size)}")
        elif data < 0.24:
            self.say(self.sequence(size, weight))
            parts = ["Batches()"]
        else:
            if size != 12 or self.odds(0.5):
                parts.append(f"batch_size={size}")
            if weight:
                parts.append(f"sample_weight={weight}")
            elif self.odds(0.15) and single and self.drawn.outputs[0][1] in ("labels", "label_logits", "probability"):
                parts.append("class_weight={0: 0.5, 1: 2.0, 2: 1.0}")
            if self.odds(0.15) and not self.drawn.whole:
                parts.append("validation_split=0.25")
            if self.odds(0.1) and not self.drawn.whole:
                parts.append("steps_per_epoch=2")
        valid = any("validation_split" in part for part in parts)
        if not valid and self.odds(0.25):
            valid = True
            more = f", {self.weights()}" if self.odds(0.3) else ""
            parts.append(f"validation_data=(x, y{more})" + self.pick(["", f", validation_batch_size={size}"]))
        parts += [f"epochs={epochs}"] if epochs > 1 else []
        parts += ["shuffle=False", "verbose=0"]
        callbacks = []
        if self.odds(0.5):
            monitor = self.pick(["val_loss", "loss"]) if valid else "loss"
            callbacks = self.chance.sample(CALLBACKS if self.new else CALLBACKS[:-1], self.pick([1, 1, 2]))
            callbacks = [c.format(monitor=monitor, dot="." if self.new else ".") for c in callbacks]
            parts.insert(-2, f"callbacks=[{', '.join(callbacks)}]")
        if any("steps.append" in c for c in callbacks):
            self.say("steps = []")
        self.say(f"record('history', m.fit({', '.join(parts)}).history)")
        if any("steps.append" in c for c in callbacks):
            self.say("record('steps', steps)")

    def batches(self, size, weight):
        """A generator of the user's; `batches_end` says whether it ends."""
        self.batches_end = self.odds(0.4)
        name = self.name("batches")
        cut = ["x", "y"] + (["w"] if weight else [])
        given = ", w=None" if weight else ""
        if weight:
            self.say(f"w = {weight}")
        self._say_cut()
        loop = f"for i in range(0, {ROWS}, {size}):"
        rows = ", ".join(f"cut({part}, i, {size})" for part in cut)
        if self.batches_end:
            self.say(f"def {name}():\n    {loop}\n        yield {rows}")
        else:
            self.say(f"def {name}():\n    while True:\n        {loop}\n            yield {rows}")
        return f"{name}()" + given * 0

    def sequence(self, size, weight):
        base = "keras.utils.PyDataset" if self.new else "keras.utils.Sequence"
        self._say_cut()
        if weight:
            self.say(f"w = {weight}")
        rows = ", ".join(f"cut({part}, i * {size}, {size})" for part in ["x", "y"] + (["w"] if weight else []))
        return (
            f"class Batches({base}):\n    def __len__(self):\n        return {-(-ROWS // size)}\n"
            f"    def __getitem__(self, i):\n        return {rows}"
        )

    def _say_cut(self):
        text = (
            "def cut(v, i, n):\n    if isinstance(v, dict):\n        return {k: cut(p, i, n) for k, p in v.items()}\n"
            "    if isinstance(v, (list, tuple)):\n        return type(v)([cut(p, i, n) for p in v])\n"
            "    return v[i:i + n]"
        )
        if text not in self.lines:
            self.say(text)

    def do_train_on_batch(self):
        more = self.pick(["", "", f", sample_weight={self.weights()}", ", return_dict=True"])
        self.say(f"record('train_on_batch', m.train_on_batch(x, y{more}))")

    def do_test_on_batch(self):
        more = self.pick(["", f", sample_weight={self.weights()}", ", return_dict=True"])
        self.say(f"record('test_on_batch', m.test_on_batch(x, y{more}))")

    def do_evaluate(self):
        more = self.pick(["", f", sample_weight={self.weights()}", ", return_dict=True", ", steps=2, batch_size=4"])
        if self.drawn.whole:
            more = more.partition(", steps=")[0]
        size = self.pick(["", ", batch_size=5"]) if "batch_size" not in more and not self.drawn.whole else ""
        self.say(f"record('evaluate', m.evaluate(x, y{more}{size}, verbose=0))")
        if not self.new and self.odds(0.3):
            self.say("record('metrics_names', m.metrics_names)")

    def do_predict(self):
        if self.drawn.whole and self.odds(0.5):  # the state goes on otherwise
            self.say(f"m.layers[-2].{'reset_state' if self.new else 'reset_states'}()")
        size = "" if self.drawn.whole else self.pick(["", ", batch_size=5"])
        if self.odds(0.25):
            self.say("steps = []")
            hook = "keras.callbacks.LambdaCallback(on_predict_batch_end=lambda b, logs: steps.append(b))"
            self.say(f"record('predict', m.predict(x{size}, callbacks=[{hook}], verbose=0))")
            self.say("record('steps', steps)")
        else:
            self.say(f"record('predict', m.predict(x{size}, verbose=0))")

    def do_predict_on_batch(self):
        self.say("record('predict', m.predict_on_batch(x))")

    def do_call(self):
        self.say(f"record('call', m(x{self.pick(['', ', training=False', ', training=True'])}))")

    def do_facts(self):
        self.say(self.pick([
            "record('shapes', [w.shape for w in m.weights])",
            "record('trainable', [w.shape for w in m.trainable_weights])",
            "record('count', m.count_params())",
            "record('losses', [float(v) for v in m.losses])",
            "record('output_names', m.output_names)" if not self.functional_is_missing else "record('count', 1)",
            "record('rate', float(m.optimizer.learning_rate))",
            "record('by layer', [[w.shape for w in layer.get_weights()] for layer in m.layers])",
        ]))  # fmt: skip

    @property
    def functional_is_missing(self):
        return any(line.startswith("class Mine") for line in self.lines)

    def freeze(self):
        layer = self.pick(["m.layers[-1]", "m.layers[0]", "m.layers[1 % len(m.layers)]", "m", "m.layers[-2]"])
        nested = [line.split()[0] for line in self.lines if re.match(r"inner\d+ = ", line)]
        if nested and self.odds(0.5):
            layer = self.pick(nested) + self.pick(["", ".layers[-1]", ".layers[0]"])
        self.say(f"{layer}.trainable = {self.pick(['False', 'False', 'True'])}")

    def do_toggle(self):
        self.freeze()
        if self.odds(0.6):
            self.say(self.compile())

    def do_recompile(self):
        self.say(self.compile())

    def do_set_weights(self):
        self.say(self.pick([
            "give_weights(m, 1)",
            "m.set_weights([0.5 * w for w in m.get_weights()])",
            "m.layers[-1].set_weights([w + 0.1 for w in m.layers[-1].get_weights()])",
            "m.set_weights(m.get_weights()[:-1])" if self.odds(0.1) else "m.set_weights(m.get_weights())",
        ]))  # fmt: skip

    def do_weights_file(self):
        name = "w.weights.h5" if self.new or self.odds(0.5) else "w.h5"
        self.say(f"m.save_weights('{name}')")
        self.say(self.pick(["give_weights(m, 2)", self.compile(), "m.save_weights('again.weights.h5')"]))
        self.say(f"m.load_weights('{name}')")
        self.say("record('weights', m.get_weights())")

    def do_copy(self):
        if self.functional_is_missing:
            return
        way = self.pick([
            "keras.models.clone_model(m)", "m.__class__.from_config(m.get_config())",
            "keras.models.model_from_json(m.to_json())",
        ])  # fmt: skip
        self.say("old = m")
        self.say(f"m = {way}")
        self.say("m.set_weights(old.get_weights())")
        self.say("record('predict', m.predict(x, verbose=0))")
        self.say(self.compile())

    def do_model_file(self):
        if self.functional_is_missing or not self.odds(0.5):
            return
        self.say("m.save('m.h5')")
        self.say(f"m = keras.models.load_model('m.h5'{self.pick(['', ', compile=False'])})")
        self.say("record('predict', m.predict(x, verbose=0))")
        if self.odds(0.6) or "compile=False" in self.lines[-2]:
            self.say(self.compile())

    def do_part(self):
        if self.functional_is_missing:
            return
        self.say("part = keras.Model(m.inputs, m.layers[-2].output)")
        self.say("record('part', part.predict(x, verbose=0))")
