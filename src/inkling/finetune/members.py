"""The trainings of a run as an ensemble: encoders that know the same classes from different images.

Where they disagree, no class fits an image well (`inkling.unknown.mutual_information`). Members are the encoder
that the run made and those of its folds, at the same share of the tuned weights. Any recipe will do: the checkpoints
hold whatever was trained, which for LoRA are the additions alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import softmax

from inkling.encoders.base import Encoder
from inkling.encoders.devices import AUTO, CPU, check_device
from inkling.encoders.registry import load_encoder
from inkling.encoders.transformers.model_folder import ModelFolder
from inkling.errors import EncoderMismatchError, InputError, UnreadableImageError
from inkling.finetune.finetuner import two_towers
from inkling.finetune.recipe import Recipe
from inkling.finetune.run_folder import ENCODER, FOLDS
from inkling.images.decode import load
from inkling.images.handed_over import records_of
from inkling.types import FloatArray, ImageRecord
from inkling.wording import excerpt

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class _Run:
    """What a finished run tells of itself."""

    result: Path
    folds: tuple[Path, ...]
    base: ModelFolder
    recipe: Recipe
    share: float


def member_probabilities(
    run: str | Path, images: Any, *, encoder: str | Path | Encoder | None = None, device: str = "auto"
) -> FloatArray:
    """What each training of a run makes of images, by the class vectors that go with it.

    Parameters
    ----------
    run
        Output folder of `inkling.finetune.finetuner.FineTuner.fit` or ``inkling finetune``.
    images
        As for `inkling.FewShotClassifier.fit`; labels are not looked at.
    encoder
        The encoder that was tuned, if it is no longer where it was.
    device
        ``auto``, or ``cpu`` to leave a GPU alone.

    Returns
    -------
    ndarray
        Probabilities (n_members, n, n_classes), the classes sorted by name; NaN for an image that can't be read.

    Raises
    ------
    InputError
        If the folder holds no finished run, or one that held no images out.
    EncoderMismatchError
        If the encoder is not the one that was tuned.
    """
    from inkling.finetune.training.distributed import Team
    from inkling.finetune.training.pixels import Pixels
    from inkling.finetune.training.vectors import encode

    check_device(device, choices=(AUTO, CPU))
    found, records = _read(Path(run), encoder), records_of(images)
    preprocessing = found.base.preprocessing
    levels = {row: preprocessing.levels(image) for row, image in _readable(records, preprocessing.shorter_side)}
    team = Team.form(precision=found.recipe.precision, cpu=device == "cpu")
    members = []
    for model, classes in _members(found):
        p = np.full((len(records), len(classes)), np.nan)
        if levels:
            vectors = encode(model.to(team.device), Pixels.of(list(levels.values()), preprocessing), team).cpu()
            scale = float(model.logit_scale.detach().exp())
            p[list(levels)] = softmax(scale * (vectors @ classes.T).numpy(), axis=1)
        members.append(p)
    return np.stack(members)


def _read(run: Path, encoder: str | Path | Encoder | None) -> _Run:
    from inkling.finetune.result import PROVENANCE

    file = run / ENCODER / PROVENANCE
    if not file.is_file():
        raise InputError(
            f"There is no finished fine-tuning in '{run}'.", remedy="Name the folder that it was given as its output."
        )
    told = _provenance(file)
    folds = tuple(sorted((run / FOLDS).glob("fold-*")))
    if not folds:
        raise InputError(
            f"The fine-tuning in '{run}' is a single training, so there are no members to disagree: its classes had "
            "too few images to leave any out.",
            remedy="Fine-tune with two images of each class or more.",
        )
    source = told["encoder"]["source"] if encoder is None else encoder
    base = two_towers(load_encoder(source) if isinstance(source, str | Path) else source)
    if base.identity.fingerprint != told["encoder"]["fingerprint"]:
        raise EncoderMismatchError(
            f"The run in '{run}' tuned '{told['encoder']['name']}' ({told['encoder']['fingerprint']}); what is at hand "
            f"is '{base.identity.name}' ({base.identity.fingerprint}).",
            remedy="Say by `encoder` where the encoder is that was tuned.",
        )
    return _Run(run / ENCODER, folds, base.folder, Recipe(**told["recipe"]), told["share"])


def _provenance(file: Path) -> dict[str, Any]:
    """What the fine-tuning wrote of itself, with the keys that are needed here."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        texts = [told["encoder"][key] for key in ("source", "fingerprint", "name")]
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("the encoder is not named by text")
        return {**told, "recipe": dict(told["recipe"])}
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise InputError(
            f"The file '{file}' can't be read: {excerpt(error)}.", remedy="Fine-tune again in a new folder."
        ) from error


def _readable(records: Sequence[ImageRecord], shorter_side: int) -> Iterator[tuple[int, Any]]:
    """Rows of the images that can be read, and the pictures."""
    for row, record in enumerate(records):
        try:
            yield row, load(record, shorter_side=shorter_side).image
        except UnreadableImageError:
            continue


def _members(run: _Run) -> Iterator[tuple[Any, Tensor]]:
    """Models, one at a time, each with its class vectors (n_classes, d)."""
    from inkling.encoders.transformers.loaded_model import load_towers
    from inkling.finetune.result import CLASS_VECTORS, ClassVectors

    yield load_towers(ModelFolder(run.result)), ClassVectors.read(run.result / CLASS_VECTORS).vectors
    yield from (_of_fold(run, fold) for fold in run.folds)


def _of_fold(run: _Run, fold: Path) -> tuple[Any, Tensor]:
    from inkling.encoders.transformers.loaded_model import load_towers
    from inkling.finetune.selection.interpolate import interpolated, place
    from inkling.finetune.selection.judge import weights_of
    from inkling.finetune.selection.out_of_fold import VECTORS
    from inkling.finetune.training import parts
    from inkling.finetune.training.checkpoint import LAST, read_checkpoint

    model, (weights, _) = load_towers(run.base), read_checkpoint(fold / LAST)
    trained = parts.choose(model, run.recipe)
    place(model, {name: weights[name] for name in trained.parameters})
    parts.merge(trained)
    names = parts.changed_weights(trained)
    start, tuned = weights_of(load_towers(run.base), names), weights_of(model, names)
    place(model, interpolated(start, tuned, run.share))
    vectors, state = read_checkpoint(fold / VECTORS)
    return model, vectors["classes"][state["shares"].index(run.share)]
