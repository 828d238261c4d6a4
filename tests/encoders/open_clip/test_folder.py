"""Folders of OpenCLIP: vectors equal to an independent implementation, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from inkling.encoders.hub import find_folder
from inkling.encoders.open_clip.folder import OpenClipFolder
from inkling.encoders.registry import load_encoder
from inkling.encoders.transformers import loaded_model
from inkling.encoders.transformers.encoder import TransformersEncoder
from inkling.errors import EncoderError
from tests.encoders.folders import SENTENCES, pictures, write_clip
from tests.encoders.open_clip.reference import OpenClip, prepared, tokens_of, write_open_clip


def assert_equal_vectors(folder: Path, model: OpenClip, *, mode: str = "shortest", fill: int = 0) -> None:
    encoder = load_encoder(folder, device="cpu", precision="float32")
    images = pictures(7)
    pixels = np.stack([prepared(image, mode=mode, fill=fill) for image in images])
    mine = [encoder.prepare(image) for image in images]
    np.testing.assert_allclose(np.stack(mine), pixels, atol=1e-5)
    np.testing.assert_allclose(encoder.encode_images(mine).embeddings, model.image_vectors(pixels), atol=1e-4)
    expected = model.text_vectors(tokens_of(SENTENCES))
    np.testing.assert_allclose(encoder.encode_texts(SENTENCES), expected, atol=1e-4)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("open_clip") / "tiny"
    write_open_clip(folder)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """One that a test may damage."""
    return Path(shutil.copytree(made, tmp_path / "tiny"))


def change_config(folder: Path, part: str, **changes: Any) -> None:
    file = folder / "open_clip_config.json"
    config = json.loads(file.read_text())
    target = config["model_cfg"] if part == "model_cfg" else config.get(part) or config["model_cfg"][part]
    target.update(changes)
    file.write_text(json.dumps(config))


@pytest.mark.parametrize(
    "variant", [{}, {"quick": True}, {"custom_text": True}, {"older": True}], ids=lambda it: "-".join(it) or "plain"
)
def test_vectors_equal_an_independent_implementation(variant: dict[str, bool], tmp_path: Path) -> None:
    model = write_open_clip(tmp_path / "made", **variant)
    assert_equal_vectors(tmp_path / "made", model)
    identity = load_encoder(tmp_path / "made").identity
    assert (identity.name, identity.dimension) == ("made", 24)
    assert identity.logit_scale == pytest.approx(np.exp(3.5), rel=1e-6)


@pytest.mark.parametrize(("mode", "fill"), [("squash", 0), ("longest", 0), ("longest", 255)])
def test_every_way_of_resizing(mode: str, fill: int, tmp_path: Path) -> None:
    model = write_open_clip(tmp_path, resize_mode=mode, fill_color=fill, interpolation="bicubic")
    assert_equal_vectors(tmp_path, model, mode=mode, fill=fill)


def test_the_rebuilt_tower_serves_it(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rebuilt: list[bool] = []
    rebuild = loaded_model.rebuild
    monkeypatch.setattr(loaded_model, "rebuild", lambda *given: rebuilt.append(rebuild(*given)) or rebuilt[-1])
    encoder = load_encoder(made, device="cpu")
    encoder.encode_images([encoder.prepare(image) for image in pictures(2)])
    assert rebuilt == [True]


def test_the_fingerprint_follows_the_weights_and_not_the_place(made: Path, folder: Path) -> None:
    before = load_encoder(made).identity.fingerprint
    assert load_encoder(folder).identity.fingerprint == before
    state = load_file(folder / "open_clip_model.safetensors")
    state["visual.proj"] += 1
    save_file(state, folder / "open_clip_model.safetensors")
    assert load_encoder(folder).identity.fingerprint != before
    change_config(folder, "model_cfg", quick_gelu=True)
    assert load_encoder(made).identity.fingerprint == before


def test_where_transformers_can_read_a_folder_it_does(folder: Path) -> None:
    write_clip(folder)
    encoder = load_encoder(folder)
    assert isinstance(encoder, TransformersEncoder)
    assert not isinstance(encoder.folder, OpenClipFolder)
    (folder / "model.safetensors").unlink()
    encoder = load_encoder(folder)
    assert isinstance(encoder, TransformersEncoder)
    assert isinstance(encoder.folder, OpenClipFolder)


@pytest.mark.parametrize(
    ("part", "changes", "message"),
    [
        ("vision_cfg", {"timm_model_name": "vit_base_patch16_siglip_224"}, "an image tower of timm"),
        ("vision_cfg", {"layers": [3, 4, 6, 3]}, "a residual network"),
        ("vision_cfg", {"attentional_pool": True}, "attentional_pool True"),
        ("vision_cfg", {"pool_type": "avg"}, "pool_type 'avg'"),
        ("vision_cfg", {"ls_init_value": 0.1}, "ls_init_value"),
        ("text_cfg", {"hf_model_name": "xlm-roberta-base"}, "a text tower of another library"),
        ("text_cfg", {"no_causal_mask": True}, "no_causal_mask True"),
        ("text_cfg", {"norm_kwargs": {"elementwise_affine": False}}, "norm_kwargs with 'elementwise_affine'"),
        ("model_cfg", {"multimodal_cfg": {"layers": 12}}, "a text decoder .CoCa"),
    ],
)
def test_models_of_other_towers_are_refused_with_the_way_on(
    part: str, changes: dict[str, Any], message: str, folder: Path
) -> None:
    change_config(folder, part, **changes)
    with pytest.raises(
        EncoderError, match=rf"describes has {message}[\s\S]*ONNX files, which need no OpenCLIP"
    ) as raised:
        load_encoder(folder).identity  # noqa: B018 - reads what it names
    assert "open_clip_config.json" in str(raised.value)


def test_options_that_change_nothing_are_passed_over(folder: Path) -> None:
    before = load_encoder(folder).identity.fingerprint
    change_config(folder, "vision_cfg", patch_dropout=0.5, timm_pool="avg", pool_type="tok", attentional_pool=False)
    change_config(folder, "text_cfg", pool_type="argmax", embed_cls=False, hf_tokenizer_name=None)
    assert load_encoder(folder).identity.fingerprint == before


@pytest.mark.parametrize(
    ("part", "changes", "message"),
    [
        (
            "vision_cfg",
            {"layers": 2},
            r"open_clip_config\.json in \S+ is of another model[\s\S]*_layers is 2 there",
        ),
        ("vision_cfg", {"width": 64}, "vision_config.hidden_size is 64 there and 48 here"),
        ("text_cfg", {"context_length": 77}, "max_position_embeddings is 77 there and 24 here"),
        ("model_cfg", {"embed_dim": 512}, "projection_dim is 512 there and 24 here"),
        ("model_cfg", {"embed_dim": "wide"}, "can't be read"),
        ("vision_cfg", {"image_size": 64}, r"makes \(64, 64\) pixels of a picture; the model reads \(32, 32\)"),
        ("vision_cfg", {"image_size": [32, 64]}, "image_size isn't a square"),
        ("preprocess_cfg", {"mean": [0.5]}, "preprocess_cfg in .* can't be read"),
        ("text_cfg", {"tokenizer_kwargs": {"clean": "ftfy"}}, "asks for tokens as"),
    ],
)
def test_a_configuration_that_contradicts_the_weights(
    part: str, changes: dict[str, Any], message: str, folder: Path
) -> None:
    change_config(folder, part, **changes)
    with pytest.raises(EncoderError, match=message):
        load_encoder(folder).identity  # noqa: B018 - reads what it names


def test_weights_of_other_parts_are_refused(folder: Path) -> None:
    state = load_file(folder / "open_clip_model.safetensors")
    save_file({**state, "visual.attn_pool.query": torch.ones(2, 2)}, folder / "open_clip_model.safetensors")
    with pytest.raises(EncoderError, match=r"1 tensor that CLIP's towers have no place for: visual\.attn_pool\.query"):
        load_encoder(folder).identity  # noqa: B018 - reads what it names


def test_missing_and_damaged_files(folder: Path) -> None:
    weights = folder / "open_clip_model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-100])
    with pytest.raises(EncoderError, match="is damaged: it has"):
        load_encoder(folder).identity  # noqa: B018 - reads what it names
    weights.write_bytes(content)
    state = load_file(weights)
    state.pop("visual.ln_post.weight")
    save_file(state, weights)
    encoder = load_encoder(folder, device="cpu")
    with pytest.raises(EncoderError, match=r"lack 1 tensor of the model that open_clip_config\.json describes"):
        encoder.encode_images([encoder.prepare(pictures(1)[0])])
    weights.unlink()
    with pytest.raises(EncoderError, match=r"has no weights: expected one of open_clip_model\.safetensors"):
        load_encoder(folder).identity  # noqa: B018 - reads what it names


def test_a_folder_without_a_tokenizer(folder: Path) -> None:
    for name in ("tokenizer.json", "vocab.json", "merges.txt"):
        (folder / name).unlink(missing_ok=True)
    with pytest.raises(EncoderError, match="has no tokenizer"):
        load_encoder(folder, device="cpu").encode_texts(["a cat"])


def test_its_files_are_fetched_and_used_from_the_cache(hub: Any, made: Path) -> None:
    small = ["open_clip_config.json", "tokenizer.json", "vocab.json", "merges.txt"]
    hub.files = [*small, "open_clip_model.safetensors", "open_clip_pytorch_model.bin", "README.md"]
    find_folder("someone/model")
    assert sorted(hub.fetched) == sorted([*small, "open_clip_model.safetensors"])
    hub.cached, hub.fault = made, ConnectionError("never asked")
    assert load_encoder("someone/model").identity.name == "someone/model"
