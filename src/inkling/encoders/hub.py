"""Model folders by name: this machine's cache of the hub first, then the hub, then one clear message."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkling.encoders.files import read_json
from inkling.encoders.onnx.graph import read_graph
from inkling.encoders.onnx.repository import choose, layout_of, names_in
from inkling.encoders.open_clip.configuration import FILE as OPEN_CLIP_DESCRIPTION
from inkling.encoders.open_clip.folder import WEIGHTS, OpenClipFolder, is_open_clip_folder
from inkling.encoders.precision import AUTO
from inkling.encoders.transformers.families import family_of
from inkling.encoders.transformers.model_folder import ModelFolder
from inkling.encoders.transformers.weights import FORMS, WeightFiles
from inkling.errors import EncoderError, MissingExtraError, require
from inkling.wording import excerpt

HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")

_SMALL_FILES = ["*.json", "*.txt", "*.model"]
"""Configuration, preprocessing and tokenizer."""

_SECONDS = 5.0
"""How long the hub may take to answer at all; downloads themselves take as long as they need."""

WAYS_ON = (
    "Three ways on: `--encoder pocket`, which ships with Inkling and is for photographs; a folder that holds the\n"
    "model, as save_pretrained() writes it or a download on another machine gives; or a folder with an ONNX model\n"
    "and an encoder.json."
)


@dataclass(frozen=True)
class Layout:
    """A way in which people publish models.

    Attributes
    ----------
    fits
        Whether a repository is laid out so, by the names of its files.
    wanted
        From these names and a precision to the patterns of the files to download.
    lacks
        What a folder lacks to be such a model in a precision, for a message; empty where it is whole.
    """

    fits: Callable[[Collection[str]], bool]
    wanted: Callable[[Collection[str], str], list[str]]
    lacks: Callable[[Path, str], str]


def find_folder(name: str, *, precision: str = AUTO) -> Path:
    """Folder of a model that is named as on the hub (``owner/model``), downloaded if need be.

    Parameters
    ----------
    name
        Of the repository.
    precision
        Some layouts hold files for each.

    Raises
    ------
    EncoderError
        If the hub doesn't know the name, can't be reached, or keeps the model for others.
    """
    folder = _cached(name)
    if folder is None:
        return _downloaded(name, precision, "isn't on this machine")
    lacks = {layout: layout.lacks(folder, precision) for layout in LAYOUTS}
    if not all(lacks.values()):
        return folder
    names = names_in(folder)
    layout = ONNX if layout_of(names) else OPEN_CLIP if OPEN_CLIP_DESCRIPTION in names else TRANSFORMERS
    return _downloaded(name, precision, f"is on this machine only in part ({lacks[layout]})")


def _cached(name: str) -> Path | None:
    try:
        require("huggingface_hub", extra="torch", purpose=f"The encoder '{name}'")
    except MissingExtraError as error:
        raise MissingExtraError(
            error.message,
            remedy=f"{error.remedy}\n(for a repository of ONNX files, 'inkling-vision[hub]' is enough), or use the "
            "encoder pocket, which ships with Inkling and is for photographs.",
        ) from error
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except LocalEntryNotFoundError:
        return None


def _downloaded(name: str, precision: str, here: str) -> Path:
    """Folder of a model that is fetched from the hub; `here` says why it must be."""
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        files = [file.rfilename for file in HfApi().model_info(name, timeout=_SECONDS).siblings or []]
        wanted = _layout(name, files).wanted(files, precision)
        return Path(snapshot_download(name, allow_patterns=wanted, etag_timeout=_SECONDS))
    except EncoderError:
        raise
    except GatedRepoError as error:
        raise EncoderError(
            f"The hub gives the model {name} only to those who have accepted its terms.",
            remedy=f"Accept them at https://huggingface.co/{name} and log in with `hf auth login` (or set HF_TOKEN).",
        ) from error
    except RepositoryNotFoundError as error:
        raise EncoderError(
            f"The hub has no model named {name}, or keeps it private.",
            remedy=f"A private one wants `hf auth login`. {WAYS_ON}",
        ) from error
    except Exception as error:  # httpx, OSError and the hub's own kinds, which change from release to release
        raise EncoderError(
            f"The model {name} {here}, and the hub can't be reached ({excerpt(error)}).", remedy=WAYS_ON
        ) from error


def _layout(name: str, files: Collection[str]) -> Layout:
    """How a repository is laid out, by the names of its files, and by the type of its model before any weights come.

    Raises
    ------
    EncoderError
        If it is laid out in no known way, or its model is of no known family.
    """
    fitting = [layout for layout in LAYOUTS if layout.fits(files)]
    if TRANSFORMERS in fitting:
        try:
            family_of(_configuration(name), where=f"the repository {name}")
        except EncoderError:
            fitting.remove(TRANSFORMERS)
            if not fitting:
                raise
    if fitting:
        return fitting[0]
    held = ", ".join(sorted(file for file in files if "." in file and not file.startswith(".")))
    raise EncoderError(
        f"The repository {name} holds no model that can be read: expected config.json with one of "
        f"{', '.join(form.name for form in FORMS)}, or with ONNX files such as onnx/vision_model.onnx. "
        f"It holds {excerpt(held) or 'nothing'}.",
        remedy=WAYS_ON,
    )


def _configuration(name: str) -> Mapping[str, Any]:
    from huggingface_hub import snapshot_download

    folder = Path(snapshot_download(name, allow_patterns=["config.json"], etag_timeout=_SECONDS))
    return read_json(folder / "config.json")


def _fits_transformers(files: Collection[str]) -> bool:
    return "config.json" in files and any(form.name in files for form in FORMS)


def _wanted_by_transformers(files: Collection[str], _: str) -> list[str]:
    """One form of the weights, the one that the library would read: repositories often hold several."""
    form = next(form for form in FORMS if form.name in files)
    return [*_SMALL_FILES, form.name, *([form.shards] if form.shards else [])]


def _lacks_of_transformers(folder: Path, _: str) -> str:
    """An interrupted download leaves a folder without some of its files."""
    if not (folder / "config.json").is_file():
        return "it lacks config.json"
    try:
        WeightFiles.of(folder)
    except EncoderError as error:
        return error.message
    model = ModelFolder(folder)
    try:
        has_texts = model.has_texts
    except EncoderError:
        return ""  # whole, but of a kind that isn't known: opening it says so
    if not model.has_processor:
        return "it lacks preprocessor_config.json"
    return "it lacks the files of its tokenizer" if has_texts and not model.has_tokenizer else ""


def _wanted_of_onnx(files: Collection[str], precision: str) -> list[str]:
    """The files of one precision; which there are is said where it isn't one of them."""
    return choose(files, precision=precision, where="The repository").patterns


