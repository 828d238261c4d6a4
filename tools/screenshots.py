"""Take the pictures of pages that the documentation shows, an exported one and that of a service: of drawn pictures.

Usage: .venv/bin/python tools/screenshots.py [FOLDER]

Writes page.png, page-phone.png, serve.png, serve-dark.png, serve-ask.png and serve-review.png into docs/images, or into
another folder.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from browser import Browser, serving
from inkling import FewShotClassifier, export
from inkling.images.handed_over import records_of
from inkling.review.explore import explore
from inkling.serving.app import create_app
from inkling.serving.service import Service
from inkling.serving.settings import Settings
from inkling.sketch import write_dataset
from served import listening
from web_page import classify, open_page

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
KNOWN, OTHER = ("boat", "bird", "car", "castle", "cat", "fish", "house", "tree"), "key"
SHOWN = {"tree": 0, "cat": 1, "key": 0}
NAMES = ("page.png", "page-phone.png", "serve.png", "serve-dark.png", "serve-ask.png", "serve-review.png")
COLOURS = 96
_LOADED = "[...document.images].every((one) => one.complete)"


def main() -> None:
    """Export a page, open it, take its pictures."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        pictures = prepare(folder)
        with serving(folder / "page") as (address, _), Browser() as browser:
            browser.looks(width=820, height=980, scale=1.25)
            open_page(browser, address)
            classify(browser, pictures)
            browser.screenshot(folder / "page.png")
            browser.looks(width=390, height=780, scale=1.5, dark=True, phone=True)
            browser.screenshot(folder / "page-phone.png")
        served(folder, pictures)
        for name in NAMES:
            with Image.open(folder / name) as taken:
                taken.convert("RGB").quantize(COLOURS).save(target / name, optimize=True)


def served(folder: Path, pictures: list[Path]) -> None:
    """The page of a service: a question, and groups to review."""
    write_dataset(folder / "inbox", ("starfish", "umbrella", "key"), 9, seed=3)
    write_dataset(folder / "more", ("umbrella",), 1, seed=4)
    unknown = (folder / "more" / "umbrella" / "umbrella-0000.png").rename(folder / "umbrella.png")
    memory = str(folder / "drawings.ink")
    classifier = FewShotClassifier.load(memory)
    explore(memory, classifier, classifier.embed(records_of(folder / "inbox")), min_images=4)
    service = Service(memory)
    service.start()
    app = create_app(service, Settings(min_images=4))
    with listening(app) as address, Browser() as browser:
        browser.looks(width=1080, height=860)
        asked(browser, address, pictures)
        browser.screenshot(folder / "serve-ask.png")
        for name, dark in (("serve.png", False), ("serve-dark.png", True)):
            browser.looks(width=980, height=940, scale=1.25, dark=dark)
            asked(browser, address, [unknown, pictures[0]])
            browser.evaluate("document.getElementById('results-title').scrollIntoView()")
            browser.screenshot(folder / name)
        browser.looks(width=1080, height=860)
        browser.evaluate("location.hash = 'review'")
        browser.wait_for("document.querySelector('.cards .group')")
        browser.wait_for(_LOADED)
        browser.screenshot(folder / "serve-review.png")
    service.close()


def asked(browser: Browser, address: str, pictures: Sequence[Path]) -> None:
    """The page with verdicts."""
    browser.open("about:blank")
    browser.open(f"{address}/#ask")
    browser.wait_for("document.querySelector('.drop-zone input')")
    browser.choose_files(".drop-zone input", pictures)
    browser.wait_for(f"document.querySelectorAll('.verdicts .answer').length === {len(pictures)}")
    browser.wait_for(_LOADED)


def prepare(folder: Path) -> list[Path]:
    """The page of a memory of drawn pictures, and pictures to show, one of them of an unknown class."""
    write_dataset(folder / "train", KNOWN, 20, seed=1)
    write_dataset(folder / "test", (*KNOWN, OTHER), 2, seed=2)
    FewShotClassifier("sketch", cache=False).fit(folder / "train").save(folder / "drawings.ink")
    export(folder / "drawings.ink", folder / "page", format="web", license="CC0-1.0")
    shown = []
    for kind, number in SHOWN.items():
        shown.append(folder / f"{kind}.png")
        shutil.copyfile(sorted((folder / "test" / kind).iterdir())[number], shown[-1])
    return shown


if __name__ == "__main__":
    main()
