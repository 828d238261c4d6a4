"""The page in a browser: filters, keys, decisions that stay, and corrections that are read again."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from browser import Browser, find_chromium
from inkling.auditing.fix_list import write_fix_list
from inkling.filing.fix_list import read_fix_list
from tests.reports.audits import BROKEN, CLASSES, FINDINGS, PATHS, TESTED, many, write


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if find_chromium() is None:
        pytest.skip("no Chromium is installed")
    with Browser() as browser:
        browser.call("Emulation.setFocusEmulationEnabled", enabled=True)
        yield browser


@pytest.fixture
def browser(chromium: Browser, tmp_path: Path) -> Browser:
    """The page of the made-up audit, with nothing decided."""
    page = write(tmp_path)
    chromium.looks(width=1100, height=800)
    chromium.open(page.as_uri())
    chromium.evaluate("localStorage.clear()")
    chromium.open(page.as_uri())
    return chromium


def keys(browser: Browser, *pressed: str) -> None:
    for key in pressed:
        browser.evaluate(
            "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', "
            f"{{ key: {json.dumps(key)}, bubbles: true, cancelable: true }}))"
        )


def click(browser: Browser, selector: str) -> None:
    browser.evaluate(f"document.querySelector({json.dumps(selector)}).click()")


def text(browser: Browser, selector: str) -> str:
    return str(browser.evaluate(f"document.querySelector({json.dumps(selector)}).textContent"))


def number(browser: Browser, selector: str) -> int:
    return int(browser.evaluate(f"document.querySelectorAll({json.dumps(selector)}).length"))


def saved(browser: Browser, folder: Path) -> Path:
    browser.call("Browser.setDownloadBehavior", session="", behavior="allow", downloadPath=str(folder))
    click(browser, "#export")
    file, ends = folder / "fixes.csv", time.monotonic() + 20
    while not file.is_file():
        assert time.monotonic() < ends, "the page saved nothing"
        time.sleep(0.02)
    return file


def test_hostile_names_are_text_and_nothing_else_is_asked_for(browser: Browser) -> None:
    assert browser.complaints == []
    assert [one for one in browser.requests if not one.startswith(("file:", "data:"))] == []
    assert browser.evaluate("document.title") not in ("pwned", "1")
    assert number(browser, "main img[src='x']") == 0
    shown = browser.evaluate("[...document.querySelectorAll('.image .path bdi')].map((one) => one.textContent)")
    assert shown == [PATHS[0], PATHS[1], PATHS[2], PATHS[4], TESTED, BROKEN, PATHS[4], PATHS[5], PATHS[3]]


def test_filters(browser: Browser) -> None:
    assert number(browser, ".finding") == 6
    click(browser, "#kinds [data-kind=leak]")
    click(browser, "#kinds [data-kind=mislabelled]")
    assert number(browser, ".finding") == 2
    assert text(browser, "#shown") == "2 of 6 findings, 2 images"
    browser.evaluate(
        f"(() => {{ const list = document.getElementById('class'); list.value = {json.dumps(CLASSES[1])}; "
        "list.dispatchEvent(new Event('change')) })()"
    )
    assert number(browser, ".finding") == 1
    click(browser, "#kinds [data-kind='']")
    assert number(browser, ".finding") == 3
    keys(browser, "j", "3")
    browser.evaluate(
        "(() => { const list = document.getElementById('state'); list.value = 'undecided'; "
        "list.dispatchEvent(new Event('change')) })()"
    )
    assert number(browser, ".finding") == 2


def test_decisions_by_key_are_saved_as_a_list_that_is_read_again(browser: Browser, tmp_path: Path) -> None:
    """Relabel; keep, keep; keep; drop; the duplicate's first is decided already; drop; keep."""
    keys(browser, "j", "r", "K", "1", "k", "j", "1", "d", "j", "D", "1")
    assert text(browser, "#count") == "7 of 7 images decided"
    assert text(browser, "#by") == "4 keep, 1 relabel, 2 drop"
    file = saved(browser, tmp_path)
    assert [(one.path, one.action, one.label) for one in read_fix_list(file)] == [
        (PATHS[0], "relabel", CLASSES[1]),
        (PATHS[1], "keep", None),
        (PATHS[2], "keep", None),
        (PATHS[4], "keep", None),
        (BROKEN, "drop", None),
        (PATHS[5], "drop", None),
        (PATHS[3], "keep", None),
    ]
    write_fix_list(tmp_path / "own.csv", FINDINGS)
    assert file.read_bytes() == (tmp_path / "own.csv").read_bytes()
    assert browser.complaints == []


