"""What to do next for a classifier: more images or not, of which classes, which to label, and whether to fine-tune."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from inkling.advising.class_needs import ClassNeed, class_needs
from inkling.advising.errors_of_head import errors_of_head
from inkling.advising.fine_tuning import FineTuningAdvice, fine_tuning_advice
from inkling.advising.label_next import TYPICAL, Choice, label_next
from inkling.advising.learning_curve import Expected, LearningCurve, learning_curve
from inkling.classifier.few_shot import FewShotClassifier
from inkling.classifier.fitted import require_readable
from inkling.classifier.inputs import samples_to_judge, vectors_among
from inkling.embeddings.precomputed import read_precomputed
from inkling.embeddings.samples import PRECOMPUTED, Samples, is_precomputed, precomputed_samples
from inkling.encoders.identity import check_encoder
from inkling.errors import InputError
from inkling.evaluate.training_images import training_images
from inkling.images.handed_over import records_of
from inkling.types import FloatArray, SkippedImage

TIMES = (1.0, 2.0, 4.0)
MOST_TO_LABEL = 500


@dataclass(frozen=True)
class ToLabel:
    """An image of the pool that is worth a label.

    Attributes
    ----------
    rank
        1 for the first.
    path
        As the user names it.
    reason
        In a sentence.
    label
        The likeliest class, with its calibrated `probability`.
    second
        The one after it.
    margin
        Probability of the first less that of the second.
    """

    rank: int
    path: str
    reason: str
    label: str
    probability: float
    second: str
    margin: float


@dataclass(frozen=True, eq=False)
class Advice:
    """What advising found.

    Attributes
    ----------
    images, median_shots
        Labelled images, and those of the median class.
    curve
        The learning curve; None where no class has two images.
    expected
        Top-1 out of fold with these images, and with 2 and 4 times as many; empty without a curve.
    needs
        The classes, those that need images most first.
    fine_tuning
        Whether to fine-tune.
    order
        Images of the pool, the first to label first; None where there was no pool.
    repeated
        Images of the pool that the memory was trained on already, left out.
    skipped
        Images of the pool that could not be used, and why.

    Examples
    --------
    >>> advice = advise("vehicles.ink", "inbox")
    >>> [round(one.times) for one in advice.expected], len(advice.order) > 0
    ([1, 2, 4], True)
    """

    images: int
    median_shots: float
    curve: LearningCurve | None
    expected: tuple[Expected, ...]
    needs: tuple[ClassNeed, ...]
    fine_tuning: FineTuningAdvice
    order: tuple[ToLabel, ...] | None = None
    repeated: tuple[str, ...] = ()
    skipped: tuple[SkippedImage, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `inkling advise --json` writes them.

        Examples
        --------
        >>> told = advise("vehicles.ink").to_json()
        >>> told["order"] is None, len(told["classes"])
        (True, 3)
        """
        curve = self.curve
        return {
            "images": self.images,
            "median_shots": self.median_shots,
            "curve": None if curve is None else {"shots": curve.shots.tolist(), "top1": curve.top1.tolist()},
            "expected": [
                {"times": one.times, "shots": one.shots, "top1": one.top1, "interval80": [one.low, one.high]}
                for one in self.expected
            ],
            "classes": [asdict(one) for one in self.needs],
            "fine_tuning": asdict(self.fine_tuning),
            "order": None if self.order is None else [asdict(one) for one in self.order],
            "repeated": list(self.repeated),
            "skipped": [asdict(one) for one in self.skipped],
        }


