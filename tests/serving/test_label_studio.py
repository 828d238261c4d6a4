"""The service as a machine-learning backend of Label Studio, asked as it asks."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from inkling import FewShotClassifier
from inkling.memory.exemplars import labelled_images
from inkling.serving.access import Access, Token
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


def annotation(photo: Any, *chosen: str, action: str = "ANNOTATION_CREATED", cancelled: bool = False) -> dict[str, Any]:
    """An event as Label Studio 1.x sends it, with the fields that count and some that do not."""
    result = [
        {"id": "x7", "from_name": "kind", "to_name": "img", "type": "choices", "value": {"choices": [*chosen]}},
        {"id": "x8", "from_name": "quality", "to_name": "img", "type": "rating", "value": {"rating": 3}},
    ]
    told = {"id": 17, "result": result, "was_cancelled": cancelled, "lead_time": 3.1, "task": 4, "completed_by": 1}
    task = {"id": 4, "data": {"photo": photo}, "meta": {}, "is_labeled": True, "project": 2}
    project = {"id": 2, "title": "Animals", "label_config": INTERFACE.format(more=""), "task_data_login": None}
    return {"action": action, "annotation": told, "task": task, "project": project}


class TestAnnotations:
    def told(self, client: TestClient, event: dict[str, Any]) -> Any:
        answer = client.post("/label-studio/webhook", json=event)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def test_one_is_one_decision_which_can_be_taken_back(self, client: TestClient, memory: Path) -> None:
        place = "local/cat/cat-0002.png"
        before = labelled_images(memory, thumbnails=False).exemplars
        told = self.told(client, annotation(f"/data/local-files/?d={place}", "cat"))
        assert (told["status"], told["class"], told["verb"]) == ("learned", "cat", "update")
        assert (told["outcome"]["images"], told["arguments"]["by"]) == (1, "local")
        *old, new = labelled_images(memory, thumbnails=False).exemplars
        assert (tuple(old), new.class_name) == (before, "cat")
        assert Path(new.path).is_file(), "its file is found again"
        again = self.told(client, annotation(f"/data/local-files/?d={place}", "cat", action="ANNOTATION_UPDATED"))
        assert (again["status"], "already" in again["reason"]) == ("ignored", True)
        assert client.post("/v1/undo", json={"event": told["event"]}).status_code == 200
        assert labelled_images(memory, thumbnails=False).exemplars == before

    def test_another_choice_moves_the_picture(self, client: TestClient, memory: Path, stage: Path) -> None:
        photo = data_uri(stage / "test/castle/castle-0002.png")
        self.told(client, annotation(photo, "cat"))
        told = self.told(client, annotation(photo, "castle", action="ANNOTATION_UPDATED"))
        assert (told["verb"], told["outcome"]["from"], told["outcome"]["to"]) == ("move", ["cat"], "castle")
        samples = FewShotClassifier.load(memory).fitted.samples
        assert [(path, label) for path, label in zip(samples.paths, samples.labels, strict=True) if "task" in path] == [
            ("Label Studio, task 4", "castle")
        ]

    def test_what_waits_joins_a_class_and_a_new_class_is_added(
        self, client: TestClient, memory: Path, stage: Path
    ) -> None:
        waiting, other = (data_uri(stage / f"inbox/car-000{number}.png") for number in (0, 1))
        assert self.told(client, annotation(waiting, "castle"))["verb"] == "move"
        told = self.told(client, annotation(other, "automobile"))
        assert told["outcome"]["new_classes"] == ["automobile"]
        refused = self.told(client, annotation(waiting, "steamship"))
        assert "has no class 'steamship'" in refused["reason"]
        assert "automobile" in FewShotClassifier.load(memory).fitted.classes

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"action": "ANNOTATIONS_DELETED"}, "created or updated"),
            ({"action": "START_TRAINING"}, "created or updated"),
            ({"annotation": None}, "lacks"),
            ({"task": None}, "lacks"),
            ({"task": {"data": 3}}, "lacks"),
            ({"project": 2}, "lacks"),
            ({"annotation": {"result": "x"}}, "0 classes were chosen"),
            ({"annotation": {"result": [3, {"from_name": "kind", "value": 3}]}}, "0 classes were chosen"),
            (annotation("local/cat/cat-0002.png", "cat", "castle"), "2 classes were chosen"),
            (annotation("local/cat/cat-0002.png", "cat", cancelled=True), "0 classes were chosen"),
            (annotation("local/cat/cat-0002.png", "unknown"), "no class"),
            (annotation("https://example.com/cat.png", "cat"), "nothing is fetched"),
            (annotation("data:image/png;base64,QUJD", "cat"), "None of the pictures can be read"),
            (annotation("../secret.png", "cat"), "outside of the folder"),
        ],
    )
    def test_where_nothing_is_learned_it_is_said(
        self, client: TestClient, memory: Path, change: dict[str, Any], reason: str
    ) -> None:
        before = memory.read_bytes()
        answer = client.post("/label-studio/webhook", json=annotation("local/cat/cat-0002.png", "cat") | change)
        told = answer.json()
        assert reason in told.get("reason", told.get("detail"))
        assert answer.status_code == (200 if "reason" in told else 422)
        assert memory.read_bytes() == before

    def test_a_payload_without_an_action_is_refused(self, client: TestClient) -> None:
        assert client.post("/label-studio/webhook", json={"annotation": {}}).status_code == 422


class TestWithTokens:
    TOKEN = "a-token-that-is-long"

    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(access=Access(tokens=(Token.of(f"anna:{self.TOKEN}", place="test"),)))

    def test_annotations_need_one_as_all_writes_do(self, client: TestClient, memory: Path, stage: Path) -> None:
        event = annotation(data_uri(stage / "test/cat/cat-0002.png"), "cat")
        before = memory.read_bytes()
        refused = client.post("/label-studio/webhook", json=event)
        assert refused.status_code == 401
        assert refused.json()["detail"].startswith("Nothing was learned from the annotation. Writing needs a token")
        assert memory.read_bytes() == before
        headers = {"Authorization": f"Bearer {self.TOKEN}"}
        told = client.post("/label-studio/webhook", json=event, headers=headers).json()
        assert (told["status"], told["arguments"]["by"]) == ("learned", "anna")


class TestReadingOnly:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(access=Access(read_only=True))

    def test_nothing_is_learned_and_said(self, client: TestClient, stage: Path) -> None:
        event = annotation(data_uri(stage / "test/cat/cat-0002.png"), "cat")
        refused = client.post("/label-studio/webhook", json=event)
        assert (refused.status_code, "Nothing was learned" in refused.json()["detail"]) == (403, True)
