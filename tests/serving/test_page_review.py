"""Review: pictures that wait are grouped anew, and nobody is left without a way on."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from inkling import FewShotClassifier
from inkling.memory.events import list_events
from inkling.memory.shown import shown_proposals
from inkling.review import explore
from inkling.review.signed import SignedDecisions
from inkling.serving.routes import jobs
from inkling.serving.settings import Settings
from tests.accessibility import serious_findings
from tests.serving.browsed import TOASTS, Person

GROUPS = "document.querySelectorAll('.cards > .group').length"
CHOOSE = """((list) => {{
  list.value = "{}";
  list.dispatchEvent(new Event("change"));
}})(document.querySelector(".regroup select"))"""


class TestNoGroup:
    """Pictures wait, and too few of them are alike for a group."""

    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(min_images=20)

    @pytest.fixture
    def memory(self, stage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("INKLING_CACHE", str(stage / "cache"))
        FewShotClassifier("sketch").fit(stage / "train").save(tmp_path / "few.ink")
        return tmp_path / "few.ink"

    def test_a_smaller_number_and_grouping_anew(self, person: Person, memory: Path, stage: Path) -> None:
        person.go("review")
        person.choose(sorted((stage / "inbox").glob("*.png")))
        person.reads("16 pictures looked at", where=TOASTS)
        person.reads("No group has formed")
        person.reads("at least 20 pictures that are alike")
        for width, dark in ((1280, True), (390, False)):
            person.browser.looks(width=width, height=800, dark=dark, phone=width < 500)
            assert serious_findings(person.browser) == []
            assert person.browser.evaluate("document.documentElement.scrollWidth") <= width
        person.press("Group again")
        person.reads("No group has formed.", where=TOASTS)
        person.browser.evaluate(CHOOSE.format(3))
        person.press("Group again")
        person.reads("2 groups of alike pictures", where=TOASTS)
        person.browser.wait_for(f"{GROUPS} === 2")
        person.browser.wait_for("document.querySelector('.advice').hidden")
        events = list_events(memory)
        person.choose(sorted((stage / "test" / "cat").glob("*.png")))  # what comes next is grouped by the same number
        person.reads("3 pictures looked at", where=TOASTS)
        person.settled()
        assert person.browser.evaluate(GROUPS) >= 2  # by 20 there would be none
        assert events[-1].verb == "discover"
        assert person.browser.complaints == []


def test_grouping_is_cancelled_by_keys(person: Person, memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, goes_on = threading.Event(), threading.Event()
    discover = explore.discover

    def slow(*args: Any, **options: Any) -> Any:
        begun.set()
        goes_on.wait(30)
        return discover(*args, **options)

    monkeypatch.setattr(explore, "discover", slow)
    before = [one.id for one in list_events(memory)]
    person.go("review")
    person.browser.wait_for("document.querySelector('.regroup button').checkVisibility()")
    person.tab_to("=Group again")
    person.key("Enter")
    person.reads("Grouping the pictures that wait")
    assert begun.wait(30)
    person.press("Cancel", within=".progress")
    person.reads("Grouping was cancelled", where=TOASTS)
    person.settled()
    goes_on.set()
    for thread in threading.enumerate():
        if thread.name == "inkling-discover":
            thread.join(30)
    assert [one.id for one in list_events(memory)] == before


def test_groups_are_numbered_from_one_and_keep_their_number(person: Person, memory: Path) -> None:
    first, second = (one.id for one in shown_proposals(memory, most=0).proposals)
    SignedDecisions(memory, by="jan").merge([first, second])
    SignedDecisions(memory, by="jan").split(second + 1)
    person.go("review")
    person.browser.wait_for(f"{GROUPS} === 2")
    titles = "[...document.querySelectorAll('.group h2')].map((one) => one.textContent).join()"
    assert person.browser.evaluate(titles) == "Group 1,Group 2"
    person.press("Discard", within="article.group")
    person.reads("Group 1 was discarded.", where=TOASTS)
    person.browser.wait_for(f"{titles} === 'Group 2'")
    assert "Holds together" in person.text("article.group")
    assert "stability" not in person.text("main")


def test_undo_and_history_name_the_file(person: Person, memory: Path) -> None:
    image = shown_proposals(memory, most=99).loose[0]
    SignedDecisions(memory, by="jan").move(image.content_hash, "cat")
    person.go("history")
    name = Path(image.path).name
    person.reads(f"Moved {name} to “cat”")
    person.press("Undo", within="header")
    person.reads(f"Taken back: moved {name} to “cat”.", where=TOASTS)
    person.reads(f"Took back: moved {name} to “cat”", where="document.querySelector('.events').innerText")
    assert image.content_hash not in person.text("body")
    assert "event" not in person.text("main")


def test_what_grouping_found_beyond_its_groups_is_said_until_a_decision(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = {"known_class": "bus", "paths": ["a.png"] * 14, "of": 41, "finding": "near bus: 14 of 41 images lean apart"}
    told = jobs.explored_payload
    monkeypatch.setattr(jobs, "explored_payload", lambda found: told(found) | {"number": [3, 5], "leaning": [near]})
    person.go("review")
    person.press("Group again")
    person.reads("Likely 3 to 5 new classes among the pictures looked at.")
    person.reads("Near bus: 14 of 41 pictures lean apart, perhaps a class that resembles it.")
    person.press("Discard", within="article.group")
    person.browser.wait_for("document.querySelector('.found').children.length === 0")
    assert person.browser.complaints == []
