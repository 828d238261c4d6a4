"""What a user may name as a source of images, and what comes of it."""

from __future__ import annotations

import io
import os
import sqlite3
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from inkling.errors import InputError
from inkling.images.decode import load
from inkling.images.sources import Found, find_images
from inkling.labels import Kind
from tests.images.pictures import encoded, photo

PNG = encoded(photo(size=(4, 4)), "PNG")


def make(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PNG)
    return root


def names(found: Found, root: Path) -> list[tuple[str, str | None]]:
    return [(Path(record.path).relative_to(root).as_posix(), record.label) for record in found.records]


class TestFolder:
    def test_order_labels_and_what_is_ignored(self, tmp_path: Path) -> None:
        make(tmp_path, "car/2.PNG", "bus/1.jpg", "bus/.1.jpg", ".git/3.png", "readme.txt", "car/b.txt", "car/x")
        found = find_images(tmp_path)
        assert names(found, tmp_path) == [("bus/1.jpg", "bus"), ("car/2.PNG", "car")]
        assert dict(found.ignored) == {"hidden": 2, ".txt": 2, "no suffix": 1}

    def test_split(self, tmp_path: Path) -> None:
        make(tmp_path, "train/a/1.png", "train/b/2.png", "test/a/3.png")
        found = find_images(tmp_path, split="test")
        assert names(found, tmp_path) == [("test/a/3.png", "a")]
        assert dict(found.ignored) == {"other split": 2}

    def test_links_in_a_circle_end(self, tmp_path: Path) -> None:
        make(tmp_path, "a/1.png", "b/2.png")
        (tmp_path / "a" / "up").symlink_to(tmp_path)
        (tmp_path / "b" / "self").symlink_to(tmp_path / "b")
        found = find_images(tmp_path)
        assert names(found, tmp_path) == [("a/1.png", "a"), ("b/2.png", "b")]
        assert dict(found.ignored) == {"link to a folder above": 2}

    def test_links_to_elsewhere_are_followed(self, tmp_path: Path) -> None:
        make(tmp_path, "store/1.png", "set/b/2.png")
        (tmp_path / "set" / "a").symlink_to(tmp_path / "store")
        assert names(find_images(tmp_path / "set"), tmp_path / "set") == [("a/1.png", "a"), ("b/2.png", "b")]

    def test_broken_link_is_found_and_skipped_later(self, tmp_path: Path) -> None:
        (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
        assert names(find_images(tmp_path), tmp_path) == [("gone.png", None)]

    def test_unreadable_folder_is_counted(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        make(tmp_path, "a/1.png", "b/2.png")
        scan = os.scandir

        def forbidding(path: Path) -> object:
            if Path(path).name == "b":
                raise PermissionError(13, "Permission denied")
            return scan(path)

        monkeypatch.setattr(os, "scandir", forbidding)
        found = find_images(tmp_path)
        assert names(found, tmp_path) == [("a/1.png", "a")]
        assert dict(found.ignored) == {"unreadable folder": 1}

    def test_unicode_names_and_names_that_are_not(self, tmp_path: Path) -> None:
        make(tmp_path, "Füße 足/ein Bild.png")
        with open(os.fsencode(tmp_path) + b"/latin-\xe9.png", "wb") as file:  # noqa: PTH123 - not a str name
            file.write(PNG)
        found = find_images(tmp_path)
        assert names(found, tmp_path) == [("Füße 足/ein Bild.png", "Füße 足")]
        assert dict(found.ignored) == {"name is not UTF-8": 1}

    def test_a_folder_whose_name_is_not_utf8_is_named(self, tmp_path: Path) -> None:
        make(tmp_path, "bee/1.png")
        os.mkdir(os.fsencode(tmp_path) + b"/caf\xe9")  # noqa: PTH102 - not a str name
        found = find_images(tmp_path)
        assert dict(found.ignored) == {"folder whose name is not UTF-8 (caf\\xe9)": 1}

    def test_stray_images_beside_splits_are_counted(self, tmp_path: Path) -> None:
        make(tmp_path, "train/a/1.png", "train/b/2.png", "test/a/3.png", "cover.png", "old/x.png")
        found = find_images(tmp_path, split="train")
        assert names(found, tmp_path) == [("train/a/1.png", "a"), ("train/b/2.png", "b")]
        assert dict(found.ignored) == {"other split": 1, "outside of the splits": 2}
        assert len(find_images(tmp_path).records) == 5

    def test_class_folders_without_an_image_are_named(self, tmp_path: Path) -> None:
        make(tmp_path, "a/1.png", "b/notes.txt", ".c/2.png")
        (tmp_path / "d" / "deep").mkdir(parents=True)
        assert find_images(tmp_path).classes_without_images == ("b", "d")

    def test_no_name_is_not_the_current_folder(self) -> None:
        for name in ("", " "):
            with pytest.raises(InputError, match="name of the images is empty"):
                find_images(name)

    def test_empty(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="it is empty"):
            find_images(tmp_path)

    def test_nothing_but_other_files(self, tmp_path: Path) -> None:
        make(tmp_path, "a.txt", "b.txt", ".c")
        with pytest.raises(InputError, match=r"ignored: 2 \.txt, 1 hidden"):
            find_images(tmp_path)

    def test_missing_with_a_suggestion(self, tmp_path: Path) -> None:
        make(tmp_path, "photos/1.png")
        with pytest.raises(InputError, match="Did you mean") as raised:
            find_images(tmp_path / "photo")
        assert "photos" in str(raised.value)


class TestZip:
    def zipped(self, path: Path, *members: str) -> Path:
        with zipfile.ZipFile(path, "w") as archive:
            for member in members:
                archive.writestr(member, PNG)
        return path

    def test_labels_wrapper_and_macos(self, tmp_path: Path) -> None:
        path = self.zipped(
            tmp_path / "set.zip",
            *("set/bus/1.png", "set/car/2.png", "set/car/notes.txt"),
            *("__MACOSX/set/bus/._1.png", "set/.DS_Store"),
        )
        found = find_images(path)
        assert [(record.path, record.label) for record in found.records] == [
            (f"{path}/set/bus/1.png", "bus"),
            (f"{path}/set/car/2.png", "car"),
        ]
        assert dict(found.ignored) == {".txt": 1, "hidden": 2}
        assert load(found.records[1]).image.size == (4, 4)

    def test_split(self, tmp_path: Path) -> None:
        path = self.zipped(tmp_path / "s.zip", "w/train/a/1.png", "w/test/a/2.png", "w/test/b/3.png")
        found = find_images(path, split="train")
        assert [(record.member, record.label) for record in found.records] == [("w/train/a/1.png", "a")]

    def test_names_that_lead_out_are_only_read(self, tmp_path: Path) -> None:
        inner = tmp_path / "inner"
        inner.mkdir()
        path = self.zipped(inner / "slip.zip", "../../evil.png", "/abs/b.png", "win\\c.png")
        found = find_images(path)
        assert [(record.label, load(record).image.size) for record in found.records] == [
            ("abs", (4, 4)),
            (None, (4, 4)),
            ("win", (4, 4)),
        ]
        assert sorted(tmp_path.rglob("*")) == [inner, path]

    @pytest.mark.parametrize("name", ["Füße/ein Bild.png", "足/1.png"])
    def test_names_in_utf8_that_do_not_say_so(self, tmp_path: Path, name: str) -> None:
        path = self.zipped(tmp_path / "set.zip", name)
        data = path.read_bytes()
        unsaid = data.replace(b"\0\x08\0\0", b"\0\0\0\0")  # the bit beside 'stored', in both headers
        assert len(data) == len(unsaid)
        assert data != unsaid
        path.write_bytes(unsaid)
        (record,) = find_images(path).records
        assert record.label == name.partition("/")[0]
        assert record.path == f"{path}/{name}"
        assert load(record).image.size == (4, 4)

    def test_names_in_another_encoding_are_read_by_custom(self, tmp_path: Path) -> None:
        path = self.zipped(tmp_path / "set.zip", "Fxxe/1.png")
        path.write_bytes(path.read_bytes().replace(b"Fxxe", b"F\x81\xe1e"))
        (record,) = find_images(path).records
        assert record.label == "Füße"
        assert load(record).image.size == (4, 4)

    def test_class_folders_without_an_image_are_named(self, tmp_path: Path) -> None:
        path = self.zipped(tmp_path / "set.zip", "set/a/1.png", "set/b/notes.txt")
        with zipfile.ZipFile(path, "a") as archive:
            archive.mkdir("set/c")
        assert find_images(path).classes_without_images == ("b", "c")

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_repeated_names_are_counted_and_the_last_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "set.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in (("a/1.png", b"first"), ("b/2.png", PNG), ("a/1.png", PNG), ("/b/2.png", PNG)):
                archive.writestr(name, data)
        found = find_images(path)
        assert [record.label for record in found.records] == ["a", "b"]
        assert dict(found.ignored) == {"repeated name in the zip": 2}
        assert load(found.records[0]).image.size

    def test_damaged(self, tmp_path: Path) -> None:
        path = tmp_path / "bad.zip"
        path.write_bytes(b"PK\x03\x04 and no more")
        with pytest.raises(InputError, match="cannot be read as a zip"):
            find_images(path)


class TestTables:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_csv(self, tmp_path: Path, delimiter: str, encoding: str) -> None:
        rows = [["Label ", "PATH"], ["bus", "a/1.png"], ["", "b.png"], [" Zebra, Grant's ", "c é.png"]]
        lines = [delimiter.join(f'"{cell}"' for cell in row) for row in rows]
        path = tmp_path / "table.csv"
        path.write_bytes("\r\n".join([*lines, "", ""]).encode(encoding))
        expected = [("a/1.png", "bus"), ("b.png", None), ("c é.png", "Zebra, Grant's")]
        assert names(find_images(path), tmp_path) == expected
        assert find_images(path).label_kind is Kind.TEXT

    def test_parquet(self, tmp_path: Path) -> None:
        path = tmp_path / "table.parquet"
        table = pa.table({"path": ["a.png", "b.png", None], "label": [1, None, 2], "other": [[1], [2], [3]]})
        parquet.write_table(table, path)
        found = find_images(path)
        assert names(found, tmp_path) == [("a.png", "1"), ("b.png", None)]
        assert found.label_kind is Kind.NUMBER

    @pytest.mark.parametrize(
        ("labels", "kind"),
        [([1, 2], Kind.NUMBER), ([1.0, None], Kind.NUMBER), ([True, False], Kind.TRUTH), (["1", "2"], Kind.TEXT)],
    )
    def test_labels_in_parquet_keep_their_kind(self, tmp_path: Path, labels: list[object], kind: Kind) -> None:
        parquet.write_table(pa.table({"path": ["a.png", "b.png"], "label": labels}), tmp_path / "t.parquet")
        assert find_images(tmp_path / "t.parquet").label_kind is kind

    def test_categories_in_parquet(self, tmp_path: Path) -> None:
        path = tmp_path / "table.parquet"
        labels = pa.array(["x", "y"]).dictionary_encode()
        parquet.write_table(pa.table({"path": ["a.png", "b.png"], "label": labels}), path)
        assert names(find_images(path), tmp_path) == [("a.png", "x"), ("b.png", "y")]

    def test_absolute_paths_stay(self, tmp_path: Path) -> None:
        path = tmp_path / "t.csv"
        path.write_text("path\n/data/1.png\n")
        assert [record.path for record in find_images(path).records] == ["/data/1.png"]

    def test_paths_of_windows(self, tmp_path: Path) -> None:
        make(tmp_path, "a/1.png", "odd\\name.png")
        path = tmp_path / "t.csv"
        path.write_text("path\na\\1.png\nodd\\name.png\nD:\\b\\2.png\n")
        found = find_images(path)
        assert names(found, tmp_path) == [("a/1.png", None), ("odd\\name.png", None)]
        assert dict(found.ignored) == {"path on a Windows drive": 1}

    @pytest.mark.parametrize("name", ["C:\\data\\1.png", "c:/data/1.png", "\\\\server\\data\\1.png"])
    def test_drives_of_windows_are_explained(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / "t.csv"
        path.write_text(f"path,label\n{name},a\n")
        with pytest.raises(InputError, match="drive of Windows") as caught:
            find_images(path)
        assert name in caught.value.message

    def test_a_name_with_a_colon_is_no_drive(self, tmp_path: Path) -> None:
        path = tmp_path / "t.csv"
        path.write_text("path\na:b.png\n")
        assert names(find_images(path), tmp_path) == [("a:b.png", None)]

    def test_split_column(self, tmp_path: Path) -> None:
        path = tmp_path / "t.csv"
        path.write_text("path,label,split\n1.png,a,train\n2.png,a,validation\n3.png,b,Train\n")
        assert names(find_images(path, split="test"), tmp_path) == [("2.png", "a")]
        assert len(find_images(path, split="train").records) == 2
        assert dict(find_images(path, split="test").ignored) == {"other split": 2}

    def test_repeated_paths_count_once(self, tmp_path: Path) -> None:
        path = tmp_path / "t.csv"
        path.write_text("path,label\n1.png,a\n./1.png,a\n2.png,b\n")
        found = find_images(path)
        assert names(found, tmp_path) == [("1.png", "a"), ("2.png", "b")]
        assert dict(found.ignored) == {"repeated path": 1}

    def test_two_labels_of_one_path(self, tmp_path: Path) -> None:
        path = tmp_path / "t.csv"
        path.write_text("path,label\n1.png,a\n1.png,b\n")
        with pytest.raises(InputError, match="different label"):
            find_images(path)

    def test_rows_of_any_length(self, tmp_path: Path) -> None:
        path = tmp_path / "t.csv"
        path.write_text("path,label\n1.png\n2.png,b,surplus\n,c\n")
        assert names(find_images(path), tmp_path) == [("1.png", None), ("2.png", "b")]

    def test_missing_column(self, tmp_path: Path) -> None:
        path = tmp_path / "t.csv"
        path.write_text("paths,class\n1.png,a\n")
        with pytest.raises(InputError, match="its columns are: paths, class") as raised:
            find_images(path)
        assert "Did you mean 'paths'?" in str(raised.value)

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (b"", "is empty"),
            (b"path\n\xe9\xe9.png\n", "not text in UTF-8"),
            (b'path\n"a"b.png\n', "cannot be read as a CSV"),
        ],
    )
    def test_csv_that_is_none(self, tmp_path: Path, data: bytes, message: str) -> None:
        path = tmp_path / "t.csv"
        path.write_bytes(data)
        with pytest.raises(InputError, match=message):
            find_images(path)

    def test_parquet_without_paths(self, tmp_path: Path) -> None:
        parquet.write_table(pa.table({"filename": ["a.png"], "label": ["x"]}), tmp_path / "t.parquet")
        with pytest.raises(InputError, match="its columns are: filename, label") as raised:
            find_images(tmp_path / "t.parquet")
        assert "Did you mean 'filename'?" in str(raised.value)

    def test_parquet_that_is_none(self, tmp_path: Path) -> None:
        path = tmp_path / "t.parquet"
        path.write_bytes(b"PAR1 and no more")
        with pytest.raises(InputError, match="cannot be read as a Parquet"):
            find_images(path)


class TestOthers:
    def test_standard_input(self) -> None:
        found = find_images("-", stdin=io.StringIO("a b.png\r\n\n/x/c.txt\na b.png\n"))
        assert [record.path for record in found.records] == ["a b.png", "/x/c.txt"]
        assert dict(found.ignored) == {"repeated path": 1}

    def test_standard_input_that_is_not_utf8(self) -> None:
        strict = io.TextIOWrapper(io.BytesIO(b"a.png\n\xff.png\n"), encoding="utf-8")
        with pytest.raises(InputError, match="not text in utf-8"):
            find_images("-", stdin=strict)
        lenient = io.TextIOWrapper(io.BytesIO(b"a.png\n\xff.png\n"), "utf-8", errors="surrogateescape")
        found = find_images("-", stdin=lenient)
        assert [record.path for record in found.records] == ["a.png"]
        assert dict(found.ignored) == {"name is not UTF-8": 1}

    def test_nothing_on_standard_input(self) -> None:
        with pytest.raises(InputError, match="No images"):
            find_images("-", stdin=io.StringIO("\n"))

    @pytest.mark.parametrize(
        "text", ["path,label\na.png,ant\nb.png,bee\n", "\ufeffLabel;Path\r\nant;a.png\r\nbee;b.png"]
    )
    def test_labels_on_standard_input(self, text: str) -> None:
        found = find_images("-", stdin=io.StringIO(text))
        assert [(record.path, record.label) for record in found.records] == [("a.png", "ant"), ("b.png", "bee")]

    def test_splits_on_standard_input(self) -> None:
        text = "path,label,split\na.png,ant,train\nb.png,ant,test\n"
        found = find_images("-", split="test", stdin=io.StringIO(text))
        assert [record.path for record in found.records] == ["b.png"]

    @pytest.mark.parametrize("name", ["path", "a,b.png", 'say "hi".png', "path,with commas.png"])
    def test_odd_names_on_standard_input_are_paths(self, name: str) -> None:
        assert [record.path for record in find_images("-", stdin=io.StringIO(name)).records] == [name]

    def test_single_file(self, tmp_path: Path) -> None:
        make(tmp_path, "one.JPG")
        assert names(find_images(tmp_path / "one.JPG"), tmp_path) == [("one.JPG", None)]

    def test_file_of_another_kind(self, tmp_path: Path) -> None:
        make(tmp_path, "notes.docx")
        with pytest.raises(InputError, match="neither an image nor a source"):
            find_images(tmp_path / "notes.docx")

    def test_a_memory_is_called_a_memory(self, tmp_path: Path) -> None:
        for name in ("m.ink", "renamed.dat"):
            with sqlite3.connect(tmp_path / name) as database:
                database.execute("CREATE TABLE notes (id)")
            database.close()
            with pytest.raises(InputError, match="is a memory; images were expected"):
                find_images(tmp_path / name)

    def test_real_photographs(self, shared: Path) -> None:
        root = shared / "data" / "coco_crops" / "few_shot"
        train, test = (find_images(root, split=split) for split in ("train", "test"))
        assert (len(train.records), len(test.records)) == (234, 503)
        assert len({record.label for record in train.records}) == 8


def test_a_table_without_rows_is_not_called_a_folder_without_images(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("path,label\n")
    with pytest.raises(InputError, match="has a column 'path' and no row with a path in it"):
        find_images(tmp_path / "a.csv")


def test_what_a_table_lacks_and_what_is_near_are_two_sentences(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("pth,label\na.png,car\n")
    with pytest.raises(InputError, match=r"such as 'path,label'\. Did you mean 'pth'\? Rename it\."):
        find_images(tmp_path / "a.csv")
