"""What was learned is taken along: the memory, and its labelled pictures; by those alone who may write."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from zipfile import ZipFile

import pytest
from fastapi.testclient import TestClient

from inkling import FewShotClassifier
from inkling.memory.verify import verify
from inkling.serving.settings import Settings
from tests.accessibility import serious_findings
from tests.serving.browsed import TOASTS, Person


def test_the_memory_is_whole(client: TestClient, stage: Path, tmp_path: Path) -> None:
    got = client.post("/v1/downloads", json={"what": "memory"})
    assert got.status_code == 200
    assert 'filename="vehicles.ink"' in got.headers["content-disposition"]
    (tmp_path / "taken.ink").write_bytes(got.content)
    verify(tmp_path / "taken.ink")
    picture = next((stage / "test" / "cat").iterdir())
    taken, kept = (
        [one.probability for one in FewShotClassifier.load(path).verdicts([picture])]
        for path in (tmp_path / "taken.ink", stage / "vehicles.ink")
    )
    assert taken == kept


@pytest.mark.parametrize("layout", ["folders", "csv", "imagefolder"])
def test_small_pictures_in_every_layout(client: TestClient, layout: str) -> None:
    got = client.post("/v1/downloads", json={"what": "pictures", "layout": layout})
    with ZipFile(io.BytesIO(got.content)) as packed:
        names = packed.namelist()
        pictures = [name for name in names if name.endswith(".jpg")]
        assert len(pictures) == 24
        if layout == "folders":
            assert {name.split("/")[0] for name in names} == {"castle", "cat", "tree"}
        if layout == "csv":
            table = list(csv.DictReader(io.StringIO(packed.read("labels.csv").decode())))
            assert {one["path"] for one in table} == set(pictures)
    assert "/" not in "".join(names).replace("castle/", "").replace("cat/", "").replace("tree/", "")


def test_originals_are_the_memorys_own_files_alone(
    client: TestClient, stage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(stage)
    files = [("file", ("train/cat/cat-0000.png", next((stage / "inbox").glob("car*")).read_bytes()))]
    assert client.post("/v1/classes", data={"name": "car"}, files=files).status_code == 201
    (tmp_path / "cat-0000.png").write_bytes(b"a secret")
    monkeypatch.chdir(tmp_path)
    assert client.post("/v1/downloads", json={"what": "pictures", "originals": True}).status_code in (400, 422)
    monkeypatch.chdir(stage)
    got = client.post("/v1/downloads", json={"what": "pictures", "originals": True})
    with ZipFile(io.BytesIO(got.content)) as packed:
        assert packed.read("cat/cat-0000.png") == (stage / "train/cat/cat-0000.png").read_bytes()
        told = packed.read("left-out.txt").decode()
        assert told.startswith("1 picture left out.")
        assert str(stage) not in told


def test_a_memory_without_classes_is_refused(client: TestClient) -> None:
    assert client.post("/v1/downloads", json={"what": "everything"}).status_code == 422


def test_the_page_takes_it_along(person: Person) -> None:
    person.go("classes")
    person.browser.wait_for("document.querySelector('.takeaway')")
    person.browser.evaluate(
        """(() => {
          window.saved = [];
          HTMLAnchorElement.prototype.click = function () { window.saved.push(this.download); };
          document.querySelector(".takeaway").open = true;
        })()"""
    )
    person.press("Download the memory")
    person.reads("vehicles.ink is ready", where=TOASTS)
    person.press("Download the labelled pictures")
    person.reads("vehicles-folders.zip is ready", where=TOASTS)
    assert person.browser.evaluate("window.saved") == ["vehicles.ink", "vehicles-folders.zip"]
    person.browser.looks(width=390, height=800, dark=True, phone=True)
    assert serious_findings(person.browser) == []
    assert person.browser.evaluate("document.documentElement.scrollWidth") <= 390
    assert person.browser.complaints == []


class TestReading:
    """Who may not write takes nothing along."""

    @pytest.fixture
    def settings(self) -> Settings:
        from inkling.serving.access import Access

        return Settings(Access(read_only=True))

    def test_refused(self, client: TestClient) -> None:
        for what in ("memory", "pictures"):
            assert client.post("/v1/downloads", json={"what": what}).status_code == 403

    def test_not_offered(self, person: Person) -> None:
        person.go("classes")
        person.browser.wait_for("document.querySelector('[data-class=cat]')")
        person.settled()
        assert not person.browser.evaluate("document.querySelector('.takeaway')")
