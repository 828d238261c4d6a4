"""The library's own models are the reference."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoImageProcessor, AutoTokenizer

from inkling.encoders.base import Encoder
from inkling.encoders.precision import PRECISIONS
from inkling.encoders.registry import load_encoder
from inkling.encoders.transformers import products
from inkling.encoders.transformers.encoder import TransformersEncoder
from inkling.errors import EncoderError, InputError
from tests.encoders.folders import (
    SENTENCES,
    TEXT_LENGTH,
    change_json,
    pictures,
    reference_vectors,
    reload,
    write_clip,
    write_siglip,
)

TOLERANCE = 1e-4


def inputs_of_library(folder: Path, images: list, texts: list[str]) -> dict[str, torch.Tensor]:
    """What the library's own processor and tokenizer make of images and texts, as their documentation says."""
    processor, tokenizer = AutoImageProcessor.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    padding = (
        {"padding": "max_length", "max_length": TEXT_LENGTH} if "siglip" in folder.name else {"padding": "longest"}
    )
    pixels = processor(images=images, return_tensors="pt")["pixel_values"]
    return {"pixel_values": pixels, **tokenizer(texts, return_tensors="pt", **padding)}


@pytest.mark.parametrize("family", ["clip", "metaclip", "siglip"])
def test_logits_are_those_of_the_library(family: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(f"{family}_folder")
    images = pictures(13)
    reference = reload(folder)
    with torch.inference_mode():
        expected = reference(**inputs_of_library(folder, images, SENTENCES)).logits_per_image.numpy()
    encoder = TransformersEncoder(folder)

    embeddings = encoder.encode_images([encoder.prepare(image) for image in images]).embeddings
    logits = encoder.identity.logit_scale * embeddings @ encoder.encode_texts(SENTENCES).T

    bias = reference.logit_bias.item() if family == "siglip" else 0.0
    assert expected.std() > 0.1  # otherwise the comparison would show nothing
    np.testing.assert_allclose(logits + bias, expected, atol=TOLERANCE)


@pytest.mark.parametrize("write", [write_clip, write_siglip])
def test_a_size_that_is_no_multiple_of_the_patch(write: Callable[..., Any], tmp_path: Path) -> None:
    """As SigLIP so400m, which reads 384 pixels in patches of 14: the library drops the remainder."""
    folder = tmp_path / write.__name__.removeprefix("write_")
    write(folder, side=30)
    assert_images_agree(folder, precision="float32", least_cosine=1 - 1e-6)
    assert TransformersEncoder(folder).folder.n_tokens == 9 + (write is write_clip)


@pytest.mark.parametrize("act", ["quick_gelu", "gelu", "gelu_pytorch_tanh", "relu"])
def test_every_activation_of_the_image_tower(act: str, tmp_path: Path) -> None:
    write_clip(tmp_path, hidden_act=act)
    assert_images_agree(tmp_path, precision="float32", least_cosine=1 - 1e-6)


@pytest.fixture
def any_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take each precision, whatever it gains on the processor of the tests."""
    monkeypatch.setattr(products, "why_not", lambda _: None)


@pytest.mark.usefixtures("any_precision")
@pytest.mark.parametrize(("precision", "least_cosine"), [("bfloat16", 0.9999), ("int8", 0.999)])
def test_coarser_arithmetic_stays_close(precision: str, least_cosine: float, clip_folder: Path) -> None:
    assert_images_agree(clip_folder, precision=precision, least_cosine=least_cosine)


@pytest.mark.usefixtures("any_precision")
@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_coarser_arithmetic_of_siglip(precision: str, siglip_folder: Path) -> None:
    assert_images_agree(siglip_folder, precision=precision, least_cosine=0.999)


def assert_images_agree(folder: Path, *, precision: str, least_cosine: float) -> None:
    images = pictures(9)
    expected = reference_vectors(reload(folder), **inputs_of_library(folder, images, SENTENCES))
    encoder = TransformersEncoder(folder, device="cpu", precision=precision)
    found = encoder.encode_images([encoder.prepare(image) for image in images]).embeddings
    assert (found * expected).sum(axis=1).min() >= least_cosine


def test_wide_towers_may_round_products_under_auto_and_never_under_float32(tmp_path: Path) -> None:
    write_clip(tmp_path, hidden_size=512, intermediate_size=512, num_hidden_layers=2)
    assert_images_agree(tmp_path, precision="auto", least_cosine=0.9999)
    assert_images_agree(tmp_path, precision="float32", least_cosine=1 - 1e-6)
    wide = {name: TransformersEncoder(tmp_path, precision=name).identity for name in ("auto", "float32")}
    assert {name: identity.precision for name, identity in wide.items()} == {"auto": "auto", "float32": "float32"}
    assert wide["auto"].fingerprint != wide["float32"].fingerprint


@pytest.mark.usefixtures("any_precision")
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_vector_does_not_depend_on_its_batch(precision: str, clip_folder: Path) -> None:
    encoder = TransformersEncoder(clip_folder, device="cpu", precision=precision)
    prepared = [encoder.prepare(image) for image in pictures(11)]
    together = encoder.encode_images(prepared).embeddings
    alone = np.concatenate([encoder.encode_images([each]).embeddings for each in prepared])
    np.testing.assert_allclose(together, alone, atol=1e-6 if precision in ("auto", "float32") else 1e-3)


def test_text_vectors_do_not_depend_on_their_neighbours(clip_folder: Path) -> None:
    encoder = TransformersEncoder(clip_folder)
    short, long = "a cat.", "a photo of a bicycle."
    np.testing.assert_allclose(encoder.encode_texts([short, long])[0], encoder.encode_texts([short])[0], atol=1e-6)


def test_siglip_reads_lower_case_without_punctuation(siglip_folder: Path) -> None:
    encoder = TransformersEncoder(siglip_folder)
    np.testing.assert_allclose(encoder.encode_texts(["A  CAT."]), encoder.encode_texts(["a cat"]), atol=1e-6)


def test_clip_reads_punctuation(clip_folder: Path) -> None:
    with_point, without = TransformersEncoder(clip_folder).encode_texts(["a cat.", "a cat"])
    assert with_point @ without < 0.999


def test_texts_beyond_the_tower_are_cut_with_a_warning(clip_folder: Path) -> None:
    encoder = TransformersEncoder(clip_folder)
    with pytest.warns(UserWarning, match="1 text longer than the 24 tokens"):
        vectors = encoder.encode_texts(["a cat", "zebra " * 30])
    assert vectors.shape == (2, 24)


def test_empty_batches(clip_folder: Path) -> None:
    encoder = TransformersEncoder(clip_folder)
    assert encoder.encode_images([]).embeddings.shape == (0, 24)
    assert encoder.encode_texts([]).shape == (0, 24)


def test_the_identity(clip_folder: Path, siglip_folder: Path) -> None:
    clip, siglip = TransformersEncoder(clip_folder), TransformersEncoder(siglip_folder)
    assert isinstance(clip, Encoder)
    assert (clip.identity.name, clip.identity.dimension, siglip.identity.dimension) == ("tiny-clip", 24, 48)
    assert clip.identity.logit_scale == pytest.approx(math.exp(2.6592))
    assert siglip.identity.logit_scale == pytest.approx(30.0)
    assert clip.has_texts
    assert clip.missing_texts(["anything at all"]) == []
    assert clip.shorter_side == 32


def test_the_fingerprint_follows_the_content_and_not_the_place(clip_folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(clip_folder, tmp_path / "elsewhere")
    before = TransformersEncoder(clip_folder).identity.fingerprint
    assert TransformersEncoder(copy).identity.fingerprint == before
    change_json(copy / "preprocessor_config.json", image_mean=[0.5, 0.5, 0.5])
    assert TransformersEncoder(copy).identity.fingerprint != before


def test_the_fingerprint_follows_weights_and_arithmetic(clip_folder: Path, tmp_path: Path) -> None:
    write_clip(tmp_path, seed=1)
    found = {TransformersEncoder(clip_folder, precision=name).identity.fingerprint for name in PRECISIONS}
    assert len(found) == 3  # a narrow tower computes the same under auto and float32
    assert TransformersEncoder(tmp_path).identity.fingerprint not in found


def test_several_threads_share_one_encoder(clip_folder: Path) -> None:
    encoder = TransformersEncoder(clip_folder)
    images = pictures(8)
    alone = [encoder.prepare(image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        prepared = list(pool.map(encoder.prepare, images))
        vectors = list(pool.map(lambda each: encoder.encode_images([each]).embeddings[0], prepared))
    np.testing.assert_array_equal(np.stack(prepared), np.stack(alone))
    np.testing.assert_allclose(vectors, encoder.encode_images(alone).embeddings, atol=1e-6)


def test_encoding_leaves_the_threads_of_torch_alone(clip_folder: Path) -> None:
    before = torch.get_num_threads()
    encoder = TransformersEncoder(clip_folder)
    encoder.encode_images([encoder.prepare(image) for image in pictures(3)])
    assert torch.get_num_threads() == before


def test_opening_and_preparing_import_neither_torch_nor_transformers(clip_folder: Path) -> None:
    code = (
        "import sys; from PIL import Image; from inkling.encoders.registry import load_encoder\n"
        f"encoder = load_encoder({str(clip_folder)!r}); encoder.identity; encoder.prepare(Image.new('RGB', (50, 40)))\n"
        "print([name for name in ('torch', 'transformers', 'onnxruntime') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_older_weight_files(clip_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(clip_folder, tmp_path / "old")
    (folder / "model.safetensors").unlink()
    torch.save(reload(clip_folder).state_dict(), folder / "pytorch_model.bin")
    old, new = TransformersEncoder(folder), TransformersEncoder(clip_folder)
    assert old.identity.logit_scale == pytest.approx(new.identity.logit_scale)
    prepared = [new.prepare(image) for image in pictures(2)]
    np.testing.assert_allclose(
        old.encode_images(prepared).embeddings, new.encode_images(prepared).embeddings, atol=1e-6
    )


def test_sharded_weight_files(clip_folder: Path, tmp_path: Path) -> None:
    reload(clip_folder).save_pretrained(tmp_path, max_shard_size="100KB")
    for name in ("preprocessor_config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(clip_folder / name, tmp_path)
    shards = sorted(tmp_path.glob("model-*.safetensors"))
    assert len(shards) > 1
    assert TransformersEncoder(tmp_path).identity.dimension == 24
    shards[0].unlink()
    with pytest.raises(EncoderError, match="lacks 1 of its"):
        TransformersEncoder(tmp_path)


def broken(folder: Path, fault: str) -> None:
    if fault == "weights":
        (folder / "model.safetensors").unlink()
    elif fault == "truncated weights":
        (folder / "model.safetensors").write_bytes(b"\x00\x01")
    elif fault == "processor":
        (folder / "preprocessor_config.json").unlink()
    elif fault == "size":
        change_json(folder / "preprocessor_config.json", crop_size={"height": 40, "width": 40})
    elif fault == "kind of processor":
        change_json(folder / "preprocessor_config.json", image_processor_type="Siglip2ImageProcessor")
    elif fault == "json":
        (folder / "config.json").write_text("{")
    else:
        change_json(folder / "config.json", model_type=fault)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("weights", "has no weights"),
        ("truncated weights", "is damaged"),
        ("processor", "has no preprocessor_config.json"),
        ("size", "the model reads"),
        ("kind of processor", "is of another model: this one reads pictures of one size"),
        ("json", "can't be read as JSON"),
        ("bert", "of type 'bert'"),
    ],
)
def test_a_broken_folder_says_what_is_wrong(fault: str, message: str, clip_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(clip_folder, tmp_path / "broken")
    broken(folder, fault)
    with pytest.raises(EncoderError, match=message):
        TransformersEncoder(folder)


def test_a_model_without_text_tower_is_refused(clip_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(clip_folder, tmp_path / "images-only")
    reload(clip_folder).vision_model.save_pretrained(folder)
    config = json.loads((clip_folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(EncoderError, match="lack"):
        TransformersEncoder(folder)


def test_unknown_names_are_refused(clip_folder: Path) -> None:
    with pytest.raises(EncoderError, match="precision 'int4' isn't known"):
        TransformersEncoder(clip_folder, precision="int4")
    with pytest.raises(InputError, match="auto, cpu, cuda or mps, got 'tpu'"):
        TransformersEncoder(clip_folder, device="tpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_a_device_that_is_not_there_is_refused_before_anything_is_encoded(clip_folder: Path) -> None:
    for source in (clip_folder, "sketch"):
        with pytest.raises(InputError, match="'cuda' is not available"):
            load_encoder(source, device="cuda")