def test_decisions_by_click_stay_over_a_reload_and_are_taken_back(browser: Browser) -> None:
    click(browser, ".image .relabel")
    click(browser, ".finding:nth-of-type(4) .drop")
    browser.evaluate("document.querySelectorAll('.image select')[2].focus()")
    options = browser.evaluate("[...document.querySelectorAll('.image select')[2].options].map((one) => one.value)")
    assert options == ["", CLASSES[0], "cat"]
    browser.evaluate(
        "(() => { const list = document.querySelectorAll('.image select')[2]; list.value = 'cat'; "
        "list.dispatchEvent(new Event('change', { bubbles: true })) })()"
    )
    assert text(browser, "#count") == "3 of 7 images decided"
    assert browser.evaluate("document.activeElement.className") == "image"
    browser.call("Page.reload")
    browser.wait_for("document.readyState === 'complete' && document.getElementById('count')")
    browser.wait_for("document.getElementById('count').textContent.startsWith('3 of 7')")
    assert text(browser, ".image[data-decided=relabel] .verdict bdi") == CLASSES[1]
    keys(browser, "j", "u")
    assert text(browser, "#count") == "2 of 7 images decided"
    click(browser, "#accept")
    assert text(browser, "#by") == "0 keep, 2 relabel, 3 drop"


def test_spoilt_storage_is_no_harm(browser: Browser, tmp_path: Path) -> None:
    key = browser.evaluate("JSON.parse(document.getElementById('data').textContent).key")
    for spoilt in (
        "{",
        "null",
        '{"a": 1}',
        '[["train/cat/1.png", "toString"], ["x", "drop"], 3, ["train/cat/1.png", "relabel"]]',
    ):
        browser.evaluate(f"localStorage.setItem({json.dumps(key)}, {json.dumps(spoilt)})")
        browser.open((tmp_path / "audit.html").as_uri())
        assert text(browser, "#count") == "0 of 7 images decided"
        assert browser.complaints == []


def test_pictures_enlarge_side_by_side(browser: Browser) -> None:
    click(browser, ".several [data-do=enlarge]")
    assert browser.evaluate("document.getElementById('large').open")
    assert number(browser, "#pictures img") == 2
    keys(browser, "j", "j")
    assert "in the test set" in text(browser, "#pictures")
    click(browser, "#large [data-do=close]")
    assert not browser.evaluate("document.getElementById('large').open")
    assert browser.evaluate("document.activeElement.className") == "image"


def test_a_screen_reader_says_what_was_pressed(browser: Browser) -> None:
    keys(browser, "j", "r", "k")
    assert f"{PATHS[0]}: relabel to {CLASSES[1]}. 1 of 7 images decided." in text(browser, "#said")
    assert "relabel to" in browser.evaluate("document.activeElement.getAttribute('aria-label')")
    assert browser.evaluate("document.querySelector('.image .relabel').getAttribute('aria-pressed')") == "true"
    unnamed = browser.evaluate(
        "[...document.querySelectorAll('button, select')].filter((one) => !one.textContent.trim() && "
        "!one.getAttribute('aria-label') && !one.closest('label')).length"
    )
    assert unnamed == 0
    assert browser.evaluate("document.querySelectorAll('.image[tabindex=\"0\"]').length") == 1


def test_thousands_of_findings_are_made_as_they_are_needed(browser: Browser, tmp_path: Path) -> None:
    browser.open(write(tmp_path, many(3000)).as_uri())
    assert number(browser, ".finding") < 300
    began = time.monotonic()
    click(browser, "#kinds [data-kind=ambiguous]")
    keys(browser, *["j"] * 60)
    assert time.monotonic() - began < 20
    assert number(browser, ".finding") > 60
    assert text(browser, "#shown") == "1500 of 3000 findings, 1500 images"
    assert browser.complaints == []


@pytest.mark.parametrize("width", [360, 1100])
def test_nothing_is_wider_than_the_window(browser: Browser, width: int) -> None:
    browser.looks(width=width, height=800, phone=width < 500)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    rights = "[...document.querySelectorAll('.tray button')].map((one) => one.getBoundingClientRect().right)"
    assert max(browser.evaluate(rights)) <= width
