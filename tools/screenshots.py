"""Take the pictures of the exported page that the documentation shows: of drawn pictures, in Chromium.

Usage: .venv/bin/python tools/screenshots.py [FOLDER]

Writes page.png and page-phone.png into docs/images, or into another folder.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image

from browser import Browser, serving
from inkling import FewShotClassifier, export
from inkling.sketch import write_dataset
from web_page import classify, open_page

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
KNOWN, OTHER = ("boat", "bird", "car", "castle", "cat", "fish", "house", "tree"), "key"
SHOWN = {"tree": 0, "cat": 1, "key": 0}
COLOURS = 96


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
        for name in ("page.png", "page-phone.png"):
            with Image.open(folder / name) as taken:
                taken.convert("RGB").quantize(COLOURS).save(target / name, optimize=True)


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
