"""The encoder for long work gives what the encoder gives, in small pieces, from the thread that owns it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from inkling.embeddings.samples import embed_samples
from inkling.encoders.base import Encoder, ImageVectors, Prepared
from inkling.encoders.cut import cut
from inkling.encoders.joined import JoinedEncoder
from inkling.serving.batching import EncoderThreads
from inkling.serving.queued_encoder import PIECE, queued
from inkling.types import ImageRecord
from tests.fakes import FakeEncoder
from tests.images.pictures import encoded, photo


class Watched(FakeEncoder):
    """Knows which threads have run it."""

    threads: set[str] = set()  # noqa: RUF012 - of all of them together

    def encode_images(self, batch: list[Prepared]) -> ImageVectors:
        self.threads.add(threading.current_thread().name)
        return super().encode_images(batch)


@pytest.fixture
def thread() -> Iterator[EncoderThreads]:
    thread = EncoderThreads(lambda _: None, bound=1)
    thread.start()
    yield thread
    thread.close(lambda: None)


def joined() -> Encoder:
    return JoinedEncoder([Watched(), Watched(name="other", fingerprint="fake-0002", shorter_side=128)])


@pytest.mark.parametrize("make", [Watched, lambda: cut(Watched(), 16), joined], ids=["plain", "cut", "joined"])
def test_it_gives_what_the_encoder_gives(make: type[Watched], thread: EncoderThreads) -> None:
    records = [
        ImageRecord(f"{number}.jpg", data=encoded(photo(number, size=(640, 480)), "JPEG"))
        for number in range(2 * PIECE + 1)
    ]
    direct = embed_samples(records, make(), cache=None)
    Watched.threads.clear()
    encoder = make()
    through = embed_samples(records, queued(encoder, thread), cache=None)
    assert np.array_equal(direct.X, through.X)
    assert through.identity == direct.identity
    assert Watched.threads == {"inkling-encoder"}
    texts = ["a red", "a blue"]
    assert np.array_equal(queued(encoder, thread).encode_texts(texts), make().encode_texts(texts))
