"""Kinds of encoders as tables: those of the package by their names, folders by the files in them.

Another kind is another row. Whatever a row opens reads small files only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from inkling.encoders.base import Encoder
from inkling.encoders.cards import EMBEDDED as IN_THE_PACKAGE
from inkling.encoders.cards import POCKET, POCKET_NOTE, SKETCH, SKETCH_NOTE, EncoderCard
from inkling.encoders.embedded.pocket import TEXT_DIMENSION, PocketEncoder
from inkling.encoders.embedded.sketch import SketchEncoder
from inkling.encoders.files import read_json
from inkling.encoders.onnx.description import FILE as ONNX_DESCRIPTION
from inkling.encoders.onnx.encoder import OnnxEncoder
from inkling.encoders.onnx.repository import is_repository, names_in
from inkling.encoders.onnx.towers import read_repository
from inkling.encoders.open_clip.configuration import FILE as OPEN_CLIP_DESCRIPTION
from inkling.encoders.open_clip.folder import OpenClipFolder, is_open_clip_folder
from inkling.encoders.transformers.encoder import TransformersEncoder
from inkling.encoders.transformers.model_folder import ModelFolder


class OpenEmbedded(Protocol):
    """Opens an encoder of the package."""

    def __call__(self, *, device: str, precision: str) -> Encoder:
        """The encoder, its weights not yet loaded."""
        ...


class OpenFolder(Protocol):
    """Opens a folder of one kind."""

    def __call__(self, folder: Path, *, name: str | None, source: str, device: str, precision: str) -> Encoder:
        """The encoder, its weights not yet loaded; `name` is the hub's, None for a folder of the user's own."""
        ...


@dataclass(frozen=True)
class EmbeddedKind:
    """An encoder that the package holds.

    Attributes
    ----------
    open
        Opens it.
    card
        What `inkling encoders` lists about it.
    """

    open: OpenEmbedded
    card: Callable[[], EncoderCard]


@dataclass(frozen=True)
class FolderKind:
    """What folders of one kind have in common.

    Attributes
    ----------
    files
        Files, or patterns of files, all of which such a folder holds.
    open
        Opens it.
    tells
        What else tells that a folder is of this kind; None where the files do.
    """

    files: tuple[str, ...]
    open: OpenFolder
    tells: Callable[[Path], bool] | None = None

    def is_kind_of(self, folder: Path) -> bool:
        """Whether a folder is of this kind."""
        has_files = all(any(found.is_file() for found in folder.glob(pattern)) for pattern in self.files)
        return has_files and (self.tells is None or self.tells(folder))


def _pocket_card() -> EncoderCard:
    return EncoderCard(POCKET, IN_THE_PACKAGE, dimension=TEXT_DIMENSION, licence="Apache-2.0", note=POCKET_NOTE)


def _sketch_folder() -> Path:
    from inkling.sketch import weights_folder

    return weights_folder()


def _open_sketch(*, device: str, precision: str) -> Encoder:
    return SketchEncoder(_sketch_folder(), name=SKETCH, source=SKETCH, device=device, precision=precision)


def _sketch_card() -> EncoderCard:
    dimension = ModelFolder(_sketch_folder()).dimension
    return EncoderCard(SKETCH, IN_THE_PACKAGE, dimension=dimension, licence="Apache-2.0", note=SKETCH_NOTE)


def _open_onnx(folder: Path, *, name: str | None, source: str, device: str, precision: str) -> Encoder:  # noqa: ARG001 - the description has the name
    return OnnxEncoder(folder, source=source, device=device, precision=precision)


def _open_transformers(folder: Path, *, name: str | None, source: str, device: str, precision: str) -> Encoder:
    return TransformersEncoder(folder, name=name, source=source, device=device, precision=precision)


def _is_onnx_repository(folder: Path) -> bool:
    return is_repository(names_in(folder), read_json(folder / "config.json").get("model_type"))


def _open_onnx_repository(folder: Path, *, name: str | None, source: str, device: str, precision: str) -> Encoder:
    described = read_repository(folder, name=name, precision=precision)
    return OnnxEncoder(described, source=source, device=device)


def _is_open_clip_folder(folder: Path) -> bool:
    return is_open_clip_folder({path.name for path in folder.glob("*")})


def _open_open_clip(folder: Path, *, name: str | None, source: str, device: str, precision: str) -> Encoder:
    return TransformersEncoder(OpenClipFolder(folder), name=name, source=source, device=device, precision=precision)


EMBEDDED: Mapping[str, EmbeddedKind] = {
    POCKET: EmbeddedKind(PocketEncoder, _pocket_card),
    SKETCH: EmbeddedKind(_open_sketch, _sketch_card),
}
"""By name, in the order in which they are listed."""

FOLDERS: tuple[FolderKind, ...] = (
    FolderKind((ONNX_DESCRIPTION,), _open_onnx),
    *(
        FolderKind(("config.json", models), _open_onnx_repository, _is_onnx_repository)
        for models in ("onnx/*.onnx", "visual/*.onnx", "*.onnx")
    ),
    FolderKind((OPEN_CLIP_DESCRIPTION,), _open_open_clip, _is_open_clip_folder),
    FolderKind(("config.json",), _open_transformers),
    FolderKind((OPEN_CLIP_DESCRIPTION,), _open_open_clip),
)
"""The first that a folder is of is taken."""
