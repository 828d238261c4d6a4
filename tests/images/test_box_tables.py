"""Tables with boxes, and tables that lie beside their pictures."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from inkling.errors import InputError
from inkling.images.boxes import BoxReading
from inkling.images.decode import load
from inkling.images.sources import Found, find_images
from inkling.labels import Kind
from tests.images.pictures import encoded, photo

PNG = encoded(photo(size=(48, 40)), "PNG")


def make(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PNG)
    return root


def table(root: Path, text: str, name: str = "list.csv") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def shown(found: Found, root: Path) -> list[tuple[str, str | None]]:
    return [(record.path.removeprefix(f"{root}/"), record.label) for record in found.records]


class TestBoxes:
    def test_in_pixels(self, tmp_path: Path) -> None:
        make(tmp_path, "a.png")
        path = table(tmp_path, "path;label;x;y;width;height;id\na.png;car;1;2;10.5;12;k1\na.png;bus;20;2;1;1;\n")
        found = find_images(path)
        assert shown(found, tmp_path) == [("a.png#xywh=1,2,10.5,12&id=k1", "car"), ("a.png#xywh=20,2,1,1", "bus")]
        assert load(found.records[0]).image.size == (11, 12)

    def test_in_shares_where_no_number_is_above_one(self, tmp_path: Path) -> None:
        make(tmp_path, "a.png")
        found = find_images(table(tmp_path, "path,x,y,width,height\na.png,0,0,1,1\na.png,0.25,0.5,0.5,0.25\n"))
        assert [load(record).image.size for record in found.records] == [(48, 40), (24, 10)]

    def test_rows_without_are_whole_pictures(self, tmp_path: Path) -> None:
        make(tmp_path, "a.png", "b.png")
        found = find_images(table(tmp_path, "path,x,y,width,height\na.png,1,2,3,4\nb.png,,,,\n"))
        assert shown(found, tmp_path) == [("a.png#xywh=1,2,3,4", None), ("b.png", None)]

    def test_parquet(self, tmp_path: Path) -> None:
        make(tmp_path, "a.png")
        columns = {"file_name": ["a.png"] * 2, "label": [3, 4], "x": [1, 5], "y": [2, 5], "width": [3, 5]}
        parquet.write_table(pa.table(columns | {"height": [4.5, None]}), tmp_path / "t.parquet")
        with pytest.raises(InputError, match=r"Row 2 of .* not of numbers"):
            find_images(tmp_path / "t.parquet")
        parquet.write_table(pa.table(columns | {"height": [4.5, 2.0]}), tmp_path / "t.parquet")
        found = find_images(tmp_path / "t.parquet", boxes=BoxReading(margin=0.5))
        assert shown(found, tmp_path)[0] == ("a.png#xywh=1,2,3,4.5&margin=0.5", "3")
        assert found.label_kind is Kind.NUMBER

    def test_the_size_of_a_picture_is_no_box(self, tmp_path: Path) -> None:
        make(tmp_path, "a.png")
        assert shown(find_images(table(tmp_path, "path,width,height\na.png,48,40\n")), tmp_path) == [("a.png", None)]

    def test_a_missing_column(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no column 'height'"):
            find_images(table(tmp_path, "path,x,y,width,hieght\na.png,1,2,3,4\n"))

    @pytest.mark.parametrize("row", ["1,2,3,", "1,2,three,4", "1,2,,4"])
    def test_what_is_no_number(self, tmp_path: Path, row: str) -> None:
        with pytest.raises(InputError, match=r"Row 1 of .*list.csv' has a box that is not of numbers"):
            find_images(table(tmp_path, f"path,x,y,width,height\na.png,{row}\n"))

    def test_one_box_under_two_labels(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="second, different label"):
            find_images(table(tmp_path, "path,label,x,y,width,height\na.png,a,1,2,3,4\na.png,b,1,2,3,4\n"))

    def test_paths_that_name_their_box(self, tmp_path: Path) -> None:
        """As `predict` writes them, in tables, in lists and one by one."""
        make(tmp_path, "a.png")
        name = "a.png#xywh=1,2,10,12&id=5"
        for found in (
            find_images(table(tmp_path, f'path,label\n"{name}",car\n')),
            find_images("-", stdin=io.StringIO(f"{tmp_path / name}\n")),
            find_images(tmp_path / name),
        ):
            assert load(found.records[0]).image.size == (10, 12)
        with pytest.raises(InputError, match=r"'.*b.png' does not exist"):
            find_images(tmp_path / "b.png#xywh=1,2,10,12")


class TestFileName:
    def test_stands_for_path(self, tmp_path: Path) -> None:
        assert shown(find_images(table(tmp_path, "label\tfile_name\ncar\ta.png\n")), tmp_path) == [("a.png", "car")]

    def test_lines_of_json(self, tmp_path: Path) -> None:
        lines = [{"file_name": "a.png", "label": 3}, {"file_name": "b.png"}, {"label": 4}]
        found = find_images(table(tmp_path, "\n".join(map(json.dumps, lines)), "t.jsonl"))
        assert shown(found, tmp_path) == [("a.png", "3"), ("b.png", None)]

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('{"label": 3}', "no column 'path'"),
            ("[1]", "no objects"),
            ('{"file_name": "a.png"}\n{', "Line 2 of .* is not JSON"),
        ],
    )
    def test_odd_lines_of_json(self, tmp_path: Path, text: str, message: str) -> None:
        with pytest.raises(InputError, match=message):
            find_images(table(tmp_path, text, "t.jsonl"))


class TestImageFolder:
    def test_labels_come_from_the_table(self, tmp_path: Path) -> None:
        make(tmp_path, "a.png", "deep/b.png", "c.png")
        table(tmp_path, "file_name,label\na.png,car\ndeep/b.png,bus\n", "metadata.csv")
        found = find_images(tmp_path)
        assert shown(found, tmp_path) == [("a.png", "car"), ("deep/b.png", "bus")]
        assert found.ignored == {"not in the metadata": 1}

    def test_splits(self, tmp_path: Path) -> None:
        make(tmp_path, "train/1.png", "train/2.png", "test/1.png")
        table(
            tmp_path, '{"file_name": "1.png", "label": 0}\n{"file_name": "2.png", "label": 1}', "train/metadata.jsonl"
        )
        table(tmp_path, '{"file_name": "1.png", "label": 1}', "test/metadata.jsonl")
        assert shown(find_images(tmp_path, split="train"), tmp_path) == [("train/1.png", "0"), ("train/2.png", "1")]
        assert shown(find_images(tmp_path, split="test"), tmp_path) == [("test/1.png", "1")]
        assert find_images(tmp_path, split="test").label_kind is Kind.NUMBER

    def test_folders_name_the_class_where_the_table_does_not(self, tmp_path: Path) -> None:
        make(tmp_path, "car/1.png", "bus/2.png")
        table(tmp_path, "file_name,text\ncar/1.png,a red one\nbus/2.png,long\n", "metadata.csv")
        assert shown(find_images(tmp_path), tmp_path) == [("car/1.png", "car"), ("bus/2.png", "bus")]

    def test_a_table_of_something_else_is_ignored(self, tmp_path: Path) -> None:
        make(tmp_path, "car/1.png")
        table(tmp_path, "camera,lens\n1,2\n", "metadata.csv")
        found = find_images(tmp_path)
        assert (shown(found, tmp_path), dict(found.ignored)) == ([("car/1.png", "car")], {".csv": 1})

    def test_a_damaged_table_is_an_error(self, tmp_path: Path) -> None:
        make(tmp_path, "car/1.png")
        table(tmp_path, '{"file_name": ', "metadata.jsonl")
        with pytest.raises(InputError, match=r"Line 1 of .* is not JSON"):
            find_images(tmp_path)
