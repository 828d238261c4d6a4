"""Every flow of the page by keys alone: the focus is seen, and is not lost when what had it goes away."""

from __future__ import annotations

from pathlib import Path

from inkling.memory.events import list_events
from inkling.memory.shown import shown_proposals
from inkling.review.signed import SignedDecisions
from tests.serving.browsed import TOASTS, Person
from tests.serving.test_page import CARDS, classes, open_groups


def verbs(memory: Path, last: int) -> list[str]:
    return [one.verb for one in list_events(memory)][-last:]


def test_ask_and_correct(person: Person, memory: Path, stage: Path) -> None:
    before = classes(memory)["cat"].images
    person.go("ask")
    person.choose_by_keys([stage / "test/tree/tree-0000.png"], field="main input[type=file]")
    person.browser.wait_for("document.querySelector('.correction')")
    person.tab_to("[aria-label='It is cat']")
    person.has_focus(".chip")
    person.key("Enter")
    person.has_focus(".added")
    assert classes(memory)["cat"].images == before + 1
    person.key("z", ctrl=True)
    person.browser.wait_for("document.querySelector('.correction')")
    person.has_focus(".correction *")
    assert classes(memory)["cat"].images == before
    person.tab_to("=Clear")
    person.key("Enter")
    person.has_focus("main input[type=file]")
    assert person.browser.complaints == []


def test_keep_what_is_unknown(person: Person, stage: Path) -> None:
    person.go("ask")
    person.choose_by_keys(sorted((stage / "inbox").glob("car*.png"))[:4], field="main input[type=file]")
    person.browser.wait_for("document.querySelectorAll('.verdicts .answer').length === 4")
    person.reads("for review")
    person.tab_to(".bar-of-tools button")
    person.key("Enter")
    person.reads("kept", where=TOASTS)
    person.has_focus(".bar-of-tools button")
    person.tab_to("#toasts a")
    person.key("Enter")
    person.reads("Review")
    person.browser.wait_for("document.activeElement.id === 'main'")


def test_create_rename_add_and_remove_a_class(person: Person, memory: Path, stage: Path) -> None:
    person.go("classes")
    person.browser.wait_for("document.querySelector('[data-class=cat]')")
    person.tab_to(".new-class input[type=text]")
    person.type("car")
    person.choose_by_keys(sorted((stage / "inbox").glob("car*"))[:4], field=".new-class input[type=file]")
    person.browser.wait_for("document.querySelector('[data-class=car]')")
    person.has_focus(".new-class input[type=file]")
    person.tab_to("[aria-label='Rename car']")
    person.key("Enter")
    person.has_focus("dialog input")
    person.type("vehicle")
    person.key("Enter")
    person.browser.wait_for("document.querySelector('[data-class=vehicle]')")
    person.has_focus("[data-class=vehicle] *")
    person.choose_by_keys(sorted((stage / "inbox").glob("car*"))[4:6], field="[aria-label='Add pictures to vehicle']")
    person.reads("6 pictures", where="document.querySelector('[data-class=vehicle]').innerText")
    person.has_focus("[aria-label='Add pictures to vehicle']")
    person.tab_to("[aria-label='Remove vehicle']")
    person.key("Enter")
    person.browser.wait_for("!document.querySelector('[data-class=vehicle]')")
    person.has_focus("[data-class] :is(input, button)")
    person.key("z", ctrl=True)
    person.browser.wait_for("document.querySelector('[data-class=vehicle]')")
    person.has_focus("[data-class] :is(input, button)")
    assert classes(memory)["vehicle"].images == 6
    assert person.browser.complaints == []


def test_film_a_class(person: Person) -> None:
    person.go("classes")
    person.browser.wait_for("document.querySelector('[data-class=cat]')")
    person.tab_to("[aria-label='Add to cat by camera']")
    person.key("Enter")
    person.has_focus(".burst .primary")
    person.key("Enter")
    person.reads("12 pictures taken")
    person.has_focus(".burst .primary")
    person.tab_to("=Done")
    person.key("Enter")
    person.reads("of “cat” learned", where=TOASTS)
    person.has_focus("[aria-label='Add to cat by camera']")


def test_accept_split_merge_and_discard(person: Person, memory: Path) -> None:
    n = len(open_groups(memory))
    person.go("review")
    person.browser.wait_for(f"{CARDS} === {n}")
    person.tab_to("article.group")
    person.key("s")
    person.browser.wait_for(f"{CARDS} === {n + 1}")
    person.has_focus("article.group")
    person.key("m")
    person.has_focus("select")
    person.key("ArrowDown")
    person.key("ArrowDown")
    person.key("Enter")
    person.browser.wait_for(f"{CARDS} === {n}")
    person.has_focus("article.group")
    person.key("d")
    person.browser.wait_for(f"{CARDS} === {n - 1}")
    person.has_focus("article.group")
    person.key("a")
    person.has_focus(".naming input")
    person.type("car")
    person.key("Enter")
    person.browser.wait_for(f"{CARDS} === {n - 2}")
    person.browser.wait_for("document.activeElement !== document.body")
    assert verbs(memory, 4) == ["split", "merge", "discard", "accept"]
    assert list_events(memory)[-3].arguments["proposals"][1] != list_events(memory)[-3].arguments["proposals"][0] + 1
    assert person.browser.complaints == []


