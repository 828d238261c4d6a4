"""A page travels: it tells no folder of the machine that made it, and no password."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from inkling.evaluate.results import EvaluationContext
from inkling.reports.evaluation import render_report
from inkling.reports.portable import page_provenance, shown_command, shown_name, shown_paths, shown_text
from inkling.types import SkippedImage
from tests.evaluate.made_up import evaluated, jpeg

HOME = "/home/ada/secret project"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("/home/ada/work/vehicles.ink", "vehicles.ink"),
        ("vehicles.ink", "vehicles.ink"),
        ("/srv/photos/test", "photos/test"),
        ("/srv/photos/birds.zip", "birds.zip"),
        ("../photos/birds", "birds"),
        ("~/test", "test"),
        ("C:\\Users\\ada\\m.ink", "m.ink"),
        ("postgresql://ada:tiger@db.example/animals?password=lion", "animals"),
    ],
)
def test_a_title_is_a_name_and_no_place(name: str, shown: str) -> None:
    assert shown_name(name) == shown


def test_paths_keep_what_tells_them_apart() -> None:
    assert shown_paths(["/d/x/test/cat/1.jpg", "/d/x/test/dog/1.jpg"]) == ("cat/1.jpg", "dog/1.jpg")
    assert shown_paths(["/d/x/test/cat/1.jpg"]) == ("1.jpg",)
    assert shown_paths(["cat/1.jpg", "image 3"]) == ("cat/1.jpg", "image 3")
    assert shown_paths(["/a/b/1.jpg", "/c/d/2.jpg"]) == ("b/1.jpg", "d/2.jpg")
    assert shown_paths([]) == ()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("images/s and 5/8 and a/b", "images/s and 5/8 and a/b"),
        ("it is a copy of /home/ada/x/1.jpg.", "it is a copy of 1.jpg."),
        ("'/home/ada/encoders/clip' (32)", "'clip' (32)"),
        ("openai/clip-vit-base-patch32", "openai/clip-vit-base-patch32"),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
        ("postgresql://ada:tiger@db/m", "postgresql://ada:***@db/m"),
    ],
)
def test_texts_keep_all_but_places(text: str, shown: str) -> None:
    assert shown_text(text) == shown


def test_the_command_can_be_given_by_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["evaluate", "a.ink", "/srv/photos/test", "--report=/tmp/x/r.html", "--seed", "3"]
    monkeypatch.setattr(sys, "argv", ["/opt/venv/bin/main.py", *words])
    assert shown_command() == "inkling evaluate a.ink photos/test --report=r.html --seed 3"
    assert page_provenance(None, seed=3)["Seed"] == "3"
    assert "/opt" not in str(page_provenance(None))


def test_a_report_of_absolute_paths_names_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [f"{HOME}/bin/inkling", "evaluate", f"{HOME}/m.ink", f"{HOME}/photos/test"])
    skipped = (SkippedImage(f"{HOME}/photos/test/cat/bad.jpg", f"it is a copy of {HOME}/photos/test/cat/1.jpg"),)
    evaluation, report = evaluated(
        skill=0.5,
        thumbnail=jpeg(),
        paths=[f"{HOME}/photos/test/cat/{number}.jpg" for number in range(80)],
        context=EvaluationContext(skipped=skipped),
    )
    exemplars = replace(report.exemplars, paths=[f"{HOME}/photos/train/{k}.jpg" for k in range(12)])
    report = replace(
        report,
        memory_name=f"{HOME}/m.ink",
        test_name=f"{HOME}/photos/test",
        exemplars=exemplars,
        provenance=page_provenance(None),
    )
    page = render_report(evaluation, report)
    assert "m.ink on photos/test" in page
    for part in ("/home", "ada", "secret"):
        assert part not in page
