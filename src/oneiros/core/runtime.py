"""How the process is set up at import: memory allocation, and the cache of compiled programs."""

import ctypes
import functools
import os
import platform
import sys
from pathlib import Path

_CACHE_BYTES = 2 << 30


def keep_memory():
    """Lets glibc keep freed memory instead of giving it back to the kernel.

    XLA takes large buffers at every step; fresh ones cost a page fault per 4 KB, more than the arithmetic on them.
    `ONEIROS_MALLOC=0` switches this off. Returns whether it was done.
    """
    if os.environ.get("ONEIROS_MALLOC", "1") == "0" or not sys.platform.startswith("linux"):
        return False
    if platform.libc_ver()[0] != "glibc":
        return False
    m_trim_threshold, m_top_pad, m_mmap_max, m_arena_max = -1, -2, -4, -8
    libc = ctypes.CDLL(None)
    libc.mallopt(m_mmap_max, 0)
    libc.mallopt(m_trim_threshold, 2**31 - 1)
    libc.mallopt(m_top_pad, 512 << 20)
    libc.mallopt(m_arena_max, 1)  # the arenas of other threads are small and give memory back
    return True


def cache_folder():
    """Where compiled programs are kept between processes: ``ONEIROS_CACHE``, or a folder in the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("ONEIROS_CACHE") or Path(base) / "oneiros" / "compiled")


def keep_compiled():
    """Switches on JAX's cache of compiled programs on disk, bounded in size; the oldest go first.

    Settings of the user's own (JAX_COMPILATION_CACHE_DIR) are left alone; `ONEIROS_CACHE=0` switches it off.
    """
    import jax

    if os.environ.get("ONEIROS_CACHE") == "0" or jax.config.jax_compilation_cache_dir:
        return False
    try:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:  # a home that cannot be written: start-up is slower, nothing else
        return False
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_compilation_cache_max_size", _CACHE_BYTES)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.05)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
    return True


@functools.cache
def compiler_options():
    """What XLA is told for every program: on CPUs, to take YNNPACK for matrix products alone.

    By default it takes YNNPACK's convolutions as well, which are up to five times slower than its older ones, their
    gradients fifteen times (jaxlib 0.10.2, AVX2). Versions of XLA without this option have only the older ones.
    """
    import jax

    options = {"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT"}
    if jax.default_backend() != "cpu":
        return {}
    try:
        jax.jit(lambda: 0, compiler_options=options).lower().compile()
    except jax.errors.JaxRuntimeError:
        return {}
    return options
