"""Evaluating and discovering as jobs, how well the memory is learned, and what to label next."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from inkling import FewShotClassifier
from inkling.evaluate.run import evaluate_classifier
from inkling.images.sources import find_images
from inkling.payloads import evaluation_payload
from inkling.serving.studied import learned_state


def ended(client: TestClient, number: str) -> dict[str, Any]:
    for _ in range(300):
        told = client.get(f"/v1/jobs/{number}").json()
        if told["state"] in ("done", "failed", "cancelled"):
            return told
        time.sleep(0.1)
    raise AssertionError(told)


def test_pictures_with_labels_are_evaluated_as_the_command_does(client: TestClient, memory: Path, stage: Path) -> None:
    number = client.post("/v1/jobs", json={"kind": "evaluate"}).json()["id"]
    pictures = sorted((stage / "test").rglob("*.png"))
    for part in (pictures[:5], pictures[5:]):
        files = [("file", (f"{one.parent.name}/{one.name}", one.read_bytes())) for one in part]
        assert client.post(f"/v1/jobs/{number}/images", files=files).status_code == 200
    assert client.post(f"/v1/jobs/{number}/start").status_code == 202
    told = ended(client, number)
    classifier = FewShotClassifier.load(memory)
    samples = classifier.embed(find_images(stage / "test").records)
    expected = evaluation_payload(evaluate_classifier(classifier, samples).evaluation)
    assert told["state"] == "done"
    assert told["result"]["n"] == expected["n"] == 9
    assert told["result"]["confusion"] == expected["confusion"]
    report = client.get(f"/v1/jobs/{number}/report")
    assert "sandbox" in report.headers["content-security-policy"]
    assert "uploaded pictures" in report.text
    assert client.post(f"/v1/jobs/{number}/start").status_code == 409


def test_progress_comes_as_events_until_the_end(client: TestClient, stage: Path) -> None:
    number = client.post("/v1/jobs", json={"kind": "discover"}).json()["id"]
    client.post(f"/v1/jobs/{number}/images", files={"file": (stage / "inbox/car-0000.png").read_bytes()})
    client.post(f"/v1/jobs/{number}/start")
    with client.stream("GET", f"/v1/jobs/{number}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in stream.iter_lines() if line.startswith("data: ")]
    last = json.loads(lines[-1].removeprefix("data: "))
    assert (last["state"], last["error"]) == ("done", None)
    assert last["result"]["images"] == 1


def test_a_job_is_cancelled_and_forgotten(client: TestClient) -> None:
    number = client.post("/v1/jobs", json={"kind": "evaluate"}).json()["id"]
    assert client.delete(f"/v1/jobs/{number}").status_code == 204
    assert client.get(f"/v1/jobs/{number}").status_code == 404
    assert client.post(f"/v1/jobs/{number}/start").status_code == 404


def test_a_job_that_fails_says_why(client: TestClient) -> None:
    number = client.post("/v1/jobs", json={"kind": "evaluate"}).json()["id"]
    client.post(f"/v1/jobs/{number}/start")
    told = ended(client, number)
    assert (told["state"], told["result"]) == ("failed", None)
    assert "no picture to evaluate" in told["error"]


def test_so_many_jobs_are_in_progress_and_no_more(client: TestClient) -> None:
    statuses = [client.post("/v1/jobs", json={"kind": "evaluate"}).status_code for _ in range(17)]
    assert statuses == [201] * 16 + [429]


def test_how_well_the_memory_is_learned_follows_its_changes(client: TestClient, stage: Path) -> None:
    before = client.get("/v1/state").json()
    assert (before["images"], before["memory_version"]) == (24, 3)
    assert {one["name"]: one["images"] for one in before["classes"]} == {"castle": 8, "cat": 8, "tree": 8}
    assert 0 <= before["evaluation"]["top1"] <= 1
    assert sum(cell["count"] for cell in before["evaluation"]["confusion"]) == before["evaluation"]["n"]
    client.post("/v1/proposals/1/accept", json={"name": "car"})
    after = client.get("/v1/state").json()
    assert (after["images"], after["memory_version"], len(after["classes"])) == (32, 4, 4)


def test_a_burst_of_one_picture_counts_once(client: TestClient, stage: Path) -> None:
    from io import BytesIO

    from PIL import Image

    files = []
    for quality in (70, 75, 80, 85, 90):
        out = BytesIO()
        Image.open(stage / "inbox/starfish-0000.png").convert("RGB").save(out, "JPEG", quality=quality)
        files.append(("file", (f"{quality}.jpg", out.getvalue())))
    client.post("/v1/classes", data={"name": "starfish"}, files=files)
    told = {one["name"]: one for one in client.get("/v1/state").json()["classes"]}
    assert (told["starfish"]["images"], told["starfish"]["pictures"]) == (5, 1)
    assert told["starfish"]["needs_more"]


@pytest.mark.parametrize("head", ["auto", "prototype"])
def test_it_is_measured_as_fitting_measures_it(stage: Path, head: str) -> None:
    told = learned_state(FewShotClassifier("sketch", head=head).fit(stage / "train"))
    assert told["pictures"] == told["images"]
    measured, fitted = told["evaluation"], told["calibration"]
    assert (measured["n"], measured["top1"]) == (fitted["n"], pytest.approx(fitted["top1"]))
    # Folds are drawn by the numbers of the sources, which are others here.
    after = [fitted["after"][name] for name in ("nll", "ece")]
    assert [measured[name] for name in ("nll", "ece")] == pytest.approx(after, abs=0.02)


def test_what_a_person_grouped_is_held_out_together(stage: Path) -> None:
    """All pictures of a class are of two days, of which one at a time is held out."""
    classifier = FewShotClassifier("sketch")
    pictures = find_images(stage / "train").records
    days = [replace(one, group=str(int(one.path[-5]) % 2)) for one in pictures]
    told = [learned_state(classifier.fit(given)) for given in (pictures, days)]
    assert [one["pictures"] for one in told] == [24, 6]
    assert told[1]["evaluation"]["n"] == 24


def test_what_to_label_next_are_images_of_the_pool(client: TestClient) -> None:
    told = client.get("/v1/next", params={"most": 3}).json()
    assert [one["rank"] for one in told["order"]] == [1, 2, 3]
    first = told["order"][0]
    assert client.get(first["picture"]).status_code == 200
    assert client.post(f"/v1/images/{first['id']}/move", json={"to": "cat"}).status_code == 200
