"""One pass over drawn vectors: seconds, and how much memory the process ever had, each size in a process of its own.

    python bench/scale_fit.py FOLDER

Vectors are of a mixture of 10,000 classes in 512 dimensions, in parts of float16, each drawn from its own seed into a
temporary folder. The memory holds 10 exemplars a class, whatever the number of vectors.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from common import Row, at_most

CLASSES, DIMS, PART = 10_000, 512, 50_000
SIZES = (100_000, 1_000_000, 10_000_000)
GIB = 4.0
SPREAD = 1.0 / np.sqrt(DIMS)
"""Of images about the centre of their class, whose length is 1, along each direction."""


def fit_rows() -> Iterator[Row]:
    """Sizes one after another; parts of the smaller ones are the first of the larger."""
    seconds = {}
    with tempfile.TemporaryDirectory() as name:
        folder, drawn = Path(name), 0
        for n in SIZES:
            for part in range(drawn // PART, n // PART):
                _draw(folder, part)
            drawn = n
            told = subprocess.run([sys.executable, __file__, name], check=True, capture_output=True, text=True).stdout
            found = json.loads(told)
            seconds[n] = found["pass_seconds"]
            what = f"one pass over {n:,} x {DIMS}, {CLASSES:,} classes, auto"
            yield at_most(f"{what}, peak GiB", found["peak_gib"], GIB)
            yield Row(f"{what}, s", found["seconds"], details=found)
    small, large = SIZES[1:]
    slope = np.log(seconds[large] / seconds[small]) / np.log(large / small)
    yield at_most(f"growth of the pass from {small:,} to {large:,} vectors, exponent", slope, 1.1)


def _draw(folder: Path, part: int) -> None:
    rng = np.random.default_rng(part)
    y = rng.integers(0, CLASSES, PART)
    X = rng.standard_normal((PART, DIMS), dtype=np.float32) * np.float32(SPREAD) + _centres()[y]
    flat = pa.array(X.astype(np.float16).ravel(), pa.float16())
    labels = pa.array(y).cast(pa.string())
    table = pa.table({"label": labels, "embedding": pa.FixedSizeListArray.from_arrays(flat, DIMS)})
    parquet.write_table(table, folder / f"{part:06d}.parquet", compression="none", use_dictionary=["label"])


def _centres() -> np.ndarray:
    centres = np.random.default_rng(CLASSES).standard_normal((CLASSES, DIMS), dtype=np.float32)
    return centres / np.linalg.norm(centres, axis=1, keepdims=True)


def _measure(folder: str) -> dict[str, float]:
    from inkling import FewShotClassifier

    marks: list[float] = []
    begin = time.perf_counter()
    classifier = FewShotClassifier().fit_in_one_pass(
        folder, views=1, progress=lambda *_: marks.append(time.perf_counter())
    )
    end = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    fitted = classifier.fitted
    return {
        "seconds": end - begin,
        "pass_seconds": marks[-1] - begin,
        "peak_gib": peak / 2**30,
        "vectors": fitted.one_pass["vectors"],
        "kept": fitted.one_pass["kept"],
        "top1": fitted.fitted_head.calibration["top1"],
    }


PARTS: dict[str, Callable[[], Iterator[Row]]] = {"fit": fit_rows}

if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1])))
