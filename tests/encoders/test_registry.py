"""Names, folders and mistakes on the way to an encoder."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import constants
from huggingface_hub.errors import LocalEntryNotFoundError, RepositoryNotFoundError

from inkling.encoders import kinds
from inkling.encoders.cards import DEFAULT_FOR_PHOTOGRAPHS
from inkling.encoders.onnx.encoder import OnnxEncoder
from inkling.encoders.registry import known_encoders, load_encoder, load_same_encoder
from inkling.encoders.transformers.encoder import TransformersEncoder
from inkling.errors import EncoderError
from tests.encoders.folders import write_clip

SURROGATE = Path(__file__).parents[2] / "bench" / "encoders" / "surrogate-clip-b32"


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache, and a hub that nobody answers for; returns the cache's folder."""

    def unreachable(*_: object, **__: object) -> None:
        raise ConnectionError("name or service not known")

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", unreachable)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def put_into_cache(cache: Path, name: str, folder: Path) -> Path:
    """What a download leaves behind."""
    repository = cache / f"models--{name.replace('/', '--')}"
    snapshot = repository / "snapshots" / ("0" * 40)
    shutil.copytree(folder, snapshot)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    return snapshot


def test_folders_by_their_content(clip_folder: Path, shared: Path) -> None:
    assert isinstance(load_encoder(clip_folder), TransformersEncoder)
    assert isinstance(load_encoder(SURROGATE), OnnxEncoder)


def test_a_folder_is_kept_by_its_path_from_the_root(clip_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(clip_folder.parent)
    identity = load_encoder("./tiny-clip", precision="int8").identity
    assert identity.source == str(Path("tiny-clip").absolute())
    assert (identity.name, identity.precision) == ("tiny-clip", "int8")


def test_the_miniature(clip_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "_sketch_folder", lambda: clip_folder)
    identity = load_encoder("sketch").identity
    assert (identity.name, identity.source) == ("sketch", "sketch")


def test_a_hub_name_comes_from_the_cache_without_asking_the_hub(no_hub: Path, clip_folder: Path) -> None:
    put_into_cache(no_hub, "someone/tiny", clip_folder)
    identity = load_encoder("someone/tiny").identity
    assert (identity.name, identity.source) == ("someone/tiny", "someone/tiny")
    assert identity.fingerprint == load_encoder(clip_folder).identity.fingerprint


def test_an_interrupted_download_is_not_taken_for_a_model(no_hub: Path, clip_folder: Path) -> None:
    snapshot = put_into_cache(no_hub, "someone/tiny", clip_folder)
    (snapshot / "model.safetensors").unlink()
    with pytest.raises(EncoderError, match="is on this machine only in part"):
        load_encoder("someone/tiny")


def test_no_hub_within_reach_gives_three_ways_on_and_soon(no_hub: Path) -> None:
    start = time.monotonic()
    with pytest.raises(EncoderError) as raised:
        load_encoder(DEFAULT_FOR_PHOTOGRAPHS)
    assert time.monotonic() - start < 10
    message = str(raised.value)
    assert "the hub can't be reached (name or service not known)" in message
    assert "Did you mean" not in message
    for way in ("a folder that holds the", "encoder.json", "--encoder pocket"):
        assert way in message


def test_a_download_fetches_one_kind_of_weights(
    no_hub: Path, clip_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}
    files = ("config.json", "model.safetensors", "pytorch_model.bin", "flax_model.msgpack")

    def download(name: str, *, local_files_only: bool = False, **options: Any) -> str:
        if local_files_only:
            raise LocalEntryNotFoundError("not there")
        asked.update(options, name=name)
        return str(clip_folder)

    siblings = [SimpleNamespace(rfilename=file) for file in files]
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda *_, **__: SimpleNamespace(siblings=siblings))
    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert load_encoder("someone/tiny").identity.name == "someone/tiny"
    assert asked["name"] == "someone/tiny"
    assert "model.safetensors" in asked["allow_patterns"]
    assert "pytorch_model.bin" not in asked["allow_patterns"]


def test_a_name_that_the_hub_does_not_know(no_hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise RepositoryNotFoundError("404", response=SimpleNamespace(headers={}, request=None))

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", unknown)
    with pytest.raises(EncoderError, match=r"no model named openai/clip-vit-base-patch23.* Did you mean"):
        load_encoder("openai/clip-vit-base-patch23")


@pytest.mark.parametrize(
    ("source", "meant"),
    [
        ("sketsh", "sketch"),
        ("clip-vit-base-patch32", DEFAULT_FOR_PHOTOGRAPHS),
        ("Siglip2-base-patch16-224", "google/siglip2-base-patch16-224"),
    ],
)
def test_did_you_mean(source: str, meant: str) -> None:
    with pytest.raises(EncoderError, match=f"no encoder '{source}'. Did you mean '{meant}'"):
        load_encoder(source)


@pytest.mark.parametrize("source", ["~\0", "a\0b", "x" * 5000, "x" * 300 + "+" + "sketch", "sketch\n"])
def test_what_can_be_no_name(source: str, no_hub: Path) -> None:
    with pytest.raises(EncoderError, match="There is no encoder"):
        load_encoder(source)


@pytest.mark.parametrize("source", ["./gone", "/gone/too", "~/gone-too", "a/b/c", "models/"])
def test_a_folder_that_is_not_there_is_never_looked_for_on_the_hub(source: str, no_hub: Path) -> None:
    with pytest.raises(EncoderError, match="There is no encoder"):
        load_encoder(source)


def test_a_folder_without_an_encoder_and_a_file(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"it has none of encoder\.json, config\.json"):
        load_encoder(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"")
    with pytest.raises(EncoderError, match="is a file; expected a folder"):
        load_encoder(tmp_path / "model.onnx")


def test_cards(clip_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "_sketch_folder", lambda: clip_folder)
    pocket, sketch, *others = known_encoders()
    assert (pocket.name, pocket.kind, pocket.dimension, pocket.needs) == ("pocket", "embedded", 384, ())
    assert "photographs" in pocket.note
    assert (sketch.name, sketch.kind, sketch.dimension, sketch.needs) == ("sketch", "embedded", 24, ())
    assert "not for photographs" in sketch.note
    assert others[0].name == DEFAULT_FOR_PHOTOGRAPHS
    assert all(card.licence and card.note and card.dimension for card in others)
    assert len({card.name for card in others}) == len(others)
    assert all("hub" in card.needs for card in others)
    assert replace(others[0], gated=True).needs == ("[torch]", "hub", "login")


@pytest.mark.parametrize(("stored", "today"), [("float32", "auto"), ("float32-strict", "float32")])
def test_names_of_precisions_that_earlier_releases_kept(stored: str, today: str, tmp_path: Path) -> None:
    write_clip(tmp_path, hidden_size=512, intermediate_size=512, num_hidden_layers=1)
    made_with = replace(load_encoder(tmp_path, precision=today).identity, precision=stored)
    found = load_same_encoder(made_with).identity
    assert (found.fingerprint, found.precision) == (made_with.fingerprint, today)


def test_the_former_name_of_float32_says_what_it_is_called_now() -> None:
    with pytest.raises(EncoderError, match="'float32-strict' is now called 'float32'"):
        load_encoder("sketch", precision="float32-strict")


@pytest.mark.parametrize("name", ["", " "])
def test_an_empty_name_is_no_encoder(name: str) -> None:
    """As a variable of a shell is that was never set: not the default, and not the working directory."""
    with pytest.raises(EncoderError, match="name of the encoder is empty"):
        load_encoder(name)
