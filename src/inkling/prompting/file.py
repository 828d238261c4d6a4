"""The file of prompts that `inkling fit --prompts` reads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from inkling.errors import InputError
from inkling.outputs import appearing_whole
from inkling.prompts import ClassPrompts


def check_prompts_file(path: str | Path) -> None:
    """Refuse a name that does not end in .yaml or .yml.

    Raises
    ------
    InputError
        If it doesn't.
    """
    if Path(path).suffix.lower() not in (".yaml", ".yml"):
        raise InputError(f"'{path}' does not end in .yaml.", remedy="Prompts are written as YAML: name OUT.yaml.")


def write_prompts(path: str | Path, prompts: Iterable[ClassPrompts]) -> None:
    """Write prompts as `inkling.prompts.read_prompts` reads them.

    Raises
    ------
    InputError
        If the file can't be written, or is to be no YAML.
    """
    import yaml

    check_prompts_file(path)
    entries = {one.name: _entry(one) for one in prompts}
    with appearing_whole(path) as draft:
        draft.write_text(yaml.safe_dump(entries, allow_unicode=True, sort_keys=False, width=120), encoding="utf-8")


def _entry(prompts: ClassPrompts) -> dict[str, Any]:
    told = {
        "prompts": list(prompts.prompts),
        "aliases": list(prompts.aliases),
        "disambiguation": prompts.disambiguation,
    }
    return {key: value for key, value in told.items() if value}
