"""Who may write: by token, from this machine, and never a page of another site."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from inkling.errors import InputError
from inkling.serving.access import Access, is_loopback, read_tokens
from inkling.serving.app import create_app
from inkling.serving.service import Service
from inkling.serving.settings import Settings

TOKEN = "correct horse battery"

Ask = Callable[..., TestClient]


@pytest.fixture(scope="module")
def served(stage: Path) -> Service:
    """A service that nobody has to answer: every request here ends at the rules, or reads."""
    return Service(str(stage / "vehicles.ink"))


@pytest.fixture
def ask(served: Service) -> Ask:
    def client(access: Access, *, base: str = "http://localhost:8000", peer: str = "127.0.0.1") -> TestClient:
        return TestClient(create_app(served, Settings(access)), base_url=base, client=(peer, 50000))

    return client


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> Access:
    monkeypatch.setenv("INKLING_TOKEN", f"anna:{TOKEN}")
    return Access(read_tokens(None))


WRITES = [
    ("POST", "/v1/classes/gathered"),
    ("POST", "/v1/observe"),
    ("POST", "/v1/classes"),
    ("POST", "/v1/classes/1/images"),
    ("PATCH", "/v1/classes/1"),
    ("DELETE", "/v1/classes/1"),
    ("PATCH", "/v1/classes/begun/{name}"),
    ("DELETE", "/v1/classes/begun/{name}"),
    *(("POST", f"/v1/proposals/1/{verb}") for verb in ("accept", "merge", "split", "rename", "discard")),
    ("POST", "/v1/images/1/move"),
    ("POST", "/v1/undo"),
    ("POST", "/v1/downloads"),
]


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_every_write_asks_who_it_is(ask: Ask, tokens: Access, method: str, path: str) -> None:
    client = ask(tokens)
    refused = client.request(method, path)
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    for header in (f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", "Bearer", "Bearer \xff"):
        sent = {"authorization": header.encode("latin-1")}
        assert client.request(method, path, headers=sent).status_code == 401
    assert ask(Access(tokens.tokens, read_only=True)).request(method, path).status_code == 403
    assert ask(Access(), peer="10.0.0.7").request(method, path).status_code == 403


def test_no_unsafe_route_but_asking_is_open(served: Service) -> None:
    app = create_app(served, Settings())
    routes = {
        (method, path)
        for path, item in app.openapi()["paths"].items()
        for method in (name.upper() for name in item if name not in ("get", "parameters"))
    }
    open_ones = {
        ("POST", "/v1/predict"),
        ("POST", "/v1/jobs"),
        ("POST", "/v1/jobs/{id}/images"),
        ("POST", "/v1/jobs/{id}/start"),
        ("DELETE", "/v1/jobs/{id}"),
        ("POST", "/v2/models/{name}/infer"),
        ("POST", "/label-studio/setup"),
        ("POST", "/label-studio/predict"),
        ("POST", "/label-studio/webhook"),
    }
    listed = {(method, path.replace("/1", "/{id}")) for method, path in WRITES}
    assert routes - open_ones == listed


def test_evaluating_is_open_and_discovering_is_not(ask: Ask) -> None:
    client = ask(Access(read_only=True))
    assert client.post("/v1/jobs", json={"kind": "evaluate"}).status_code == 201
    assert client.post("/v1/jobs", json={"kind": "discover"}).status_code == 403


def test_a_token_names_who_decides(memory: Path, tokens: Access) -> None:
    client = TestClient(create_app(Service(str(memory)), Settings(tokens)), base_url="http://10.1.2.3")
    answer = client.post("/v1/proposals/1/discard", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.json()["arguments"]["by"] == "anna"


@pytest.mark.parametrize(
    ("base", "peer", "status"),
    [
        ("http://localhost:8000", "127.0.0.1", 200),
        ("http://127.0.0.1:8000", "127.0.0.1", 200),
        ("http://[::1]:8000", "::1", 200),
        ("http://192.168.1.4", "127.0.0.1", 200),
        ("http://evil.example", "127.0.0.1", 421),
        ("http://localhost.evil.example", "127.0.0.1", 421),
    ],
)
def test_names_that_lead_here_from_elsewhere_are_refused(ask: Ask, base: str, peer: str, status: int) -> None:
    assert ask(Access(), base=base, peer=peer).get("/v1/classes").status_code == status


def test_a_name_that_is_allowed_is_answered(ask: Ask) -> None:
    assert ask(Access(hosts=["Inkling.example"]), base="http://inkling.example").get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:9000"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/v1/undo", "/v1/predict"])
def test_pages_of_other_sites_are_refused(ask: Ask, headers: dict[str, str], path: str) -> None:
    answer = ask(Access()).post(path, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:inkling:problem:other-origin")
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_without_a_token_only_this_machine_writes_by_its_own_name(ask: Ask) -> None:
    write = ("/v1/proposals/99/discard",)
    assert ask(Access()).post(*write, headers={"origin": "http://localhost:8000"}).status_code == 404
    assert ask(Access(), base="http://192.168.1.4").post(*write).status_code == 403
    assert ask(Access(), peer="192.168.1.9").post(*write).status_code == 403


def test_tokens_are_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"# ours\n\nanna:{'a' * 16}\n{'b' * 20}\n")
    file.chmod(0o600)
    assert [one.name for one in read_tokens(str(file))] == ["anna", "token"]
    file.chmod(0o644)
    with pytest.warns(UserWarning, match="chmod 600"):
        read_tokens(str(file))


@pytest.mark.parametrize("content", ["", "# none\n", "short\n", "anna:short\n", b"\xff\xfe"])
def test_a_token_file_without_a_sound_token_is_refused(tmp_path: Path, content: str | bytes) -> None:
    file = tmp_path / "tokens"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    file.chmod(0o600)
    with pytest.raises(InputError, match="token"):
        read_tokens(str(file))
    with pytest.raises(InputError, match="cannot be read"):
        read_tokens(str(tmp_path / "missing"))


@pytest.mark.parametrize("name", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "localhost", "a.localhost"])
def test_names_of_this_machine(name: str) -> None:
    assert is_loopback(name)


@pytest.mark.parametrize("name", ["0.0.0.0", "10.0.0.1", "::ffff:10.0.0.1", "example", "localhost.example", ""])
def test_names_of_others(name: str) -> None:
    assert not is_loopback(name)


def test_nothing_is_loaded_from_elsewhere_and_no_script_stands_in_the_page(ask: Ask) -> None:
    answer = ask(Access()).get("/")
    policy = answer.headers["content-security-policy"]
    assert "unsafe-inline" not in policy
    assert "default-src 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    listed = ask(Access()).get("/docs")
    assert listed.headers["content-security-policy"] == policy
    assert "<script" not in listed.text
