"""A memory of drawn pictures as a page, and a browser that has it open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from browser import Browser, find_chromium, serving
from inkling import FewShotClassifier, export
from inkling.errors import MissingExtraError
from inkling.exporting.web_page import require_runtime
from inkling.sketch import write_dataset
from web_page import open_page

KNOWN, OTHERS = ("boat", "car", "house"), ("cup", "key")


@dataclass(frozen=True)
class Page:
    """An exported page.

    Attributes
    ----------
    folder
        Where it lies.
    classifier
        What it was made from.
    pictures
        Drawn ones, of known classes and others.
    """

    folder: Path
    classifier: FewShotClassifier
    pictures: tuple[Path, ...]


@dataclass(frozen=True)
class Opened:
    """A page in a browser.

    Attributes
    ----------
    address
        Of its host.
    asked
        What the host was asked for, with the status of each answer.
    """

    browser: Browser
    address: str
    asked: list[str]


@pytest.fixture(scope="session")
def chromium() -> str:
    found = find_chromium()
    if found is None:
        pytest.skip("no Chromium is installed")
    return found


@pytest.fixture(scope="session")
def runtime() -> None:
    try:
        require_runtime()
    except MissingExtraError as error:
        pytest.skip(error.message)


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory, runtime: None) -> Page:
    folder = tmp_path_factory.mktemp("page")
    write_dataset(folder / "train", KNOWN, 12, seed=1)
    write_dataset(folder / "test", (*KNOWN, *OTHERS), 3, seed=2)
    classifier = FewShotClassifier("sketch", false_alarms=0.1, cache=False).fit(folder / "train")
    classifier.save(folder / "drawings.ink")
    exported = export(folder / "drawings.ink", folder / "page", format="web", license="CC0-1.0")
    return Page(exported.folder, classifier, tuple(sorted((folder / "test").rglob("*.png"))))


@pytest.fixture(scope="session")
def hosted(chromium: str, page: Page) -> Iterator[Opened]:
    with serving(page.folder) as (address, asked), Browser() as browser:
        yield Opened(browser, address, asked)


@pytest.fixture
def opened(hosted: Opened) -> Opened:
    """The page as it is when somebody opens it."""
    hosted.asked.clear()
    open_page(hosted.browser, hosted.address)
    return hosted
