"""inkling history: what was done to a memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inkling.cli.console import check_outputs, note, show
from inkling.cli.options import Json, Memory
from inkling.cli.tables import print_table
from inkling.payloads import event_payload


def run(memory: Memory, json: Json = None) -> None:
    """Show what was done to a memory, oldest first."""
    from inkling.memory.events import list_events

    check_outputs(json, keep=(memory,))
    show({"events": [event_payload(event) for event in list_events(memory)]}, json=json, table=_print)


def arguments_text(arguments: Mapping[str, Any]) -> str:
    """Arguments of an event in one line; what was not given is left out."""
    given = {name: value for name, value in arguments.items() if value not in (None, False, [])}
    return ", ".join(f"{name} {_value(value)}" for name, value in given.items())


def _print(summary: Mapping[str, Any]) -> None:
    events = summary["events"]
    if not events:
        note("Nothing was logged yet: a release without a log wrote this memory.")
        return
    undone = {event["undoes"]: event["event"] for event in events if event["undoes"] is not None}
    print_table(
        ("event", "version", "time", "what", "with", ""),
        [
            (event["event"], event["memory_version"], event["time"], event["verb"], _with(event), _mark(event, undone))
            for event in events
        ],
        numbers=(0, 1),
        whole=(5,),
    )


def _with(event: Mapping[str, Any]) -> str:
    return f"event {event['undoes']}" if event["undoes"] is not None else arguments_text(event["arguments"])


def _mark(event: Mapping[str, Any], undone: Mapping[int, int]) -> str:
    return f"taken back by {undone[event['event']]}" if event["event"] in undone else ""


def _value(value: Any) -> str:
    return " and ".join(map(str, value)) if isinstance(value, list) else str(value)
