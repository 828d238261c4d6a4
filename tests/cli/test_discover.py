"""inkling discover and predict --observe from the outside: new kinds of pictures, from the inbox to a known class."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from inkling.sketch import write_dataset
from tests.cli.program import Inkling

KNOWN = ("car", "house", "tree", "cat", "boat")
NEW = ("umbrella",)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``train`` of known kinds; ``inbox`` of these and a new kind."""
    folder = tmp_path_factory.mktemp("pictures")
    write_dataset(folder / "train", KNOWN, 10, seed=1, size=64)
    write_dataset(folder / "inbox", (*KNOWN, *NEW), 12, seed=2, size=64)
    return folder


@pytest.fixture
def fitted(inkling: Inkling, pictures: Path) -> Inkling:
    done = inkling.here("fit", pictures / "train", "--memory", "a.ink", "--encoder", "sketch", "--false-alarms", "0.1")
    assert done.code == 0, done.err
    assert "10 % false alarms requested" in done.out
    return inkling


def test_from_an_inbox_to_a_known_class_and_back(fitted: Inkling, pictures: Path) -> None:
    done = fitted.here("discover", "a.ink", pictures / "inbox", "--report", "sheet.html", "--json", "found.json")
    assert done.code == 0, done.err
    found = fitted.here("proposals", "a.ink", "--json", "-").json()["proposals"]
    umbrella = [one for one in found if sum("umbrella" in image for image in one["images"]) > len(one["images"]) / 2]
    assert len(umbrella) == 1
    sheet = (fitted.folder / "sheet.html").read_text()
    assert sheet.count("data:image/jpeg") >= 5
    assert "<script" not in sheet
    accepted = fitted.here("accept", "a.ink", umbrella[0]["id"], "--name", "umbrella")
    assert accepted.code == 0, accepted.err
    labels = _predicted(fitted, pictures / "inbox" / "umbrella")
    assert labels.count("umbrella") >= 9
    assert fitted.here("undo", "a.ink").code == 0
    assert "umbrella" not in _predicted(fitted, pictures / "inbox" / "umbrella")
    assert fitted.here("verify", "a.ink").code == 0


def _predicted(inkling: Inkling, images: Path) -> list[str]:
    assert inkling.here("predict", "a.ink", images, "--output", "out.csv").code == 0
    with (inkling.folder / "out.csv").open() as file:
        return [row["label"] for row in csv.DictReader(file)]


def test_predictions_say_what_is_unknown(fitted: Inkling, pictures: Path) -> None:
    rows = fitted.here("predict", "a.ink", pictures / "inbox", "--json", "-").json()["predictions"]
    unknown = {kind: [one["unknown"] for one in rows if f"/{kind}/" in one["path"]] for kind in (*KNOWN, *NEW)}
    assert sum(unknown["umbrella"]) > 6
    assert sum(sum(unknown[kind]) for kind in KNOWN) < 20
    assert all(0 < one["p_known"] <= 1 for one in rows)
    assert "unknown (" in fitted.here("predict", "a.ink", pictures / "inbox" / "umbrella").out


def test_unknown_images_get_likely_names(fitted: Inkling, pictures: Path) -> None:
    (fitted.folder / "names.txt").write_text("umbrella\nmoon\ncar\n")
    watched = pictures / "inbox" / "umbrella"
    done = fitted.here(
        "predict", "a.ink", watched, "--vocabulary", "names.txt", "--output", "a.csv", "--json", "a.json"
    )
    assert done.code == 0, done.err
    with (fitted.folder / "a.csv").open() as file:
        cells = list(csv.DictReader(file))
    rows = [(row["unknown"] == "true", [row[f"name{k}"] for k in range(1, 6) if row[f"name{k}"]]) for row in cells]
    assert all(sorted(names) == (["moon", "umbrella"] if unknown else []) for unknown, names in rows)
    first = [names[0] for unknown, names in rows if unknown]
    assert first.count("umbrella") > len(first) / 2
    told = json.loads((fitted.folder / "a.json").read_text())["predictions"]
    assert [one["names"] for one in told] == [names for _, names in rows]
    assert "may be" in fitted.here("predict", "a.ink", watched, "--vocabulary", "names.txt").out
    assert "may be" not in fitted.here("predict", "a.ink", watched, "--names", "0").out


def test_unknown_images_are_compared_with_names_of_no_known_class(inkling: Inkling, pictures: Path) -> None:
    (inkling.folder / "names.txt").write_text("umbrella\nmoon\ncar\nlimousine\nmug\nkey\n")
    options = ("--memory", "v.ink", "--encoder", "sketch", "--vocabulary", "names.txt")
    fitted = inkling.here("fit", pictures / "train", *options, "--json", "-").json()
    assert "negative_labels" in fitted["unknown"]["scores"]
    plain = inkling.here("fit", pictures / "train", *options[:-2], "--replace", "--json", "-").json()
    assert "no names" in plain["unknown"]["dropped"]["negative_labels"]
    inkling.here("fit", pictures / "train", *options[:-1], "none.txt", "--replace").refused("none.txt", "nouns")


def test_images_are_watched_as_they_come(fitted: Inkling, pictures: Path) -> None:
    for kind in ("car", "umbrella", "house"):
        done = fitted.here("predict", "a.ink", pictures / "inbox" / kind, "--observe", "--output", f"{kind}.csv")
        assert done.code == 0, done.err
    again = fitted.here("discover", "a.ink", "--json", "-").json()
    assert again["images"] == 0
    assert again["waiting"] > 5
    verbs = [one["verb"] for one in fitted.here("history", "a.ink", "--json", "-").json()["events"]]
    assert verbs.count("observe") == 3
    assert "discover" in verbs


def test_what_cannot_be_is_refused(fitted: Inkling, pictures: Path) -> None:
    fitted.here(
        "fit", pictures / "train", "--memory", "b.ink", "--encoder", "sketch", "--false-alarms", "0.001"
    ).refused("needs at least 999 known images")
    assert not (fitted.folder / "b.ink").exists()
    fitted.here("discover", "a.ink", "nowhere").refused("nowhere")
    fitted.here("discover", "a.ink", pictures / "inbox", "--vocabulary", "none.txt").refused("none.txt")
    fitted.here("accept", "a.ink", 99).refused("99")
