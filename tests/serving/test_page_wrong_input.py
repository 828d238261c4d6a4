"""What goes wrong on the page is said with its reason, and nothing that a person chose or typed is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from inkling.memory.shown import shown_classes
from inkling.review.signed import SignedDecisions
from inkling.serving.access import Access, Token
from inkling.serving.service import Service
from inkling.serving.settings import Settings
from tests.accessibility import serious_findings
from tests.serving.browsed import TOASTS, Person

WAITS = "document.querySelector('.new-class .waiting').textContent"
NAME = "document.querySelector('.new-class input[type=text]').value"

LATE = """window.real = window.fetch;
window.fetch = async (path, ...more) => {
  if (path.startsWith("/v1/next")) await new Promise((go) => setTimeout(go, 3000));
  return window.real(path, ...more);
}"""


@pytest.fixture
def damaged(tmp_path: Path, stage: Path) -> Path:
    whole = (stage / "test" / "cat" / "cat-0000.png").read_bytes()
    path = tmp_path / "damaged.png"
    path.write_bytes(whole[: len(whole) // 2])
    return path


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "note.txt"
    path.write_text("no picture")
    return path


def test_one_picture_that_cannot_be_read_says_why(person: Person, damaged: Path, tmp_path: Path) -> None:
    Image.new("L", (9000, 9000)).save(tmp_path / "huge.png")
    person.go("ask")
    person.choose([damaged])
    person.reads("This picture cannot be read: damaged or truncated")
    person.choose([tmp_path / "huge.png"])
    person.reads("9000 x 9000 pixels is too large")


@pytest.mark.parametrize("view", ["classes", "review", "label", "check"])
def test_what_is_no_picture_is_named_everywhere(person: Person, view: str, text: Path) -> None:
    person.go(view)
    card = "[data-class=cat]"
    person.browser.wait_for(f"document.querySelector('{card if view == 'classes' else 'main .drop-zone'}')")
    if view == "classes":
        person.choose([text], field=f"{card} input")
    else:
        person.browser.drop_files(".drop-zone", [text])
    person.reads("1 file left out: no picture", where=TOASTS)


def test_what_is_refused_can_be_sent_again(person: Person, text: Path, stage: Path, memory: Path) -> None:
    person.go("classes")
    person.choose([text.rename(text.with_suffix(".png"))], field=".new-class input[type=file]")
    person.browser.wait_for(f"{WAITS}.includes('1 picture chosen')")
    person.type("car")
    person.key("Enter")
    person.reads("note.png: not a JPEG", where=TOASTS)
    person.browser.wait_for(f"{NAME} === 'car' && {WAITS}.includes('1 picture chosen')")
    person.choose([stage / "inbox" / "car-0000.png"], field=".new-class input[type=file]")  # the name is there
    person.reads("of “car” learned", where=TOASTS)
    assert "car" in {one.known.name for one in shown_classes(str(memory), most=0).classes}


def test_looking_for_groups_tells_what_is_kept(person: Person, stage: Path, damaged: Path) -> None:
    person.go("review")
    person.choose([*sorted((stage / "test" / "cat").glob("*.png")), damaged])
    person.reads("4 pictures looked at: ", where=TOASTS)
    person.reads("kept for grouping", where=TOASTS)
    person.reads("1 cannot be read", where=TOASTS)


def test_who_comes_second_reads_the_number_that_the_page_shows(person: Person, memory: Path) -> None:
    SignedDecisions(memory, by="somebody").split(1)
    person.go("review")
    person.browser.wait_for("document.querySelector('.group')")
    card = "document.querySelector('.group')"
    number = person.browser.evaluate(f"{card}.dataset.group")
    assert number != "1"
    SignedDecisions(memory, by="somebody").discard(int(number))
    person.press("Discard", within=f"[data-group='{number}']")
    person.reads("Group 1 is not open any more: it was discarded", where=TOASTS)
    assert "roposal" not in person.browser.evaluate(TOASTS)


def test_a_picture_of_which_only_the_small_copy_is_left_says_so(person: Person) -> None:
    person.go("label")
    person.browser.wait_for("document.querySelector('.large img')")
    person.reads("This is the small copy that the memory keeps")
    assert serious_findings(person.browser) == []


def test_a_picture_is_labelled_once_however_late_the_service_tells_what_is_next(person: Person) -> None:
    person.go("label")
    person.browser.wait_for("document.querySelector('.large img')")
    first = person.browser.evaluate("document.querySelector('.large img').title")
    person.browser.evaluate(LATE)
    person.key("1")
    person.reads("Labelled as", where=TOASTS)
    person.browser.wait_for(f"document.querySelector('.large img').title !== {first!r}", seconds=2)


class TestBeforeTheFirstClass:
    """A memory that knows nothing yet."""

    @pytest.fixture
    def memory(self, tmp_path: Path) -> Path:
        return tmp_path / "new.ink"

    @pytest.fixture
    def service(self, memory: Path) -> Iterator[Service]:
        service = Service(str(memory), begin_with="sketch")
        service.start()
        yield service
        service.close()

    def test_a_question_hears_what_is_missing(self, person: Person, stage: Path) -> None:
        person.go("ask")
        person.choose([stage / "test" / "cat" / "cat-0000.png"])
        person.reads("Not asked: The memory has no classes yet")


class TestTokens:
    """A service that wants a token."""

    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(Access((Token.of("anna:0123456789abcdef", place="a test"),)), min_images=3)

    def test_no_token_is_said_in_words_of_the_page(self, person: Person, stage: Path) -> None:
        person.go("classes")
        person.choose([stage / "inbox" / "car-0000.png"], field=".new-class input[type=file]")
        person.type("car")
        person.key("Enter")
        person.reads("Writing needs a token", where="(document.querySelector('dialog')?.innerText ?? '')")
        person.key("Escape")
        person.reads("Nothing was changed: that needs a token.", where=TOASTS)
        assert "Authorization" not in person.browser.evaluate(TOASTS)
        person.browser.wait_for(f"{NAME} === 'car'")


class TestReadingOnly:
    """A service that lets nobody write."""

    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(Access(read_only=True), min_images=3)

    def test_it_is_said_where_something_could_be_done(self, person: Person) -> None:
        person.go("review")
        person.reads("read only", where="document.getElementById('memory').textContent")
        person.reads("lets nobody change its memory")
        assert "make a class of them" not in person.text("main")
        person.go("label")
        person.reads("lets nobody change its memory")
