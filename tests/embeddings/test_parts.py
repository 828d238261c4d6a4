"""A folder of vectors is read as one file is; what of it cannot be used is named and left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from inkling.bulk import manifest
from inkling.bulk.parts import name_of, write_part
from inkling.bulk.plan import Plan
from inkling.bulk.rows import in_order
from inkling.bulk.shelf import shelf_of
from inkling.embeddings.embed import embed_images
from inkling.embeddings.parquet import METADATA_KEY, embedded_rows, embedded_schema
from inkling.embeddings.precomputed import read_precomputed
from inkling.embeddings.samples import is_precomputed, precomputed_samples
from inkling.errors import InputError
from inkling.labels import Kind
from inkling.types import ImageRecord, SkippedImage
from tests.fakes import FakeEncoder

ENCODER = FakeEncoder()


@pytest.fixture
def run(pictures: list[ImageRecord], tmp_path: Path) -> Path:
    """Parts of 10 images as `inkling embed --output DIR` writes them, one image unreadable."""
    records = [*pictures[:14], ImageRecord("gone.png", "odd"), *pictures[14:]]
    plan = Plan("embed", {}, ENCODER.identity.fingerprint, None, None, len(records), "digest", part_images=10)
    shelf = shelf_of(tmp_path / "run")
    manifest.begin(shelf, plan)
    schema = embedded_schema(ENCODER.identity, Kind.TEXT)
    written = []
    for part in range(plan.n_parts):
        own = records[plan.rows(part)]
        found = embed_images(own, ENCODER, cache=None)
        table = in_order(own, embedded_rows(found, Kind.TEXT), found.skipped, schema)
        written.append(write_part(shelf, part, table, run=plan.digest))
    manifest.complete(shelf, plan, written)
    return tmp_path / "run"


def test_a_run_is_read_as_one(run: Path, pictures: list[ImageRecord]) -> None:
    assert is_precomputed(run)
    read = read_precomputed(run)
    expected = embed_images(pictures, ENCODER, cache=None)
    assert read.paths == tuple(record.path for record in pictures)
    assert read.labels == tuple(record.label for record in pictures)
    assert read.content_hashes == expected.content_hashes
    assert np.allclose(read.embeddings, expected.embeddings, atol=1e-7)
    assert read.identity == ENCODER.identity
    assert [image.path for image in read.skipped] == ["gone.png"]
    assert read.parts_lost == 0
    assert precomputed_samples(read).skipped == read.skipped


def test_what_is_lost_is_named(run: Path, pictures: list[ImageRecord]) -> None:
    whole = (run / name_of(1)).read_bytes()
    (run / name_of(0)).unlink()
    (run / name_of(1)).write_bytes(whole[:-40] + b"x" + whole[-39:])
    read = read_precomputed(run)
    assert read.paths == tuple(record.path for record in pictures)[19:]
    assert [(Path(one.path).name, one.reason[:20]) for one in read.skipped] == [
        (name_of(0), "the part is missing"),
        (name_of(1), "the part is damaged:"),
    ]
    assert read.parts_lost == 2
    (run / name_of(2)).unlink()
    with pytest.raises(InputError, match=r"No vector in .* can be used"):
        read_precomputed(run)


def _truncated(manifest: dict[str, Any]) -> str:
    return json.dumps(manifest)[:-30]


DAMAGED: dict[str, Callable[[dict[str, Any]], str]] = {
    "empty": lambda _: "",
    "cut": _truncated,
    "deep": lambda _: "[" * 100_000,
    "another release": lambda manifest: json.dumps(manifest | {"format": 2}),
    "without a plan": lambda manifest: json.dumps({key: manifest[key] for key in manifest.keys() - {"plan"}}),
    "without a size": lambda manifest: json.dumps(manifest | {"plan": {**manifest["plan"], "part_images": 0}}),
    "a part without a hash": lambda manifest: json.dumps(manifest | {"parts": [{"file": "a", "rows": 1}]}),
    "parts of another form": lambda manifest: json.dumps(manifest | {"parts": 3}),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_manifest_is_refused(run: Path, damage: str) -> None:
    manifest_file = run / "manifest.json"
    manifest_file.write_text(DAMAGED[damage](json.loads(manifest_file.read_text())))
    for name in (run, f"file://{run}"):
        with pytest.raises(InputError, match=r"manifest.json at .* is damaged or of another release") as refusal:
            read_precomputed(name)
        assert "remove that file" in (refusal.value.remedy or "")
    manifest_file.unlink()
    assert len(read_precomputed(run).paths) > 0


@pytest.mark.parametrize("content", ['{"files": ["a"], "format": "head"}', "[1]", "null", "7", '{"parts": []}'])
def test_a_manifest_of_somebody_else_is_none_of_ours(run: Path, content: str) -> None:
    (run / "manifest.json").unlink()
    expected = read_precomputed(run).paths
    (run / "manifest.json").write_text(content)
    assert read_precomputed(run).paths == expected


def test_beside_other_files_a_manifest_that_cannot_be_read_is_none_of_ours(tmp_path: Path) -> None:
    plain(tmp_path / "v", "part-00000-of-00001.parquet")
    (tmp_path / "v" / "manifest.json").write_text("name: theirs")
    assert len(read_precomputed(tmp_path / "v").paths) == 3


def test_a_part_of_another_encoder_is_named(run: Path) -> None:
    table = parquet.read_table(run / name_of(2))
    other = json.dumps(asdict(replace(ENCODER.identity, fingerprint="another"))).encode()
    parquet.write_table(table.replace_schema_metadata({METADATA_KEY: other}), run / name_of(2))
    (run / "manifest.json").unlink()
    read = read_precomputed(run)
    assert len(read.paths) == 19
    assert [one.reason.partition(",")[0] for one in read.skipped if "part" in one.path] == [
        "the part is of another encoder: fingerprint another"
    ]


def plain(folder: Path, name: str, rows: int = 3, **columns: list[object]) -> None:
    folder.mkdir(exist_ok=True)
    vectors = np.random.default_rng(ord(name[0])).normal(size=(rows, 4)).astype(np.float16)
    given = {"embedding": list(vectors), **columns}
    parquet.write_table(pa.table(given), folder / name)


def test_any_folder_of_parquet_files(tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    plain(folder, "b.parquet", label=["cat", "dog", None])
    plain(folder, "a.parquet")
    (folder / "_SUCCESS").touch()
    assert is_precomputed(folder)
    read = read_precomputed(folder)
    assert read.paths == tuple(f"{name} row {row}" for name in ("a.parquet", "b.parquet") for row in range(3))
    assert read.labels == (None, None, None, "cat", "dog", None)
    assert read.class_names == ("cat", "dog")
    assert len(set(read.content_hashes)) == len(read.content_hashes)
    url = read_precomputed(f"file://{folder}")
    assert np.array_equal(url.embeddings, read.embeddings)


def test_columns_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    plain(tmp_path / "v", "a.parquet", label=["cat", "dog", "cat"])
    plain(tmp_path / "v", "b.parquet", label=[1, 2, 2])
    with pytest.raises(InputError, match="labels are number and text in different parts"):
        read_precomputed(tmp_path / "v")


def test_other_folders_are_no_vectors(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "table").mkdir()
    parquet.write_table(pa.table({"path": ["a.png"]}), tmp_path / "table" / "a.parquet")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "a.parquet").write_bytes(b"no Parquet")
    assert not any(is_precomputed(tmp_path / name) for name in ("none", "table", "damaged", "missing"))
    with pytest.raises(InputError, match="holds no embeddings"):
        read_precomputed(tmp_path / "table")


def test_a_memory_of_an_object_store(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec", reason="comes with the extra 'scale'")
    plain(tmp_path / "v", "a.parquet")
    store = fsspec.filesystem("memory")
    store.put(str(tmp_path / "v"), "/of_parts", recursive=True)
    assert read_precomputed("memory://of_parts").paths == read_precomputed(tmp_path / "v").paths
    assert not is_precomputed("memory://nothing_there")


def test_a_file_with_reasons(tmp_path: Path) -> None:
    vectors: list[object] = [[1.0, 2.0], None]
    table = pa.table({"path": ["a", "b"], "embedding": vectors, "error": [None, "no picture"]})
    parquet.write_table(table, tmp_path / "v.parquet")
    read = read_precomputed(tmp_path / "v.parquet")
    assert (read.paths, read.skipped) == (("a",), (SkippedImage("b", "no picture"),))
    parquet.write_table(table.slice(1), tmp_path / "w.parquet")
    with pytest.raises(InputError, match="none of its images has a vector; the first, b: no picture"):
        read_precomputed(tmp_path / "w.parquet")
