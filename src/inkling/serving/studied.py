"""How well a memory is learned, by images that were left out of fitting; and which images to label next."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from scipy.special import softmax

from inkling.advising.advice import ordered
from inkling.auditing.held_out import held_out_logits
from inkling.auditing.subject import Subject
from inkling.classifier.few_shot import FewShotClassifier
from inkling.discovery.pool import components
from inkling.embeddings.samples import Samples
from inkling.errors import InputError
from inkling.evaluate.protocol import evaluate_predictions
from inkling.memory.pool import read_pool
from inkling.memory.shown import ShownImage
from inkling.payloads import Payload, evaluation_payload
from inkling.serving.answers import image_answer
from inkling.types import IntArray

FEW_PICTURES = 8
"""A class with fewer different pictures is said to need more."""


def learned_state(classifier: FewShotClassifier) -> Payload:
    """Accuracy, calibration and confusion out of fold, and what each class has: near-duplicates count once."""
    fitted = classifier.fitted
    subject = Subject(fitted.samples, fitted.entries, seed=fitted.seed)
    sources = _sources(subject)
    pictures = _pictures(subject, sources)
    evaluation, why = _evaluated(subject, sources)
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


def _evaluated(subject: Subject, sources: IntArray) -> tuple[Payload | None, str | None]:
    """Measures out of fold, a burst of near-duplicates held out together; or why there are none."""
    contents = subject.contents
    vectors = subject.vectors
    try:
        of_pictures = replace(vectors, X=vectors.X[contents], y=vectors.y[contents], sources=sources)
        rows, logits = held_out_logits(of_pictures, seed=subject.seed)
        if not len(rows):
            return None, "No class has two pictures, of which one could be left out."
        evaluation = evaluate_predictions(softmax(logits, axis=1), of_pictures.y[rows], subject.classes)
    except InputError as error:
        return None, error.message
    return evaluation_payload(evaluation), None


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
