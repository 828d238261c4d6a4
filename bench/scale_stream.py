"""A stream of drawn images, one in a hundred of a class that is not known: time, memory and proposals as it goes on.

    python bench/scale_stream.py    # one run, its figures as JSON

p-values are conformal: an image scores the cosine to the nearest centre of a known class in the whitened space, against
other images of known classes. New classes are of kinds that no known class is of.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from common import Row, at_most
from drawn_mixture import Mixture
from inkling.discovery import Stream
from inkling.discovery.space import Space
from inkling.types import FloatArray
from scale_search import peak_bytes

SEED = 0
N = int(os.environ.get("STREAM", 10_000_000))
"""Images; fewer for a trial, which the names of the rows then say."""
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
    told_of_them = ("proposed", "of_the_commonest_class", "new_classes_found", "found_s")
    details = {"new_classes": NEW, **{name: told[name] for name in told_of_them}}
    yield Row(f"{what}: proposals at the end", told["proposals"], details=details)


def measure() -> dict[str, object]:
    """Observe all, and look for proposals at the end."""
    rng = np.random.default_rng(SEED)
    mixture = Mixture.of(KNOWN, rng)
    mixture = replace(mixture, classes=np.concatenate([mixture.classes, Mixture.of(NEW, rng).classes]))
    known_y = np.repeat(np.arange(KNOWN), SHOTS)
    known_X = mixture.images(known_y, rng)
    stream, space = Stream(known_X, known_y, seed=SEED), Space.of(known_X, known_y)
    others = np.sort(_scores(space, mixture.images(rng.integers(KNOWN, size=CALIBRATION), rng)))
    seconds, kept, of_class = np.zeros(TENTHS), [], np.zeros(N, dtype=np.int16)
    for at in range(N // PART):
        new = rng.random(PART) < SHARE_NEW
        y = np.where(new, KNOWN + rng.integers(NEW, size=PART), rng.integers(KNOWN, size=PART))
        of_class[at * PART : (at + 1) * PART] = y
        X = mixture.images(y, rng)
        p_known = (1 + np.searchsorted(others, _scores(space, X))) / (1 + CALIBRATION)
        started = time.perf_counter()
        stream.observe(X, p_known)
        seconds[at * TENTHS * PART // N] += time.perf_counter() - started
        kept.append(len(stream.kept) - len(stream.absorbed))
    started = time.perf_counter()
    proposals = stream.found().proposals
    took = time.perf_counter() - started
    commonest = [np.bincount(of_class[it.rows]) for it in proposals]
    proposed = sum(int(counts.sum()) for counts in commonest)
    return {
        "ms_of_each_tenth": (1e3 * TENTHS * seconds / N).tolist(),
        "kept": kept[:: max(len(kept) // TENTHS, 1)],
        "peak_bytes": peak_bytes(),
        "proposals": len(proposals),
        "proposed": proposed,
        "of_the_commonest_class": sum(int(counts.max()) for counts in commonest) / max(proposed, 1),
        "new_classes_found": len({int(counts.argmax()) for counts in commonest if counts.argmax() >= KNOWN}),
        "found_s": took,
    }


def _scores(space: Space, X: FloatArray) -> FloatArray:
    """Cosine of each image (n, d) to the nearest centre of a known class, (n,)."""
    return np.asarray((space(X) @ space.centres.T / np.linalg.norm(space.centres, axis=1)).max(axis=1))


PARTS: dict[str, Callable[[], Iterator[Row]]] = {"stream": rows}

if __name__ == "__main__":
    print(json.dumps(measure()))
