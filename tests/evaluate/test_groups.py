"""--by: top-1 by a column, counted by hand."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from inkling import FewShotClassifier
from inkling.errors import InputError
from inkling.evaluate.groups import EMPTY, group_scores, groups_of_table
from inkling.evaluate.run import evaluate_classifier
from inkling.images.sources import find_images
from inkling.sketch import write_dataset
from tests.cli.program import Inkling

CAMERAS = ("north", "south", "")


def table(folder: Path, *, suffix: str = ".csv") -> Path:
    """Pictures of the test part, those of the camera `south` under wrong labels."""
    rows = []
    for at, picture in enumerate(sorted((folder / "test").rglob("*.png"))):
        kind, camera = picture.parent.name, CAMERAS[at % 3]
        label = {"car": "tree", "tree": "car"}[kind] if camera == "south" else kind
        rows.append({"path": str(picture.relative_to(folder)), "label": label, "Camera": camera})
    path = folder / f"t{suffix}"
    if suffix == ".jsonl":
        path.write_text("\n".join(map(json.dumps, rows)))
        return path
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["path", "label", "Camera"], delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def inkling(tmp_path: Path) -> Inkling:
    write_dataset(tmp_path / "train", ["car", "tree"], 6, seed=1)
    write_dataset(tmp_path / "test", ["car", "tree"], 6, seed=2)
    FewShotClassifier("sketch").fit(tmp_path / "train").save(tmp_path / "a.ink")
    return Inkling(tmp_path, tmp_path / "cache")


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_groups_are_counted_and_the_worst_comes_first(inkling: Inkling, suffix: str) -> None:
    source = table(inkling.folder, suffix=suffix)
    classifier = FewShotClassifier.load(inkling.folder / "a.ink")
    run = evaluate_classifier(classifier, classifier.embed(find_images(source).records))
    found = group_scores(run, groups_of_table(source, "camera"))
    assert {one.group for one in found} == {"north", "south", EMPTY}
    assert found[0].group == "south"
    assert [one.n for one in found] == [4, 4, 4]
    assert sum(one.n * one.top1 for one in found) == pytest.approx(run.evaluation.n * run.evaluation.scores.top1)
    for one in found:
        assert one.interval.low <= one.top1 <= one.interval.high


def test_the_verb_names_the_worst_group(inkling: Inkling) -> None:
    source = table(inkling.folder)
    done = inkling.here("evaluate", "a.ink", source.name, "--by", "camera", "--json", "a.json")
    assert done.code == 0, done.err
    assert "Worst camera: south" in done.err
    told = json.loads((inkling.folder / "a.json").read_text())["by"]
    assert told["column"] == "camera"
    assert told["groups"][0].keys() == {"group", "n", "top1", "ci95"}


def test_what_has_no_such_column_is_refused(inkling: Inkling) -> None:
    source = table(inkling.folder)
    inkling.here("evaluate", "a.ink", "test", "--by", "camera").refused("no table", "camera")
    inkling.here("evaluate", "a.ink", source, "--by", "day").refused("no column 'day'")
    few_shot = ("--protocol", "few-shot", "--encoder", "sketch")
    inkling.here("evaluate", "train", "test", *few_shot, "--by", "camera").refused("--by")
    with pytest.raises(InputError, match="no table"):
        groups_of_table("-", "camera")


def test_boxes_in_one_picture_can_be_of_several_groups_and_paths_begin_in_the_root(inkling: Inkling) -> None:
    pictures = sorted((inkling.folder / "test").rglob("*.png"))[:4]
    lines = ["path,label,x,y,width,height,distance"]
    for picture in pictures:
        file, kind = picture.relative_to(inkling.folder), picture.parent.name
        lines += [f"{file},{kind},0,0,1,1,near", f"{file},{kind},0.1,0.1,0.8,0.8,far"]
    (inkling.folder / "tables").mkdir()
    (inkling.folder / "tables" / "t.csv").write_text("\n".join(lines))
    arguments = ("--root", inkling.folder, "--by", "distance", "--json", "-")
    told = inkling.here("evaluate", "a.ink", "tables/t.csv", *arguments).json()
    assert {one["group"]: one["n"] for one in told["by"]["groups"]} == {"near": 4, "far": 4}


def test_the_report_has_the_groups_and_runs_nothing_of_their_names(inkling: Inkling) -> None:
    source = table(inkling.folder)
    hostile = "<script>alert(1)</script>"
    source.write_text(source.read_text().replace("north", hostile).replace("Camera", "<b>Camera</b>"))
    done = inkling.here("evaluate", "a.ink", source, "--by", "<b>camera</b>", "--report", "r.html")
    assert done.code == 0, done.err
    page = (inkling.folder / "r.html").read_text()
    assert 'id="groups"' in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert hostile not in page
    assert "Groups by <bdi>&lt;b&gt;camera&lt;/b&gt;</bdi>" in page
    assert "Worst: <bdi>south</bdi>" in page
    inkling.here("evaluate", "a.ink", source, "--report", "plain.html")
    assert 'id="groups"' not in (inkling.folder / "plain.html").read_text()
