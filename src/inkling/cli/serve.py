"""inkling serve: a memory as a service, with a page."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from inkling.cli.console import note
from inkling.cli.options import Device, Memory, MinImages, MovedEncoder, Vocabulary
from inkling.cli.usage import whole
from inkling.errors import require


def run(
    memory: Memory,
    host: Annotated[str, typer.Option(help="Address to serve at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(parser=whole(0, 65535), metavar="N", help="Port; 0 takes any.")] = 8000,
    token_file: Annotated[
        str | None,
        typer.Option(
            "--token-file",
            metavar="FILE",
            help="Who may write: a line NAME:TOKEN each. Without, and without INKLING_TOKEN, only this machine may.",
        ),
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            parser=whole(1, 64),
            metavar="N",
            help="Processes that encode, each with its share of the cores; 1 encodes in that of the server.",
        ),
    ] = 1,
    read_only: Annotated[bool, typer.Option("--read-only", help="Let nobody write.")] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", metavar="NAME", help="A name by which the service is called, beside addresses."),
    ] = None,
    log_format: Annotated[
        Literal["text", "json", "none"], typer.Option("--log-format", help="How requests are logged on standard error.")
    ] = "text",
    label_studio_root: Annotated[
        str | None,
        typer.Option("--label-studio-root", metavar="DIR", help="Read Label Studio's local files below this folder."),
    ] = None,
    encoder: MovedEncoder = None,
    new: Annotated[
        str | None,
        typer.Option("--new", metavar="ENCODER", help="Begin a memory with this encoder where there is none yet."),
    ] = None,
    vocabulary: Vocabulary = None,
    min_images: MinImages = 5,
    device: Device = "auto",
) -> None:
    """Serve a memory over HTTP, with a page on which people ask, fit and decide."""
    for module in ("fastapi", "uvicorn", "python_multipart", "prometheus_client"):
        require(module, extra="serve", purpose="Serving")
    from inkling.classifier.vocabularies import read_vocabulary
    from inkling.serving.access import Access, is_loopback, read_tokens
    from inkling.serving.rooted import RootedFiles
    from inkling.serving.run import address_of, bound_socket, serve
    from inkling.serving.service import Service
    from inkling.serving.settings import Settings

    tokens = read_tokens(token_file)
    only_reads = read_only or not (tokens or is_loopback(host))
    access = Access(tokens, only_reads, (host, *(allow_host or ())))
    files = None if label_studio_root is None else RootedFiles(label_studio_root)
    settings = Settings(access, min_images=min_images, log=log_format, label_studio=files)
    words = read_vocabulary(vocabulary)
    with bound_socket(host, port) as bound:
        service = Service(
            memory,
            encoder=encoder,
            device=device,
            vocabulary=words,
            limits=settings.limits,
            begin_with=new,
            workers=workers,
        )
        note(f"Serving {service.told} at {address_of(bound)}; Ctrl-C ends it.")
        if only_reads and not read_only:
            note("Nobody may write: other machines can ask, and there is no token. See --token-file.")
        serve(service, settings, bound, started=lambda: note("Ready."))
