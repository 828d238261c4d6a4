"""Whether somebody gets from an empty folder to a working classifier on the page alone, and how quickly it films.

    python bench/page.py [--encoder pocket]

A server begins a memory that isn't there; in Chromium a script names two classes, films each with a camera, adds chosen
pictures to both, corrects verdicts that are wrong, and asks about pictures that were held out. Each press, each name
typed and each choice of files counts as one interaction. The camera is a film of photographs. Server, browser and film
share the cores.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from common import ROOT, SHARED, Row, at_least, at_most, record
from filmed import film
from serving import served

sys.path.append(str(ROOT / "tools"))
from browser import Browser, find_chromium

SEED = 0
CLOTHING = SHARED / "data" / "clothing"
EASY, ALIKE = ("pants", "shoes"), ("outwear", "shirt")
"""Kinds of clothes; the latter look alike, and stand for orientation."""
BURST = 12
"""Pictures that the page takes at a press."""
FILMED, CHOSEN, CORRECTED, ASKED, LIVE = 12, 8, 6, 40, 8
"""Photographs of a kind: before the camera, chosen, asked about and corrected; held out and asked about, and filmed."""
FILMING = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
BURST_SECONDS = 0.3
"""A picture of a burst is taken about so often."""
LIVE_SECONDS = 2.0
MEASURED_SECONDS = 20.0
WATCH_LIVE = """new Promise((resolve) => {
  const seen = [];
  const watch = new MutationObserver(() => {
    const name = document.querySelector(".camera .bars .name");
    if (name) seen.push([performance.now(), name.textContent]);
  });
  watch.observe(document.querySelector(".camera .verdict"), { childList: true });
  setTimeout(() => resolve(seen), %d);
})"""
"""When a verdict came, and which."""
ROWS = """[...document.querySelectorAll(".verdicts > li")].map((row, at) => ({
  at,
  name: row.querySelector("h3").textContent,
  label: row.querySelector(".bars .name").textContent,
  unknown: row.classList.contains("unknown"),
  added: Boolean(row.querySelector(".added")),
}))"""
"""What is said about each picture."""
VERDICTS = "document.querySelectorAll('.verdicts .answer').length"


class Hand:
    """What a person does, by mouse and keys; every press, name typed and choice of files is counted."""

    def __init__(self, browser: Browser) -> None:
        self.browser, self.interactions = browser, 0

    def press(self, text: str, *, within: str = "body", once: str = "true") -> None:
        """Press the middle of a button or link by what it says, as soon as it can be."""
        self.browser.wait_for(once)
        found = (
            f"[...document.querySelectorAll({within + ' :is(button, a)'!r})]"
            f".find((one) => one.checkVisibility() && !one.disabled && one.textContent.trim() === {text!r})"
        )
        self.browser.wait_for(found)
        box = self.browser.evaluate(
            f"((one) => {{ one.scrollIntoView({{ block: 'center' }}); const box = one.getBoundingClientRect();"
            f" return [box.x + box.width / 2, box.y + box.height / 2]; }})({found})"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.browser.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)
        self.interactions += 1

    def type(self, text: str, *, field: str) -> None:
        """Type into a field."""
        self.browser.wait_for(f"document.querySelector({field!r})")
        self.browser.evaluate(f"document.querySelector({field!r}).focus()")
        self.browser.call("Input.insertText", text=text)
        self.interactions += 1

    def choose(self, paths: Sequence[Path], *, field: str) -> None:
        """Choose files."""
        self.browser.wait_for(f"document.querySelector({field!r})")
        self.browser.choose_files(field, paths)
        self.interactions += 1


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", default="pocket")
    options = parser.parse_args()
    if not CLOTHING.is_dir() or find_chromium() is None:
        print(f"Not measured: it takes the photographs in {CLOTHING}, and Chromium.")
        return
    with tempfile.TemporaryDirectory() as scratch:
        rows = begun(Path(scratch) / "easy", options.encoder, EASY)
        alike = begun(Path(scratch) / "alike", options.encoder, ALIKE)
    rows += [replace(one, what=f"{' and '.join(ALIKE)}: {one.what}", target=None, reached=None) for one in alike]
    record("page", rows, seed=SEED, encoder=options.encoder, classes=EASY)


def begun(place: Path, encoder: str, kinds: Sequence[str]) -> list[Row]:
    """From an empty folder to a classifier, and what it is worth."""
    place.mkdir()
    camera = place / "camera.y4m"
    film(pictures("train", kinds[0], 1), camera, seconds_each=1, seed=SEED)
    with Browser(*FILMING, f"--use-file-for-fake-video-capture={camera}") as browser:
        browser.looks(width=1280, height=900)
        hand, start = Hand(browser), time.perf_counter()
        with served(place / "new.ink", "--new", encoder, cache=place / "cache") as server:
            browser.open(f"http://127.0.0.1:{server.port}/")
            for kind in kinds:
                add(hand, kind, camera)
            correct(hand, kinds)
            took = time.perf_counter() - start
            return [
                at_most("from an empty folder to two classes: interactions", hand.interactions, 40),
                at_most("from an empty folder to two classes: seconds", took, 300),
                held_out(hand, kinds),
                *live(hand, kinds[-1], camera),
                at_most("complaints on the console", len(browser.complaints), 0, told=browser.complaints[:3]),
            ]


def pictures(part: str, kind: str, n: int, *, skip: int = 0) -> list[Path]:
    """Some photographs of a kind; which ones is decided by the seed."""
    found = sorted((CLOTHING / part / kind).iterdir())
    random.Random(SEED).shuffle(found)
    return found[skip : skip + n]


def add(hand: Hand, kind: str, camera: Path) -> None:
    """A new class, filmed; then some chosen pictures for it."""
    film(pictures("train", kind, FILMED), camera, seconds_each=BURST_SECONDS, seed=SEED)
    hand.type(kind, field=".new-class input[type=text]")
    hand.press("Use the camera", within=".new-class")
    hand.press(f"Take {BURST}", within=".burst")
    hand.browser.wait_for(f"document.querySelector('.burst').innerText.includes('{BURST} pictures taken')")
    hand.press("Done", within=".burst")
    card = f"[data-class={kind}]"
    hand.browser.wait_for(f"document.querySelector({card!r})")
    hand.choose(pictures("train", kind, CHOSEN, skip=FILMED), field=f"{card} input[type=file]")
    # Frames that are alike to the last bit are one picture.
    hand.browser.wait_for(f"parseInt(document.querySelector({card + ' header span'!r}).innerText) > {BURST}")
    hand.browser.wait_for("!document.querySelector('.progress')")


def correct(hand: Hand, kinds: Sequence[str]) -> None:
    """Ask about pictures that it has not seen, and press the right name where it is wrong or unsure."""
    kind_of = {one: kind for kind in kinds for one in pictures("train", kind, CORRECTED, skip=FILMED + CHOSEN)}
    asked = {one.name: kind for one, kind in kind_of.items()}
    hand.press("Ask", within="nav")
    hand.browser.wait_for("document.title.startsWith('Ask')")
    hand.choose([*kind_of], field=".drop-zone input")
    hand.browser.wait_for(f"{VERDICTS} === {len(asked)}")
    while wrong := [one for one in verdicts(hand.browser) if not one["added"] and not right(one, asked)]:
        at, kind = wrong[0]["at"], asked[wrong[0]["name"]]
        row = f".verdicts > li:nth-child({at + 1})"
        hand.press(kind, within=f"{row} .correction")
        hand.browser.wait_for(f"document.querySelector({row + ' .added'!r})")


def right(verdict: dict[str, Any], kinds: dict[str, str]) -> bool:
    """Whether a verdict is that of its kind, and not that it's unknown."""
    return verdict["label"] == kinds[verdict["name"]] and not verdict["unknown"]


