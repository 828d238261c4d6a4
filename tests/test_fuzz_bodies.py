"""Whatever a request holds, the service answers with a problem document, and never with a defect.

Real bodies are damaged at random; see `tests/test_fuzz.py`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import given

from bodies import bodies
from damage import damaged
from inkling.serving.app import create_app
from inkling.serving.limits import Limits
from inkling.serving.service import Service
from inkling.serving.settings import Settings
from inkling.sketch import weights_folder, write_dataset
from tests.images.pictures import encoded, photo
from tests.test_fuzz import fuzzed, seeds

PICTURE = encoded(photo(size=(24, 20)), "PNG")
TAKEN = {"annotation", "class", "observed", "undo"}
"""Kinds that change a memory as they are; `bench/serve.py` damages them too."""
BODIES = {kind: body for kind, body in bodies(PICTURE).items() if kind not in TAKEN}
REFUSED = {400, 404, 408, 409, 413, 415, 422, 429}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """A service whose queue takes nothing: what is sound is refused at its door."""
    if not (weights_folder() / "config.json").is_file():
        pytest.skip("the embedded encoder has no weights in this tree")
    from inkling import FewShotClassifier

    folder = tmp_path_factory.mktemp("fuzzed")
    write_dataset(folder / "train", ["castle", "cat"], 3, seed=0)
    memory = Path(folder / "memory.ink")
    FewShotClassifier("sketch", cache=folder / "cache").fit(folder / "train").save(memory)
    settings = Settings(limits=Limits(waiting=0, body_bytes=2**20))
    service = Service(str(memory), limits=settings.limits)
    service.thread.start()
    return TestClient(create_app(service, settings), base_url="http://localhost", client=("127.0.0.1", 9))


@pytest.mark.parametrize("kind", list(BODIES))
@fuzzed
@given(seed=seeds)
def test_damaged_bodies_are_answered(client: TestClient, kind: str, seed: int) -> None:
    body = BODIES[kind]
    answer = client.post(body.path, content=damaged(body.content, seed, other=body.content), headers=body.headers)
    assert answer.status_code in REFUSED, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 4000
    assert answer.json()["detail"]
