"""The trainings of a run disagree about what none of them learnt."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer

from inkling.encoders.transformers.encoder import TransformersEncoder
from inkling.errors import EncoderMismatchError, InputError
from inkling.finetune.finetuner import FineTuner
from inkling.finetune.members import member_probabilities
from inkling.sketch import draw
from inkling.types import FloatArray
from inkling.unknown import mutual_information
from tests.finetune.cases import load, recipe
from tests.finetune.test_shipping import KINDS, pictures

SHARE = 0.6
HOW: dict[str, Any] = {"steps": 6, "batch_size": 6, "folds": 2, "interpolate": SHARE}


def finetuned(output: Path, *, per_class: int = 4, **options: Any) -> Path:
    images, labels = pictures(per_class)
    FineTuner("sketch", recipe(**HOW, **options), device="cpu").fit(images, labels, output=output)
    return output


@pytest.fixture(scope="module")
def lora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finetuned(tmp_path_factory.mktemp("lora") / "run", train="lora", lora_alpha=4.0, learning_rate=1e-2)


def merged_by_hand(sketch: Path, checkpoint: Path) -> Any:
    """W + share (alpha / rank) B A for every matrix that has additions."""
    model, additions = load(sketch), load_file(checkpoint)
    names = {name.partition(".lora_")[0] for name in additions if ".lora_" in name}
    assert names
    with torch.no_grad():
        for name in names:
            a, b = (additions[f"{name}.lora_{which}.default.weight"] for which in "AB")
            weight = model.get_parameter(f"{name.removeprefix('weights/')}.weight")
            weight += SHARE * (4.0 / 2) * (b @ a)
    return model


def probabilities(model: Any, sketch: Path, images: list[Any]) -> FloatArray:
    """Softmax of the model's own logits for the prompts of the classes."""
    encoder = TransformersEncoder(sketch)
    pixels = torch.from_numpy(np.stack([encoder.prepare(image) for image in images]))
    tokens = AutoTokenizer.from_pretrained(sketch)(
        [f"a photo of a {kind}." for kind in sorted(KINDS)], padding="max_length", truncation=True, return_tensors="pt"
    )
    with torch.no_grad():
        logits = model(pixel_values=pixels, **tokens).logits_per_image
    return np.asarray(logits.softmax(dim=1))


def test_members_are_the_run_and_its_folds_at_the_share_that_shipped(lora: Path, sketch: Path) -> None:
    images, _ = pictures(2, seed=50)
    found = member_probabilities(lora, images, device="cpu")
    checkpoints = [lora / "training", lora / "folds" / "fold-0", lora / "folds" / "fold-1"]
    by_hand = [
        probabilities(merged_by_hand(sketch, folder / "last.safetensors"), sketch, images) for folder in checkpoints
    ]
    assert found.shape == (3, len(images), 3)
    np.testing.assert_allclose(found, np.stack(by_hand), atol=2e-4)
    assert not np.allclose(found[0], found[1], atol=0.01)
    assert (mutual_information(found) > 0).all()


@pytest.mark.parametrize(
    "options",
    [{"train": "projection"}, {"train": "full"}, {"train": "layernorm", "head_share": 0.5}],
    ids=["projection", "full", "two stages"],
)
def test_any_recipe_has_members_which_judge_as_its_folds_did(tmp_path: Path, options: dict[str, Any]) -> None:
    images, labels = pictures(4)
    tuner = FineTuner("sketch", recipe(**HOW, **options, learning_rate=1e-3), device="cpu")
    tuned = tuner.fit(images, labels, output=tmp_path / "run")
    spaces = tuned.fold_spaces
    assert spaces is not None
    found = member_probabilities(tmp_path / "run", images, device="cpu")
    for p, vectors, classes in zip(found[1:], spaces.images, spaces.classes, strict=True):
        cosines = vectors @ classes.T
        margins = np.log(p) - np.log(p[:, :1])
        scale = (margins * (cosines - cosines[:, :1])).sum() / ((cosines - cosines[:, :1]) ** 2).sum()
        np.testing.assert_allclose(margins, scale * (cosines - cosines[:, :1]), atol=0.02)


def test_an_image_that_cannot_be_read_has_no_probabilities(lora: Path, tmp_path: Path) -> None:
    draw(KINDS[0], seed=9, size=64).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"no picture")
    found = member_probabilities(lora, [tmp_path / "bad.png", tmp_path / "good.png"], device="cpu")
    assert np.isnan(found[:, 0]).all()
    assert found[:, 1].sum(axis=1) == pytest.approx(1.0)
    assert np.isnan(member_probabilities(lora, [tmp_path / "bad.png"], device="cpu")).all()


def test_a_run_without_folds_is_refused(tmp_path: Path) -> None:
    images, _ = pictures(1)
    with pytest.raises(InputError, match="no finished fine-tuning"):
        member_probabilities(tmp_path, images)
    run = finetuned(tmp_path / "run", per_class=1, train="projection")
    with pytest.raises(InputError, match="too few images to leave any out"):
        member_probabilities(run, images)


@pytest.mark.parametrize("text", ["", "[]", "[" * 5000, '{"encoder": 3}', '{"encoder": {"source": 1}, "recipe": {}}'])
def test_a_damaged_description_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder" / "finetuning.json").write_text(text)
    with pytest.raises(InputError, match="can't be read"):
        member_probabilities(tmp_path, [])


def test_the_encoder_may_have_moved_but_not_changed(lora: Path, sketch: Path, clip: Path, tmp_path: Path) -> None:
    images, _ = pictures(1, seed=60)
    run = Path(shutil.copytree(lora, tmp_path / "run"))
    provenance = run / "encoder" / "finetuning.json"
    told = json.loads(provenance.read_text())
    told["encoder"]["source"] = str(tmp_path / "gone")
    provenance.write_text(json.dumps(told))
    moved = member_probabilities(run, images, encoder=sketch, device="cpu")
    np.testing.assert_array_equal(moved, member_probabilities(lora, images, device="cpu"))
    with pytest.raises(EncoderMismatchError, match="tuned 'sketch'"):
        member_probabilities(run, images, encoder=clip)
