"""What ships after fine-tuning: zero-shot, a head on the encoder as it was, or the tuned encoder, as evidence tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from inkling.classifier.few_shot import FewShotClassifier
from inkling.classifier.fitted import FINE_TUNED
from inkling.classifier.persistence import to_memory
from inkling.classifier.tuning import Tuning, tuned_twice
from inkling.embeddings.cache import opened_cache
from inkling.embeddings.embed import Progress
from inkling.embeddings.samples import embed_samples
from inkling.errors import InputError
from inkling.finetune.finetuner import FineTuned, FineTuner
from inkling.finetune.selection.guard import Verdict, simplest_not_beaten
from inkling.finetune.training.holdout import folds_of
from inkling.heads.evidence import Evidence
from inkling.heads.zero_shot import ZeroShotHead
from inkling.images.sources import Found
from inkling.memory.store import switch_encoder
from inkling.provenance import current_command
from inkling.types import ImageRecord, IntArray
from inkling.unknown import require_images

HEAD = "head"
ZERO_SHOT = ZeroShotHead.name


@dataclass(frozen=True, eq=False)
class Shipment:
    """The candidates, and the one that ships.

    Attributes
    ----------
    zero_shot, head, fine_tuned
        Classifiers by the encoder as it was and its texts (None where fewer than two classes have one), by a head on
        it, and by the tuned encoder.
    candidates
        Out-of-fold evidence of each; empty where nothing could be held out.
    verdict
        Which of them ships.
    told
        The fine-tuning as JSON can hold it: what a memory keeps, and reports show.

    Examples
    --------
    >>> from inkling.finetune.recipe import preset
    >>> few_steps = preset("last-blocks").changed(steps=2)
    >>> done = finetune_memory("new.ink", "photos/train", options=FineTuningOptions(few_steps, encoder="sketch"))
    >>> done.shipment.classifier.classes_.tolist()
    ['castle', 'cat', 'tree']
    """

    zero_shot: FewShotClassifier | None
    head: FewShotClassifier
    fine_tuned: FewShotClassifier
    candidates: tuple[Evidence, ...]
    verdict: Verdict
    told: Mapping[str, Any]

    @property
    def classifier(self) -> FewShotClassifier:
        """The one that ships."""
        classifiers = {HEAD: self.head, FINE_TUNED: self.fine_tuned}
        if self.zero_shot is not None:
            classifiers[ZERO_SHOT] = self.zero_shot
        return classifiers[self.verdict.name]

    def save(self, memory: str | Path, *, version: int | None) -> int | None:
        """Write what ships; returns the memory's version, or None where an existing memory stays as it is.

        Parameters
        ----------
        version
            Of the memory whose images were learnt from. Only a tuned encoder changes that one, in one transaction;
            what it knew before stays in the file. None for a new memory.

        Raises
        ------
        MemoryFileError
            If it cannot be written, or was changed since. Then it is as it was.

        Examples
        --------
        >>> from inkling.finetune.recipe import preset
        >>> few_steps = preset("last-blocks").changed(steps=2)
        >>> done = finetune_memory("new.ink", "photos/train", options=FineTuningOptions(few_steps, encoder="sketch"))
        >>> done.shipment.save("copy.ink", version=None)
        1
        """
        if version is None:
            return self.classifier.save(memory)
        if self.verdict.name != FINE_TUNED:
            return None
        return switch_encoder(memory, to_memory(self.fine_tuned.fitted, command=current_command()), version=version)


def require_rate(tuner: FineTuner, records: Sequence[ImageRecord], false_alarms: float) -> None:
    """Refuse before any training a rate of false alarms that it would not leave enough images to calibrate.

    Raises
    ------
    InputError
        If there will be too few that a training leaves out, or none that it has not seen.
    """
    if _was_tuned(tuner):
        raise tuned_twice()
    labelled = [one for one in records if one.label is not None]
    labels = np.unique([str(one.label) for one in labelled], return_inverse=True)[1]
    # Records that name no file of a box are pictures of their own, whatever they are called.
    pictures = [one.file or f"{number} {one.path}" for number, one in enumerate(labelled)]
    sources = np.unique(pictures, return_inverse=True)[1]
    fold = folds_of(labels, n_folds=tuner.recipe.folds, seed=tuner.recipe.seed, sources=sources)
    require_images(int((fold >= 0).sum()), false_alarms)


def judge(
    tuner: FineTuner,
    tuned: FineTuned,
    *,
    false_alarms: float | None = None,
    cache: bool | str | Path = True,
    progress: Progress | None = None,
) -> Shipment:
    """Hold a tuned encoder against what the same images give without fine-tuning.

    Parameters
    ----------
    tuner, tuned
        A tuner, and what its `fit` made.
    false_alarms
        Rate at which known images may be called unknown, as for `FewShotClassifier`.
    cache
        Where embeddings are kept, as for `FewShotClassifier`.
    progress
        Called with the progress of embedding.

    Raises
    ------
    InputError
        If an image that the encoder was tuned on can't be read any more, or there are too few for the rate.
    """
    options: dict[str, Any] = {
        "seed": tuner.recipe.seed,
        "device": tuner.device,
        "templates": tuner.templates,
        "prompts": tuner.prompts,
        "false_alarms": false_alarms,
        "cache": cache,
    }
    images = Found(tuned.records, {}, label_kind=tuned.label_kind)
    head = FewShotClassifier(tuner.encoder, **options).fit(images, progress=progress)
    zero_shot = None
    if sum(entry.text_vector is not None for entry in head.fitted.entries) > 1:
        zero_shot = FewShotClassifier(tuner.encoder, head=ZERO_SHOT, **options).fit(images)
    tuning = Tuning(tuned.fold_spaces, head.fitted.detector, tuned_before=_was_tuned(tuner))
    fine_tuned = _with_tuned_encoder(tuned, head, tuning, options, progress)
    by_texts = {} if zero_shot is None else {ZERO_SHOT: zero_shot}
    classifiers = {**by_texts, HEAD: head, FINE_TUNED: fine_tuned}
    candidates = _evidence(classifiers)
    if candidates:
        verdict = simplest_not_beaten(candidates)
    else:
        verdict = Verdict(FINE_TUNED, f"{tuned.choice.reason}, without evidence")
    told = _told(tuner, tuned, candidates, verdict, unknown=classifiers[verdict.name].fitted.unknown)
    for classifier in classifiers.values():
        found = replace(classifier.fitted.fitted_head, finding=f"{verdict.finding}. {classifier.finding_}")
        classifier.fitted = replace(classifier.fitted, fitted_head=found, finetuning=told)
    return Shipment(zero_shot, head, fine_tuned, candidates, verdict, told)


def _with_tuned_encoder(
    tuned: FineTuned,
    head: FewShotClassifier,
    tuning: Tuning,
    options: Mapping[str, Any],
    progress: Progress | None,
) -> FewShotClassifier:
    """The same images and classes through the tuned encoder, under a head that weighs its texts and images."""
    classifier = FewShotClassifier(tuned.folder.resolve(), **options)
    with opened_cache(options["cache"]) as cache:
        samples = embed_samples(tuned.records, classifier.encoder, cache=cache, progress=progress)
    if samples.paths != tuple(record.path for record in tuned.records):
        raise InputError(
            f"Some images could be read for the training and can't any more: {samples.skipped[0].path} and others.",
            remedy="Put them back and resume the run (--resume, in Python resume=True): nothing is trained twice.",
        )
    vectors = dict(zip(tuned.class_names, tuned.class_vectors, strict=True))
    entries = [replace(entry, text_vector=vectors[entry.name]) for entry in head.fitted.entries]
    return classifier.learn(replace(samples, label_kind=tuned.label_kind), entries, tuning=tuning)


def _was_tuned(tuner: FineTuner) -> bool:
    """Whether the encoder that the tuner began with is the work of another fine-tuning."""
    from inkling.finetune.result import PROVENANCE

    return (tuner.encoder.folder.path / PROVENANCE).is_file()


def _evidence(classifiers: Mapping[str, FewShotClassifier]) -> tuple[Evidence, ...]:
    """Calibrated out-of-fold logits of the candidates on the images that all of them were judged on."""
    held_out = {name: one.fitted.fitted_head.held_out for name, one in classifiers.items()}
    rows = reduce(np.intersect1d, [one.rows for one in held_out.values() if one is not None])
    if len(rows) < 2:
        return ()
    return tuple(_evidence_of(name, one, rows) for name, one in classifiers.items())


def _evidence_of(name: str, classifier: FewShotClassifier, rows: IntArray) -> Evidence:
    fitted = classifier.fitted
    assert fitted.fitted_head.held_out is not None
    found = fitted.fitted_head.held_out
    y = fitted.vectors.y[rows]
    logits = found.logits[np.searchsorted(found.rows, rows)] / fitted.fitted_head.temperature
    return Evidence.of(name, logits, y, sources=fitted.vectors.sources[rows])


def _told(
    tuner: FineTuner, tuned: FineTuned, candidates: Sequence[Evidence], verdict: Verdict, *, unknown: str
) -> dict[str, Any]:
    """What a memory keeps of the fine-tuning, and reports show."""
    before = tuner.encoder.identity
    return {
        "from": {"name": before.name, "source": before.source, "fingerprint": before.fingerprint},
        "encoder": str(tuned.folder.resolve()),
        "recipe": tuner.recipe.to_json(),
        "share": tuned.choice.share,
        "reason": tuned.choice.reason,
        "curve": [asdict(point) for point in tuned.choice.curve],
        "texts": [asdict(point) for point in tuned.choice.texts],
        "log": [asdict(row) for row in tuned.history],
        "candidates": [
            {"name": one.name, "log_loss": float(one.losses.mean()), "top1": one.top1} for one in candidates
        ],
        "ships": verdict.name,
        "finding": verdict.finding,
        "unknown": unknown,
    }
