"""inkling mcp: a memory as tools for agents."""

from __future__ import annotations

from typing import Annotated

import typer

from inkling.cli.console import note
from inkling.cli.options import Device, Memory, MovedEncoder, Vocabulary
from inkling.errors import require


def run(
    memory: Memory,
    write: Annotated[bool, typer.Option("--write", help="Offer the tools that change the memory too.")] = False,
    root: Annotated[
        str | None,
        typer.Option("--root", metavar="DIR", help="Read pictures below this folder alone; paths are relative to it."),
    ] = None,
    encoder: MovedEncoder = None,
    vocabulary: Vocabulary = None,
    device: Device = "auto",
) -> None:
    """Offer a memory to an agent, by the Model Context Protocol on standard input and output."""
    require("mcp", extra="mcp", purpose="Serving agents")
    from inkling.classifier.vocabularies import read_vocabulary
    from inkling.serving.agents import agent_server
    from inkling.serving.service import Service

    service = Service(memory, encoder=encoder, device=device, vocabulary=read_vocabulary(vocabulary))
    try:
        server = agent_server(service, write=write, root=root)
        service.start()
        note(f"Offering version {service.version}{'' if write else ', for reading only'}.")
        server.run("stdio")
    finally:
        service.close()
