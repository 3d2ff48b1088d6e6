# ruff: noqa: E501 (tables of source)
"""Draws models, as source text. Names of tensors stand for their shape without the batch, `None` never occurs."""

import random
from dataclasses import dataclass, field

# A layer: what it can be applied to, its source, and the shape that comes out. `{n}` is a small width, `{a}` an
# activation, `{s}` a rate of nothing special. Shapes are tuples: (width,), (steps, width), (rows, columns, channels).
ANY = (1, 2, 3)
LAYERS = [
    # rank   source                                                                                 shape
    ((1, 2), "Dense({n}{dense})",                                                                   lambda s, n: (*s[:-1], n)),
    ((1, 2), "Dense({n}, activation='{a}')",                                                        lambda s, n: (*s[:-1], n)),
    (ANY,    "BatchNormalization({norm})",                                                          lambda s, n: s),
    (ANY,    "LayerNormalization({ln})",                                                            lambda s, n: s),
    (ANY,    "Activation('{a}')",                                                                   lambda s, n: s),
    (ANY,    "{act}()",                                                                             lambda s, n: s),
    ((1,),   "RepeatVector(3)",                                                                     lambda s, n: (3, *s)),
    ((1, 2), "Dropout(0.0)",                                                                        lambda s, n: s),
    (ANY,    "ActivityRegularization(l2=0.01)",                                                     lambda s, n: s),
    (ANY,    "Flatten()",                                                                           lambda s, n: (_product(s),)),
    ((2,),   "{rnn}({n}{ra})",                                                                      lambda s, n: (n,)),
    ((2,),   "{rnn}({n}, return_sequences=True{ra})",                                               lambda s, n: (s[0], n)),
    ((2,),   "Bidirectional(keras.layers.{rnn}({n}{ra}))",                                          lambda s, n: (2 * n,)),
    ((2,),   "Bidirectional(keras.layers.{rnn}({n}, return_sequences=True), merge_mode='{mm}')",
             lambda s, n: (s[0], n)),
    ((2,),   "RNN(keras.layers.{rnn}Cell({n}), return_sequences=True)",                             lambda s, n: (s[0], n)),
    ((2,),   "RNN([keras.layers.{rnn}Cell(4), keras.layers.GRUCell({n})])",                         lambda s, n: (n,)),
    ((2,),   "TimeDistributed(keras.layers.Dense({n}, activation='{a}'))",                          lambda s, n: (s[0], n)),
    ((2,),   "Conv1D({n}, 2, padding='{pad}', activation='{a}')",                                   lambda s, n: (s[0], n)),
    ((2,),   "SeparableConv1D({n}, 3, padding='same')",                                             lambda s, n: (s[0], n)),
    ((2,),   "MaxPooling1D(2, strides=1, padding='same')",                                          lambda s, n: s),
    ((2,),   "Global{p}Pooling1D({kd})",                                                            lambda s, n: s[-1:]),
    ((2,),   "Permute((2, 1))",                                                                     lambda s, n: (s[1], s[0])),
    ((2,),   "Masking(0.0)",                                                                        lambda s, n: s),
    ((2,),   "UpSampling1D(2)",                                                                     lambda s, n: (2 * s[0], s[1])),
    ((2,),   "ZeroPadding1D(1)",                                                                    lambda s, n: (s[0] + 2, s[1])),
    ((3,),   "Conv2D({n}, {k}, padding='same', activation='{a}')",                                  lambda s, n: (*s[:2], n)),
    ((3,),   "DepthwiseConv2D(3, padding='same')",                                                  lambda s, n: s),
    ((3,),   "SeparableConv2D({n}, 3, padding='same')",                                             lambda s, n: (*s[:2], n)),
    ((3,),   "Conv2DTranspose({n}, 3, padding='same')",                                             lambda s, n: (*s[:2], n)),
    ((3,),   "{p}Pooling2D(2, strides=1, padding='same')",                                          lambda s, n: s),
    ((3,),   "Global{p}Pooling2D({kd})",                                                            lambda s, n: s[-1:]),
    ((3,),   "ZeroPadding2D((1, 0))",                                                               lambda s, n: (s[0] + 2, s[1], s[2])),
    ((3,),   "Cropping2D(((0, 1), (1, 0)))",                                                        lambda s, n: (s[0] - 1, s[1] - 1, s[2])),
    ((3,),   "ConvLSTM1D({n}, 2, padding='same')",                                                  lambda s, n: (s[1], n)),
    ((3,),   "ConvLSTM1D({n}, 2, padding='same', return_sequences=True)",                           lambda s, n: (*s[:2], n)),
    ((3,),   "TimeDistributed(keras.layers.Conv1D({n}, 2, padding='same'))",                        lambda s, n: (*s[:2], n)),
]  # fmt: skip
MERGES = ["Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract", "Concatenate"]
ACTIVATIONS = ["relu", "tanh", "sigmoid", "elu", "softplus", "selu", "linear", "gelu", "softmax", "swish"]
FREE = {  # what a source's fields may be
    "n": [2, 3, 4],
    "k": [1, 2, 3],
    "a": ACTIVATIONS,
    "act": ["ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax"],
    "rnn": ["LSTM", "GRU", "SimpleRNN"],
    "mm": ["sum", "ave", "mul"],
    "pad": ["same", "causal"],
    "p": ["Max", "Average"],
    "kd": [""],
    "norm": ["", "", "momentum=0.8", "scale=False", "center=False", "momentum=0.5, epsilon=0.01", "trainable=False"],
    "ln": ["", "epsilon=0.01", "center=False"],
    "ra": ["", "", ", activation='relu'", ", use_bias=False", ", go_backwards=True", ", kernel_regularizer='l2'",
           ", unroll=True", ", recurrent_constraint=keras.constraints.MaxNorm(0.5)"],
    "dense": ["", "", ", use_bias=False", ", kernel_regularizer='l2'", ", bias_regularizer=keras.regularizers.L1(0.01)",
              ", activity_regularizer='l1'", ", kernel_constraint='non_neg'", ", trainable=False",
              ", kernel_constraint=keras.constraints.MaxNorm(1.0, axis=0)",
              ", kernel_constraint='unit_norm', bias_constraint=keras.constraints.MinMaxNorm(0.2, 0.5)",
              ", kernel_regularizer=keras.regularizers.L1L2(0.01, 0.02)"],
}  # fmt: skip
# Today's alone.
NEW_LAYERS = [
    (ANY,  "GroupNormalization({g})",                          lambda s, n: s),
    (ANY,  "UnitNormalization()",                              lambda s, n: s),
    (ANY,  "Rescaling(0.5, offset=0.1)",                       lambda s, n: s),
    (ANY,  "RMSNormalization()",                               lambda s, n: s),
]  # fmt: skip
# What a user's class may add to the loss that was compiled. Steps as such are written differently in each Keras.
COMPUTE_LOSS = [
    "    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **more):",
    "        value = super().compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **more)",
    "        return 2.0 * value + 0.25",
]
HEADS = {  # the kind of an output: widths and activation of the layer that ends it
    "real": ([1, 1, 2, 3], "linear"),
    "positive": ([1, 2], "softplus"),
    "probability": ([1, 1, 2], "sigmoid"),
    "logit": ([1, 2], "linear"),
    "classes": ([3], "softmax"),
    "labels": ([3], "softmax"),
    "label_logits": ([3], "linear"),
}


