"""The page of an export in a browser: pictures go in as a person gives them, and verdicts are read off it."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from browser import Browser, BrowserError

_STARTED = "!document.getElementById('input').hidden || !document.getElementById('failure').hidden"
_SETTLED = "document.querySelectorAll('#list > li').length === {n} && !document.querySelector('#list > .waiting')"
_SHOWN = """[...document.querySelectorAll('#list > li')].reverse().map((row) =>
  [...row.querySelectorAll('.bars li')].map((bar) => [bar.querySelector('.name').textContent,
    Number(bar.querySelector('data').value)]))"""


@dataclass(frozen=True)
class Verdict:
    """What the page finds in a picture.

    Attributes
    ----------
    line
        As the page saves it: path, label, probability, unknown, p_known, or error.
    shown
        Probabilities of the classes that it shows.
    """

    line: Mapping[str, Any]
    shown: Mapping[str, float]


def open_page(browser: Browser, address: str) -> None:
    """Open the page and wait until it takes pictures.

    Raises
    ------
    BrowserError
        If the model doesn't start; with what the page says.
    """
    browser.open(address)
    browser.wait_for(_STARTED, seconds=300)
    failure = browser.evaluate("document.getElementById('failure').hidden ? '' : document.body.innerText")
    if failure:
        raise BrowserError(failure)


def classify(browser: Browser, paths: Sequence[Path], *, seconds: float = 300) -> list[Verdict]:
    """Choose pictures in an open page whose list is empty, and read its verdicts in their order."""
    browser.choose_files("#files", paths)
    wait_for_verdicts(browser, len(paths), seconds=seconds)
    shown = browser.evaluate(_SHOWN)
    return [Verdict(line, dict(bars)) for line, bars in zip(saved(browser), shown, strict=True)]


def wait_for_verdicts(browser: Browser, n: int, *, seconds: float = 60) -> None:
    """Wait until the list holds so many pictures, each with its verdict or error."""
    browser.wait_for(_SETTLED.format(n=n), seconds=seconds)


def saved(browser: Browser) -> list[dict[str, Any]]:
    """The list as a person saves it."""
    with tempfile.TemporaryDirectory() as folder:
        browser.call("Browser.setDownloadBehavior", session="", behavior="allow", downloadPath=folder)
        browser.evaluate("document.getElementById('save').click()")
        file, ends = Path(folder, "verdicts.jsonl"), time.monotonic() + 20
        while not file.is_file():
            if time.monotonic() > ends:
                raise BrowserError("The page saved nothing.")
            time.sleep(0.02)
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
