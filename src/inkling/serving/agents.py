"""A memory as tools for agents, by the Model Context Protocol over standard input and output."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.stdio import stdio_server
from mcp_types import ToolAnnotations
from pydantic import Field, ValidationError

from inkling.errors import InklingError, InputError
from inkling.images.sources import find_images
from inkling.memory.events import list_events
from inkling.memory.shown import shown_classes, shown_proposals
from inkling.payloads import (
    Payload,
    class_payload,
    event_payload,
    proposal_payload,
    skipped_payload,
    verdict_payload,
)
from inkling.provenance import inkling_version
from inkling.redaction import redacted
from inkling.review.signed import SignedDecisions
from inkling.serving.agent_lines import CheckedLines
from inkling.serving.agent_words import for_agents
from inkling.serving.rooted import RootedFiles
from inkling.serving.service import Service
from inkling.types import ImageRecord, SkippedImage
from inkling.wording import counted, excerpt

AGENT = "agent"
"""Who decides, for the log."""
CHANGING = ("accept", "merge", "discard", "undo")
"""Tools that change the memory."""
MOST_PICTURES = 256
SHOWN_SKIPPED = 3

_ABOUT = (
    "Inkling classifies pictures by a memory that was fitted to a few examples of each class. Probabilities are "
    "calibrated. 'unknown' true means that a picture is unlike all known classes: then 'label' is only the nearest "
    "class, and 'names' says what it may be. Groups of unknown pictures are proposals of new classes; a person, or "
    "you where writing is allowed, decides about them. Each decision can be taken back by 'undo'."
)
_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_CHANGES = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False)

Tool = Callable[..., dict[str, Any]]
State = Literal["open", "accepted", "merged", "split", "discarded", "withdrawn", "all"]
Number = Annotated[int, Field(ge=1, le=2**63 - 1)]
ProposalNumber = Annotated[Number, Field(description="Number of an open proposal.")]


def agent_server(service: Service, *, write: bool, root: str | None = None) -> MCPServer[Any]:
    """A server of the protocol.

    Parameters
    ----------
    service
        What is served; it is started and closed by whoever runs the server.
    write
        Whether there are tools that change the memory.
    root
        Folder that pictures are read from, and to which their paths are relative; None reads any.

    Raises
    ------
    InputError
        If the root is no folder.
    """
    server = _Server("inkling", title="Inkling", instructions=_ABOUT, version=inkling_version(), log_level="WARNING")
    readers = Readers(service, None if root is None else RootedFiles(root))
    writers = Writers(service)
    reading: tuple[Tool, ...] = (readers.classify, readers.list_classes, readers.list_proposals, readers.history)
    changing: tuple[Tool, ...] = tuple(getattr(writers, name) for name in CHANGING)
    for tool in reading:
        server.add_tool(_telling(tool), annotations=_READS)
    for tool in changing if write else ():
        server.add_tool(_telling(tool), annotations=_CHANGES)
    return server


class _Server(MCPServer[Any]):
    """Answers arguments that fit no tool, and tools that are off, with what would fit."""

    async def call_tool(self, name: str, arguments: dict[str, Any], context: Any = None) -> Any:
        """As the base class."""
        if name in CHANGING and name not in {one.name for one in await self.list_tools()}:
            raise ToolError(
                f"'{name}' changes the memory, and this server only reads it. Ask the person who set it up to start it "
                "for writing ('--write' in its settings), and leave the memory as it is until then."
            )
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            if isinstance(error.__cause__, ValidationError):
                raise ToolError(_what_fits(name, error.__cause__)) from error
            raise

    async def run_stdio_async(self) -> None:
        """As the base class, but lines that are no messages are answered too."""
        async with stdio_server() as (read, write):
            server = self._lowlevel_server
            await server.run(CheckedLines(read, write), write, server.create_initialization_options())


def _what_fits(name: str, error: ValidationError) -> str:
    """Each argument that does not fit, what came, and what would."""
    told = [
        f"'{'.'.join(map(str, one['loc']))}' got {excerpt(one['input'])}: {one['msg'][:1].lower()}{one['msg'][1:]}"
        for one in error.errors(include_url=False)
    ]
    return f"These arguments do not fit '{name}': {'; '.join(told)}. The list of tools says what each takes."


class Readers:
    """Tools that only read.

    Parameters
    ----------
    service
        Answers.
    files
        What may be read; None: whatever this process can.
    """

    def __init__(self, service: Service, files: RootedFiles | None) -> None:
        self._service, self._files = service, files

    def classify(
        self,
        paths: Annotated[
            list[str], Field(min_length=1, description="Local picture files, or folders of them. No addresses.")
        ],
        top: Annotated[int, Field(ge=1, le=100, description="Classes to name for each picture.")] = 3,
        names: Annotated[int, Field(ge=0, le=100, description="Likely names for each unknown picture.")] = 3,
    ) -> dict[str, Any]:
        """Label local pictures with calibrated probabilities, or say that they are of no known class."""
        records, skipped = self._found(paths)
        classifier = self._service.classifier
        samples = self._service.embedded(records)
        skipped = [*skipped, *samples.skipped]
        if not len(samples):
            raise _none_readable(skipped)
        verdicts = classifier.judge(samples, top=top, names=names)
        return {
            "memory_version": classifier.memory_version,
            "n": len(verdicts),
            "predictions": [
                {"id": content, **verdict_payload(one)}
                for content, one in zip(samples.content_hashes, verdicts, strict=True)
            ],
            "skipped": skipped_payload(skipped),
        }

    def list_classes(self) -> dict[str, Any]:
        """The classes that the memory knows, with the number of training images of each."""
        shown = shown_classes(self._service.memory, most=0)
        told = [{"id": one.id, **class_payload(one.known)} for one in shown.classes]
        return {"memory_version": shown.version, "classes": told}

    def list_proposals(
        self,
        state: State = "open",
        images: Annotated[int, Field(ge=0, le=1000, description="Pictures to name of each proposal.")] = 10,
    ) -> dict[str, Any]:
        """Groups of unknown pictures that may be new classes: likely names, size, stability, nearest known class."""
        shown = shown_proposals(self._service.memory, state=None if state == "all" else state, most=0)
        told = [proposal_payload(one) for one in shown.proposals]
        return {
            "memory_version": shown.version,
            "proposals": [{**one, "images": one["images"][:images]} for one in told],
            "n_loose": shown.n_loose,
        }

    def history(
        self, last: Annotated[int, Field(ge=1, le=1000, description="Entries to give, the latest ones.")] = 20
    ) -> dict[str, Any]:
        """What was done to the memory and by whom, oldest first."""
        events = list_events(self._service.memory)
        told: list[Payload] = [event_payload(one) for one in events[-last:]]
        return {"memory_version": told[-1]["memory_version"] if told else None, "n": len(events), "events": told}

    def _found(self, paths: Sequence[str]) -> tuple[list[ImageRecord], list[SkippedImage]]:
        records: list[ImageRecord] = []
        skipped: list[SkippedImage] = []
        for name in paths:
            try:
                found = self._records(name)
            except InputError as error:
                skipped.append(SkippedImage(name, error.message))
                continue
            except OSError as error:
                skipped.append(SkippedImage(name, f"It cannot be read: {excerpt(error)}."))
                continue
            records += found
            if len(records) > MOST_PICTURES:
                raise InputError(
                    f"These are more than {MOST_PICTURES} pictures.", remedy="Name fewer in a call, or single files."
                )
        if not records:
            raise _none_readable(skipped)
        return records, skipped

    def _records(self, name: str) -> Sequence[ImageRecord]:
        if name.strip() == "-":
            raise InputError("Standard input is taken by the protocol.")
        if "://" in name:
            raise InputError("It is an address, and none is fetched.")
        if self._files is None:
            return find_images(name).records
        records = find_images(self._files.path(name)).records
        for one in records:
            self._files.require(one)
        return records


class Writers:
    """Tools that change the memory. Each change is live at once, for all who read it.

    Parameters
    ----------
    service
        What is changed.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def accept(
        self,
        proposal: ProposalNumber,
        name: Annotated[str, Field(min_length=1, max_length=1000, description="Name of the class.")],
        join: Annotated[bool, Field(description="Give the pictures to the known class of that name instead.")] = False,
    ) -> dict[str, Any]:
        """Make a proposal a known class of this name. Can be taken back by undo."""
        return event_payload(self._decide(proposal).accept(proposal, name, join=join))

    def merge(
        self, proposals: Annotated[list[Number], Field(min_length=2, max_length=1000, description="Their numbers.")]
    ) -> dict[str, Any]:
        """Make one proposal, with a number of its own, of several open ones. Can be taken back by undo."""
        return event_payload(self._decide(*proposals).merge(proposals))

    def discard(self, proposal: ProposalNumber) -> dict[str, Any]:
        """Let a proposal go: its pictures are not proposed again. Can be taken back by undo."""
        return event_payload(self._decide(proposal).discard(proposal))

    def undo(
        self,
        event: Annotated[
            Number | None,
            Field(description="Number of the event, as in history; it is refused if another one is the latest by now."),
        ] = None,
    ) -> dict[str, Any]:
        """Take back the latest decision about the memory, whoever made it."""
        return event_payload(self._decide().undo_event(event))

    def _decide(self, *seen: int) -> SignedDecisions:
        return self._service.decisions(by=AGENT, seen=seen)


def _none_readable(skipped: Sequence[SkippedImage]) -> InputError:
    shown = "; ".join(f"{one.path}: {one.reason.rstrip('.')}" for one in skipped[:SHOWN_SKIPPED])
    more = f"; and {counted(len(skipped) - SHOWN_SKIPPED, 'other')}" if len(skipped) > SHOWN_SKIPPED else ""
    return InputError(f"None of the pictures can be read: {shown}{more}.", remedy="Name local picture files.")


def _telling(tool: Tool) -> Tool:
    """A tool whose errors say what came and what to do. Those of others are defects and stay here."""

    @functools.wraps(tool)
    def told(*arguments: Any, **options: Any) -> dict[str, Any]:
        try:
            return tool(*arguments, **options)
        except InklingError as error:
            raise ToolError(redacted(for_agents(error))) from error

    return told
