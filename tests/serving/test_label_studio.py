"""The service as a machine-learning backend of Label Studio, asked as it asks."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from inkling import FewShotClassifier
from inkling.serving.limits import Limits
from inkling.serving.rooted import RootedFiles
from inkling.serving.settings import Settings

INTERFACE = """<View><!-- what is it? -->
  <Image name="img" value="$photo"/>
  <Choices name="kind" toName="img"><Choice value="cat"/><Choice value="castle"/>{more}</Choices>
</View>"""
PROJECT = {"project": "1.1700000000", "params": {"login": None, "password": None, "context": None}}


@pytest.fixture
def settings(tmp_path: Path, stage: Path) -> Settings:
    root = tmp_path / "media"
    shutil.copytree(stage / "test", root / "local")
    shutil.copytree(stage / "test" / "cat", root / "upload" / "1")
    (tmp_path / "secret.png").write_bytes((stage / "test/cat/cat-0000.png").read_bytes())
    return Settings(min_images=3, limits=Limits(images=2), label_studio=RootedFiles(root))


def predict(client: TestClient, *photos: Any, more: str = "") -> Any:
    tasks = [{"id": number, "data": {"photo": one}, "meta": {}} for number, one in enumerate(photos)]
    body = {"tasks": tasks, "label_config": INTERFACE.format(more=more), "model_version": "3", **PROJECT}
    return client.post("/label-studio/predict", json=body)


def data_uri(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"


def test_it_is_connected_to_a_project(client: TestClient) -> None:
    assert client.get("/label-studio/health").json()["status"] == "UP"
    body = {"schema": INTERFACE.format(more=""), "hostname": "http://localhost:8080", "access_token": "abc", **PROJECT}
    assert client.post("/label-studio/setup", json=body).json() == {"model_version": "3"}
    event = {"action": "ANNOTATION_CREATED", "annotation": {"id": 1}, "project": {"id": 1}}
    assert client.post("/label-studio/webhook", json=event).json() == {"status": "ignored"}


def test_choices_are_the_verdicts_of_the_classifier(client: TestClient, memory: Path, stage: Path) -> None:
    cat, castle = stage / "test/cat/cat-0002.png", stage / "test/castle/castle-0002.png"
    answer = predict(
        client,
        data_uri(cat),
        "/data/local-files/?d=local/castle/castle-0002.png",
        "http://localhost:8080/data/upload/1/cat-0002.png",
        "local/cat/cat-0002.png",
    ).json()
    first, second = FewShotClassifier.load(memory).verdicts([cat, castle])
    assert (first.label, second.label, first.unknown) == ("cat", "castle", False)
    for result, verdict in zip(answer["results"], (first, second, first, first), strict=True):
        (chosen,) = result["result"]
        assert chosen["value"] == {"choices": [verdict.label]}
        assert (chosen["from_name"], chosen["to_name"], chosen["type"]) == ("kind", "img", "choices")
        assert chosen["score"] == result["score"] == pytest.approx(verdict.probability, abs=1e-5)
        assert result["model_version"] == "3"
    assert answer["model_version"] == "3"


def test_what_cannot_be_chosen_is_no_result(client: TestClient, stage: Path) -> None:
    tree, car = data_uri(stage / "test/tree/tree-0000.png"), data_uri(stage / "inbox/car-0000.png")
    of_tree, of_car = predict(client, tree, car).json()["results"]
    assert (of_tree["result"], of_tree["score"]) == ([], 0)
    assert (of_car["result"], of_car["score"]) == ([], 0)
    of_tree, of_car = predict(client, tree, car, more='<Choice value="tree"/><Choice value="unknown"/>').json()[
        "results"
    ]
    assert of_tree["result"][0]["value"] == {"choices": ["tree"]}
    assert of_car["result"][0]["value"] == {"choices": ["unknown"]}
    assert of_car["score"] > 0.5


@pytest.mark.parametrize(
    ("photo", "reason"),
    [
        ("https://example.com/cat.png", "nothing is fetched"),
        ("s3://bucket/cat.png", "nothing is fetched"),
        ("/data/local-files/?d=../secret.png", "outside of the folder"),
        ("/data/local-files/?d=/etc/hostname", "outside of the folder"),
        ("/data/local-files/?d=%2e%2e/secret.png", "outside of the folder"),
        ("/data/local-files/?d=nowhere.png", "does not exist"),
        ("/data/upload/../../secret.png", "outside of the folder"),
        (f"local/{'a' * 5000}.png", "cannot be read"),
        ("data:image/png;base64,@@@", "no base64"),
        ("data:image/png;base64,QUJD", "image"),
        (None, "no 'photo'"),
        (7, "no 'photo'"),
    ],
)
def test_pictures_that_are_not_read(client: TestClient, stage: Path, photo: Any, reason: str) -> None:
    good, bad = predict(client, data_uri(stage / "test/cat/cat-0000.png"), photo).json()["results"]
    assert good["result"]
    assert (bad["result"], bad["score"]) == ([], 0)
    assert reason in bad["error"]
    alone = predict(client, photo)
    assert alone.status_code == 422
    assert reason in alone.json()["detail"]


@pytest.mark.parametrize(
    "config",
    [
        "",
        "<View>",
        "<View/>",
        '<View><Choices name="kind" toName="img"/></View>',
        '<View><Text name="img" value="$photo"/><Choices name="kind" toName="img"/></View>',
        '<!DOCTYPE x [<!ENTITY a "aaaa">]><View>&a;</View>',
        "<a>" * 10_000,
    ],
)
def test_an_interface_without_a_choice_about_a_picture_is_refused(client: TestClient, config: str) -> None:
    answer = client.post("/label-studio/setup", json={"schema": config})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:inkling:problem:interface")
    assert "<Choices" in answer.json()["remedy"]


def test_no_tasks_are_no_results(client: TestClient) -> None:
    assert predict(client).json() == {"results": [], "model_version": "3"}


class TestWithoutFiles:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(min_images=3)

    def test_no_file_is_read_unless_the_operator_names_a_root(self, client: TestClient) -> None:
        answer = predict(client, "/data/local-files/?d=local/cat/cat-0002.png")
        assert answer.status_code == 422
        assert "--label-studio-root" in answer.json()["detail"]
