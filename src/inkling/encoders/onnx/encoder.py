"""ONNX encoders, run by onnxruntime. `inkling.encoders.onnx.description` says what a folder with an `encoder.json`
holds, `inkling.encoders.onnx.repository` what repositories without one do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inkling.encoders.base import ImageVectors, Prepared
from inkling.encoders.files import hash_files, hash_value
from inkling.encoders.onnx.description import Description, TextModel, TextTable, read_description
from inkling.encoders.onnx.session import Session
from inkling.encoders.onnx.texts import NoTexts, OpenTexts, TableTexts, TextSide
from inkling.encoders.precision import ALL_PRECISIONS, AUTO, FLOAT32, check_precision
from inkling.encoders.vectors import unit_vectors
from inkling.errors import EncoderError
from inkling.types import EncoderIdentity

if TYPE_CHECKING:
    from PIL.Image import Image

_IMAGES_AT_ONCE = 4
"""Images of one run on a processor. onnxruntime keeps all activations of a run: with two MobileNets, a fit of 234 crops
peaks at 1,760 MB by 32 images, 800 by 8, and 640 by 4, in no more time."""

_FEWEST_TOKENS = 2
"""A text's beginning and end."""


class OnnxEncoder:
    """An image encoder as an ONNX model, optionally with a text side.

    Parameters
    ----------
    folder
        Holds an `encoder.json`, and the files that it names may lie elsewhere; or what a repository was found to hold.
    source
        What the user passed; kept in the identity so that the encoder can be opened again.
    device
        ``auto`` and ``cpu`` run on the CPU, ``cuda`` needs the GPU build of onnxruntime.
    precision
        For a folder with an `encoder.json` ``auto`` or ``float32``, which are the same: an ONNX model carries its
        arithmetic in its graph. The files of a repository are chosen before.
    """

    def __init__(
        self,
        folder: str | Path | Description,
        *,
        source: str | None = None,
        device: str = "auto",
        precision: str = AUTO,
    ) -> None:
        described = folder if isinstance(folder, Description) else _described(Path(folder), precision)
        self._description = described
        self._source = source or str(described.model.parent if isinstance(folder, Description) else folder)
        self._on_cpu = device != "cuda"
        self._session = Session(described.model, device=device)
        self._texts = self._text_side(described.texts)

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
            precision=described.precision,
        )

    @property
    def description(self) -> Description:
        """Where its models lie, and how they are run."""
        return self._description

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
        at_once = 1 if described.alone else _IMAGES_AT_ONCE if self._on_cpu else len(batch)
        parts = [self._encode_some(batch[at : at + at_once]) for at in range(0, len(batch), at_once)]
        embeddings, *features = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        embeddings = embeddings[:, 0] if embeddings.ndim == 3 else embeddings  # the class token's
        return ImageVectors(unit_vectors(embeddings), features[0].astype(np.float32) if features else None)

    def _encode_some(self, batch: Sequence[Prepared]) -> list[NDArray[Any]]:
        described = self._description
        outputs = [described.embeddings, *([described.features] if described.features else [])]
        return self._session.run(outputs, {described.input: np.stack(batch), **self.other_inputs})

    @cached_property
    def other_inputs(self) -> Mapping[str, NDArray[Any]]:
        """What the text side of a model with both towers in one file is given while images are encoded."""
        texts = self._description.texts
        if not isinstance(texts, TextModel) or texts.file != self._description.model:
            return {}
        tokens = np.zeros((1, texts.pad_to or _FEWEST_TOKENS), np.int64)
        known = {texts.input: tokens, "attention_mask": np.ones_like(tokens), "token_type_ids": tokens}
        return {name: known[name] for name in self._session.inputs if name in known}

    def _text_side(self, described: TextTable | TextModel | None) -> TextSide:
        dimension = self._description.dimension
        if isinstance(described, TextTable):
            return TableTexts(described, dimension)
        if not isinstance(described, TextModel):
            return NoTexts()
        if described.file != self._description.model:
            return OpenTexts(described, dimension)
        black = np.zeros((1, 3, *self._description.preprocessing.output), np.float32)
        return OpenTexts(described, dimension, session=self._session, other={self._description.input: black})

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
                "model": hash_files([described.model, *described.external]),
                "preprocessing": asdict(described.preprocessing),
                "outputs": [described.embeddings, described.features],
                "dimensions": [described.dimension, described.feature_dimension],
                "texts": [hash_files(self._texts.files), self._texts.settings],
                "arithmetic": described.precision,
            }
        )


def _described(folder: Path, precision: str) -> Description:
    check_precision(precision, offered=ALL_PRECISIONS)
    if precision not in (AUTO, FLOAT32):
        raise EncoderError(
            f"An ONNX folder carries its arithmetic in its model, so the precision {precision} has no effect.",
            remedy="Leave the precision out, or point 'model' in encoder.json at a quantised model.",
        )
    return read_description(folder)
