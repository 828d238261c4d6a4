"""Write docs/reference/cli.md and docs/reference/python.md from the code.

Usage: python tools/reference.py
"""

from __future__ import annotations

import html
import inspect
import re
import subprocess
import sys
from pathlib import Path

import inkling
from inkling.heads import HEADS

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
INTRODUCTION = """Names that `from inkling import ...` gives, and the heads.

The examples assume `import numpy as np`, that the names which they use were imported from `inkling`, and a folder with
`photos/train`, `photos/test`, `inbox` and the memory `vehicles.ink`, in which two proposals are open."""
OWN = ("inkling.classifier.", "inkling.review.")
"""Rooms whose base classes are written out with the classes that are built of them."""
NOTICE = "<!-- Written by tools/reference.py; change the code instead. -->"


def cli_page() -> str:
    """The command line, as typer documents it."""
    made = subprocess.run(
        [sys.executable, "-m", "typer", "inkling.cli.main", "utils", "docs", "--name", "inkling"],
        capture_output=True,
        text=True,
        check=True,
    )
    # These are usages and no examples to run.
    body = html.unescape(made.stdout).replace("```console", "```text")
    title, _, rest = body.partition("\n")
    return f"{title}\n\n{NOTICE}\n{rest.rstrip()}\n"


def python_page() -> str:
    """The public classes and functions, and the heads, with their docstrings."""
    parts = ["# Python", "", NOTICE, "", INTRODUCTION, ""]
    for name in inkling.__all__:
        parts += _section(f"inkling.{name}", getattr(inkling, name))
    for head in HEADS.values():
        parts += _section(f"inkling.heads.{head.__name__}", head)
    return "\n".join(parts).rstrip() + "\n"


def _section(title: str, thing: object) -> list[str]:
    parts = [f"## `{title}`", "", *_block(title.rpartition(".")[2], thing)]
    if inspect.isclass(thing):
        for name, member in _members(thing).items():
            if name.startswith("_") or not inspect.getdoc(member):
                continue
            if callable(member) or isinstance(member, classmethod):
                parts += [f"### `{name}`", "", *_block(name, getattr(thing, name))]
            elif isinstance(member, property) or hasattr(member, "attrname"):
                parts += [f"### `{name}`", "", "```text", inspect.getdoc(member) or "", "```", ""]
    return parts


def _members(thing: type) -> dict[str, object]:
    """What a class has of its own, and of the product's classes that it is built of."""
    own = [one for one in inspect.getmro(thing) if one is thing or one.__module__.startswith(OWN)]
    return {name: member for one in reversed(own) for name, member in vars(one).items()}


def _block(name: str, thing: object) -> list[str]:
    """Signature and docstring. As text, since docstrings are laid out by their indentation."""
    signature = str(inspect.signature(thing)) if callable(thing) else ""
    signature = re.sub(r"<function (\w+) at 0x\w+>", r"\1", signature)  # an address differs from run to run
    return ["```text", f"{name}{signature}".replace("'", ""), "", inspect.getdoc(thing) or "", "```", ""]


def main() -> None:
    """Write both pages."""
    REFERENCE.mkdir(parents=True, exist_ok=True)
    (REFERENCE / "cli.md").write_text(cli_page(), encoding="utf-8")
    (REFERENCE / "python.md").write_text(python_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
