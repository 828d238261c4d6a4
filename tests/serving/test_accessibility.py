"""No view of the page has what axe-core calls serious or critical, in any window."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.accessibility import serious_findings
from tests.serving.browsed import VIEWS, Person

WINDOWS = [(1280, False), (1280, True), (390, False), (390, True)]
CHOOSE_LAST = """((one) => {
  one.selectedIndex = one.options.length - 1;
  one.dispatchEvent(new Event("change"));
})(document.querySelector("PLACE"))"""


@pytest.mark.parametrize("view", VIEWS)
def test_every_view(person: Person, view: str) -> None:
    person.go(view)
    person.settled()
    for width, dark in WINDOWS:
        person.browser.looks(width=width, height=800, dark=dark, phone=width < 500)
        assert serious_findings(person.browser) == [], (width, dark)


@pytest.mark.parametrize(("width", "dark"), [(1280, True), (390, False)])
def test_verdicts_and_what_is_picked(person: Person, stage: Path, width: int, dark: bool) -> None:
    person.browser.looks(width=width, height=800, dark=dark, phone=width < 500)
    person.go("ask")
    person.choose(sorted((stage / "test").rglob("*.png"))[:3])
    person.browser.wait_for("document.querySelectorAll('.verdicts .answer').length === 3")
    person.settled()
    assert serious_findings(person.browser) == []
    person.go("review")
    person.browser.wait_for("document.querySelector('.pick')")
    person.browser.evaluate("document.querySelector('.pick').click()")
    for place in (".mover select", ".group select"):
        person.browser.evaluate(CHOOSE_LAST.replace("PLACE", place))
    person.settled()
    assert person.browser.evaluate("document.querySelectorAll('.choice-of button:not([hidden])').length") == 2
    assert serious_findings(person.browser) == []
    assert person.browser.evaluate("document.documentElement.scrollWidth") <= width


def test_a_check_and_a_question(person: Person, stage: Path) -> None:
    person.go("check")
    person.choose([stage / "test"], field="main input[webkitdirectory]")
    person.browser.wait_for("document.querySelector('iframe.report[data-loaded]')")
    assert serious_findings(person.browser) == []
    person.go("classes")
    person.press("Rename", within="[data-class=cat]")
    assert serious_findings(person.browser) == []


def test_a_finding_is_found(person: Person) -> None:
    person.go("ask")
    person.browser.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert serious_findings(person.browser) == ["button-name: #main > button"]
