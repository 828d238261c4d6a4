"""inkling verify: check a memory against its log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from inkling.cli.console import check_outputs, say, show
from inkling.cli.options import Json, Memory
from inkling.redaction import redacted
from inkling.wording import counted


def run(memory: Memory, json: Json = None) -> None:
    """Check a memory against its log, and that it can be used: take all decisions back and do them again, on a copy."""
    from inkling.classifier.soundness import require_usable
    from inkling.memory.verify import verify

    check_outputs(json, keep=(memory,))
    found = verify(memory)
    require_usable(memory)
    show({"memory": redacted(memory), **asdict(found)}, json=json, table=_print)


def _print(summary: Mapping[str, Any]) -> None:
    replayed = len(summary["replayed"])
    say(
        f"{summary['memory']} is whole: version {summary['version']}, {counted(summary['events'], 'event')}, "
        f"{replayed} of them taken back and done again."
    )
