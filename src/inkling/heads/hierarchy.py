"""Answers as narrow as an error rate allows: a class, else the narrowest group of classes that is sure enough.

From the likeliest class an answer climbs to wider and wider groups until their probability is above a threshold, the
climbing of hierarchical selective classification (Goren et al. 2024, 2405.11533). An answer is right where it holds the
right class. Raising the threshold makes no right answer wrong, so the highest probability of a wrong group on the way
up is a score that conformal calibration bounds at any rate, as for prediction sets and on the same held-out images.

In the mean over memories that keeps a rate, but of single ones every other one would be above it, the more so the fewer
images were held out. So the threshold is the one that keeps it in nine of ten: risk control with a bound for finite
samples (Bates et al. 2021, 2101.02703; Angelopoulos et al. 2021, 2110.01052), here the exact one of the binomial
distribution. It pays for what exchangeability leaves out as well: held-out images were judged by heads of fewer images.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from inkling.errors import InputError
from inkling.heads.checks import check_rate
from inkling.heads.conformal import images_needed
from inkling.heads.prediction_sets import SetCalibration
from inkling.labels import name_key
from inkling.types import BoolArray, FloatArray, IntArray
from inkling.wording import counted, excerpt, rate_text

CONFIDENCE = 0.9
"""Share of memories in which no more answers are wrong than was asked for."""
DIGITS = 4
"""Of probabilities that are compared: as many as are kept of held-out images."""
RIGHT = -1.0
"""Score of an image whose likeliest class is right: no threshold is too low for it."""


@dataclass(frozen=True)
class Hierarchy:
    """Which group each class and group is part of.

    Attributes
    ----------
    parents
        Group next above, by the name of a class or group.

    Examples
    --------
    >>> Hierarchy.of([("car", "vehicle"), ("bus", "vehicle"), ("vehicle", "thing")]).above("car")
    ('vehicle', 'thing')
    """

    parents: Mapping[str, str]

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Self:
        """From pairs of child and parent; a pair may come again.

        Raises
        ------
        InputError
            If there is none, a child has two parents, or groups hold each other in a circle.
        """
        parents: dict[str, str] = {}
        for child, parent in pairs:
            if parents.setdefault(child, parent) != parent:
                raise InputError(
                    f"'{excerpt(child)}' has two parents: '{excerpt(parents[child])}' and '{excerpt(parent)}'.",
                    remedy="Keep one of them: groups are a tree.",
                )
        if not parents:
            raise InputError("No class has a parent.", remedy="Name at least one child and its parent.")
        found = cls(parents)
        for child in parents:
            found.above(child)
        return found

    def above(self, name: str) -> tuple[str, ...]:
        """Wider and wider groups that a class or group is part of.

        Raises
        ------
        InputError
            If the way up comes back to where it was.
        """
        way = [name]
        while (parent := self.parents.get(way[-1])) is not None:
            if parent in way:
                circle = " > ".join(excerpt(one) for one in [*way[way.index(parent) :], parent])
                raise InputError(f"Groups hold each other in a circle: {circle}.", remedy="Take one step of it out.")
            way.append(parent)
        return tuple(way[1:])

    def check(self, classes: Sequence[str]) -> None:
        """Make sure that it is of these classes.

        Raises
        ------
        InputError
            If one of them is the parent of another; if none of them has a parent, or some have none while other names
            are no classes, which misspelt ones look like.
        """
        groups = set(self.parents.values())
        self._require_no_group(classes)
        without = [name for name in classes if name not in self.parents and name not in groups]
        unknown = [name for name in self.parents if name not in groups and name not in set(classes)]
        if len(without) < len(classes) and not (without and unknown):
            return
        verbs = ("has", "is no class") if len(unknown) == 1 else ("have", "are no classes")
        told = f"{_some(unknown)} {verbs[0]} a parent and {verbs[1]}" if unknown else "No class stands there"
        raise InputError(
            f"The parents are of other classes: {told}; without a parent: {_some(without)}.",
            remedy="Name the classes as the memory does: inkling classes FILE.ink lists them.",
        )

    def groups_like(self, names: Iterable[str]) -> dict[str, str]:
        """Groups of these names, by the name: those that differ by case, blanks or Unicode form alone count too."""
        groups = {name_key(group): group for group in dict.fromkeys(self.parents.values())}
        return {name: groups[key] for name in names if (key := name_key(name)) in groups}

    def _require_no_group(self, classes: Sequence[str]) -> None:
        """Refuse a class that is a group too: the answer of that name would mean either."""
        for name, group in self.groups_like(classes).items():
            group = excerpt(group)
            raise InputError(
                f"Parents must be groups, and '{group}' is a class: the answer '{group}' would mean the class or the "
                "group.",
                remedy=f"Name the group otherwise, such as '{group} group', and give the class '{excerpt(name)}' "
                "that parent too if it is part of it.",
            )


@dataclass(frozen=True)
class Climbing:
    """What is asked of answers that may be groups.

    Attributes
    ----------
    hierarchy
        Of classes and groups.
    error_rate
        Share of images of known classes whose answer may be wrong, if they are like the training images; in nine of
        ten memories it is no larger.

    Raises
    ------
    InputError
        If it is no rate.
    """

    hierarchy: Hierarchy
    error_rate: float = 0.1

    def __post_init__(self) -> None:
        check_rate("error rate", self.error_rate, remedy="0.1 is one in ten.")


@dataclass(frozen=True, eq=False)
class Levels:
    """Classes and the groups above them, in columns.

    Attributes
    ----------
    names
        Of the groups: classes first, in their order, then others; the last, which holds every class, has none.
    members
        Classes that each holds, (n_groups, n_classes).
    ways
        For each class the groups from itself to the one of all, which is repeated, (n_classes, n_steps).
    """

    names: tuple[str | None, ...]
    members: BoolArray
    ways: IntArray

    @classmethod
    def of(cls, hierarchy: Hierarchy, classes: Sequence[str]) -> Self:
        """Those of some classes."""
        ways = [(name, *hierarchy.above(name)) for name in classes]
        names = tuple(dict.fromkeys([*classes, *(group for way in ways for group in way)]))
        row = {name: at for at, name in enumerate(names)}
        members = np.zeros((len(names) + 1, len(classes)), dtype=bool)
        members[-1] = True
        columns = np.full((len(classes), max(map(len, ways)) + 1), len(names))
        for column, way in enumerate(ways):
            rows = [row[name] for name in way]
            members[rows, column] = True
            columns[column, : len(rows)] = rows
        return cls((*names, None), members, columns)

    def masses(self, p: FloatArray, best: IntArray) -> FloatArray:
        """Probability of each group on the way up from the likeliest classes `best` (n,): (n, n_steps)."""
        of_all = np.round(p @ self.members.T.astype(p.dtype), DIGITS)
        return np.asarray(np.take_along_axis(of_all, self.ways[best], axis=1))


@dataclass(frozen=True, eq=False)
class Answers:
    """Groups that are sure enough, one for each image.

    Attributes
    ----------
    groups
        Row of the group in `Levels`, (n,).
    steps
        Steps that it stands above the likeliest class, (n,).
    probabilities
        Its probability, (n,).
    """

    groups: IntArray
    steps: IntArray
    probabilities: FloatArray


def answers(p: FloatArray, levels: Levels, calibration: SetCalibration, error_rate: float) -> Answers:
    """The narrowest group on the way up from the likeliest class whose probability is above the threshold.

    Parameters
    ----------
    p
        Calibrated probabilities, (n, n_classes).
    levels
        Of its classes.
    calibration
        Images that the head did not see.
    error_rate
        As for `Climbing`.

    Raises
    ------
    InputError
        If there are too few held-out images for the rate.
    """
    limit = _threshold(levels, calibration, error_rate)
    best = p.argmax(axis=1)
    ways = levels.ways[best]
    sure = (levels.masses(calibration.as_kept(p), best) > limit) | (ways == len(levels.names) - 1)
    steps = sure.argmax(axis=1)
    groups = ways[np.arange(len(p)), steps]
    probabilities = np.clip((p * levels.members[groups]).sum(axis=1), 0.0, 1.0)
    return Answers(groups, steps, probabilities)


def _threshold(levels: Levels, calibration: SetCalibration, error_rate: float) -> float:
    """Probability that a group must exceed."""
    p, y = calibration.held_out([str(name) for name in levels.names[: levels.members.shape[1]]])
    if len(y) < images_needed(error_rate):
        raise InputError(
            f"An error rate of {rate_text(error_rate)} needs at least {counted(images_needed(error_rate), 'image')}, "
            f"each of another source, held out in fitting, and there are {len(y)}; an image that is alone in its class "
            "is none.",
            remedy=f"Add images and fit again{', or ask for a higher rate' if len(y) else ''}.",
        )
    best = p.argmax(axis=1)
    wrong = ~levels.members[levels.ways[best], y[:, None]]
    scores = np.sort(np.where(wrong, levels.masses(p, best), RIGHT).max(axis=1))
    return float(scores[len(y) - wrong_allowed(len(y), error_rate)])


def wrong_allowed(n: int, error_rate: float) -> int:
    """How many of n held-out images may be answered wrongly, at least 1.

    With l of them the error rate of images to come follows Beta(l, n + 1 - l), which lies below alpha with the
    probability that a binomial variable of n and alpha is l or more. l is the largest for which that is `CONFIDENCE`;
    with too few images for it, 1, which keeps the rate in the mean alone.

    Examples
    --------
    >>> wrong_allowed(200, 0.1), wrong_allowed(22, 0.1), wrong_allowed(12, 0.1)
    (15, 1, 1)
    """
    k = np.arange(n + 1)
    log_choose = np.concatenate([[0.0], np.cumsum(np.log((n - k[1:] + 1) / k[1:]))])
    at_most = np.cumsum(np.exp(log_choose + k * np.log(error_rate) + (n - k) * np.log1p(-error_rate)))
    return max(int(np.searchsorted(at_most, 1.0 - CONFIDENCE, side="right")), 1)


def images_for_one_memory(error_rate: float) -> int:
    """Images that must be held out for an error rate to hold in nine of ten memories, not in the mean alone.

    Examples
    --------
    >>> images_for_one_memory(0.1), images_for_one_memory(0.05)
    (22, 45)
    """
    return int(np.ceil(np.log(1.0 - CONFIDENCE) / np.log1p(-error_rate)))


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{excerpt(name)}'" for name in names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown or "none"
