"""Labelled samples and class entries, to a fitted and calibrated head."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkling.classifier.class_texts import text_matrix
from inkling.classifier.indistinct import texts_left_out
from inkling.classifier.promises import NOTHING, Promises, answers_to, sets_of
from inkling.classifier.sources import with_sources
from inkling.classifier.unlabelled import with_unlabelled
from inkling.embeddings.pipeline import BY_ENCODER
from inkling.embeddings.samples import Samples, StoredSamples, is_handed_over
from inkling.encoders.base import Encoder
from inkling.encoders.hub import WAYS_ON
from inkling.encoders.identity import check_encoder
from inkling.encoders.joined import PLUS
from inkling.errors import EncoderError, InklingError, InputError
from inkling.heads.checks import name_some
from inkling.heads.fitted import FittedHead
from inkling.heads.fold_spaces import FoldSpaces
from inkling.heads.hierarchy import Hierarchy
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.heads.ranking import likeliest
from inkling.heads.softmax import softmax
from inkling.heads.statistics import Statistics
from inkling.heads.support import unit_rows
from inkling.images.files import MISSING_FILE
from inkling.types import ClassEntry, EncoderIdentity, FloatArray, SkippedImage, Verdict
from inkling.unknown import UnknownDetector
from inkling.wording import counted

Names = Callable[[FloatArray], Sequence[tuple[str, ...]]]
"""Likely names of each of some unknown images, from their embeddings (n, d)."""

UNLABELLED = "no label"
FINE_TUNED = "fine-tuned"
"""Ships where a tuned encoder was shown to gain."""
_REMEDY = (
    "Give a folder with one subfolder a class (photos/cat/1.jpg, photos/dog/2.jpg), or a table with columns 'path' and "
    "'label'."
)


@dataclass(frozen=True, eq=False)
class FittedClassifier:
    """Labelled samples, the class entries, and the head that they make.

    Attributes
    ----------
    entries
        The classes in the order of their labels, which is that of the head's columns.
    seed, head
        What was asked for.
    finetuning
        How its encoder was fine-tuned, as JSON can hold it; None where it was not.
    detector
        Detects images of no known class; None where it could not be fitted.
    unknown
        What fitting it found out, in one sentence.
    hierarchy
        Groups of the classes that the user gave; None where nobody did.
    unlabelled
        How many images without labels were offered and left out; None where none was.
    one_pass, statistics
        How many `vectors` were learned from in one pass, `kept`, and kept `per_class` at most; None: all are kept. And
        the statistics of all of them, at hand after fitting.
    """

    samples: Samples
    entries: tuple[ClassEntry, ...]
    fitted_head: FittedHead
    seed: int
    head: str
    finetuning: Mapping[str, Any] | None = None
    detector: UnknownDetector | None = None
    unknown: str = ""
    hierarchy: Hierarchy | None = None
    unlabelled: Mapping[str, Any] | None = None
    one_pass: Mapping[str, Any] | None = None
    statistics: Statistics | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their labels."""
        return self.fitted_head.classes

    @cached_property
    def labels(self) -> NDArray[Any]:
        """Labels of the classes as they were handed over: numbers where all are, else text."""
        return self.samples.label_kind.array(self.classes)

    @cached_property
    def vectors(self) -> LabelledVectors:
        """The samples as heads and detectors take them."""
        return labelled_vectors(self.samples, self.entries)

    @property
    def summary(self) -> str:
        """Number of classes, and of training images where they have been read already."""
        unread = isinstance(self.samples, StoredSamples) and not self.samples.are_read
        images = "" if unread else f" from {self.samples.n_images} images"
        return f"{len(self.classes)} classes{images}"

    @property
    def text_finding(self) -> str | None:
        """Which classes have a text that tells nothing, in one sentence; None where there is none."""
        return texts_left_out(self.entries)

    @property
    def text_vectors(self) -> FloatArray | None:
        """Text vectors (n_classes, d), NaN where a class has none; None where none has."""
        return text_matrix(self.entries, self.samples.identity.dimension)

    @property
    def unknown_report(self) -> dict[str, Any]:
        """What fitting the detector of unknown images found out, as JSON can hold it."""
        return {"finding": self.unknown, **(self.detector.report if self.detector else {})}

    @property
    def why_no_zero_shot(self) -> str | None:
        """Why the classes cannot be classified by their texts alone, in a sentence; None where they can."""
        if ships_tuned(self.finetuning):
            return "Zero-shot is left out: the encoder was tuned on these classes, so their texts know the images."
        without = [entry.name for entry in self.entries if entry.text_vector is None]
        if not without:
            return None
        if len(without) == len(self.entries):
            return "Zero-shot is left out: no class has a text vector."
        return f"Zero-shot is left out, as it needs a text vector of every class: {name_some(without)} without one."

    def zero_shot_probabilities(self, X: FloatArray) -> FloatArray | None:
        """Softmax of s f.t_k for vectors X (n, d + f): (n, n_classes).

        None where `why_no_zero_shot` has a reason.
        """
        text, identity = self.text_vectors, self.samples.identity
        if text is None or self.why_no_zero_shot is not None:
            return None
        # In double precision: the logit scale multiplies what float32 rounds by a hundred.
        cosines = unit_rows(np.asarray(X[:, : identity.dimension], dtype=np.float64)) @ text.T
        return softmax(identity.logit_scale * cosines)

    def of_fewer_views(self, views: int | None) -> bool:
        """Whether vectors of so many views are of fewer than those learned from, and lie further from their class so.

        None where nobody says: single views are expected, and so are classes that were learned from them.
        """
        return (views or 1) < (self.samples.stated_views or 1)

    def judge(
        self,
        samples: Samples,
        *,
        top: int,
        memory_version: int | None,
        names: Names | None = None,
        promises: Promises = NOTHING,
    ) -> list[Verdict]:
        """Verdict on each sample, with the `top` likeliest classes.

        Parameters
        ----------
        names
            Gives likely names to those that are unknown.
        promises
            What else is asked for.

        Raises
        ------
        EncoderMismatchError
            If another encoder made the samples.
        InputError
            If too few images were held out for a promise.
        """
        check_encoder(self.samples.identity, samples.identity)
        if not len(samples):
            return []
        p = self.fitted_head.probabilities(samples.X)
        order = likeliest(p, max(top, 1))
        nothing = [None] * len(p)
        sets = nothing if promises.coverage is None else sets_of(self.fitted_head, p, promises.coverage, seed=self.seed)
        told = nothing if promises.climbing is None else answers_to(self.fitted_head, p, promises.climbing)
        verdicts = [
            Verdict(
                path=path,
                label=self.classes[best[0]],
                probability=float(row[best[0]]),
                top_labels=tuple(self.classes[k] for k in best),
                top_probabilities=tuple(float(row[k]) for k in best),
                memory_version=memory_version,
                unknown=unknown,
                p_known=p_known,
                set=its_set,
                answer=answer,
            )
            for path, row, best, (unknown, p_known), its_set, answer in zip(
                samples.paths, p, order, self._unknown_and_p(samples.X), sets, told, strict=True
            )
        ]
        return verdicts if names is None else _with_names(verdicts, samples.embeddings, names)

    def p_known(self, X: FloatArray) -> FloatArray | None:
        """p-value of "it is of a known class" for vectors X (n, d + f): (n,); None where nothing tells."""
        return None if self.detector is None else self.detector.conformal.p_values(self.detector.fused_scores(X))

    def _unknown_and_p(self, X: FloatArray) -> Iterable[tuple[bool | None, float | None]]:
        """For each vector whether it is unknown, and its p-value; None where nothing tells."""
        if self.detector is None:
            return [(None, None)] * len(X)
        scores, conformal = self.detector.fused_scores(X), self.detector.conformal
        unknown = conformal.are_unknown(scores, self.detector.false_alarms)
        return zip(unknown.tolist(), conformal.p_values(scores).tolist(), strict=True)


