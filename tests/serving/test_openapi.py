"""The OpenAPI document: what it describes is what is served, by cases that schemathesis draws from it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.serving.running import Start

CASES = 2
SECONDS = 5
LEFT_OUT = ",".join(
    (
        "positive_data_acceptance",  # no schema says which bytes are a picture
        "negative_data_rejection",  # whatever a form holds is text
    )
)


def test_the_document_is_of_openapi_3_1_and_has_examples(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    text = json.dumps(document["paths"])
    assert "application/problem+json" in text
    for path in ("/v1/predict", "/v1/classes", "/v1/proposals/{id}/accept", "/v2/models/{name}/infer"):
        body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        schema = body.get("schema", {})
        named = document["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], {})
        assert "example" in body or "examples" in named, path


def test_links_lead_to_operations_that_take_an_id(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    operations = {one["operationId"]: one for path in document["paths"].values() for one in path.values()}
    links = [
        link
        for one in operations.values()
        for answer in one["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert len(links) > 10
    for link in links:
        names = {parameter["name"] for parameter in operations[link["operationId"]]["parameters"]}
        assert link["parameters"].keys() <= names


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/predict", "POST"),
        ("OPTIONS", "/v1/classes/3", "DELETE, GET, PATCH"),
        ("OPTIONS", "/v1/classes/gathered", "POST"),
        ("PATCH", "/v1/classes/gathered", "POST"),
        ("PUT", "/v2/models/vehicles/infer", "POST"),
    ],
)
def test_a_path_says_which_methods_it_takes(client: TestClient, method: str, path: str, allowed: str) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH"])
def test_what_is_no_number_names_no_class(client: TestClient, method: str) -> None:
    told = client.request(method, "/v1/classes/abc").json()
    assert (told["status"], told["detail"]) == (404, "There is no such path.")
    missing = client.get("/v1/classes/999").json()
    assert (missing["status"], missing["remedy"]) == (404, "GET /v1/classes lists them.")


@pytest.mark.slow
def test_what_is_drawn_from_the_document_meets_no_defect(start: Start, tmp_path: Path) -> None:
    running = start("--log-format", "none")
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{running.address}/openapi.json"]
    options = [
        "--checks",
        "all",
        "--exclude-checks",
        LEFT_OUT,
        "--max-examples",
        str(CASES),
        "--max-time",
        str(SECONDS),
    ]
    # What a job tells comes when it is done: of one that was just begun there is no report, and no end of events.
    options += ["--exclude-path-regex", "events|report", "--seed", "1", "--no-color", "--continue-on-failure"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert done.returncode == 0, done.stdout[-6000:]
