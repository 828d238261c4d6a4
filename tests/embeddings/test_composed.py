"""Encoders made from others: what one part has encoded is not encoded again, and each part's vectors stay its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from inkling.embeddings.cache import EmbeddingCache
from inkling.embeddings.embed import Embedded, embed_images, embed_texts
from inkling.encoders.base import ImageVectors, Prepared
from inkling.encoders.cut import cut
from inkling.encoders.joined import JoinedEncoder
from inkling.encoders.vectors import unit_vectors
from inkling.errors import EncoderError
from inkling.images import decode
from inkling.types import ImageRecord
from tests.fakes import FEATURE_DIMENSION, FakeEncoder
from tests.images.pictures import encoded, photo

TEXTS = ["a red.", "a blue."]


@pytest.fixture
def cache(tmp_path: Path) -> EmbeddingCache:
    return EmbeddingCache(tmp_path / "cache")


@pytest.fixture
def jpegs(tmp_path: Path) -> list[ImageRecord]:
    """Large enough to be decoded at a part of their size, which differs between parts of 16 and of 64 pixels."""
    records = []
    for number in range(5):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(encoded(photo(number, size=(400, 320)), "JPEG"))
        records.append(ImageRecord(str(path)))
    return records


def parts(*sides: int) -> list[FakeEncoder]:
    return [FakeEncoder(name=f"part {k}", fingerprint=f"part {k}", shorter_side=side) for k, side in enumerate(sides)]


def features_of_second(embedded: Embedded) -> np.ndarray:
    """Features of the second of two parts, at unit length, out of those of the pair."""
    assert embedded.features is not None
    return unit_vectors(embedded.features[:, FEATURE_DIMENSION:])


def test_what_one_part_has_encoded_is_not_encoded_again(pictures: list[ImageRecord], cache: EmbeddingCache) -> None:
    first, second = parts(32, 32)
    embed_images(pictures, first, cache=cache)
    assert first.n_encoded == 25
    joined = embed_images(pictures, JoinedEncoder([first, second]), cache=cache)
    assert (first.n_encoded, second.n_encoded, joined.n_encoded) == (25, 25, 25)
    swapped = embed_images(pictures, JoinedEncoder([second, first]), cache=cache)
    alone = embed_images(pictures, second, cache=cache)
    assert (first.n_encoded, second.n_encoded, swapped.n_encoded, alone.n_encoded) == (25, 25, 0, 0)
    assert_array_equal(swapped.embeddings, alone.embeddings)


def test_warm_and_cold_runs_give_the_same(pictures: list[ImageRecord], cache: EmbeddingCache) -> None:
    joined = JoinedEncoder(parts(32, 16, 8))
    cold, warm = (embed_images(pictures, joined, cache=cache, batch_size=4) for _ in range(2))
    without = embed_images(pictures, joined, cache=None, batch_size=4)
    for other in (warm, without):
        assert_array_equal(cold.embeddings, other.embeddings)
        assert_array_equal(cold.features, other.features)
        assert cold.thumbnails == other.thumbnails


@pytest.mark.parametrize(("sides", "n_decoded"), [((16, 16), 1), ((16, 64), 2), ((64, 72), 1)])
def test_vectors_of_a_part_are_those_that_it_gives_alone(
    sides: tuple[int, int], n_decoded: int, jpegs: list[ImageRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int | None] = []
    real = decode.decode

    def counted(data: bytes, *, shorter_side: int | None = None) -> object:
        calls.append(shorter_side)
        return real(data, shorter_side=shorter_side)

    monkeypatch.setattr(decode, "decode", counted)
    first, second = parts(*sides)
    joined = embed_images(jpegs, JoinedEncoder([first, second]), cache=None)
    assert len(calls) == n_decoded * len(jpegs)
    assert_array_equal(joined.embeddings, embed_images(jpegs, first, cache=None).embeddings)
    alone = embed_images(jpegs, second, cache=None).features
    assert np.abs(features_of_second(joined) - unit_vectors(alone)).max() < 1e-6


def test_the_cache_of_a_part_holds_the_same_bits_as_if_it_had_been_alone(
    jpegs: list[ImageRecord], tmp_path: Path
) -> None:
    first, second = parts(16, 64)
    together, apart = (EmbeddingCache(tmp_path / name) for name in ("together", "apart"))
    for view in (0, 1):
        embed_images(jpegs, JoinedEncoder([first, second]), cache=together, view=view)
        for part in (first, second):
            alone = embed_images(jpegs, part, cache=apart, view=view)
            kept = embed_images(jpegs, part, cache=together, view=view)
            assert kept.n_encoded == 0
            assert_array_equal(kept.embeddings, alone.embeddings)
            assert_array_equal(kept.features, alone.features)


def test_repeated_and_unreadable_images(pictures: list[ImageRecord], tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff nothing more")
    records = [*pictures[:3], ImageRecord(str(broken)), *pictures[:3], *pictures[:3]]
    first, second = parts(32, 16)
    embedded = embed_images(records, JoinedEncoder([first, second]), cache=None, batch_size=2)
    assert len(embedded.records) == 9
    assert (first.n_encoded, second.n_encoded) == (3, 3)
    assert "JPEG" in embedded.skipped[0].reason


def test_texts_are_those_of_the_first_part_and_share_its_cache(cache: EmbeddingCache) -> None:
    first, second = parts(32, 32)
    alone = embed_texts(TEXTS, first, cache=cache)
    joined = embed_texts(TEXTS, JoinedEncoder([first, second]), cache=cache)
    assert_array_equal(joined, alone)
    assert (first.texts_encoded, second.texts_encoded) == (TEXTS, [])


def test_cut_vectors_come_from_the_cache_of_the_whole(pictures: list[ImageRecord], cache: EmbeddingCache) -> None:
    encoder = FakeEncoder()
    whole, texts = embed_images(pictures, encoder, cache=cache), embed_texts(TEXTS, encoder, cache=cache)
    for n in (7, 12):
        short = embed_images(pictures, cut(encoder, n), cache=cache)
        assert_array_equal(short.embeddings, unit_vectors(whole.embeddings[:, :n]))
        assert_array_equal(short.features, whole.features)
        assert_array_equal(embed_texts(TEXTS, cut(encoder, n), cache=cache), unit_vectors(texts[:, :n]))
    assert (encoder.n_encoded, encoder.texts_encoded) == (25, TEXTS)
    assert embed_texts([], cut(encoder, 7), cache=cache).shape == (0, 7)


class Odd(FakeEncoder):
    """Gives one image of a batch a vector without a number, and begins every vector with zeros."""

    def encode_images(self, batch: Sequence[Prepared]) -> ImageVectors:
        found = super().encode_images(batch)
        found.embeddings[:, :3] = 0
        found.embeddings[0] = np.nan
        return found


def test_an_image_of_which_one_part_has_no_vector_is_skipped(
    pictures: list[ImageRecord], cache: EmbeddingCache
) -> None:
    first, odd = FakeEncoder(fingerprint="a"), Odd(fingerprint="odd")
    embedded = embed_images(pictures, JoinedEncoder([first, odd]), cache=cache)
    assert len(embedded.records) == 24
    assert "not finite" in embedded.skipped[0].reason
    assert len(embed_images(pictures, first, cache=cache).records) == 25


def test_a_vector_of_which_the_cut_leaves_zeros_is_skipped(pictures: list[ImageRecord]) -> None:
    embedded = embed_images(pictures, cut(Odd(), 3), cache=None)
    assert not embedded.records
    assert "vector of zeros" in embedded.skipped[-1].reason


def test_a_part_that_breaks_its_promise_is_named(pictures: list[ImageRecord]) -> None:
    class Longer(FakeEncoder):
        def encode_images(self, batch: Sequence[Prepared]) -> ImageVectors:
            return ImageVectors(super().encode_images(batch).embeddings)

    joined = JoinedEncoder([FakeEncoder(fingerprint="a"), Longer(name="longer", fingerprint="b")])
    with pytest.raises(EncoderError, match="'longer' can't be used: The encoder longer returned vectors of shapes"):
        embed_images(pictures, joined, cache=None)
