"""Encoders in ONNX folders, run by onnxruntime. `inkling.encoders.onnx.description` says what a folder holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inkling.encoders.base import ImageVectors, Prepared
from inkling.encoders.files import hash_files, hash_value
from inkling.encoders.onnx.description import TextModel, TextTable, read_description
from inkling.encoders.onnx.session import Session
from inkling.encoders.onnx.texts import NoTexts, OpenTexts, TableTexts, TextSide
from inkling.encoders.precision import AUTO, FLOAT32, check_precision
from inkling.encoders.vectors import unit_vectors
from inkling.errors import EncoderError
from inkling.types import EncoderIdentity

if TYPE_CHECKING:
    from PIL.Image import Image

_IMAGES_AT_ONCE = 4
"""Images of one run on a processor. onnxruntime keeps all activations of a run: with two MobileNets, a fit of 234 crops
peaks at 1,760 MB by 32 images, 800 by 8, and 640 by 4, in no more time."""


class OnnxEncoder:
    """An image encoder in a folder with an `encoder.json`, optionally with a text side.

    Parameters
    ----------
    folder
        Holds `encoder.json`; the files that it names may lie elsewhere.
    source
        What the user passed; kept in the identity so that the encoder can be opened again.
    device
        ``auto`` and ``cpu`` run on the CPU, ``cuda`` needs the GPU build of onnxruntime.
    precision
        ``auto`` or ``float32``, which are the same here: an ONNX model carries its arithmetic in its graph.
    """

    def __init__(
        self, folder: str | Path, *, source: str | None = None, device: str = "auto", precision: str = AUTO
    ) -> None:
        check_precision(precision)
        if precision not in (AUTO, FLOAT32):
            raise EncoderError(
                f"An ONNX folder carries its arithmetic in its model, so the precision {precision} has no effect.",
                remedy="Leave the precision out, or point 'model' in encoder.json at a quantised model.",
            )
        self._description = read_description(Path(folder))
        self._source = source or str(folder)
        self._on_cpu = device != "cuda"
        self._session = Session(self._description.model, device=device)
        self._texts = _text_side(self._description.texts, self._description.dimension)

    def __repr__(self) -> str:
        return f"OnnxEncoder({self._description.name!r})"

    @cached_property
    def identity(self) -> EncoderIdentity:
        """Name, fingerprint, dimensions, logit scale, precision."""
        described = self._description
        return EncoderIdentity(
            name=described.name,
            source=self._source,
            fingerprint=self._fingerprint(),
            dimension=described.dimension,
            feature_dimension=described.feature_dimension,
            logit_scale=described.logit_scale,
            precision=FLOAT32,
        )

    @property
    def licence(self) -> str:
        """Licence of the weights, as the folder states it."""
        return self._description.licence

    @property
    def has_texts(self) -> bool:
        """Whether the folder has a text side."""
        return not isinstance(self._texts, NoTexts)

    @property
    def text_template(self) -> str | None:
        """The one prompt that a closed table knows, with ``{}`` in the name's place; None where any will do."""
        return self._texts.template

    @property
    def shorter_side(self) -> int:
        """Pixels of the shorter side after resizing."""
        return self._description.preprocessing.shorter_side

    def prepare(self, image: Image) -> Prepared:
        """Array (3, height, width) float32 of an RGB picture."""
        return self._description.preprocessing(image if image.mode == "RGB" else image.convert("RGB"))

    def encode_images(self, batch: Sequence[Prepared]) -> ImageVectors:
        """Vectors of prepared images, in order."""
        described = self._description
        if not batch:
            no_features = np.empty((0, described.feature_dimension), np.float32)
            return ImageVectors(
                np.empty((0, described.dimension), np.float32), no_features if described.features else None
            )
        at_once = _IMAGES_AT_ONCE if self._on_cpu else len(batch)
        parts = [self._encode_some(batch[at : at + at_once]) for at in range(0, len(batch), at_once)]
        embeddings, *features = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return ImageVectors(unit_vectors(embeddings), features[0].astype(np.float32) if features else None)

    def _encode_some(self, batch: Sequence[Prepared]) -> list[NDArray[Any]]:
        described = self._description
        outputs = [described.embeddings, *([described.features] if described.features else [])]
        return self._session.run(outputs, {described.input: np.stack(batch)})

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, d) of texts.

        Raises
        ------
        EncoderError
            If there is no text side, or a closed table lacks one of the texts.
        """
        return self._texts.encode(texts)

    def missing_texts(self, texts: Sequence[str]) -> list[str]:
        """Those of the texts that have no vector."""
        return self._texts.missing(texts)

    def _fingerprint(self) -> str:
        described = self._description
        return hash_value(
            {
                "model": hash_files([described.model]),
                "preprocessing": asdict(described.preprocessing),
                "outputs": [described.embeddings, described.features],
                "dimensions": [described.dimension, described.feature_dimension],
                "texts": [hash_files(self._texts.files), self._texts.settings],
                "arithmetic": FLOAT32,
            }
        )


def _text_side(described: TextTable | TextModel | None, dimension: int) -> TextSide:
    if isinstance(described, TextTable):
        return TableTexts(described, dimension)
    return OpenTexts(described, dimension) if isinstance(described, TextModel) else NoTexts()
