"""One peer in a process of its own: reads commands from standard input and answers, both in lines of JSON.

python -m benchmarks.worker ROW PEER              obeys `check` and `measure`
python -m benchmarks.worker --program ROW PEER    runs the first epoch of a script and tells its loss
"""

import importlib
import json
import os
import statistics
import sys
import time
import traceback

import numpy as np

from .environments import PEERS
from .rows import ROWS


class KerasSession:
    """A row in any library that has the Keras API."""

    def __init__(self, row, module):
        self.row, self.keras = row, importlib.import_module(module)
        self.steps = row.steps if row.action == "fit" else 1

    def model(self, dropout):
        model = self.row.build(self.keras, dropout)
        name, rate = self.row.optimizer
        model.compile(optimizer=getattr(self.keras.optimizers, name)(rate), loss=self.row.loss)
        return model

    def check(self, weights, save):
        """Numbers that every peer must get from the same weights, which are made and saved if `save`."""
        model, (x, y) = self.model(dropout=0), check_data(self.row)
        if save:
            arrays = {f"{la.name}/{i}": w for la in model.layers for i, w in enumerate(la.get_weights())}
            np.savez(weights, **arrays)
        else:
            for name, arrays in groups(weights).items():
                model.get_layer(name).set_weights(arrays)
        if self.row.predicts:
            return outputs_checked(model.predict(x, batch_size=self.row.batch, verbose=0))
        return model.fit(x, y, batch_size=self.row.batch, epochs=2, shuffle=False, verbose=0).history["loss"]

    def prepare(self):
        """The function whose calls are measured."""
        model, batch = self.model(dropout=1), self.row.batch
        x, y = self.row.data(np.random.default_rng(1), batch * self.steps)
        return {
            "fit": lambda: model.fit(x, y, batch_size=batch, verbose=0),
            "predict": lambda: model.predict(x, verbose=0),
            "predict_on_batch": lambda: model.predict_on_batch(x),
            "train_on_batch": lambda: model.train_on_batch(x, y),
        }[self.row.action]


def groups(weights):
    """The arrays of a file by the name of their layer."""
    grouped = {}
    with np.load(weights) as file:
        for key in file.files:
            grouped.setdefault(key.rpartition("/")[0], []).append(file[key])
    return grouped


def check_data(row):
    """Two batches, or enough of them for 16 predictions."""
    batches = -(-16 // row.batch) if row.predicts else 2
    return row.data(np.random.default_rng(0), batches * row.batch)


def outputs_checked(outputs):
    return np.asarray(outputs, "float64")[:16, :64].ravel().tolist()


def measure(act, steps, seconds):
    """Wall-clock and CPU seconds of one step; the median of as many repetitions as `seconds` have room for."""
    walls, cpu_started = [], time.process_time()
    while not walls or (sum(walls) < seconds and len(walls) < 10_000):
        started = time.perf_counter()
        act()
        walls.append(time.perf_counter() - started)
    cpu = (time.process_time() - cpu_started) / len(walls)
    return {"wall": statistics.median(walls) / steps, "cpu": cpu / steps, "repetitions": len(walls)}


def serve(running, commands, answer):
    """Obeys until the commands end. `check` also warms up: everything is compiled when it returns."""
    act = None
    for command in map(json.loads, commands):
        if command["do"] == "measure":
            answer(measure(act, running.steps, command["seconds"]))
            continue
        figures = running.check(command["weights"], command["save"])
        act = running.prepare()
        for _ in range(command["warm_up"]):
            act()
        answer({"figures": [float(f) for f in figures]})


def main(arguments):
    name, peer = (a for a in arguments if not a.startswith("--"))
    row, peer = ROWS[name], PEERS[peer]
    row = row.small() if "--smoke" in arguments else row
    # What libraries print goes to standard error: standard output is for answers.
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(reply):
        print(json.dumps(reply), file=channel, flush=True)

    try:
        if "--program" in arguments:
            history = KerasSession(row, peer.module).prepare()()
            answer({"figures": history.history["loss"]})
        elif peer.variant is not None:
            from .torch_twins import TorchSession

            serve(TorchSession(row, peer.variant), sys.stdin, answer)
        else:
            serve(KerasSession(row, peer.module), sys.stdin, answer)
    except Exception as error:
        traceback.print_exc()
        answer({"error": f"{type(error).__name__}: {str(error).strip()}".splitlines()[0][:300]})
        raise SystemExit(1) from None


if __name__ == "__main__":
    main(sys.argv[1:])
