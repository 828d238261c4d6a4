"""Samples: rows of vectors with where they came from, whatever that was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal
from pyarrow import parquet

from inkling.embeddings.cache import EmbeddingCache
from inkling.embeddings.embed import iter_embedded
from inkling.embeddings.parquet import write_parquet
from inkling.embeddings.precomputed import read_precomputed
from inkling.embeddings.samples import embed_samples, given_samples, is_precomputed, precomputed_samples
from inkling.errors import InputError
from inkling.images.sources import find_images
from inkling.types import ImageRecord, SkippedImage
from tests.colours import picture, write_colours
from tests.fakes import DIMENSION, FEATURE_DIMENSION, FakeEncoder


@pytest.fixture
def records(tmp_path: Path) -> tuple[ImageRecord, ...]:
    return find_images(write_colours(tmp_path / "photos", 3)).records


def test_a_row_is_embedding_and_feature(records: tuple[ImageRecord, ...]) -> None:
    encoder = FakeEncoder()
    samples = embed_samples(records, encoder, cache=None)
    assert samples.X.shape == (9, DIMENSION + FEATURE_DIMENSION)
    assert samples.X.dtype == np.float32
    assert np.linalg.norm(samples.embeddings, axis=1) == pytest.approx(np.ones(9), abs=1e-6)
    assert samples.paths == tuple(record.path for record in records)
    assert samples.labels == tuple(record.label for record in records)
    assert len(samples) == samples.n_images == samples.n_encoded == 9


def test_an_encoder_without_features_gives_embeddings_alone(records: tuple[ImageRecord, ...]) -> None:
    samples = embed_samples(records, FakeEncoder(with_features=False), cache=None)
    assert_array_equal(samples.X, samples.embeddings)


def test_views_follow_their_images(records: tuple[ImageRecord, ...]) -> None:
    samples = embed_samples(records, FakeEncoder(), cache=None, views=3)
    assert samples.views == (0,) * 9 + (1,) * 9 + (2,) * 9
    assert samples.paths[9:18] == samples.paths[:9]
    assert_array_equal(samples.sources[:9], samples.sources[18:])
    assert not np.allclose(samples.X[:9], samples.X[9:18])
    assert samples.n_images == 9
    assert all(thumbnail is None for thumbnail in samples.thumbnails[9:])
    assert all(samples.thumbnails[:9])


def test_what_is_cached_is_not_encoded(records: tuple[ImageRecord, ...], tmp_path: Path) -> None:
    encoder = FakeEncoder()
    with EmbeddingCache(tmp_path / "cache") as cache:
        first = embed_samples(records, encoder, cache=cache, views=2)
        again = embed_samples(records, encoder, cache=cache, views=2)
    assert (first.n_encoded, again.n_encoded) == (18, 0)
    assert_array_equal(first.X, again.X)


def test_an_unreadable_image_has_no_row_and_is_reported_once(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("nothing")
    records = [ImageRecord(str(tmp_path / "bad.png"), "red"), ImageRecord("red", "red", image=picture("red", 1))]
    samples = embed_samples(records, FakeEncoder(), cache=None, views=3)
    assert samples.paths == ("red",) * 3
    assert [image.path for image in samples.skipped] == [str(tmp_path / "bad.png")]


def test_keeping_rows_keeps_all_that_belongs_to_them(records: tuple[ImageRecord, ...]) -> None:
    samples = embed_samples(records, FakeEncoder(), cache=None)
    kept = samples.keep([7, 2])
    assert kept.paths == (samples.paths[7], samples.paths[2])
    assert kept.labels == ("red", "blue")
    assert_array_equal(kept.X, samples.X[[7, 2]])
    assert kept.also_skipped([SkippedImage("x", "y")]).skipped == (SkippedImage("x", "y"),)
    assert len(samples.keep([])) == 0
    assert samples.keep([]).X.shape == (0, samples.X.shape[1])


def test_one_content_under_two_labels_is_a_contradiction(tmp_path: Path) -> None:
    red = picture("red", 1)
    records = [
        ImageRecord("a", "red", image=red),
        ImageRecord("b", "blue", image=red),
        ImageRecord("c", "red", image=picture("red", 2)),
        ImageRecord("d", "red", image=picture("red", 2)),
    ]
    samples = embed_samples(records, FakeEncoder(), cache=None, views=2)
    assert samples.contradictions == (("a", "b"),)
    assert samples.n_images == 2


class TestFilesOfVectors:
    def test_they_give_the_samples_of_their_images(self, records: tuple[ImageRecord, ...], tmp_path: Path) -> None:
        encoder = FakeEncoder()
        write_parquet(tmp_path / "e.parquet", iter_embedded(records, encoder, cache=None), encoder.identity)
        read = precomputed_samples(read_precomputed(tmp_path / "e.parquet"))
        made = embed_samples(records, encoder, cache=None)
        for field in ("identity", "paths", "labels", "content_hashes", "views"):
            assert getattr(read, field) == getattr(made, field)
        assert pytest.approx(made.X, abs=1e-6) == read.X
        assert_array_equal(read.sources, made.sources)

    def test_without_labels_there_are_none(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "x.npz", x=np.eye(3))
        samples = precomputed_samples(read_precomputed(tmp_path / "x.npz"))
        assert samples.labels == (None, None, None)
        assert samples.n_images == 3

    def test_they_are_distinguished_from_tables_of_paths(self, tmp_path: Path) -> None:
        parquet.write_table(pa.table({"path": ["a.png"], "label": ["ant"]}), tmp_path / "list.parquet")
        parquet.write_table(pa.table({"embedding": [[1.0, 0.0]]}), tmp_path / "vectors.parquet")
        (tmp_path / "broken.parquet").write_text("nothing")
        named = ("vectors.parquet", "own.npz", "OWN.NPZ", "list.parquet", "broken.parquet", "no.parquet", "a.csv", "a")
        assert [name for name in named if is_precomputed(tmp_path / name)] == ["vectors.parquet", "own.npz", "OWN.NPZ"]


class TestGivenVectors:
    def test_they_are_brought_to_unit_length(self) -> None:
        samples = given_samples([[3, 4], [0, 2]], ["ant", "7"], logit_scale=5.0)
        assert samples.X.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0.0, 1.0]]
        assert samples.labels == ("ant", "7")
        assert samples.paths == ("row 0", "row 1")
        assert samples.identity.logit_scale == 5.0
        assert samples.identity.dimension == 2

    def test_those_of_a_file_and_of_a_caller_meet(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "x.npz", x=np.eye(3))
        of_file = read_precomputed(tmp_path / "x.npz").identity
        assert given_samples(np.eye(3), [*"abc"], logit_scale=100.0).identity.fingerprint == of_file.fingerprint

    @pytest.mark.parametrize("X", [np.ones(3), np.ones((3, 2, 2)), [["a"]], np.zeros((3, 2)), np.full((3, 2), np.inf)])
    def test_anything_else_is_refused(self, X: Any) -> None:
        with pytest.raises(InputError, match="embeddings"):
            given_samples(X, ["ant"] * 3, logit_scale=5.0)
