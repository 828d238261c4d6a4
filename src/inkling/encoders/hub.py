"""Model folders by name: this machine's cache of the hub first, then the hub, then one clear message."""

from __future__ import annotations

import re
from pathlib import Path

from inkling.encoders.transformers.weights import WeightFiles
from inkling.errors import EncoderError, require
from inkling.wording import excerpt

HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")

_SMALL_FILES = ["*.json", "*.txt", "*.model"]
"""Configuration, preprocessing and tokenizer."""

_SAFETENSORS = ["model.safetensors", "model-*.safetensors"]
_TORCH = ["pytorch_model.bin"]
_SECONDS = 5.0
"""How long the hub may take to answer at all; downloads themselves take as long as they need."""

WAYS_ON = (
    "Three ways on: a folder that holds the model (config.json, model.safetensors and tokenizer files, as\n"
    "save_pretrained() writes them or a download on another machine gives), a folder with an ONNX model and an\n"
    "encoder.json, or the embedded miniature 'sketch' for trying things out (not for photographs)."
)


def find_folder(name: str) -> Path:
    """Folder of a model that is named as on the hub (``owner/model``), downloaded if need be.

    Raises
    ------
    EncoderError
        If the hub doesn't know the name, can't be reached, or keeps the model for others.
    """
    return _cached(name) or _downloaded(name)


def _cached(name: str) -> Path | None:
    require("huggingface_hub", extra="torch", purpose=f"The encoder '{name}'")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(name, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    return folder if _is_complete(folder) else None


def _is_complete(folder: Path) -> bool:
    """An interrupted download leaves a folder without some of its weights."""
    try:
        WeightFiles.of(folder)
    except EncoderError:
        return False
    return (folder / "config.json").is_file()


def _downloaded(name: str) -> Path:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        files = [file.rfilename for file in HfApi().model_info(name, timeout=_SECONDS).siblings or []]
        weights = _SAFETENSORS if any(file.endswith(".safetensors") for file in files) else _TORCH
        return Path(snapshot_download(name, allow_patterns=[*_SMALL_FILES, *weights], etag_timeout=_SECONDS))
    except GatedRepoError as error:
        raise EncoderError(
            f"The hub gives the model {name} only to those who have accepted its terms.",
            remedy="Accept them on the model's page and log in with `hf auth login`.",
        ) from error
    except RepositoryNotFoundError as error:
        raise EncoderError(f"The hub has no model named {name}, or keeps it private.", remedy=WAYS_ON) from error
    except Exception as error:  # httpx, OSError and the hub's own kinds, which change from release to release
        raise EncoderError(
            f"The model {name} isn't on this machine, and the hub can't be reached ({excerpt(error)}).",
            remedy=WAYS_ON,
        ) from error
