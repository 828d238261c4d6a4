"""How well a memory is learned, by images that were left out of fitting; and which images to label next."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from inkling.advising.advice import ordered
from inkling.auditing.held_out import held_out_logits
from inkling.auditing.subject import Subject
from inkling.classifier.few_shot import FewShotClassifier
from inkling.classifier.fitted import FittedClassifier
from inkling.discovery.pool import components
from inkling.embeddings.samples import Samples
from inkling.errors import InputError
from inkling.evaluate.protocol import evaluate_predictions
from inkling.heads import AutoHead, head_class
from inkling.heads.calibration import apply_temperature
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.heads.out_of_fold import out_of_fold
from inkling.memory.pool import read_pool
from inkling.memory.shown import ShownImage
from inkling.payloads import Payload, evaluation_payload
from inkling.serving.answers import image_answer
from inkling.types import FloatArray, IntArray

FEW_PICTURES = 8
"""A class with fewer different pictures is said to need more."""


def learned_state(classifier: FewShotClassifier) -> Payload:
    """Accuracy, calibration and confusion out of fold, and what each class has: near-duplicates count once.

    Measured is the head that the memory has, with its weights and temperature, as its fit measured it.
    """
    fitted = classifier.fitted
    subject = Subject(fitted.samples, fitted.entries, seed=fitted.seed)
    sources = _sources(subject)
    pictures = _pictures(subject, sources)
    evaluation, why = _evaluated(subject, sources, fitted)
    recalls = {} if evaluation is None else {name: one["recall"] for name, one in evaluation["per_class"].items()}
    images = Counter(fitted.vectors.y[subject.contents].tolist())
    return {
        "memory_version": classifier.memory_version,
        "images": len(subject.contents),
        "pictures": sum(pictures.values()),
        "evaluation": evaluation,
        "why_no_evaluation": why,
        "calibration": dict(fitted.fitted_head.calibration),
        "unknown": fitted.unknown_report,
        "classes": [
            {
                "name": name,
                "images": images[column],
                "pictures": pictures[column],
                "recall": recalls.get(name),
                "needs_more": pictures[column] < FEW_PICTURES,
            }
            for column, name in enumerate(fitted.classes)
        ],
    }


def _sources(subject: Subject) -> IntArray:
    """Number of the source of each content, (n,): of near-duplicates, frames of a burst, and what a person grouped."""
    of_picture = np.zeros(int(subject.picture.max(initial=0)) + 1, dtype=np.int64)
    first = np.searchsorted(subject.contents, subject.different)
    of_picture[subject.picture[first]] = subject.bursts.source
    declared = subject.vectors.sources[subject.contents]
    order = np.argsort(declared, kind="stable")
    same = np.stack([order[:-1], order[1:]], axis=1)[declared[order[1:]] == declared[order[:-1]]]
    return components(len(declared), of_picture[subject.picture], same)


def _pictures(subject: Subject, sources: IntArray) -> Counter[int]:
    """Different sources of each class."""
    y = subject.vectors.y[subject.contents]
    return Counter(column for column, _ in set(zip(y.tolist(), sources.tolist(), strict=True)))


def _evaluated(subject: Subject, sources: IntArray, fitted: FittedClassifier) -> tuple[Payload | None, str | None]:
    """Measures out of fold, a burst of near-duplicates held out together; or why there are none."""
    contents = subject.contents
    vectors = subject.vectors
    try:
        of_pictures = replace(vectors, X=vectors.X[contents], y=vectors.y[contents], sources=sources)
        rows, p = _held_out(fitted, of_pictures)
        if not len(rows):
            return None, "No class has two pictures, of which one could be left out."
        evaluation = evaluate_predictions(p, of_pictures.y[rows], subject.classes)
    except InputError as error:
        return None, error.message
    return evaluation_payload(evaluation), None


def _held_out(fitted: FittedClassifier, vectors: LabelledVectors) -> tuple[IntArray, FloatArray]:
    """Rows that could be held out (n,), and their probabilities (n, n_classes) by heads that did not see them."""
    head = fitted.fitted_head
    if isinstance(head.head, AutoHead):
        rows, logits = held_out_logits(vectors, seed=fitted.seed, rounds=1, whole=head.head)
    else:
        plain = head_class(fitted.head)(**vectors.head_options)
        found = out_of_fold(plain, vectors.X, vectors.y, vectors.sources, seed=fitted.seed)
        rows, logits = found.rows, found.logits
    return rows, apply_temperature(logits, head.temperature)


def next_to_label(memory: str, classifier: FewShotClassifier, *, most: int) -> Payload:
    """Images that wait in the pool, the most useful to label first."""
    pool = read_pool(memory)
    samples = Samples(
        identity=classifier.fitted.samples.identity,
        paths=tuple(one.content_hash for one in pool.images),
        labels=(None,) * len(pool.images),
        content_hashes=tuple(one.content_hash for one in pool.images),
        thumbnails=(None,) * len(pool.images),
        views=(0,) * len(pool.images),
        X=pool.vectors,
    )
    chosen = ordered(classifier, samples, n=most) if len(samples) else ()
    images = {one.content_hash: one for one in pool.images}
    told: list[dict[str, Any]] = []
    for one in chosen:
        image = images[one.path]
        shown = image_answer(ShownImage(image.content_hash, image.path, image.p_known))
        told.append({**asdict(one), **shown})
    return {"memory_version": classifier.memory_version, "waiting": len(pool.images), "order": told}
