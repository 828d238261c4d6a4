"""Encoder processes together with the other ways to run a service: reading only, and for Label Studio."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from inkling import FewShotClassifier
from tests.serving.running import Start
from tests.serving.test_label_studio import INTERFACE, annotation, data_uri

CONFIG = INTERFACE.format(more="")
ANSWERS = {"timeout": 60}

pytestmark = pytest.mark.slow


def test_a_service_that_only_reads_answers_and_changes_nothing(start: Start, memory: Path, stage: Path) -> None:
    running = start("--read-only", "--workers", "2")
    before = memory.read_bytes()
    cats = sorted((stage / "test" / "cat").glob("*.png"))
    with httpx.Client(base_url=running.address, **ANSWERS) as client:
        asked = client.post("/v1/predict", files=[("file", (one.name, one.read_bytes())) for one in cats]).json()
        assert [one["label"] for one in asked["predictions"]] == ["cat"] * len(cats)
        assert client.get("/v1/about").json()["may_write"] is False
        for path in ("/v1/undo", "/v1/proposals/1/accept", "/v1/observe", "/v1/downloads"):
            refused = client.post(path, json={"name": "car"})
            assert (refused.status_code, refused.json()["type"]) == (403, "urn:inkling:problem:read-only"), path
        job = client.post("/v1/jobs", json={"kind": "evaluate"}).json()
        files = [("images", (f"cat/{one.name}", one.read_bytes())) for one in cats]
        assert client.post(f"/v1/jobs/{job['id']}/images", files=files).status_code == 200
        client.post(f"/v1/jobs/{job['id']}/start")
        assert "event: done" in client.get(f"/v1/jobs/{job['id']}/events").text
        assert client.get(f"/v1/jobs/{job['id']}").json()["result"]["n"] == len(cats)
        assert "inkling_workers 2.0" in client.get("/metrics").text
    assert memory.read_bytes() == before


def test_label_studio_is_answered_and_learned_from(start: Start, memory: Path, stage: Path) -> None:
    running = start("--workers", "2", "--label-studio-root", str(stage))
    cat = stage / "test/cat/cat-0002.png"
    sent = data_uri(cat)
    (expected,) = FewShotClassifier.load(memory).verdicts([cat])
    with httpx.Client(base_url=f"{running.address}/label-studio", **ANSWERS) as client:
        assert client.get("/health").json()["status"] == "UP"
        photos = [sent, "/data/local-files/?d=test/cat/cat-0002.png", "https://example.com/cat.png"]
        tasks = [{"id": number, "data": {"photo": one}} for number, one in enumerate(photos)]
        told = client.post("/predict", json={"tasks": tasks, "label_config": CONFIG}).json()
        one, other, skipped = told["results"]
        for result in (one, other):
            assert result["result"][0]["value"] == {"choices": ["cat"]}
            assert result["score"] == pytest.approx(expected.probability, abs=1e-5)
        assert (skipped["result"], skipped["score"]) == ([], 0)
        learned = client.post("/webhook", json=annotation(sent, "lion")).json()
        assert learned["status"] == "learned", learned
        after = client.post("/predict", json={"tasks": tasks[:1], "label_config": CONFIG}).json()
        assert int(after["model_version"]) == int(told["model_version"]) + 1
