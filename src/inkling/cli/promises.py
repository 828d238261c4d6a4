"""What is promised of verdicts on the command line: the options, and what came of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inkling.cli.console import note
from inkling.errors import InputError
from inkling.payloads import PROMISED
from inkling.wording import counted, rate_text

if TYPE_CHECKING:
    from inkling.classifier.few_shot import FewShotClassifier
    from inkling.classifier.fitted import FittedClassifier
    from inkling.classifier.promises import Promises
    from inkling.types import SkippedImage, Verdict

UNLIKE = "these images are less like the classes than training images that were held out."
USUAL_ERRORS = 0.1


def asked_promises(
    sets: tuple[float | None, bool, bool], answers: tuple[bool, Path | None, float | None]
) -> Callable[[FewShotClassifier], Promises]:
    """What the options ask for; the groups are looked up for a classifier.

    Parameters
    ----------
    sets
        Coverage, whether by class, and whether by chance.
    answers
        Whether groups may be answers, the file of parents, and the error rate.

    Raises
    ------
    InputError
        If an option comes without the one that it belongs to, or the file of parents can't be used.
    """
    from inkling.classifier.parents import read_parents
    from inkling.classifier.promises import Promises
    from inkling.heads.prediction_sets import Coverage

    (coverage, by_class, randomized), (hierarchy, parents, error_rate) = sets, answers
    _require("--coverage 0.9", coverage is not None, {"--by-class": by_class, "--randomized": randomized})
    _require("--hierarchy", hierarchy, {"--parents": parents is not None, "--error-rate": error_rate is not None})
    asked = None if coverage is None else Coverage(coverage, by_class, randomized)
    groups = read_parents(parents)
    rate = error_rate or (USUAL_ERRORS if asked is None else asked.alpha)

    def of(classifier: FewShotClassifier) -> Promises:
        return Promises(asked, classifier.climbing(parents=groups, error_rate=rate) if hierarchy else None)

    return of


def _require(option: str, given: bool, others: Mapping[str, bool]) -> None:
    """Refuse options that have no effect without another."""
    for other, is_given in others.items():
        if is_given and not given:
            raise InputError(f"{other} has no effect without {option.split()[0]}.", remedy=f"Add {option}.")


class Tally:
    """How promises of a run turned out, in memory that does not grow.

    Attributes
    ----------
    promises
        What was asked for.
    fitted
        What gives the verdicts.
    fewer_views
        Whether the classes were learned from means of more views than those that are judged.
    """

    def __init__(self, promises: Promises, fitted: FittedClassifier, *, fewer_views: bool = False) -> None:
        import numpy as np

        from inkling.discovery.p_values import PValues

        self.promises, self.fitted, self.fewer_views = promises, fitted, fewer_views
        self._sizes: Counter[int] = Counter()
        self._steps: Counter[int | None] = Counter()
        self._p_values = PValues.of(np.zeros(0))

    @property
    def columns(self) -> list[str]:
        """Columns of what was asked for in a flat table."""
        return [one for what, those in PROMISED.items() if getattr(self.promises, what) for one in those]

    def counted(self, verdicts: Iterable[Verdict | SkippedImage]) -> Iterator[Verdict | SkippedImage]:
        """The verdicts as they come."""
        for one in verdicts:
            self._count(one)
            yield one

    def _count(self, verdict: Any) -> None:
        import numpy as np

        members, answer = getattr(verdict, "set", None), getattr(verdict, "answer", None)
        if members is not None:
            self._sizes[len(members)] += 1
        if answer is not None:
            self._steps[None if answer.name is None else answer.steps] += 1
        p_known = None if members is None and answer is None else verdict.p_known
        if p_known is not None:
            self._p_values = self._p_values.with_more(np.array([p_known]))

    @property
    def likeness(self) -> float:
        """p-value of the images being like the training images."""
        return self._p_values.uniformity

    def to_json(self) -> dict[str, Any]:
        """Plain values; nothing of what nobody asked for."""
        return {**self._sets(), **self._answers()}

    def _sets(self) -> dict[str, Any]:
        asked, n = self.promises.coverage, self._sizes.total()
        if asked is None:
            return {}
        told = {
            "coverage": asked.rate,
            "by_class": asked.by_class,
            "randomized": asked.randomized,
            "mean_size": sum(size * count for size, count in self._sizes.items()) / n if n else None,
            "empty": self._sizes[0],
            "of_all": self._sizes[len(self.fitted.classes)],
            **self._likeness(),
        }
        return {"sets": told}

    def _answers(self) -> dict[str, Any]:
        asked = self.promises.climbing
        if asked is None:
            return {}
        steps = {str(step): self._steps[step] for step in sorted(one for one in self._steps if one is not None)}
        told = {"error_rate": asked.error_rate, "steps": steps, "of_all": self._steps[None]}
        return {"answers": told | self._likeness()}

    def _likeness(self) -> dict[str, Any]:
        return {"likeness_p": self.likeness, "fewer_views": self.fewer_views}


def tell_promises(tally: Tally) -> None:
    """How large sets are and how wide answers, what odd ones say, and whether the promise holds for these images."""
    from inkling.classifier.promises import FEWER_VIEWS
    from inkling.classifier.set_predictor import UNLIKE_TRAINING
    from inkling.discovery.p_values import UNLIKELY

    told = tally.to_json()
    if "sets" in told:
        _tell_sets(told["sets"])
        _tell_thresholds(tally)
    if "answers" in told:
        _tell_answers(told["answers"])
        _tell_how_surely(tally)
    if told and tally.fewer_views:
        note(FEWER_VIEWS)
    elif told and tally.likeness < UNLIKELY:
        note(UNLIKE_TRAINING)


def _tell_sets(told: Mapping[str, Any]) -> None:
    if told["mean_size"] is not None:
        note(f"Sets for a coverage of {rate_text(told['coverage'])} hold {told['mean_size']:.2f} classes in the mean.")
    if told["empty"]:
        note(f"{counted(told['empty'], 'set is', 'sets are')} empty: no class is as likely as right ones mostly are.")
    if told["of_all"]:
        note(f"{counted(told['of_all'], 'set holds', 'sets hold')} every class: these images tell nothing of them.")


def _tell_answers(told: Mapping[str, Any]) -> None:
    n_classes, n_groups = told["steps"].get("0", 0), sum(n for step, n in told["steps"].items() if step != "0")
    classes = counted(n_classes, "answer is a class", "answers are classes")
    note(f"At an error rate of {rate_text(told['error_rate'])}: {classes}, {n_groups} a group of classes.")
    if told["of_all"]:
        images = counted(told["of_all"], "image gets", "images get")
        note(f"{images} no answer: no group below that of all classes is sure enough.")


def _tell_thresholds(tally: Tally) -> None:
    """Where a threshold for each class was asked for: which classes have too few images for it."""
    from inkling.heads.checks import name_some

    asked, kept = tally.promises.coverage, tally.fitted.fitted_head.set_calibration
    if asked is None or kept is None or not asked.by_class:
        return
    shared = [name for name in tally.fitted.classes if name not in kept.alone(asked)]
    if shared:
        which = "no class has" if len(shared) == len(tally.fitted.classes) else f"{name_some(shared)} lack"
        note(f"One threshold serves more than one class: {which} the held-out images for one of their own.")


def _tell_how_surely(tally: Tally) -> None:
    """Where too few images were held out for the rate to hold in this memory as in most."""
    from inkling.heads.hierarchy import images_for_one_memory

    asked, kept = tally.promises.climbing, tally.fitted.fitted_head.set_calibration
    if asked is not None and kept is not None and len(kept) < (least := images_for_one_memory(asked.error_rate)):
        images = counted(len(kept), "image was", "images were")
        note(f"{images} held out: this rate holds in the mean over memories, and from {least} on in nine of ten.")


def tell_coverage(measured: Mapping[str, Any]) -> None:
    """Whether sets hold the right class as often as was asked for, and of which class least often."""
    realised, (low, _) = measured["realised"], measured["expected"]
    note(
        f"Sets for a coverage of {rate_text(measured['coverage'])} hold the right class for {realised['share']:.1%} of "
        f"{counted(realised['n'], 'image')} ({low:.1%} or more expected), and {measured['mean_size']:.2f} classes in "
        "the mean."
    )
    name, worst = min(measured["per_class"].items(), key=lambda item: item[1]["share"])
    if worst["ci95"][1] < measured["coverage"]:
        note(
            f"Least often for {name}: {worst['share']:.1%} of {counted(worst['n'], 'image')}; --by-class promises each."
        )
    _tell_shortfall(measured)


def tell_answers(measured: Mapping[str, Any]) -> None:
    """Whether answers are wrong no more often than was asked for, and how many are classes."""
    wrong, (_, high), classes = measured["wrong"], measured["expected"], measured["steps"][0]
    note(
        f"Answers at an error rate of {rate_text(measured['error_rate'])}: {wrong['share']:.1%} of "
        f"{counted(wrong['n'], 'image')} wrong ({high:.1%} or less expected); {classes['answered']['share']:.1%} are "
        f"answered with a class, {measured['of_all']['share']:.1%} not at all."
    )
    _tell_shortfall(measured)


def _tell_shortfall(measured: Mapping[str, Any]) -> None:
    if not measured["as_expected"]:
        note(f"That is less than promised{': ' + UNLIKE if measured['unlike_training'] else '.'}")
