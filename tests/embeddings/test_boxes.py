"""Boxes through the pipeline: read and decoded once a picture, kept apart in the cache, of one source."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkling.embeddings.cache import EmbeddingCache
from inkling.embeddings.embed import embed_images
from inkling.embeddings.samples import embed_samples
from inkling.images import decode as decoding
from inkling.images.boxes import boxed_record
from inkling.images.files import Files
from inkling.types import Box, ImageRecord
from tests.fakes import FakeEncoder
from tests.images.pictures import encoded, photo


@pytest.fixture
def records(tmp_path: Path) -> list[ImageRecord]:
    """Six boxes in each of three pictures, and the pictures as a whole."""
    made = []
    for number in range(3):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(encoded(photo(number, size=(320, 320)), "JPEG"))
        made += [boxed_record(str(path), "car", Box(10 * at, 20, 40, 50, id=str(at))) for at in range(6)]
        made.append(ImageRecord(str(path), "car"))
    return made


class TestPipeline:
    def test_vectors_are_those_of_each_box_alone(self, records: list[ImageRecord]) -> None:
        together = embed_images(records, FakeEncoder(), cache=None, batch_size=5)
        assert [record.path for record in together.records] == [record.path for record in records]
        for row, record in enumerate(records):
            alone = embed_images([record], FakeEncoder(), cache=None)
            np.testing.assert_array_equal(together.embeddings[row], alone.embeddings[0])
            assert together.thumbnails[row] == alone.thumbnails[0]
            assert together.content_hashes[row] == alone.content_hashes[0]
        crop = Image.open(records[0].file or "").crop((0, 20, 40, 70))
        as_picture = embed_images([ImageRecord("crop", image=crop)], FakeEncoder(), cache=None)
        np.testing.assert_array_equal(together.embeddings[0], as_picture.embeddings[0])

    def test_a_picture_is_read_and_decoded_once_in_a_batch(
        self, records: list[ImageRecord], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        counts: Counter[str] = Counter()
        decode, read = decoding.decode, Files.read
        monkeypatch.setattr(
            decoding, "decode", lambda *one, **options: (counts.update(["decode"]), decode(*one, **options))[1]
        )
        monkeypatch.setattr(Files, "read", lambda *one: (counts.update(["read"]), read(*one))[1])
        boxes = [record for record in records if record.box is not None]
        embed_images(boxes, FakeEncoder(), cache=None, batch_size=32)
        assert counts == {"decode": 3, "read": 3}

    def test_one_bad_box_leaves_the_others(self, records: list[ImageRecord]) -> None:
        file = records[0].file or ""
        bad = [boxed_record(file, "car", Box(0, 0, 0, 5)), boxed_record(file, "car", Box(500, 0, 5, 5))]
        found = embed_images([records[0], *bad, records[1]], FakeEncoder(), cache=None)
        assert [record.path for record in found.records] == [records[0].path, records[1].path]
        assert [one.path for one in found.skipped] == [record.path for record in bad]
        assert "no area" in found.skipped[0].reason

    def test_a_spoilt_picture_takes_its_boxes_along(self, records: list[ImageRecord]) -> None:
        Path(records[0].file or "").write_bytes(encoded(photo(), "JPEG")[:100])
        found = embed_images(records, FakeEncoder(), cache=None)
        assert (len(found.records), len(found.skipped)) == (14, 7)

    def test_the_cache_knows_each_box(self, records: list[ImageRecord], tmp_path: Path) -> None:
        with EmbeddingCache(tmp_path / "cache") as cache:
            first = embed_images(records, FakeEncoder(), cache=cache)
            second = embed_images(records, FakeEncoder(), cache=cache)
        assert (first.n_encoded, second.n_encoded) == (21, 0)
        np.testing.assert_array_equal(first.embeddings, second.embeddings)


def test_boxes_views_and_the_picture_are_one_source(records: list[ImageRecord]) -> None:
    samples = embed_samples(records, FakeEncoder(), cache=None, views=2)
    assert (
        samples.sources.tolist()
        == [samples.sources[0]] * 7
        + [samples.sources[7]] * 7
        + [samples.sources[14]] * 7
        + samples.sources[:21].tolist()
    )
    assert len(set(samples.sources.tolist())) == 3
    assert samples.n_images == 21


def test_hashes_of_whole_pictures_stay_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"fixed bytes")
    with Files() as files:
        assert decoding.read(ImageRecord(str(path)), files).content_hash == "085866cc604dca70114a5df15b4b396c"
        boxed = boxed_record(str(path), None, Box(1, 2.5, 30, 40, margin=0.1, id="4"))
        assert decoding.read(boxed, files).content_hash == "085866cc604dca70114a5df15b4b396c#68ff20d6f92b02ce"
