"""A memory that is begun by the service: from nothing to two classes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from inkling import FewShotClassifier
from inkling.errors import InputError
from inkling.images.decode import decode, thumbnail
from inkling.serving.app import create_app
from inkling.serving.beginning import Beginning
from inkling.serving.begun import BegunFile, Collected
from inkling.serving.service import Service
from inkling.serving.settings import Settings
from inkling.sketch import write_dataset
from inkling.types import ImageRecord
from tests.serving.running import Start


@pytest.fixture
def client(stage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("INKLING_CACHE", str(stage / "cache"))
    service = Service(str(tmp_path / "new.ink"), begin_with="sketch")
    service.start()
    yield TestClient(create_app(service, Settings()), base_url="http://localhost", client=("127.0.0.1", 1))
    service.close()


def pictures(stage: Path, kind: str, n: int) -> list[tuple[str, tuple[str, bytes]]]:
    every = sorted((stage / "train" / kind).glob("*.png"))[:n]
    return [("file", (one.name, one.read_bytes())) for one in every]


def test_two_classes_make_a_memory(client: TestClient, stage: Path, tmp_path: Path) -> None:
    assert client.get("/readyz").json() == {"status": "ready", "memory_version": 0}
    assert client.get("/v1/classes").json()["begun"] == []
    assert client.get("/v1/proposals").json()["proposals"] == []
    assert client.get("/v1/history").json()["events"] == []
    ask = {"file": (stage / "test/cat/cat-0000.png").read_bytes()}
    early = client.post("/v1/predict", files=ask)
    assert (early.status_code, early.json()["detail"]) == (409, "The memory has no classes yet.")
    first = client.post("/v1/classes", data={"name": "cat"}, files=pictures(stage, "cat", 3)).json()
    assert (first["memory_version"], first["begun"]) == (
        0,
        [{"name": "cat", "images": 3, "prompts": [], "exemplars": []}],
    )
    for _ in range(2):  # a file that is there already counts once
        more = client.post("/v1/classes", data={"name": "cat"}, files=pictures(stage, "cat", 4)).json()
        assert more["begun"][0]["images"] == 4
    assert not (tmp_path / "new.ink").exists()
    second = client.post("/v1/classes", data={"name": "tree"}, files=pictures(stage, "tree", 3)).json()
    assert (second["verb"], second["memory_version"]) == ("fit", 1)
    answer = client.post("/v1/predict", files=ask).json()
    assert (answer["predictions"][0]["label"], answer["memory_version"]) == ("cat", 1)
    third = client.post("/v1/classes", data={"name": "castle"}, files=pictures(stage, "castle", 3)).json()
    assert (third["verb"], third["memory_version"]) == ("add-class", 2)
    assert FewShotClassifier.load(tmp_path / "new.ink").classes_.tolist() == ["castle", "cat", "tree"]


def test_the_first_class_is_taken_back(client: TestClient, stage: Path) -> None:
    client.post("/v1/classes", data={"name": "cat"}, files=pictures(stage, "cat", 3))
    assert client.post("/v1/undo").json()["outcome"] == {"class": "cat"}
    assert client.get("/v1/classes").json()["begun"] == []
    assert client.post("/v1/undo").status_code == 409


def test_the_first_class_is_shown_renamed_and_removed_as_others_are(
    client: TestClient, stage: Path, tmp_path: Path
) -> None:
    client.post("/v1/classes", data={"name": "cat"}, files=pictures(stage, "cat", 3))
    (begun,) = client.get("/v1/classes?exemplars=2").json()["begun"]
    assert [one["path"] for one in begun["exemplars"]] == ["cat-0000.png", "cat-0001.png"]
    shown = client.get(begun["exemplars"][1]["picture"])
    sent = (stage / "train/cat/cat-0001.png").read_bytes()
    assert (shown.status_code, shown.content) == (200, thumbnail(decode(sent)))
    assert client.get(f"/v1/pictures/{'0' * 32}").status_code == 404

    renamed = client.patch("/v1/classes/begun/cat", json={"name": "a/b ?"}).json()
    assert (renamed["begun"][0]["name"], renamed["outcome"]) == ("a/b ?", {"class": "a/b ?", "from": "cat"})
    assert list(BegunFile(str(tmp_path / "new.ink")).read()) == ["a/b ?"]
    assert client.patch("/v1/classes/begun/cat", json={"name": "dog"}).status_code == 404
    assert client.patch("/v1/classes/begun/a%2Fb%20%3F", json={"name": " "}).status_code == 422
    assert client.delete("/v1/classes/begun/a%2Fb%20%3F").json()["begun"] == []
    assert BegunFile(str(tmp_path / "new.ink")).read() == {}
    assert client.delete("/v1/classes/begun/a%2Fb%20%3F").status_code == 404

    assert client.post("/v1/undo").json()["outcome"] == {"class": "a/b ?"}
    assert client.get("/v1/classes").json()["begun"][0]["images"] == 3
    for kind in ("tree", "castle"):
        client.post("/v1/classes", data={"name": kind}, files=pictures(stage, kind, 3))
    assert client.delete("/v1/classes/begun/tree").status_code == 404
    assert client.get(begun["exemplars"][1]["picture"]).status_code == 200  # by the same id, from the memory


def test_more_pictures_of_the_first_class_are_taken_back_alone(client: TestClient, stage: Path) -> None:
    for n in (3, 2):
        client.post("/v1/classes", data={"name": "cat"}, files=pictures(stage, "cat", n))
    assert client.post("/v1/undo").json()["outcome"] == {"class": "cat"}
    assert client.get("/v1/classes").json()["begun"][0]["images"] == 3


def test_others_are_answered_while_the_first_class_is_taken_back(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = client.app.state.shared.service
    monkeypatch.setattr(service.beginning, "take_back", lambda: time.sleep(1) or "cat")  # as while it is fitted

    async def both() -> list[str]:
        order: list[str] = []
        transport = httpx.ASGITransport(client.app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as own:

            async def ask(method: str, path: str, after: float = 0) -> None:
                await asyncio.sleep(after)
                assert (await own.request(method, path)).status_code == 200
                order.append(path)

            await asyncio.gather(ask("POST", "/v1/undo"), ask("GET", "/healthz", after=0.4))
        return order

    assert asyncio.run(both()) == ["/healthz", "/v1/undo"]


def test_a_class_that_nothing_tells_of_is_refused(client: TestClient, stage: Path) -> None:
    assert client.post("/v1/classes", json={"name": "cat"}).status_code == 422
    assert client.post("/v1/classes", data={"name": "cat"}, files={"file": b"no picture"}).status_code == 422
    client.post("/v1/classes", data={"name": "cat"}, files=pictures(stage, "cat", 3))
    assert client.post("/v1/classes", data={"name": "CAT"}, files=pictures(stage, "tree", 3)).status_code == 409
    assert [one["name"] for one in client.get("/v1/classes").json()["begun"]] == ["cat"]


def test_a_memory_begun_with_few_pictures_detects_unknown_ones_once_it_has_enough(
    client: TestClient, stage: Path, tmp_path: Path
) -> None:
    write_dataset(tmp_path / "train", ("cat", "tree"), 24, seed=7)
    for kind in ("cat", "tree"):
        client.post("/v1/classes", data={"name": kind}, files=pictures(tmp_path, kind, 3))
    ask = {"file": (stage / "test/cat/cat-0000.png").read_bytes()}
    assert client.post("/v1/predict", files=ask).json()["predictions"][0]["unknown"] is None
    ids = {one["name"]: one["id"] for one in client.get("/v1/classes").json()["classes"]}
    outcomes = [
        client.post(f"/v1/classes/{ids[kind]}/images", files=pictures(tmp_path, kind, 24)).json()["outcome"]
        for kind in ("cat", "tree")
    ]
    assert "fitted for the first time" in [one.get("detector") for one in outcomes]
    assert client.post("/v1/predict", files=ask).json()["predictions"][0]["unknown"] is not None


def test_where_nothing_can_be_kept_is_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        Service(str(tmp_path / "nowhere" / "new.ink"), begin_with="sketch")


def test_the_first_class_outlives_the_server(tmp_path: Path, stage: Path, start: Start) -> None:
    memory = tmp_path / "new.ink"
    first = start("--new", "sketch", where=memory)
    sent = {"data": {"name": "cat", "prompt": "a cat"}, "files": pictures(stage, "cat", 3), "timeout": 60}
    assert httpx.post(f"{first.address}/v1/classes", **sent).status_code == 201
    first.process.kill()
    again = start("--new", "sketch", where=memory)
    assert "Serving a new memory, begun with 'cat' at" in again.lines[0]
    (begun,) = httpx.get(f"{again.address}/v1/classes").json()["begun"]
    assert (begun["name"], begun["images"], begun["prompts"]) == ("cat", 3, ["a cat"])
    assert [one["path"] for one in begun["exemplars"]] == ["cat-0000.png", "cat-0001.png", "cat-0002.png"]
    sent = {"data": {"name": "tree"}, "files": pictures(stage, "tree", 3), "timeout": 60}
    assert httpx.post(f"{again.address}/v1/classes", **sent).json()["verb"] == "fit"
    assert sorted(one.name for one in tmp_path.iterdir() if "begun" in one.name) == []
    listed = httpx.get(f"{again.address}/v1/classes").json()["classes"]
    assert {one["name"]: one["images"] for one in listed} == {"cat": 3, "tree": 3}


def begun(memory: Path, stage: Path) -> BegunFile:
    records = tuple(ImageRecord(name, data=data) for _, (name, data) in pictures(stage, "cat", 2))
    file = BegunFile(str(memory))
    file.write([Collected("cat", records, ("a cat",))])
    return file


def test_what_was_begun_is_read_as_it_was_written(tmp_path: Path, stage: Path) -> None:
    file = begun(tmp_path / "new.ink", stage)
    read = file.read()["cat"]
    assert (read.prompts, [one.path for one in read.records]) == (("a cat",), ["cat-0000.png", "cat-0001.png"])
    assert [one.data for one in read.records] == [data for _, (_, data) in pictures(stage, "cat", 2)]
    file.write([])
    assert list(tmp_path.iterdir()) == []


def test_what_was_begun_and_taken_back_does_not_come_again(tmp_path: Path, stage: Path) -> None:
    begun(tmp_path / "new.ink", stage)
    assert Beginning(str(tmp_path / "new.ink")).take_back() == "cat"
    assert Beginning(str(tmp_path / "new.ink")).classes == ()


@pytest.mark.parametrize("damage", [b"", b"no zip", None])
def test_what_was_begun_and_damaged_stops_the_start(tmp_path: Path, stage: Path, damage: bytes | None) -> None:
    memory = tmp_path / "new.ink"
    begun(memory, stage)
    path = tmp_path / "new.ink.begun.zip"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + whole[len(whole) // 2 + 9 :] if damage is None else damage)
    with pytest.raises(InputError, match="first classes") as error:
        Service(str(memory), begin_with="sketch")
    assert error.value.remedy == "Move that file away to begin anew."


def test_a_leftover_of_what_the_memory_knows_is_taken_away(memory: Path, stage: Path) -> None:
    begun(memory, stage)
    Service(str(memory), begin_with="sketch")
    assert [one.name for one in memory.parent.iterdir()] == [memory.name]
