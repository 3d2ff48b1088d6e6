"""Runs programs one after another in one process: ``oneiros run --keras 2 in_turn.py A.py B.py``.

Each is a `__main__` of its own and begins with a fresh session of Keras. Loading the library takes longer than most of
them, so one process for all saves half of the time.
"""

import builtins
import sys
import time
import traceback
import types

import keras

for path in sys.argv[1:]:
    print(f"\n### PROGRAM {path}", flush=True)
    keras.backend.clear_session()
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    main.__dict__.update(__file__=path, __builtins__=builtins)
    start = time.time()
    try:
        with open(path) as file:
            exec(compile(file.read(), path, "exec", dont_inherit=True), main.__dict__)
    except BaseException:
        print("\n### FAILED\n" + traceback.format_exc())
    print(f"\n### SECONDS {time.time() - start:.1f}", flush=True)
