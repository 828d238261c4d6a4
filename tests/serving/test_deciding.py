"""Decisions over HTTP: what the memory holds afterwards, who decided, and who came too late."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from inkling.memory.verify import verify
from inkling.review.decisions import Decisions


def names(client: TestClient) -> list[str]:
    return [one["name"] for one in client.get("/v1/classes").json()["classes"]]


def number_of(client: TestClient, name: str) -> int:
    return next(one["id"] for one in client.get("/v1/classes").json()["classes"] if one["name"] == name)


def test_proposals_are_shown_with_their_pictures(client: TestClient, memory: Path) -> None:
    told = client.get("/v1/proposals").json()
    found = [(one.id, len(one.images)) for one in Decisions(memory).proposals()]
    assert [(one["id"], len(one["pictures"])) for one in told["proposals"]] == found
    assert [id for id, _ in found] == [1, 2]
    image = told["proposals"][0]["pictures"][0]
    assert image["path"] == told["proposals"][0]["images"][0]
    assert client.get(image["picture"]).status_code == 200


def test_accept_merge_split_rename_discard_and_undo(client: TestClient, memory: Path) -> None:
    size = len(Decisions(memory).proposals()[1].images)
    assert client.post("/v1/proposals/1/rename", json={"name": "car"}).json()["outcome"]["to"] == "car"
    assert client.post("/v1/proposals/1/accept", json={}).json()["outcome"]["class"] == "car"
    assert names(client) == ["car", "castle", "cat", "tree"]
    assert client.post("/v1/proposals/2/split").json()["outcome"]["proposals"] == [3, 4]
    merged = client.post("/v1/proposals/3/merge", json={"proposals": [4]}).json()
    assert merged["outcome"]["proposal"] == 5
    assert client.post("/v1/proposals/5/discard").json()["outcome"]["images"] == size
    assert client.get("/v1/proposals").json()["proposals"] == []
    for _ in range(5):
        assert client.post("/v1/undo").status_code == 200
    assert names(client) == ["castle", "cat", "tree"]
    assert [one.id for one in Decisions(memory).proposals()] == [1, 2]
    assert verify(memory).events == 13


def test_a_class_of_chosen_pictures(client: TestClient, memory: Path) -> None:
    told = client.get("/v1/proposals").json()
    chosen = [*(one["id"] for one in told["loose"][:2]), told["proposals"][1]["pictures"][0]["id"]]
    made = client.post("/v1/classes/gathered", json={"name": "odd ones", "images": chosen})
    assert (made.status_code, made.json()["outcome"]["images"]) == (201, len(chosen))
    assert made.json()["arguments"]["by"] == "local"
    assert "odd ones" in names(client)
    again = client.post("/v1/classes/gathered", json={"name": "others", "images": chosen[:1]})
    assert (again.status_code, again.json()["type"].rpartition(":")[2]) == (409, "conflict")
    assert client.post("/v1/classes/gathered", json={"name": "others", "images": ["0" * 16]}).status_code == 404
    assert client.post("/v1/undo").status_code == 200
    assert names(client) == ["castle", "cat", "tree"]
    assert client.get("/v1/proposals").json() | {"memory_version": 0} == told | {"memory_version": 0}
    verify(memory)


def test_classes_are_added_extended_renamed_and_taken_out(client: TestClient, stage: Path) -> None:
    files = [("file", (f"{n}.png", (stage / f"inbox/starfish-000{n}.png").read_bytes())) for n in range(3)]
    made = client.post("/v1/classes", data={"name": "starfish"}, files=files)
    assert (made.status_code, made.json()["outcome"]["images"]) == (201, 3)
    by_text = client.post("/v1/classes", json={"name": "moon", "prompt": ["a drawing of a moon"]})
    assert by_text.json()["outcome"]["has_text"]
    number = number_of(client, "starfish")
    more = {"file": (stage / "inbox/starfish-0004.png").read_bytes()}
    assert client.post(f"/v1/classes/{number}/images", files=more).json()["outcome"]["images"] == 1
    again = client.post(f"/v1/classes/{number}/images", files=more).json()
    assert (again["event"], again["outcome"]["images"]) == (None, 0)
    told = client.get(f"/v1/classes/{number}").json()["classes"][0]
    assert (told["images"], [one["path"] for one in told["exemplars"]]) == (4, ["0.png", "1.png", "2.png", "upload"])
    assert client.patch(f"/v1/classes/{number}", json={"name": "sea star"}).json()["outcome"]["from"] == "starfish"
    assert client.delete(f"/v1/classes/{number}").json()["outcome"] == pytest.approx(
        client.get("/v1/history").json()["events"][-1]["outcome"]
    )
    assert names(client) == ["castle", "cat", "moon", "tree"]


def test_one_image_is_moved(client: TestClient) -> None:
    image = client.get("/v1/classes").json()["classes"][0]["exemplars"][0]
    moved = client.post(f"/v1/images/{image['id']}/move", json={"to": "cat"}).json()
    assert (moved["outcome"]["from"], moved["outcome"]["to"]) == (["castle"], "cat")
    pooled = client.get("/v1/proposals").json()["proposals"][0]["pictures"][0]
    moved = client.post(f"/v1/images/{pooled['id']}/move", json={"to": 2}).json()
    assert (moved["outcome"]["from"], moved["outcome"]["to"]) == ([1], 2)


def test_the_history_says_who_decided(client: TestClient) -> None:
    client.post("/v1/proposals/2/discard")
    client.post("/v1/undo")
    events = client.get("/v1/history", params={"last": 2}).json()["events"]
    assert [(one["verb"], one["arguments"].get("by")) for one in events] == [("discard", "local"), ("undo", "local")]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("/v1/proposals/1/accept", {"name": "car"}), ("/v1/proposals/1/accept", {"name": "auto"})),
        (("/v1/proposals/1/discard", None), ("/v1/proposals/1/rename", {"name": "car"})),
        (("/v1/proposals/1/merge", {"proposals": [2]}), ("/v1/proposals/2/accept", {"name": "car"})),
        (("/v1/proposals/1/merge", {"proposals": [2]}), ("/v1/proposals/1/discard", None)),
        (("/v1/proposals/1/split", None), ("/v1/proposals/2/merge", {"proposals": [1]})),
    ],
)
def test_of_two_who_decide_about_one_proposal_the_second_is_refused(
    client: TestClient, first: tuple[str, object], second: tuple[str, object]
) -> None:
    assert client.post(first[0], json=first[1]).status_code == 200
    late = client.post(second[0], json=second[1])
    assert (late.status_code, late.json()["type"]) == (409, "urn:inkling:problem:conflict")
    assert "not open any more" in late.json()["detail"]


def test_undo_of_an_event_that_is_not_the_latest_is_refused(client: TestClient) -> None:
    mine = client.post("/v1/proposals/1/discard").json()["event"]
    client.post("/v1/proposals/2/discard")
    late = client.post("/v1/undo", json={"event": mine})
    assert late.status_code == 409
    assert [one["verb"] for one in client.get("/v1/history").json()["events"]][-2:] == ["discard", "discard"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/proposals/77/accept", {"name": "car"}, 404),
        ("POST", "/v1/proposals/1/accept", {"name": "cat"}, 409),
        ("POST", "/v1/proposals/1/accept", {"name": " "}, 422),
        ("POST", "/v1/proposals/1/accept", {"name": "unknown"}, 422),
        ("POST", "/v1/proposals/1/accept", {"nmae": "car"}, 422),
        ("POST", "/v1/proposals/0x1/discard", None, 422),
        ("POST", f"/v1/proposals/{10**30}/discard", None, 422),
        ("POST", "/v1/proposals/1/merge", {"proposals": [1]}, 422),
        ("PATCH", "/v1/classes/77", {"name": "car"}, 404),
        ("PATCH", "/v1/classes/1", {"name": "cat"}, 409),
        ("DELETE", "/v1/classes/77", None, 404),
        ("GET", "/v1/classes/77", None, 404),
        ("POST", "/v1/images/none/move", {"to": "cat"}, 404),
        ("POST", "/v1/images/none/move", {}, 422),
        ("GET", "/v1/pictures/none", None, 404),
        ("GET", "/v1/nothing", None, 404),
        ("PUT", "/v1/undo", None, 405),
        ("POST", "/v1/undo", {"event": -1}, 422),
    ],
)
def test_what_cannot_be_done_is_a_problem(
    client: TestClient, method: str, path: str, body: object, status: int
) -> None:
    answer = client.request(method, path, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert len(client.get("/v1/history").json()["events"]) == 3
