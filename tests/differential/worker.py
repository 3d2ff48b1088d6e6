"""Runs programs that come in on standard input, and sends back what they recorded.

A process of its own, under the Python of the library that it runs; it imports nothing of this folder. Messages are
pickles with their length in front: a dictionary comes in (``source``, and ``fault``, source to run first), and a
dictionary goes out (``records``, a list of names and values; ``raised``, what ended the program early).
"""

import ast
import importlib
import os
import pickle
import struct
import sys
import tempfile
import traceback
import warnings

import numpy as np

_planted = []


def main(library, generation):
    incoming, outgoing = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a program prints must not mix with the answers
    sys.stdout = sys.stderr
    warnings.simplefilter("ignore")
    keras = importlib.import_module(library)
    if generation:
        keras.compat.install(generation)
        keras = importlib.import_module("keras")
    _send(outgoing, {"version": keras.__version__})
    while header := incoming.read(8):
        request = pickle.loads(incoming.read(*struct.unpack(">Q", header)))
        _send(outgoing, run(keras, **request))


def _send(stream, message):
    data = pickle.dumps(message)
    stream.write(struct.pack(">Q", len(data)) + data)
    stream.flush()


def run(keras, source, fault=""):
    """Runs a program statement by statement, up to the first that raises."""
    records, raised = [], None
    namespace = {"keras": keras, "np": np, "__name__": "program"}
    namespace["record"] = lambda name, value: records.append((name, plain(value)))
    keras.backend.clear_session()
    if fault and fault not in _planted:
        _planted.append(fault)
        exec(fault, {"keras": keras, "np": np})
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for place, statement in enumerate(ast.parse(source).body):
            try:
                exec(compile(ast.Module([statement], []), "<program>", "exec"), namespace)
            except Exception as error:
                text = "".join(traceback.format_exception(error))[-3000:]
                raised = {"statement": ast.unparse(statement), "error": type(error).__name__, "text": text}
                raised["place"] = place
                raised["message"] = f"{type(error).__name__}: {error}"
                break
        os.chdir("/")
    return {"records": records, "raised": raised}


def plain(value):
    """A value as lists, dictionaries, numbers and NumPy arrays, whatever library it comes from."""
    if isinstance(value, dict):
        return {"dict": [(str(key), plain(part)) for key, part in value.items()]}
    if hasattr(value, "as_list"):  # a TensorShape
        value = value.as_list()
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, (int, float)) or hasattr(value, "__array__"):
        array = np.asarray(value)
        return array.astype("float64") if array.dtype.kind not in "OUS" else str(value)
    return type(value).__name__


if __name__ == "__main__":
    main(*sys.argv[1:])
