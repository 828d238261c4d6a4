"""Parquet that holds pictures: which columns count, and how rows are read."""

from __future__ import annotations

import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from inkling.errors import InputError, UnreadableImageError
from inkling.images import files, parquet_pictures
from inkling.images.decode import load
from inkling.images.files import Files
from inkling.images.sources import find_images
from inkling.labels import Kind
from tests.images.shards import hub_parquet, png


def written(file: Path, **columns: object) -> Path:
    parquet.write_table(pa.table(columns), file)
    return file


class TestColumns:
    def test_a_data_set_of_the_hub(self, tmp_path: Path) -> None:
        pictures = [
            {"bytes": png(0), "path": "x/cat1.png"},
            {"bytes": png(1), "path": None},
            {"bytes": png(2), "path": "c.png"},
        ]
        path = hub_parquet(tmp_path / "train.parquet", pictures, [1, 0, -1], ["cat", "dog"])
        found = find_images(path)
        assert [(one.path, one.label) for one in found.records] == [
            (f"{path}/0/cat1.png", "dog"),
            (f"{path}/1", "cat"),
            (f"{path}/2/c.png", None),
        ]
        assert found.label_kind is Kind.TEXT
        with Files() as reader:
            assert [reader.read(one) for one in found.records] == [png(0), png(1), png(2)]
        assert [load(find_images(one.path).records[0]).image.size for one in found.records] == [(6, 4)] * 3

    def test_rows_without_a_picture_are_skipped_with_a_reason(self, tmp_path: Path) -> None:
        path = hub_parquet(
            tmp_path / "a.parquet",
            [{"bytes": None, "path": "/etc/passwd"}, None, {"bytes": png(), "path": None}],
            [0, 0, 0],
            ["x"],
        )
        records = find_images(path).records
        with Files() as reader:
            for record in records[:2]:
                with pytest.raises(UnreadableImageError, match="the row holds no picture"):
                    reader.read(record)
            assert reader.read(records[2]) == png()

    def test_bytes_alone(self, tmp_path: Path) -> None:
        path = written(
            tmp_path / "a.parquet",
            jpg=pa.array([png(0), png(1)], pa.large_binary()),
            label=[4, 5],
            split=["train", "test"],
        )
        found = find_images(path, split="test")
        assert [(one.member, one.label) for one in found.records] == [("1", "5")]
        assert found.label_kind is Kind.NUMBER
        assert dict(found.ignored) == {"other split": 1}

    def test_bytes_beside_paths(self, tmp_path: Path) -> None:
        """As Ray and Spark write what they read."""
        path = written(tmp_path / "a.parquet", path=["s3://b/1.png"], bytes=[png()], group=["night 1"])
        (record,) = find_images(path).records
        assert (record.member, record.group) == ("0/1.png", "night 1")
        assert load(record).image.size == (6, 4)

    def test_paths_beside_other_bytes_stay_a_table(self, tmp_path: Path) -> None:
        path = written(tmp_path / "a.parquet", path=["1.png"], digest=[b"1234"])
        assert [one.path for one in find_images(path).records] == [str(tmp_path / "1.png")]

    def test_which_of_two_columns(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="several columns of bytes: left, right"):
            find_images(written(tmp_path / "a.parquet", left=[png()], right=[png()]))
        assert len(find_images(written(tmp_path / "b.parquet", image=[png()], mask=[png()])).records) == 1

    @pytest.mark.parametrize(
        "told", [b"{", b"[]", b'{"info": 3}', b'{"info": {"features": {"image": 3, "label": {"names": 3}}}}']
    )
    def test_metadata_of_any_kind(self, tmp_path: Path, told: bytes) -> None:
        table = pa.table({"image": [png()], "label": ["bus"]}).replace_schema_metadata({b"huggingface": told})
        parquet.write_table(table, tmp_path / "a.parquet")
        assert [one.label for one in find_images(tmp_path / "a.parquet").records] == ["bus"]

    def test_other_names(self, tmp_path: Path) -> None:
        features = {"img": {"_type": "Image"}, "fine_label": {"names": ["a", "b"], "_type": "ClassLabel"}}
        table = pa.table({"img": [png()], "fine_label": [1]})
        told = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
        parquet.write_table(table.replace_schema_metadata(told), tmp_path / "a.parquet")
        assert [one.label for one in find_images(tmp_path / "a.parquet").records] == ["b"]


class TestReading:
    def test_in_any_order_by_threads(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(parquet_pictures, "_BATCH_BYTES", 500)
        monkeypatch.setattr(parquet_pictures, "_HELD_BYTES", 1500)
        monkeypatch.setattr(parquet_pictures, "_MOST_OPEN", 1)
        for part in range(2):
            rows = [{"bytes": png(10 * part + row), "path": None} for row in range(10)]
            hub_parquet(tmp_path / f"{part}.parquet", rows, [0] * 10, ["x"], row_group_size=4)
        records = pickle.loads(pickle.dumps(find_images(tmp_path).records))
        order = [(7 * number) % 20 for number in range(40)]
        with Files() as reader, ThreadPoolExecutor(4) as threads:
            assert list(threads.map(reader.read, [records[at] for at in order])) == [png(at) for at in order]

    def test_too_many_bytes_and_no_such_row(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = written(tmp_path / "a.parquet", image=[png()])
        with Files() as reader:
            for name, match in (("1", "has 1 rows and no such one"), ("x", "by its number"), ("0", "too large")):
                monkeypatch.setattr(files, "MAX_FILE_BYTES", 50)
                with pytest.raises(UnreadableImageError, match=match):
                    reader.read(find_images(f"{path}/{name}").records[0])

    def test_memory_stays_flat_in_one_large_row_group(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(parquet_pictures, "_BATCH_BYTES", 1 << 16)
        monkeypatch.setattr(parquet_pictures, "_HELD_BYTES", 1 << 18)
        path = written(tmp_path / "a.parquet", image=[bytes([n]) * (1 << 14) for n in range(200)])
        most = 0
        with Files() as reader:
            for n, record in enumerate(find_images(path).records):
                assert reader.read(record)[0] == n
                most = max(most, sum(one.nbytes for one in reader._parquet._batches.values()))
        assert most <= 1 << 18

    def test_damage(self, tmp_path: Path) -> None:
        path = written(tmp_path / "a.parquet", image=[bytes(range(256)) * 40, png()])
        records = find_images(path).records
        data = bytearray(path.read_bytes())
        data[4:60] = b"\xff" * 56
        path.write_bytes(data)
        with Files() as reader, pytest.raises(UnreadableImageError, match="cannot be read"):
            reader.read(records[1])
        path.write_bytes(data[:-10])
        with pytest.raises(InputError, match="cannot be read as a Parquet file"):
            find_images(path)
        with pytest.raises(InputError, match="cannot be read as a Parquet file"):
            find_images(tmp_path)
