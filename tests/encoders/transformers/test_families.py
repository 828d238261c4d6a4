"""Every family of two towers: vectors, texts and preprocessing of the library are the reference."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoImageProcessor, AutoTokenizer
from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil

from inkling.encoders.transformers.encoder import TransformersEncoder
from inkling.errors import EncoderError
from tests.encoders.families import TWO_TOWERS, write_naflex
from tests.encoders.folders import TEXT_LENGTH, change_json, pictures, reload

TEXTS = ["a photo of a cat", "a dog", "my long train"]
PADDED = ("siglip", "siglip-2", "siglip-2-naflex", "tipsv2")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Any:
    @cache
    def folder_of(family: str) -> Path:
        folder = tmp_path_factory.mktemp("families") / family
        TWO_TOWERS[family](folder)
        return folder

    return folder_of


def library_pixels(folder: Path, images: list) -> dict[str, torch.Tensor]:
    """What the library's own image processor makes of pictures."""
    if folder.name == "tipsv2":  # its processor needs torchvision; TIPS itself resizes by Pillow
        resized = [np.asarray(image.resize((32, 32), Image.Resampling.BILINEAR), np.float32) / 255 for image in images]
        return {"pixel_values": torch.tensor(np.stack(resized)).permute(0, 3, 1, 2)}
    kind = Siglip2ImageProcessorPil if folder.name == "siglip-2-naflex" else AutoImageProcessor
    return dict(kind.from_pretrained(folder)(images=images, return_tensors="pt"))


def library_tokens(folder: Path, texts: list[str]) -> dict[str, torch.Tensor]:
    padding = {"padding": "max_length", "max_length": TEXT_LENGTH} if folder.name in PADDED else {"padding": "longest"}
    return dict(AutoTokenizer.from_pretrained(folder)(texts, return_tensors="pt", truncation=True, **padding))


@pytest.mark.parametrize("family", TWO_TOWERS)
def test_logits_and_vectors_are_those_of_the_library(family: str, folders: Any) -> None:
    folder, images = folders(family), pictures(7)
    reference = reload(folder)
    with torch.inference_mode():
        out = reference(**library_pixels(folder, images), **library_tokens(folder, TEXTS))
    encoder = TransformersEncoder(folder, precision="float32")

    embeddings = encoder.encode_images([encoder.prepare(image) for image in images]).embeddings
    texts = encoder.encode_texts(TEXTS)
    logits = encoder.identity.logit_scale * embeddings @ texts.T

    assert out.logits_per_image.std() > 0.02  # otherwise the comparison would show nothing
    np.testing.assert_allclose(embeddings, out.image_embeds.numpy(), atol=1e-4)
    np.testing.assert_allclose(texts, out.text_embeds.numpy(), atol=1e-4)
    bias = float(getattr(reference, "logit_bias", torch.zeros(1)).detach())
    np.testing.assert_allclose(logits + bias, out.logits_per_image.numpy(), atol=2e-3)
    assert encoder.identity.dimension == embeddings.shape[1]


@pytest.mark.parametrize("family", TWO_TOWERS)
def test_a_text_does_not_depend_on_its_neighbours(family: str, folders: Any) -> None:
    encoder = TransformersEncoder(folders(family), precision="float32")
    alone = np.concatenate([encoder.encode_texts([text]) for text in TEXTS])
    np.testing.assert_allclose(alone, encoder.encode_texts(TEXTS), atol=1e-5)


@pytest.mark.parametrize("family", TWO_TOWERS)
def test_texts_that_are_too_long_are_cut(family: str, folders: Any) -> None:
    encoder = TransformersEncoder(folders(family))
    with pytest.warns(UserWarning, match=f"longer than the {encoder.folder.text_length} tokens"):
        vectors = encoder.encode_texts(["cat " * 250, "a dog"])
    assert np.isfinite(vectors).all()


def test_long_texts_are_read_by_long_clip(folders: Any) -> None:
    encoder = TransformersEncoder(folders("long-clip"))
    assert encoder.folder.text_length == 248
    common = "cat " * 80
    one, other = encoder.encode_texts([common + "dog", common + "train"])
    assert one @ other < 0.999


@pytest.mark.parametrize("family", ["siglip-2", "siglip-2-naflex"])
def test_siglip_2_reads_lower_case_without_punctuation(family: str, folders: Any) -> None:
    encoder = TransformersEncoder(folders(family))
    np.testing.assert_allclose(encoder.encode_texts(["A Cat, it's"]), encoder.encode_texts(["a cat its"]), atol=1e-6)


def test_naflex_with_a_tokenizer_that_masks_padding(tmp_path: Path) -> None:
    folder = tmp_path / "siglip-2-naflex"
    write_naflex(folder, masks=True)
    tokens = library_tokens(folder, TEXTS)
    assert "attention_mask" in tokens
    with torch.inference_mode():
        expected = reload(folder).get_text_features(**tokens).pooler_output.numpy()
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(TransformersEncoder(folder).encode_texts(TEXTS), expected, atol=1e-4)


def test_naflex_keeps_shapes_apart_and_the_order(folders: Any) -> None:
    encoder = TransformersEncoder(folders("siglip-2-naflex"))
    prepared = [encoder.prepare(image) for image in pictures(9)]
    assert len({each.shape for each in prepared}) > 3
    alone = np.concatenate([encoder.encode_images([each]).embeddings for each in prepared])
    np.testing.assert_allclose(encoder.encode_images(prepared).embeddings, alone, atol=1e-6)


def test_every_family_has_a_fingerprint_of_its_own(folders: Any) -> None:
    found = {TransformersEncoder(folders(name)).identity.fingerprint for name in TWO_TOWERS}
    assert len(found) == len(TWO_TOWERS)


def test_a_dual_encoder_with_the_older_names_of_clip(folders: Any, tmp_path: Path) -> None:
    """As CLIP-Italian has them: its image tower was saved with a name of its own within."""
    folder = shutil.copytree(folders("dual-clip-bert"), tmp_path / "dual-clip-bert")
    weights = load_file(folder / "model.safetensors")
    older = {name.replace("vision_model.", "vision_model.vision_model."): value for name, value in weights.items()}
    save_file(older, folder / "model.safetensors", metadata={"format": "pt"})
    new, old = TransformersEncoder(folders("dual-clip-bert")), TransformersEncoder(folder)
    prepared = [new.prepare(image) for image in pictures(3)]
    np.testing.assert_allclose(
        old.encode_images(prepared).embeddings, new.encode_images(prepared).embeddings, atol=1e-5
    )


def test_a_dual_encoder_of_towers_that_are_not_known(folders: Any, tmp_path: Path) -> None:
    folder = shutil.copytree(folders("dual-vit-xlm"), tmp_path / "odd")
    vision = json.loads((folder / "config.json").read_text())["vision_config"]
    change_json(folder / "config.json", vision_config=vision | {"model_type": "swin"})
    with pytest.raises(EncoderError, match=r"joins 'swin' and 'xlm-roberta'; known are[\s\S]*encoder\.json"):
        TransformersEncoder(folder)
