"""Models of the `transformers` library.

Opening one reads its configuration and hashes its files. torch and transformers are imported, and weights
loaded, when the first image or text is encoded.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inkling.encoders.base import ImageVectors, Prepared
from inkling.encoders.devices import require_torch_device
from inkling.encoders.per_process import PerProcess
from inkling.encoders.precision import AUTO, FLOAT32, WIDE, check_precision
from inkling.encoders.transformers.consistency import check_folder
from inkling.encoders.transformers.model_folder import ModelFolder
from inkling.errors import require
from inkling.types import EncoderIdentity

if TYPE_CHECKING:
    from PIL.Image import Image

_TEXTS_AT_ONCE = 64


class Towers(Protocol):
    """A model with its weights."""

    def images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Unit vectors (n, d) of prepared images (n, 3, height, width)."""
        ...

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, d) of texts."""
        ...


class TransformersEncoder:
    """A model of a known family in a local folder: two towers, or an image tower alone.

    Parameters
    ----------
    folder
        As `save_pretrained` writes it: config.json, weights, preprocessor and tokenizer files; or one that is open.
    name
        Name for people.
    source
        What the user passed; kept in the identity so that the encoder can be opened again.
    device
        ``auto`` takes CUDA, else Apple's MPS, else the CPU.
    precision
        See `inkling.encoders.precision`.
    """

    def __init__(
        self,
        folder: str | Path | ModelFolder,
        *,
        name: str | None = None,
        source: str | None = None,
        device: str = "auto",
        precision: str = AUTO,
    ) -> None:
        require_torch_device(device)
        check_precision(precision)
        self._folder = folder if isinstance(folder, ModelFolder) else ModelFolder(Path(folder))
        self._name = name or self._folder.path.resolve().name
        self._source = source or str(self._folder.path)
        self._device = device
        self._precision = precision
        self._loading = PerProcess(threading.Lock)
        self._loaded: Towers | None = None
        check_folder(self._folder)
        self._preprocessing = self._folder.preprocessing

    def __repr__(self) -> str:
        return f"TransformersEncoder({self._name!r}, device={self._device!r}, precision={self._precision!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_loaded": None}

    @cached_property
    def identity(self) -> EncoderIdentity:
        """Name, fingerprint, dimensions, logit scale, precision."""
        return EncoderIdentity(
            name=self._name,
            source=self._source,
            fingerprint=self._folder.fingerprint(self._allowed_arithmetic()),
            dimension=self._folder.dimension,
            feature_dimension=0,
            logit_scale=self._folder.logit_scale,
            precision=self._precision if self._precision != AUTO or self._may_round else FLOAT32,
        )

    @property
    def folder(self) -> ModelFolder:
        """Where the model lies."""
        return self._folder

    @property
    def has_texts(self) -> bool:
        """Whether there is a text tower, which is open to any text."""
        return self._folder.has_texts

    @property
    def text_template(self) -> None:
        """None: any prompt will do."""
        return

    @property
    def shorter_side(self) -> int:
        """Pixels of the shorter side after resizing."""
        return self._preprocessing.shorter_side

    def prepare(self, image: Image) -> Prepared:
        """Array (3, height, width) float32 of an RGB picture."""
        return self._preprocessing(image if image.mode == "RGB" else image.convert("RGB"))

    def encode_images(self, batch: Sequence[Prepared]) -> ImageVectors:
        """Vectors of prepared images, in order."""
        if not batch:
            return ImageVectors(np.empty((0, self._folder.dimension), np.float32))
        vectors = np.empty((len(batch), self._folder.dimension), np.float32)
        for rows in _of_one_shape(batch):
            vectors[rows] = self._model().images(np.stack([batch[row] for row in rows]))
        return ImageVectors(vectors)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, d) of texts.

        Texts longer than the text tower reads are cut at its length, with a warning.

        Raises
        ------
        EncoderError
            If the model has images alone.
        """
        _ = self._folder.text_tower  # refuses before weights are loaded
        if not texts:
            return np.empty((0, self._folder.dimension), np.float32)
        starts = range(0, len(texts), _TEXTS_AT_ONCE)
        return np.concatenate([self._model().texts(texts[at : at + _TEXTS_AT_ONCE]) for at in starts])

    def missing_texts(self, texts: Sequence[str]) -> list[str]:
        """None of them with a text tower, all without."""
        return [] if self.has_texts else list(texts)

    def _model(self) -> Towers:
        with self._loading.value:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def _load(self) -> Towers:
        for package in ("torch", "transformers"):
            require(package, extra="torch", purpose=f"The encoder '{self._name}'")
        from inkling.encoders.transformers.loaded_model import LoadedModel

        return LoadedModel(self._folder, device=self._device, precision=self._precision)

    @property
    def _may_round(self) -> bool:
        """Whether auto is anything but float32 for this model."""
        return self._folder.width >= WIDE

    def _allowed_arithmetic(self) -> str:
        """What the precision allows for this model: the same on every machine, so that memories can travel."""
        if self._precision == AUTO:
            return "float32, products of bfloat16 allowed" if self._may_round else "float32"
        return self._precision


def _of_one_shape(batch: Sequence[Prepared]) -> Iterable[list[int]]:
    """Numbers of the images of each shape: some models read pictures of any, and one pass takes a single one."""
    rows: dict[tuple[int, ...], list[int]] = {}
    for row, prepared in enumerate(batch):
        rows.setdefault(prepared.shape, []).append(row)
    return rows.values()
