"""Pictures come onto the page as people give them, and what takes long can be ended."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from browser import Browser
from inkling import FewShotClassifier
from inkling.memory.events import list_events
from inkling.memory.shown import shown_classes
from inkling.serving.app import create_app
from inkling.serving.service import Service
from inkling.serving.settings import Settings
from served import listening
from tests.serving.browsed import TOASTS, Person

VERDICTS = "document.querySelectorAll('.verdicts .answer').length"
PASTE = """(async () => {
  const canvas = new OffscreenCanvas(40, 30);
  canvas.getContext("2d").fillRect(0, 0, 20, 30);
  const data = new DataTransfer();
  data.items.add(new File([await canvas.convertToBlob()], "pasted.png", { type: "image/png" }));
  document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data }));
})()"""

DRAG = """(() => {
  const data = new DataTransfer();
  data.items.add(new File(["x"], "one.png", { type: "image/png" }));
  const options = { dataTransfer: data, bubbles: true, cancelable: true };
  return !document.querySelector("PLACE").dispatchEvent(new DragEvent("KIND", options));
})()"""


def names(person: Person) -> list[str]:
    found: list[str] = person.browser.evaluate(
        "[...document.querySelectorAll('.verdicts h3')].map((one) => one.textContent)"
    )
    return found


def images(memory: Path) -> dict[str, int]:
    return {one.known.name: one.known.images for one in shown_classes(memory, most=0).classes}


def test_pictures_are_dropped_and_pasted(person: Person, stage: Path) -> None:
    pictures = sorted((stage / "test" / "cat").glob("*.png"))[:2]
    person.go("ask")
    person.browser.wait_for("document.querySelector('.drop-zone')")
    person.browser.drop_files(".drop-zone", pictures)
    person.browser.wait_for(f"{VERDICTS} === 2")
    person.browser.evaluate(PASTE)
    person.browser.wait_for(f"{VERDICTS} === 3")
    assert names(person) == ["pasted.png", *(one.name for one in pictures)]
    assert person.browser.complaints == []


@pytest.mark.parametrize("view", ["ask", "classes"])
@pytest.mark.parametrize("kind", ["dragenter", "dragover"])
def test_files_are_taken_wherever_the_page_moves_under_them(person: Person, view: str, kind: str) -> None:
    person.go(view)
    person.browser.wait_for("document.querySelector('.drop-zone')")
    person.settled()
    for place in ("h1", ".drop-zone", "main"):
        assert person.browser.evaluate(DRAG.replace("KIND", kind).replace("PLACE", place)), place


def test_what_is_no_picture_is_left_out(person: Person, stage: Path, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("no picture")
    person.go("ask")
    person.browser.wait_for("document.querySelector('.drop-zone')")
    person.browser.drop_files(".drop-zone", [tmp_path / "note.txt", stage / "test/cat/cat-0000.png"])
    person.reads("1 file left out", where=TOASTS)
    person.browser.wait_for(f"{VERDICTS} === 1")


def test_folders_are_dropped_as_classes(person: Person, memory: Path, stage: Path, tmp_path: Path) -> None:
    for kind in ("car", "starfish"):
        (tmp_path / kind).mkdir()
        for one in sorted((stage / "inbox").glob(f"{kind}*"))[:4]:
            (tmp_path / kind / one.name).write_bytes(one.read_bytes())
    person.go("classes")
    person.browser.wait_for("document.querySelector('[data-class=cat]')")
    person.browser.drop_files(".drop-zone", [tmp_path / "car", tmp_path / "starfish"])
    person.browser.wait_for("document.querySelector('[data-class=starfish]')")
    person.browser.wait_for("document.querySelector('[data-class=car]')")
    assert {name: n for name, n in images(memory).items() if name in ("car", "starfish")} == {"car": 4, "starfish": 4}


def test_pictures_are_dropped_on_a_class(person: Person, memory: Path, stage: Path) -> None:
    before = images(memory)["cat"]
    person.go("classes")
    person.browser.wait_for("document.querySelector('[data-class=cat]')")
    person.browser.drop_files("[data-class=cat]", sorted((stage / "test" / "cat").glob("*.png")))
    person.reads("of “cat” learned", where=TOASTS)
    assert images(memory)["cat"] == before + 3


def test_what_takes_long_is_cancelled(
    person: Person, service: Service, memory: Path, stage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded = service.embedded
    monkeypatch.setattr(service, "embedded", lambda records: (time.sleep(0.5), embedded(records))[1])
    n = len(list_events(memory))
    person.go("review")
    person.choose(sorted((stage / "train").rglob("*.png")))  # more than one request has
    person.reads("Looking at pictures: 16 of 24")
    person.press("Cancel", within=".progress")
    person.browser.wait_for("!document.querySelector('.progress')")
    person.reads("16 pictures looked at", where=TOASTS)
    assert len(list_events(memory)) - n <= 2
    assert person.browser.evaluate("document.querySelectorAll('.toast.problem').length") == 0


class TestFromNothing:
    """A memory that is fitted elsewhere while a view is open."""

    @pytest.fixture
    def memory(self, tmp_path: Path) -> Path:
        return tmp_path / "new.ink"

    @pytest.fixture
    def person(
        self, browser: Browser, memory: Path, stage: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Person]:
        monkeypatch.setenv("INKLING_CACHE", str(stage / "cache"))
        service = Service(str(memory), begin_with="sketch")
        service.start()
        browser.looks(width=1280, height=900)
        with listening(create_app(service, settings)) as address:
            yield Person(browser, address)
            browser.open("about:blank")
        service.close()

    @pytest.mark.parametrize("view", ["label", "review", "check"])
    def test_the_place_for_pictures_comes_with_the_fit(
        self, person: Person, memory: Path, stage: Path, view: str
    ) -> None:
        person.go(view)
        person.reads("two classes first")
        assert not person.browser.evaluate("document.querySelector('main .drop-zone')")
        FewShotClassifier("sketch").fit(stage / "train").save(memory)
        person.browser.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # the tab comes back
        person.browser.wait_for("document.querySelector('main .drop-zone')", seconds=4)


def test_pictures_wait_for_the_name_of_their_class(person: Person, memory: Path, stage: Path) -> None:
    person.go("classes")
    person.browser.wait_for("document.querySelector('[data-class=cat]')")
    person.choose(sorted((stage / "inbox").glob("car*"))[:3], field=".new-class input[type=file]")
    person.reads("3 pictures chosen. Type what they show")
    person.press("Add them", within=".new-class")
    person.reads("Type what is on these pictures")
    name = "a very long name of a class that no card has room for, whatever its width may be"
    person.type(name)
    person.key("Enter")
    person.reads("3 pictures of", where=TOASTS)
    assert images(memory)[name] == 3
    for width in (1280, 390):
        person.browser.looks(width=width, height=900, phone=width < 500)
        assert person.browser.evaluate(
            "[...document.querySelectorAll('.card')].every((card) => [...card.querySelectorAll('header *')]"
            ".every((one) => one.getBoundingClientRect().right <= card.getBoundingClientRect().right))"
        )


def test_a_check_names_all_that_it_leaves_out(person: Person, stage: Path, tmp_path: Path) -> None:
    for kind, files in {
        "cat": [*(stage / "test" / "cat").iterdir(), stage / "train" / "cat" / "cat-0000.png"],
        "kimono": [next((stage / "inbox").glob("car*"))],
    }.items():
        (tmp_path / "all" / kind).mkdir(parents=True)
        for number, one in enumerate(files):
            (tmp_path / "all" / kind / f"{number}.png").write_bytes(one.read_bytes())
    (tmp_path / "all" / "cat" / "torn.png").write_bytes(next((stage / "test" / "cat").iterdir()).read_bytes()[:300])
    person.go("check")
    person.choose([tmp_path / "all"], field="main input[webkitdirectory]")
    person.reads("Left out of these figures")
    told = person.text(".left-out")
    assert "1 picture that it learned from" in told
    assert "1 picture of a class that it does not know: kimono (1)" in told
    assert "1 picture that cannot be read: torn.png" in told
