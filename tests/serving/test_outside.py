"""What leaves the service: no folders of its machine, no commands of a terminal, no words of libraries."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import inkling
from inkling.serving.outside import OPERATOR, Outside

ROOMS = ("review", "memory/undo.py", "labels.py", "evaluate/run.py", "discovery/results.py")
COMMAND = re.compile(r"(?<![\w-])--[a-z]|'inkling [a-z]|\bpip install\b")


@pytest.fixture
def outside(tmp_path: Path) -> Outside:
    return Outside(str(tmp_path / "a.ink"))


def texts_of(room: str) -> list[str]:
    """Texts in a module or in all modules of a room that name a command or an option, with 3 for what is put in."""
    place = Path(inkling.__file__).parent / room
    found = []
    for module in [place] if place.is_file() else sorted(place.rglob("*.py")):
        tree = ast.parse(module.read_text(encoding="utf-8"))
        inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                found.append("".join(one.value if isinstance(one, ast.Constant) else "3" for one in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
                found.append(node.value)
    return [one for one in found if COMMAND.search(one) and "\n" not in one]


@pytest.mark.parametrize("room", ROOMS)
def test_remedies_name_no_command(outside: Outside, room: str) -> None:
    texts = texts_of(room)
    assert texts, "the rooms speak of commands, or this test looks in the wrong place"
    for text in texts:
        assert not COMMAND.search(outside.remedy(text) or ""), text


def test_what_can_be_done_here_is_said_in_words_of_here(outside: Outside) -> None:
    for told, expected in (
        ("No proposal is open; run 'inkling discover'.", "have the waiting images sorted anew (POST /v1/jobs)"),
        ("Choose another name; 'inkling fit --update' adds images to a known class.", "/v1/classes/{id}/images"),
        ("Take the class out with 'inkling remove-class', or add other images to it first.", "Take the class out, or"),
        ("'inkling accept MEMORY 3 --name 'a b' --join' gives its images to that class.", "accepting it with 'join'"),
        ("Nothing was changed. Use --encoder sketch.", "Nothing was changed."),
    ):
        assert expected in (outside.remedy(told) or "")
    assert outside.remedy("Run it with --encoder sketch.") is None


def test_paths_are_names(outside: Outside, tmp_path: Path) -> None:
    for path, expected in (
        (str(tmp_path / "photos/cat/1.jpg"), "photos/cat/1.jpg"),
        ("/home/anna/my photos/1.jpg#xywh=1,2,3,4", "1.jpg#xywh=1,2,3,4"),
        ("C:\\Users\\anna\\1.jpg", "1.jpg"),
        ("photos/1.jpg", "photos/1.jpg"),
        ("image 3", "image 3"),
    ):
        assert outside.path(path) == expected
    told = outside.answer(
        {"label": "/m/01g317", "class": "/tmp/x", "path": "/tmp/x/1.jpg", "images": ["/tmp/2.jpg", 3]}
    )
    assert told == {"label": "/m/01g317", "class": "/tmp/x", "path": "1.jpg", "images": ["2.jpg", 3]}


def test_texts_have_no_folders(outside: Outside, tmp_path: Path) -> None:
    for text, expected in (
        (f"There is no memory at {tmp_path}/a.ink.", "There is no memory at a.ink."),
        ("inkling fit /tmp/photos --memory /tmp/x/a.ink", "inkling fit photos --memory a.ink"),
        ("[Errno 2] No such file: '/tmp/my photos/1.jpg'.", "[Errno 2] No such file: '1.jpg'."),
        ("There is no class '/m/01g317'.", "There is no class '/m/01g317'."),
        ("GET /v1/classes lists them, 3 and/or 4.", "GET /v1/classes lists them, 3 and/or 4."),
    ):
        assert outside.text(text) == expected


def test_no_answer_names_a_folder_of_the_machine(client: TestClient, stage: Path, memory: Path) -> None:
    picture = {"file": (stage / "test/cat/cat-0000.png").read_bytes()}
    number = client.post("/v1/jobs", json={"kind": "discover"}).json()["id"]
    proposal = client.get("/v1/proposals").json()["proposals"][0]["id"]
    image = client.get("/v1/classes").json()["classes"][0]["exemplars"][0]["id"]
    answers = [
        *(client.get(one) for one in ("/v1/classes", "/v1/classes/1", "/v1/proposals", "/v1/next", "/v1/about")),
        client.post("/v1/predict?nearest=3", files=picture),
        client.post("/v1/observe", files=picture),
        client.post(f"/v1/images/{image}/move", json={"to": "tree"}),
        client.post(f"/v1/proposals/{proposal}/discard"),
        client.get("/v1/history"),
        client.post(f"/v1/jobs/{number}/start"),
    ]
    assert [one.status_code for one in answers if one.status_code >= 300] == []
    memory.rename(memory.with_name("neighbour.ink"))
    gone = [client.get("/v1/classes"), client.get("/readyz"), client.post("/v1/predict", files=picture)]
    assert [(one.status_code, one.json()["remedy"]) for one in gone] == [(503, OPERATOR)] * 3
    for one in [*answers, *gone]:
        for folder in (stage, memory.parent, stage.resolve(), memory.parent.resolve()):
            assert str(folder) not in one.text, one.request.url
        assert "neighbour" not in one.text


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/v1/images/1/move", {"to": 3.5}, "body.to: a text or a whole number was expected, got 3.5"),
        ("/v1/images/1/move", {}, "body.to: it is missing"),
        ("/v1/proposals/1/accept", {"nmae": "x"}, "body.nmae: there is no such member"),
        ("/v1/proposals/1/merge", {"proposals": []}, "body.proposals: at least 1 were expected, and there are 0"),
        ("/v1/jobs", {"kind": "bake"}, "body.kind: one of 'evaluate' or 'discover' was expected, got 'bake'"),
    ],
)
def test_what_is_wrong_with_a_body_is_said_in_plain_words(
    client: TestClient, path: str, body: object, expected: str
) -> None:
    answer = client.post(path, json=body)
    assert (answer.status_code, answer.json()["detail"]) == (422, f"{expected}.")


def test_no_problem_speaks_the_language_of_a_library(client: TestClient) -> None:
    deep = "[" * 100_000
    sent = [
        client.post("/v1/predict", content=b"x", headers={"content-type": "multipart/form-data"}),
        client.post("/v1/predict", content=b"x", headers={"content-type": "multipart/form-data; boundary=a"}),
        client.post("/v1/predict", content=deep, headers={"content-type": "application/json"}),
        client.post("/v2/models/vehicles/infer", content="{}"),
        client.post("/v2/models/vehicles/infer", content="[]"),
        client.post("/v2/models/vehicles/infer", content=deep),
        client.post("/v1/undo", content="{", headers={"content-type": "application/json"}),
        client.get("/v1/history?last=x"),
        client.get("/v1/classes/0"),
        client.get("/nothing"),
        client.post("/v1/undo", headers={"sec-fetch-site": "cross-site"}),
    ]
    for one in sent:
        told = json.dumps(one.json())
        assert 400 <= one.status_code < 500, told
        assert not re.search(r"recursion|KeyError|TypeError|constrained|'unknown'|\.\.|indices|should be", told), told
        assert one.json().get("remedy"), told


def test_there_is_a_list_of_what_programs_can_ask(client: TestClient) -> None:
    answer = client.get("/docs")
    assert answer.headers["content-type"].startswith("text/html")
    for path in client.get("/openapi.json").json()["paths"]:
        assert path in answer.text
    assert 'href="/openapi.json"' in answer.text
    assert "<script" not in answer.text
    assert "//" not in answer.text.replace("<!DOCTYPE html>", "")
