"""Pictures that wait are shown large enough to label by, to those who may write."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from inkling.images.decode import load
from inkling.memory.shown import shown_proposals
from inkling.serving.larger import Larger
from inkling.serving.settings import Settings
from inkling.types import ImageRecord
from tests.serving.browsed import Person


def large(picture: Path, side: int = 1500) -> bytes:
    out = io.BytesIO()
    with Image.open(picture) as opened:
        opened.convert("RGB").resize((side, side)).save(out, "PNG")
    return out.getvalue()


def test_what_was_sent_is_held_large(client: TestClient, stage: Path) -> None:
    data = large(stage / "inbox" / "car-0001.png")
    told = client.post("/v1/observe", files={"file": ("car.png", data)}).json()
    (one,) = told["predictions"]
    assert one["p_known"] <= 0.5
    got = client.get(f"/v1/images/{one['id']}/larger")
    assert (got.headers["content-type"], Image.open(io.BytesIO(got.content)).size) == ("image/jpeg", (1024, 1024))
    assert max(Image.open(io.BytesIO(client.get(f"/v1/pictures/{one['id']}").content)).size) == 96


def test_what_is_not_held_is_small_or_missing(client: TestClient, memory: Path) -> None:
    image = shown_proposals(memory, most=1).loose[0]
    got = client.get(f"/v1/images/{image.content_hash}/larger")
    assert max(Image.open(io.BytesIO(got.content)).size) <= 96
    assert client.get("/v1/images/none/larger").status_code == 404


def test_a_file_is_shown_if_it_is_the_same(stage: Path, tmp_path: Path) -> None:
    path = tmp_path / "car.png"
    path.write_bytes(large(stage / "inbox" / "car-0001.png"))
    content = load(ImageRecord(str(path))).content_hash
    held = Larger().of(content, str(path))
    assert held is not None
    assert Image.open(io.BytesIO(held)).size == (1024, 1024)
    path.write_bytes(large(stage / "inbox" / "car-0002.png"))
    assert Larger().of(content, str(path)) is None


def test_no_more_is_held_than_may_be(stage: Path) -> None:
    larger = Larger(most_bytes=400_000)
    for number in range(20):
        larger.keep(str(number), ImageRecord("a.png", data=large(stage / "inbox" / f"car-000{number % 8}.png", 900)))
    assert larger.of("0", "a.png") is None
    assert larger.of("19", "a.png") is not None


def test_label_next_shows_it(person: Person, stage: Path, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"big-{number}.png").write_bytes(large(stage / "inbox" / f"car-000{number}.png"))
    person.go("review")
    person.choose(sorted(tmp_path.glob("big-*.png")))
    person.reads("3 pictures looked at")
    person.go("label")
    person.browser.wait_for("document.querySelector('.large img')")
    for _ in range(20):
        person.settled()
        if person.browser.evaluate("document.querySelector('.large img').title.startsWith('big-')"):
            break
        person.key("0")
    person.browser.wait_for("document.querySelector('.large img').naturalWidth === 1024", seconds=10)
    assert person.browser.complaints == []


class TestReading:
    """Who may not write sees small pictures alone."""

    @pytest.fixture
    def settings(self) -> Settings:
        from inkling.serving.access import Access

        return Settings(Access(read_only=True))

    def test_refused(self, client: TestClient, memory: Path) -> None:
        image = shown_proposals(memory, most=1).loose[0]
        assert client.get(f"/v1/images/{image.content_hash}/larger").status_code == 403
