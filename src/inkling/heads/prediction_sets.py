"""Sets of classes that hold the right one at a rate that is asked for. Arrays only.

A class is in the set of an image where its score is not higher than those of the right classes of held-out images
mostly are: conformal prediction (Vovk et al. 2005), which rests on nothing but that held-out images and those to come
are alike. Held-out images were judged by heads of the other folds, those to come by a head of all images (cross-
conformal, Vovk 2015). No guarantee is proven for that in finite samples, only 1 - 2 alpha for its cousin CV+ (Barber
et al. 2021); and the head of all images knows more, so that sets would hold the right class more often than asked for.
The odds of a miss are carried on from the images that a head of the folds saw to all of them (`LEARNS`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from inkling.errors import InputError
from inkling.heads.checks import check_rate
from inkling.heads.conformal import Conformal, images_needed
from inkling.heads.evidence import grouped_folds
from inkling.types import BoolArray, FloatArray, IntArray
from inkling.wording import counted, rate_text

MOST_HELD_OUT = 2_000
"""Held-out images that sets rest on: with these the realised rate varies by less than a point."""
CHOSEN_AT = 0.1
"""Rate of misses at which the score is chosen that makes the smallest sets."""
SMALLER = 0.98
"""Share of the size of sets by `least` that another score has to stay below to be chosen."""
LEAST, ADAPTIVE, REGULARISED = SCORES = ("least", "adaptive", "regularised")
"""How little an image is like a class. `least`: one minus its probability, which makes the smallest sets where
probabilities are right (Sadinle et al. 2019). `adaptive`: the probability of the classes before it, and its own (Romano
et al. 2020). `regularised`: the same, with a penalty on long sets (Angelopoulos et al. 2021)."""
PENALTY = 0.01
"""Added by `regularised` for each class beyond those that hold the right one nearly always."""
LEARNS = 0.5
"""Odds of a miss fall with the images of a class to this power: on validation images of four sets it takes
off half as much of the surplus of coverage as 1 does, and only one of them falls short by more than .2 points."""
MOST_KEPT, KEPT_DIGITS = 10, 4
"""Likeliest classes whose probabilities are kept of each held-out image, and in how many digits."""
DIGITS = 6
"""Of scores: what differs by rounding alone is a tie."""


@dataclass(frozen=True)
class Coverage:
    """What is asked of prediction sets.

    Attributes
    ----------
    rate
        Share of images whose set holds the right class, 1 - alpha.
    by_class
        Whether the promise holds for each class that has 1 / alpha - 1 held-out images or more (Mondrian: Vovk et al.
        2005), not for all images together; sets are larger then.
    randomized
        Whether chance decides about the class on the edge of a set; else it is in, and sets hold the right class rather
        more often than asked for.

    Raises
    ------
    InputError
        If it is no rate.
    """

    rate: float
    by_class: bool = False
    randomized: bool = False

    def __post_init__(self) -> None:
        check_rate("coverage", self.rate, remedy="0.9 stands for nine in ten.")

    @property
    def alpha(self) -> float:
        """Share of images whose set may lack the right class."""
        return 1.0 - self.rate


@dataclass(frozen=True, eq=False)
class Places:
    """Where classes stand among all classes of an image: three arrays of one shape.

    Attributes
    ----------
    p
        Probability of the class.
    above
        Probability of all classes before it.
    rank
        How many stand before it.
    """

    p: FloatArray
    above: FloatArray
    rank: IntArray

    @classmethod
    def of(cls, p: FloatArray) -> Self:
        """Places of all classes from probabilities (n, n_classes)."""
        order = np.argsort(-p, axis=1, kind="stable")
        ordered = np.take_along_axis(p, order, axis=1)
        above, rank = np.empty_like(p), np.empty(p.shape, dtype=np.int64)
        np.put_along_axis(above, order, np.cumsum(ordered, axis=1) - ordered, axis=1)
        np.put_along_axis(rank, order, np.broadcast_to(np.arange(p.shape[1]), p.shape), axis=1)
        return cls(p, above, rank)

    def of_columns(self, y: IntArray) -> Places:
        """Those of one class of each image, (n,)."""
        rows = np.arange(len(y))
        return Places(self.p[rows, y], self.above[rows, y], self.rank[rows, y])


@dataclass(frozen=True, eq=False)
class Likeliest:
    """The likeliest classes of images.

    Attributes
    ----------
    classes
        Names of columns.
    columns, p
        Columns and probabilities, likeliest first, (n, `MOST_KEPT`) or fewer.
    """

    classes: tuple[Any, ...]
    columns: IntArray
    p: FloatArray

    @classmethod
    def of(cls, p: FloatArray, classes: Sequence[Any]) -> Self:
        """Those of probabilities (n, n_classes)."""
        columns = np.argsort(-p, axis=1, kind="stable")[:, :MOST_KEPT]
        return cls(tuple(classes), columns, np.round(np.take_along_axis(p, columns, axis=1), KEPT_DIGITS))

    def probabilities(self, column: Mapping[Any, int]) -> FloatArray:
        """(n, n_classes): zero but for the likeliest. `column` is where each class stands now; others are left out."""
        now = np.array([column.get(name, len(column)) for name in self.classes], dtype=np.int64)
        full = np.zeros((len(self.columns), len(column) + 1))
        np.put_along_axis(full, now[self.columns], self.p, axis=1)
        return full[:, :-1]


def scores_of(name: str, places: Places, *, usual: int, u: FloatArray | float = 1.0) -> FloatArray:
    """How little images are like classes, in the shape of the places.

    Parameters
    ----------
    name
        Of `SCORES`.
    usual
        For `regularised`: how many classes hold the right one nearly always.
    u
        Share of a class's own probability that counts, for all but `least`.
    """
    if name == LEAST:
        return np.round(1.0 - places.p, DIGITS)
    beyond = np.maximum(places.rank + 1 - usual, 0) if name == REGULARISED else 0
    return np.round(places.above + u * places.p + PENALTY * beyond, DIGITS)


@dataclass(frozen=True, eq=False)
class SetCalibration:
    """What sets rest on: the right classes of images that the head did not see.

    Attributes
    ----------
    labels
        Name of the right class of each image.
    places
        Where it stands, (n,).
    surest
        Probability of the likeliest class of each, (n,).
    score
        Of `SCORES`: which makes the smallest sets.
    folds
        In how many folds the images were held out; 1 where their heads saw as many images as the one in use.
    likeliest
        The likeliest classes of each.
    """

    labels: tuple[str, ...]
    places: Places
    score: str
    folds: int = 1
    likeliest: Likeliest = field(default_factory=lambda: Likeliest((), np.zeros((0, 0), int), np.zeros((0, 0))))

    @classmethod
    def of(
        cls,
        p: FloatArray,
        y: IntArray,
        classes: Sequence[str],
        *,
        sources: IntArray,
        folds: int = 1,
        seed: int = 0,
    ) -> SetCalibration:
        """From calibrated probabilities p (n, n_classes) of held-out images and the columns y (n,) of their labels.

        Parameters
        ----------
        sources
            Source of each image, (n,); one of each counts, since the others add nothing that is independent.
        folds
            As for the class.
        seed
            Draws those that are kept of many.
        """
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(y))
        _, first = np.unique(sources[order], return_index=True)
        rows = np.sort(order[rng.permutation(first)[:MOST_HELD_OUT]])
        every, y = Places.of(p[rows]), y[rows]
        labels = tuple(classes[column] for column in y.tolist())
        found = cls(labels, every.of_columns(y), LEAST, folds, Likeliest.of(p[rows], classes))
        return replace(found, score=found._smallest(every, y, seed=seed))

    def _smallest(self, every: Places, y: IntArray, *, seed: int) -> str:
        """The score whose sets are smallest on images that their thresholds do not rest on."""
        if len(y) < 2 * images_needed(CHOSEN_AT) + 2:
            return LEAST
        halves = grouped_folds(y, np.arange(len(y)), n_folds=2, seed=seed)
        usual = self.usual(CHOSEN_AT)
        sizes = {}
        for name in SCORES:
            own, of_all = (scores_of(name, places, usual=usual) for places in (self.places, every))
            sizes[name] = sum(
                int((of_all[halves == half] <= Conformal(own[halves != half]).threshold(CHOSEN_AT)).sum())
                for half in (0, 1)
            )
        best = min(sizes, key=lambda name: sizes[name])
        return best if sizes[best] < SMALLER * sizes[LEAST] else LEAST

    def usual(self, alpha: float) -> int:
        """How many classes hold the right one in 1 - alpha of the held-out images."""
        return int(np.quantile(self.places.rank, 1.0 - alpha, method="higher")) + 1

    def __len__(self) -> int:
        return len(self.labels)

    def carries(self, coverage: Coverage) -> bool:
        """Whether there are images enough for a coverage."""
        return len(self) >= images_needed(coverage.alpha)

    def alone(self, coverage: Coverage) -> frozenset[str]:
        """Classes that have a threshold of their own at a coverage, where that is asked for."""
        least = images_needed(self.carried(coverage.alpha))
        return frozenset(name for name, n in Counter(self.labels).items() if coverage.by_class and n >= least)

    def carried(self, alpha: float) -> float:
        """Rate of misses among held-out images at which alpha is to be expected of the head of all images."""
        seen = 1.0 - 1.0 / self.folds if self.folds > 1 else 1.0
        odds = alpha / (1.0 - alpha) * seen**-LEARNS
        return float(odds / (1.0 + odds))

    def held_out(self, classes: Sequence[str]) -> tuple[FloatArray, IntArray]:
        """What is kept of the probabilities of images whose class is among these, (n, n_classes), and its column."""
        column = {name: at for at, name in enumerate(classes)}
        y = np.array([column.get(label, -1) for label in self.labels], dtype=np.int64)
        return self.likeliest.probabilities(column)[y >= 0], y[y >= 0]

    def as_kept(self, p: FloatArray) -> FloatArray:
        """Probabilities (n, n_classes) as far as they are kept of held-out images: those of the likeliest classes."""
        most = Likeliest.of(p, range(p.shape[1]))
        return most.probabilities({column: column for column in range(p.shape[1])})

    def to_json(self) -> dict[str, Any]:
        """As a memory keeps it, in six digits."""
        names = list(dict.fromkeys([*self.likeliest.classes, *self.labels]))
        column = {name: at for at, name in enumerate(names)}
        return {
            "score": self.score,
            "names": names,
            "labels": [column[name] for name in self.labels],
            "p": np.round(self.places.p, DIGITS).tolist(),
            "above": np.round(self.places.above, DIGITS).tolist(),
            "rank": self.places.rank.tolist(),
            "folds": self.folds,
            "likeliest": self.likeliest.columns.tolist(),
            "likeliest_p": self.likeliest.p.tolist(),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Inverse of `to_json`."""
        places = Places(np.asarray(kept["p"], float), np.asarray(kept["above"], float), np.asarray(kept["rank"], int))
        labels = tuple(kept["names"][column] for column in kept["labels"])
        shape = len(labels), -1 if labels else 0
        columns, p = np.asarray(kept["likeliest"], int), np.asarray(kept["likeliest_p"], float)
        likeliest = Likeliest(tuple(kept["names"]), columns.reshape(shape), p.reshape(shape))
        return cls(labels, places, kept["score"], kept["folds"], likeliest)


