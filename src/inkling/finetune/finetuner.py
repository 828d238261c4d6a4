"""The object that users hold: an encoder and a recipe in, a new encoder out.

torch is imported when training begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inkling.encoders.base import Encoder
from inkling.encoders.cards import DEFAULT_FOR_PHOTOGRAPHS
from inkling.encoders.devices import AUTO, CPU, check_device
from inkling.encoders.registry import load_encoder
from inkling.encoders.transformers.encoder import TransformersEncoder
from inkling.errors import EncoderError, require
from inkling.finetune.recipe import PRESETS, Recipe, preset
from inkling.finetune.run_folder import ENCODER, FOLDS, TRAINING, Run, alone_in, check_output
from inkling.finetune.training.progress import TrainingProgress, silent
from inkling.heads.fold_spaces import FoldSpaces
from inkling.images.handed_over import read_images
from inkling.labels import Kind, check_names
from inkling.prompts import ClassPrompts, resolve_templates
from inkling.provenance import current_command, data_hash, inkling_version, now, package_versions
from inkling.types import EncoderIdentity, ImageRecord, SkippedImage

if TYPE_CHECKING:
    from inkling.finetune.prepare import PreparedData
    from inkling.finetune.selection.interpolate import Choice
    from inkling.finetune.selection.out_of_fold import Folds
    from inkling.finetune.training.distributed import Team
    from inkling.finetune.training.history import Row
    from inkling.finetune.training.trainer import Training

DEVICES = (AUTO, CPU)


@dataclass(frozen=True, eq=False)
class FineTuned:
    """What fine-tuning made.

    Attributes
    ----------
    folder
        The new encoder, in the format of transformers.
    identity
        Its name, fingerprint and dimensions.
    adapters
        Folder of the low-rank additions, for ``lora``; else None.
    class_names, class_vectors
        The classes, in the order of their labels, and the unit vectors (n_classes, d) that go with the encoder: of
        their prompts, or of the head that was trained from them.
    choice
        The share of the tuned weights, and why.
    fold_spaces
        Vectors of images and classes by encoders that did not see the images; None where nothing could be held out.
    history
        The rows of the log.
    records
        Images that it was trained on, in the order of `fold_spaces`.
    label_kind
        What their labels are of.
    skipped
        Images that were not used, and why.
    is_main
        Whether this process is the one that tells and writes; the others of a launch only compute.

    Examples
    --------
    >>> from inkling.finetune.recipe import preset
    >>> few_steps = preset("last-blocks").changed(steps=2)
    >>> tuned = FineTuner("sketch", few_steps).fit("photos/train", output="runs/tuned")
    >>> tuned.folder.name, tuned.class_names
    ('encoder', ('castle', 'cat', 'tree'))
    """

    folder: Path
    identity: EncoderIdentity
    adapters: Path | None
    class_names: tuple[str, ...]
    class_vectors: NDArray[np.float32]
    choice: Choice
    fold_spaces: FoldSpaces | None
    history: tuple[Row, ...]
    records: tuple[ImageRecord, ...]
    label_kind: Kind
    skipped: tuple[SkippedImage, ...]
    is_main: bool


class FineTuner:
    """Fine-tune an encoder on labelled images.

    Parameters
    ----------
    encoder
        Name or folder of a two-tower model in the format of transformers.
    recipe
        How, or the name of one of `inkling.finetune.recipe.PRESETS`.
    templates, prompts
        Prompts of the classes, as for `inkling.FewShotClassifier`.
    device
        ``auto``, or ``cpu`` to leave a GPU alone.
    fsdp
        Whether weights, gradients and moments are split over the processes of a launch. The result is the same.

    Examples
    --------
    >>> FineTuner("sketch", "lora")
    FineTuner(encoder='sketch', train='lora')
    """

    def __init__(
        self,
        encoder: str | Path | Encoder = DEFAULT_FOR_PHOTOGRAPHS,
        recipe: Recipe | str = PRESETS["last-blocks"],
        *,
        templates: str | Sequence[str] | None = None,
        prompts: Sequence[ClassPrompts] = (),
        device: str = "auto",
        fsdp: bool = False,
    ) -> None:
        require("torch", extra="finetune", purpose="Fine-tuning")
        check_device(device, choices=DEVICES)
        self.recipe = preset(recipe) if isinstance(recipe, str) else recipe
        self.templates = resolve_templates(templates)
        self.prompts = tuple(prompts)
        self.device, self.fsdp = device, fsdp
        self.encoder = two_towers(load_encoder(encoder) if isinstance(encoder, str | Path) else encoder)

    def __repr__(self) -> str:
        return f"FineTuner(encoder={self.encoder.identity.name!r}, train={self.recipe.train!r})"

    def fit(
        self,
        images: Any,
        labels: Sequence[Any] | None = None,
        *,
        output: str | Path,
        resume: bool = False,
        progress: TrainingProgress = silent,
        tensorboard: bool = False,
    ) -> FineTuned:
        """Train, choose the share of the tuned weights, and write the new encoder.

        Parameters
        ----------
        images, labels
            As for `inkling.FewShotClassifier.fit`.
        output
            Folder: ``training`` (log and checkpoints), ``folds`` (trainings that choose the share), ``encoder`` (the
            result) and, for LoRA, ``adapters``.
        resume
            Go on with an interrupted run in that folder.
        progress
            Called after each step.
        tensorboard
            Whether to write TensorBoard scalars.

        Raises
        ------
        InputError
            If images and recipe do not fit, or the folder can't be used.
        DivergedError
            If the training destroys what it should improve.

        Examples
        --------
        >>> from inkling.finetune.recipe import preset
        >>> few_steps = preset("last-blocks").changed(steps=2)
        >>> tuned = FineTuner("sketch", few_steps).fit("photos/train", output="runs/fit")
        >>> load_encoder(tuned.folder).identity.dimension == tuned.identity.dimension
        True
        """
        given = read_images(images, labels, split="train")
        named = {one.label for one in given.records if one.label is not None} | {one.name for one in self.prompts}
        check_names(sorted(named))
        return self.fit_records(
            given.records,
            label_kind=given.label_kind,
            output=Path(output),
            resume=resume,
            progress=progress,
            tensorboard=tensorboard,
        )

    def fit_records(
        self,
        records: Sequence[ImageRecord],
        *,
        label_kind: Kind = Kind.TEXT,
        output: Path,
        resume: bool = False,
        progress: TrainingProgress = silent,
        tensorboard: bool = False,
    ) -> FineTuned:
        """As `fit`, on image records; their labels are names, and `label_kind` tells what of.

        Examples
        --------
        >>> from pathlib import Path
        >>> from inkling.finetune.recipe import preset
        >>> from inkling.images.sources import find_images
        >>> tuner = FineTuner("sketch", preset("last-blocks").changed(steps=2))
        >>> tuned = tuner.fit_records(find_images("photos/train").records, output=Path("runs/records"))
        >>> tuned.class_names
        ('castle', 'cat', 'tree')
        """
        from inkling.finetune.prepare import prepare
        from inkling.finetune.training.distributed import Team

        recipe, source = self.recipe, self.encoder.folder
        team = Team.form(precision=recipe.precision, cpu=self.device == "cpu", fsdp=self.fsdp)
        if team.is_main:
            check_output(output, resume=resume)
        prepared = prepare(
            records,
            source,
            prompts=self.prompts,
            templates=self.templates,
            augments=recipe.augment != "none",
            label_kind=label_kind,
        )
        origin = {"encoder": self.encoder.identity.fingerprint}
        run = Run(folder=output, resume=resume, origin=origin, progress=progress, tensorboard=tensorboard)
        with alone_in(output) if team.is_main else nullcontext():
            return self._trained(prepared, run, team)

    def _trained(self, prepared: PreparedData, run: Run, team: Team) -> FineTuned:
        """Train on all images and on those of each fold, choose the share, and write the encoder."""
        from inkling.encoders.transformers.loaded_model import load_towers
        from inkling.finetune.selection.out_of_fold import Folds
        from inkling.finetune.training.trainer import train

        recipe, source, output = self.recipe, self.encoder.folder, run.folder
        training = train(load_towers(source), prepared.data, recipe, run=run.within(TRAINING), team=team)
        in_folds = run.within(FOLDS, tensorboard=False)
        folds = Folds(partial(load_towers, source), prepared.data, recipe, run=in_folds, team=team)
        choice, spaces = _choose(folds, prepared, recipe, logit_scale=self.encoder.identity.logit_scale)
        class_vectors = self._write(training, prepared, choice, output, team)
        return FineTuned(
            folder=output / ENCODER,
            identity=TransformersEncoder(output / ENCODER).identity,
            adapters=output / "adapters" if training.adapters else None,
            class_names=prepared.data.class_names,
            class_vectors=class_vectors,
            choice=choice,
            fold_spaces=spaces,
            history=training.history,
            records=prepared.records,
            label_kind=prepared.label_kind,
            skipped=prepared.skipped,
            is_main=team.is_main,
        )

    def _write(
        self, training: Training, prepared: PreparedData, choice: Choice, output: Path, team: Any
    ) -> NDArray[np.float32]:
        """Write the encoder at the chosen share; returns the class vectors that go with it."""
        from inkling.encoders.transformers.loaded_model import load_towers
        from inkling.finetune import result
        from inkling.finetune.selection.interpolate import interpolated, place
        from inkling.finetune.selection.judge import Judge, weights_of

        source = self.encoder.folder
        model = load_towers(source)
        start = weights_of(model, list(training.tuned))
        vectors = Judge(load_towers(source), start, training, prepared.data, team).set_to(choice.share).cpu()
        if team.is_main:
            place(model, interpolated(start, training.tuned, choice.share))
            result.write_encoder(
                model,
                source,
                output / ENCODER,
                provenance=self._provenance(training, prepared, choice),
                class_vectors=result.ClassVectors(prepared.data.class_names, vectors),
            )
        if team.is_main and training.adapters:
            base = self.encoder.identity.source
            result.write_adapters(training.adapters, self.recipe, base, output / "adapters", share=choice.share)
        team.wait()
        found: NDArray[np.float32] = vectors.numpy()
        return found

    def _provenance(self, training: Training, prepared: PreparedData, choice: Choice) -> dict[str, Any]:
        data, identity = prepared.data, self.encoder.identity
        labels = [data.class_names[label] for label in data.labels]
        return {
            "created": now(),
            "inkling_version": inkling_version(),
            "command": current_command(),
            "versions": package_versions(),
            "encoder": {"name": identity.name, "source": identity.source, "fingerprint": identity.fingerprint},
            "data_hash": data_hash(prepared.content_hashes, labels),
            "recipe": self.recipe.to_json(),
            "steps": training.step,
            "share": choice.share,
            "reason": choice.reason,
            "class_names": list(data.class_names),
        }


def _choose(
    folds: Folds, prepared: PreparedData, recipe: Recipe, *, logit_scale: float
) -> tuple[Choice, FoldSpaces | None]:
    """The share of the tuned weights that was asked for or follows from the folds, and their vectors at it."""
    from inkling.finetune.selection.interpolate import SHARES, WITHOUT_EVIDENCE, Choice, choose

    asked = recipe.interpolate
    if not folds.n_folds:
        share = WITHOUT_EVIDENCE if asked is None else asked
        why = "half of the tuned weights ship" if asked is None else f"share {asked:g} ships, as was asked for"
        return Choice(share, (), (), f"too few images to hold any out: {why}"), None
    shares = sorted({*SHARES, *(() if asked is None else (asked,))})
    spaces = folds.spaces(shares)
    choice = choose(
        spaces,
        prepared.data.labels,
        shares,
        asked=asked,
        logit_scale=logit_scale,
        seed=recipe.seed,
        sources=prepared.data.sources,
    )
    return choice, spaces[shares.index(choice.share)]


def two_towers(encoder: Encoder) -> TransformersEncoder:
    """The encoder, if it can be fine-tuned.

    Raises
    ------
    EncoderError
        If it is no two-tower model in the format of transformers, or of a family that fine-tuning doesn't know.
    """
    if isinstance(encoder, TransformersEncoder) and encoder.folder.family.tunes:
        return encoder
    family = encoder.folder.family if isinstance(encoder, TransformersEncoder) else None
    raise EncoderError(
        f"The encoder {encoder.identity.name} can't be fine-tuned: that needs both towers of a CLIP or SigLIP "
        f"model in the format of transformers, and this is {f'a {family.title}' if family else 'of another kind'}.",
        remedy="Name a model on the hub, or a folder with config.json, model.safetensors and tokenizer files.",
    )
