"""Write constraints.txt: every package that a new environment gets today, to its exact version.

Usage: python tools/constraints.py

The version of torch is not resolved but taken from the constraints.txt that is there: not every release has a CPU
build everywhere. To move to another, change its line first.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from set_up import CONSTRAINTS, ROOT, install_torch, make_environment, pip, wants_cpu_build

HEADER = """\
# Every package of a development environment, to its exact version, so that all machines test the same thing.
# Written by `make constraints`. To take newer releases, run that and then the tests. To move to another torch, change
# its line here first. Used by `make setup`, and of use to anyone: pip install --constraint constraints.txt ...
"""


def main() -> None:
    """Resolve pyproject.toml in an environment of its own, and write down what came."""
    with tempfile.TemporaryDirectory() as folder:
        python = make_environment(Path(folder) / "venv")
        install_torch(python, wants_cpu_build("auto", has_gpu=lambda: False))
        pip(python, "install", "--quiet", f"{ROOT}[dev]")
        pins = frozen(python)
    CONSTRAINTS.write_text(HEADER + "\n".join(pins) + "\n", encoding="utf-8")


def frozen(python: Path) -> list[str]:
    """Pins of all packages but Inkling itself, for any build of them."""
    command = [str(python), "-m", "pip", "freeze", "--exclude", "inkling-vision"]
    lines = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    return [line.partition("+")[0] for line in lines]


if __name__ == "__main__":
    main()
