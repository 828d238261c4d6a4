"""Where a memory cannot be: what verbs say to a URL of another kind, and of a server that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import Inkling

VERBS = {
    "copy": lambda url: ("a.ink", url),
    "backup": lambda url: ("a.ink", url),
    "info": lambda url: (url,),
    "undo": lambda url: (url,),
    "verify": lambda url: (url,),
    "fit": lambda url: ("photos", "--memory", url, "--encoder", "sketch"),
    "serve": lambda url: (url, "--new", "sketch"),
}


@pytest.mark.parametrize("verb", VERBS)
def test_verbs_say_so(verb: str, inkling: Inkling, memory: Path, drawn: Path) -> None:
    names = {"a.ink": memory, "photos": drawn / "train"}
    arguments = VERBS[verb]("postgresq://x/y")
    inkling.here(verb, *(names.get(one, one) for one in arguments)).refused("is no memory that Inkling can reach")


def test_a_server_that_is_not_there_got_nothing(inkling: Inkling, memory: Path) -> None:
    pytest.importorskip("psycopg", reason="the driver is not installed: pip install 'inkling-vision[postgres]'")
    url = "postgresql://ada@127.0.0.1:1/nowhere"
    inkling.here("copy", memory, url).refused(f"Nothing was written to {url}: the server says")
