"""The verbs by name. Each is imported and built when it is asked for: all of them take longer than many a command."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any

import typer
from typer.main import get_command

LEARNING = (
    *("audit", "fit", "evaluate", "advise", "prompts", "predict", "sort", "finetune", "merge-adapters", "export"),
    *("info", "encoders", "embed", "demo"),
)
DECIDING = (
    *("discover", "proposals", "accept", "merge", "split", "move", "rename", "discard", "classes", "add-class"),
    *("remove-class", "refit", "undo", "history"),
)
SERVING = ("serve", "mcp")
KEEPING = ("verify", "backup", "copy", "cache")


class Verbs(MutableMapping[str, Any]):
    """Commands by name, in the order of the help."""

    def __init__(self) -> None:
        self._built: dict[str, Any] = dict.fromkeys((*LEARNING, *DECIDING, *SERVING, *KEEPING))

    def __getitem__(self, name: str) -> Any:
        if self._built[name] is None:
            self._built[name] = _command(name)
        return self._built[name]

    def __contains__(self, name: object) -> bool:
        return name in self._built

    def __setitem__(self, name: str, command: Any) -> None:
        self._built[name] = command

    def __delitem__(self, name: str) -> None:
        del self._built[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._built)

    def __len__(self) -> int:
        return len(self._built)


def _command(name: str) -> Any:
    """The command of a verb, whose module has a function `run`, or a program of its own with verbs within."""
    module = import_module(f"inkling.cli.{name.replace('-', '_')}")
    if hasattr(module, "app"):
        within = get_command(module.app)
        within.name = name
        return within
    alone = typer.Typer(add_completion=False)
    alone.command(name=name)(module.run)
    return get_command(alone)
