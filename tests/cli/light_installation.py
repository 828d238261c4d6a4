"""Runs verbs one after the other in a Python that cannot import what a light installation lacks.

    python -m tests.cli.light_installation < arguments.json

Standard input is a list of lists of arguments; standard output becomes a list of ``[exit code, what it printed]``.
"""

from __future__ import annotations

import json
import sys
from importlib.machinery import ModuleSpec

from typer.testing import CliRunner

ABSENT = frozenset(
    {"torch", "transformers", "huggingface_hub", "tokenizers", "sentencepiece", "pyarrow", "pandas", "onnx", "peft"}
)


class Absent:
    """Finds no module of the absent packages."""

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """Refuse, as Python does where a package is not installed."""
        if name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        return None


def main() -> None:
    """Run the verbs."""
    sys.meta_path.insert(0, Absent())
    from inkling.cli.main import app

    done = [CliRunner().invoke(app, arguments, catch_exceptions=False) for arguments in json.load(sys.stdin)]
    assert not ABSENT & sys.modules.keys()
    print(json.dumps([[one.exit_code, one.output] for one in done]))


if __name__ == "__main__":
    main()
