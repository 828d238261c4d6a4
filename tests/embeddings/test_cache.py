"""What is put into the cache comes out, for the same content, encoder and view only."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from inkling.embeddings import entries, upkeep
from inkling.embeddings.cache import FILE_NAME, EmbeddingCache, default_folder
from inkling.errors import CacheError, InputError
from tests.embeddings.samples import entry, same
from tests.fakes import DIMENSION, FEATURE_DIMENSION, FakeEncoder

ENCODER = FakeEncoder().identity
FLAT = replace(ENCODER, fingerprint="flat-0001", feature_dimension=0)
OTHER = replace(ENCODER, fingerprint="other-0001", name="other")
DAY = 86_400


@pytest.fixture
def cache(tmp_path: Path) -> EmbeddingCache:
    return EmbeddingCache(tmp_path / "cache")


def test_round_trip_through_the_file(tmp_path: Path) -> None:
    for encoder, with_feature in ((ENCODER, True), (FLAT, False)):
        images = {"a": entry(1, feature=with_feature), "b": entry(2, feature=with_feature)}
        with EmbeddingCache(tmp_path) as cache:
            cache.put_images(encoder, images)
        with EmbeddingCache(tmp_path) as cache:
            found = cache.get_images(encoder, ["b", "a", "b", "c"])
        assert found.keys() == images.keys()
        assert all(same(found[key], images[key]) for key in images)


@settings(max_examples=30, deadline=None)
@given(hnp.arrays(np.float32, 7, elements=st.floats(width=32)))
def test_every_bit_of_a_vector_with_a_direction_is_kept(vector: np.ndarray) -> None:
    encoder = replace(ENCODER, dimension=7, feature_dimension=7)
    with EmbeddingCache.temporary() as cache:
        cache.put_images(encoder, {"a": entries.CachedImage(vector, vector, b"")})
        cache.put_texts(encoder, {"a": vector})
        images, texts = cache.get_images(encoder, ["a"]), cache.get_texts(encoder, ["a"])
    if not np.isfinite(vector).all() or not vector.any():
        assert (images, texts) == ({}, {})
        return
    for back in (images["a"].embedding, images["a"].feature, texts["a"]):
        assert back is not None
        assert np.array_equal(back.view(np.uint32), vector.view(np.uint32))


def test_encoders_and_views_do_not_mix(cache: EmbeddingCache) -> None:
    cache.put_images(ENCODER, {"a": entry(1)})
    cache.put_images(ENCODER, {"a": entry(2)}, view=1)
    cache.put_images(OTHER, {"a": entry(3)})
    assert same(cache.get_images(ENCODER, ["a"])["a"], replace(entry(1)))
    assert np.array_equal(cache.get_images(ENCODER, ["a"], view=1)["a"].embedding, entry(2).embedding)
    assert np.array_equal(cache.get_images(OTHER, ["a"])["a"].embedding, entry(3).embedding)
    assert cache.get_images(OTHER, ["a"], view=1) == {}


def test_thumbnails_are_kept_once(cache: EmbeddingCache) -> None:
    cache.put_images(ENCODER, {"a": entry(1)})
    cache.put_images(OTHER, {"a": entry(1)}, view=4)
    assert cache.info().thumbnails == 1


def test_texts(cache: EmbeddingCache) -> None:
    vectors = {"a photo of a Füße.": entry(1).embedding, "": entry(2).embedding}
    cache.put_texts(ENCODER, vectors)
    found = cache.get_texts(ENCODER, [*vectors, "unknown"])
    assert found.keys() == vectors.keys()
    assert all(np.array_equal(found[text], vectors[text]) for text in vectors)
    assert cache.get_texts(OTHER, vectors) == {}


def test_more_images_than_sql_takes_parameters(cache: EmbeddingCache) -> None:
    images = {str(number): entry(number) for number in range(1234)}
    cache.put_images(ENCODER, images)
    assert cache.get_images(ENCODER, images).keys() == images.keys()


def test_threads_share_a_cache(cache: EmbeddingCache) -> None:
    def write_and_read(number: int) -> bool:
        cache.put_images(ENCODER, {str(number): entry(number)})
        return same(cache.get_images(ENCODER, [str(number)])[str(number)], entry(number))

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(write_and_read, range(100)))


def test_put_is_all_or_none(cache: EmbeddingCache) -> None:
    broken = entries.CachedImage(entry(2).embedding, None, None)
    with pytest.raises(CacheError, match="NOT NULL"):
        cache.put_images(ENCODER, {"a": entry(1), "b": broken})
    assert cache.get_images(ENCODER, ["a", "b"]) == {}


def test_default_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INKLING_CACHE", str(tmp_path / "here"))
    with EmbeddingCache() as cache:
        cache.put_images(ENCODER, {"a": entry(1)})
    assert (tmp_path / "here" / FILE_NAME).exists()
    monkeypatch.delenv("INKLING_CACHE")
    assert default_folder().name == "inkling"


class TestInfo:
    def test_counts(self, cache: EmbeddingCache, tmp_path: Path) -> None:
        cache.put_images(ENCODER, {"a": entry(1), "b": entry(2)})
        cache.put_images(OTHER, {"a": entry(1, feature=False)})
        cache.put_texts(OTHER, {"x": entry(3).embedding})
        info = cache.info()
        assert info.path == tmp_path / "cache" / FILE_NAME
        assert info.bytes >= info.thumbnail_bytes + sum(used.bytes for used in info.encoders) > 0
        assert info.encoders == (
            upkeep.EncoderUsage("fake", "fake-0001", images=2, texts=0, bytes=2 * (DIMENSION + FEATURE_DIMENSION) * 4),
            upkeep.EncoderUsage("other", "other-0001", images=1, texts=1, bytes=2 * DIMENSION * 4),
        )
        assert (info.thumbnails, info.thumbnail_bytes) == (2, 2 * len(b"thumbnail 1"))

    def test_empty(self, cache: EmbeddingCache) -> None:
        assert cache.info().encoders == ()


class TestPrune:
    def test_by_age_of_the_last_use(self, cache: EmbeddingCache, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = Clock(monkeypatch)
        cache.put_images(ENCODER, {"a": entry(1), "b": entry(2)})
        cache.put_texts(ENCODER, {"x": entry(3).embedding, "y": entry(4).embedding})
        clock.now += 10 * DAY
        cache.get_images(ENCODER, ["a"])
        cache.get_texts(ENCODER, ["x"])
        clock.now += 1
        assert cache.prune(older_than_days=11) == 0
        assert cache.prune(older_than_days=5) == 2
        assert cache.get_images(ENCODER, ["a", "b"]).keys() == {"a"}
        assert cache.get_texts(ENCODER, ["x", "y"]).keys() == {"x"}
        assert cache.info().thumbnails == 1

    def test_to_a_size_the_oldest_first(self, cache: EmbeddingCache, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = Clock(monkeypatch)
        for number in range(10):
            cache.put_images(ENCODER, {str(number): entry(number)})
            clock.now += 1
        each = (DIMENSION + FEATURE_DIMENSION) * 4 + len(b"thumbnail 0")
        assert cache.prune(max_bytes=3 * each) == 7
        assert cache.get_images(ENCODER, map(str, range(10))).keys() == {"7", "8", "9"}
        assert cache.prune(max_bytes=3 * each) == 0

    def test_both_limits_count_an_entry_once(self, cache: EmbeddingCache, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = Clock(monkeypatch)
        cache.put_images(ENCODER, {"a": entry(1)})
        clock.now += 9 * DAY
        assert cache.prune(older_than_days=3, max_bytes=0) == 1

    def test_one_encoder_by_name_or_fingerprint(self, cache: EmbeddingCache) -> None:
        cache.put_images(ENCODER, {"a": entry(1)})
        cache.put_images(OTHER, {"a": entry(1), "b": entry(2)})
        cache.put_texts(OTHER, {"x": entry(3).embedding})
        assert cache.prune(encoder="other") == 3
        assert [used.name for used in cache.info().encoders] == ["fake"]
        assert cache.info().thumbnails == 1
        assert cache.prune(encoder="fake-0001") == 1
        assert cache.info().encoders == ()

    def test_limit_and_encoder_together(self, cache: EmbeddingCache) -> None:
        cache.put_images(ENCODER, {"a": entry(1)})
        cache.put_images(OTHER, {"b": entry(2)})
        assert cache.prune(encoder="other", max_bytes=0) == 1
        assert cache.get_images(ENCODER, ["a"])

    def test_space_is_given_back(self, cache: EmbeddingCache, tmp_path: Path) -> None:
        heavy = {str(n): replace(entry(n), thumbnail=bytes(20_000)) for n in range(100)}
        cache.put_images(ENCODER, heavy)
        assert cache.info().bytes > 2_000_000
        cache.prune(max_bytes=200_000)
        assert cache.info().bytes < 600_000
        assert (tmp_path / "cache" / FILE_NAME).stat().st_size < 600_000
        cache.clear()
        assert cache.info().bytes < 300_000

    def test_unknown_encoder_names_the_known(self, cache: EmbeddingCache) -> None:
        cache.put_images(ENCODER, {"a": entry(1)})
        with pytest.raises(InputError, match="fake-0001"):
            cache.prune(encoder="fak")

    @pytest.mark.parametrize(
        "limits",
        [
            {"older_than_days": -1},
            {"older_than_days": float("nan")},
            {"older_than_days": float("inf")},
            {"older_than_days": "1"},
            {"max_bytes": -1},
        ],
    )
    def test_limits_that_cannot_be_meant_remove_nothing(self, cache: EmbeddingCache, limits: dict[str, Any]) -> None:
        cache.put_images(ENCODER, {"a": entry(1)})
        with pytest.raises(InputError, match="0 or more, got"):
            cache.prune(**limits)
        assert cache.get_images(ENCODER, ["a"])

    def test_without_a_limit(self, cache: EmbeddingCache) -> None:
        with pytest.raises(InputError, match="nothing to prune by"):
            cache.prune()


def test_clear(cache: EmbeddingCache, tmp_path: Path) -> None:
    cache.put_images(ENCODER, {"a": entry(1)})
    cache.put_texts(ENCODER, {"x": entry(3).embedding})
    aside = tmp_path / "cache" / f"{FILE_NAME}.aside-1"
    aside.write_bytes(b"damaged")
    assert cache.clear() == 2
    assert cache.get_images(ENCODER, ["a"]) == {}
    assert cache.info().thumbnails == 0
    assert not aside.exists()


def test_reading_daily_writes_nothing(cache: EmbeddingCache, tmp_path: Path) -> None:
    cache.put_images(ENCODER, {"a": entry(1)})
    watcher = sqlite3.connect(tmp_path / "cache" / FILE_NAME)
    before = watcher.execute("PRAGMA data_version").fetchone()
    cache.get_images(ENCODER, ["a"])
    assert watcher.execute("PRAGMA data_version").fetchone() == before
    watcher.close()


class Clock:
    """Time as the test wants it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_700_000_000.0
        for module in (entries, upkeep):
            monkeypatch.setattr(module.time, "time", lambda: self.now)
