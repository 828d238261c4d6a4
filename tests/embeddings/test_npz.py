"""Embeddings written to npz come back as they were."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inkling.embeddings.embed import embed_images, iter_embedded
from inkling.embeddings.npz import write_npz
from inkling.embeddings.precomputed import read_precomputed
from inkling.labels import Kind
from inkling.types import ImageRecord
from tests.fakes import FakeEncoder


@pytest.mark.parametrize("with_features", [True, False])
def test_round_trip(pictures: list[ImageRecord], tmp_path: Path, with_features: bool) -> None:
    encoder = FakeEncoder(with_features=with_features)
    records = [*pictures, ImageRecord("gone.png"), replace(pictures[0], path="again.png", label=None)]
    path = tmp_path / "vectors.npz"
    n_rows = write_npz(path, iter_embedded(records, encoder, cache=None, batch_size=4), encoder.identity)
    read, expected = read_precomputed(path), embed_images(records, encoder, cache=None)
    assert n_rows == len(expected.records) == len(read.paths)
    assert read.paths == tuple(record.path for record in expected.records)
    assert read.content_hashes == expected.content_hashes
    assert read.identity == encoder.identity
    assert read.labels == tuple(record.label for record in expected.records)
    np.testing.assert_allclose(read.embeddings, expected.embeddings, atol=1e-7)
    if expected.features is None:
        assert read.features is None
    else:
        np.testing.assert_array_equal(read.features, expected.features)


def test_without_any_label(pictures: list[ImageRecord], tmp_path: Path) -> None:
    records, encoder = [replace(record, label=None) for record in pictures], FakeEncoder()
    write_npz(tmp_path / "v.npz", iter_embedded(records, encoder, cache=None), encoder.identity)
    assert read_precomputed(tmp_path / "v.npz").labels is None


@pytest.mark.parametrize(("kind", "labels"), [(Kind.NUMBER, ("10", "9")), (Kind.TRUTH, ("True", "False"))])
def test_labels_keep_their_kind(
    pictures: list[ImageRecord], tmp_path: Path, kind: Kind, labels: tuple[str, str]
) -> None:
    records = [replace(one, label=labels[row % 2]) for row, one in enumerate(pictures)]
    encoder, path = FakeEncoder(), tmp_path / "v.npz"
    write_npz(path, iter_embedded(records, encoder, cache=None), encoder.identity, kind)
    read = read_precomputed(path)
    assert read.label_kind is kind
    assert read.labels == tuple(one.label for one in records)
