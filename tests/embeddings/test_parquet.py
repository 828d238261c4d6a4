"""Embeddings written batch by batch come back as they were, and a file is whole or not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from inkling.embeddings.embed import Embedded, embed_images, iter_embedded
from inkling.embeddings.parquet import ROWS_OF_A_GROUP, write_parquet
from inkling.embeddings.precomputed import read_precomputed
from inkling.errors import InputError
from inkling.labels import Kind
from inkling.types import ImageRecord
from tests.fakes import FakeEncoder


@pytest.mark.parametrize("with_features", [True, False])
def test_round_trip(pictures: list[ImageRecord], tmp_path: Path, with_features: bool) -> None:
    encoder = FakeEncoder(with_features=with_features)
    records = [*pictures, ImageRecord("gone.png"), replace(pictures[0], label=None)]
    path = tmp_path / "vectors.parquet"
    parts = iter_embedded(records, encoder, cache=None, batch_size=4)
    assert write_parquet(path, parts, encoder.identity) == 26
    read = read_precomputed(path)
    expected = embed_images(records, encoder, cache=None)
    assert read.paths == tuple(record.path for record in expected.records)
    assert read.content_hashes == expected.content_hashes
    assert read.labels == tuple(record.label for record in expected.records)
    assert read.class_names == ("even", "odd")
    assert np.allclose(read.embeddings, expected.embeddings, atol=1e-7)
    if expected.features is None:
        assert read.features is None
    else:
        assert np.array_equal(read.features, expected.features)
    assert read.identity == encoder.identity


def test_without_any_label(pictures: list[ImageRecord], tmp_path: Path) -> None:
    records = [replace(record, label=None) for record in pictures]
    encoder = FakeEncoder()
    write_parquet(tmp_path / "v.parquet", iter_embedded(records, encoder, cache=None), encoder.identity)
    assert read_precomputed(tmp_path / "v.parquet").labels is None


def test_small_batches_are_gathered(pictures: list[ImageRecord], tmp_path: Path) -> None:
    encoder = FakeEncoder()
    part = embed_images(pictures, encoder, cache=None)
    path = tmp_path / "v.parquet"
    assert write_parquet(path, [part] * 100, encoder.identity) == 2500
    file = parquet.ParquetFile(path)
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [1025, 1025, 450]
    assert ROWS_OF_A_GROUP <= 1025


def test_interrupted_writing_leaves_the_old_file(pictures: list[ImageRecord], tmp_path: Path) -> None:
    encoder = FakeEncoder()
    path = tmp_path / "v.parquet"
    part = embed_images(pictures, encoder, cache=None)
    write_parquet(path, [part], encoder.identity)
    before = path.read_bytes()

    def interrupted() -> Iterator[Embedded]:
        for _ in range(50):
            yield part
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_parquet(path, interrupted(), encoder.identity)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["v.parquet"]


def test_folder_that_is_not_there(pictures: list[ImageRecord], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_parquet(tmp_path / "none" / "v.parquet", [], FakeEncoder().identity)


@pytest.mark.parametrize("kind", [pa.list_(pa.float64()), pa.list_(pa.float32(), 2), pa.large_list(pa.float16())])
def test_files_of_other_tools(tmp_path: Path, kind: pa.DataType) -> None:
    number = np.float16 if kind.value_type == pa.float16() else float
    rows = [[number(3), number(4)], [number(0), number(2)]]
    table = pa.table({"embedding": pa.array(rows, kind), "label": pa.array([1, 2])})
    parquet.write_table(table, tmp_path / "v.parquet")
    read = read_precomputed(tmp_path / "v.parquet")
    assert np.allclose(read.embeddings, [[0.6, 0.8], [0, 1]])
    assert read.labels == ("1", "2")
    assert read.paths == ("row 0", "row 1")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1.0, 2.0], [1.0]], "lists of one length"),
        ([[1.0, 2.0], None], "lists of one length"),
        ([[1.0, 2.0], [1.0, None]], "lists of one length"),
        ([], "embeddings must be numbers"),
        ([[1.0, 2.0], [0.0, 0.0]], "zeros"),
    ],
)
def test_refused(tmp_path: Path, rows: list[list[float | None] | None], message: str) -> None:
    path = tmp_path / "v.parquet"
    parquet.write_table(pa.table({"embedding": pa.array(rows, pa.list_(pa.float32()))}), path)
    with pytest.raises(InputError, match=message):
        read_precomputed(path)


def test_damaged(tmp_path: Path) -> None:
    (tmp_path / "v.parquet").write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(InputError, match="cannot be read as a Parquet"):
        read_precomputed(tmp_path / "v.parquet")


@pytest.mark.parametrize(("kind", "labels"), [(Kind.NUMBER, ("10", "9")), (Kind.TRUTH, ("True", "False"))])
def test_labels_keep_their_kind(
    pictures: list[ImageRecord], tmp_path: Path, kind: Kind, labels: tuple[str, str]
) -> None:
    records = [replace(one, label=labels[row % 2]) for row, one in enumerate(pictures)]
    encoder, path = FakeEncoder(), tmp_path / "v.parquet"
    write_parquet(path, iter_embedded(records, encoder, cache=None), encoder.identity, kind)
    read = read_precomputed(path)
    assert read.label_kind is kind
    assert read.labels == tuple(one.label for one in records)
    records[0] = replace(records[0], label=None)
    write_parquet(path, iter_embedded(records, encoder, cache=None), encoder.identity, kind)
    assert read_precomputed(path).label_kind is kind


def test_a_number_too_large_for_the_file_is_refused(pictures: list[ImageRecord], tmp_path: Path) -> None:
    records, encoder = [replace(pictures[0], label=str(2**64))], FakeEncoder()
    parts = iter_embedded(records, encoder, cache=None)
    with pytest.raises(InputError, match="64 bits"):
        write_parquet(tmp_path / "v.parquet", parts, encoder.identity, Kind.NUMBER)
