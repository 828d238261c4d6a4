"""The few-shot protocol: every head with 1, 2, 4, 8, 16 images a class and with all, over several draws."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from inkling.classifier.fitted import labelled_rows, labelled_vectors, require_classes, require_readable
from inkling.classifier.sources import with_sources
from inkling.embeddings.samples import Samples
from inkling.encoders.identity import check_encoder
from inkling.errors import InputError
from inkling.evaluate.protocol import class_indices
from inkling.evaluate.run import require_known_labels
from inkling.evaluate.splits import Splits
from inkling.evaluate.training_images import TrainingImages, training_images
from inkling.evaluate.uncertainty import LEVEL, Interval
from inkling.heads import HEADS, AutoHead, ZeroShotHead, head_class
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.types import ClassEntry, EncoderIdentity, FloatArray, IntArray, SkippedImage

SHOTS = (1, 2, 4, 8, 16)
DRAWS = 5
ALL = "all"


@dataclass(frozen=True)
class FewShotScore:
    """One head with so many images a class.

    Attributes
    ----------
    head
        Its name.
    shots
        Images a class; None for all, which there is one draw of.
    top1
        Of each draw.
    seconds
        Fitting and scoring the test images, mean over draws.
    embedding_seconds
        What embedding the support set takes beside it, by the rate at which images were embedded in this run; None
        where all came from the cache.
    """

    head: str
    shots: int | None
    top1: tuple[float, ...]
    seconds: float
    embedding_seconds: float | None

    @property
    def mean(self) -> float:
        """Mean top-1 over draws."""
        return float(np.mean(self.top1))

    @property
    def worst(self) -> float:
        """Top-1 of the worst draw."""
        return min(self.top1)

    @property
    def interval(self) -> Interval | None:
        """Of the mean over draws, by Student's t; None with one draw."""
        from scipy.special import stdtrit

        n = len(self.top1)
        if n < 2:
            return None
        half = float(stdtrit(n - 1, (1 + LEVEL) / 2)) * float(np.std(self.top1, ddof=1)) / n**0.5
        return Interval(max(self.mean - half, 0.0), min(self.mean + half, 1.0))


@dataclass(frozen=True)
class FewShotEvaluation:
    """What the protocol measured.

    Attributes
    ----------
    scores
        By number of shots, then by head.
    zero_shot
        Top-1 of the texts alone; None where a class has none.
    identity
        Of the encoder.
    n, classes
        Test images that count, and names of the classes.
    unknown_labels
        Test images that no measure counts, because their label is no class of the training images.
    training_images
        Test images that are among the training images too, left out.
    splits
        The draws.
    """

    scores: tuple[FewShotScore, ...]
    zero_shot: float | None
    n: int
    classes: tuple[str, ...]
    identity: EncoderIdentity
    seed: int
    unknown_labels: int
    training_images: TrainingImages
    skipped: tuple[SkippedImage, ...]
    splits: Splits

    def to_json(self) -> dict[str, Any]:
        """Plain values, without the draws."""
        plain = {key: value for key, value in vars(self).items() if key not in ("splits", "scores", "identity")}
        return {
            **plain,
            "protocol": "few-shot",
            "encoder": self.identity.name,
            "encoder_fingerprint": self.identity.fingerprint,
            "classes": list(self.classes),
            "draws": len(self.splits.draws),
            "training_images": self.training_images.to_json(),
            "skipped": [asdict(one) for one in self.skipped],
            "scores": [self._score(one) for one in self.scores],
        }

    def _score(self, one: FewShotScore) -> dict[str, Any]:
        interval = one.interval
        return {
            "head": one.head,
            "shots": ALL if one.shots is None else one.shots,
            "top1": one.mean,
            "ci95": None if interval is None else [interval.low, interval.high],
            "worst": one.worst,
            "worst_against_zero_shot": None if self.zero_shot is None else one.worst - self.zero_shot,
            "draws": list(one.top1),
            "seconds": one.seconds,
            "embedding_seconds": one.embedding_seconds,
        }


@dataclass(frozen=True)
class FewShotOptions:
    """How the protocol is taken.

    Attributes
    ----------
    heads
        Names; None: all, without zero-shot where a class has no text.
    draws
        How many.
    splits
        Draws that were kept; None draws anew.
    seed
        Of the draws, and of heads that take one.
    seconds_an_image
        What embedding an image took; None where nothing was embedded.
    """

    heads: Sequence[str] | None = None
    draws: int = DRAWS
    splits: Splits | None = None
    seed: int = 0
    seconds_an_image: float | None = None


