"""The rows' models in raw PyTorch, with its own modules and layouts. They end in logits.

Modules are made from the weights of the Keras layers and keep their names; a twin is the forward pass over them.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .rows import FIRE, HEADS
from .worker import check_data, groups, outputs_checked


def module_of(arrays):
    """The PyTorch module with the weights of a Keras layer; what kind it is can be told from their shapes."""
    first, shape = arrays[0], arrays[0].shape
    if len(arrays) == 8:
        width = shape[0]
        return nn.ModuleList(module_of([arrays[i].reshape(width, -1), arrays[i + 1].ravel()]) for i in range(0, 8, 2))
    if len(arrays) == 1:
        module, new = nn.Embedding(*shape), arrays
    elif len(arrays) in (3, 6):
        units = arrays[1].shape[0]
        kind = nn.LSTM if shape[1] == 4 * units else nn.GRU
        module = kind(shape[0], units, batch_first=True, bidirectional=len(arrays) == 6)
        new = [a for i in range(0, len(arrays), 3) for a in recurrent_weights(*arrays[i : i + 3])]
        for name, parameter in module.named_parameters():
            # Keras' LSTM has one bias, PyTorch's the sum of two: train only one of them.
            parameter.requires_grad_(kind is nn.GRU or "bias_hh" not in name)
    elif len(shape) == 1:
        module = nn.LayerNorm(shape, 1e-6) if len(arrays) == 2 else nn.BatchNorm2d(shape[0], 1.001e-5, 0.01)
        new = arrays
    elif len(shape) == 2:
        module, new = nn.Linear(*shape), [first.T, arrays[1]]
    else:
        kind = nn.Conv1d if len(shape) == 3 else nn.Conv2d
        module, new = kind(*shape[-2:], shape[:-2]), [np.moveaxis(first, (-1, -2), (0, 1)), arrays[1]]
    state = [value for name, value in module.state_dict().items() if name != "num_batches_tracked"]
    for old, value in zip(state, new, strict=True):
        old.copy_(torch.from_numpy(np.array(value)))
    return module


def recurrent_weights(kernel, recurrent, bias):
    if bias.ndim == 1:
        return kernel.T, recurrent.T, bias, np.zeros_like(bias)

    def ordered(array):  # GRU: update, reset, new in Keras; reset, update, new in PyTorch
        return np.concatenate([np.split(array, 3, axis=-1)[i] for i in (1, 0, 2)], axis=-1)

    return ordered(kernel).T, ordered(recurrent).T, *ordered(bias)


# --- forward passes: functions of (modules by name, input, dropout)


def recurrent(m, x, dropout):
    _, state = m["recurrent"](m["embedding"](x))
    state = state[0] if isinstance(state, tuple) else state
    return m["predictions"](state.transpose(0, 1).flatten(1))


def text_cnn(m, x, dropout):
    x = dropout(m["embedding"](x), 0.2).transpose(1, 2)
    x = F.relu(m["conv"](x)).amax(2)
    return m["predictions"](dropout(F.relu(m["hidden"](x)), 0.2))


def mlp(m, x, dropout):
    for name in ("hidden0", "hidden1"):
        x = dropout(F.relu(m[name](x)), 0.2)
    return m["predictions"](x)


def mnist_cnn(m, x, dropout):
    x = F.max_pool2d(F.relu(m["conv2"](F.relu(m["conv1"](x)))), 2)
    x = dropout(x, 0.25).permute(0, 2, 3, 1).flatten(1)  # Keras' order of the features
    return m["predictions"](dropout(F.relu(m["hidden"](x)), 0.5))


def convolved(module, x, stride=1, padding=0):
    return F.conv2d(x, module.weight, module.bias, stride, padding)


def squeezenet(m, x, dropout):
    x = F.relu(convolved(m["conv1"], x, 2))
    for number in FIRE:
        x = F.max_pool2d(x, 3, 2) if number in (2, 4, 6) else x
        x = F.relu(m[f"fire{number}_squeeze"](x))
        x = F.relu(torch.cat([m[f"fire{number}_left"](x), convolved(m[f"fire{number}_right"], x, 1, 1)], 1))
    return F.relu(m["predictions"](dropout(x, 0.5))).mean((2, 3))


def resnet50(m, x, dropout):
    def part(name, x, stride=1, padding=0):
        return m[name + "_bn"](convolved(m[name + "_conv"], x, stride, padding))

    x = F.max_pool2d(F.relu(part("conv1", x, 2, 3)), 3, 2, 1)
    for stage, blocks in {2: 3, 3: 4, 4: 6, 5: 3}.items():
        for block in range(1, blocks + 1):
            name, stride = f"conv{stage}_block{block}_", 2 if block == 1 and stage > 2 else 1
            shortcut = part(name + "0", x, stride) if block == 1 else x
            x = F.relu(part(name + "2", F.relu(part(name + "1", x, stride)), 1, 1))
            x = F.relu(part(name + "3", x) + shortcut)
    return m["predictions"](x.mean((2, 3)))


def transformer(m, x, dropout):
    x = m["embedding"](x)
    for i in range(2):
        *projections, output = m[f"attention{i}"]
        query, key, value = (p(x).unflatten(-1, (HEADS, -1)).transpose(1, 2) for p in projections)
        attended = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        x = m[f"norm{i}_1"](x + output(attended))
        x = m[f"norm{i}_2"](x + m[f"dense{i}_2"](F.relu(m[f"dense{i}_1"](x))))
    return m["predictions"](x.mean(1))


class Twin(nn.Module):
    def __init__(self, function, weights, dropout):
        super().__init__()
        self.function, self.dropout = function, dropout
        with torch.no_grad():
            self.parts = nn.ModuleDict({name: module_of(arrays) for name, arrays in weights.items()})

    def forward(self, x):
        return self.function(self.parts, x, lambda x, rate: F.dropout(x, rate, self.training and self.dropout))


OPTIMIZERS = {  # with Keras' defaults
    "Adam": lambda p, rate: torch.optim.Adam(p, rate, eps=1e-7),
    "RMSprop": lambda p, rate: torch.optim.RMSprop(p, rate, alpha=0.9, eps=1e-7),
    "Adadelta": lambda p, rate: torch.optim.Adadelta(p, rate, rho=0.95, eps=1e-7),
    "SGD": torch.optim.SGD,
}


class TorchSession:
    """A row in raw PyTorch. variant: ``eager``, ``channels_last`` or ``compile``."""

    def __init__(self, row, variant):
        self.row, self.variant = row, variant
        self.steps = row.steps if row.action == "fit" else 1
        self.binary = row.loss == "binary_crossentropy"

    def set_model(self, dropout):
        self.module = Twin(globals()[self.row.twin], groups(self.weights), dropout)
        if self.variant == "channels_last":
            self.module.to(memory_format=torch.channels_last)
        name, rate = self.row.optimizer
        self.optimizer = OPTIMIZERS[name]([p for p in self.module.parameters() if p.requires_grad], rate)
        self.run = torch.compile(self.module) if self.variant == "compile" else self.module

    def tensors(self, x, y):
        x = torch.from_numpy(x)
        if x.ndim == 4:
            x = x.permute(0, 3, 1, 2)  # this is channels_last already
            x = x if self.variant == "channels_last" else x.contiguous()
        return (x if x.is_floating_point() else x.long()), torch.from_numpy(y)

    def epoch(self, x, y):
        self.module.train()
        error = F.binary_cross_entropy_with_logits if self.binary else F.cross_entropy
        size, losses = self.row.batch, []
        for start in range(0, len(x), size):
            self.optimizer.zero_grad()
            loss = error(self.run(x[start : start + size]), y[start : start + size])
            loss.backward()
            self.optimizer.step()
            losses.append(loss.detach())
        return float(torch.stack(losses).mean())

    def predict(self, x):
        self.module.eval()
        with torch.inference_mode():
            logits = self.run(x)
            return (logits.sigmoid() if self.binary else logits.softmax(1)).numpy()

    def check(self, weights, save):
        self.weights = weights
        self.set_model(dropout=False)
        x, y = self.tensors(*check_data(self.row))
        if self.row.predicts:
            return outputs_checked(np.concatenate([self.predict(part) for part in x.split(self.row.batch)]))
        return [self.epoch(x, y) for _ in range(2)]

    def prepare(self):
        self.set_model(dropout=True)
        x, y = self.tensors(*self.row.data(np.random.default_rng(1), self.row.batch * self.steps))
        return (lambda: self.predict(x)) if self.row.predicts else (lambda: self.epoch(x, y))
