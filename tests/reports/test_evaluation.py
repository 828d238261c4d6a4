"""The report as a file: complete, self-contained, safe with hostile names, bounded, written whole."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from inkling.errors import InputError
from inkling.evaluate.results import EvaluationContext
from inkling.reports.evaluation import render_report, write_report
from inkling.types import SkippedImage
from tests.evaluate.made_up import evaluated, jpeg, probabilities

HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>'",
    "{{ 7 * 7 }} {% raw %}",
    "قطة برية",
    "\u202eevil",
    "a" * 300,
    "</style></title></svg>&amp;",
    "tab\tand\nline and \x00\x1b",
)
WHY = "Zero-shot is left out: no class has a text vector."
VOID = {"meta", "img", "br", "wbr", "link", "input"}


class Page(HTMLParser):
    """Elements, their attributes and text; fails where an end tag does not match."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def said(self) -> str:
        return " ".join("".join(self.text).split("\n"))


def page_of(*args: object, **options: object) -> Page:
    return Page(render_report(*evaluated(*args, **options)))


def assert_self_contained(page: Page) -> None:
    assert not page.all("script")
    assert not page.all("link")
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "srcset", "action", "data", "xlink:href"):
            value = attributes.get(name)
            assert value is None or value.startswith(("#", "data:image/jpeg;base64,")), (tag, value)


def test_the_report_says_what_was_measured() -> None:
    zero_shot, _ = probabilities(80, 4, skill=0.5)
    evaluation, report = evaluated(
        zero_shot_p=zero_shot,
        context=EvaluationContext(head="gda", encoder_fingerprint="f00d", memory_version=7),
    )
    page = Page(render_report(evaluation, report))
    assert_self_contained(page)
    assert f"{100 * evaluation.scores.top1:.1f}\u202f% top-1 accuracy" in page.said
    assert f"{evaluation.n_correct} of 80 test images" in page.said
    assert "McNemar" in page.said
    for said in ("vehicles.ink on photos/test", "f00d", "gda", "inkling evaluate vehicles.ink photos/test"):
        assert said in page.said
    fragments = {a["href"] for a in page.all("a")}
    assert fragments <= {f"#{a['id']}" for _, a in page.tags if "id" in a}
    assert len(page.all("svg")) >= 2
    assert all("alt" in image for image in page.all("img"))


def test_ids_are_unique_and_every_reference_to_one_is_met() -> None:
    page = page_of(skill=0.5, thumbnail=jpeg())
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.tags:
        assert set((attributes.get("aria-labelledby") or "").split()) <= set(ids)


@pytest.mark.parametrize("n_classes", [len(HOSTILE), 24])
def test_hostile_names_stay_text(n_classes: int) -> None:
    classes = (*HOSTILE, *(f"c{k}" for k in range(n_classes - len(HOSTILE))))
    y = np.r_[-1, np.arange(79) % n_classes]
    skipped = tuple(SkippedImage(name, name) for name in HOSTILE)
    evaluation, report = evaluated(
        classes,
        y=y,
        labels=[HOSTILE[0], *(classes[k] for k in y[1:])],
        paths=[HOSTILE[i % len(HOSTILE)] for i in range(80)],
        skill=0.5,
        context=EvaluationContext(head=HOSTILE[0], skipped=skipped),
    )
    report = replace(report, memory_name=HOSTILE[1], test_name=HOSTILE[0], provenance={HOSTILE[0]: HOSTILE[1]})
    html = render_report(evaluation, report)
    page = Page(html)
    assert_self_contained(page)
    assert not page.all("img")
    assert HOSTILE[0] in page.said
    assert "{{ 7 * 7 }}" in page.said
    assert "\x00" not in html
    assert "\x1b" not in html


def test_file_names_that_are_not_unicode_can_be_written(tmp_path: Path) -> None:
    evaluation, report = evaluated(skill=0.5, paths=["caf\udce9.jpg"] * 80)
    assert "caf?.jpg" in write_report(tmp_path / "report.html", evaluation, report).read_text("utf-8")


def test_a_perfect_result_has_no_mistakes_to_show() -> None:
    page = page_of(skill=50.0)
    assert "every test image got the right label" in page.said
    assert "No class was taken for another." in page.said


def test_one_class_one_image() -> None:
    page = page_of(["only"], n=1, shots=1)
    assert "1 of 1 test image" in page.said
    assert not page.all("select")


def test_absent_classes_unknown_labels_and_skipped_images_are_reported() -> None:
    page = page_of(
        y=np.r_[[-1] * 3, np.arange(77) % 2],
        labels=["bench", "bench", "tram", *("airplane" if i % 2 == 0 else "boat" for i in range(77))],
        context=EvaluationContext(skipped=(SkippedImage("bus/broken.jpg", "the file is truncated"),)),
    )
    assert "2 known classes have no test image" in page.said
    assert "4 images left out" in page.said
    assert "bench 2" in page.said
    assert "bus/broken.jpg" in page.said
    assert "the file is truncated" in page.said


def test_mistakes_show_the_picture_and_its_nearest_exemplars() -> None:
    evaluation, report = evaluated(n=20, skill=0.5, thumbnail=jpeg(side=16))
    n_mistakes = evaluation.n - evaluation.n_correct
    images = Page(render_report(evaluation, report)).all("img")
    assert [image["class"] for image in images].count("test") == n_mistakes
    assert [image["class"] for image in images].count("exemplar") == 3 * n_mistakes


@pytest.mark.slow
def test_many_classes_and_images_stay_within_a_few_megabytes() -> None:
    thumbnail = jpeg()
    html = render_report(*evaluated([f"species number {k}" for k in range(100)], n=5000, shots=16, thumbnail=thumbnail))
    assert len(html.encode()) < 3_000_000
    assert_self_contained(Page(html))


def test_the_same_evaluation_gives_the_same_page() -> None:
    assert render_report(*evaluated()) == render_report(*evaluated())


def test_an_existing_report_survives_a_failed_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "report.html"
    target.write_text("old")

    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match="No space left"):
        write_report(target, *evaluated())
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="folder that exists"):
        write_report(tmp_path / "nowhere" / "report.html", *evaluated())


def test_a_context_of_another_evaluation_is_refused() -> None:
    evaluation, report = evaluated()
    _, other = evaluated(n=70)
    with pytest.raises(InputError, match="not those of the evaluation"):
        render_report(evaluation, other)
    short = replace(report, images=replace(report.images, paths=["a.jpg"]))
    with pytest.raises(InputError, match="80 entries"):
        render_report(evaluation, short)


def test_a_report_without_zero_shot_says_why() -> None:
    evaluation, context = evaluated()
    plain = replace(evaluation, zero_shot=None)
    told = replace(plain, context=replace(plain.context, why_no_zero_shot=WHY))
    assert WHY in Page(render_report(told, context)).text
    assert WHY not in Page(render_report(plain, context)).text
