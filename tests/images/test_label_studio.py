"""Exports of Label Studio as sources of images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inkling.errors import InputError
from inkling.images.boxes import BoxReading
from inkling.images.decode import load
from inkling.images.label_studio import local_path
from inkling.images.sources import Found, find_images
from tests.images.pictures import encoded, photo


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("a.png", "sub/b c.png", "upload/1/d.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(encoded(photo(), "PNG"))
    return tmp_path


def task(image: str, *results: dict[str, Any], **annotation: Any) -> dict[str, Any]:
    return {"id": 1, "data": {"camera": "north", "image": image}, "annotations": [{"result": [*results], **annotation}]}


def choice(*labels: str) -> dict[str, Any]:
    return {"from_name": "kind", "to_name": "img", "type": "choices", "value": {"choices": [*labels]}}


def box(label: str, **value: Any) -> dict[str, Any]:
    sides = {"x": 25, "y": 50, "width": 50, "height": 25, "rotation": 0}
    return {"id": "q1", "type": "rectanglelabels", "value": {**sides, "rectanglelabels": [label], **value}}


def read(folder: Path, *tasks: dict[str, Any]) -> Found:
    (folder / "export.json").write_text(json.dumps(tasks), encoding="utf-8")
    return find_images(folder / "export.json", boxes=BoxReading())


def test_choices_are_labels_wherever_the_pictures_are(root: Path) -> None:
    found = read(
        root,
        task("/data/local-files/?d=a.png", choice("cat")),
        task("http://localhost:8080/data/local-files/?d=sub/b%20c.png", choice(" dog ")),
        task("/data/upload/1/d.png", choice("cat")),
    )
    assert [(Path(one.path).relative_to(root).as_posix(), one.label) for one in found.records] == [
        ("a.png", "cat"),
        ("sub/b c.png", "dog"),
        ("upload/1/d.png", "cat"),
    ]
    assert found.ignored == {}


def test_boxes_are_percentages(root: Path) -> None:
    (record,) = read(root, task("a.png", box("cat"), box("dog", rotation=30), box("dog", x="left"))).records
    assert record.label == "cat"
    assert load(record).image.size == (24, 10)


def test_what_is_left_out_is_counted(root: Path) -> None:
    found = read(
        root,
        task("a.png", choice("cat")),
        task("https://example.com/b.png", choice("cat")),
        task("sub/b c.png", choice("cat", "dog")),
        task("upload/1/d.png", choice("dog"), was_cancelled=True),
        {"id": 5, "data": {"text": "no picture"}},
        task("a.png", box("cat", rotation=45), box("cat", x=None)),
    )
    assert [one.label for one in found.records] == ["cat"]
    assert found.ignored == {
        "annotations whose box is not four numbers": 1,
        "rotated boxes": 1,
        "tasks under several choices": 1,
        "tasks without a choice or a box": 2,
        "tasks whose picture is at an address, which is not fetched (task 1)": 1,
        "tasks that name no picture file (task 5)": 1,
    }


def test_annotators_who_disagree_give_no_label(root: Path) -> None:
    disputed = task("a.png", choice("cat"))
    disputed["annotations"].append({"result": [choice("dog")]})
    found = read(root, disputed, task("sub/b c.png", choice("dog")))
    assert [one.label for one in found.records] == ["dog"]
    assert found.ignored == {"tasks under several choices": 1}


def test_tasks_that_nobody_has_labelled_are_images(root: Path) -> None:
    found = read(root, {"data": {"image": "a.png"}}, {"data": {"image": "sub/b c.png"}, "annotations": []})
    assert [one.label for one in found.records] == [None, None]


@pytest.mark.parametrize(
    "odd",
    [
        {"data": {"image": "a.png"}, "annotations": 3},
        {"data": {"image": "a.png"}, "annotations": [None, {"result": {"a": 1}}, {"result": [None, {"type": 3}]}]},
        task("a.png", {"type": "choices", "value": {"choices": [None, [], {}]}}),
        task("a.png", {"type": "choices", "value": 7}),
        task("a.png", {"type": "rectanglelabels", "value": None}),
        task("http://[/data/local-files/?d=a.png"),
        {"data": {"image": None, "other": 7}},
    ],
)
def test_odd_tasks_break_nothing(root: Path, odd: dict[str, Any]) -> None:
    assert [one.label for one in read(root, odd, task("sub/b c.png", choice("cat"))).records] == ["cat"]


def test_lists_of_something_else_are_refused(root: Path) -> None:
    for content in ([], [{"image_id": 1, "category_id": 2}], [{"data": {}}, 3]):
        (root / "list.json").write_text(json.dumps(content), encoding="utf-8")
        with pytest.raises(InputError, match="is a list of"):
            find_images(root / "list.json")


@pytest.mark.parametrize("value", ["s3://b/c.png", "https://example.com/c.png", "data:image/png;base64,AA"])
def test_addresses_are_elsewhere(value: str) -> None:
    assert local_path(value) is None


def test_paths_of_windows_are_no_addresses() -> None:
    assert local_path("C:\\pictures\\a.png") == "C:\\pictures\\a.png"
