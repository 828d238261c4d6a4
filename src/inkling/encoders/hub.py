"""Model folders by name: this machine's cache of the hub first, then the hub, then one clear message."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from inkling.encoders.transformers.model_folder import ModelFolder
from inkling.encoders.transformers.weights import FORMS, WeightFiles
from inkling.errors import EncoderError, require
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
    wanted
        From the names of a repository's files to the patterns of those to download; empty where it isn't laid out so.
    lacks
        What a folder lacks to be such a model, for a message; empty where it is whole.
    """

    wanted: Callable[[Collection[str]], list[str]]
    lacks: Callable[[Path], str]


def find_folder(name: str) -> Path:
    """Folder of a model that is named as on the hub (``owner/model``), downloaded if need be.

    Raises
    ------
    EncoderError
        If the hub doesn't know the name, can't be reached, or keeps the model for others.
    """
    folder = _cached(name)
    if folder is None:
        return _downloaded(name, "isn't on this machine")
    lacks = [layout.lacks(folder) for layout in LAYOUTS]
    return folder if not all(lacks) else _downloaded(name, f"is on this machine only in part ({lacks[0]})")


def _cached(name: str) -> Path | None:
    require("huggingface_hub", extra="torch", purpose=f"The encoder '{name}'")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except LocalEntryNotFoundError:
        return None


def _downloaded(name: str, here: str) -> Path:
    """Folder of a model that is fetched from the hub; `here` says why it must be."""
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        files = [file.rfilename for file in HfApi().model_info(name, timeout=_SECONDS).siblings or []]
        return Path(snapshot_download(name, allow_patterns=_wanted(name, files), etag_timeout=_SECONDS))
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


def _wanted(name: str, files: Collection[str]) -> list[str]:
    for layout in LAYOUTS:
        if patterns := layout.wanted(files):
            return patterns
    held = ", ".join(sorted(file for file in files if "." in file and not file.startswith(".")))
    raise EncoderError(
        f"The repository {name} holds no model that can be read: expected config.json with one of "
        f"{', '.join(form.name for form in FORMS)}. It holds {excerpt(held) or 'nothing'}.",
        remedy=WAYS_ON,
    )


def _wanted_by_transformers(files: Collection[str]) -> list[str]:
    """One form of the weights, the one that the library would read: repositories often hold several."""
    form = next((form for form in FORMS if form.name in files), None)
    if form is None or "config.json" not in files:
        return []
    return [*_SMALL_FILES, form.name, *([form.shards] if form.shards else [])]


def _lacks_of_transformers(folder: Path) -> str:
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


LAYOUTS: tuple[Layout, ...] = (Layout(_wanted_by_transformers, _lacks_of_transformers),)
"""How repositories may be laid out; the first that fits is taken."""
