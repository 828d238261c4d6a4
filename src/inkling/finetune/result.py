"""A tuned model on disk: an encoder folder like the one it came from, or low-rank additions in peft's format.

Imports torch.
"""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from inkling.encoders.transformers.loaded_model import load_towers, without_progress_bars
from inkling.encoders.transformers.model_folder import ModelFolder
from inkling.errors import InputError, require
from inkling.finetune.recipe import Recipe
from inkling.finetune.training.parts import LORA_TARGETS
from inkling.outputs import folder_appearing_whole
from inkling.wording import excerpt

PROVENANCE = "finetuning.json"
CLASS_VECTORS = "class_vectors.safetensors"
_VECTORS, _NAMES = "class_vectors", "class_names"

_ADAPTER_FILE, _ADAPTER_CONFIG = "adapter_model.safetensors", "adapter_config.json"


@dataclass(frozen=True, eq=False)
class ClassVectors:
    """The vectors (n_classes, d) that go with an encoder, and the names of their classes."""

    names: tuple[str, ...]
    vectors: Tensor

    def write(self, file: Path) -> None:
        """As safetensors, the names in its metadata."""
        save_file({_VECTORS: self.vectors.contiguous()}, file, metadata={_NAMES: json.dumps(self.names)})

    @classmethod
    def read(cls, file: Path) -> ClassVectors:
        """Inverse of `write`."""
        with safe_open(file, framework="pt") as kept:
            return cls(tuple(json.loads(kept.metadata()[_NAMES])), kept.get_tensor(_VECTORS))


def write_encoder(
    model: Any,
    source: ModelFolder,
    folder: Path,
    *,
    provenance: Mapping[str, Any],
    class_vectors: ClassVectors | None = None,
) -> None:
    """Write a model in float32, with processor and tokenizer files as they are in the folder that it came from.

    Parameters
    ----------
    folder
        Appears whole, in place of an earlier result.
    provenance
        How it came to be, for ``finetuning.json``.
    class_vectors
        For ``class_vectors.safetensors``.

    Raises
    ------
    InputError
        If the folder can't be written.
    """
    with _written_whole(folder) as draft:
        for file in source.processing_files:
            shutil.copyfile(file, draft / file.name)
        with without_progress_bars():
            model.save_pretrained(draft)
        if class_vectors is not None:
            class_vectors.write(draft / CLASS_VECTORS)
        (draft / PROVENANCE).write_text(json.dumps(provenance, indent=2) + "\n", encoding="utf-8")


def write_adapters(adapters: Mapping[str, Tensor], recipe: Recipe, base: str, folder: Path, *, share: float) -> None:
    """Write low-rank additions for peft, scaled to a share of the tuned weights.

    Parameters
    ----------
    adapters
        By their names in the model while it was trained.
    base
        Name or folder of the encoder that they add to.
    """
    peft = require("peft", extra="finetune")
    config = peft.LoraConfig(
        r=recipe.lora_rank,
        lora_alpha=recipe.lora_alpha,
        lora_dropout=recipe.lora_dropout,
        target_modules=list(LORA_TARGETS),
        bias="none",
        base_model_name_or_path=base,
        inference_mode=True,
    )
    tensors = {
        f"base_model.model.{name.replace('.default.', '.')}": (share * one if "lora_B" in name else one).contiguous()
        for name, one in adapters.items()
    }
    with _written_whole(folder) as draft:
        config.save_pretrained(draft)
        save_file(tensors, draft / _ADAPTER_FILE, metadata={"format": "pt"})


def merge_adapters(base: ModelFolder, adapters: Path, folder: Path) -> None:
    """Write the encoder that an encoder and its low-rank additions make together.

    Raises
    ------
    InputError
        If there are no additions in the folder, or they belong to another model.
    """
    peft = require("peft", extra="finetune")
    for name in (_ADAPTER_CONFIG, _ADAPTER_FILE):
        if not (adapters / name).is_file():
            raise InputError(
                f"The folder '{adapters}' has no {name}.", remedy="Name a folder that fine-tuning by lora has written."
            )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft asks the model by a name that transformers will drop
            merged = peft.PeftModel.from_pretrained(load_towers(base), str(adapters)).merge_and_unload()
    except (RuntimeError, ValueError, KeyError) as error:
        raise InputError(
            f"The additions in '{adapters}' don't fit the encoder in '{base.path}': {excerpt(error)}.",
            remedy="Name the encoder that they were trained on; adapter_config.json tells it.",
        ) from error
    provenance = {"encoder": str(base.path), "adapters": str(adapters)}
    write_encoder(merged, base, folder, provenance=provenance)


@contextmanager
def _written_whole(folder: Path) -> Iterator[Path]:
    """Have a folder appear whole, or say what to do."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with folder_appearing_whole(folder) as draft:
            yield draft
    except OSError as error:
        raise InputError(
            f"The folder '{folder}' can't be written: {excerpt(error)}.",
            remedy="Make room, or correct the folder, and resume the run (--resume, in Python resume=True): nothing is "
            "trained twice.",
        ) from error
