"""Tar shards: samples by key, labels beside the pictures, and what is damaged."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from inkling.errors import InputError, UnreadableImageError
from inkling.images import files
from inkling.images.decode import load
from inkling.images.files import Files
from inkling.images.sources import Found, find_images
from inkling.labels import Kind
from tests.images.shards import png, tar_of


def write(path: Path, *members: tuple[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tar_of(*members))
    return path


def labels(found: Found) -> dict[str, str | None]:
    return {Path(one.path).name: one.label for one in found.records}


class TestLabels:
    def test_numbers(self, tmp_path: Path) -> None:
        path = write(tmp_path / "s.tar", ("a.png", png(0)), ("a.cls", b"7\n"), ("b.cls", b"12"), ("b.JPG", png(1)))
        found = find_images(path)
        assert labels(found) == {"a.png": "7", "b.JPG": "12"}
        assert found.label_kind is Kind.NUMBER
        assert found.ignored == {}

    def test_names_in_json_and_text(self, tmp_path: Path) -> None:
        members = (
            ("a.png", png()),
            ("a.json", b'{"label": "bus", "width": 6}'),
            ("b.png", png()),
            ("b.txt", b" car\n"),
        )
        found = find_images(write(tmp_path / "s.tar", *members))
        assert labels(found) == {"a.png": "bus", "b.png": "car"}
        assert found.label_kind is Kind.TEXT

    def test_a_name_counts_more_than_its_number(self, tmp_path: Path) -> None:
        members = (("a.png", png()), ("a.cls", b"3"), ("a.json", b'{"label": "bus"}'))
        assert labels(find_images(write(tmp_path / "s.tar", *members))) == {"a.png": "bus"}

    def test_a_caption_is_no_class(self, tmp_path: Path) -> None:
        members = (("a.png", png()), ("a.txt", b"a red bus"), ("a.json", b'{"url": "x"}'), ("b.png", png()))
        long = ("b.txt", b"a bus\nin the rain")
        found = find_images(write(tmp_path / "s.tar", *members, long))
        assert labels(found) == {"a.png": None, "b.png": None}
        assert dict(found.ignored) == {"text of more than a name": 1}

    def test_folders_are_classes_where_nothing_else_tells(self, tmp_path: Path) -> None:
        path = write(
            tmp_path / "s.tar", ("./set/bus/1.png", png()), ("./set/car/2.png", png()), ("./set/readme.md", b"")
        )
        found = find_images(path)
        assert labels(found) == {"1.png": "bus", "2.png": "car"}
        assert dict(found.ignored) == {".md": 1}
        assert load(find_images(found.records[1].path).records[0]).image.size == (6, 4)

    @pytest.mark.parametrize(
        "told",
        [
            (("a.cls", b"3"), ("a.json", b'{"label": 5}')),
            (("a.cls", b"3"), ("a.cls", b"4")),
            (("a.txt", b"x"), ("a.txt", b"y")),
        ],
    )
    def test_two_labels_of_one_key(self, tmp_path: Path, told: tuple[tuple[str, bytes], ...]) -> None:
        path = write(tmp_path / "s.tar", ("a.png", png()), *told)
        with pytest.raises(InputError, match="two labels"):
            find_images(path)

    def test_labels_that_cannot_be_read_are_counted(self, tmp_path: Path) -> None:
        members = (("a.png", png()), ("a.json", b"{"), ("b.png", png()), ("b.cls", b"\xff"), ("c.json", b"{}"))
        found = find_images(write(tmp_path / "s.tar", *members))
        assert labels(found) == {"a.png": None, "b.png": None}
        assert dict(found.ignored) == {"label that cannot be read": 2, ".json": 1}

    def test_masks_beside_a_picture_are_no_images(self, tmp_path: Path) -> None:
        members = (("a.png", png()), ("a.mask.png", png()), ("b.left.png", png()), ("b.right.png", png()))
        found = find_images(write(tmp_path / "s.tar", *members))
        assert [*labels(found)] == ["a.png", "b.left.png", "b.right.png"]
        assert dict(found.ignored) == {"further picture of a sample": 1}


class TestMembers:
    def test_records_are_enough_to_read_in_any_order_and_process(self, tmp_path: Path) -> None:
        path = write(tmp_path / "s.tar", *((f"{number}.png", png(number)) for number in range(60)))
        records = pickle.loads(pickle.dumps(find_images(path).records))
        with Files() as reader, ThreadPoolExecutor(8) as threads:
            assert list(threads.map(reader.read, records[::-1] * 3)) == [png(n) for n in range(60)][::-1] * 3
            assert reader.read_head(records[4], 10) == png(4)[:10]

    def test_links_and_devices_are_counted(self, tmp_path: Path) -> None:
        path = tmp_path / "s.tar"
        with tarfile.open(path, "w") as tar:
            for name, kind in (
                ("l.png", tarfile.SYMTYPE),
                ("h.png", tarfile.LNKTYPE),
                ("d.png", tarfile.CHRTYPE),
                ("p.png", tarfile.FIFOTYPE),
            ):
                info = tarfile.TarInfo(name)
                info.type, info.linkname = kind, "/etc/passwd"
                tar.addfile(info)
            info = tarfile.TarInfo("../../a.png")
            info.size = len(png())
            tar.addfile(info, io.BytesIO(png()))
        found = find_images(path)
        assert [one.path for one in found.records] == [f"{path}/a.png"]
        assert dict(found.ignored) == {"link in the tar": 2, "device, pipe or sparse file in the tar": 2}

    def test_of_one_name_the_last_counts(self, tmp_path: Path) -> None:
        found = find_images(write(tmp_path / "s.tar", ("a.png", b"first"), ("./a.png", png()), (".hidden.png", png())))
        assert load(found.records[0]).image.size == (6, 4)
        assert dict(found.ignored) == {"repeated name in the tar": 1, "hidden": 1}

    def test_long_names(self, tmp_path: Path) -> None:
        name = "ä" * 90 + "/" + "b" * 90
        found = find_images(write(tmp_path / "s.tar", (f"{name}.png", png())))
        assert found.records[0].label == "ä" * 90
        assert load(found.records[0]).image.size == (6, 4)

    def test_too_many_bytes(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(files, "MAX_FILE_BYTES", 50)
        (record,) = find_images(write(tmp_path / "s.tar", ("a.png", bytes(51)))).records
        with Files() as reader, pytest.raises(UnreadableImageError, match="too large"):
            reader.read(record)

    def test_a_picture_that_is_damaged_is_skipped_with_a_reason(self, tmp_path: Path) -> None:
        good, bad = find_images(write(tmp_path / "s.tar", ("a.png", png()), ("b.png", png()[:30]))).records
        assert load(good).image.size == (6, 4)
        with pytest.raises(UnreadableImageError):
            load(bad)

    def test_a_tar_that_became_shorter(self, tmp_path: Path) -> None:
        path = write(tmp_path / "s.tar", ("a.png", png()))
        (record,) = find_images(path).records
        path.write_bytes(path.read_bytes()[:530])
        with Files() as reader, pytest.raises(UnreadableImageError, match="ends before it"):
            reader.read(record)
        path.unlink()
        with Files() as reader, pytest.raises(UnreadableImageError, match="does not exist"):
            reader.read(record)


class TestDamage:
    def refused(self, path: Path, match: str) -> None:
        with pytest.raises(InputError, match=match) as caught:
            find_images(path)
        assert str(path) in caught.value.message

    def test_cut_off(self, tmp_path: Path) -> None:
        path = write(tmp_path / "s.tar", ("a.png", png()), ("b.png", bytes(5000)))
        path.write_bytes(path.read_bytes()[:3000])
        self.refused(path, "cannot be read as a tar file: unexpected end of data")

    def test_a_damaged_header_in_the_midst(self, tmp_path: Path) -> None:
        path = write(tmp_path / "s.tar", ("a.png", png()), ("b.png", png()), ("c.png", png()))
        data = bytearray(path.read_bytes())
        data[1024 + 150] ^= 0xFF
        path.write_bytes(data)
        self.refused(path, "the header at byte 1024 is damaged")

    @pytest.mark.parametrize("data", [b"", b"no tar at all", bytes(range(256)) * 8])
    def test_no_tar(self, tmp_path: Path, data: bytes) -> None:
        (tmp_path / "s.tar").write_bytes(data)
        self.refused(tmp_path / "s.tar", "cannot be read as a tar")

    def test_packed_as_a_whole(self, tmp_path: Path) -> None:
        (tmp_path / "s.tar").write_bytes(gzip.compress(tar_of(("a.png", png()))))
        self.refused(tmp_path / "s.tar", "it is packed by gzip")

    def test_without_a_picture(self, tmp_path: Path) -> None:
        path = write(tmp_path / "s.tar", ("a.npy", b""), ("a.cls", b"1"))
        self.refused(path, "No images found")
