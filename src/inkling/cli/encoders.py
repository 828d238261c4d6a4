"""inkling encoders: encoders worth knowing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from inkling.cli.console import check_outputs, note, show
from inkling.cli.options import Json
from inkling.cli.tables import print_table


def run(json: Json = None) -> None:
    """List encoders worth knowing."""
    from inkling.encoders.registry import known_encoders

    check_outputs(json)
    cards = [asdict(card) | {"needs": card.needs} for card in known_encoders()]
    show({"encoders": cards}, json=json, table=_print)


def _print(summary: Mapping[str, Any]) -> None:
    columns = ("name", "dimension", "needs", "licence", "note")
    print_table(columns, [_row(card) for card in summary["encoders"]], numbers=(1,), whole=(0, 2))
    note("Needs: an extra in brackets (pip install 'inkling-vision[torch]'), the hub at first use, or a login to it.")
    note("Several are joined as A+B: the first gives embedding and texts, all give features. A@256 cuts the embedding.")
    note("Any other CLIP or SigLIP model works too: by its name on the hub, or as a folder (transformers, ONNX).")


def _row(card: Mapping[str, Any]) -> list[Any]:
    remark = f"no texts; {card['note']}" if card["texts"] is False else card["note"]
    dimension = "" if card["dimension"] is None else card["dimension"]
    return [card["name"], dimension, ", ".join(card["needs"]) or "nothing", card["licence"], remark]
