"""Fit one head on many drawn vectors, and say how long it took and how much memory the process ever had.

A process of its own, since the peak of a process never falls. Prints JSON: seconds, peak_gib.

    python bench/large_fit.py gda
"""

from __future__ import annotations

import json
import resource
import sys
import time

import numpy as np

from inkling.heads import head_class

N, DIMS, CLASSES = 100_000, 512, 1_000
SEED = 0


def main() -> None:
    """Draw, fit, report."""
    rng = np.random.default_rng(SEED)
    y = np.arange(N) % CLASSES
    X = rng.standard_normal((N, DIMS), dtype=np.float32)
    X += rng.standard_normal((CLASSES, DIMS), dtype=np.float32)[y]
    head = head_class(sys.argv[1])()
    started = time.perf_counter()
    head.fit(X, y)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({"seconds": seconds, "peak_gib": peak / 2**30}))


if __name__ == "__main__":
    main()