def _product(shape):
    size = 1
    for part in shape:
        size *= part
    return size


@dataclass
class Model:
    """What the rest of a program needs to know of a drawn model."""

    variable: str
    inputs: list  # pairs of a name and a shape; the shape of whole numbers is ("tokens", steps)
    outputs: list  # triples of a name, a kind of `HEADS`, and a shape
    input_form: str = "single"  # or "list", "dict", "tuple"
    output_form: str = "single"
    lines: list = field(default_factory=list)
    whole: bool = False  # whether it takes batches of all rows only


class Drawing:
    """Draws one model; `lines` holds its source."""

    def __init__(self, chance: random.Random, new=True):
        self.chance, self.new = chance, new
        self.lines, self.count = [], 0
        self.layers = LAYERS + NEW_LAYERS * new

    def pick(self, options):
        return self.chance.choice(list(options))

    def odds(self, probability):
        return self.chance.random() < probability

    def name(self, letter="t"):
        self.count += 1
        return f"{letter}{self.count}"

    def layer(self, shape):
        """Source of a layer for this shape, and the shape that it makes."""
        while True:
            ranks, source, after = self.pick(self.layers)
            if len(shape) not in ranks or (source.startswith("Cropping") and min(shape[:2]) < 3):
                continue
            if source.startswith("UpSampling") and shape[0] > 8:
                continue
            values = {name: self.pick(options) for name, options in FREE.items()}
            if "causal" in values["pad"] and "Separable" in source:
                continue
            width = values["n"]
            values["g"] = self.pick([-1, *(size for size in range(1, 5) if shape[-1] % size == 0)])
            if "Pooling" in source and "Global" in source and self.odds(0.2):
                values["kd"] = "keepdims=True"
                made = (1,) * (len(shape) - 1) + shape[-1:]
            else:
                made = after(shape, width)
            if _product(made) > 200:
                continue
            return f"keras.layers.{source.format(**values)}", made

    def input(self, name):
        kind = self.pick(["vector", "vector", "sequence", "tokens", "image"])
        shape = {"vector": (3,), "sequence": (4, 3), "image": (4, 4, 2), "tokens": ("tokens", 5)}[kind]
        if kind == "vector":
            shape = (self.pick([2, 3, 4]),)
        return name, shape

    def embed(self, tensor, steps):
        made = self.name()
        mask = self.pick(["", ", mask_zero=True", ", mask_zero=True"])
        self.lines.append(f"{made} = keras.layers.Embedding(6, 3{mask})({tensor})")
        return made, (steps, 3)

    def functional(self, depth=0):
        """A graph: inputs, layers, shared layers, merges, nested models, heads."""
        variable = "m" if depth == 0 else self.name("inner")
        names = self.pick([["zeta", "alpha", "mid"], ["b", "a", "c"], ["x1", "x10", "x2"]])
        count = self.pick([1, 1, 1, 2, 2, 3]) if depth == 0 else 1
        inputs = [self.input(name) for name in names[:count]]
        pool, tensors = [], []
        for name, shape in inputs:
            tensor = self.name("i")
            tokens = shape[0] == "tokens"
            given = "(5,), dtype='int32'" if tokens else repr(shape)
            self.lines.append(f"{tensor} = keras.Input({given}, name='{name}')")
            tensors.append(tensor)
            pool.append(self.embed(tensor, 5) if tokens else (tensor, shape))
        for _ in range(self.pick([1, 2, 2, 3, 4, 5])):
            self.step(pool, depth)
        return self.finish(variable, inputs, tensors, pool)

    def step(self, pool, depth):
        """One more tensor, at times two, from those in the pool."""
        tensor, shape = self.pick(pool[-3:])
        same = [(t, s) for t, s in pool if s == shape and t != tensor]
        draw = self.chance.random()
        made = self.name()
        if draw < 0.2 and same:
            merge = self.pick(MERGES)
            other = self.pick(same)[0]
            self.lines.append(f"{made} = keras.layers.{merge}()([{tensor}, {other}])")
            pool.append((made, (*shape[:-1], 2 * shape[-1]) if merge == "Concatenate" else shape))
        elif draw < 0.3 and same:  # one layer, two calls
            source, after = self.layer(shape)
            layer, second, other = self.name("layer"), self.name(), self.pick(same)[0]
            self.lines += [f"{layer} = {source}", f"{made} = {layer}({tensor})", f"{second} = {layer}({other})"]
            pool += [(made, after), (second, after)]
        elif draw < 0.36 and depth == 0:
            nested, after = self.nested(shape)
            self.lines.append(f"{made} = {nested}({tensor})")
            pool.append((made, after))
            if same and self.odds(0.5):
                second = self.name()
                self.lines.append(f"{second} = {nested}({self.pick(same)[0]})")
                pool.append((second, after))
        elif draw < 0.44 and len(shape) == 2:
            attention = self.pick(["Attention()", "AdditiveAttention()", "MultiHeadAttention(2, 2)"])
            other, other_shape = self.pick(same or [(tensor, shape)])
            call = f"({tensor}, {other})" if "Multi" in attention else f"([{tensor}, {other}])"
            self.lines.append(f"{made} = keras.layers.{attention}{call}")
            pool.append((made, shape))
        elif draw < 0.5 and len(shape) == 2:
            rnn = self.pick(["LSTM", "GRU", "SimpleRNN"])
            width = self.pick([2, 3])
            states = ", ".join(self.name() for _ in range(2 if rnn == "LSTM" else 1))
            sequences = self.odds(0.5)
            self.lines.append(
                f"{made}, {states} = keras.layers.{rnn}({width}, return_state=True, return_sequences={sequences})"
                f"({tensor})"
            )
            if self.odds(0.5):
                again = self.name()
                state = states if "," not in states else states
                self.lines.append(f"{again} = keras.layers.{rnn}({width})({tensor}, initial_state=[{state}])")
                pool.append((again, (width,)))
            pool += [*((state, (width,)) for state in states.split(", "))]
            pool.append((made, (shape[0], width) if sequences else (width,)))
        elif draw < 0.56 and same:
            self.lines.append(f"{made} = {tensor} {self.pick('+-*')} {self.pick(same)[0]}")
            pool.append((made, shape))
        elif draw < 0.62 and self.new:
            source = self.pick(
                ["keras.ops.sin({})", "keras.ops.abs({})", "{} * 2.0 + 1.0", "-{}", "keras.ops.relu({})"]
            )
            self.lines.append(f"{made} = {source.format(tensor)}")
            pool.append((made, shape))
        else:
            source, after = self.layer(shape)
            self.lines.append(f"{made} = {source}({tensor})")
            pool.append((made, after))

    def nested(self, shape):
        """A model used as a layer."""
        variable = self.name("inner")
        width = self.pick([2, 3])
        if self.odds(0.5):
            first, after = self.layer(shape)
            second, after = self.layer(after)
            self.lines.append(f"{variable} = keras.Sequential([{first}, {second}])")
            return variable, after
        start, tensor = self.name("i"), self.name()
        self.lines.append(f"{start} = keras.Input({shape})")
        pool = [(start, shape)]
        for _ in range(self.pick([1, 2, 3])):
            self.step(pool, 1)
        tensor, after = pool[-1]
        if len(after) < 3 and self.odds(0.5):
            tensor, after = self.name(), (*after[:-1], width)
            self.lines.append(f"{tensor} = keras.layers.Dense({width})({pool[-1][0]})")
        self.lines.append(f"{variable} = keras.Model({start}, {tensor})")
        return variable, after

    def head(self, name, tensor, shape):
        """The layer that ends an output, with the name that the user sees."""
        if len(shape) == 3 or (len(shape) == 2 and self.odds(0.5)):
            flat = self.name()
            self.lines.append(f"{flat} = keras.layers.Flatten()({tensor})")
            tensor, shape = flat, (_product(shape),)
        kind = self.pick(HEADS)
        widths, activation = HEADS[kind]
        width = self.pick(widths)
        made = self.name()
        self.lines.append(f"{made} = keras.layers.Dense({width}, activation='{activation}', name='{name}')({tensor})")
        return made, (name, kind, (*shape[:-1], width))

    def finish(self, variable, inputs, tensors, pool):
        """Heads for some of the tensors (all inputs take part), and the model."""
        count = self.pick([1, 1, 1, 2, 2, 3])
        names = self.pick([["main", "aux", "extra"], ["zeta", "alpha", "mid"], ["out", "b", "a"]])
        names = [name if name not in [n for n, _ in inputs] else name + "_out" for name in names]
        last = [pool[-1]] if len(pool) == 1 else self.chance.sample(pool[len(inputs) :] or pool, 1)
        unused = [entry for entry in pool[: len(inputs)] if entry not in last]
        heads = []
        for place in range(count):
            tensor, shape = last[0] if place == 0 else self.pick(pool)
            if place == 0 and unused:  # all inputs lead somewhere
                parts = []
                for part, part_shape in [*last, *unused]:
                    if len(part_shape) > 1:
                        flat = self.name()
                        self.lines.append(f"{flat} = keras.layers.Flatten()({part})")
                        part, part_shape = flat, (_product(part_shape),)
                    parts.append((part, part_shape))
                tensor, shape = self.name(), (sum(s[0] for _, s in parts),)
                self.lines.append(f"{tensor} = keras.layers.Concatenate()([{', '.join(t for t, _ in parts)}])")
            heads.append(self.head(names[place], tensor, shape))
        input_form = self.pick(["single", "single", "list", "dict"] if len(inputs) == 1 else ["list", "list", "dict"])
        output_form = self.pick(
            ["single", "single", "single", "dict"] if count == 1 else ["list", "list", "dict", "dict"]
        )
        ins = structure(input_form, list(zip([n for n, _ in inputs], tensors)))
        keys = [name for _, (name, _, _) in heads]
        outs = structure(output_form, list(zip(keys, [t for t, _ in heads])))
        self.lines.append(f"{variable} = keras.Model({ins}, {outs})")
        return Model(variable, inputs, [spec for _, spec in heads], input_form, output_form, self.lines)

    def sequential(self):
        """A stack, given whole or layer by layer, built or not."""
        name, shape = self.input("x")
        layers, first = [], shape
        if shape[0] == "tokens":
            mask = self.pick(["", ", mask_zero=True"])
            layers.append(f"keras.layers.Embedding(6, 3{mask})")
            shape = (5, 3)
        for _ in range(self.pick([1, 1, 2, 3, 4])):
            source, shape = self.layer(shape)
            layers.append(source)
        if len(shape) == 3:
            layers.append("keras.layers.Flatten()")
            shape = (_product(shape),)
        kind = self.pick(HEADS)
        widths, activation = HEADS[kind]
        width = self.pick(widths)
        layers.append(f"keras.layers.Dense({width}, activation='{activation}', name='main')")
        given = (5,) if first[0] == "tokens" else first
        built = self.odds(0.8)
        start = [f"keras.Input({given})"] if built else []
        if self.odds(0.5):
            self.lines.append(f"m = keras.Sequential([{', '.join(start + layers)}])")
        else:
            self.lines.append("m = keras.Sequential()")
            self.lines += [f"m.add({layer})" for layer in start + layers]
        if not built:
            self.lines.append(f"m.build({(None, *given)})")
        output = ("main", kind, (*shape[:-1], width))
        return Model("m", [(name, first)], [output], "single", "single", self.lines)

    def stateful(self):
        """Recurrent layers that go on where the batch before ended, at times behind a mask."""
        tokens = self.odds(0.4)
        shape = (5,) if tokens else (4, 3)
        layers = [f"keras.Input({shape}, batch_size=12)"]
        layers += ["keras.layers.Embedding(6, 3, mask_zero=True)"] if tokens else []
        layers += ["keras.layers.Masking(0.0)"] if not tokens and self.odds(0.5) else []
        depth = self.pick([1, 1, 2])
        for place in range(depth):
            rnn, width = self.pick(["LSTM", "GRU", "SimpleRNN"]), self.pick([2, 3])
            more = ", return_sequences=True" if place < depth - 1 else self.pick(["", ", return_sequences=True"])
            layers.append(f"keras.layers.{rnn}({width}{more}, stateful=True)")
        kind = self.pick(HEADS)
        widths, activation = HEADS[kind]
        out = self.pick(widths)
        after = (shape[0], out) if "return_sequences" in more else (out,)
        layers.append(f"keras.layers.Dense({out}, activation='{activation}', name='main')")
        self.lines.append(f"m = keras.Sequential([{', '.join(layers)}])")
        inputs = [("x", ("tokens", 5) if tokens else shape)]
        return Model("m", inputs, [("main", kind, after)], "single", "single", self.lines, whole=True)

    def subclassed(self):
        """A class of the user's, with a state that differs between training and inference."""
        width = self.pick([2, 3])
        kind = self.pick(HEADS)
        widths, activation = HEADS[kind]
        out = self.pick(widths)
        norm = self.pick(["BatchNormalization()", "LayerNormalization()"])
        extra = self.pick(["", "", f"{'self.add_loss(0.1 * keras.ops.mean(h))' if self.new else ''}"])
        body = [
            "class Mine(keras.Model):",
            "    def __init__(self):",
            "        super().__init__()",
            f"        self.second = keras.layers.Dense({out}, activation='{activation}')",
            f"        self.blocks = [keras.layers.Dense({width}, activation='tanh'), keras.layers.{norm}]",
            "    def call(self, x, training=False):",
            "        h = self.blocks[0](x)",
            # In `fit` of Keras 3.15, layers inside are told of the training only in this way.
            f"        h = self.blocks[1](h{', training=training' if 'Batch' in norm else ''})",
            *([f"        {extra}"] if extra else []),
            "        return self.second(h)",
            *(self.pick([[], [], COMPUTE_LOSS]) if self.new else []),  # tf.keras reports the loss without it
        ]
        self.lines.append("\n".join(body))
        self.lines += ["m = Mine()", "m(np.zeros((2, 3), 'float32'))"]
        return Model("m", [("x", (3,))], [("main", kind, (out,))], "single", "single", self.lines)

    def model(self):
        draw = self.chance.random()
        if draw < 0.22:
            return self.sequential()
        if draw < 0.28:
            return self.stateful()
        return self.subclassed() if draw < 0.36 else self.functional()


def structure(form, parts):
    """Source of parts (pairs of a name and a source) as a list, a dictionary, or the only one alone."""
    if form == "dict":
        return "{" + ", ".join(f"'{name}': {source}" for name, source in parts) + "}"
    if form == "single":
        return parts[0][1]
    left, right = "()" if form == "tuple" else "[]"
    return left + ", ".join(source for _, source in parts) + (",)" if form == "tuple" and len(parts) == 1 else right)
