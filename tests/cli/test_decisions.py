"""The verbs of decisions: what they print, what JSON they give, and what they refuse."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from inkling.sketch import write_dataset
from tests.cli.program import Inkling
from tests.review.conftest import fit_and_pool

VERBS = (
    "accept merge split move rename discard classes add-class remove-class undo history verify backup copy "
    "proposals refit"
)


@pytest.fixture
def memory(inkling: Inkling) -> str:
    """A memory with two proposals, in the program's folder."""
    fit_and_pool(inkling.folder / "m.ink")
    return "m.ink"


def test_proposals_are_listed(inkling: Inkling, memory: str) -> None:
    listed = inkling.here("proposals", memory, "--json", "-").json()["proposals"]
    assert [one["id"] for one in listed] == [1, 2]
    assert listed[0]["names"] == ["bench"]
    assert listed[0]["size"] == 6
    assert listed[0]["stability"] == 0.9
    assert listed[0]["images"] == [f"bench/{k}.jpg" for k in range(6)]
    table = inkling.here("proposals", memory)
    assert "bench" in table.out
    assert "plant" in table.out


def test_a_proposal_becomes_a_class_and_is_taken_back(inkling: Inkling, memory: str) -> None:
    done = inkling.here("accept", memory, 1, "--name", "park bench")
    assert done.code == 0, done.err
    assert done.out == "Proposal 1 is now the class 'park bench': 6 images, no text vector.\n"
    assert "'inkling undo' takes it back" in done.err
    classes = inkling.here("classes", memory, "--json", "-").json()["classes"]
    assert {"name": "park bench", "images": 6, "prompts": [], "aliases": [], "has_text": False} in classes
    undone = inkling.here("undo", memory)
    assert undone.out == "Taken back: accept proposal 1, name park bench.\n"
    assert "park bench" not in inkling.here("classes", memory).out
    history = inkling.here("history", memory, "--json", "-").json()["events"]
    assert [event["verb"] for event in history[-2:]] == ["accept", "undo"]
    assert history[-1]["undoes"] == history[-2]["event"]
    assert "taken back by" in inkling.here("history", memory).out


def test_a_proposal_joins_a_known_class_and_is_taken_back(inkling: Inkling, memory: str) -> None:
    before = inkling.here("classes", memory).out
    inkling.here("accept", memory, 1, "--name", "van").refused("There is a class 'van' already", "--join")
    done = inkling.here("accept", memory, 1, "--name", "van", "--join")
    assert done.code == 0, done.err
    assert done.out == "Proposal 1 belongs to the class 'van': 6 images.\n"
    classes = {one["name"]: one["images"] for one in inkling.here("classes", memory, "--json", "-").json()["classes"]}
    assert classes == {"car": 8, "truck": 8, "van": 14}
    assert inkling.here("undo", memory).code == 0
    assert inkling.here("classes", memory).out == before
    assert [one["id"] for one in inkling.here("proposals", memory, "--json", "-").json()["proposals"]] == [1, 2]


def test_the_other_decisions(inkling: Inkling, memory: str) -> None:
    def says(*arguments: object) -> str:
        done = inkling.here(*arguments)
        assert done.code == 0, done.err
        return done.out

    assert says("merge", memory, 1, 2) == "Proposals 1 and 2 are now proposal 3: 12 images.\n"
    assert says("split", memory, 1) == "Proposal 3 is now proposals 4 (6 images) and 5 (6 images).\n"
    assert says("rename", memory, 5, "fern") == "Proposal 5 is now called 'fern'.\n"
    assert says("accept", memory, 5) == "Proposal 5 is now the class 'fern': 6 images, no text vector.\n"
    assert says("rename", memory, "fern", "moss") == "The class 'fern' is now called 'moss'.\n"
    assert says("discard", memory, 4) == "Proposal 4 is discarded: 6 images.\n"
    assert says("remove-class", memory, "moss") == "The class 'moss' is no longer known: 6 images.\n"
    assert says("refit", memory) == "The head was fitted anew.\n"
    assert "is whole: version" in says("verify", memory)
    assert says("backup", memory, "copy.ink").endswith("of m.ink is in copy.ink.\n")
    assert "of m.ink is in there.ink: " in says("copy", memory, "there.ink")
    assert says("classes", "copy.ink") == says("classes", memory)


