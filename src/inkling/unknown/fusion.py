"""Scores put on one scale and weighed by what they are worth on classes that were left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from inkling.heads.conformal import Slack
from inkling.types import BoolArray, FloatArray, IntArray

RIDGE_CLASSES = 3.0
"""The ridge on the weights is (3 / number of classes left out)^2: few classes settle little.

Chosen once for all data, on validation images of three sets and on left-out classes of a fourth.
"""
RIDGE_BESIDE_TRUSTED = 10.0
"""The same for weights beside those of trusted scores; on validation images of four sets 6 to 15 make no difference."""
CLIP = 6.0
"""Standard deviations beyond which a score says no more about the weights."""


@dataclass(frozen=True, eq=False)
class Scale:
    """Mean and standard deviation of each score over known images, (n_scores,)."""

    mean: FloatArray
    deviation: FloatArray

    @classmethod
    def of(cls, table: FloatArray) -> Scale:
        """Scale of scores (n, n_scores) of known images that the scores were not fitted on."""
        deviation = table.std(axis=0)
        return cls(table.mean(axis=0), np.where(deviation > 1e-9 * np.abs(table).max(axis=0), deviation, np.inf))

    def __call__(self, table: FloatArray) -> FloatArray:
        """Scores in standard deviations; one that does not vary is 0."""
        return cast(FloatArray, (table - self.mean) / self.deviation)


@dataclass(frozen=True, eq=False)
class Evidence:
    """Scores of images while some classes were left out.

    Attributes
    ----------
    table
        Standardised scores (n, n_scores); the fit saw neither the image nor any class left out.
    unknown
        Which images are of a class left out, (n,).
    classes
        Class of each image, (n,).
    part
        Which classes were left out together, (n,).
    trusted
        Which scores count alike unless the images show otherwise, (n_scores,); None: none.
    """

    table: FloatArray
    unknown: BoolArray
    classes: IntArray
    part: IntArray
    trusted: BoolArray | None = None

    @classmethod
    def together(cls, rounds: Sequence[Evidence], parts: Sequence[int]) -> Evidence:
        """Evidence of several rounds, and which part each belongs to.

        A single part is cut in two, every other class, known and unknown, in each.
        """
        table, unknown, classes = (
            np.concatenate([getattr(one, name) for one in rounds]) for name in ("table", "unknown", "classes")
        )
        part = np.repeat(parts, [len(one.classes) for one in rounds])
        if len(set(parts)) == 1:
            for side in (unknown, ~unknown):
                part[side] = np.unique(classes[side], return_inverse=True)[1] % 2
        return cls(table, unknown, classes, part, rounds[0].trusted)

    @property
    def can_be_nested(self) -> bool:
        """Whether there are parts to judge each other, with known and unknown images in each."""
        sides = [np.unique(self.unknown[self.part == part]) for part in np.unique(self.part)]
        return len(sides) > 1 and all(len(side) == 2 for side in sides)

    @property
    def n_left_out(self) -> int:
        """Number of classes that were left out."""
        return len(np.unique(self.classes[self.unknown]))

    def only(self, rows: BoolArray) -> Evidence:
        """Some of the images."""
        return replace(
            self,
            table=self.table[rows],
            unknown=self.unknown[rows],
            classes=self.classes[rows],
            part=self.part[rows],
        )

    def weights(self) -> FloatArray:
        """Weights >= 0 of the scores, their sum 1, that tell unknown from known images best.

        Logistic loss, known and unknown images counting half each. The trusted scores have one weight in common, and
        what any score has beside it is held small by a ridge. All of it is convex, so nothing is left to chance.
        """
        from scipy.optimize import minimize

        table = np.clip(self.table, -CLIP, CLIP)
        share = np.where(self.unknown, 0.5 / self.unknown.sum(), 0.5 / (~self.unknown).sum())
        sign = np.where(self.unknown, 1.0, -1.0)
        common = np.zeros(table.shape[1]) if self.trusted is None else self.trusted / max(self.trusted.sum(), 1)
        ridge = ((RIDGE_BESIDE_TRUSTED if common.any() else RIDGE_CLASSES) / self.n_left_out) ** 2
        n_scores = table.shape[1]

        def loss(point: FloatArray) -> tuple[float, FloatArray]:
            own, offset = point[1:-1], point[-1]
            margin = sign * (table @ (point[0] * common + own) + offset)
            slope = -share * sign / (1.0 + np.exp(np.clip(margin, -500, 500)))
            by_weight = table.T @ slope
            value = (share * np.logaddexp(0.0, -margin)).sum() + ridge * (own**2).sum()
            return float(value), np.array([by_weight @ common, *(by_weight + 2.0 * ridge * own), slope.sum()])

        bounds = [(0.0, None)] * (1 + n_scores) + [(None, None)]
        start = np.array([1.0, *np.zeros(n_scores), 0.0])
        point = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B").x
        found = point[0] * common + point[1:-1]
        return np.asarray(found / found.sum() if found.any() else np.full(n_scores, 1.0 / n_scores))

    def nested_fused(self) -> FloatArray:
        """Fused score of each image, the weights found on the other parts: what to expect of classes never met."""
        fused = np.empty(len(self.table))
        for part in np.unique(self.part):
            out = self.part == part
            fused[out] = self.table[out] @ self.only(~out).weights()
        return fused

    def aurocs(self, score: FloatArray) -> Mapping[int, float]:
        """AUROC of each class left out against the known images scored beside it."""
        found = {}
        for part in np.unique(self.part):
            here = self.part == part
            known = score[here & ~self.unknown]
            for left_out in np.unique(self.classes[here & self.unknown]):
                unknown = score[here & self.unknown & (self.classes == left_out)]
                found[int(left_out)] = auroc(unknown, known)
        return found

    def known_moved(self, score: FloatArray, deviations: float) -> FloatArray:
        """Score (n,) with that of known images moved by so many of their deviations."""
        return np.where(self.unknown, score, score + deviations * score[~self.unknown].std())

    def auroc_range(self, score: FloatArray, slack: Slack, *, level: float = 0.9) -> tuple[float, float]:
        """Where the mean AUROC of as many classes lies that were never known.

        Classes differ, and those left out are a draw as those to come are: the means of K each differ by s sqrt(2 / K),
        with s the deviation among the classes left out (Student's t). Scores of known images to come may lie lower or
        higher than those of the images here.

        Parameters
        ----------
        score
            Of all images, (n,).
        slack
            How known images to come may differ.
        level
            Probability of the range, if classes to come are like these.
        """
        from scipy.special import stdtrit

        n = self.n_left_out
        if n < 2:
            return 0.0, 1.0
        apart = np.std(list(self.aurocs(score).values()), ddof=1) * np.sqrt(2.0 / n) * stdtrit(n - 1, 0.5 + level / 2)
        low, high = (
            np.mean(list(self.aurocs(self.known_moved(score, by)).values())) for by in (slack.harder, -slack.easier)
        )
        return max(float(low - apart), 0.0), min(float(high + apart), 1.0)


def auroc(unknown: FloatArray, known: FloatArray) -> float:
    """Probability that an unknown image scores above a known one, ties counting half."""
    ordered = np.sort(known)
    below = np.searchsorted(ordered, unknown, side="left") + np.searchsorted(ordered, unknown, side="right")
    return float(below.mean() / (2.0 * len(ordered)))
