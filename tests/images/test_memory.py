"""What one picture takes in memory is bounded, whatever its header and its container say: measured in a process."""

from __future__ import annotations

import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkling.images import budget
from inkling.images.views import view_of
from tests.images.pictures import encoded, photo

MOST = int(1.2 * 2**30)
"""Bytes that a process may take at its peak, with everything that it has loaded."""

DECODE = """
import resource, sys
from inkling.errors import UnreadableImageError
from inkling.images.decode import load
from inkling.types import ImageRecord
path, member = sys.argv[1:]
record = ImageRecord(path) if not member else ImageRecord(member, archive=path, member=member)
try:
    print("read", load(record).image.size)
except UnreadableImageError as error:
    print("refused", error)
try:  # what getrusage tells starts at the peak of the process that started this one
    status = open("/proc/self/status").read()
    print(1024 * int(status.partition("VmHWM:")[2].split()[0]))
except FileNotFoundError:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def decoded_in_a_process(path: Path, member: str = "") -> tuple[str, int]:
    """What came of a picture, and the peak of the process in bytes."""
    run = subprocess.run([sys.executable, "-c", DECODE, str(path), member], capture_output=True, text=True, check=True)
    told, peak = run.stdout.splitlines()
    return told, int(peak)


def of(kind: type, **options: object) -> Callable[[int, int], bytes]:
    """Pictures of 32-bit numbers in a TIFF."""
    return lambda width, height: encoded(Image.fromarray(np.zeros((height, width), dtype=kind)), "TIFF", **options)


def flat(mode: str, kind: str, **options: object) -> Callable[[int, int], bytes]:
    """Pictures of one colour."""
    return lambda width, height: encoded(Image.new(mode, (width, height)), kind, **options)


TURNED = Image.Exif()
TURNED[0x0112] = 6

LARGEST = {
    "float TIFF": (of(np.float32), 9430, 9430),
    "integer TIFF": (of(np.int32), 9430, 9430),
    "packed TIFF": (flat("RGBA", "TIFF", compression="tiff_adobe_deflate"), 9430, 9430),
    "WebP": (flat("RGB", "WEBP", lossless=True, quality=0, method=0), 4000, 16000),
    "PNG": (flat("RGBA", "PNG", compress_level=1, exif=TURNED), 9430, 9430),
    "palette": (flat("P", "PNG", compress_level=1, transparency=0), 9430, 9430),
    "progressive JPEG": (flat("RGB", "JPEG", progressive=True, subsampling=0), 9430, 9430),
    "AVIF": (flat("RGB", "AVIF", speed=10), 7800, 7800),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", LARGEST)
def test_the_largest_that_is_read(kind: str, tmp_path: Path) -> None:
    make, width, height = LARGEST[kind]
    path = tmp_path / "picture"
    path.write_bytes(make(width, height))
    told, peak = decoded_in_a_process(path)
    print(f"{kind}: {peak / 2**20:.0f} MiB")
    assert told.startswith("read")
    assert peak < MOST


def test_a_webp_is_judged_by_what_its_decoding_takes(tmp_path: Path) -> None:
    path = tmp_path / "picture.webp"
    path.write_bytes(encoded(Image.new("L", (5400, 16000)), "WEBP", quality=0, method=0))
    told, peak = decoded_in_a_process(path)
    assert "5400 x 16000 pixels is too large (decoding it takes 1.5 GB; at most 1.1 GB are used)" in told
    assert peak < 256 * 2**20


def test_a_jpeg_of_several_scans_is_distinguished_from_one_of_a_single_scan() -> None:
    plain, progressive = (encoded(photo(), "JPEG", progressive=flag) for flag in (False, True))
    assert budget._first_scan_is_whole(plain, 3)
    at = plain.index(b"\xff\xda")
    assert not budget._first_scan_is_whole(plain[: at + 4] + b"\x01" + plain[at + 5 :], 3)
    assert budget._first_scan_is_whole(progressive, 3)
    for data in (b"", plain[:3], plain[:at], b"\xff\xd8\xff\xff\xff\xff\xff\xff"):
        assert not budget._first_scan_is_whole(data, 3)


def test_views_of_a_large_picture_are_made_from_a_smaller_one() -> None:
    picture = Image.new("RGB", (6000, 4000))
    assert view_of(picture, 0, key="k").size == (6000, 4000)
    assert max(view_of(picture, 1, key="k").size) <= 2000


def lying(path: Path, compression: int) -> Path:
    """A zip with 300 MB of zeros in a member that says it has 1,000 bytes."""
    real = 300_000_000
    with zipfile.ZipFile(path, "w", compression) as archive, archive.open("a.png", "w") as member:
        for _ in range(40):
            member.write(bytes(real // 40))
    data = path.read_bytes()
    size = struct.pack("<I", real)
    assert data.count(size) == 2  # in the header of the member and in the list of members
    path.write_bytes(data.replace(size, struct.pack("<I", 1000)))
    return path


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_zip_that_lies_about_a_size_is_not_unpacked(compression: int, tmp_path: Path) -> None:
    told, peak = decoded_in_a_process(lying(tmp_path / "bomb.zip", compression), "a.png")
    assert told.startswith("refused")
    assert peak < 256 * 2**20


def test_bzip2_is_refused_since_a_few_bytes_of_it_fill_memory(tmp_path: Path) -> None:
    told, peak = decoded_in_a_process(lying(tmp_path / "bomb.zip", zipfile.ZIP_BZIP2), "a.png")
    assert "packed by bzip2; zip it with deflate" in told
    assert peak < 256 * 2**20


def test_an_endless_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "endless.png"
    path.symlink_to("/dev/zero")
    told, peak = decoded_in_a_process(path)
    assert "no regular file" in told
    assert peak < 256 * 2**20


def test_a_member_of_any_compression_is_read(tmp_path: Path) -> None:
    data = encoded(photo(size=(300, 200)), "PNG")
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA):
        path = tmp_path / f"{compression}.zip"
        with zipfile.ZipFile(path, "w", compression) as archive:
            archive.writestr("a.png", data)
        assert decoded_in_a_process(path, "a.png")[0] == "read (300, 200)"
