"""The two sides of a comparison: worker processes that are started again when they die or hang."""

import os
import pickle
import select
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).parents[2]
# How a peer is run: its environment, its library, and the generation that this library shows beside it.
PEERS = {
    "keras": (ROOT / ".venv-peer" / "keras", "keras", ""),
    "tf_keras": (ROOT / ".venv-peer" / "tf_keras", "tf_keras", "tf"),
}
# Programs are tiny: compiling them is what takes time.
_ENVIRONMENT = {
    "KERAS_BACKEND": "jax",
    "JAX_PLATFORMS": "cpu",
    "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
    "JAX_ENABLE_COMPILATION_CACHE": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "CUDA_VISIBLE_DEVICES": "-1",
    "PYTHONHASHSEED": "0",
}


class Side:
    """One library in a worker process.

    python: The interpreter to run. library: The module that is Keras there. generation: What `compat.install` gets.
    limit: Seconds for one program. lifetime: Programs until the process is replaced, to give its memory back.
    """

    def __init__(self, python, library, generation="", limit=90, lifetime=150):
        self.command = [str(python), str(Path(__file__).parent / "worker.py"), library, generation]
        self.limit, self.lifetime = limit, lifetime
        self.process, self.done = None, 0

    def run(self, source, fault=""):
        """What the program recorded; a crash or a hang is a result like any other."""
        if self.process is None or self.done >= self.lifetime:
            self.close()
            self._start()
        self.done += 1
        data = pickle.dumps({"source": source, "fault": fault})
        try:
            self.process.stdin.write(struct.pack(">Q", len(data)) + data)
            self.process.stdin.flush()
            return self._receive(self.limit)
        except (TimeoutError, EOFError, BrokenPipeError) as error:
            self.close()
            kind = "hang" if isinstance(error, TimeoutError) else "crash"
            return {"records": [], "raised": {"statement": "", "error": kind, "text": "", "message": kind}}

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
        self.process = None

    def _start(self):
        environment = {**os.environ, **_ENVIRONMENT}
        environment["PYTHONPATH"] = str(ROOT / "src") if "oneiros" in self.command else ""
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
        self.done = 0
        try:
            self._receive(300)
        except (TimeoutError, EOFError) as error:
            self.close()
            raise RuntimeError(f"{' '.join(self.command)} does not start. Run it by hand to see why.") from error

    def _receive(self, seconds):
        end = monotonic() + seconds
        (size,) = struct.unpack(">Q", self._read(8, end))
        return pickle.loads(self._read(size, end))

    def _read(self, count, end):
        data = b""
        while len(data) < count:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - monotonic()))
            if not ready:
                raise TimeoutError
            part = os.read(self.process.stdout.fileno(), count - len(data))
            if not part:
                raise EOFError
            data += part
        return data


class Pair:
    """This library and a peer, run at the same time. A fault, source run on this side first, is planted for tests."""

    def __init__(self, peer="keras", fault=""):
        if peer == "self":
            python, library, generation = Path(sys.executable), "oneiros", ""
        else:
            folder, library, generation = PEERS[peer]
            python = folder / "bin" / "python"
        self.fault = fault
        self.ours, self.peer = Side(sys.executable, "oneiros", generation), Side(python, library)
        self.threads = ThreadPoolExecutor(2)
        self.refused = 0  # programs that both ended early

    def run(self, source):
        """What both recorded: ours, the peer's."""
        ours = self.threads.submit(self.ours.run, source, self.fault)
        peer = self.threads.submit(self.peer.run, source)
        ours, peer = ours.result(), peer.result()
        self.refused += bool(ours["raised"] and peer["raised"])
        return ours, peer

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.ours.close()
        self.peer.close()
        self.threads.shutdown()
