"""Screenshots and turned pictures planted among drawn ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import inkling
from inkling.auditing.audit import Audit
from inkling.auditing.findings import Finding
from inkling.sketch import write_dataset


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    write_dataset(tmp_path / "train", ("car", "tree"), 8, seed=5)
    return tmp_path / "train"


def audited(images: Path) -> Audit:
    return inkling.audit(images, encoder="sketch", cache=False)


def of_kind(found: Audit, kind: str) -> list[Finding]:
    return [one for one in found.findings if one.kind == kind]


def turn(path: Path) -> Path:
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(path) as picture:
        picture.rotate(90).save(path, exif=exif)
    return path


def test_screenshots_by_metadata_and_by_name(drawn: Path) -> None:
    written, said = drawn / "car" / "car-0003.png", PngInfo()
    said.add_text("Software", "gnome-screenshot")
    with Image.open(written) as picture:
        picture.save(written, pnginfo=said)
    named = (drawn / "tree" / "tree-0002.png").rename(drawn / "tree" / "Screenshot 2024-03-05 at 12.34.56.png")
    found = of_kind(audited(drawn), "screenshot")
    assert [(one.files, one.score, one.classes) for one in found] == [
        ((str(written),), 1.0, ("car",)),
        ((str(named),), 0.9, ("tree",)),
    ]


def test_data_of_screenshots_are_sound(drawn: Path) -> None:
    for number, path in enumerate(sorted(drawn.rglob("*.png"))[1:]):
        path.rename(path.with_name(f"Screenshot_20240305-1234{number:02}.png"))
    assert of_kind(audited(drawn), "screenshot") == []


def test_turned_pictures_are_one_finding_that_suggests_no_correction(drawn: Path, tmp_path: Path) -> None:
    turned = [turn(drawn / "car" / f"car-000{number}.png") for number in range(3)]
    found = audited(drawn)
    (one,) = of_kind(found, "rotated")
    assert (one.files, one.classes) == ((), ())
    assert one.evidence.startswith("Of 16 pictures, 3 have pixels that are to be turned")
    assert any(path.name in one.evidence for path in turned)
    assert found.write_fix_list(tmp_path / "fixes.csv") == len({file for a in found.findings for file in a.files})


def test_boxes_in_one_turned_picture_count_once(drawn: Path, tmp_path: Path) -> None:
    turned = turn(drawn / "car" / "car-0000.png")
    rows = [f"{turned},car,{at},4,24,24" for at in (2, 20)]
    rows += [f"{path},{path.parent.name},2,4,24,24" for path in drawn.rglob("*-000[1-3].png")]
    table = tmp_path / "boxes.csv"
    table.write_text("\n".join(["path,label,x,y,width,height", *rows]), encoding="utf-8")
    (one,) = of_kind(audited(table), "rotated")
    assert one.evidence.startswith("Of 7 pictures, 1 ")


def test_sound_pictures_and_memories_have_no_findings(drawn: Path, tmp_path: Path) -> None:
    found = audited(drawn)
    assert {"screenshot", "rotated"}.isdisjoint(found.counts)
    assert "orientation" not in found.not_checked
    turn(drawn / "car" / "car-0000.png")
    inkling.FewShotClassifier("sketch", cache=False).fit(drawn).save(tmp_path / "drawn.ink")
    of_memory = inkling.audit(tmp_path / "drawn.ink", cache=False)
    assert "read from files" in of_memory.not_checked["orientation"]
    assert "rotated" not in of_memory.counts
