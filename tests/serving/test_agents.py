"""Tools for agents, called by a client of the protocol through standard input and output of a process."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters

from inkling import FewShotClassifier
from inkling.errors import EncoderError, InklingError, InputError, MemoryFileError
from inkling.payloads import class_payload, event_payload, proposal_payload, verdict_payload
from inkling.review.decisions import Decisions
from inkling.review.view import MemoryView
from inkling.serving.agent_words import OPERATOR, for_agents
from inkling.serving.agents import agent_server
from inkling.serving.service import Service
from tests.cli.program import PROGRAM, Inkling
from tests.serving.test_outside import COMMAND, ROOMS, texts_of

READERS = {"classify", "list_classes", "list_proposals", "history"}
WRITERS = {"accept", "merge", "discard", "undo"}

Talk = Callable[[Client], Awaitable[Any]]


def talk(server: Any, about: Talk) -> Any:
    """What a conversation with a server comes to."""

    async def main() -> Any:
        async with Client(server) as client:
            return await about(client)

    return anyio.run(main)


async def called(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """Content of an answer that is no error."""
    answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, answer.content
    return answer.structured_content


@pytest.mark.slow
def test_over_standard_input_and_output_a_client_asks_decides_and_takes_back(memory: Path, stage: Path) -> None:
    environment = os.environ | {"INKLING_CACHE": str(stage / "cache")}
    process = StdioServerParameters(
        command=sys.executable, args=[*PROGRAM[1:], "mcp", str(memory), "--write"], env=environment, cwd=stage
    )
    classifier = FewShotClassifier.load(memory)
    (verdict,) = classifier.verdicts([stage / "inbox/car-0000.png"], top=2, names=3)
    expected = verdict_payload(verdict)

    async def about(client: Client) -> None:
        assert {tool.name for tool in (await client.list_tools()).tools} == READERS | WRITERS
        first = await called(client, "classify", paths=["inbox/car-0000.png"], top=2)
        (found,) = first["predictions"]
        assert found["probability"] == pytest.approx(expected["probability"], abs=1e-5)
        assert {**found, "id": 0}.keys() == {*expected, "id"}
        assert (found["label"], found["unknown"], found["names"]) == (expected["label"], True, expected["names"])
        event = await called(client, "accept", proposal=1, name="car")
        assert event == event_payload(MemoryView(memory).history()[-1])
        assert event["arguments"]["by"] == "agent"
        after = await called(client, "classify", paths=["inbox/car-0000.png"])
        assert (after["predictions"][0]["label"], after["memory_version"]) == ("car", 4)
        await called(client, "undo", event=event["event"])
        assert [one.name for one in MemoryView(memory).classes()] == ["castle", "cat", "tree"]

    talk(process, about)


@pytest.fixture
def ask(service: Service) -> Callable[..., Any]:
    """Call a tool of a server that may write; content of the answer, or the text of the error."""
    server = agent_server(service, write=True)

    def one(tool: str, **arguments: Any) -> Any:
        async def about(client: Client) -> Any:
            answer = await client.call_tool(tool, arguments)
            return answer.content[0].text if answer.is_error else answer.structured_content

        return talk(server, about)

    return one


def test_reading_tools_tell_what_the_command_line_tells(ask: Callable[..., Any], memory: Path) -> None:
    view = MemoryView(memory)
    classes = ask("list_classes")
    assert [{**one, "id": 0} for one in classes["classes"]] == [{"id": 0, **class_payload(k)} for k in view.classes()]
    assert classes["memory_version"] == 3
    proposals = ask("list_proposals", images=2)["proposals"]
    assert proposals == [{**one, "images": one["images"][:2]} for one in map(proposal_payload, view.proposals())]
    assert ask("list_proposals", state="discarded")["proposals"] == []
    history = ask("history", last=2)
    assert history["events"] == [event_payload(one) for one in view.history()[-2:]]
    assert history["n"] == 3


def test_folders_are_classified_and_what_is_no_picture_is_named(
    ask: Callable[..., Any], stage: Path, tmp_path: Path
) -> None:
    (tmp_path / "notes.png").write_bytes(b"no picture")
    answer = ask("classify", paths=[str(stage / "test/cat"), str(tmp_path / "notes.png"), "nowhere.png"])
    assert [one["label"] for one in answer["predictions"]] == ["cat"] * 3
    assert {Path(one["path"]).name for one in answer["skipped"]} == {"notes.png", "nowhere.png"}


def test_decisions_are_those_of_the_log(ask: Callable[..., Any], memory: Path) -> None:
    merged = ask("merge", proposals=[1, 2])
    (left,) = MemoryView(memory).proposals()
    assert merged["outcome"]["proposal"] == left.id
    assert ask("discard", proposal=left.id)["verb"] == "discard"
    assert MemoryView(memory).proposals() == ()
    ask("undo")
    assert [one.id for one in MemoryView(memory).proposals()] == [left.id]


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("classify", {"paths": ["nowhere.png"]}, "'nowhere.png' does not exist"),
        ("classify", {"paths": ["https://example.com/cat.jpg"]}, "is an address, and none is fetched"),
        ("classify", {"paths": ["-"]}, "Standard input is taken"),
        ("classify", {"paths": ["a" * 5000]}, "cannot be read"),
        ("classify", {"paths": []}, "at least 1"),
        ("accept", {"proposal": 9, "name": "car"}, "no proposal"),
        ("accept", {"proposal": 1, "name": "cat"}, "cat"),
        ("accept", {"proposal": 1}, "These arguments do not fit 'accept': 'name' got "),
        ("classify", {"paths": "x.png"}, "'paths' got x.png: input should be a valid list"),
        ("merge", {"proposals": [1]}, "at least 2"),
        ("discard", {"proposal": 0}, "greater than or equal to 1"),
        ("undo", {"event": 1}, "look at the history"),
        ("forget_everything", {}, "forget_everything"),
    ],
)
def test_mistakes_are_errors_of_the_tool_and_change_nothing(
    ask: Callable[..., Any], memory: Path, tool: str, arguments: dict[str, Any], told: str
) -> None:
    before = MemoryView(memory).history()
    answer = ask(tool, **arguments)
    assert told in answer
    assert "Traceback" not in answer
    assert not re.search(r"--\w|\binkling [a-z]", answer), "an agent has no terminal"
    assert MemoryView(memory).history() == before


@pytest.mark.parametrize("room", ROOMS)
def test_what_an_agent_can_do_is_no_command(room: str) -> None:
    for text in texts_of(room):
        assert not COMMAND.search(for_agents(InputError("It is so.", remedy=text))), text


@pytest.mark.parametrize("error", [MemoryFileError, EncoderError])
def test_what_only_a_person_can_mend_says_so(error: type[InklingError]) -> None:
    assert for_agents(error("It is damaged.", remedy="Run 'inkling verify'.")) == f"It is damaged. {OPERATOR}"


def test_a_known_class_is_joined_by_the_tool(ask: Callable[..., Any]) -> None:
    assert "'accept' with 'join' true" in ask("accept", proposal=1, name="cat")


def test_writing_that_is_off_is_asked_for_from_a_person(service: Service) -> None:
    async def about(client: Client) -> str:
        return (await client.call_tool("undo", {})).content[0].text

    assert "Ask the person who set it up" in talk(agent_server(service, write=False), about)


def test_lines_that_are_no_messages_are_answered_and_end_nothing(memory: Path, stage: Path) -> None:
    about = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    lines = [
        (json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": about}).encode(), (1, None)),
        (b"garbage", (None, -32700)),
        (b'{"jsonrpc": "2.0", "id": 5,', (None, -32700)),
        (b"\xff\xfe\x00", (None, -32700)),
        (b"[]", (None, -32600)),
        (b'{"jsonrpc": "2.0", "id": 6}', (6, -32600)),
        (b'{"id": "seven", "method": "ping"}', ("seven", -32600)),
        (b"  \n" + json.dumps({"jsonrpc": "2.0", "id": 8, "method": "ping"}).encode(), (8, None)),
    ]
    environment = os.environ | {"INKLING_CACHE": str(stage / "cache")}
    pipe = subprocess.PIPE
    with subprocess.Popen([*PROGRAM, "mcp", str(memory)], stdin=pipe, stdout=pipe, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line, (number, code) in lines:
            process.stdin.write(line + b"\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            assert (answer["id"], answer.get("error", {}).get("code")) == (number, code), line
        process.stdin.close()
        assert process.wait(60) == 0


def test_who_decides_about_a_proposal_that_another_one_merged_learns_so(ask: Callable[..., Any], memory: Path) -> None:
    Decisions(memory).merge([1, 2])
    assert "merged into proposal 3" in ask("accept", proposal=1, name="car")


def test_more_pictures_than_a_call_may_have_are_refused(
    ask: Callable[..., Any], stage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inkling.serving.agents.MOST_PICTURES", 5)
    assert "more than 5 pictures" in ask("classify", paths=[str(stage / "test")])


def test_below_a_root_nothing_else_is_read(service: Service, stage: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    shutil.copy(stage / "test/cat/cat-0000.png", root / "cat.png")
    shutil.copy(stage / "test/cat/cat-0000.png", tmp_path / "secret.png")
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    (root / "linked").mkdir()
    (root / "linked" / "link.png").symlink_to(tmp_path / "secret.png")
    (root / "list.csv").write_text(f"path\n{tmp_path / 'secret.png'}\n")
    server = agent_server(service, write=False, root=str(root))

    async def about(client: Client) -> None:
        assert {tool.name for tool in (await client.list_tools()).tools} == READERS
        found = await called(client, "classify", paths=["cat.png", str(root / "cat.png")])
        assert [one["label"] for one in found["predictions"]] == ["cat", "cat"]
        for name in ("../secret.png", str(tmp_path / "secret.png"), "link.png", "linked", "list.csv", "a\0b"):
            answer = await client.call_tool("classify", {"paths": [name]})
            assert answer.is_error, name
            assert "outside of the folder" in answer.content[0].text

    talk(server, about)
    with pytest.raises(InputError, match="is no folder"):
        agent_server(service, write=False, root=str(tmp_path / "nowhere"))


def test_reading_is_marked_and_writing_is_off_unless_asked_for(service: Service) -> None:
    async def about(client: Client) -> dict[str, bool | None]:
        tools = (await client.list_tools()).tools
        assert all(tool.description and tool.output_schema for tool in tools)
        return {tool.name: tool.annotations.read_only_hint for tool in tools if tool.annotations}

    assert talk(agent_server(service, write=False), about) == dict.fromkeys(READERS, True)
    marked = talk(agent_server(service, write=True), about)
    assert {name for name, reads in marked.items() if not reads} == WRITERS


@pytest.mark.slow
def test_nothing_but_the_protocol_is_on_standard_output(memory: Path, stage: Path, tmp_path: Path) -> None:
    inkling = Inkling(tmp_path, stage / "cache")
    done = inkling("mcp", memory, stdin="")
    assert (done.code, done.out) == (0, "")
    assert "Offering version 3, for reading only." in done.err
    inkling("mcp", tmp_path / "nowhere.ink", stdin="").refused("There is no memory at")
    inkling("mcp", memory, "--root", tmp_path / "nowhere", stdin="").refused("is no folder")


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_signal_ends_it_while_its_input_is_open(memory: Path, stage: Path) -> None:
    environment = os.environ | {"INKLING_CACHE": str(stage / "cache")}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*PROGRAM, "mcp", str(memory)], stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment
    ) as process:
        assert process.stderr is not None
        assert "Offering" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(10) == 128 + signal.SIGTERM
        finally:
            process.kill()
