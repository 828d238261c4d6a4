"""Corrections applied to a copy: whole, undone by its manifest, and refused before anything is written."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from inkling.errors import InputError
from inkling.filing.cabinet import Cabinet
from inkling.filing.corrections import Corrected, apply_fixes, undo_fixes
from inkling.images.sources import find_images
from tests.images.pictures import encoded
from tests.system import fill

NAMES = ("car/1.png", "car/day/2.png", "car/3.png", "tree/1.png", "tree/broken.png", "loose.png")


def picture(number: int, *, side: int = 8) -> bytes:
    return encoded(Image.new("RGB", (side, side), (number, 2 * number, 9)), "PNG")


def tree(folder: Path) -> dict[str, bytes]:
    return {one.relative_to(folder).as_posix(): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def pictures(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in tree(folder).items() if not name.startswith("inkling-audit-")}


def labels(source: Path) -> dict[str, str | None]:
    return {one.path.removeprefix(f"{source}/"): one.label for one in find_images(source).records}


def fixes(folder: Path, *rows: str) -> Path:
    path = folder / "fixes.csv"
    path.write_text("\n".join(("path,action,label", *rows)) + "\n", encoding="utf-8")
    return path


def applied(folder: Path, source: Path, *rows: str) -> Corrected:
    before = tree(source) if source.is_dir() else {}
    done = apply_fixes(source, fixes(folder, *rows), folder / "out")
    assert not before or tree(source) == before
    assert not [one for one in (folder / "out").iterdir() if one.name.startswith(".")]
    return done


def check_undone(folder: Path, done: Corrected) -> None:
    undone = undo_fixes(done.manifest)
    assert (undone.n_gone, undone.kept, list((folder / "out").iterdir())) == (0, {}, [])


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for number, name in enumerate(NAMES):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"no picture" if "broken" in name else picture(number))
    return tmp_path / "data"


def test_the_whole_set_is_copied_under_corrected_labels(source: Path, tmp_path: Path) -> None:
    before = tree(source)
    done = applied(tmp_path, source, "car/1.png,relabel,tree", "car/3.png,drop,", "tree/broken.png,keep,")
    assert pictures(tmp_path / "out") == {
        "tree/1-2.png": before["car/1.png"],
        "car/day/2.png": before["car/day/2.png"],
        "tree/1.png": before["tree/1.png"],
        "tree/broken.png": before["tree/broken.png"],
        "loose.png": before["loose.png"],
    }
    assert (done.counts, done.n_pictures, done.gone, done.described) == ({"tree": 3, "car": 1}, 5, (), False)
    assert done.relabelled == {str(source / "car/1.png"): "tree"}
    assert done.dropped == (str(source / "car/3.png"),)
    assert (tmp_path / "out/tree/1-2.png").stat().st_mtime == (source / "car/1.png").stat().st_mtime
    head = json.loads(done.manifest.read_text().partition("\n")[0])
    assert head["dropped"] == list(done.dropped)
    assert head["relabelled"] == [[str(source / "car/1.png"), "car", "tree"]]
    check_undone(tmp_path, done)


def test_a_label_that_loses_its_last_image_is_said(source: Path, tmp_path: Path) -> None:
    done = applied(tmp_path, source, "tree/1.png,relabel,car", "tree/broken.png,drop,", "car/1.png,keep,car")
    assert done.emptied == ("tree",)


def test_rows_of_files_that_are_gone_are_said_and_the_rest_is_done(source: Path, tmp_path: Path) -> None:
    done = applied(tmp_path, source, "car/1.png,drop,", "car/gone.png,drop,")
    assert (done.gone, done.dropped) == (("car/gone.png",), (str(source / "car/1.png"),))


def test_train_and_test_stay_apart(source: Path, tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    (source / "loose.png").unlink()
    source.rename(tmp_path / "all" / "Train")
    (tmp_path / "all" / "test" / "car").mkdir(parents=True)
    (tmp_path / "all" / "test" / "car" / "9.png").write_bytes(picture(9))
    applied(tmp_path, tmp_path / "all", "Train/car/1.png,relabel,tree")
    found = labels(tmp_path / "out")
    assert found["Train/tree/1-2.png"] == "tree"
    assert found["test/car/9.png"] == "car"
    assert len(found) == 6


@pytest.mark.parametrize("label", ["a/b", "con", "..", ".hidden", "a:b", "x."])
def test_labels_that_no_folder_can_have_stand_in_a_table(source: Path, tmp_path: Path, label: str) -> None:
    done = applied(tmp_path, source, f"car/1.png,relabel,{label}")
    assert done.described
    assert done.new_classes == (label,)
    found = find_images(tmp_path / "out").records
    data = {Path(one.path).read_bytes(): one.label for one in found}
    assert data[picture(0)] == label
    assert sorted(str(one.label) for one in found) == sorted(["None", "car", "car", label, "tree", "tree"])
    assert len({one.path for one in found}) == len(NAMES)
    check_undone(tmp_path, done)


def test_a_zip_is_unpacked_without_its_wrapper(source: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in NAMES[:4]:
            archive.write(source / name, f"data/{name}")
    done = applied(tmp_path, tmp_path / "a.zip", f"{tmp_path}/a.zip/data/car/1.png,relabel,tree")
    assert labels(tmp_path / "out") == {
        "car/3.png": "car",
        "car/day/2.png": "car",
        "tree/1.png": "tree",
        "tree/1-2.png": "tree",
    }
    check_undone(tmp_path, done)


def test_a_table_with_splits_and_a_missing_file(source: Path, tmp_path: Path) -> None:
    rows = "data/car/1.png,car,train\ndata/car/3.png,car,test\ndata/tree/1.png,tree,valid\ndata/none.png,tree,train\n"
    (tmp_path / "t.csv").write_text("path,label,split\n" + rows)
    done = applied(tmp_path, tmp_path / "t.csv", "data/car/1.png,relabel,tree")
    assert set(labels(tmp_path / "out")) == {"train/tree/1.png", "test/car/3.png", "val/tree/1.png"}
    assert [Path(one.path).name for one in done.skipped] == ["none.png"]
    assert {one.label for one in find_images(tmp_path / "out", split="train").records} == {"tree"}


def _boxes(folder: Path, rows: str, columns: str = "path,label,x,y,width,height,id") -> Path:
    for name in ("x/a.png", "y/a.png"):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(picture(ord(name[0]), side=32))
    (folder / "t.csv").write_text(f"{columns}\n{rows}")
    return folder / "t.csv"


ROWS = "x/a.png,car,0,0,8,8,1\nx/a.png,tree,8,8,8,8,2\ny/a.png,car,0,0,9.5,8,3\ny/a.png,car,,,,,\n"


def test_boxes_are_described_by_a_table_beside_the_pictures(tmp_path: Path) -> None:
    table = _boxes(tmp_path, ROWS)
    first, *_ = [one.path for one in find_images(table).records]
    done = applied(tmp_path, table, f'"{first}",relabel,boat', '"y/a.png#xywh=0,0,9.5,8&id=3",drop,')
    assert (done.described, done.n_pictures, done.counts) == (True, 2, {"boat": 1, "tree": 1, "car": 1})
    found = {one.path.removeprefix(f"{tmp_path}/out/"): one.label for one in find_images(tmp_path / "out").records}
    assert found == {"a.png#xywh=8,8,8,8&id=2": "tree", "a-2.png": "car", "a.png#xywh=0,0,8,8&id=1": "boat"}
    assert pictures(tmp_path / "out")["a.png"] == picture(ord("x"), side=32)
    check_undone(tmp_path, done)


def test_a_picture_all_of_whose_boxes_are_dropped_stays_behind(tmp_path: Path) -> None:
    table = _boxes(tmp_path, "x/a.png,car,0,0,8,8,1\ny/a.png,car,0,0,9,8,3\n")
    done = applied(tmp_path, table, '"x/a.png#xywh=0,0,8,8&id=1",drop,')
    assert set(pictures(tmp_path / "out")) == {"a.png", "metadata.csv"}
    assert done.n_pictures == 1


def test_boxes_that_no_table_can_tell_are_refused(tmp_path: Path) -> None:
    table = _boxes(tmp_path, "x/a.png,car,0,0,1,1,1\nx/a.png,car,3,0,1,1,2\n")
    with pytest.raises(InputError, match="No table can tell these boxes from boxes in shares"):
        applied(tmp_path, table, '"x/a.png#xywh=3,0,1,1&id=2",drop,')
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["other/1.png,drop,"], "of other images"),
        (["car/1.png,drop,", "./car/1.png,keep,"], "contradict"),
        (["car/1.png,keep,tree"], "keeps its image, which is labelled car, and names the label 'tree'"),
        (["car/1.png,relabel,Car"], "differs from that of the class 'car'"),
        (["car/1.png,relabel,unknown"], "can't be called 'unknown'"),
        ([f"{name},drop," for name in NAMES], "drops every image"),
    ],
)
def test_lists_that_are_refused_before_anything_is_written(
    source: Path, tmp_path: Path, rows: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        apply_fixes(source, fixes(tmp_path, *rows), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_outputs_that_are_refused(source: Path, tmp_path: Path) -> None:
    path = fixes(tmp_path, "car/1.png,drop,")
    for output in (source, source / "new", source / ".." / "data" / "x"):
        with pytest.raises(InputError, match="lies within"):
            apply_fixes(source, path, output)
    with pytest.raises(InputError, match="is a file"):
        apply_fixes(source, path, path)
    with pytest.raises(InputError, match="is not empty"):
        apply_fixes(source, path, tmp_path)
    done = apply_fixes(source, path, tmp_path / "out")
    with pytest.raises(InputError, match="is not empty") as told:
        apply_fixes(source, path, tmp_path / "out")
    assert f"--undo {done.manifest}" in str(told.value)


def test_a_folder_that_was_made_beforehand_and_a_link_to_it(source: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "there")
    done = apply_fixes(source, fixes(tmp_path, "car/1.png,drop,"), tmp_path / "out")
    assert len(pictures(tmp_path / "there")) == len(NAMES) - 1
    undo_fixes(done.manifest)
    assert list((tmp_path / "there").iterdir()) == []


def test_a_full_disk(source: Path, tmp_path: Path, small_disk: Path) -> None:
    for number in range(12):
        (source / "car" / f"large-{number:02}.png").write_bytes(bytes([number]) * 150_000)
    path = fixes(tmp_path, "car/1.png,drop,")
    with pytest.raises(InputError, match="cannot be written: No space left"):
        apply_fixes(source, path, small_disk / "out")
    made = pictures(small_disk / "out")
    assert 0 < len(made) < 12
    (manifest,) = (small_disk / "out").glob("inkling-audit-*.jsonl")
    assert undo_fixes(manifest).n_removed == len(made)
    fill(small_disk)
    with pytest.raises(InputError, match="cannot be written"):
        apply_fixes(source, path, small_disk / "out")
    assert tree(small_disk / "out") == {}


def test_killed_in_between(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is there stands in the manifest."""

    def kill(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    file, calls = Cabinet.file, iter(range(9))
    monkeypatch.setattr(Cabinet, "file", lambda *a, **k: file(*a, **k) if next(calls) < 3 else kill())
    with pytest.raises(KeyboardInterrupt):
        apply_fixes(source, fixes(tmp_path, "car/1.png,drop,"), tmp_path / "out")
    assert len(pictures(tmp_path / "out")) == 3
    (manifest,) = (tmp_path / "out").glob("inkling-audit-*.jsonl")
    assert undo_fixes(manifest).n_removed == 3
    assert tree(tmp_path / "out") == {}
