"""Prediction sets on the command line: what is asked of them, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from inkling.cli.console import note
from inkling.errors import InputError
from inkling.wording import counted

if TYPE_CHECKING:
    from inkling.heads.prediction_sets import Coverage
    from inkling.types import SkippedImage, Verdict

UNLIKE = "these images are less like the classes than training images that were held out."


def asked_sets(coverage: float | None, *, by_class: bool) -> Coverage | None:
    """What ``--coverage`` and ``--by-class`` ask for.

    Raises
    ------
    InputError
        If the second comes without the first.
    """
    from inkling.heads.prediction_sets import Coverage

    if coverage is not None:
        return Coverage(coverage, by_class)
    if by_class:
        raise InputError("--by-class has no effect without --coverage.", remedy="Add --coverage 0.9.")
    return None


class SetTally:
    """What the sets of a run are like, in memory that does not grow.

    Attributes
    ----------
    n_classes
        How many classes are known.
    """

    def __init__(self, asked: Coverage | None, n_classes: int) -> None:
        import numpy as np

        from inkling.discovery.p_values import PValues

        self.asked, self.n_classes = asked, n_classes
        self._n = self._size = self._empty = self._all = 0
        self._p_values = PValues.of(np.zeros(0))

    def counted(self, verdicts: Iterable[Verdict | SkippedImage]) -> Iterator[Verdict | SkippedImage]:
        """The verdicts as they come."""
        for one in verdicts:
            members = getattr(one, "set", None)
            if members is not None:
                self._count(one, len(members))
            yield one

    def _count(self, verdict: Any, size: int) -> None:
        import numpy as np

        self._n += 1
        self._size += size
        self._empty += size == 0
        self._all += size == self.n_classes
        if verdict.p_known is not None:
            self._p_values = self._p_values.with_more(np.array([verdict.p_known]))

    @property
    def likeness(self) -> float:
        """p-value of the images being like the training images."""
        return self._p_values.uniformity

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        assert self.asked is not None
        return {
            "coverage": self.asked.rate,
            "by_class": self.asked.by_class,
            "mean_size": self._size / self._n if self._n else None,
            "empty": self._empty,
            "of_all": self._all,
            "likeness_p": self.likeness,
        }


def tell_sets(tally: SetTally) -> None:
    """How large sets are, what empty and full ones say, and whether the promise holds for these images."""
    from inkling.classifier.set_predictor import UNLIKE_TRAINING
    from inkling.discovery.p_values import UNLIKELY

    if tally.asked is None:
        return
    told = tally.to_json()
    if told["mean_size"] is not None:
        note(f"Sets for a coverage of {tally.asked.rate:.3g} hold {told['mean_size']:.2f} classes in the mean.")
    if told["empty"]:
        note(f"{counted(told['empty'], 'set is', 'sets are')} empty: no class is as likely as right ones mostly are.")
    if told["of_all"]:
        note(f"{counted(told['of_all'], 'set holds', 'sets hold')} every class: these images tell nothing of them.")
    if tally.likeness < UNLIKELY:
        note(UNLIKE_TRAINING)


def tell_coverage(measured: Mapping[str, Any]) -> None:
    """Whether sets hold the right class as often as was asked for, and of which class least often."""
    realised, (low, _) = measured["realised"], measured["expected"]
    note(
        f"Sets for a coverage of {measured['coverage']:.3g} hold the right class for {realised['share']:.1%} of "
        f"{counted(realised['n'], 'image')} ({low:.1%} or more expected), and {measured['mean_size']:.2f} classes in "
        "the mean."
    )
    name, worst = min(measured["per_class"].items(), key=lambda item: item[1]["share"])
    if worst["ci95"][1] < measured["coverage"]:
        note(
            f"Least often for {name}: {worst['share']:.1%} of {counted(worst['n'], 'image')}; --by-class promises each."
        )
    if not measured["as_expected"]:
        note(f"That is less than promised{': ' + UNLIKE if measured['unlike_training'] else '.'}")
