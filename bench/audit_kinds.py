"""Kinds of findings by themselves: outliers, blurred pictures and names that don't match, planted among what is sound.

*Outliers.* Real CLIP features with 16, 8 and 4 images a class, of at most 80 classes and of four fifths of them. A
fiftieth as many images get a label at random: of classes that were left out, or of another data set. Three draws.

*Blurred.* All photographs of Caltech-101, of clothing and of crops of vehicles, as they are and after a Gaussian blur
whose radius is 4 % of the longer side.

*Two clusters.* Real CLIP features of single views (test parts) of at most 60 classes, the same number of images of
each. Ten classes at most are halves of two, drawn at random, or of one and the class that looks most like it. Three
draws each.

*Names.* Real CLIP features with texts. Ten classes get the texts of ten others, which are left out.

The thresholds were chosen on these same sets, so these figures flatter. That of two clusters was chosen on other
draws of Caltech-100 and Cars and on other frames of UCF101, and not on Flowers and Pets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from audit_planted import CROPS
from common import SHARED, Row
from feature_tasks import FeatureTask, caltech_43, image_task, imagenet_329, test_part
from inkling.auditing.checks.files import CHECK as FILES
from inkling.auditing.checks.names import CHECK as NAMES
from inkling.auditing.outliers import outliers
from inkling.auditing.subject import Subject
from inkling.auditing.two_clusters import two_clusters
from inkling.embeddings.samples import given_samples
from inkling.heads.one_source import Bursts
from inkling.heads.support import unit_rows
from inkling.images.decode import decode, thumbnail
from inkling.types import ClassEntry, FloatArray, IntArray

OTHER_SET = {"Caltech-100": "Flowers", "Flowers": "Pets", "Pets": "Caltech-100"}
SHOTS = (16, 8, 4)
MOST_CLASSES, KEPT, PLANTED, DRAWS = 80, 0.8, 0.02, 3
PHOTOGRAPHS = (SHARED / "data" / "caltech101", SHARED / "data" / "clothing", CROPS)
RADIUS = 0.04
CLUSTERED = {"Caltech-100": (8, 16), "Flowers": (8, 16), "Pets": (8, 16, 32, 64), "UCF101": (8, 16), "Cars": (8,)}
CLUSTERED_CLASSES, MERGED, MERGED_SHARE = 60, 10, 4
WRONG_NAMES = 10
SEED = 0


def rows() -> Iterator[Row]:
    """Shares that are found among what was planted, and among what is sound."""
    for name, shots, source in product(OTHER_SET, SHOTS, ("left out", "another set")):
        yield _outliers(name, shots, source)
    for name, sizes in CLUSTERED.items():
        for size in sizes:
            yield from _two_clusters(name, size)
    yield from _blurred()
    yield from _names("Caltech-43", caltech_43(16))
    yield from _names("ImageNet-329", imagenet_329(0), imagenet_329(0).test_X)


def _outliers(name: str, shots: int, source: str) -> Row:
    draws = [_outliers_found(name, shots, source, seed) for seed in range(DRAWS)]
    planted, sound = np.mean(draws, axis=0)
    what = f"outliers of {source} among {name}, {shots} images a class: share found"
    return Row(what, float(planted), details={"sound": float(sound), "most_sound": float(np.max(draws, axis=0)[1])})


def _outliers_found(name: str, shots: int, source: str, seed: int) -> tuple[float, float]:
    """Shares of the planted images, and of the sound ones, that are said to be outliers."""
    rng, task = np.random.default_rng(seed), image_task(name, shots)
    order = rng.permutation(len(task.classes))
    known = order[: min(MOST_CLASSES, round(KEPT * len(order)))]
    kept = np.isin(task.y, known)
    foreign = task.X[~kept] if source == "left out" else image_task(OTHER_SET[name], shots).X
    foreign = foreign[rng.permutation(len(foreign))[: round(PLANTED * kept.sum())]]
    y = np.concatenate([task.y[kept], rng.choice(known, len(foreign))])
    found = np.isin(np.arange(len(y)), outliers(np.vstack([task.X[kept], foreign]), y, seed=seed).rows)
    n_sound = int(kept.sum())
    return float(found[n_sound:].mean()), float(found[:n_sound].mean())


def _two_clusters(name: str, size: int) -> Iterator[Row]:
    """Shares of merged classes that are found, with that of the sound ones that are."""
    sound: list[bool] = []
    found: dict[str, list[bool]] = {"at random": [], "that look alike": []}
    for (how, merged), seed in product(found.items(), range(DRAWS)):
        X, y, n_merged = _merged_classes(name, size, seed, alike=how != "at random")
        bursts = Bursts.of(X, y, seed=seed)
        two = np.isin(np.arange(y.max() + 1), [one.k for one in two_clusters(X, y, bursts.source, seed=seed)])
        merged += two[:n_merged].tolist()
        sound += two[n_merged:].tolist()
    for how, merged in found.items():
        what = f"two clusters: pairs {how} as one class of {size} images, {name}: share found"
        details = {"of": len(merged), "sound": float(np.mean(sound)), "sound_of": len(sound)}
        yield Row(what, float(np.mean(merged)), details=details)


def _merged_classes(name: str, size: int, seed: int, *, alike: bool) -> tuple[FloatArray, IntArray, int]:
    """Vectors and classes; the first classes, as many as the last number, are halves of two."""
    rng, (X, y) = np.random.default_rng(seed), test_part(name)
    classes = rng.permutation(np.flatnonzero(np.bincount(y) >= size))[:CLUSTERED_CLASSES]
    means = unit_rows(np.stack([X[y == k].mean(axis=0) for k in classes]))
    near = np.where(np.eye(len(classes), dtype=bool), -1.0, means @ means.T)
    free, halves = list(range(len(classes))), []
    for _ in range(min(MERGED, len(classes) // MERGED_SHARE)):
        first = free.pop()
        second = max(free, key=lambda k: near[first, k]) if alike else int(rng.choice(free))
        free.remove(second)
        halves.append((first, second))
    parts = [[classes[k] for k in pair] for pair in halves] + [[classes[k]] for k in free]
    drawn = [[rng.permutation(np.flatnonzero(y == k))[: size // len(part)] for k in part] for part in parts]
    rows = np.concatenate([np.concatenate(one) for one in drawn])
    return X[rows], np.repeat(np.arange(len(parts)), size), len(halves)


def _blurred() -> Iterator[Row]:
    files = sorted(path for place in PHOTOGRAPHS for path in place.rglob("*.jpg"))
    for how, change in {"as they are": _as_it_is, "after a blur": _soft}.items():
        n = _n_blurred(files, change)
        yield Row(f"photographs {how}: share said to be blurred", n / len(files), details={"n": n, "of": len(files)})


def _as_it_is(picture: Image.Image) -> Image.Image:
    return picture


def _soft(picture: Image.Image) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(RADIUS * max(picture.size)))


def _n_blurred(files: Sequence[Path], change: Callable[[Image.Image], Image.Image]) -> int:
    small = tuple(thumbnail(change(decode(path.read_bytes()))) for path in files)
    labels = [path.parent.name for path in files]
    samples = given_samples(np.ones((len(files), 1)), labels, logit_scale=1.0)
    entries = tuple(ClassEntry(name) for name in sorted(set(labels)))
    found = FILES.find(Subject(replace(samples, thumbnails=small), entries))
    return sum(one.kind == "blurred" for one in found)


def _names(name: str, task: FeatureTask, more: FloatArray | None = None) -> Iterator[Row]:
    """`more` has an image of each class, in their order."""
    assert task.text is not None
    n = len(task.classes)
    X = task.X if more is None else np.vstack([task.X, more])
    y = task.y if more is None else np.concatenate([task.y, np.arange(n)])
    found = _named_wrongly(X, y, task.text)
    yield Row(f"{name}: share of the classes whose name is said not to match", len(found) / n, details={"of": n})
    order = np.random.default_rng(SEED).permutation(n)
    wrong, left_out = order[:WRONG_NAMES], order[WRONG_NAMES : 2 * WRONG_NAMES]
    text = task.text.copy()
    text[wrong] = text[left_out]
    kept = ~np.isin(y, left_out)
    found = _named_wrongly(X[kept], y[kept], text)
    share = len(found & set(wrong.tolist())) / WRONG_NAMES
    others = len(found - set(wrong.tolist())) / (n - 2 * WRONG_NAMES)
    what = f"{name}, {WRONG_NAMES} classes with texts of others: share of these whose name is said not to match"
    yield Row(what, share, details={"others": others})


def _named_wrongly(X: FloatArray, y: IntArray, text: FloatArray) -> set[int]:
    """Classes whose name is said not to match."""
    entries = tuple(ClassEntry(str(k), text_vector=text[k].astype(np.float32)) for k in np.unique(y))
    order = tuple(sorted(entries, key=lambda entry: entry.name))
    samples = given_samples(X, [str(k) for k in y], logit_scale=100.0)
    return {int(one.classes[0]) for one in NAMES.find(Subject(samples, order, seed=SEED))}
