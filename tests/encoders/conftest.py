"""Tiny model folders, written once for all tests of this room."""

from __future__ import annotations

import json
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError
from transformers import MetaClip2Config, MetaClip2Model

from tests.encoders.folders import write_clip, write_dinov2, write_siglip
from tests.encoders.onnx.test_encoder import DESCRIPTION, save_image_model, save_table


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip") / "tiny-clip"
    write_clip(folder)
    return folder


@pytest.fixture(scope="session")
def metaclip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("metaclip") / "tiny-metaclip"
    write_clip(folder, kind=(MetaClip2Config, MetaClip2Model))
    return folder


@pytest.fixture(scope="session")
def siglip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("siglip") / "tiny-siglip"
    write_siglip(folder)
    return folder


@pytest.fixture(scope="session")
def dinov2_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dinov2") / "tiny-dinov2"
    write_dinov2(folder)
    return folder


@pytest.fixture(scope="session")
def onnx_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("onnx")
    save_image_model(folder / "model.onnx")
    save_table(folder / "texts.npz", ["cat", "traffic light", "Zebra"])
    (folder / "encoder.json").write_text(json.dumps(DESCRIPTION))
    return folder


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A hub whose repository holds the files that a test names, and which remembers what is fetched of them."""
    state = SimpleNamespace(files=[], cached=None, fetched=[], fault=None, folder=tmp_path / "fetched")
    state.config = {"model_type": "clip"}

    def download(
        name: str, *, local_files_only: bool = False, allow_patterns: list[str] | None = None, **_: Any
    ) -> str:
        if local_files_only:
            if state.cached is None:
                raise LocalEntryNotFoundError("not there")
            return str(state.cached)
        state.fetched = [file for file in state.files if any(fnmatch(file, each) for each in allow_patterns or [])]
        state.folder.mkdir(exist_ok=True)
        (state.folder / "config.json").write_text(json.dumps(state.config))
        return str(state.folder)

    def info(*_: object, **__: object) -> Any:
        if state.fault:
            raise state.fault
        return SimpleNamespace(siblings=[SimpleNamespace(rfilename=file) for file in state.files])

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", info)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    return state
