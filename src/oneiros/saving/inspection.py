"""Reads the whole structure of an HDF5 file in a separate process: ``python inspection.py FILE LIMITS``.

The HDF5 library was not made for files from strangers: crafted or damaged ones make it loop for ever, take all memory
or crash. Here it may. The process that loads the model asks the same questions of the same library, so it can read
what passes here. Nothing but h5py is imported, so that the process starts quickly.

It prints `READY`, and then a line that says what is wrong, if anything is.
"""

import json
import sys
from typing import Any

OBJECT_LIMIT = 1_000_000
ATTRIBUTE_LIMIT = 64 << 20  # bytes of one attribute
READY = "ready"  # printed when everything is imported: what fails later is the file's fault


def inspect(path: str) -> None:
    import h5py

    seen = 0

    def look(name, item):
        nonlocal seen
        seen += 1
        if seen > OBJECT_LIMIT:
            raise MemoryError(f"more than {OBJECT_LIMIT} objects")
        _attributes(item)
        if isinstance(item, h5py.Dataset):
            _dataset(item)

    with h5py.File(path, "r") as file:
        look("/", file)
        file.visititems(look)  # each object once, links to elsewhere are not followed


def _attributes(item):
    for name in item.attrs:
        attribute = item.attrs.get_id(name)
        if attribute.get_space().get_select_npoints():  # HDF5 fails on the size of empty ones
            size = attribute.get_storage_size()
            if size > ATTRIBUTE_LIMIT:
                raise MemoryError(f"the attribute {name!r} has {size} bytes")
        item.attrs[name]


def _dataset(item):
    if item.shape is None or item.is_virtual or item.external:
        return  # the reader refuses it
    item.dtype, item.id.get_storage_size()
    if item.chunks:  # each stored chunk is unpacked once; missing ones are not filled
        for i in range(item.id.get_num_chunks()):
            start = item.id.get_chunk_info(i).chunk_offset
            item[tuple(slice(first, first + length) for first, length in zip(start, item.chunks))]


def limit(seconds: int, memory: int) -> None:
    """Limits the time and the further memory of this process."""
    try:
        import resource
    except ImportError:  # Windows: the caller's clock is the only limit
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    try:
        with open("/proc/self/statm") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (now + memory, now + memory))


def main(path: str, options: Any) -> None:
    options = json.loads(options)
    sys.path[:] = options["sys_path"]
    import h5py  # noqa: F401

    limit(options["seconds"], options["memory"])
    print(READY, flush=True)
    try:
        inspect(path)
    except MemoryError as error:
        print(f"too large: {error}")
    except Exception as error:
        print(f"damaged: {error}")


if __name__ == "__main__":
    main(*sys.argv[1:])
