"""inkling encoders: encoders worth knowing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from inkling.cli.console import check_outputs, note, show
from inkling.cli.options import Json
from inkling.cli.tables import print_table

NAME = "encoders"


def run(json: Json = None) -> None:
    """List encoders worth knowing."""
    from inkling.encoders.registry import known_encoders

    check_outputs(json)
    show({"encoders": [asdict(card) for card in known_encoders()]}, json=json, table=_print)


def _print(summary: Mapping[str, Any]) -> None:
    columns = ("name", "kind", "dimension", "licence", "note")
    print_table(columns, [[card[column] for column in columns] for card in summary["encoders"]], numbers=(2,))
    note("Any other CLIP or SigLIP model works too: by its name on the hub, or as a folder (transformers or ONNX).")
