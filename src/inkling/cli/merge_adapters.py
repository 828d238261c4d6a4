"""inkling merge-adapters: write the encoder that an encoder and its LoRA adapters make together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inkling.cli.console import check_outputs, show
from inkling.cli.options import Json
from inkling.cli.tables import print_table
from inkling.errors import require


def run(
    adapters: Annotated[Path, typer.Argument(metavar="ADAPTERS", help="Folder of LoRA adapters.", show_default=False)],
    encoder: Annotated[
        str,
        typer.Option(
            "--encoder", metavar="NAME_OR_DIR", help="The encoder that they were trained on.", show_default=False
        ),
    ],
    output: Annotated[Path, typer.Option("--output", metavar="DIR", help="The new encoder.", show_default=False)],
    json: Json = None,
) -> None:
    """Write the encoder that an encoder and its LoRA adapters make together."""
    require("torch", extra="finetune", purpose="Merging adapters")
    from inkling.encoders.registry import load_encoder
    from inkling.encoders.transformers.encoder import TransformersEncoder
    from inkling.finetune.finetuner import two_towers
    from inkling.finetune.result import merge_adapters

    check_outputs(json)
    merge_adapters(two_towers(load_encoder(encoder)).folder, adapters, output)
    merged = TransformersEncoder(output).identity
    facts = {"encoder": str(output), "encoder_fingerprint": merged.fingerprint}
    show(facts, json=json, table=lambda _: print_table(("", "merged"), list(facts.items())))
