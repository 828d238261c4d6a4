"""Image towers of each build of the library, through torch's exporter: small models with random weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from inkling import errors
from inkling.encoders.registry import load_encoder
from inkling.errors import EncoderError, MissingExtraError
from inkling.exporting.image_side import image_side
from tests.encoders.families import TWO_TOWERS
from tests.encoders.folders import pictures, write_clip
from tests.encoders.open_clip.reference import write_open_clip
from tests.encoders.transformers.test_image_only import write_other
from tests.exporting.sides import assert_answers_like

ALIKE = {"long-clip", "metaclip-2", "siglip-2", "siglip-2-naflex", "altclip", "chinese-clip", "dual-clip-bert"}
"""Whose image towers are built like another one's."""
WRITERS: dict[str, Callable[[Path], object]] = {
    **{name: write for name, write in TWO_TOWERS.items() if name not in ALIKE and name != "clip"},
    **{
        name: lambda folder, name=name: write_other(folder, name)
        for name in ("DINOv2 with registers", "DINOv3 with gates", "ConvNeXt V2", "Data2Vec")
    },
    "OpenCLIP": write_open_clip,
}


THOROUGH = [pytest.mark.slow, pytest.mark.thorough]
QUICK = {"siglip", "DINOv2 with registers", "OpenCLIP"}
"""One of each way in: two towers, one tower, and another library's weights. The rest changes with releases of
transformers and torch, which `constraints.txt` pins."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    write_clip(folder)
    return folder


@pytest.mark.parametrize("family", [name if name in QUICK else pytest.param(name, marks=THOROUGH) for name in WRITERS])
def test_vectors_are_those_of_the_encoder(family: str, tmp_path: Path) -> None:
    WRITERS[family](tmp_path)
    assert_answers_like(load_encoder(tmp_path, precision="float32"), pictures(5), atol=2e-6)


def test_joined_and_cut_and_nothing_is_printed(clip: Path, capfd: pytest.CaptureFixture[str]) -> None:
    encoder = load_encoder(f"{clip}@10 + sketch", precision="float32")
    assert_answers_like(encoder, pictures(5), atol=2e-6)
    assert capfd.readouterr() == ("", "")


def test_models_that_read_pictures_of_any_shape_are_refused(tmp_path: Path) -> None:
    TWO_TOWERS["siglip-2-naflex"](tmp_path)
    with pytest.raises(EncoderError, match="reads pictures of any shape"):
        image_side(load_encoder(tmp_path))


def test_what_the_exporter_cannot_do_is_said(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("an operator is missing")

    monkeypatch.setattr(torch.onnx, "export", fail)
    with pytest.raises(EncoderError, match=r"\(CLIP\) can't be exported by torch .*: an operator is missing"):
        image_side(load_encoder(clip))


def test_of_joined_encoders_the_one_at_fault_is_named(clip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "naflex"
    TWO_TOWERS["siglip-2-naflex"](folder)
    with pytest.raises(EncoderError, match="Of the joined encoders, 'naflex' can't be used"):
        image_side(load_encoder(f"sketch + {folder}"))


def test_without_the_library_of_the_exporter(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = errors.importlib.import_module

    def without(name: str) -> object:
        if name == "onnxscript":
            raise ModuleNotFoundError(name)
        return known(name)

    monkeypatch.setattr(errors.importlib, "import_module", without)
    with pytest.raises(MissingExtraError, match=r"inkling-vision\[export\]"):
        image_side(load_encoder(clip))