def test_move_pictures(person: Person, memory: Path) -> None:
    before = classes(memory)["tree"].images
    person.go("review")
    person.browser.wait_for("document.querySelector('.pick')")
    person.tab_to(".group .pick")
    person.key(" ")
    person.key("Tab")
    person.key(" ")
    person.reads("2 pictures picked")
    person.has_focus(".pick")
    person.key("m")
    person.has_focus(".mover select")
    person.key("t")
    person.key("Enter")
    person.reads("2 pictures moved to “tree”", where=TOASTS)
    person.has_focus(".pick")
    assert classes(memory)["tree"].images == before + 2


def test_a_class_of_what_is_in_no_group(person: Person, memory: Path) -> None:
    loose = shown_proposals(memory, most=9).loose
    before = open_groups(memory)
    assert len(loose) > 1
    person.go("review")
    person.browser.wait_for("document.querySelector('.loose .pick')")
    person.tab_to(".loose .pick")
    person.key(" ")
    person.key("Tab")
    person.key(" ")
    person.key("n")
    person.has_focus(".mover input")
    person.type("odd ones")
    person.key("Enter")
    person.reads("“odd ones” is a class of 2 pictures now", where=TOASTS)
    assert classes(memory)["odd ones"].images == 2
    person.browser.wait_for("document.querySelector('.mover').hidden")
    assert person.browser.evaluate("document.activeElement !== document.body")
    person.key("z", ctrl=True)
    person.reads("Taken back", where=TOASTS)
    assert "odd ones" not in classes(memory)
    assert (shown_proposals(memory, most=9).loose, open_groups(memory)) == (loose, before)
    assert person.browser.complaints == []


def test_label(person: Person, memory: Path) -> None:
    before = sum(one.images for one in classes(memory).values())
    person.go("label")
    person.browser.wait_for("document.querySelector('.choice')")
    first = person.browser.evaluate("document.querySelector('.large img').title")
    person.key("0")
    person.browser.wait_for(f"document.querySelector('.large img').title !== {first!r}")
    person.tab_to(".choice")
    person.key("Enter")
    person.reads("Labelled as", where=TOASTS)
    person.settled()
    person.has_focus(".choice")
    person.key("1")
    person.browser.wait_for("document.querySelectorAll('#toasts .toast').length === 2")
    person.settled()
    person.has_focus(".choice")
    assert sum(one.images for one in classes(memory).values()) == before + 2
    for _ in range(2):
        person.key("z", ctrl=True)
        person.reads("Taken back", where=TOASTS)
        person.settled()
    assert sum(one.images for one in classes(memory).values()) == before


def test_check(person: Person, stage: Path) -> None:
    person.go("check")
    person.browser.wait_for("document.querySelector('main input[webkitdirectory]')")
    person.choose_by_keys([stage / "test"], field="main input[webkitdirectory]")
    person.reads("mean gap of confidence and accuracy")
    person.has_focus("main input[webkitdirectory]")


def test_take_back_in_the_history_and_in_a_message(person: Person, memory: Path) -> None:
    groups = open_groups(memory)
    SignedDecisions(memory, by="jan").discard(next(iter(groups)))
    SignedDecisions(memory, by="jan").rename("cat", "house cat")
    person.go("history")
    person.browser.wait_for("document.querySelector('.events button')")
    person.tab_to("=Undo back to here")
    person.key("Enter")
    person.browser.wait_for("document.querySelector('dialog')")
    person.tab_to("=Take back")
    person.key("Enter")
    person.reads("2 decisions were taken back", where=TOASTS)
    assert open_groups(memory) == groups
    person.browser.wait_for("document.activeElement !== document.body")
    person.go("review")
    person.browser.wait_for(f"{CARDS} === {len(groups)}")
    person.tab_to("article.group")
    person.key("d")
    person.browser.wait_for(f"{CARDS} === {len(groups) - 1}")
    person.tab_to("#toasts button")
    person.key("Enter")
    person.browser.wait_for(f"{CARDS} === {len(groups)}")
    person.browser.wait_for("document.activeElement !== document.body")


def test_f6_goes_to_the_latest_message(person: Person, memory: Path) -> None:
    n = len(open_groups(memory))
    person.go("review")
    person.browser.wait_for(f"{CARDS} === {n}")
    person.tab_to("article.group")
    person.key("d")
    person.browser.wait_for(f"{CARDS} === {n - 1}")
    person.key("F6")
    person.has_focus("#toasts button")
    person.key("Enter")
    person.browser.wait_for(f"{CARDS} === {n}")
