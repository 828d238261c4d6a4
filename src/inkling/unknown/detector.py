"""The fused detector: is an image of any known class? At a false-alarm rate that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, cast

import numpy as np

from inkling.errors import InputError
from inkling.heads.conformal import Conformal, RateRange, Slack, require_images, variance_between
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.heads.threads import threads_for
from inkling.types import BoolArray, FloatArray, HeadState
from inkling.unknown.choice import Choice
from inkling.unknown.fusion import Scale
from inkling.unknown.known_classes import Known
from inkling.unknown.negatives import Negatives
from inkling.unknown.rounds import calibrate, leave_classes_out
from inkling.unknown.scores import ALWAYS, SCORES, score_table
from inkling.unknown.state import parts_of, state_of
from inkling.unknown.task import Task

ENOUGH_SHOTS = 8
"""Images a class from which on it matters little that a held-out image leaves its class with one fewer."""
FEWER_SHOTS = 4.0
"""Over the shots: by how many deviations known images score lower than held-out ones, whose fit knew fewer images. On
validation images of four sets 0.1 to 0.25 at 8 and 16 shots."""
GAINED = 1.5
"""Over the squared shots, below `ENOUGH_SHOTS` and without texts: how many deviations are taken off the scores of
held-out images, as known images to come are judged by a fit that knows one more of their class. On validation images of
four sets 2 to 5 would make p-values uniform; this is the most that gives no set more low ones than it should have."""
SINGLE_VIEWS = 0.35
"""By how many deviations single views score higher than means of ten views, where classes were learned from such means:
0.3 on validation images of Flowers, 0 to 0.1 of other sets."""
CHUNK = 1024
"""Images scored at a time, so that memory does not grow with their number."""
NOT_ALIKE = "; the upper end is for single views where these vectors are means of several"


@dataclass(frozen=True, eq=False)
class UnknownDetector:
    """Scores fused, and calibrated on known images that no fit saw.

    Attributes
    ----------
    find_known
        Gives the known classes, when images are first scored.
    choice
        Scores and their weights.
    scale
        Mean and deviation of each score over known images.
    conformal
        Calibration of the fused score.
    false_alarms
        Requested rate at which known images may be called unknown.
    dropped
        Why some scores take no part, by name.
    negatives
        Names of no known class that images are compared with; None where there are none.
    tuned
        Whether the encoder was tuned on the images. Then trainings that left them out gave the calibration, and the
        weights are from before.
    """

    find_known: Callable[[], Known]
    choice: Choice
    scale: Scale
    conformal: Conformal
    false_alarms: float
    dropped: Mapping[str, str]
    negatives: Negatives | None = None
    tuned: bool = False

    @classmethod
    def fit(
        cls,
        vectors: LabelledVectors,
        *,
        negatives: Negatives | None = None,
        false_alarms: float = 0.05,
        previous: UnknownDetector | None = None,
        made_alike: bool = True,
        seed: int = 0,
    ) -> UnknownDetector:
        """Learn what known images look like.

        Parameters
        ----------
        vectors
            Labelled vectors. Where the encoder was tuned on the images, a fit on the others, in the space of an encoder
            of the folds, judges those that it did not see. Classes can't be left out of what an encoder was tuned on,
            so weights are those of `previous`, fitted with the encoder as it was; without it all scores count alike.
        negatives
            Names that are no known class, nor near one; or None.
        false_alarms
            Rate at which known images may be called unknown.
        previous
            An earlier detector whose weights hold, for a class more or less: classes are not left out anew, which
            halves the time, and the figures of its report stay. Of one that fold spaces calibrated, scale and
            calibration hold too unless others are given: the encoder knows the images, so they can't calibrate it.
        made_alike
            Whether images to come are embedded as these were. Where nobody can tell, these may be means of several
            views and those single ones, which lie further from their class: the range of the rate takes that in.
        seed
            Draws folds and ensembles.

        Raises
        ------
        InputError
            If there are too few images for the rate.
        """
        task = Task.of(vectors, negatives=None if negatives is None else negatives.vectors, seed=seed)
        tuned = vectors.fold_spaces is not None
        with threads_for(task.X.size):
            known = task.fit(np.ones(len(task.y), dtype=bool)).from_few(vectors, seed=seed)
            if previous is not None and previous.tuned and not tuned:
                return previous._with(known, false_alarms)
            wanted = tuple(SCORES) if previous is None else tuple(dict.fromkeys((*previous.choice.in_use, ALWAYS)))
            calibration = calibrate(task, known, wanted)
            require_images(len(calibration.table), false_alarms)
            gained = 0.0 if tuned else _gained(known)
            slack = Slack(easier=FEWER_SHOTS / known.shots - gained, harder=0.0 if made_alike else SINGLE_VIEWS)
            choice = (
                Choice.of(calibration.names, leave_classes_out(task, calibration.names), slack, gained=gained)
                if previous is None
                else previous.choice.only(calibration.names)
            )
        scale = Scale.of(calibration.table)
        fused = scale(calibration.table) @ choice.weights
        fused -= gained * fused.std()
        conformal = Conformal(fused, replace(slack, between=variance_between(fused, calibration.y, false_alarms)))
        fitted = cls(lambda: known, choice, scale, conformal, false_alarms, calibration.dropped, negatives, tuned)
        # What a memory gives back is what is used from the start, to the last bit.
        return cls.from_state(fitted.state())

    def scores(self, X: FloatArray) -> Mapping[str, FloatArray]:
        """Every score of vectors X (n, n_dims), weighted or not; higher for images less like the known classes."""
        return dict(zip(self.choice.names, self._table(X, self.choice.names).T, strict=True))

    def fused_scores(self, X: FloatArray) -> FloatArray:
        """Fused score (n,) of vectors X (n, n_dims): weighted mean of the scores, in deviations of known images."""
        return self.fused(self._table(X, self.choice.in_use))

    def fused(self, table: FloatArray) -> FloatArray:
        """Fused score (n,) of the scores in use (n, n_scores)."""
        used = self.choice.weights > 0
        scale = Scale(self.scale.mean[used], self.scale.deviation[used])
        return cast(FloatArray, scale(table) @ self.choice.weights[used])

    def p_known(self, X: FloatArray) -> FloatArray:
        """Conformal p-value (n,) of "the image is of a known class"."""
        return self.conformal.p_values(self.fused_scores(X))

    def is_unknown(self, X: FloatArray) -> BoolArray:
        """Which images are unknown at the requested false-alarm rate, (n,)."""
        return self.conformal.are_unknown(self.fused_scores(X), self.false_alarms)

    @cached_property
    def known(self) -> Known:
        """The known classes."""
        return self.find_known()

    @property
    def errs_safely(self) -> bool:
        """Whether calibration errs on the safe side: fewer known images will be called unknown than was asked for.

        So it does with few shots, and where trainings held out a large part of the images.
        """
        return self.tuned or self.known.shots < ENOUGH_SHOTS

    @cached_property
    def realised(self) -> RateRange:
        """Where the realised false-alarm rate will lie; anywhere below the upper end if calibration errs safely."""
        told = self.conformal.rate_range(self.false_alarms)
        return replace(told, low=0.0) if self.errs_safely else told

    @property
    def finding(self) -> str:
        """What fitting found out, in one sentence."""
        told = self.realised
        share = f"at most {told.high:.1%}" if self.errs_safely else f"{told.low:.1%} to {told.high:.1%}"
        calibrated = (
            f"at {100 * self.false_alarms:.3g} % false alarms requested, {share} of known images will be called "
            f"unknown ({told.level:.0%} range, from {len(self.conformal.calibration)} images"
            f"{', each judged by a training without it' if self.tuned else ''}"
            f"{NOT_ALIKE if self.conformal.slack.harder else ''})"
        )
        if self.choice.fused is None:
            return f"{calibrated}; too few classes or images to leave a class out, so all scores count alike"
        left_out = "before tuning, classes left out in turn were" if self.tuned else "classes left out in turn are"
        return f"{calibrated}; {left_out} detected with AUROC {self.choice.fused['auroc']:.3f}{self._others}"

    @property
    def _others(self) -> str:
        """What is to be expected of classes that were never known."""
        told = self.choice.fused or {}
        if "low" not in told:  # a memory of an earlier release
            return ""
        return f", as many others will be with {told['low']:.2f} to {told['high']:.2f} (90% range)"

    @property
    def report(self) -> dict[str, Any]:
        """What fitting found out, as JSON can hold it.

        `scores` has each score's weight and its AUROC on classes left out in turn (mean, worst class), `fused` the
        nested figures of the fusion, `dropped` the reasons, `calibration` what the threshold rests on, `tuned` whether
        weights and AUROC are from before the encoder was tuned.
        """
        weights = zip(self.choice.names, self.choice.weights.tolist(), strict=True)
        return {
            "scores": {name: {"weight": weight, **self.choice.singles.get(name, {})} for name, weight in weights},
            "fused": self.choice.fused,
            "dropped": dict(self.dropped),
            "tuned": self.tuned,
            "calibration": {
                "n": len(self.conformal.calibration),
                "false_alarms": self.false_alarms,
                "threshold": self.conformal.threshold(self.false_alarms),
                "realised": asdict(self.realised),
            },
        }

    def state(self) -> HeadState:
        """What restores the detector, in JSON and arrays."""
        told = {
            "false_alarms": self.false_alarms,
            "dropped": dict(self.dropped),
            "negative_names": [] if self.negatives is None else list(self.negatives.names),
            "tuned": self.tuned,
        }
        return state_of(self.known, self.choice, self.scale, self.conformal, told=told)

    @classmethod
    def from_state(cls, state: HeadState) -> UnknownDetector:
        """Inverse of `state`."""
        return cls(**parts_of(state))

    def _with(self, known: Known, false_alarms: float) -> UnknownDetector:
        """The same of other known classes, at a rate."""
        lacking = {name: SCORES[name].lacks(known) for name in self.choice.in_use}
        reasons = [f"{name}: {reason}" for name, reason in lacking.items() if reason is not None]
        if reasons:
            raise InputError(
                f"Scores that the detector was calibrated with can't be computed here: {'; '.join(reasons)}.",
                remedy="Fine-tune with these classes.",
            )
        require_images(len(self.conformal.calibration), false_alarms)
        return self.from_state(replace(self, find_known=lambda: known, false_alarms=false_alarms).state())

    def _table(self, X: FloatArray, names: tuple[str, ...]) -> FloatArray:
        X = np.asarray(X)
        expected = self.known.plain.n_dims
        if X.ndim != 2 or X.shape[1] != expected or not np.isfinite(X).all():
            raise InputError(
                f"Vectors must be finite and of shape (n, {expected}), got {X.shape}.",
                remedy="Embed images with the encoder that the detector was fitted with.",
            )
        parts = [score_table(self.known, X[at : at + CHUNK], names) for at in range(0, len(X), CHUNK)]
        return np.concatenate([np.zeros((0, len(names))), *parts])


def _gained(known: Known) -> float:
    """By how many deviations known images to come score lower than held-out ones, at the least."""
    return GAINED / known.shots**2 if known.shots < ENOUGH_SHOTS and not len(known.text) else 0.0
