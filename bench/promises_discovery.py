"""How many new classes are found among images of known and new ones, how pure, and by whom else.

Half of the classes are known with 16 shots, as anybody would fit them: sources found, head and detector fitted. The
test images of all classes are one pool; five halves. The shots are means of ten views and the test images single ones.
What discovery does was chosen on the validation parts of the same sets and of Pets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from common import Row, at_least, at_most
from discovery import half, scored_half
from feature_tasks import ALL_SETS, FEATURES, FeatureTask
from inkling.classifier.few_shot import FewShotClassifier
from inkling.heads.support import unit_rows
from inkling.review.known_images import KnownImages

ERROR = {"Caltech-100": 0.15, "Flowers": 0.15, "UCF half": 0.4}
PURITY = {"Caltech-100": 0.92, "Flowers": 0.88, "UCF half": 0.84}
BESIDE = ("k-means with the true number", "HDBSCAN", "closed-set floor")
SHOTS = 16
HALVES = 5


def discovery(_draws: int) -> Iterator[Row]:
    """Error of the number, purity and agreement, by set."""
    for name in ERROR:
        halves = [_scored(ALL_SETS[name], seed) for seed in range(HALVES)]
        values = {key: [one[key] for one in halves] for key in halves[0]}
        mean = {
            key: float(np.mean([one for one in each if not np.isnan(one)] or [np.nan])) for key, each in values.items()
        }
        error = "proposals against true number, relative error"
        yield at_most(f"discovery, {name}: error of the number", mean[error], ERROR[name], all=values[error])
        yield at_least(
            f"discovery, {name}: purity", mean["purity of proposals"], PURITY[name], all=values["purity of proposals"]
        )
        beside = {f"ARI, {other}": mean[f"accuracy, ARI, {other}"] for other in BESIDE}
        yield at_least(
            f"discovery, {name}: ARI, against k-means told the number",
            mean["accuracy, ARI"],
            mean[f"accuracy, ARI, {BESIDE[0]}"],
            **beside,
        )
        yield Row(f"discovery, {name}: halves whose true number lies in the interval", mean["true number within"])
        yield Row(f"discovery, {name}: all figures", mean["proposals"], details=mean)


def _scored(file: str, seed: int) -> dict[str, float]:
    """Figures of one half."""
    with np.load(FEATURES / f"{file}.npz") as arrays:
        X, y = unit_rows(arrays[f"train{SHOTS}_x"].astype(np.float64)), arrays[f"train{SHOTS}_y"].astype(np.int64)
        test_X, test_y = unit_rows(arrays["test_x"].astype(np.float64)), arrays["test_y"].astype(np.int64)
        classes = tuple(str(name) for name in arrays["class_names"])
    task = half(FeatureTask(classes, X, y, None, test_X, test_y), seed)
    classifier = FewShotClassifier("none", seed=seed).fit_embeddings(task.X, task.y)
    detector = classifier.fitted.detector
    assert detector is not None  # 16 shots of 18 classes and more
    known = KnownImages.of(classifier)
    return scored_half(replace(task, X=known.X, y=known.y), np.asarray(detector.p_known(task.test_X)))


PARTS = {"discovery": discovery}
