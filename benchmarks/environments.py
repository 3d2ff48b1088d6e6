"""The peers, and the virtual environment of each."""

import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".venv-bench"
OURS = "oneiros"

_KERAS, _TENSORFLOW, _TORCH = "keras==3.15.1", "tensorflow-cpu==2.21.0", "torch==2.13.0"
REQUIREMENTS = {
    "jax": [_KERAS, "jax==0.10.2"],
    "tf": [_KERAS, _TENSORFLOW],
    "torch": [_KERAS, _TORCH],
    "tf_keras": ["tf_keras==2.21.0", _TENSORFLOW],
    "pytorch": [_TORCH, "numpy"],
}


class Peer(NamedTuple):
    environment: str | None  # a key of REQUIREMENTS; None: this interpreter
    module: str  # what a program imports
    backend: str = ""  # of Keras 3
    variant: str | None = None  # how raw PyTorch runs a model


PEERS = {
    OURS: Peer(None, "oneiros"),
    "jax": Peer("jax", "keras", "jax"),
    "tf": Peer("tf", "keras", "tensorflow"),
    "torch": Peer("torch", "keras", "torch"),
    "tf_keras": Peer("tf_keras", "tf_keras"),
    **{f"pytorch-{v}": Peer("pytorch", "torch", variant=v) for v in ("eager", "channels_last", "compile")},
}


def selected(names):
    """The names of peers; ``pytorch`` means all its variants. Raises ValueError for an unknown one."""
    for name in names:
        if name not in REQUIREMENTS and name not in PEERS:
            raise ValueError(f"unknown peer {name!r}. Expected some of: {', '.join([*REQUIREMENTS, *PEERS])}")
    return [name for name, peer in PEERS.items() if name in names or peer.environment in names]


def python_of(environment):
    return str(FOLDER / environment / "bin" / "python") if environment else sys.executable


def variables_of(peer, **more):
    """The environment variables of a peer's process. On a GPU nobody takes all its memory at once: peers share it."""
    share = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
    path = {} if peer.environment else {"PYTHONPATH": str(ROOT / "src")}
    return os.environ | share | path | {"KERAS_BACKEND": peer.backend, "TF_CPP_MIN_LOG_LEVEL": "3"} | more


def make(environment):
    """Makes an environment under `.venv-bench`, unless it is there with the same requirements."""
    folder, wanted = FOLDER / environment, "\n".join(REQUIREMENTS[environment])
    stamp = folder / "requirements.txt"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"Making {folder.relative_to(ROOT)}: {', '.join(REQUIREMENTS[environment])}", file=sys.stderr, flush=True)
    venv.create(folder, with_pip=True, clear=True)
    install = [python_of(environment), "-m", "pip", "install", "--quiet", *REQUIREMENTS[environment]]
    subprocess.run(install, check=True)
    stamp.write_text(wanted)


if __name__ == "__main__":
    for name in sys.argv[1:] or REQUIREMENTS:
        make(name)
