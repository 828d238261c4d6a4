"""The page: what a person does on it comes to pass, by mouse and by keys, in any window, and nothing complains."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkling.memory.classes import KnownClass
from inkling.memory.events import list_events
from inkling.memory.shown import shown_classes, shown_proposals
from inkling.review.signed import SignedDecisions
from inkling.serving.service import Service
from inkling.serving.settings import Settings
from tests.serving.browsed import TOASTS, VIEWS, Person

WINDOWS = [(1280, False), (1280, True), (390, False), (390, True)]
CARDS = "document.querySelectorAll('.cards > .group').length"


def classes(memory: Path) -> dict[str, KnownClass]:
    return {one.known.name: one.known for one in shown_classes(memory, most=0).classes}


def open_groups(memory: Path) -> dict[int, int]:
    return {one.id: len(one.images) for one in shown_proposals(memory, most=0).proposals}


def test_ask_tells_what_the_service_tells(person: Person, service: Service, stage: Path) -> None:
    pictures = sorted((stage / "test").rglob("*.png"))
    person.go("ask")
    person.choose(pictures)
    person.browser.wait_for(f"document.querySelectorAll('.verdicts .answer').length === {len(pictures)}")
    told = person.browser.evaluate(
        "[...document.querySelectorAll('.verdicts > li')].map((row) => [row.querySelector('h3').textContent,"
        " row.querySelector('.bars .name').textContent, Number(row.querySelector('.bars data').value),"
        " row.classList.contains('unknown'), row.querySelectorAll('.evidence li').length])"
    )
    expected = list(service.classifier.verdicts(pictures))
    assert [one[:2] for one in told] == [[Path(one.path).name, one.label] for one in expected]
    assert [one[2] for one in told] == pytest.approx([one.probability for one in expected], abs=1e-4)
    assert [one[3] for one in told] == [bool(one.unknown) for one in expected]
    assert {one[4] for one in told} == {4}
    assert person.browser.complaints == []
    own = (person.address, f"blob:{person.address}")
    assert [one for one in person.browser.requests if not one.startswith(own)] == []


def test_ask_takes_a_correction_with_one_press_and_takes_it_back(person: Person, memory: Path, stage: Path) -> None:
    before = classes(memory)["cat"].images
    person.go("ask")
    person.choose([stage / "test" / "tree" / "tree-0000.png"])
    person.press("cat", within=".correction")
    person.reads("is now an example of “cat”", where=TOASTS)
    assert classes(memory)["cat"].images == before + 1
    person.reads("Added to cat")
    person.press("Undo", within="#toasts")
    person.reads("Taken back", where=TOASTS)
    assert classes(memory)["cat"].images == before
    person.browser.wait_for("document.querySelector('.correction') && !document.querySelector('.added')")
    assert person.browser.complaints == []


def test_ask_keeps_the_names_to_press_while_it_asks_again(person: Person, memory: Path, stage: Path) -> None:
    person.go("ask")
    person.choose([stage / "test" / "tree" / "tree-0000.png"])
    person.browser.wait_for("document.querySelector('.correction')")
    person.browser.evaluate("window.before = document.querySelector('.correction')")
    person.browser.evaluate("document.querySelector('.own-name input').focus()")
    person.type("half a na")
    SignedDecisions(memory, by="somebody").discard(next(iter(open_groups(memory))))
    person.browser.evaluate("document.dispatchEvent(new CustomEvent('memory-changed'))")
    person.settled()
    assert person.browser.evaluate("document.querySelector('.correction') === window.before")
    assert person.browser.evaluate("document.activeElement.value") == "half a na"


def test_ask_takes_a_class_of_its_own(person: Person, memory: Path, stage: Path) -> None:
    person.go("ask")
    person.choose([stage / "inbox" / "car-0000.png"])
    person.browser.wait_for("document.querySelector('.own-name input')")
    person.browser.evaluate("document.querySelector('.own-name input').focus()")
    person.type("car")
    person.key("Enter")
    person.reads("is now an example of “car”", where=TOASTS)
    assert classes(memory)["car"].images == 1


def test_ask_says_which_file_is_no_picture(person: Person, tmp_path: Path, stage: Path) -> None:
    torn = tmp_path / "torn.png"
    torn.write_bytes((stage / "test" / "cat" / "cat-0000.png").read_bytes()[:300])
    person.go("ask")
    person.choose([torn, stage / "test" / "cat" / "cat-0001.png"])
    person.reads("This picture cannot be read")
    person.browser.wait_for("document.querySelectorAll('.verdicts .answer').length === 1")


def test_ask_films(person: Person) -> None:
    person.go("ask")
    person.press("Use the camera")
    person.reads("verdicts a second")
    person.press("Keep this one")
    person.browser.wait_for("document.querySelectorAll('.verdicts .answer').length === 1")
    person.press("Stop")
    person.browser.wait_for("document.querySelector('.drop-zone').checkVisibility()")
    assert person.browser.complaints == []


def test_review_accepts_by_keys_and_takes_back(person: Person, memory: Path) -> None:
    before = open_groups(memory)
    person.go("review")
    person.browser.wait_for(f"{CARDS} === {len(before)}")
    person.tab_to("article.group")
    person.key("a")
    person.browser.wait_for("document.activeElement.matches('.naming input')")
    person.type("car")
    person.key("Enter")
    person.reads("“car” is a class now", where=TOASTS)
    person.browser.wait_for(f"{CARDS} === {len(before) - 1}")
    assert "car" in classes(memory)
    person.browser.evaluate("document.activeElement.blur()")
    person.key("z", ctrl=True)
    person.reads("Taken back", where=TOASTS)
    person.browser.wait_for(f"{CARDS} === {len(before)}")
    assert "car" not in classes(memory)
    assert open_groups(memory) == before
    assert person.browser.complaints == []


def test_review_splits_merges_and_discards_by_keys(person: Person, memory: Path) -> None:
    n = len(open_groups(memory))
    person.go("review")
    person.browser.wait_for(f"{CARDS} === {n}")
    person.tab_to("article.group")
    person.key("s")
    person.browser.wait_for(f"{CARDS} === {n + 1}")
    person.browser.evaluate("document.querySelector('article.group').focus()")
    person.key("m")
    person.browser.wait_for("document.activeElement.matches('select')")
    person.key("ArrowDown")
    person.settled()
    assert person.browser.evaluate(CARDS) == n + 1  # going through the list does nothing yet
    person.key("Enter")
    person.browser.wait_for(f"{CARDS} === {n}")
    person.browser.evaluate("document.querySelector('article.group').focus()")
    person.key("d")
    person.browser.wait_for(f"{CARDS} === {n - 1}")
    assert [one.verb for one in list_events(memory)][-3:] == ["split", "merge", "discard"]
    assert person.browser.complaints == []


def test_review_merges_by_dragging(person: Person, memory: Path) -> None:
    n = len(open_groups(memory))
    person.go("review")
    person.browser.wait_for(f"{CARDS} === {n}")
    drag(person, ".group:nth-child(1) header", ".group:nth-child(2)")
    person.browser.wait_for(f"{CARDS} === {n - 1}")
    assert list_events(memory)[-1].verb == "merge"


def test_review_moves_pictures(person: Person, memory: Path) -> None:
    before = classes(memory)["tree"].images
    person.go("review")
    person.browser.wait_for("document.querySelector('.pick')")
    person.browser.evaluate("[...document.querySelectorAll('.group .pick')].slice(0, 2).forEach((one) => one.click())")
    person.reads("2 pictures picked")
    person.browser.evaluate(
        "((one) => { one.value = '=tree'; one.dispatchEvent(new Event('change')); })"
        "(document.querySelector('.mover select'))"
    )
    person.press("Move", within=".mover")
    person.reads("2 pictures moved to “tree”", where=TOASTS)
    assert classes(memory)["tree"].images == before + 2
    person.press("Undo", within="#toasts")
    person.reads("2 decisions were taken back", where=TOASTS)
    assert classes(memory)["tree"].images == before


def test_review_tells_the_second_of_two(person: Person, memory: Path) -> None:
    groups = open_groups(memory)
    first = next(iter(groups))
    person.go("review")
    person.browser.wait_for(f"{CARDS} === {len(groups)}")
    SignedDecisions(memory, by="somebody").discard(first)
    person.press("Discard", within=f"[data-group='{first}']")
    person.reads("What is shown now is the latest", where=TOASTS)
    person.browser.wait_for(f"{CARDS} === {len(groups) - 1}")


def test_review_looks_for_groups(person: Person, memory: Path, tmp_path: Path) -> None:
    from inkling.sketch import write_dataset

    write_dataset(tmp_path / "more", ["umbrella"], 6, seed=5)
    before = sum(open_groups(memory).values()) + shown_proposals(memory, most=0).n_loose
    person.go("review")
    person.choose(sorted((tmp_path / "more").rglob("*.png")))
    person.reads("6 pictures looked at", where=TOASTS)
    assert sum(open_groups(memory).values()) + shown_proposals(memory, most=0).n_loose > before


def test_history_tells_who_and_takes_back(person: Person, memory: Path) -> None:
    first = next(iter(open_groups(memory)))
    SignedDecisions(memory, by="maria").discard(first)
    SignedDecisions(memory, by="jan").rename("cat", "house cat")
    person.go("history")
    person.reads("by maria")
    person.reads("by jan")
    person.press("Undo back to here")
    person.press("Take back", within="dialog")
    person.reads("2 decisions were taken back", where=TOASTS)
    assert "cat" in classes(memory)
    assert first in open_groups(memory)
    person.reads("taken back later, by entry")
    assert person.browser.complaints == []


def test_add_rename_and_remove_a_class(person: Person, memory: Path, stage: Path) -> None:
    person.go("classes")
    person.reads("Right on pictures left out")
    person.browser.evaluate("document.querySelector('.new-class input[type=text]').focus()")
    person.type("car")
    person.choose(sorted((stage / "inbox").glob("car*"))[:4], field=".new-class input[type=file]")
    person.reads("4 pictures of “car” learned", where=TOASTS)
    assert classes(memory)["car"].images == 4
    person.reads("Needs more pictures", where="document.querySelector('[data-class=car]').innerText")
    person.press("Rename", within="[data-class=car]")
    person.type("vehicle")
    person.key("Enter")
    person.browser.wait_for("document.querySelector('[data-class=vehicle]')")
    person.press("Remove", within="[data-class=vehicle]")
    person.browser.wait_for("!document.querySelector('[data-class=vehicle]')")
    person.press("Undo", within="#toasts .toast:last-child")
    person.browser.wait_for("document.querySelector('[data-class=vehicle]')")
    assert classes(memory)["vehicle"].images == 4
    assert person.browser.complaints == []


def test_a_burst_of_the_camera_counts_as_few(person: Person, memory: Path) -> None:
    person.go("classes")
    person.press("Camera", within="[data-class=cat]")
    person.press("Take 12")
    person.reads("12 pictures taken")
    person.press("Done")
    person.reads("of “cat” learned", where=TOASTS)
    person.reads("What is of one source counts once", where="document.querySelector('[data-class=cat]').innerText")
    assert person.browser.complaints == []


def test_label_by_keys_and_take_back(person: Person, memory: Path) -> None:
    before = sum(one.images for one in classes(memory).values())
    person.go("label")
    person.browser.wait_for("document.querySelector('.choice')")
    name = person.text(".choice:nth-child(2)").split("\n")[-1]
    n = classes(memory)[name].images
    person.key("2")
    person.reads(f"Labelled as “{name}”", where=TOASTS)
    assert classes(memory)[name].images == n + 1
    person.key("z", ctrl=True)
    person.reads("Taken back", where=TOASTS)
    assert sum(one.images for one in classes(memory).values()) == before
    assert person.browser.complaints == []


def test_label_pictures_that_were_dropped(person: Person, memory: Path, stage: Path) -> None:
    before = sum(one.images for one in classes(memory).values())
    person.go("label")
    person.choose(sorted((stage / "test").rglob("*.png")))
    person.browser.wait_for(
        "document.querySelector('.choice') && document.querySelector('.large img').src.startsWith('blob:')"
    )
    person.key("1")
    person.reads("Labelled as", where=TOASTS)
    assert sum(one.images for one in classes(memory).values()) == before + 1


def test_check_measures_what_evaluate_measures(person: Person, service: Service, stage: Path) -> None:
    from inkling.evaluate.run import evaluate_classifier
    from inkling.images.handed_over import records_of

    person.go("check")
    person.choose([stage / "test"], field="main input[webkitdirectory]")
    person.reads("mean gap of confidence and accuracy")
    samples = service.classifier.embed(records_of(stage / "test"))
    expected = evaluate_classifier(service.classifier, samples).evaluation.to_json()["top1"]
    assert f"{100 * expected:.0f} %" in person.text(".figures")
    person.browser.wait_for("document.querySelector('iframe.report[data-loaded]')")
    assert person.browser.complaints == []


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_fits_every_window(person: Person, view: str) -> None:
    person.go(view)
    person.settled()
    for width, dark in WINDOWS:
        person.browser.looks(width=width, height=800, dark=dark, phone=width < 500)
        assert person.browser.evaluate("document.documentElement.scrollWidth") <= width, (width, dark)
    assert person.browser.complaints == []


def test_all_views_are_in_sight_on_a_phone(person: Person) -> None:
    for view in VIEWS:
        person.go(view)
        person.browser.looks(width=390, height=800, phone=True)
        person.browser.wait_for("document.querySelector('.badge').checkVisibility()")
        assert person.browser.evaluate(
            "((nav) => nav.scrollWidth <= nav.clientWidth)(document.querySelector('nav'))"
        ), view


class TestReading:
    """Where nobody may write, nothing on the page does."""

    @pytest.fixture
    def settings(self) -> Settings:
        from inkling.serving.access import Access

        return Settings(Access(read_only=True), min_images=3)

    def test_no_way_to_change(self, person: Person, stage: Path) -> None:
        person.go("review")
        person.browser.wait_for("document.querySelector('article.group')")
        ways = "[...document.querySelectorAll('article button, main select')].filter((one) => one.checkVisibility())"
        assert person.browser.evaluate(f"{ways}.map((one) => one.innerText)") == []
        person.go("ask")
        person.choose([stage / "test" / "cat" / "cat-0000.png"])
        person.browser.wait_for("document.querySelector('.verdicts .answer')")
        assert person.browser.evaluate("document.querySelector('.correction')") is None
        assert not person.browser.evaluate("document.querySelector('#undo').checkVisibility()")


class TestWithToken:
    """Where a token is needed, the page asks for it once."""

    @pytest.fixture
    def settings(self) -> Settings:
        from inkling.serving.access import Access, Token

        return Settings(Access((Token.of("maria:0123456789abcdef", place="a test"),)), min_images=3)

    def test_asks_for_it(self, person: Person, memory: Path) -> None:
        n = len(open_groups(memory))
        person.go("review")
        person.press("Discard", within="article.group")
        person.reads("Writing needs a token")
        person.type("0123456789abcdef")
        person.key("Enter")
        person.browser.wait_for(f"{CARDS} === {n - 1}")
        assert list_events(memory)[-1].arguments["by"] == "maria"


def drag(person: Person, source: str, target: str) -> None:
    """Drag one element onto another, as a mouse does."""
    person.browser.evaluate(
        f"""(() => {{
          const [from, to] = [document.querySelector({source!r}), document.querySelector({target!r})];
          const dataTransfer = new DataTransfer();
          const about = {{ bubbles: true, cancelable: true, dataTransfer }};
          const tell = (place, name) => place.dispatchEvent(new DragEvent(name, about));
          tell(from, "dragstart");
          tell(to, "dragover");
          tell(to, "drop");
        }})()"""
    )


@pytest.mark.parametrize("width", [1280, 390])
def test_messages_leave_the_cards_in_sight(person: Person, width: int) -> None:
    person.browser.looks(width=width, height=800, phone=width < 500)
    person.go("classes")
    person.browser.wait_for("document.querySelectorAll('.card .of-class').length")
    rows = "[...document.querySelectorAll('.of-class')].map((one) => new Set([...one.children].map((button) => "
    rows += "((box) => Math.round((box.top + box.bottom) / 2))(button.getBoundingClientRect()))).size)"
    assert set(person.browser.evaluate(rows)) == {1}
    person.browser.evaluate(
        "import(new URL('toast.js', document.baseURI)).then(({ toast }) => "
        "[1, 2, 3].forEach((n) => toast(`Message ${n}, ` + 'which is long and has several lines, '.repeat(6))))"
    )
    person.browser.wait_for("document.querySelectorAll('.toast').length === 3")
    person.browser.wait_for("getComputedStyle(document.documentElement).getPropertyValue('--told') !== ''")
    person.browser.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    person.browser.wait_for(
        "document.querySelector('main').lastElementChild.getBoundingClientRect().bottom"
        " <= document.getElementById('toasts').getBoundingClientRect().top"
    )
