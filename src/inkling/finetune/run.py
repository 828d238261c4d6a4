"""Fine-tuning for a memory, from its images to its new version: what ``inkling finetune`` does, as one call.

An existing memory brings its images, its prompts, its encoder and its false-alarm rate; a new one begins with what is
given. torch is imported when training begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from inkling.classifier.detection import detector_from
from inkling.classifier.persistence import label_kind_of
from inkling.embeddings.embed import Progress
from inkling.embeddings.samples import is_precomputed
from inkling.encoders.cards import DEFAULT_FOR_PHOTOGRAPHS
from inkling.errors import InputError
from inkling.finetune.exemplars import prompts_of, records_with_known, untuned_source
from inkling.finetune.finetuner import FineTuned, FineTuner
from inkling.finetune.recipe import PRESETS, Recipe
from inkling.finetune.shipping import Shipment, judge, require_rate
from inkling.finetune.training.progress import TrainingProgress, silent
from inkling.images.handed_over import read_images
from inkling.labels import Kind, check_names
from inkling.memory.content import StoredMemory
from inkling.memory.place import FilePlace, place_of
from inkling.memory.store import check_target, read_memory
from inkling.prompts import ClassPrompts
from inkling.redaction import redacted
from inkling.types import ImageRecord

RUN_SUFFIX = ".finetuned"


@dataclass(frozen=True)
class FineTuningOptions:
    """How to fine-tune for a memory.

    Parameters
    ----------
    recipe
        How to train: a recipe, or the name of one of `inkling.finetune.recipe.PRESETS`.
    encoder
        Name or folder of a two-tower model. None: that of the memory; where it was tuned, the one it was tuned from.
    output
        Folder for encoder, log and checkpoints. None: beside the memory, named after it.
    resume
        Go on with the interrupted run in that folder.
    false_alarms
        Rate at which images of known classes may be called unknown. None: that of the memory, where the images can
        support it.
    templates, prompts
        Prompts of the classes, as for `inkling.FewShotClassifier`. Classes without prompts of their own keep
        those of the memory.
    device
        ``auto``, or ``cpu`` to leave a GPU alone.
    fsdp
        Whether weights, gradients and moments are split over the processes of a launch. The result is the same.
    cache
        Where embeddings are kept, as for `inkling.FewShotClassifier`.
    tensorboard
        Whether to write TensorBoard scalars.

    Examples
    --------
    >>> from inkling import FineTuningOptions
    >>> FineTuningOptions(recipe="lora", false_alarms=0.1).recipe
    'lora'
    """

    recipe: Recipe | str = PRESETS["last-blocks"]
    encoder: str | Path | None = None
    output: str | Path | None = None
    resume: bool = False
    false_alarms: float | None = None
    templates: str | Sequence[str] | None = None
    prompts: Sequence[ClassPrompts] = ()
    device: str = "auto"
    fsdp: bool = False
    cache: bool | str | Path = True
    tensorboard: bool = False


@dataclass(frozen=True, eq=False)
class FineTunedMemory:
    """What fine-tuning for a memory made.

    Attributes
    ----------
    memory
        The memory.
    version
        Its version now; None where this process of several only computed.
    changed
        Whether it was written. An existing memory stays as it was unless the tuned encoder ships.
    tuned
        The new encoder and its training.
    shipment
        The candidates and the evidence; None where this process only computed.

    Examples
    --------
    >>> from inkling.finetune.recipe import preset
    >>> few_steps = preset("last-blocks").changed(steps=2)
    >>> done = finetune_memory("new.ink", "photos/train", options=FineTuningOptions(few_steps, encoder="sketch"))
    >>> done.memory, done.version
    ('new.ink', 1)
    """

    memory: str
    version: int | None
    changed: bool
    tuned: FineTuned
    shipment: Shipment | None


def finetune_memory(
    memory: str | Path,
    images: Any,
    labels: Sequence[Any] | None = None,
    *,
    options: FineTuningOptions | None = None,
    progress: TrainingProgress = silent,
    embedding: Progress | None = None,
) -> FineTunedMemory:
    """Fine-tune an encoder on labelled images and those of a memory, and write what ships into the memory.

    Parameters
    ----------
    memory
        A new memory file, or one whose classes and images join in; or a PostgreSQL URL.
    images, labels
        As for `inkling.FewShotClassifier.fit`.
    options
        How; None takes the defaults.
    progress
        Called after each training step.
    embedding
        Called with the progress of embedding, once the training is over.

    Raises
    ------
    InputError
        If images, recipe and rate do not fit, an image of the memory is gone, or the output folder can't be used.
    DivergedError
        If the training destroys what it should improve.
    MemoryFileError
        If the memory can't be written, or was changed meanwhile. Then it is as it was.

    Examples
    --------
    >>> from inkling import FineTuningOptions, finetune_memory
    >>> from inkling.finetune.recipe import preset
    >>> few_steps = preset("last-blocks").changed(steps=2)
    >>> options = FineTuningOptions(recipe=few_steps, encoder="sketch", output="runs/few-steps")
    >>> done = finetune_memory("few-steps.ink", "photos/train", options=options)
    >>> done.version, done.changed
    (1, True)
    """
    options = options or FineTuningOptions()
    memory = str(memory)
    check_target(memory, may_exist=True)
    stored = read_memory(memory) if place_of(memory).exists() else None
    records, label_kind = _records(images, labels, stored, options.prompts)
    tuner = _tuner(options, stored)
    rate = _false_alarms(options.false_alarms, stored, tuner, records)
    tuned = tuner.fit_records(
        records,
        label_kind=label_kind,
        output=Path(options.output or default_output(memory)),
        resume=options.resume,
        progress=progress,
        tensorboard=options.tensorboard,
    )
    before = stored.version if stored else None
    if not tuned.is_main:
        return FineTunedMemory(memory, None, changed=False, tuned=tuned, shipment=None)
    shipment = judge(tuner, tuned, false_alarms=rate, cache=options.cache, progress=embedding)
    written = shipment.save(memory, version=before)
    return FineTunedMemory(memory, written or before, changed=written is not None, tuned=tuned, shipment=shipment)


def require_pictures(source: str | Path) -> None:
    """Refuse a file of vectors: a training needs the images themselves.

    Raises
    ------
    InputError
        If it is one.
    """
    if is_precomputed(source):
        raise InputError(
            f"Fine-tuning needs the images themselves; '{source}' is a file of their vectors.",
            remedy="Name the folder, zip or table of the images.",
        )


def default_output(memory: str) -> Path:
    """Folder of a run: beside the memory and named after it; after the database where it lies on a server."""
    if isinstance(place_of(memory), FilePlace):
        return Path(memory).with_suffix(RUN_SUFFIX)
    database = PurePosixPath(urlsplit(redacted(memory)).path).name
    return Path(database or "memory").with_suffix(RUN_SUFFIX)


def _records(
    images: Any, labels: Sequence[Any] | None, stored: StoredMemory | None, prompts: Sequence[ClassPrompts]
) -> tuple[list[ImageRecord], Kind]:
    """Images to learn from: those given, and those that the memory was trained on; and what their labels are of."""
    if isinstance(images, str | Path):
        require_pictures(images)
    given = read_images(images, labels, split="train")
    records = given.records
    known = [entry.name for entry in stored.content.classes] if stored else []
    named = {one.label for one in records if one.label is not None} | {one.name for one in prompts}
    check_names(sorted(named - {*known}), known)
    if stored is None:
        return records, given.label_kind
    return records_with_known(records, stored.content.exemplars), label_kind_of(stored.content)


def _tuner(options: FineTuningOptions, stored: StoredMemory | None) -> FineTuner:
    """A tuner with the encoder and the prompts that are asked for, else those of the memory."""
    source = options.encoder
    if source is None:
        source = untuned_source(stored.content) if stored else DEFAULT_FOR_PHOTOGRAPHS
    known = {one.name: one for one in prompts_of(stored.content.classes)} if stored else {}
    prompts = {**known, **{one.name: one for one in options.prompts}}
    return FineTuner(
        source,
        options.recipe,
        templates=options.templates,
        prompts=tuple(prompts.values()),
        device=options.device,
        fsdp=options.fsdp,
    )


def _false_alarms(
    asked: float | None, stored: StoredMemory | None, tuner: FineTuner, records: Sequence[ImageRecord]
) -> float | None:
    """The rate of false alarms that was asked for, or else that of the memory where the images can support it."""
    if asked is not None:
        require_rate(tuner, records, asked)
        return asked
    before = detector_from(stored.content.detector) if stored else None
    if before is None:
        return None
    try:
        require_rate(tuner, records, before.false_alarms)
    except InputError:
        return None
    return before.false_alarms
