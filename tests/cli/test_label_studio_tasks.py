"""inkling predict --format label-studio: tasks with predictions, which Label Studio imports and Inkling reads again."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import Inkling
from tests.cli.test_boxes import annotated

CONFIG = """<View><Image name="img" value="$photo"/>
<Choices name="kind" toName="img"><Choice value="car"/><Choice value="house"/>{more}</Choices></View>"""


@pytest.fixture
def media(inkling: Inkling, drawn: Path) -> Path:
    """A folder that Label Studio serves files from."""
    shutil.copytree(drawn / "test", inkling.folder / "media" / "some pictures")
    return inkling.folder / "media"


def predicted(inkling: Inkling, *options: object) -> list[dict[str, Any]]:
    options = ("--format", "label-studio", "--output", "tasks.json", *options)
    done = inkling.here("predict", "drawn.ink", "media", *options, "--json", "out.json")
    assert done.code == 0, done.err
    tasks: list[dict[str, Any]] = json.loads((inkling.folder / "tasks.json").read_text())
    return tasks


def test_tasks_are_the_verdicts(inkling: Inkling, memory: Path, media: Path) -> None:
    tasks = predicted(inkling, "--root", media)
    verdicts = json.loads((inkling.folder / "out.json").read_text())["predictions"]
    assert len(tasks) == len(verdicts) == 24
    for task, verdict in zip(tasks, verdicts, strict=True):
        kind, name = Path(verdict["path"]).parts[-2:]
        assert task["data"] == {"image": f"/data/local-files/?d=some%20pictures/{kind}/{name}"}
        (prediction,) = task["predictions"]
        assert prediction["model_version"] == "1"
        if verdict["unknown"]:
            assert (prediction["result"], prediction["score"]) == ([], 0)
            continue
        assert prediction["score"] == verdict["probability"]
        assert prediction["result"] == [
            {
                "from_name": "choice",
                "to_name": "image",
                "type": "choices",
                "value": {"choices": [verdict["label"]]},
                "score": verdict["probability"],
            }
        ]
    again = inkling.here("predict", memory, "tasks.json", "--root", media, "--json", "-").json()["predictions"]
    assert [one["label"] for one in again] == [one["label"] for one in verdicts]


def test_names_are_those_of_the_labelling_interface(inkling: Inkling, memory: Path, media: Path) -> None:
    (inkling.folder / "few.xml").write_text(CONFIG.format(more=""))
    few = predicted(inkling, "--root", media, "--label-config", "few.xml")
    chosen = [one["predictions"][0] for one in few]
    assert all("photo" in one["data"] for one in few)
    assert {value for one in chosen for each in one["result"] for value in each["value"]["choices"]} == {"car", "house"}
    assert any(one["result"] == [] for one in chosen), "trees cannot be chosen"
    (inkling.folder / "all.xml").write_text(CONFIG.format(more='<Choice value="tree"/><Choice value="unknown"/>'))
    every = predicted(inkling, "--root", media, "--label-config", "all.xml")
    assert all(one["predictions"][0]["result"][0]["from_name"] == "kind" for one in every)


def test_standard_output(inkling: Inkling, memory: Path, media: Path) -> None:
    done = inkling.here("predict", memory, "media", "--format", "label-studio", "--output", "-", "--root", media)
    assert len(done.json()) == 24


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--format", "label-studio"), "--format label-studio writes JSON"),
        (("--format", "label-studio", "--output", "a.csv"), "--format label-studio writes JSON"),
        (("--format", "coco", "--output", "a.json"), "'coco' is no format"),
        (("--output", "a.json"), "neither .csv nor .parquet"),
        (("--label-config", "a.xml"), "--label-config has no effect"),
        (("--format", "label-studio", "--output", "a.json", "--label-config", "no.xml"), "cannot be read"),
        (("--format", "label-studio", "--output", "a.json", "--label-config", "bad.xml"), "no choice about an image"),
        (("--format", "label-studio", "--output", "a.json", "--root", "elsewhere"), "does not lie in"),
    ],
)
def test_what_cannot_be_meant(inkling: Inkling, memory: Path, media: Path, options: tuple[str, ...], told: str) -> None:
    (inkling.folder / "elsewhere").mkdir()
    (inkling.folder / "bad.xml").write_text("<View/>")
    inkling.here("predict", memory, "media", *options).refused(told)
    assert not (inkling.folder / "a.json").exists()


def test_pictures_that_label_studio_cannot_show(inkling: Inkling, memory: Path, drawn: Path) -> None:
    annotated(drawn / "test", inkling.folder / "boxes", per_class=1)
    options = ("--format", "label-studio", "--output", "a.json")
    inkling.here("predict", memory, "boxes/boxes.json", *options).refused("is a box")
    with zipfile.ZipFile(inkling.folder / "a.zip", "w") as archive:
        archive.write(next((drawn / "test" / "car").iterdir()), "car/1.png")
    inkling.here("predict", memory, "a.zip", *options).refused("pictures in a zip")
