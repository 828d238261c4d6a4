"""Pictures straight through an encoder have the vectors that they have by way of the cache, whatever the encoder is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from inkling.embeddings.at_once import encode_ready, ready_picture
from inkling.embeddings.samples import embed_samples
from inkling.encoders.base import Encoder, ImageVectors, Prepared
from inkling.encoders.cut import cut
from inkling.encoders.joined import JoinedEncoder
from inkling.errors import UnreadableImageError
from inkling.types import Box, ImageRecord
from tests.fakes import FakeEncoder
from tests.images.pictures import encoded, photo


@dataclass
class Spoilt(FakeEncoder):
    """Gives no finite vector for the second picture of a batch."""

    def encode_images(self, batch: list[Prepared]) -> ImageVectors:
        vectors = super().encode_images(batch)
        vectors.embeddings[1] = np.nan
        return vectors


RECORDS = [
    ImageRecord("large.jpg", data=encoded(photo(1, size=(640, 480)), "JPEG")),
    ImageRecord("small.png", data=encoded(photo(2, size=(40, 30)), "PNG")),
    ImageRecord("memory", image=photo(3, size=(50, 60))),
    ImageRecord("box", data=encoded(photo(4, size=(80, 60)), "PNG"), box=Box(4, 5, 40, 30), file="box.png"),
]
ENCODERS = {
    "plain": FakeEncoder(),
    "without features": FakeEncoder(with_features=False),
    "cut": cut(FakeEncoder(), 16),
    "joined": JoinedEncoder([FakeEncoder(), FakeEncoder(name="other", fingerprint="fake-0002", shorter_side=64)]),
}


@pytest.mark.parametrize("kind", list(ENCODERS))
def test_vectors_and_hashes_are_those_of_embedded_samples(kind: str) -> None:
    encoder: Encoder = ENCODERS[kind]
    ready = [ready_picture(record, encoder) for record in RECORDS]
    samples = embed_samples(RECORDS, encoder, cache=None)
    assert [one.content_hash for one in ready] == list(samples.content_hashes)
    assert np.stack(encode_ready(ready, encoder)) == pytest.approx(samples.X, abs=1e-6)


def test_a_vector_that_is_of_no_use_spoils_its_picture_alone() -> None:
    encoder = Spoilt()
    first, second, third = encode_ready([ready_picture(record, encoder) for record in RECORDS[:3]], encoder)
    assert isinstance(second, UnreadableImageError)
    assert isinstance(first, np.ndarray)
    assert isinstance(third, np.ndarray)


def test_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(UnreadableImageError, match="empty"):
        ready_picture(ImageRecord("empty", data=b""), FakeEncoder())
