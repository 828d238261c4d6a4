"""Pictures over HTTP: answers are those of the classifier, whatever way the picture comes."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from inkling import FewShotClassifier
from inkling.payloads import verdict_payload
from inkling.review.decisions import Decisions


def expected(memory: Path, picture: Path, **options: int) -> dict[str, Any]:
    (verdict,) = FewShotClassifier.load(memory).verdicts([picture], **options)
    return verdict_payload(verdict) | {"path": picture.name}


def same(found: dict[str, Any], wanted: dict[str, Any]) -> bool:
    numbers = ("probability", "p_known", "top_probabilities")
    return all(
        found[key] == pytest.approx(value, abs=1e-5) if key in numbers else found[key] == value
        for key, value in wanted.items()
    )


@pytest.mark.parametrize("name", ["test/cat/cat-0000.png", "inbox/car-0003.png"])
def test_answers_are_those_of_the_classifier(client: TestClient, memory: Path, stage: Path, name: str) -> None:
    picture = stage / name
    with picture.open("rb") as file:
        answer = client.post("/v1/predict", files={"file": (f"C:\\a\\{picture.name}", file)}).json()
    (found,) = answer["predictions"]
    assert same(found, expected(memory, picture, names=3))
    assert answer["memory_version"] == found["memory_version"] == 3


def test_every_way_to_send_a_picture_gives_one_answer(client: TestClient, stage: Path) -> None:
    data = (stage / "test/tree/tree-0000.png").read_bytes()
    text = base64.b64encode(data).decode()
    answers = [
        client.post("/v1/predict", files={"file": ("tree.png", data)}),
        client.post("/v1/predict", json={"images": [text]}),
        client.post("/v1/predict", json={"images": [{"name": "tree.png", "data": f"data:image/png;base64,{text}"}]}),
        client.post("/v1/predict", content=data, headers={"content-type": "image/png"}),
    ]
    found = [one.json()["predictions"][0] for one in answers]
    assert len({one["id"] for one in found}) == 1
    assert len({one["probability"] for one in found}) == 1
    assert [one["path"] for one in found] == ["tree.png", "picture 1", "tree.png", "picture"]


def test_many_pictures_keep_their_order_and_the_unreadable_are_named(client: TestClient, stage: Path) -> None:
    pictures = sorted((stage / "test").rglob("*.png"))
    files = [("file", (one.name, one.read_bytes())) for one in pictures]
    files.insert(2, ("file", ("notes.txt", b"no picture")))
    answer = client.post("/v1/predict", files=files, params={"top": 1, "names": 0}).json()
    assert [one["path"] for one in answer["predictions"]] == [one.name for one in pictures]
    assert [one["top_labels"] for one in answer["predictions"]] == [[one.parent.name] for one in pictures]
    assert [one["path"] for one in answer["skipped"]] == ["notes.txt"]


def test_the_nearest_exemplars_are_evidence(client: TestClient, stage: Path) -> None:
    known = (stage / "train/cat/cat-0000.png").read_bytes()
    answer = client.post("/v1/predict", files={"file": known}, data={"nearest": "2"}).json()
    first, second = answer["predictions"][0]["nearest"]
    assert (first["class"], round(first["similarity"], 4)) == ("cat", 1.0)
    assert second["similarity"] < 1
    picture = client.get(first["picture"])
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content.startswith(b"\xff\xd8\xff")


@pytest.mark.parametrize(
    ("request_", "status", "kind"),
    [
        ({"json": {"images": ["https://example.com/cat.jpg"]}}, 422, "address"),
        ({"json": {"images": ["file:///etc/passwd"]}}, 422, "address"),
        ({"json": {"images": ["@@@"]}}, 422, "invalid"),
        ({"json": {"images": "abc"}}, 422, "invalid"),
        ({"json": []}, 422, "invalid"),
        ({"json": {"images": []}}, 422, "no-picture"),
        ({"json": {"images": [{"name": 3, "data": "abcd"}]}}, 422, "invalid"),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400, "malformed"),
        ({"content": b"[" * 100_000, "headers": {"content-type": "application/json"}}, 400, "malformed"),
        ({"content": b"x", "headers": {"content-type": "text/html"}}, 415, "content-type"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400, "malformed"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data; boundary=a"}}, 400, "malformed"),
        ({"content": b"", "headers": {"content-type": "image/png"}}, 422, "input"),
        ({"files": {"file": b"<svg/>"}}, 422, "input"),
        ({"files": {"file": b"GIF89a"}, "data": {"top": "many"}}, 422, "invalid"),
        ({"files": {"file": b"GIF89a"}, "data": {"top": ["1", "2"]}}, 422, "invalid"),
    ],
)
def test_what_is_no_picture_is_refused_with_a_problem(
    client: TestClient, request_: dict[str, Any], status: int, kind: str
) -> None:
    answer = client.post("/v1/predict", **request_)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert (problem["status"], problem["type"]) == (status, f"urn:inkling:problem:{kind}")
    assert problem["title"]
    assert problem["detail"]


def test_a_class_that_another_process_accepts_is_known_to_the_next_request(
    client: TestClient, memory: Path, stage: Path
) -> None:
    files = {"file": (stage / "inbox/car-0000.png").read_bytes()}
    before = client.post("/v1/predict", files=files).json()
    assert before["predictions"][0]["unknown"]
    Decisions(memory).accept(1, "car")
    after = client.post("/v1/predict", files=files).json()
    assert (before["memory_version"], after["memory_version"]) == (3, 4)
    assert after["predictions"][0]["label"] == "car"
    Decisions(memory).undo()
    again = client.post("/v1/predict", files=files).json()
    assert again["memory_version"] == 5
    assert again["predictions"][0]["label"] == before["predictions"][0]["label"]


def test_observed_pictures_wait_in_the_pool_and_are_proposed(client: TestClient, memory: Path, stage: Path) -> None:
    decide = Decisions(memory)
    decide.discard(1)
    from inkling.sketch import write_dataset

    folder = memory.parent / "new"
    write_dataset(folder, ["house"], 6, seed=9)
    files = [("file", (one.name, one.read_bytes())) for one in sorted(folder.rglob("*.png"))]
    answer = client.post("/v1/observe", files=files).json()
    assert answer["n"] == 6
    assert answer["memory_version"] == 4
    assert answer["observed"]["memory_version"] == decide.history()[-1].version
    waiting = client.get("/v1/proposals").json()
    paths = [image["path"] for one in waiting["proposals"] for image in one["pictures"]]
    paths += [image["path"] for image in waiting["loose"]]
    assert {f"house-{number:04}.png" for number in range(6)} & set(paths)
