"""An audit: all checks on labelled images, findings worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from inkling.auditing.checks import CHECKS
from inkling.auditing.findings import KINDS, Finding
from inkling.auditing.fix_list import write_fix_list
from inkling.auditing.one_question import one_question
from inkling.auditing.subject import Subject
from inkling.classifier.class_texts import embedded_entries
from inkling.classifier.few_shot import FewShotClassifier
from inkling.classifier.fitted import UNLABELLED, ships_tuned
from inkling.classifier.labelled import labelled_samples
from inkling.embeddings.cache import EmbeddingCache, opened_cache
from inkling.embeddings.samples import Samples, embed_samples
from inkling.encoders.base import Encoder
from inkling.encoders.cards import DEFAULT_FOR_PHOTOGRAPHS
from inkling.encoders.registry import load_encoder
from inkling.images.handed_over import GivenImages, read_images, records_of
from inkling.memory.place import names_memory
from inkling.types import SkippedImage

AuditProgress = Callable[[str, int, int], None]
"""What is under way, how many images or checks of it are done, and of how many."""


@dataclass(frozen=True, eq=False)
class Audit:
    """What an audit found.

    Attributes
    ----------
    subject
        What it looked at.
    findings
        By kind in the order of `KINDS`, and the surest first.
    skipped
        Images that could not be used, and why.
    not_checked
        Checks that could not be done, and why.
    expected_wrong
        How many of the labels said to be wrong are expected to be; None where labels could not be checked.

    Examples
    --------
    >>> found = audit("photos/train", encoder="sketch")
    >>> len(found.findings), found.expected_wrong
    (0, 0)
    """

    subject: Subject
    findings: tuple[Finding, ...]
    skipped: tuple[SkippedImage, ...]
    not_checked: Mapping[str, str]
    expected_wrong: float | None

    @property
    def counts(self) -> Mapping[str, int]:
        """Number of findings of each kind that was found."""
        found = Counter(one.kind for one in self.findings)
        return {kind: found[kind] for kind in KINDS if found[kind]}

    @property
    def looked_for(self) -> tuple[str, ...]:
        """Kinds that the checks which could be done look for, found or not."""
        done = [check for check in CHECKS if check.name not in self.not_checked]
        kinds = {"unreadable", *(kind for check in done for kind in check.kinds)}
        return tuple(kind for kind in KINDS if kind in kinds and (kind != "leak" or self.subject.against is not None))

    def write_fix_list(self, path: str | Path) -> int:
        """Write a row for every image in question; returns how many there are.

        Raises
        ------
        InputError
            If the file can't be written.

        Examples
        --------
        >>> audit("photos/train", encoder="sketch").write_fix_list("fixes.csv")
        0
        """
        return write_fix_list(path, self.findings)


def audit(
    images: Any,
    labels: Any = None,
    *,
    encoder: str | Path | Encoder | None = None,
    against: Any = None,
    seed: int = 0,
    cache: bool | str | Path = True,
    progress: AuditProgress | None = None,
) -> Audit:
    """Look at labelled images for what would mislead a classifier.

    Parameters
    ----------
    images, labels
        As for `inkling.FewShotClassifier.fit`; or where a memory is, whose training images are looked at by their
        vectors and thumbnails, without an encoder.
    encoder
        Makes the vectors. None: `openai/clip-vit-base-patch32`, for photographs; of a memory its own, where it was.
    against
        Images that must not be among the others, such as a test set.
    seed
        Draws the folds.
    cache
        As for `inkling.FewShotClassifier`.
    progress
        Called with what is under way, how many images or checks are done, and of how many.

    Raises
    ------
    InputError
        If there are no labels, or no image can be read.

    Examples
    --------
    >>> found = audit("photos/train", encoder="sketch")
    >>> found.counts
    {}
    """
    told = None if progress is None else partial(progress, "Embedding")
    if names_memory(images):
        classifier = FewShotClassifier.load(images, encoder=encoder, cache=cache)
        others = None if against is None else classifier.embed(records_of(against), progress=told)
        return audit_memory(classifier, others, seed=seed, progress=progress)
    opened = auditing_encoder(encoder)
    given = read_images(images, labels, split="train")
    with opened_cache(cache) as kept:
        samples = labelled_samples(given, partial(embed_samples, encoder=opened, cache=kept, progress=told))
        others = None if against is None else embed_samples(records_of(against), opened, cache=kept)
        subject = subject_of(given, samples, others, encoder=opened, cache=kept, seed=seed)
    return audit_subject(subject, skipped=samples.skipped, progress=progress)


def auditing_encoder(wanted: str | Path | Encoder | None) -> Encoder:
    """The encoder of an audit of images, by what `audit` takes."""
    if wanted is None:
        return load_encoder(DEFAULT_FOR_PHOTOGRAPHS)
    return load_encoder(wanted) if isinstance(wanted, str | Path) else wanted


def subject_of(
    given: GivenImages,
    samples: Samples,
    others: Samples | None,
    *,
    encoder: Encoder,
    cache: EmbeddingCache | None,
    seed: int,
) -> Subject:
    """What an audit of images looks at.

    Parameters
    ----------
    given, samples
        The images, and those of `inkling.classifier.labelled.labelled_samples`.
    others
        Images that must not be among them.
    encoder, cache
        For the texts of the classes.
    seed
        As for `audit`.
    """
    entries = embedded_entries({str(one) for one in samples.labels}, (), encoder=encoder, cache=cache, templates=None)
    in_order = tuple(sorted(entries, key=lambda entry: samples.label_kind.order(entry.name)))
    files = {record.path: record for record in given.records}
    return Subject(samples, in_order, others, seed, reads=encoder.shorter_side, files=files)


def audit_memory(
    classifier: FewShotClassifier, others: Samples | None, *, seed: int = 0, progress: AuditProgress | None = None
) -> Audit:
    """The same of the training images of a memory, by their vectors and thumbnails."""
    fitted = classifier.fitted
    images = [row for row, view in enumerate(fitted.samples.views) if view == 0]
    samples = replace(fitted.samples.keep(images), skipped=())
    subject = Subject(samples, fitted.entries, others, seed, tuned=ships_tuned(fitted.finetuning))
    return audit_subject(subject, progress=progress)


def audit_subject(
    subject: Subject, *, skipped: tuple[SkippedImage, ...] = (), progress: AuditProgress | None = None
) -> Audit:
    """The same of images whose vectors are known."""
    findings = [_unreadable(one) for one in skipped if one.reason != UNLABELLED]
    not_checked: dict[str, str] = {}
    for n_done, check in enumerate(CHECKS):
        if progress is not None:
            progress("Checking", n_done, len(CHECKS))
        if (reason := check.lacks(subject)) is None:
            findings += check.find(subject)
        else:
            not_checked[check.name] = reason
    order, findings = list(KINDS), one_question(findings)
    findings.sort(key=lambda one: (order.index(one.kind), -one.score))
    wrong = None if subject.why_no_labels else sum(one.score for one in findings if one.kind == "mislabelled")
    return Audit(subject, tuple(findings), skipped, not_checked, wrong)


def _unreadable(image: SkippedImage) -> Finding:
    told = f"{image.reason[:1].upper()}{image.reason[1:].rstrip('.')}."
    return Finding("unreadable", (image.path,), told, 1.0, "Repair it or leave it out.")