def ships_tuned(finetuning: Mapping[str, Any] | None) -> bool:
    """Whether the encoder in use is one that was tuned on the samples, from what is kept of a fine-tuning."""
    return finetuning is not None and finetuning["ships"] == FINE_TUNED


def _with_names(verdicts: list[Verdict], embeddings: FloatArray, names: Names) -> list[Verdict]:
    """The same, the unknown ones with what they may be instead."""
    unknown = [row for row, verdict in enumerate(verdicts) if verdict.unknown]
    if unknown:
        for row, likely in zip(unknown, names(embeddings[unknown]), strict=True):
            verdicts[row] = replace(verdicts[row], names=likely)
    return verdicts


def labelled_vectors(samples: Samples, entries: Sequence[ClassEntry]) -> LabelledVectors:
    """Samples as heads and detectors take them, the classes in the order of the entries.

    Raises
    ------
    InputError
        If a sample has the label of no entry, or an entry neither a sample nor a text.
    """
    identity = samples.identity
    return LabelledVectors.of(
        samples.X,
        samples.labels,
        classes=[entry.name for entry in entries],
        sources=samples.sources,
        text_vectors=text_matrix(entries, identity.dimension),
        embedding_dims=identity.dimension,
        logit_scale=identity.logit_scale,
    )


