"""inkling encoders: encoders worth knowing."""

from __future__ import annotations

from dataclasses import asdict

from inkling.cli.console import is_stdout, note, print_table, require_folder, write_json
from inkling.cli.options import Json

NAME = "encoders"


def run(json: Json = None) -> None:
    """List encoders worth knowing."""
    from inkling.encoders.registry import known_encoders

    require_folder(json)
    cards = known_encoders()
    if json:
        write_json(json, {"encoders": [asdict(card) for card in cards]})
    if not is_stdout(json):
        rows = [(card.name, card.kind, card.dimension, card.licence, card.note) for card in cards]
        print_table(("name", "kind", "dimension", "licence", "note"), rows, numbers=(2,))
        note("Any other CLIP or SigLIP model works too: by its name on the hub, or as a folder (transformers or ONNX).")