def test_a_class_is_added_by_images_and_by_text(inkling: Inkling, memory: str, drawn: Path, tmp_path: Path) -> None:
    fitted = inkling.here("fit", drawn / "train", "--memory", "drawn.ink", "--encoder", "sketch")
    assert fitted.code == 0, fitted.err
    inkling.here("remove-class", "drawn.ink", "car")
    shutil.copytree(drawn / "train" / "car", inkling.folder / "cars")
    (inkling.folder / "cars" / "a.png").write_text("no picture")
    done = inkling.here("add-class", "drawn.ink", "car", "--images", "cars")
    assert done.code == 0, done.err
    assert done.out.startswith("The class 'car' is known now: 6 images, a text vector. Skipped 1 image, the first: ")
    assert "a.png" in done.out
    done = inkling.here("add-class", "drawn.ink", "boat", "--prompt", "a drawing of a boat")
    predicted = inkling.here("predict", "drawn.ink", drawn / "test" / "car", "--json", "-").json()["predictions"]
    assert sum(one["label"] == "car" for one in predicted) >= 6


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("accept", 9), "There is no proposal 9.\nOpen proposals: 1, 2."),
        (("accept", 1, "--name", "van"), "There is a class 'van' already"),
        (("accept", 1, "--name", "vann", "--join"), "Did you mean 'van'?"),
        (("merge", 1, 1), "two different open proposals"),
        (("rename", "vna", "bus"), "Did you mean 'van'?"),
        (("rename", "van", "car"), "There is a class 'car' already"),
        (("rename", 7, "car"), "There is no proposal 7"),
        (("remove-class", "trukc"), "Did you mean 'truck'?"),
        (("add-class", "bus"), "Give images of it with --images"),
        (("add-class", "van", "--prompt", "a van"), "There is a class 'van' already"),
        (("add-class", "bus", "--images", "."), "Hand over vectors of the same kind"),
        (("accept", 1), "Proposal 1 has no name yet; it may be: bench.\nSay what it is with --name NAME"),
        (("accept", 1, "--name", "pew", "--first-name"), "Leave one of --name and --first-name out"),
        (("accept", 1, "--name", "VAN"), "differs from that of the class 'van' by case, spaces or Unicode form"),
        (("rename", 1, "v an"), "differs from that of the class 'van'"),
        (("rename", "car", "Tru ck"), "differs from that of the class 'truck'"),
        (("add-class", "CA r", "--prompt", "a car"), "differs from that of the class 'car'"),
        (("move", "none.jpg", "--to", "van"), "has no image 'none.jpg'"),
        (("move", "0.jpg", "--to", "van"), "may be 2 images: bench/0.jpg, plant/0.jpg"),
        (("move", "bench/0.jpg", "--to", "vann"), "Did you mean 'van'?"),
        (("move", "bench/0.jpg", "--to", 1), "is in proposal 1 already"),
        (("backup", "m.ink"), "A copy replaces nothing"),
        (("copy", "m.ink"), "A copy replaces nothing"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    inkling: Inkling, memory: str, arguments: tuple[object, ...], told: str
) -> None:
    (inkling.folder / "a.jpg").write_bytes(b"no picture")
    verb, *rest = arguments
    before = (inkling.folder / memory).read_bytes()
    inkling.here(verb, memory, *rest).refused(told)
    assert (inkling.folder / memory).read_bytes() == before


def test_undo_reaches_the_fit(inkling: Inkling, memory: str) -> None:
    first = inkling.here("undo", memory).out
    assert first.endswith(". 2 observations before it can be taken back too, each by one more 'inkling undo'.\n")
    for verb in ("observe", "observe"):
        assert inkling.here("undo", memory).out.startswith(f"Taken back: {verb}")
    inkling.here("undo", memory).refused("There is nothing to undo")


def test_the_first_name_is_taken_when_asked_for(inkling: Inkling, memory: str) -> None:
    assert "the class 'bench'" in inkling.here("accept", memory, 1, "--first-name").out