def prediction_sets(
    p: FloatArray,
    classes: Sequence[str],
    calibration: SetCalibration,
    coverage: Coverage,
    *,
    seed: int = 0,
) -> BoolArray:
    """Which classes the set of each image holds, (n, n_classes).

    Parameters
    ----------
    p
        Calibrated probabilities, (n, n_classes).
    classes
        Names of the columns.
    calibration
        What sets rest on.
    coverage
        What is asked of them.
    seed
        Of chance, where it is asked for.

    Raises
    ------
    InputError
        If there are too few held-out images for the coverage.

    Examples
    --------
    >>> p = np.full((40, 2), 0.1)
    >>> p[np.arange(40), np.arange(40) % 2] = 0.9
    >>> calibration = SetCalibration.of(p, np.arange(40) % 2, ("cat", "dog"), sources=np.arange(40))
    >>> prediction_sets(np.array([[0.9, 0.1]]), ("cat", "dog"), calibration, Coverage(0.9))
    array([[ True, False]])
    """
    if not calibration.carries(coverage):
        raise _too_few(len(calibration), coverage)
    alpha = calibration.carried(coverage.alpha)
    name, usual = calibration.score, calibration.usual(alpha)
    rng = np.random.default_rng(seed)

    def chance(n: int) -> FloatArray | float:
        return rng.random(n) if coverage.randomized else 1.0

    own = scores_of(name, calibration.places, usual=usual, u=chance(len(calibration)))
    u = chance(len(p))
    scores = scores_of(name, Places.of(p), usual=usual, u=u if isinstance(u, float) else u[:, None])
    members = np.empty(p.shape, dtype=bool)
    labels, alone = np.asarray(calibration.labels, dtype=object), calibration.alone(coverage)
    for column, label in enumerate(classes):
        members[:, column] = _fits(scores[:, column], own[labels == label] if label in alone else own, alpha, u)
    return members


def _fits(scores: FloatArray, own: FloatArray, alpha: float, u: FloatArray | float) -> BoolArray:
    """Whether the p-value of each score among those of right classes is above alpha; u weighs ties and itself."""
    ordered = np.sort(own)
    higher = len(ordered) - np.searchsorted(ordered, scores, side="right")
    as_high = len(ordered) - np.searchsorted(ordered, scores, side="left") - higher
    return np.asarray((higher + u * (as_high + 1)) / (len(ordered) + 1) > alpha + 1e-9)


def _too_few(n: int, coverage: Coverage) -> InputError:
    """What to say where n held-out images can't carry a coverage."""
    less = f", or ask for a coverage of {np.floor(1000 * n / (n + 1)) / 1000:.3g} or less" if n else ""
    return InputError(
        f"A coverage of {rate_text(coverage.rate)} needs at least {counted(images_needed(coverage.alpha), 'image')}, "
        f"each of another source, held out in fitting, and there are {n}; an image that is alone in its class is none.",
        remedy=f"Add images and fit again{less}.",
    )
