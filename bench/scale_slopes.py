"""How the cost of each verb grows in images, classes and dimensions: each measured at 1, 2 and 4 times a size.

Verbs are run as users run them, on drawn vectors, each in a process of its own; `embed` reads drawn pictures. From the
seconds and the memory of a run is taken what the same verb costs on next to nothing, which is the start of the program.
The exponent b of cost = a n^b is the slope of a line through the logarithms.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from common import Row
from inkling.heads.support import unit_rows
from inkling.sketch import write_dataset
from inkling.types import FloatArray
from processes import Cost, cost_of

SEED = 0
TIMES = (1, 2, 4)
SPREAD = 0.6
"""Of images around the centre of their class: less than between classes, as with real encoders."""
NEW_SHARE = 0.1
"""Of the images to discover in: those of classes that the memory does not know."""
MIB = 2**20


@dataclass(frozen=True)
class Size:
    """Of a task."""

    images: int = 4_000
    classes: int = 100
    dimensions: int = 512

    def times(self, axis: str, factor: int) -> Size:
        """One of them as many times as large."""
        return replace(self, **{axis: getattr(self, axis) * factor})


NOTHING = Size(images=40, classes=4, dimensions=32)
AXES = ("images", "classes", "dimensions")
VERBS: Mapping[str, tuple[str, ...]] = {
    "fit": ("fit", "fit.npz", "--memory", "new.ink", "--views", "1"),
    "predict": ("predict", "m.ink", "test.npz", "--output", "out.csv"),
    "evaluate": ("evaluate", "m.ink", "test.npz"),
    "discover": ("discover", "m.ink", "pool.npz"),
    "audit": ("audit", "m.ink"),
}


def slopes() -> Iterator[Row]:
    """For each verb and axis the exponent of the seconds, with seconds and memory at each size."""
    sizes = {axis: [Size().times(axis, factor) for factor in TIMES] for axis in AXES}
    asked = {NOTHING, *(one for of_axis in sizes.values() for one in of_axis)}
    costs = {size: _costs(size) for size in sorted(asked, key=lambda one: (one.images, one.classes, one.dimensions))}
    for verb in VERBS:
        for axis, of_axis in sizes.items():
            start, found = costs[NOTHING][verb], [costs[size][verb] for size in of_axis]
            yield _row(f"{verb}: exponent in {axis}", [getattr(one, axis) for one in of_axis], start, found)
    yield _embedding()


def _costs(size: Size) -> dict[str, Cost]:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _draw(place, size)
        cost_of(place, "fit", "fit.npz", "--memory", "m.ink", "--views", "1")
        return {verb: cost_of(place, *arguments) for verb, arguments in VERBS.items()}


def _draw(place: Path, size: Size) -> None:
    """Images to fit on, as many to judge, and as many to discover in."""
    rng = np.random.default_rng(SEED)
    centres = unit_rows(rng.standard_normal((size.classes, size.dimensions)))
    new = unit_rows(rng.standard_normal((4, size.dimensions)))
    y = np.arange(size.images) % size.classes
    n_new = int(NEW_SHARE * size.images)
    names = np.array([f"class {k:04d}" for k in range(size.classes)])
    for name in ("fit", "test"):
        np.savez(place / f"{name}.npz", embeddings=_around(centres[y], rng), labels=names[y])
    pool = np.concatenate([centres[y[n_new:]], new[np.arange(n_new) % len(new)]])
    np.savez(place / "pool.npz", embeddings=_around(pool, rng))


def _around(centres: FloatArray, rng: np.random.Generator) -> FloatArray:
    noise = unit_rows(rng.standard_normal(centres.shape))
    return unit_rows(centres + SPREAD * noise).astype(np.float32)


def _embedding() -> Row:
    """Pictures by the smallest encoder; that of others is in `bench/embed.py`."""
    found, counts = [], []
    for factor in (0, *TIMES):
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            write_dataset(place / "photos", ["cat", "tree"], max(1, 200 * factor), seed=SEED)
            counts.append(2 * max(1, 200 * factor))
            found.append(cost_of(place, "embed", "photos", "--encoder", "sketch", "--output", "out.npz"))
    return _row("embed: exponent in images", counts[1:], found[0], found[1:])


def _row(what: str, sizes: list[int], start: Cost, found: list[Cost]) -> Row:
    seconds = [max(one.processor - start.processor, 1e-3) for one in found]
    exponent = float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
    peaks = [(one.peak - start.peak) / MIB for one in found]
    return Row(what, exponent, details={"sizes": sizes, "processor_seconds": seconds, "mib": peaks})


PARTS: Mapping[str, Callable[[], Iterator[Row]]] = {"slopes": slopes}
