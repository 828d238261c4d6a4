"""A stream of drawn images, one in a hundred of a class that is not known: time, memory and proposals as it goes on.

    python bench/scale_stream.py    # one run, its figures as JSON

Images of known classes have p-values that are uniform, as conformal ones are; those of new classes have low ones.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np

from common import Row, at_most
from drawn_mixture import Mixture
from inkling.discovery import Stream
from scale_search import peak_bytes

SEED = 0
N = int(os.environ.get("STREAM", 100_000))
"""Images; the names of the rows say how many."""
KNOWN, NEW, SHOTS = 100, 20, 16
SHARE_NEW = 0.01
PART, CALIBRATION = 1_000, 1_600
TENTHS = 10


def rows() -> Iterator[Row]:
    """One run in a process of its own."""
    done = subprocess.run([sys.executable, __file__], check=True, capture_output=True, text=True)
    told = json.loads(done.stdout)
    what, tenths = f"stream of {N:,} x 512, {SHARE_NEW:.0%} new", told["ms_of_each_tenth"]
    # The first tenth begins with nothing kept.
    yield at_most(f"{what}: time an image at the end over that at the start", tenths[-1] / tenths[1], 2.0, ms=tenths)
    yield at_most(f"{what}: peak resident, GiB", told["peak_bytes"] / 2**30, 4.0, kept=told["kept"])
    yield Row(
        f"{what}: proposals at the end", told["proposals"], details={"new_classes": NEW, "found_s": told["found_s"]}
    )


def measure() -> dict[str, object]:
    """Observe all, and look for proposals at the end."""
    rng = np.random.default_rng(SEED)
    mixture = Mixture.of(KNOWN + NEW, rng)
    known_y = np.repeat(np.arange(KNOWN), SHOTS)
    stream = Stream(mixture.images(known_y, rng), known_y, seed=SEED)
    seconds, kept = np.zeros(TENTHS), []
    for at in range(N // PART):
        new = rng.random(PART) < SHARE_NEW
        y = np.where(new, KNOWN + rng.integers(NEW, size=PART), rng.integers(KNOWN, size=PART))
        ranks = np.where(new, rng.integers(1, CALIBRATION // 50, size=PART), rng.integers(1, CALIBRATION, size=PART))
        X = mixture.images(y, rng)
        started = time.perf_counter()
        stream.observe(X, ranks / CALIBRATION)
        seconds[at * TENTHS * PART // N] += time.perf_counter() - started
        kept.append(len(stream.kept))
    started = time.perf_counter()
    found = stream.found()
    return {
        "ms_of_each_tenth": (1e3 * TENTHS * seconds / N).tolist(),
        "kept": kept[:: max(len(kept) // TENTHS, 1)],
        "peak_bytes": peak_bytes(),
        "proposals": len(found.proposals),
        "found_s": time.perf_counter() - started,
    }


PARTS: dict[str, Callable[[], Iterator[Row]]] = {"stream": rows}

if __name__ == "__main__":
    print(json.dumps(measure()))
