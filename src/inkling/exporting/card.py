"""The model card of an export: what it is, what it promises, and where its limits are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from inkling.wording import visible


def write_card(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write ``MODEL_CARD.md`` by what the manifest tells."""
    environment = Environment(
        loader=PackageLoader("inkling.exporting"),
        autoescape=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["plain"] = _plain
    text = environment.get_template("MODEL_CARD.md").render(manifest)
    (folder / "MODEL_CARD.md").write_text(text, encoding="utf-8")


def _plain(text: Any) -> str:
    """Text of a user in a line of Markdown: what would steer a terminal, or end a span of code, is escaped."""
    return visible(str(text)).replace("`", "'").replace("|", "\\|").replace("<", "&lt;")