def test_an_image_is_moved(inkling: Inkling, memory: str) -> None:
    moved = inkling.here("move", memory, "bench/0.jpg", "--to", 2)
    assert moved.out == "The image bench/0.jpg was in proposal 1; it is in proposal 2 now.\n", moved.err
    assert "is in the class 'van' now" in inkling.here("move", memory, "bench/0.jpg", "--to", "van").out
    out = inkling.here("move", memory, "bench/0.jpg", "--to", "nowhere").out
    assert out == "The image bench/0.jpg was in the class 'van'; it is in no class and no proposal now.\n"
    listed = inkling.here("proposals", memory, "--json", "-").json()["proposals"]
    assert [len(one["images"]) for one in listed] == [one["size"] for one in listed] == [5, 6]
    assert inkling.here("verify", memory).code == 0


def test_an_existing_memory_is_updated_or_replaced_and_never_by_the_way(
    inkling: Inkling, drawn: Path, tmp_path: Path
) -> None:
    fit = ("--memory", "m.ink", "--encoder", "sketch")
    write_dataset(tmp_path / "more", ("car", "boat"), 4, seed=7)
    assert inkling.here("fit", drawn / "train", *fit).code == 0
    inkling.here("rename", "m.ink", "tree", "oak")
    before = (inkling.folder / "m.ink").read_bytes()
    inkling.here("fit", tmp_path / "more", *fit).refused(
        "There is a memory at",
        "would lose 3 classes of 18 images, 1 change that can be undone",
        "--update",
        "--replace",
    )
    for options, told in ((("--head", "gda"), "--head would have no effect"), (("--replace",), "--replace would")):
        inkling.here("fit", tmp_path / "more", "--memory", "m.ink", "--update", *options).refused(told)
    assert (inkling.folder / "m.ink").read_bytes() == before
    updated = inkling.here("fit", tmp_path / "more", "--memory", "m.ink", "--update")
    assert updated.out == "Added 8 images to what was known.\n", updated.err
    assert "New classes: boat." in updated.err
    assert "More images of: car." in updated.err
    again = inkling.here("fit", tmp_path / "more", "--memory", "m.ink", "--update", "--json", "-")
    assert again.json()["outcome"] is None
    classes = {one["name"]: one for one in inkling.here("classes", "m.ink", "--json", "-").json()["classes"]}
    assert {name: one["images"] for name, one in classes.items()} == {"boat": 4, "car": 10, "house": 6, "oak": 6}
    assert classes["boat"]["has_text"]
    assert inkling.here("undo", "m.ink").out == "Taken back: update images 8.\n"
    assert "boat" not in inkling.here("classes", "m.ink").out
    replaced = inkling.here("fit", tmp_path / "more", *fit, "--replace")
    assert "Replaced version" in replaced.err
    assert "which held 3 classes of 18 images" in replaced.err
    inkling.here("fit", tmp_path / "more", "--memory", "none.ink", "--update").refused("There is no memory at")


def test_two_classes_must_stay(inkling: Inkling, memory: str) -> None:
    inkling.here("remove-class", memory, "van")
    inkling.here("remove-class", memory, "car").refused("at least two classes")


@pytest.mark.parametrize("verb", VERBS.split())
def test_a_missing_memory_is_reported(inkling: Inkling, verb: str) -> None:
    more = {
        "accept": [1],
        "merge": [1, 2],
        "split": [1],
        "discard": [1],
        "rename": ["a", "b"],
        "backup": ["b.ink"],
        "copy": ["b.ink"],
    }
    more |= {"move": ["a.jpg", "--to", "a"]}
    more |= {"add-class": ["a", "--prompt", "a"], "remove-class": ["a"]}
    inkling.here(verb, "nowhere.ink", *more.get(verb, [])).refused("There is no memory at")


@pytest.mark.skipif(os.name == "nt", reason="terminals of POSIX")
def test_a_person_at_a_terminal_is_asked_for_the_name(inkling: Inkling, memory: str) -> None:
    import pty

    ours, theirs = pty.openpty()
    process = inkling.started("accept", memory, "1", stdin=theirs, stderr=theirs)
    os.close(theirs)
    asked = b""
    while b"?" not in asked:
        asked += os.read(ours, 1024)
    os.write(ours, b"park bench\n")
    out, _ = process.communicate(timeout=120)
    os.close(ours)
    assert b"What is proposal 1 (6 images; may be bench)?" in asked
    assert process.returncode == 0
    assert out == "Proposal 1 is now the class 'park bench': 6 images, no text vector.\n"
