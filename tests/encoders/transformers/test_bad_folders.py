"""Folders that hold a part, a mixture, or more than a model may."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from inkling.encoders import available_memory
from inkling.encoders.registry import load_encoder
from inkling.encoders.transformers.encoder import TransformersEncoder
from inkling.errors import EncoderError
from tests.encoders.families import write_aimv2, write_tipsv2, xlm_tokenizer
from tests.encoders.folders import change_json, pictures, reload

WEIGHTS = "model.safetensors"
TEXT_LAYER = "text_model.encoder.layers.1.mlp.fc1.weight"


@pytest.fixture
def folder(clip_folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(clip_folder, tmp_path / "model")


def change_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    weights = load_file(folder / WEIGHTS)
    change(weights)
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})


def change_part(folder: Path, part: str, **changes: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    change_json(folder / "config.json", **{part: config[part] | changes})


def encode(folder: Path) -> None:
    encoder = load_encoder(folder)
    encoder.encode_images([encoder.prepare(image) for image in pictures(1)])


@pytest.mark.parametrize("kind", ["clip", "siglip", "dinov2"])
@pytest.mark.parametrize("which", ["first", "last"])
def test_weights_are_never_made_up(kind: str, which: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    folder = shutil.copytree(request.getfixturevalue(f"{kind}_folder"), tmp_path / "model")
    layers = sorted(name for name in load_file(folder / WEIGHTS) if ".0." in name)
    gone = layers[0 if which == "first" else -1]
    change_weights(folder, lambda weights: weights.pop(gone))
    with pytest.raises(EncoderError, match=r"lack 1 tensor of the model that config\.json describes: \S*\.0\."):
        encode(folder)


def test_a_tensor_of_another_shape(folder: Path) -> None:
    change_weights(folder, lambda weights: weights.update({TEXT_LAYER: torch.zeros(100, 64)}))
    with pytest.raises(EncoderError, match=f"have another shape of 1 tensor.*{TEXT_LAYER}"):
        encode(folder)


def test_weights_that_were_cut_short(folder: Path) -> None:
    size = (folder / WEIGHTS).stat().st_size
    os.truncate(folder / WEIGHTS, size - 1000)
    with pytest.raises(EncoderError, match=rf"is damaged: it has {size - 1000:,} of {size:,} bytes"):
        load_encoder(folder)


def test_older_weights_that_were_cut_short_or_hold_code(folder: Path) -> None:
    file = folder / "pytorch_model.bin"
    torch.save(reload(folder).state_dict(), file)
    (folder / WEIGHTS).unlink()
    load_encoder(folder)
    os.truncate(file, file.stat().st_size // 2)
    with pytest.raises(EncoderError, match="can't be read as tensors alone"):
        load_encoder(folder)
    torch.save({"logit_scale": Executed()}, file)
    with pytest.raises(EncoderError, match="code in weight files is never executed"):
        load_encoder(folder)


class Executed:
    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("code was executed",))


def test_the_weights_of_another_model(folder: Path, siglip_folder: Path) -> None:
    shutil.copy(siglip_folder / WEIGHTS, folder)
    with pytest.raises(EncoderError, match=r"lack visual_projection\.weight|is of another model"):
        load_encoder(folder)


@pytest.mark.parametrize(
    ("part", "key", "stated", "held"),
    [
        ("vision_config", "hidden_size", 48, 64),
        ("vision_config", "patch_size", 16, 8),
        ("vision_config", "num_hidden_layers", 2, 3),
        ("text_config", "num_hidden_layers", 4, 3),
        ("text_config", "vocab_size", 100, 63),
        ("text_config", "max_position_embeddings", 77, 24),
    ],
)
def test_a_configuration_that_contradicts_the_weights(
    part: str, key: str, stated: int, held: int, folder: Path
) -> None:
    change_part(folder, part, **{key: stated})
    with pytest.raises(
        EncoderError, match=f"of another model than the weights.*{part}.{key} is {stated} there and {held}"
    ):
        load_encoder(folder)


def test_a_configuration_of_images_alone_that_contradicts_the_weights(dinov2_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(dinov2_folder, tmp_path / "model")
    change_json(folder / "config.json", hidden_size=32, num_hidden_layers=1)
    with pytest.raises(EncoderError, match="hidden_size is 32 there and 48 here; num_hidden_layers is 1 there and 2"):
        load_encoder(folder)


def test_the_older_way_to_write_a_configuration_is_followed(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    change_json(folder / "config.json", vision_config={"hidden_size": 1}, vision_config_dict=config["vision_config"])
    assert load_encoder(folder).identity.dimension == 24


def test_image_processors_that_contradict_each_other(folder: Path) -> None:
    own = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "processor_config.json").write_text(json.dumps({"image_processor": own}))
    load_encoder(folder)
    other = own | {"image_mean": [0.5, 0.5, 0.5]}
    (folder / "processor_config.json").write_text(json.dumps({"image_processor": other}))
    with pytest.raises(
        EncoderError, match=r"processor_config\.json and preprocessor_config\.json, .*different ways \(mean: \(0\.5"
    ):
        load_encoder(folder)


def test_a_tokenizer_of_another_vocabulary(folder: Path) -> None:
    xlm_tokenizer().save_pretrained(folder)
    encoder = load_encoder(folder)
    with pytest.raises(EncoderError, match=r"The tokenizer in .* has 60 tokens; the text tower knows 63"):
        encoder.encode_texts(["a cat"])


def test_no_tokenizer(folder: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    encoder = load_encoder(folder)
    with pytest.raises(EncoderError, match="has no tokenizer: no file of it holds a vocabulary"):
        encoder.encode_texts(["a cat"])


def test_models_with_code_of_their_own(folder: Path) -> None:
    change_json(folder / "config.json", auto_map={"AutoModel": "modeling_own.OwnModel"})
    (folder / "modeling_own.py").write_text("raise SystemExit('executed')")
    with pytest.raises(EncoderError, match=r"run code of its own \(auto_map.*executes no code[\s\S]*encoder\.json"):
        load_encoder(folder)
    change_json(folder / "config.json", model_type="own_clip")
    with pytest.raises(EncoderError, match="of type 'own_clip', and wants to run code of its own"):
        load_encoder(folder)


@pytest.mark.parametrize("write", [write_aimv2, write_tipsv2])
def test_code_that_the_library_has_by_now_is_not_needed(write: Callable[[Path], None], tmp_path: Path) -> None:
    write(tmp_path / "model")
    change_json(tmp_path / "model" / "config.json", auto_map={"AutoModel": "modeling_own.OwnModel"})
    (tmp_path / "model" / "modeling_own.py").write_text("raise SystemExit('executed')")
    encode(tmp_path / "model")


@pytest.mark.parametrize("value", [None, "100", -1, 0, float("inf"), True, [100]])
def test_numbers_that_a_configuration_cannot_mean(value: Any, tmp_path: Path) -> None:
    write_aimv2(tmp_path / "model")
    file = tmp_path / "model" / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"max_logit_scale": value}))
    with pytest.raises(EncoderError, match=r"has max_logit_scale .*; expected a positive number"):
        _ = load_encoder(tmp_path / "model").identity


def test_quantised_weights(folder: Path) -> None:
    change_json(folder / "config.json", quantization_config={"quant_method": "bitsandbytes"})
    with pytest.raises(EncoderError, match=r"are quantised \(bitsandbytes\)"):
        load_encoder(folder)


def test_a_model_that_is_too_large_is_refused_before_it_is_loaded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(available_memory, "available_bytes", lambda: 100_000)
    encoder = TransformersEncoder(folder)
    with pytest.raises(EncoderError, match=r"needs at least 0\.0 GB of memory; 0\.0 GB are available"):
        encoder.encode_texts(["a cat"])
    monkeypatch.setattr(available_memory, "available_bytes", lambda: None)
    encoder.encode_texts(["a cat"])


def test_a_tokenizer_that_is_damaged(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{")
    with pytest.raises(EncoderError, match=r"The tokenizer in .* can't be read"):
        load_encoder(folder).encode_texts(["a cat"])
