"""Whether several views of a picture at use, their vectors averaged, tell more than the picture itself.

    python bench/views_at_use.py [--draws 5]

*photographs*: embedded by `pocket`, view by view as `fit --views` makes them. Shots are training images,
and so are those that are judged; of Caltech-101 both are of the validation part. Shots are the pictures themselves, or
five views of each, as separate rows. *CLIP*: shots and images to judge are means of ten views (the training part) or
single views (the validation part), each with each, the same classes and as many images. UCF's training part has frames
of one video many times, so that means to judge would have been seen; Cars has no validation part.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from common import SHARED, Row, at_least, record
from feature_tasks import FEATURES, SETS
from inkling.embeddings.embed import embed_images
from inkling.encoders.registry import load_encoder
from inkling.heads.calibration import expected_calibration_error, negative_log_likelihood
from inkling.heads.fitted import FittedHead
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.heads.prediction_sets import Coverage, prediction_sets
from inkling.heads.support import unit_rows
from inkling.images.sources import find_images
from inkling.types import FloatArray, ImageRecord, IntArray

SEED = 0
DATA = SHARED / "data"
ENCODER = "pocket"
SHOTS = {"clothing": 16, "coco_crops": 8, "Caltech-101": 4}
LEAST_JUDGED = 4
VIEWS = (1, 2, 5)
MOST = max(VIEWS)
CLIP_SHOTS = CLIP_JUDGED = 8
COVERAGE = 0.9


@dataclass(frozen=True, eq=False)
class Photographs:
    """Pictures as vectors: X (n_views, n, d + f), the embedding of length d first, and their classes y (n,)."""

    X: FloatArray
    y: IntArray
    d: int

    def averaged(self, rows: IntArray, views: int) -> FloatArray:
        """Means over the first views of some pictures, the embedding of unit length again."""
        mean = self.X[:views, rows].mean(axis=0)
        return np.hstack([unit_rows(mean[:, : self.d]), mean[:, self.d :]])


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=5)
    draws = parser.parse_args().draws
    record("views_at_use", [*photographs(draws), *clip(draws)], seed=SEED, draws=draws)


def photographs(draws: int) -> Iterator[Row]:
    """By set and views of the shots: what more views at use change."""
    gains = []
    for name, shots in SHOTS.items():
        pictures = _embedded(name)
        for of_shots in (1, MOST):
            found = [_judged(pictures, shots, of_shots, seed) for seed in range(draws)]
            for views in VIEWS[1:]:
                row = _gain(f"{name}, {shots} shots of {of_shots} view(s), {views} views at use", found, views)
                gains.append(row.got)
                yield row
    yield at_least("photographs, all: gain in top-1 of several views at use, worst", min(gains), 0.0, all=gains)
    yield at_least("photographs, all: gain in top-1 of several views at use, mean", np.mean(gains), 0.005)


def _gain(what: str, found: Sequence[dict[int, dict[str, float]]], views: int) -> Row:
    """Top-1 with so many views less that with one, and both in full."""
    means = {n: _mean([one[n] for one in found]) for n in (1, views)}
    gains = [one[views]["top1"] - one[1]["top1"] for one in found]
    details = {"one view": means[1], "several": means[views], "draws": gains}
    return Row(f"{what}: top-1 more than with one", float(np.mean(gains)), details=details)


def _mean(found: Sequence[dict[str, float]]) -> dict[str, float]:
    return {key: float(np.mean([one[key] for one in found])) for key in found[0]}


def _judged(pictures: Photographs, shots: int, of_shots: int, seed: int) -> dict[int, dict[str, float]]:
    """Figures by views at use."""
    rng = np.random.default_rng(seed)
    rows = [rng.permutation(np.flatnonzero(pictures.y == k)) for k in range(int(pictures.y.max()) + 1)]
    shot, judged = np.concatenate([one[:shots] for one in rows]), np.concatenate([one[shots:] for one in rows])
    X = np.concatenate([pictures.X[view, shot] for view in range(of_shots)])
    vectors = LabelledVectors.of(
        X, np.tile(pictures.y[shot], of_shots), sources=np.tile(shot, of_shots), embedding_dims=pictures.d
    )
    head = FittedHead.fit("auto", vectors, seed=seed)
    return {views: _figures(head, pictures.averaged(judged, views), pictures.y[judged]) for views in VIEWS}


def _figures(head: FittedHead, X: FloatArray, y: IntArray) -> dict[str, float]:
    p = head.probabilities(X)
    assert head.set_calibration is not None
    members = prediction_sets(p, head.classes, head.set_calibration, Coverage(COVERAGE))
    return {
        "top1": float((p.argmax(axis=1) == y).mean()),
        "nll": negative_log_likelihood(p, y),
        "ece": expected_calibration_error(p, y),
        "coverage": float(members[np.arange(len(y)), y].mean()),
        "size": float(members.sum(axis=1).mean()),
    }


def _embedded(name: str) -> Photographs:
    """Pictures of classes that have enough of them, view by view."""
    encoder, records = load_encoder(ENCODER), _records(name)
    labels = np.array([str(one.label) for one in records])
    names, counts = np.unique(labels, return_counts=True)
    kept = np.isin(labels, names[counts >= SHOTS[name] + LEAST_JUDGED])
    records, y = [records[row] for row in np.flatnonzero(kept)], np.unique(labels[kept], return_inverse=True)[1]
    views = [embed_images(records, encoder, cache=None, view=view) for view in range(MOST)]
    X = [one.embeddings if one.features is None else np.hstack([one.embeddings, one.features]) for one in views]
    return Photographs(np.stack(X), y, encoder.identity.dimension)


def _records(name: str) -> list[ImageRecord]:
    """Pictures of no final figure's test part."""
    if name != "Caltech-101":
        return list(find_images(DATA / name / ("few_shot/train" if name == "coco_crops" else "train")).records)
    of_validation = set(np.load(FEATURES / "caltech101.npz")["val_path"].tolist())
    found = find_images(DATA / "caltech101").records
    return [one for one in found if "/".join(one.path.replace("\\", "/").split("/")[-2:]) in of_validation]


