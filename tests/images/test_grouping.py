"""Images grouped by folder, name or the time at which they were taken; and groups as callers write them."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from inkling.errors import InputError
from inkling.images.grouping import Grouping
from inkling.images.groups import read_groups
from inkling.types import ImageRecord

BEGIN = datetime(2024, 5, 17, 9, 30)


def shot(seconds: float, camera: str = "A", *, fraction: bool = True) -> ImageRecord:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Maker", camera
    time = BEGIN + timedelta(seconds=seconds)
    exif.get_ifd(0x8769)[0x9003] = time.strftime("%Y:%m:%d %H:%M:%S")
    if fraction:
        exif.get_ifd(0x8769)[0x9291] = f"{time.microsecond // 1000:03d}"
    out = BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG", exif=exif)
    return ImageRecord(f"{camera}{seconds}.jpg", data=out.getvalue())


def groups(how: str, records: list[ImageRecord]) -> list[str | None]:
    return [one.group for one in Grouping.parse(how)(records)]


def named(*paths: str) -> list[ImageRecord]:
    return [ImageRecord(path) for path in paths]


def test_a_folder_is_a_group() -> None:
    found = groups("folder", named("cat/day 1/a.jpg", "cat/day 1/b.jpg", "cat/day 2/a.jpg", "lone.jpg"))
    assert found == ["cat/day 1", "cat/day 1", "cat/day 2", None]


def labelled(*paths: str) -> list[ImageRecord]:
    return [ImageRecord(path, label=path.split("/")[1]) for path in paths]


def test_folders_that_are_the_classes_are_no_sources() -> None:
    classes = labelled("t/cat/a.jpg", "t/cat/b.jpg", "t/dog/a.jpg", "t/dog/b.jpg")
    for records in (classes, classes[:2]):
        with pytest.raises(InputError, match="The folders are the classes") as refused:
            groups("folder", records)
        assert "Leave --groups-from out" in str(refused.value.remedy)
    assert len(set(groups("folder", [*classes, *labelled("t/dog/night 2/a.jpg")]))) == 3
    assert len(set(groups("folder", labelled("t/cat/day 1/a.jpg", "t/cat/day 1/b.jpg")))) == 1


def test_what_a_pattern_finds_in_the_path_is_the_group() -> None:
    paths = named("cat/cam1_20240517_001.jpg", "dog\\cam1_20240517_002.jpg", "cat/cam2_20240517_001.jpg", "cat/x.jpg")
    assert groups(r"regex:cam\d+_\d{8}", paths) == ["cam1_20240517", "cam1_20240517", "cam2_20240517", None]
    assert groups(r"regex:(cam\d+)_(\d{8})", paths)[:2] == ["cam1 20240517"] * 2


def test_pictures_of_a_camera_within_the_pause_are_a_burst() -> None:
    records = [shot(0), shot(8), shot(30), shot(4, "B"), shot(16), ImageRecord("x.jpg", data=b"nothing")]
    a, b, c, other, d, none = groups("exif-time", records)
    assert a == b == d
    assert none is None
    assert len({a, c, other}) == 3
    assert len(set(groups("exif-time:60", records[:3]))) == 1
    assert len(set(groups("exif-time:0.2", [shot(0), shot(0.1), shot(0.4)]))) == 2
    assert len(set(groups("exif-time:0", [shot(0, fraction=False), shot(0.3, fraction=False)]))) == 1


@pytest.mark.parametrize(
    "how", ["", "folders", "folder:x", "regex", "regex:", "regex:(", "exif-time:x", "exif-time:-1", "exif-time:nan"]
)
def test_other_ways_are_refused(how: str) -> None:
    with pytest.raises(InputError) as refused:
        Grouping.parse(how)
    assert "exif-time" in str(refused.value.remedy)


@pytest.mark.parametrize("how", ["folder", "regex:cam", "exif-time"])
def test_a_way_that_groups_nothing_is_refused(how: str) -> None:
    with pytest.raises(InputError, match="None of the 2 images"):
        groups(how, named("a.jpg", "b.jpg"))


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (["yard", "", None, " yard "], ["yard", None, None, "yard"]),
        (np.array([3, 3, 12, 0]), ["3", "3", "12", "0"]),
        (pd.Series([3.0, np.nan, 3.0, 4.0]), ["3", None, "3", "4"]),
        (pd.Series(pd.to_datetime(["2024-05-17", None, "2024-05-17", "2024-05-18"])), None),
    ],
)
def test_groups_of_any_library(given: object, names: list[str | None] | None) -> None:
    found = read_groups(given, 4)
    if names is None:
        assert found[0] == found[2] != found[3]
        assert found[1] is None
    else:
        assert found == names


@pytest.mark.parametrize("wrong", ["abcd", 7, [1, 2, 3], [["a"], "b", "c", "d"]])
def test_what_is_not_one_value_an_image_is_refused(wrong: object) -> None:
    with pytest.raises(InputError):
        read_groups(wrong, 4)
