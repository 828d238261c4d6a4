"""Reading the bytes behind records: zips stay open, threads share them, limits hold."""

from __future__ import annotations

import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from inkling.errors import UnreadableImageError
from inkling.images import files
from inkling.images.files import Files
from inkling.types import ImageRecord


def member(path: Path, name: str) -> ImageRecord:
    return ImageRecord(f"{path}/{name}", archive=path, member=name)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(300):
            file.writestr(f"{number}.bin", bytes([number % 256]) * (1000 + number))
    return path


def test_threads_share_one_zip(archive: Path) -> None:
    with Files() as reader, ThreadPoolExecutor(16) as threads:
        records = [member(archive, f"{number}.bin") for number in range(300)] * 4
        contents = list(threads.map(reader.read, records))
    assert contents == [bytes([number % 256]) * (1000 + number) for number in range(300)] * 4


def test_a_zip_is_opened_once(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []
    original = zipfile.ZipFile

    def counting(path: Path) -> zipfile.ZipFile:
        opened.append(path)
        return original(path)

    monkeypatch.setattr(files.zipfile, "ZipFile", counting)
    with Files() as reader, ThreadPoolExecutor(8) as threads:
        list(threads.map(reader.read, [member(archive, f"{number}.bin") for number in range(50)]))
    assert opened == [archive]


def test_missing_member(archive: Path) -> None:
    with Files() as reader, pytest.raises(UnreadableImageError, match="no such member"):
        reader.read(member(archive, "other.bin"))


def test_zip_that_went_away(tmp_path: Path) -> None:
    with Files() as reader, pytest.raises(UnreadableImageError, match="does not exist"):
        reader.read(member(tmp_path / "gone.zip", "a.jpg"))


def test_damaged_member(archive: Path) -> None:
    data = bytearray(archive.read_bytes())
    start = data.index(b"0.bin") + 10
    data[start : start + 4] = b"\xff\xff\xff\xff"
    archive.write_bytes(data)
    with Files() as reader:
        with pytest.raises(UnreadableImageError, match="cannot be read"):
            reader.read(member(archive, "0.bin"))
        assert len(reader.read(member(archive, "1.bin"))) == 1001


def test_encrypted_member(archive: Path) -> None:
    data = bytearray(archive.read_bytes())
    entry = data.index(b"PK\x01\x02")
    data[entry + 8] |= 1
    local = data.index(b"PK\x03\x04")
    data[local + 6] |= 1
    archive.write_bytes(data)
    with Files() as reader, pytest.raises(UnreadableImageError, match="encrypted"):
        reader.read(member(archive, "0.bin"))


def test_too_many_bytes(tmp_path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 1100)
    path = tmp_path / "large.jpg"
    path.write_bytes(bytes(1101))
    with Files() as reader:
        with pytest.raises(UnreadableImageError, match="too large"):
            reader.read(ImageRecord(str(path)))
        with pytest.raises(UnreadableImageError, match="too large"):
            reader.read(member(archive, "101.bin"))
        assert len(reader.read(member(archive, "100.bin"))) == 1100


def test_a_sparse_file_of_a_terabyte_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "sparse.tif"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with Files() as reader, pytest.raises(UnreadableImageError, match="too large"):
        reader.read(ImageRecord(str(path)))
