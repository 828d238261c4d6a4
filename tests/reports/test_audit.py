"""The page of an audit: one file that holds all it needs, and no more than it says."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inkling.auditing.findings import Finding
from inkling.embeddings.samples import Samples
from inkling.images.decode import load, thumbnail
from inkling.reports import audit as page_module
from inkling.reports.audit import render_audit_report
from inkling.sketch import write_dataset
from inkling.types import ImageRecord
from tests.reports.audits import AUDIT, CLASSES, FINDINGS, PATHS, audited, many


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    read: dict[str, Any] = json.loads(found[1])
    return read


def test_only_its_own_script_may_run_and_nothing_is_asked_for() -> None:
    page = render_audit_report(AUDIT, name="x")
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    (script,) = scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in page
    assert page.count("<script") == 2
    assert not re.search(r"\bon\w+=|https?://|<link|@import|url\(", page.partition('id="data"')[0])


def test_names_stay_names() -> None:
    found = data_of(render_audit_report(AUDIT, name="x"))
    assert [one["path"] for one in found["images"]][:3] == list(PATHS[:3])
    assert found["classes"] == list(CLASSES)
    assert found["findings"][0]["relabel"] == CLASSES[1]
    assert "\u202e" not in render_audit_report(AUDIT, name="x").partition('id="data"')[2]


def test_it_says_what_is_about_classes_and_what_was_not_checked() -> None:
    page = render_audit_report(replace(AUDIT, not_checked={"labels": "there is one class"}), name="photos/train")
    assert "cat has 2 images." in page.partition('id="data"')[0]
    assert "Not checked: labels; there is one class." in page
    assert "7 findings in 6 images of 3 classes. Of 1 label said to be wrong, about 1 are expected to be." in page
    assert "inkling audit --apply fixes.csv photos/train --output corrected" in page


def test_what_is_about_all_images_says_so() -> None:
    turned = Finding("rotated", (), "Of 6 pictures, 2 are turned.", 1.0, "Nothing to do here.")
    page = render_audit_report(audited((turned,)), name="x")
    assert re.search(r"All images <span[^>]*>rotated</span></p><p>Of 6 pictures", page) is not None


def test_an_audit_without_findings() -> None:
    page = render_audit_report(audited(()), name="x")
    assert "Nothing in 6 images of 3 classes is worth a look." in page
    assert "<script" not in page


def test_pictures_and_findings_are_bounded_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "MOST_PICTURES", 10)
    monkeypatch.setattr(page_module, "MOST_FINDINGS", 30)
    page = render_audit_report(many(80), name="x")
    found = data_of(page)
    assert (len(found["pictures"]), len(found["findings"])) == (10, 30)
    pictured = {at for at, one in enumerate(found["images"]) if one["picture"] is not None}
    kinds = [one["kind"] for one in found["findings"] if one["files"][0] in pictured]
    assert kinds == ["mislabelled"] * 5 + ["ambiguous"] * 5
    assert "50 findings more are left out" in page
    assert "20 images stand here without a picture" in page


def _drawn(folder: Path) -> Samples:
    write_dataset(folder, ("car", "cat"), 3, seed=1, size=300)
    paths = tuple(sorted(map(str, folder.rglob("*.png"))))
    pictures = [load(ImageRecord(path)) for path in paths]
    return replace(
        AUDIT.subject.samples,
        paths=paths,
        labels=tuple(Path(path).parent.name for path in paths),
        content_hashes=tuple(one.content_hash for one in pictures),
        thumbnails=tuple(thumbnail(one.image) for one in pictures),
    )


def test_pictures_are_larger_where_the_file_is_the_one_that_was_audited(tmp_path: Path) -> None:
    samples = _drawn(tmp_path / "data")
    findings = tuple(replace(FINDINGS[0], files=(path,)) for path in samples.paths[:3])
    audit = replace(AUDIT, subject=replace(AUDIT.subject, samples=samples), findings=findings)
    Path(samples.paths[1]).write_bytes(Path(samples.paths[2]).read_bytes())
    Path(samples.paths[2]).unlink()
    page = render_audit_report(audit, name=str(tmp_path / "data"))
    found = data_of(page)
    pictures = [base64.b64decode(found["pictures"][one["picture"]]) for one in found["images"]]
    assert [picture == small for picture, small in zip(pictures, samples.thumbnails, strict=False)] == [
        False,
        True,
        True,
    ]
    assert [one["path"] for one in found["images"]] == ["car/car-0000.png", "car/car-0001.png", "car/car-0002.png"]
    assert str(tmp_path) not in page


def test_what_all_images_tell_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's cost grows with findings plus images, not with their product."""
    asked: list[int] = []
    real = page_module.shared_folder
    monkeypatch.setattr(page_module, "shared_folder", lambda paths: (asked.append(len(paths)), real(paths))[1])
    render_audit_report(many(40), name="photos")
    assert asked == [40]