def verdicts(browser: Browser) -> list[dict[str, Any]]:
    """What the page says about each picture."""
    found: list[dict[str, Any]] = browser.evaluate(ROWS)
    return found


def held_out(hand: Hand, kinds: Sequence[str]) -> Row:
    """Photographs of the test part, judged on the page."""
    asked = {one: kind for kind in kinds for one in pictures("test", kind, ASKED)}
    hand.press("Clear")
    hand.choose([*asked], field=".drop-zone input")
    hand.browser.wait_for(f"{VERDICTS} === {len(asked)}", seconds=120)
    kind_of = {one.name: kind for one, kind in asked.items()}
    told = verdicts(hand.browser)
    labels = sum(one["label"] == kind_of[one["name"]] for one in told) / len(told)
    unknown = sum(one["unknown"] for one in told)
    return at_least("held-out pictures: top-1", labels, 0.9, pictures=len(told), called_unknown=unknown)


def live(hand: Hand, kind: str, camera: Path) -> list[Row]:
    """Verdicts on what the camera sees: photographs of the test part of one kind."""
    film(pictures("test", kind, LIVE), camera, seconds_each=LIVE_SECONDS, seed=SEED)
    hand.press("Use the camera")
    hand.browser.wait_for("document.querySelector('.camera .bars')")
    seen = hand.browser.evaluate(WATCH_LIVE % (1000 * MEASURED_SECONDS), seconds=2 * MEASURED_SECONDS)
    hand.press("Stop")
    n, (first, last) = len(seen), (seen[0][0], seen[-1][0])
    gaps = [1e-3 * (after[0] - before[0]) for before, after in pairwise(seen)]
    return [
        at_least("camera: verdicts a second", 1e3 * (n - 1) / (last - first), 3, longest_gap_s=max(gaps)),
        at_least("camera: verdicts with the right label", sum(label == kind for _, label in seen) / n, 0.9),
    ]


if __name__ == "__main__":
    main()
