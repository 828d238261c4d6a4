"""A memory that is not there yet is begun on the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from inkling.memory.shown import shown_classes
from inkling.serving.service import Service
from inkling.serving.settings import Settings
from tests.serving.browsed import TOASTS, Person


class TestFromNothing:
    """A memory that is not there yet is begun on the page."""

    @pytest.fixture
    def memory(self, tmp_path: Path) -> Path:
        return tmp_path / "new.ink"

    @pytest.fixture
    def service(self, memory: Path, settings: Settings) -> Iterator[Service]:
        service = Service(str(memory), limits=settings.limits, begin_with="sketch")
        service.start()
        yield service
        service.close()

    def waits_like_others(self, person: Person) -> None:
        """The first class has its pictures, and is renamed and removed."""
        card = "[data-class=cat]"
        person.browser.wait_for(f"document.querySelectorAll('{card} .thumbs img').length === 7")
        seen = f"[...document.querySelectorAll('{card} .thumbs img')].every((one) => one.naturalWidth > 0)"
        person.browser.wait_for(seen)
        person.press("Rename", within=card)
        person.browser.wait_for("document.querySelector('dialog[open] input')")
        person.browser.evaluate("document.querySelector('dialog[open] input').value = 'lion'")
        person.press("Rename", within="dialog[open]")
        person.reads("“cat” is “lion” now.", where=TOASTS)
        person.press("Undo", within="#toasts .toast:last-child")
        person.browser.wait_for(f"document.querySelector('{card}')")
        person.press("Remove", within=card)
        person.reads("“cat” was removed.", where=TOASTS)
        person.browser.wait_for(f"!document.querySelector('{card}')")
        person.press("Undo", within="#toasts .toast:last-child")
        person.browser.wait_for(f"document.querySelector('{card}')")

    def test_two_classes_and_a_verdict(self, person: Person, memory: Path, stage: Path) -> None:
        person.go("")
        person.reads("It knows nothing yet")
        for name in ("cat", "tree"):
            person.browser.evaluate("document.querySelector('.new-class input[type=text]').focus()")
            person.type(name)
            person.choose(sorted((stage / "train" / name).iterdir()), field=".new-class input[type=file]")
            person.browser.wait_for(f"document.querySelector('[data-class={name}]')")
            if name == "cat":
                self.waits_like_others(person)
        person.reads("Right on pictures left out")
        known = [one.known for one in shown_classes(str(memory), most=0).classes]
        assert {one.name: one.images for one in known} == {"cat": 8, "tree": 8}
        person.browser.evaluate("location.hash = 'ask'")
        person.choose([stage / "test" / "cat" / "cat-0000.png"])
        person.browser.wait_for("document.querySelector('.verdicts .answer')")
        assert person.text(".bars .name") == "cat"
        assert person.browser.complaints == []
