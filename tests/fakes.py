"""A tiny encoder for tests: deterministic, fast, with texts, and it counts what it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inkling.encoders.base import ImageVectors, Prepared
from inkling.types import EncoderIdentity

GRID = 4
DIMENSION = GRID * GRID * 3 + 1
FEATURE_DIMENSION = 6


@dataclass
class FakeEncoder:
    """Colours of a 4 x 4 grid as a unit vector; mean and deviation of each channel as feature.

    Pictures of like colours lie close together. A text that names a colour ("a photo of a red.") has the
    vector of a picture of that colour; any other is noise from its hash.
    """

    name: str = "fake"
    fingerprint: str = "fake-0001"
    with_features: bool = True
    with_texts: bool = True
    shorter_side: int = 32
    batches: list[int] = field(default_factory=list)
    texts_encoded: list[str] = field(default_factory=list)

    @property
    def identity(self) -> EncoderIdentity:
        return EncoderIdentity(
            name=self.name,
            source="fake",
            fingerprint=self.fingerprint,
            dimension=DIMENSION,
            feature_dimension=FEATURE_DIMENSION if self.with_features else 0,
            logit_scale=20.0,
            precision="float32",
        )

    @property
    def has_texts(self) -> bool:
        return self.with_texts

    @property
    def text_template(self) -> None:
        return

    @property
    def n_encoded(self) -> int:
        """Images that went through the "model" so far."""
        return sum(self.batches)

    def prepare(self, image: Image.Image) -> Prepared:
        side = self.shorter_side
        return np.asarray(image.resize((side, side), Image.Resampling.BOX), dtype=np.float32) / 255

    def encode_images(self, batch: Sequence[Prepared]) -> ImageVectors:
        self.batches.append(len(batch))
        pixels = np.stack(batch)
        cell = self.shorter_side // GRID
        grid = pixels.reshape(len(batch), GRID, cell, GRID, cell, 3).mean(axis=(2, 4))
        vectors = np.concatenate(
            [grid.reshape(len(batch), -1) - 0.5, np.full((len(batch), 1), 0.5, dtype=np.float32)], axis=1
        )
        features = np.concatenate([pixels.mean(axis=(1, 2)), pixels.std(axis=(1, 2))], axis=1)
        return ImageVectors(_unit(vectors), features.astype(np.float32) if self.with_features else None)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.texts_encoded.extend(texts)
        return np.stack([self._text(text) for text in texts])

    def missing_texts(self, texts: Sequence[str]) -> list[str]:
        return [] if self.with_texts else list(texts)

    def _text(self, text: str) -> NDArray[np.float32]:
        for word in text.strip(" .").split()[::-1]:
            try:
                picture = Image.new("RGB", (self.shorter_side, self.shorter_side), word)
            except ValueError:
                continue
            return self._plain().encode_images([self.prepare(picture)]).embeddings[0]
        seed = int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
        return _unit(np.random.default_rng(seed).normal(size=(1, DIMENSION)))[0]

    def _plain(self) -> FakeEncoder:
        """One whose counts nobody reads."""
        return FakeEncoder(shorter_side=self.shorter_side)


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
