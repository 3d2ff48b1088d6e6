"""Ctrl-C in the middle of fit: KeyboardInterrupt, and a model that still predicts."""

import subprocess
import sys

PROGRAM = """
import os, signal, threading, time
import numpy as np
import oneiros as keras
from oneiros import layers

signal.signal(signal.SIGINT, signal.default_int_handler)  # what starts in the background ignores it
x, y = np.random.rand(4000, 20).astype("float32"), np.random.rand(4000, 1).astype("float32")
model = keras.Sequential([keras.Input((20,)), layers.Dense(64, activation="relu"), layers.Dense(1)])
model.compile("adam", "mse")
model.fit(x, y, epochs=1, verbose=0)

def interrupt(delay, done):
    # Again and again: Python drops an interrupt that meets it in a destructor or a weak reference's callback.
    time.sleep(delay)
    while not done.is_set():
        os.kill(os.getpid(), signal.SIGINT)
        done.wait(0.5)


usable = 0
for attempt in range(8):
    done = threading.Event()
    thread = threading.Thread(target=interrupt, args=(0.02 + 0.037 * attempt, done))
    try:
        try:
            thread.start()
            model.fit(x, y, epochs=10_000, verbose=0)
        finally:
            done.set()
            thread.join()
    except KeyboardInterrupt:
        usable += bool(np.isfinite(model.predict(x[:5], verbose=0)).all())
print("USABLE", usable)
"""


def test_ctrl_c_costs_no_weight():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=300)
    assert "USABLE 8" in done.stdout, done.stderr[-2000:]
