"""The embedded encoder `sketch`, run by onnxruntime, so that a light installation without torch has it too.

Its identity is that of its weights, whichever form runs: a memory made in a light installation opens in a full one, and
the other way round. `docs/decisions/light-install.md` says why.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inkling.encoders.embedded.word_pieces import WordPieces
from inkling.encoders.onnx.session import Session
from inkling.encoders.precision import AUTO, FLOAT32
from inkling.encoders.text_length import warn_of_cuts
from inkling.encoders.transformers.encoder import Towers, TransformersEncoder
from inkling.encoders.transformers.model_folder import ModelFolder
from inkling.encoders.vectors import unit_vectors

IMAGE_TOWER = "image_tower.onnx"
TEXT_TOWER = "text_tower.onnx"
PIXELS, TOKENS = "pixel_values", "input_ids"
IMAGE_VECTORS, TEXT_VECTORS = "image_embeds", "text_embeds"


class OnnxTowers:
    """Both towers of a model folder in their ONNX form, which lies beside the weights and reads them.

    Parameters
    ----------
    folder
        Completed by ``tools/export_sketch.py``.
    """

    def __init__(self, folder: ModelFolder) -> None:
        self._image_tower = Session(folder.path / IMAGE_TOWER, device="cpu")
        self._text_tower = Session(folder.path / TEXT_TOWER, device="cpu")
        self._longest = folder.text_length
        self._tokenizer = WordPieces(folder.path / "tokenizer.json", max_length=self._longest)

    def images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Unit vectors (n, d) of prepared images (n, 3, height, width)."""
        (vectors,) = self._image_tower.run([IMAGE_VECTORS], {PIXELS: pixels})
        return unit_vectors(vectors)

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, d) of texts; those longer than the text tower reads are cut, with a warning."""
        lengths = self._tokenizer.lengths(texts)
        cut = [text for text, length in zip(texts, lengths, strict=True) if length > self._longest]
        warn_of_cuts(cut, longest=self._longest)
        (vectors,) = self._text_tower.run([TEXT_VECTORS], {TOKENS: self._tokenizer(texts)})
        return unit_vectors(vectors)


class SketchEncoder(TransformersEncoder):
    """The embedded encoder: its ONNX form on a processor in float32, else its weights in torch.

    Parameters are those of `TransformersEncoder`.
    """

    def _load(self) -> Towers:
        if self._device in ("auto", "cpu") and self._precision in (AUTO, FLOAT32):
            return OnnxTowers(self._folder)
        return super()._load()
