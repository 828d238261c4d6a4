"""Which files of a repository are fetched, and what is said where they can't be."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

from inkling.encoders.hub import find_folder
from inkling.encoders.registry import load_encoder
from inkling.errors import EncoderError
from tests.encoders.folders import pictures, reload

SMALL = ["config.json", "preprocessor_config.json", "tokenizer.json", ".gitattributes", "README.md"]


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        (["model.safetensors", "pytorch_model.bin", "flax_model.msgpack"], ["model.safetensors"]),
        (["open_clip_model.safetensors", "pytorch_model.bin"], ["pytorch_model.bin"]),
        (["model.fp16.safetensors", "pytorch_model.bin"], ["pytorch_model.bin"]),
        (["onnx/model.safetensors", "pytorch_model.bin"], ["pytorch_model.bin"]),
        (
            ["model.safetensors.index.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"],
            ["model.safetensors.index.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"],
        ),
        (
            ["pytorch_model.bin.index.json", "pytorch_model-00001-of-00001.bin", "adapter_model.safetensors"],
            ["pytorch_model.bin.index.json", "pytorch_model-00001-of-00001.bin"],
        ),
    ],
)
def test_one_form_of_the_weights_is_fetched(weights: list[str], expected: list[str], hub: Any) -> None:
    hub.files = [*SMALL, *weights]
    find_folder("someone/model")
    assert [file for file in hub.fetched if file not in SMALL] == expected
    assert set(SMALL[:3]) <= set(hub.fetched)


@pytest.mark.parametrize(
    "files", [[*SMALL, "model.fp16.safetensors"], [*SMALL[1:], "model.safetensors"], [*SMALL, "tf_model.h5"], []]
)
def test_a_repository_without_weights_that_can_be_read_is_refused_before_anything_is_fetched(
    files: list[str], hub: Any
) -> None:
    hub.files = files
    with pytest.raises(
        EncoderError, match=r"holds no model that can be read: expected config\.json with one of"
    ) as raised:
        find_folder("someone/model")
    assert (files[-1] if files else "It holds nothing") in str(raised.value)
    assert hub.fetched == []


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "blip"}, r"The model in the repository someone/model is of type 'blip'; known are clip, "),
        ({"model_type": "own", "auto_map": {"AutoModel": "own.Own"}}, "wants to run code of its own"),
    ],
)
def test_a_model_of_a_kind_that_is_not_known_is_refused_before_its_weights_are_fetched(
    config: dict[str, Any], message: str, hub: Any
) -> None:
    hub.files, hub.config = [*SMALL, "model.safetensors"], config
    with pytest.raises(EncoderError, match=message):
        find_folder("someone/model")
    assert hub.fetched == ["config.json"]


def test_a_kind_that_is_not_known_is_read_as_onnx_where_it_can_be(hub: Any) -> None:
    hub.files, hub.config = [*SMALL, "model.safetensors", "onnx/vision_model.onnx"], {"model_type": "own"}
    find_folder("someone/model")
    assert "onnx/vision_model.onnx" in hub.fetched
    assert "model.safetensors" not in hub.fetched


@pytest.mark.parametrize(
    ("gone", "lacks"),
    [
        ("preprocessor_config.json", "it lacks preprocessor_config.json"),
        ("tokenizer.json", "it lacks the files of its tokenizer"),
        ("model.safetensors", "has no weights"),
        ("config.json", "it lacks config.json"),
    ],
)
def test_a_part_in_the_cache_is_completed_or_refused(
    gone: str, lacks: str, hub: Any, clip_folder: Path, tmp_path: Path
) -> None:
    hub.cached = shutil.copytree(clip_folder, tmp_path / "part")
    (hub.cached / gone).unlink()
    hub.files = [*SMALL, "model.safetensors"]
    assert find_folder("someone/model") == hub.folder
    assert gone in hub.fetched
    hub.fault = ConnectionError("no route")
    with pytest.raises(EncoderError, match=rf"only in part \([\s\S]*{lacks}[\s\S]*can't be reached \(no route\)"):
        find_folder("someone/model")


def test_a_model_of_images_alone_is_whole_without_a_tokenizer(hub: Any, dinov2_folder: Path) -> None:
    hub.cached, hub.fault = dinov2_folder, ConnectionError("never asked")
    assert find_folder("someone/model") == dinov2_folder


def test_a_model_of_a_kind_that_is_not_known_is_not_fetched_again(hub: Any, clip_folder: Path, tmp_path: Path) -> None:
    hub.cached, hub.fault = shutil.copytree(clip_folder, tmp_path / "odd"), ConnectionError("never asked")
    (hub.cached / "config.json").write_text('{"model_type": "blip"}')
    with pytest.raises(EncoderError, match="of type 'blip'"):
        load_encoder("someone/model")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (GatedRepoError, r"accepted its terms[\s\S]*huggingface\.co/someone/model[\s\S]*hf auth login"),
        (RepositoryNotFoundError, r"no model named someone/model[\s\S]*hf auth login[\s\S]*--encoder pocket"),
    ],
)
def test_who_must_log_in_learns_how(kind: Callable[..., Exception], message: str, hub: Any) -> None:
    hub.fault = kind("403", response=SimpleNamespace(headers={}, request=None))
    with pytest.raises(EncoderError, match=message):
        find_folder("someone/model")


def test_sharded_older_weights(clip_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(clip_folder, tmp_path / "old")
    (folder / "model.safetensors").unlink()
    weights = list(reload(clip_folder).state_dict().items())
    parts = {f"pytorch_model-0000{at}-of-00002.bin": dict(weights[at - 1 :: 2]) for at in (1, 2)}
    for name, part in parts.items():
        torch.save(part, folder / name)
    index = {"metadata": {}, "weight_map": {key: name for name, part in parts.items() for key in part}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    old, new = load_encoder(folder), load_encoder(clip_folder)
    prepared = [new.prepare(image) for image in pictures(2)]
    np.testing.assert_allclose(
        old.encode_images(prepared).embeddings, new.encode_images(prepared).embeddings, atol=1e-6
    )
    (folder / "pytorch_model-00002-of-00002.bin").unlink()
    with pytest.raises(EncoderError, match="lacks 1 of its 2 weight files"):
        load_encoder(folder)
