"""The page answers as Inkling does, asks nobody else, and says in words what is amiss."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from browser import Browser, BrowserError, serving
from inkling import FewShotClassifier
from tests.accessibility import serious_findings
from tests.exporting.web.conftest import Opened, Page
from web_page import Verdict, classify, open_page, saved, wait_for_verdicts

ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
FILMING = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


def check_same(found: list[Verdict], classifier: FewShotClassifier, paths: list[Path], tolerance: float) -> None:
    """The page's verdicts are the classifier's."""
    expected = classifier.verdicts(paths)
    assert [one.line["path"] for one in found] == [path.name for path in paths]
    for one, wanted in zip(found, expected, strict=True):
        assert one.line["label"] == wanted.label
        assert (one.line["unknown"], one.line["p_known"]) == (wanted.unknown, wanted.p_known)
        assert one.line["probability"] == pytest.approx(wanted.probability, abs=tolerance)
        right = dict(zip(wanted.top_labels, wanted.top_probabilities, strict=True))
        assert one.shown == pytest.approx({label: right[label] for label in one.shown}, abs=tolerance)


def text(browser: Browser, selector: str) -> str:
    return str(browser.evaluate(f"document.querySelector({selector!r}).innerText"))


def test_it_answers_as_inkling_and_asks_nobody_else(opened: Opened, page: Page) -> None:
    pictures = list(page.pictures)
    found = classify(opened.browser, pictures)
    check_same(found, page.classifier, pictures, 1e-5)
    assert {one.line["unknown"] for one in found} == {True, False}
    assert opened.browser.complaints == []
    others = [one for one in opened.browser.requests if not one.startswith((opened.address, f"blob:{opened.address}"))]
    assert others == []
    assert [one for one in opened.asked if not one.endswith(" 200")] == []


def test_verdicts_in_words(opened: Opened, page: Page) -> None:
    found = classify(opened.browser, list(page.pictures))
    rows = opened.browser.evaluate("[...document.querySelectorAll('#list > li')].reverse().map((row) => row.innerText)")
    for one, said in zip(found, rows, strict=True):
        assert one.line["path"] in said
        assert ("Unlike every class it knows" in said) is one.line["unknown"]
        assert (f"Nearest: {one.line['label']}" in said) is one.line["unknown"]
        assert "in 100" in said
    assert "drawings.ink, version 1" in text(opened.browser, "#version")
    assert "boat, car, house" in text(opened.browser, "#classes")


def _jpeg(picture: Image.Image, file: Path) -> None:
    picture.save(file, quality=90)


def _large_jpeg(picture: Image.Image, file: Path) -> None:
    picture.resize((1600, 1200), Image.Resampling.BICUBIC).save(file, quality=90)


def _turned(picture: Image.Image, file: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.rotate(90, expand=True).save(file, quality=95, exif=exif)


def _transparent(picture: Image.Image, file: Path) -> None:
    covered = np.full((picture.height, picture.width, 1), 255, np.uint8)
    covered[: picture.height // 3] = 0
    Image.fromarray(np.concatenate([np.asarray(picture), covered], axis=2)).save(file)


@pytest.mark.parametrize(
    ("write", "suffix", "tolerance"),
    [(_jpeg, ".jpg", 1e-3), (_large_jpeg, ".jpg", 2e-2), (_turned, ".jpg", 1e-3), (_transparent, ".png", 1e-3)],
)
def test_it_reads_pictures_as_inkling_does(
    write: Callable[[Image.Image, Path], None],
    suffix: str,
    tolerance: float,
    opened: Opened,
    page: Page,
    tmp_path: Path,
) -> None:
    files = [tmp_path / f"{number}{suffix}" for number in range(3)]
    for path, file in zip(page.pictures[::4], files, strict=False):
        write(Image.open(path).convert("RGB"), file)
    for one, wanted in zip(classify(opened.browser, files), page.classifier.verdicts(files), strict=True):
        assert (one.line["label"], one.line["unknown"]) == (wanted.label, wanted.unknown)
        assert one.line["probability"] == pytest.approx(wanted.probability, abs=tolerance)


def test_what_it_cannot_read_gets_a_sentence_and_ends_nothing(opened: Opened, page: Page, tmp_path: Path) -> None:
    whole = page.pictures[0].read_bytes()
    bad = {
        "cut.jpg": b"\xff\xd8\xff\xe0\0\x10JFIF",
        "empty.png": b"",
        "note.txt": b"hello",
        "a.heic": b"\0\0\0\x18ftypheic",
    }
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "good.png").write_bytes(whole)
    Image.new("RGB", (1000, 5)).save(tmp_path / "long.png")
    names = [*bad, "long.png", "good.png"]
    found = classify(opened.browser, [tmp_path / name for name in names])
    told = ["damaged or cut short", "is empty", "no picture of a format", "no HEIC", "too elongated"]
    for one, words in zip(found[:-1], told, strict=True):
        assert words in one.line["error"]
        assert one.line["error"].endswith(".")
    assert found[-1].line["label"] in page.classifier.classes_
    assert opened.browser.complaints == []


def test_pictures_are_dropped_and_pasted(opened: Opened, page: Page) -> None:
    browser = opened.browser
    browser.drop_files("#drop-zone", page.pictures[:2])
    wait_for_verdicts(browser, 2)
    browser.evaluate(
        """new OffscreenCanvas(40, 30).convertToBlob === undefined || (async () => {
          const canvas = new OffscreenCanvas(40, 30);
          canvas.getContext("2d").fillRect(0, 0, 20, 30);
          const data = new DataTransfer();
          data.items.add(new File([await canvas.convertToBlob()], "pasted.png", { type: "image/png" }));
          document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data }));
        })()"""
    )
    wait_for_verdicts(browser, 3)
    assert [one["path"] for one in saved(browser)] == [*(path.name for path in page.pictures[:2]), "pasted.png"]
    browser.evaluate("document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: new DataTransfer() }))")
    assert "holds no picture" in text(browser, "#input-problem")
    browser.evaluate("document.getElementById('clear').click()")
    assert browser.evaluate("document.getElementById('results').hidden")


def test_a_camera_gets_verdicts_until_it_is_stopped(chromium: str, page: Page) -> None:
    with serving(page.folder) as (address, _), Browser(*FILMING) as browser:
        open_page(browser, address)
        browser.evaluate("document.getElementById('start-camera').click()")
        browser.wait_for("document.getElementById('rate').textContent.includes('verdicts a second')")
        assert text(browser, "#live .answer")
        browser.evaluate("document.getElementById('stop-camera').click()")
        assert browser.evaluate(
            "document.getElementById('camera').hidden && !document.getElementById('video').srcObject"
        )
        assert browser.complaints == []


@pytest.mark.parametrize(("options", "words"), [((), "No camera was found"), (FILMING[:1], "does not let this page")])
def test_without_a_camera_or_leave_it_says_so(options: tuple[str, ...], words: str, chromium: str, page: Page) -> None:
    with serving(page.folder) as (address, _), Browser(*options) as browser:
        if options:
            browser.call("Browser.setPermission", session="", permission={"name": "camera"}, setting="denied")
        open_page(browser, address)
        browser.evaluate("document.getElementById('start-camera').click()")
        browser.wait_for("document.getElementById('input-problem').textContent")
        assert words in text(browser, "#input-problem")


def test_threads_are_used_where_the_host_isolates_the_page(chromium: str, page: Page) -> None:
    pictures = list(page.pictures[:3])
    with serving(page.folder, ISOLATED) as (address, _), Browser() as browser:
        open_page(browser, address)
        cores = browser.evaluate("navigator.hardwareConcurrency")
        told = browser.evaluate("document.getElementById('about').textContent")
        assert (f"float32, {min(cores, 4)} threads" in told) is (cores > 1)
        check_same(classify(browser, pictures), page.classifier, pictures, 1e-5)
        assert browser.complaints == []


def test_opened_as_a_file_it_says_what_to_do(chromium: str, page: Page) -> None:
    with Browser() as browser:
        browser.open((page.folder / "index.html").as_uri())
        browser.wait_for("document.getElementById('not-started').innerText.includes('python -m http.server')")


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("model.onnx", "The host has no model.onnx (it answered 404)"),
        ("labels.json", "The host has no labels.json"),
        ("runtime/ort.js", "could not be loaded"),
    ],
)
def test_a_host_that_lacks_a_file_is_found_out(
    file: str, words: str, chromium: str, page: Page, tmp_path: Path
) -> None:
    folder = shutil.copytree(page.folder, tmp_path / "page")
    (folder / file).unlink()
    with serving(folder) as (address, _), Browser() as browser, pytest.raises(BrowserError) as caught:
        open_page(browser, address)
    assert words in str(caught.value)


def test_a_damaged_model_is_reported_in_words(chromium: str, page: Page, tmp_path: Path) -> None:
    folder = shutil.copytree(page.folder, tmp_path / "page")
    (folder / "model.onnx").write_bytes(b"not a model")
    with (
        serving(folder) as (address, _),
        Browser() as browser,
        pytest.raises(BrowserError, match="The model cannot run"),
    ):
        open_page(browser, address)


def test_it_keeps_nobody_from_using_it(opened: Opened, page: Page) -> None:
    for dark in (False, True):
        opened.browser.looks(width=1280, height=900, dark=dark)
        open_page(opened.browser, opened.address)
        classify(opened.browser, list(page.pictures))
        assert serious_findings(opened.browser) == []
