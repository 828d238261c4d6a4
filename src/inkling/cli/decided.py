"""What the verbs of decisions share: the door to a memory, and how they tell what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inkling.cli.console import check_outputs, note, say, show
from inkling.cli.usage import whole
from inkling.payloads import event_payload
from inkling.wording import counted

if TYPE_CHECKING:
    from inkling.memory.events import Event
    from inkling.review.decisions import Decisions
    from inkling.review.new_class import Prepared

Number = Annotated[int, typer.Argument(parser=whole(1), metavar="ID", help="Number of a proposal.", show_default=False)]
ClassName = Annotated[str, typer.Argument(metavar="NAME", help="Name of a class.", show_default=False)]


def decisions(memory: str, *, words: Callable[[str], Prepared] | None = None) -> Decisions:
    """Decisions about a memory."""
    from inkling.review.decisions import Decisions

    return Decisions(memory, words=words)


def decide(
    memory: str,
    json: str | None,
    decision: Callable[[Decisions], Event],
    sentence: Callable[[Mapping[str, Any]], str],
    *,
    undoable: bool = True,
    words: Callable[[str], Prepared] | None = None,
) -> Event:
    """Take a decision, and tell its outcome as a sentence or as JSON; `words` encodes the name of an accepted class."""
    check_outputs(json, keep=(memory,))
    event = decision(decisions(memory, words=words))

    def tell(summary: Mapping[str, Any]) -> None:
        say(sentence(summary["outcome"]))
        if texts := summary["outcome"].get("texts"):
            note(f"Texts: {texts}.")
        if finding := summary["outcome"].get("finding"):
            note(f"Head: {finding}.")
        note(f"Version {summary['memory_version']}." + (" 'inkling undo' takes it back." if undoable else ""))

    show(event_payload(event), json=json, table=tell)
    return event


def images(number: int) -> str:
    """A number of images in words."""
    return counted(number, "image")