def advise(memory: FewShotClassifier | str | Path, pool: Any = None, *, n: int | None = None, seed: int = 0) -> Advice:
    """Say what more images would bring, which classes need them, and which of a pool to label next.

    Parameters
    ----------
    memory
        A fitted classifier, or its file.
    pool
        Unlabelled images, as for `FewShotClassifier.predict`, or their `Samples`. Copies and
        near-duplicates of training images are left out.
    n
        Images to choose at most; None: as many as the pool has, up to 500.
    seed
        Of all draws.

    Raises
    ------
    InputError
        If the pool can't be read, or holds nothing but training images.

    Examples
    --------
    >>> advice = advise("vehicles.ink")
    >>> advice.images, advice.needs[0].name in ("castle", "cat", "tree")
    (24, True)
    """
    classifier = memory if isinstance(memory, FewShotClassifier) else FewShotClassifier.load(memory)
    vectors, head = classifier.fitted.vectors, classifier.fitted.fitted_head
    # Before long work: a pool that can't be used stops here.
    samples = None if pool is None else _samples(classifier, pool)
    known = set() if samples is None else _known_rows(classifier, samples)
    order = None if samples is None else ordered(classifier, _without(samples, known), n=n, seed=seed)
    measured = errors_of_head(vectors, head, seed=seed)
    curve = None if measured is None else learning_curve(measured, seed=seed)
    expected = () if curve is None else tuple(curve.expected(times) for times in TIMES)
    shots = vectors.shots
    return Advice(
        images=int(shots.sum()),
        median_shots=vectors.median_shots,
        curve=curve,
        expected=expected,
        needs=class_needs(measured, classifier.fitted.classes, shots.tolist()),
        fine_tuning=fine_tuning_advice(
            images=int(shots.sum()),
            median_shots=vectors.median_shots,
            top1=expected[0].top1 if expected else None,
            twice=expected[1].top1 if expected else None,
            can_train=not _is_of_vectors(classifier),
        ),
        order=order,
        repeated=() if samples is None else tuple(samples.paths[row] for row in sorted(known)),
        skipped=() if samples is None else samples.skipped,
    )


def ordered(
    classifier: FewShotClassifier, samples: Samples, *, n: int | None = None, seed: int = 0
) -> tuple[ToLabel, ...]:
    """Images of a pool in the order in which to label them.

    Raises
    ------
    EncoderMismatchError
        If another encoder made the samples.
    """
    fitted = classifier.fitted
    check_encoder(fitted.samples.identity, samples.identity)
    p = fitted.fitted_head.probabilities(samples.X)
    most = min(MOST_TO_LABEL if n is None else n, len(samples))
    chosen = label_next(fitted.vectors, samples.X, p, n=most, seed=seed)
    return tuple(
        ToLabel(
            rank=rank,
            path=samples.paths[one.row],
            reason=_reason(one, fitted.classes, p[one.row]),
            label=fitted.classes[one.first],
            probability=float(p[one.row, one.first]),
            second=fitted.classes[one.second],
            margin=one.margin,
        )
        for rank, one in enumerate(chosen, start=1)
    )


def _reason(one: Choice, classes: Sequence[str], p: FloatArray) -> str:
    if one.reason == TYPICAL:
        return f"typical of {one.group} alike" if one.group > 1 else "like none of the others"
    first, second = one.first, one.second
    alike = f"typical of {one.group} such" if one.group > 1 else "unlike the others"
    return f"{classes[first]} ({p[first]:.0%}) or {classes[second]} ({p[second]:.0%}), {alike}"


def _samples(classifier: FewShotClassifier, pool: Any) -> Samples:
    """Samples of a pool, each picture once."""
    if isinstance(pool, Samples):
        samples = pool
    elif isinstance(pool, str | Path) and is_precomputed(pool):
        samples = precomputed_samples(read_precomputed(pool))
    elif (given := vectors_among(pool)) is not None:
        samples = samples_to_judge(given, classifier.fitted.samples.identity)
    else:
        samples = classifier.embed(records_of(pool))
    check_encoder(classifier.fitted.samples.identity, samples.identity)
    require_readable(samples)
    return samples.keep(sorted(np.unique(np.asarray(samples.content_hashes), return_index=True)[1].tolist()))


def _known_rows(classifier: FewShotClassifier, samples: Samples) -> set[int]:
    """Rows of a pool that repeat an image that the classifier was trained on."""
    known = set(training_images(samples, classifier.fitted.samples)[0].tolist())
    if len(known) == len(samples):
        raise InputError(
            f"The memory was trained on all {len(samples)} images of the pool.",
            remedy="Name a pool of other images, or leave it out.",
        )
    return known


def _without(samples: Samples, rows: set[int]) -> Samples:
    return samples.keep([row for row in range(len(samples)) if row not in rows])


def _is_of_vectors(classifier: FewShotClassifier) -> bool:
    source = classifier.fitted.samples.identity.source
    return source == PRECOMPUTED or is_precomputed(source)