def _lacks_of_onnx(folder: Path, precision: str) -> str:
    names = names_in(folder)
    try:
        choice = choose(names, precision=precision, where=f"The folder {folder}")
        graphs = [read_graph(folder / model) for model in (choice.images, choice.texts) if model]
    except EncoderError as error:
        return error.message
    if choice.layout.processor not in names and "processor_config.json" not in names:
        return f"it lacks {choice.layout.processor}"
    reads_texts = any(value.is_integer for graph in graphs for value in graph.inputs)
    return f"it lacks {choice.tokenizer}" if reads_texts and choice.tokenizer not in names else ""


def _wanted_of_open_clip(files: Collection[str], _: str) -> list[str]:
    return [*_SMALL_FILES, next(name for name in WEIGHTS if name in files)]


def _lacks_of_open_clip(folder: Path, _: str) -> str:
    if not is_open_clip_folder(names_in(folder)):
        return "it lacks its weights"
    return "" if OpenClipFolder(folder).has_tokenizer else "it lacks the files of its tokenizer"


TRANSFORMERS = Layout(_fits_transformers, _wanted_by_transformers, _lacks_of_transformers)
ONNX = Layout(lambda files: layout_of(files) is not None, _wanted_of_onnx, _lacks_of_onnx)
OPEN_CLIP = Layout(is_open_clip_folder, _wanted_of_open_clip, _lacks_of_open_clip)
LAYOUTS = (TRANSFORMERS, OPEN_CLIP, ONNX)
"""How repositories may be laid out; the first that fits is taken."""
