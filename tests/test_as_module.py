"""`python -m inkling` is the program."""

from __future__ import annotations

import subprocess
import sys

from inkling.provenance import inkling_version


def test_it_runs_as_a_module() -> None:
    told = subprocess.run([sys.executable, "-m", "inkling", "--version"], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == f"inkling {inkling_version()}"
    wrong = subprocess.run([sys.executable, "-m", "inkling", "predcit"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert "predict" in wrong.stderr