def fit_classifier(
    samples: Samples,
    entries: Sequence[ClassEntry],
    *,
    head: str,
    seed: int,
    fold_spaces: FoldSpaces | None = None,
    previous: FittedHead | None = None,
    unlabelled: FloatArray | None = None,
) -> FittedClassifier:
    """Fit and calibrate a head on labelled samples whose labels are among the entries; those of one source count once.

    Parameters
    ----------
    fold_spaces
        Where the encoder was tuned on the samples: its rows are those of the samples, its classes those of the entries
        by name.
    previous
        As for `FittedHead.fit`.
    unlabelled
        Vectors (n_unlabelled, d + f) of images without labels that the head may learn from too.

    Raises
    ------
    InputError
        If there are fewer than two classes, or the head cannot learn from what there is.
    """
    entries = tuple(sorted(entries, key=lambda entry: samples.label_kind.order(entry.name)))
    require_classes(entry.name for entry in entries)
    samples = samples if previous is not None else with_sources(samples, seed=seed)
    vectors = with_unlabelled(labelled_vectors(samples, entries).with_fold_spaces(fold_spaces), head, unlabelled)
    return FittedClassifier(samples, entries, FittedHead.fit(head, vectors, seed=seed, previous=previous), seed, head)


def reopen_encoder(made_with: EncoderIdentity, find: Callable[[], Encoder]) -> Encoder:
    """The encoder that vectors were made with, for images to compare with them.

    Raises
    ------
    EncoderError
        If nobody named one, or it is not where it was.
    EncoderMismatchError
        If what is there now is another.
    """
    if is_handed_over(made_with):
        raise EncoderError(
            "The classifier was fitted on vectors, not by an encoder that could read images.",
            remedy="Hand over vectors of the same kind: an .npz or .parquet file, or arrays.",
        )
    try:
        found = find()
    except EncoderError as error:
        raise EncoderError(
            f"The encoder that the memory was made with, '{made_with.source}', is not at hand. {error.message}",
            # Ways to another encoder are none here: a memory needs its own.
            remedy=f"Say where it is now{_all_of_it(made_with)}: --encoder, in Python the option encoder. "
            f"{'' if error.remedy in (None, WAYS_ON) else error.remedy}".rstrip(),
        ) from error
    check_encoder(made_with, found.identity)
    return found


def _all_of_it(made_with: EncoderIdentity) -> str:
    return ", with all that it is joined of" if PLUS in made_with.source else ""


_LOOK = "Look at one of them: does it exist, is it an image, and is it whole?"


def require_classes(names: Iterable[str]) -> None:
    """Refuse to tell apart what is not at least two classes.

    Raises
    ------
    InputError
        If there are fewer.
    """
    different = sorted(set(names))
    if len(different) < 2:
        raise InputError(
            f"A classifier needs at least two classes; found {len(different)}: {', '.join(different) or 'none'}.",
            remedy=_REMEDY,
        )


def labelled_rows(paths: Sequence[str], labels: Sequence[str | None]) -> tuple[list[int], tuple[SkippedImage, ...]]:
    """Which images have a label, and the others with that as the reason why they are skipped.

    Raises
    ------
    InputError
        If none has.
    """
    rows = [row for row, label in enumerate(labels) if label is not None]
    without = dict.fromkeys(path for path, label in zip(paths, labels, strict=True) if label is None)
    if not rows:
        match len(without):
            case 0:
                told = "There is no image."
            case 1:
                told = "The image has no label."
            case n:
                told = f"None of the {n} images has a label."
        raise InputError(told, remedy=_REMEDY)
    return rows, tuple(SkippedImage(path, UNLABELLED) for path in without)


@contextmanager
def naming_skipped(skipped: Sequence[SkippedImage]) -> Iterator[None]:
    """Have an error say which images were left out before."""
    try:
        yield
    except InklingError as error:
        error.skipped = skipped
        raise


def require_readable(samples: Samples) -> None:
    """Refuse to go on where every image was skipped.

    Raises
    ------
    InputError
        If no sample is left.
    """
    if len(samples):
        return
    reasons = {image.reason for image in samples.skipped}
    remedy = _LOOK
    if reasons and all(BY_ENCODER in reason for reason in reasons):
        remedy = "Check the files of the encoder: its weights overflow or are damaged."
    elif reasons == {MISSING_FILE}:
        remedy = "A table or annotations name files from another folder? Name it with --root (in Python BoxReading)."
    raise InputError(f"No image can be used. {_first_skipped(samples.skipped)}", remedy=remedy)


def _first_skipped(skipped: Sequence[SkippedImage]) -> str:
    """An image that is skipped, why, and how many others there are."""
    if not skipped:
        return "There is none."
    first, n_others = skipped[0], len(skipped) - 1
    alike = all(image.reason == first.reason for image in skipped)
    others = f"; {'likewise ' if alike else ''}{counted(n_others, 'other')}" if n_others else ""
    return f"{'The first is' if n_others else 'It is'} '{first.path}': {first.reason}{others}."
