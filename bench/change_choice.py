"""How far the looks of unknown images lie from those that were learned: new kinds, and changed images of known ones.

A folder that is unlike all known classes holds new kinds, or its images have changed. Half of the classes are learned
from 12 images each. Of the others each makes a folder, and so do three at a time; changed images are of learned classes
and were not learned. `ALL_CHANGED` of `inkling.discovery.change` was chosen here; no detector or encoder takes part.

    python bench/change_choice.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import ImageEnhance, ImageFilter
from PIL.Image import Image

from common import ROOT, SHARED, Row, at_least, at_most, record
from inkling.discovery.change import ALL_CHANGED, mean_ranks
from inkling.images.appearance import appearance_of
from inkling.images.decode import load, thumbnail
from inkling.images.sources import find_images
from inkling.types import FloatArray, ImageRecord

DATA = SHARED / "data"
SETS = {"Caltech-101": DATA / "caltech101", "Clothing": DATA / "clothing" / "train"}
HALVES = 3
LEARNED, UNSEEN, NEW = 12, 2, 15
MIXED, MIXTURES, OF_EACH = 3, 100, 7
MAX_FLAGGED = 0.05
SEED = 0


def _blurred(share: float) -> Callable[[Image], Image]:
    return lambda image: image.filter(ImageFilter.GaussianBlur(max(image.size) * share))


CHANGES: dict[str, Callable[[Image], Image]] = {
    "none": lambda image: image,
    "darkened to 0.7": lambda image: ImageEnhance.Brightness(image).enhance(0.7),
    "darkened to a half": lambda image: ImageEnhance.Brightness(image).enhance(0.5),
    "greyed": lambda image: image.convert("L").convert("RGB"),
    "paled to 0.4": lambda image: ImageEnhance.Color(image).enhance(0.4),
    "blurred by 1/120": _blurred(1 / 120),
    "turned upside down": lambda image: image.rotate(180),
}
STRONG = ("darkened to a half", "greyed", "blurred by 1/120")


def main() -> None:
    """Measure, print, keep."""
    rows = [row for name, folder in SETS.items() for row in measured(name, folder)]
    print(f"Kept in {record('change_choice', rows, seed=SEED).relative_to(ROOT)}")


def measured(name: str, folder: Path) -> Iterator[Row]:
    """Rows of one set, over halves of its classes."""
    halves = [_half(folder, seed) for seed in range(HALVES)]
    for what in ("one new class", f"{MIXED} new classes"):
        away = np.concatenate([half[what] for half in halves])
        details = {"largest": float(away.max()), "folders": len(away)}
        told = f"{name}, folders of {what}: called changed"
        yield at_most(told, float((away >= ALL_CHANGED).mean()), MAX_FLAGGED, **details)
    for change in CHANGES:
        away = np.array([half[change][0] for half in halves])
        told = f"{name}, change {change}: rank away from .5, least of {HALVES} halves"
        details = {"all": away.tolist()}
        if change in STRONG:
            yield at_least(told, away.min(), ALL_CHANGED, **details)
        else:
            yield Row(told, float(away.min()), details=details)


def _half(folder: Path, seed: int) -> dict[str, FloatArray]:
    """How far the measure that tells most lies from .5, for each folder of a kind."""
    rng = np.random.default_rng(seed)
    names = sorted(path for path in folder.iterdir() if path.is_dir() and path.name != "BACKGROUND_Google")
    order = [names[at] for at in rng.permutation(len(names))]
    known, new = order[: len(order) // 2], order[len(order) // 2 :]
    shown = [_drawn(path, LEARNED + UNSEEN, rng) for path in known]
    learned = _looks([one for each in shown for one in each[:LEARNED]])
    unseen = [one for each in shown for one in each[LEARNED:]]
    kinds = [_looks(_drawn(path, NEW, rng)) for path in new]
    mixtures = [rng.choice(len(kinds), MIXED, replace=False) for _ in range(MIXTURES)]
    mixed = [np.concatenate([kinds[at][:OF_EACH] for at in chosen]) for chosen in mixtures]
    found = {"one new class": _away(learned, kinds), f"{MIXED} new classes": _away(learned, mixed)}
    changed = {change: _away(learned, [_looks(unseen, made)]) for change, made in CHANGES.items()}
    return found | changed


def _away(learned: FloatArray, folders: Sequence[FloatArray]) -> FloatArray:
    """For each folder the largest distance of a mean rank from .5, among all learned images."""
    of_all = np.zeros(len(learned), dtype=np.int64)
    # Each image twice: folders of 15 are enough here, where many of them count.
    twice = [np.concatenate([one, one]) for one in folders]
    ranks = [mean_ranks(learned, of_all, one, np.zeros(len(one), dtype=np.int64)) for one in twice]
    return np.array([np.abs(one - 0.5).max() for one in ranks])


def _looks(records: Sequence[ImageRecord], change: Callable[[Image], Image] = CHANGES["none"]) -> FloatArray:
    return appearance_of([thumbnail(change(load(one).image)) for one in records])


def _drawn(folder: Path, n: int, rng: np.random.Generator) -> list[ImageRecord]:
    records = find_images(folder).records
    return [records[at] for at in rng.permutation(len(records))[:n]]


if __name__ == "__main__":
    main()
