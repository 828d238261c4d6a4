"""Tiny model folders, written once for all tests of this room."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
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