def clip(draws: int) -> Iterator[Row]:
    """CLIP ViT-B/32: means and single views as shots and as images to judge."""
    for name, file in SETS.items():
        arrays = np.load(FEATURES / f"{file}.npz")
        parts = {
            "means": (unit_rows(arrays["train16_x"].astype(np.float64)), arrays["train16_y"]),
            "single views": (unit_rows(arrays["val_x"].astype(np.float64)), arrays["val_y"]),
        }
        kept = np.flatnonzero(np.bincount(arrays["val_y"]) >= CLIP_SHOTS + LEAST_JUDGED)
        for shots in parts:
            found = [_each_with_each(parts, shots, kept, seed) for seed in range(draws)]
            gains = [one["means"]["top1"] - one["single views"]["top1"] for one in found]
            means = {
                part: {key: float(np.mean([one[part][key] for one in found])) for key in found[0][part]}
                for part in parts
            }
            what = f"CLIP, {name}, {CLIP_SHOTS} shots, {shots}: top-1 of means to judge less that of single views"
            yield Row(what, float(np.mean(gains)), details=means | {"draws": gains, "classes": len(kept)})


def _each_with_each(
    parts: dict[str, tuple[FloatArray, IntArray]], shots: str, kept: IntArray, seed: int
) -> dict[str, dict[str, float]]:
    """Figures on means and on single views of images that are no shots."""
    rng = np.random.default_rng(seed)
    drawn = {part: [rng.permutation(np.flatnonzero(y == k)) for k in kept] for part, (_, y) in parts.items()}
    X, column = parts[shots][0], np.arange(len(kept))
    rows = np.concatenate([one[:CLIP_SHOTS] for one in drawn[shots]])
    vectors = LabelledVectors.of(X[rows], np.repeat(column, CLIP_SHOTS))
    head = FittedHead.fit("auto", vectors, seed=seed)
    found = {}
    for part, (judged_X, _) in parts.items():
        judged = [one[CLIP_SHOTS:][:CLIP_JUDGED] for one in drawn[part]]
        y = np.repeat(column, [len(one) for one in judged])
        found[part] = _figures(head, judged_X[np.concatenate(judged)], y)
    return found


if __name__ == "__main__":
    main()
