"""The choice of variants."""

import subprocess
import sys

from oneiros.kernels.dispatch import FAST_ON, fast, reference_kernels


def test_switches():
    on_cpu = {kind: where == "cpu" for kind, where in FAST_ON.items()}
    assert {kind: fast(kind) for kind in FAST_ON} == on_cpu
    with reference_kernels():
        assert not any(map(fast, FAST_ON))
    assert {kind: fast(kind) for kind in FAST_ON} == on_cpu


def test_environment_variable():
    program = "from oneiros.kernels.dispatch import FAST_ON, fast; print(any(map(fast, FAST_ON)))"
    done = subprocess.run([sys.executable, "-c", program], env={"ONEIROS_KERNELS": "reference"}, capture_output=True)
    assert done.stdout.split() == [b"False"], done.stderr