def few_shot_evaluation(
    train: Samples, test: Samples, entries: Sequence[ClassEntry], options: FewShotOptions | None = None
) -> FewShotEvaluation:
    """Fit every head on draws of few images a class, and measure it on the test images.

    Parameters
    ----------
    train, test
        Labelled images of one encoder. Test images that repeat training images are left out.
    entries
        The classes of the training images, with their text vectors where there are any.

    Raises
    ------
    InputError
        If there are fewer than two classes, no test image has the label of one, or splits are of other images.
    """
    options = options or FewShotOptions()
    check_encoder(train.identity, test.identity)
    train, test, leaks = _checked(train, test)
    train = with_sources(train, seed=options.seed)
    vectors = labelled_vectors(train, sorted(entries, key=lambda entry: entry.name))
    y = class_indices(test.labels, vectors.classes)
    X, truth = test.X[y >= 0], y[y >= 0]
    splits = options.splits or Splits.drawn(train, options.draws, seed=options.seed)
    splits.check(train)
    task = _Task(train, vectors, X, truth, splits, options)
    zero_shot = task.top1("zero-shot", vectors) if vectors.has_text.all() else None
    heads = heads_for(options.heads, with_texts=zero_shot is not None)
    return FewShotEvaluation(
        scores=tuple(task.score(head, shots) for shots in shots_for(vectors) for head in heads),
        zero_shot=zero_shot,
        n=len(truth),
        classes=tuple(vectors.classes),
        identity=train.identity,
        seed=options.seed,
        unknown_labels=int((y < 0).sum()),
        training_images=leaks,
        skipped=(*train.skipped, *test.skipped),
        splits=splits,
    )


def heads_for(asked: Sequence[str] | None, *, with_texts: bool) -> tuple[str, ...]:
    """Heads to measure.

    Raises
    ------
    InputError
        If there is none of a name, or zero-shot is asked for and a class has no text.
    """
    if asked is None:
        return tuple(name for name in HEADS if with_texts or name != ZeroShotHead.name)
    for name in asked:
        head_class(name)
    if ZeroShotHead.name in asked and not with_texts:
        raise InputError(
            "zero-shot needs a text vector of every class.",
            remedy="Leave it out of the heads, or name an encoder with texts.",
        )
    return tuple(dict.fromkeys(asked))


def shots_for(vectors: LabelledVectors) -> tuple[int | None, ...]:
    """The numbers of shots that the images allow, below those of the median class, and all (None) at the end."""
    return (*(n for n in SHOTS if n < vectors.median_shots), None)


@dataclass(frozen=True, eq=False)
class _Task:
    train: Samples
    vectors: LabelledVectors
    X: FloatArray
    y: IntArray
    splits: Splits
    options: FewShotOptions

    def score(self, head: str, shots: int | None) -> FewShotScore:
        draws = range(1 if shots is None else len(self.splits.draws))
        supports = [self.vectors.only(self.splits.rows(self.train, draw, shots)) for draw in draws]
        begin = time.perf_counter()
        top1 = tuple(self.top1(head, support) for support in supports)
        rate = self.options.seconds_an_image
        return FewShotScore(
            head=head,
            shots=shots,
            top1=top1,
            seconds=(time.perf_counter() - begin) / len(top1),
            embedding_seconds=None if rate is None else rate * len(supports[0]),
        )

    def top1(self, name: str, support: LabelledVectors) -> float:
        head = head_class(name)(**support.head_options)
        if isinstance(head, AutoHead):
            head.set_params(seed=self.options.seed).fit(support.X, support.y, groups=support.sources)
        else:
            head.fit(support.X, support.y)
        return float((head.logits(self.X).argmax(axis=1) == self.y).mean())


def _checked(train: Samples, test: Samples) -> tuple[Samples, Samples, TrainingImages]:
    """Labelled training images, and test images that are none of them."""
    require_readable(train)
    require_readable(test)
    rows, unlabelled = labelled_rows(train.paths, train.labels)
    train = train.keep(rows).also_skipped(unlabelled)
    classes = sorted({str(label) for label in train.labels})
    require_classes(classes)
    repeated, leaks = training_images(test, train)
    left = np.setdiff1d(np.arange(len(test)), repeated).tolist()
    if not left:
        raise InputError(
            f"All {len(test)} test images are among the training images.", remedy="Name test images of their own."
        )
    test = test.keep(left)
    require_known_labels(test.labels, classes)
    return train, test, TrainingImages(leaks)
