"""The embedded encoder for photographs: two small networks that know ImageNet, joined to a sentence encoder.

Image side: EfficientNet-Lite2 and -Lite0 (Tan and Le 2019, 1905.11946). Text side: all-MiniLM-L6-v2. An image's vector
is the mean of the text vectors of its likeliest classes of ImageNet (ConSE; Norouzi and others 2013, 1312.5650), so any
text can be a class; `PocketEncoder.is_unfamiliar` says how far that reaches. The second output holds what the
networks saw, and is what heads learn from.

`docs/decisions/pocket.md` says why it is made so, and the README beside its weights what it is made of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inkling.encoders.base import ImageVectors, Prepared
from inkling.encoders.cards import POCKET
from inkling.encoders.devices import AUTO as AUTO_DEVICE
from inkling.encoders.devices import CPU
from inkling.encoders.embedded.word_pieces import WordPieces
from inkling.encoders.files import hash_files, hash_value
from inkling.encoders.onnx.session import Session
from inkling.encoders.precision import AUTO, FLOAT32, check_precision
from inkling.encoders.preprocessing import Preprocessing, Size
from inkling.encoders.text_length import warn_of_cuts
from inkling.encoders.vectors import unit_vectors
from inkling.errors import EncoderError
from inkling.types import BoolArray, EncoderIdentity

if TYPE_CHECKING:
    from PIL.Image import Image

WEIGHTS, IMAGE_TOWER, TEXT_TOWER, TOKENIZER = (
    "model.safetensors",
    "image_tower.onnx",
    "text_tower.onnx",
    "tokenizer.json",
)
PIXELS, TOKENS = "pixel_values", "input_ids"
IMAGE_VECTORS, FEATURES, TEXT_VECTORS = "image_embeds", "features", "text_embeds"

SIDE = 260
"""Pixels of both views of a picture."""
TEXT_DIMENSION = 384
FEATURE_DIMENSION = 2 * 1280
LONGEST_TEXT = 256
"""Pieces that the sentence encoder was trained to read."""
LOGIT_SCALE = 11.0
"""By which cosines give the likeliest probabilities on 50 classes of Caltech-101 (`bench/pocket.py`)."""
FAMILIAR = 0.4
"""Cosine to the nearest class of ImageNet from which on pictures of a text are recognised."""


def _view(*, shorter_edge: int | None = None, resized: Size | None = None, crop: Size | None = None) -> Preprocessing:
    """Pixels from -1 to 1, as the weights were trained on them."""
    return Preprocessing(shorter_edge, resized, crop, mean=(127.0,) * 3, std=(128.0,) * 3, rescale=None)


VIEWS: Mapping[str, Preprocessing] = {
    "lite2": _view(shorter_edge=SIDE, crop=(SIDE, SIDE)),
    "lite0": _view(resized=(SIDE, SIDE)),
}
"""What each network sees of a picture: one the middle in its true proportions, the other the whole, squeezed."""

_IMAGES_AT_ONCE = 4
"""Images of one run: more take more memory and no less time."""
_TEXTS_AT_ONCE = 64


def folder() -> Path:
    """Where weights, graphs and tokenizer lie."""
    return Path(__file__).parent / "pocket_weights"


class PocketEncoder:
    """The embedded encoder for photographs. It runs on onnxruntime alone.

    Parameters
    ----------
    device
        ``auto`` and ``cpu``: it is made for the processor.
    precision
        ``auto`` or ``float32``, which are the same here.
    """

    has_texts = True
    text_template = None

    def __init__(self, *, device: str = AUTO_DEVICE, precision: str = AUTO) -> None:
        check_precision(precision)
        wrong = [f"the device {device}"] if device not in (AUTO_DEVICE, CPU) else []
        wrong += [f"the precision {precision}"] if precision not in (AUTO, FLOAT32) else []
        if wrong:
            raise EncoderError(
                f"The encoder '{POCKET}' runs on the processor in float32; {' and '.join(wrong)} can't be had.",
                remedy="Leave device and precision out.",
            )
        self._images = Session(folder() / IMAGE_TOWER, device=CPU)
        self._texts = Session(folder() / TEXT_TOWER, device=CPU)

    def __repr__(self) -> str:
        return "PocketEncoder()"

    @cached_property
    def identity(self) -> EncoderIdentity:
        """Name, fingerprint, dimensions, logit scale, precision."""
        files = [folder() / name for name in (WEIGHTS, IMAGE_TOWER, TEXT_TOWER, TOKENIZER)]
        views = {name: asdict(view) for name, view in VIEWS.items()}
        return EncoderIdentity(
            name=POCKET,
            source=POCKET,
            fingerprint=hash_value({"files": hash_files(files), "views": views, "longest_text": LONGEST_TEXT}),
            dimension=TEXT_DIMENSION,
            feature_dimension=FEATURE_DIMENSION,
            logit_scale=LOGIT_SCALE,
            precision=FLOAT32,
        )

    @property
    def shorter_side(self) -> int:
        """Pixels of the shorter side after resizing."""
        return SIDE

    def prepare(self, image: Image) -> Prepared:
        """Both views of a picture, (6, side, side) float32."""
        rgb = image if image.mode == "RGB" else image.convert("RGB")
        return np.concatenate([view(rgb) for view in VIEWS.values()])

    def encode_images(self, batch: Sequence[Prepared]) -> ImageVectors:
        """Vectors (n, 384) and features (n, 2560) of prepared images, in order."""
        none = np.empty((0, TEXT_DIMENSION), np.float32), np.empty((0, FEATURE_DIMENSION), np.float32)
        parts = [
            self._images.run([IMAGE_VECTORS, FEATURES], {PIXELS: np.stack(batch[at : at + _IMAGES_AT_ONCE])})
            for at in range(0, len(batch), _IMAGES_AT_ONCE)
        ]
        embeddings, features = (np.concatenate(arrays) for arrays in zip(none, *parts, strict=True))
        return ImageVectors(unit_vectors(embeddings), features)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, 384) of texts; those longer than the sentence encoder reads are cut, with a warning."""
        lengths = self._tokenizer.lengths(texts)
        warn_of_cuts(
            [text for text, length in zip(texts, lengths, strict=True) if length > LONGEST_TEXT], longest=LONGEST_TEXT
        )
        parts = [
            self._texts.run([TEXT_VECTORS], {TOKENS: self._tokenizer(texts[at : at + _TEXTS_AT_ONCE])})[0]
            for at in range(0, len(texts), _TEXTS_AT_ONCE)
        ]
        return unit_vectors(np.concatenate([np.empty((0, TEXT_DIMENSION), np.float32), *parts]))

    def missing_texts(self, texts: Sequence[str]) -> list[str]:  # noqa: ARG002 - as the Protocol has it
        """None of them is missing."""
        return []

    def is_unfamiliar(self, text_vectors: NDArray[np.float32]) -> BoolArray:
        """Whether texts, by their vectors (n, 384), are far from all that the networks know, (n,)."""
        return np.asarray((text_vectors @ self._known.T).max(axis=1, initial=-1.0) < FAMILIAR)

    @cached_property
    def _tokenizer(self) -> WordPieces:
        return WordPieces(folder() / TOKENIZER, max_length=LONGEST_TEXT)

    @cached_property
    def _known(self) -> NDArray[np.float32]:
        """Unit vectors (1000, 384) of ImageNet's classes."""
        from safetensors import safe_open

        with safe_open(folder() / WEIGHTS, framework="numpy") as weights:
            return unit_vectors(weights.get_tensor("names.vectors"))
