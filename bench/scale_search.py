"""Open the search of a memory in a process of its own, and ask. Prints JSON: times, bytes, what is found.

python bench/scale_search.py MEMORY QUERIES.npy
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from inkling.memory.nearest import NearestExemplars

COUNT = 10


def main() -> None:
    """Ask for the neighbours of each."""
    memory, queries = sys.argv[1], np.load(sys.argv[2])
    started = time.perf_counter()
    search = NearestExemplars(memory)
    search.of(queries[0], count=COUNT)
    opened = time.perf_counter() - started
    told = list(_asked(search, queries))
    search.close()
    milliseconds = [took for took, _ in told]
    figures = {"open_s": opened, "peak_bytes": peak_bytes(), "ms": milliseconds, "found": [found for _, found in told]}
    print(json.dumps(figures))


def peak_bytes() -> int:
    """The most that was resident since this program began, on Linux; `getrusage` counts whom it was forked from."""
    (line,) = [one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


def _asked(search: NearestExemplars, queries: np.ndarray) -> Iterator[tuple[float, list[int]]]:
    for vector in queries:
        started = time.perf_counter()
        found = search.of(vector, count=COUNT)
        yield 1e3 * (time.perf_counter() - started), [int(one.path.removesuffix(".jpg")) for one in found]


if __name__ == "__main__":
    main()
