"""Ask about many pictures: a summary that filters and orders, cards drawn when they come near, and asking again."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

import pytest

from inkling import FewShotClassifier
from inkling.serving.service import Service
from tests.accessibility import serious_findings
from tests.serving.browsed import TOASTS, Person

ROWS = """Object.fromEntries([...document.querySelectorAll('.tally tbody tr')]
  .map((row) => [row.querySelector('button').textContent, Number(row.children[1].textContent)]))"""
SHOWN = "[...document.querySelectorAll('.verdicts > li')]"
CAUGHT = """(() => {
  window.saved = [];
  const made = URL.createObjectURL;
  URL.createObjectURL = (blob) => { blob.text().then((text) => window.saved.push(text)); return made(blob); };
  HTMLAnchorElement.prototype.click = () => {};
})()"""
MOST_DOUBTFUL = """((list) => { list.value = "doubt"; list.dispatchEvent(new Event("change")); })
(document.querySelector('.tally select'))"""


@pytest.fixture
def many(stage: Path) -> list[Path]:
    return sorted([*(stage / "train").rglob("*.png"), *(stage / "inbox").glob("*.png")])


def test_many_pictures_have_a_summary(person: Person, service: Service, many: list[Path]) -> None:
    person.go("ask")
    person.choose(many)
    person.browser.wait_for("document.querySelector('.tally tbody') && !document.querySelector('.progress')")
    person.browser.wait_for(f"!({ROWS})['Not asked']")
    expected = list(service.classifier.verdicts(many))
    told = person.browser.evaluate(ROWS)
    by_class = Counter(one.label for one in expected if not one.unknown)
    assert {name: n for name, n in told.items() if name in by_class} == by_class
    assert (told["All"], told["Unlike every class"]) == (len(many), sum(bool(one.unknown) for one in expected))
    drawn = person.browser.evaluate(f"{SHOWN}.filter((one) => one.firstElementChild).length")
    assert 24 <= drawn < len(many)
    person.browser.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    person.browser.wait_for(f"{SHOWN}.at(-1).firstElementChild")
    person.press("Unlike every class", within=".tally")
    assert person.browser.evaluate(f"{SHOWN}.every((one) => one.matches('.unknown'))")
    assert person.browser.evaluate(f"{SHOWN}.length") == told["Unlike every class"]
    person.press("All", within=".tally")
    person.browser.evaluate(MOST_DOUBTFUL)
    first = person.text(".verdicts > li h3")
    margins = {Path(o.path).name: 0 if o.unknown else o.probability - o.top_probabilities[1] for o in expected}
    assert margins[first] == min(margins.values())
    person.browser.evaluate(CAUGHT)
    person.press("Save as CSV")
    person.browser.wait_for("window.saved.length")
    table = list(csv.DictReader(io.StringIO(person.browser.evaluate("window.saved[0]"))))
    assert {one["path"]: one["label"] for one in table} == {Path(one.path).name: one.label for one in expected}
    for width, dark in ((1280, True), (390, False)):
        person.browser.looks(width=width, height=800, dark=dark, phone=width < 500)
        assert serious_findings(person.browser) == []
        assert person.browser.evaluate("document.documentElement.scrollWidth") <= width
    assert person.browser.complaints == []


def test_what_was_not_asked_is_asked_again(person: Person, stage: Path) -> None:
    person.go("ask")
    person.browser.evaluate("window.real = window.fetch; window.fetch = async () => { throw new TypeError('gone'); }")
    person.choose(sorted((stage / "test" / "cat").glob("*.png")))
    person.reads("The service does not answer", where=TOASTS)
    person.reads("Not asked")
    assert person.browser.evaluate(f"{TOASTS}.split('The service does not answer').length") == 2
    person.browser.evaluate("window.fetch = window.real")
    person.press("Ask again", within=".verdicts")
    person.browser.wait_for("document.querySelectorAll('.verdicts .answer').length === 1")
    person.press("Ask again about 2 pictures")
    person.browser.wait_for("document.querySelectorAll('.verdicts .answer').length === 3")
    person.browser.wait_for("!document.querySelector('#results-title + button').checkVisibility()")


def test_a_name_that_is_missing_is_said(person: Person, stage: Path) -> None:
    person.go("ask")
    person.choose([stage / "test" / "cat" / "cat-0000.png"])
    person.press("Add", within=".own-name")
    person.reads("Type what is on the picture")
    person.browser.wait_for("document.activeElement.matches('.own-name input')")
    person.type("cat")
    person.browser.wait_for("!document.querySelector('.own-name .missing').textContent")


class TestFewPictures:
    """A memory that is too small to recognise what is unknown."""

    @pytest.fixture
    def memory(self, stage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("INKLING_CACHE", str(stage / "cache"))
        kinds = [path for kind in ("cat", "tree") for path in sorted((stage / "train" / kind).iterdir())[:4]]
        FewShotClassifier("sketch").fit(kinds, [path.parent.name for path in kinds]).save(tmp_path / "few.ink")
        return tmp_path / "few.ink"

    def test_it_says_so_and_what_it_takes(self, person: Person) -> None:
        for view in ("ask", "review"):
            person.go(view)
            person.reads("about 20 different pictures in all")
        assert not person.browser.evaluate("document.querySelector('main .drop-zone')")
