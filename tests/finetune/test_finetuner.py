"""From labelled pictures to an encoder folder that everything else opens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from inkling.classifier.few_shot import FewShotClassifier
from inkling.encoders.identity import check_encoder
from inkling.encoders.registry import load_encoder
from inkling.encoders.transformers.encoder import TransformersEncoder
from inkling.encoders.transformers.model_folder import ModelFolder
from inkling.errors import EncoderError, EncoderMismatchError, InputError
from inkling.finetune.finetuner import FineTuned, FineTuner
from inkling.finetune.result import merge_adapters
from inkling.sketch import HELD_OUT, draw, weights_folder
from tests.fakes import FakeEncoder
from tests.finetune.cases import recipe

KINDS = HELD_OUT[:3]


def pictures(per_class: int = 4, *, seed: int = 0) -> tuple[list[Image.Image], list[str]]:
    labels = [kind for kind in KINDS for _ in range(per_class)]
    return [draw(kind, seed=seed + number, size=64) for number, kind in enumerate(labels)], labels


def tuned(output: Path, *, per_class: int = 4, resume: bool = False, **options: Any) -> FineTuned:
    how = recipe(**{"train": "lora", "steps": 4, "learning_rate": 0.01, "folds": 2, **options})
    images, labels = pictures(per_class)
    return FineTuner("sketch", how, device="cpu").fit(images, labels, output=output, resume=resume)


def test_the_result_is_an_encoder_with_a_new_fingerprint(tmp_path: Path) -> None:
    found = tuned(tmp_path, interpolate=1.0)
    before, after = load_encoder("sketch"), load_encoder(found.folder, device="cpu")
    assert after.identity.fingerprint == found.identity.fingerprint != before.identity.fingerprint
    assert after.identity.dimension == before.identity.dimension
    with pytest.raises(EncoderMismatchError):
        check_encoder(before.identity, after.identity)
    images, labels = pictures()
    model = FewShotClassifier(after, cache=False).fit(images, labels)
    assert model.score(*pictures(2, seed=50)) > 0.5
    assert {one.dtype for one in load_file(found.folder / "model.safetensors").values()} == {torch.float32}


def test_class_vectors_are_those_of_the_new_encoder(tmp_path: Path) -> None:
    found = tuned(tmp_path, interpolate=0.7)
    expected = load_encoder(found.folder, device="cpu").encode_texts([f"a photo of a {kind}." for kind in KINDS])
    assert found.class_names == tuple(sorted(KINDS))
    order = [KINDS.index(name) for name in found.class_names]
    np.testing.assert_allclose(found.class_vectors, expected[order], atol=1e-5)


def test_a_trained_head_is_kept_beside_the_encoder(tmp_path: Path) -> None:
    found = tuned(tmp_path, train="layernorm", head_share=0.5, interpolate=1.0)
    kept = load_file(found.folder / "class_vectors.safetensors")["class_vectors"]
    np.testing.assert_array_equal(kept, found.class_vectors)
    np.testing.assert_allclose(np.linalg.norm(found.class_vectors, axis=1), 1, atol=1e-5)
    texts = load_encoder(found.folder, device="cpu").encode_texts([f"a photo of a {kind}." for kind in KINDS])
    assert not np.allclose(found.class_vectors, texts, atol=1e-4)


def test_share_zero_gives_back_the_encoder(tmp_path: Path) -> None:
    found = tuned(tmp_path, interpolate=0.0)
    before, after = (load_encoder(one, device="cpu") for one in (weights_folder(), found.folder))
    batch = [before.prepare(image) for image in pictures(1)[0]]
    np.testing.assert_array_equal(before.encode_images(batch).embeddings, after.encode_images(batch).embeddings)


@pytest.mark.parametrize("share", [1.0, 0.4])
def test_adapters_merge_to_the_same_encoder(share: float, tmp_path: Path) -> None:
    found = tuned(tmp_path, interpolate=share)
    assert found.adapters is not None
    merge_adapters(ModelFolder(weights_folder()), found.adapters, tmp_path / "merged")
    one, other = (load_file(folder / "model.safetensors") for folder in (found.folder, tmp_path / "merged"))
    assert one.keys() == other.keys()
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=1e-5, atol=1e-6)
    assert (found.adapters / "adapter_model.safetensors").stat().st_size < 100_000


def test_adapters_that_are_none_or_another_models_are_reported(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no adapter_config.json"):
        merge_adapters(ModelFolder(clip), tmp_path, tmp_path / "merged")
    found = tuned(tmp_path / "run", interpolate=1.0)
    assert found.adapters is not None
    with pytest.raises(InputError, match=r"don't fit"):
        merge_adapters(ModelFolder(clip), found.adapters, tmp_path / "merged")


def test_the_share_is_chosen_out_of_fold(tmp_path: Path) -> None:
    found = tuned(tmp_path)
    assert found.fold_spaces is not None
    assert found.fold_spaces.images.shape == (2, 12, 128)
    assert found.choice.share in [point.share for point in found.choice.curve]
    about = json.loads((found.folder / "finetuning.json").read_text())
    assert about["share"] == found.choice.share
    assert about["encoder"]["fingerprint"] == load_encoder("sketch").identity.fingerprint
    assert about["recipe"]["train"] == "lora"
    assert {"torch", "transformers", "peft"} <= set(about["versions"])


def test_without_folds_half_of_the_tuned_weights_ship(tmp_path: Path) -> None:
    found = tuned(tmp_path, per_class=1)
    assert (found.choice.share, found.fold_spaces) == (0.5, None)


def test_a_share_that_was_asked_for_stands_on_the_curve(tmp_path: Path) -> None:
    found = tuned(tmp_path, interpolate=0.25)
    assert found.choice.share == 0.25
    assert [point.share for point in found.choice.curve] == [0.0, 0.2, 0.25, 0.4, 0.6, 0.8, 1.0]


def test_resuming_a_finished_run_gives_the_same_encoder(tmp_path: Path) -> None:
    first = tuned(tmp_path)
    assert tuned(tmp_path, resume=True).identity.fingerprint == first.identity.fingerprint
    with pytest.raises(InputError, match="holds another run"):
        tuned(tmp_path)


def test_another_share_needs_no_other_training(tmp_path: Path) -> None:
    first = tuned(tmp_path, interpolate=1.0)
    second = tuned(tmp_path, interpolate=0.5, resume=True)
    assert second.identity.fingerprint != first.identity.fingerprint
    assert second.history == first.history


def test_what_cannot_be_used_is_skipped_with_the_reason(tmp_path: Path) -> None:
    images, labels = pictures()
    (tmp_path / "broken.png").write_bytes(b"no picture")
    mixed: list[Any] = [*images, tmp_path / "broken.png", images[0], images[1]]
    found = FineTuner("sketch", recipe(train="projection", interpolate=1.0), device="cpu").fit(
        mixed, [*labels, KINDS[0], KINDS[1], None], output=tmp_path / "run"
    )
    reasons = [one.reason for one in found.skipped]
    assert len(found.records) == 12
    assert len(reasons) == 3
    assert "it is a copy of image 0" in reasons
    assert "it has no label" in reasons


def test_augmentation_and_presets_work_from_start_to_end(tmp_path: Path) -> None:
    from inkling.finetune.recipe import PRESETS

    images, labels = pictures()
    for name, options in PRESETS.items():
        how = options.changed(steps=3, interpolate=0.5)
        found = FineTuner("sketch", how, device="cpu").fit(images, labels, output=tmp_path / name)
        assert found.history[-1].step == 3


def test_siglip_goes_the_same_way(siglip: Path, tmp_path: Path) -> None:
    images, labels = pictures()
    how = recipe(train="lora", augment="light", interpolate=1.0, steps=2)
    found = FineTuner(siglip, how, device="cpu").fit(images, labels, output=tmp_path / "run")
    assert found.identity.fingerprint != TransformersEncoder(siglip).identity.fingerprint
    assert found.class_vectors.shape == (3, 48)


def test_an_encoder_without_towers_cannot_be_trained() -> None:
    with pytest.raises(EncoderError, match="needs both towers"):
        FineTuner(FakeEncoder())


def test_no_labels_one_class_and_odd_devices_are_refused(tmp_path: Path) -> None:
    images, labels = pictures(2)
    tuner = FineTuner("sketch", "original", device="cpu")
    with pytest.raises(InputError, match="it has no label"):
        tuner.fit(images, [None] * len(images), output=tmp_path / "run")
    with pytest.raises(InputError, match="at least two classes"):
        tuner.fit(images[:2], labels[:2], output=tmp_path / "run")
    with pytest.raises(InputError, match="CUDA_VISIBLE_DEVICES"):
        FineTuner("sketch", device="tpu")
    assert not (tmp_path / "run").exists()
