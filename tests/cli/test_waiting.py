"""The time that a command tells is the time that its user waited."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from inkling.cli import waiting
from tests.cli.program import Inkling

SLOW_START = "import time; time.sleep(1.5)\nfrom inkling.cli.main import main\nmain()"


def test_the_start_of_the_process_counts(inkling: Inkling, drawn: Path, memory: Path) -> None:
    arguments = ["fit", drawn, "--memory", "again.ink", "--encoder", "sketch", "--json", "fitted.json"]
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", SLOW_START, *map(str, arguments)],
        cwd=inkling.folder,
        env=inkling.environment,
        check=True,
        capture_output=True,
    )
    told = json.loads((inkling.folder / "fitted.json").read_text())["seconds"]
    assert 1.5 < told <= time.perf_counter() - started


def test_without_proc_the_time_since_the_import_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(waiting, "_STAT", tmp_path / "none")
    monkeypatch.setattr(waiting, "_began", time.perf_counter() - 5)
    waiting.begin()
    assert 5 <= waiting.seconds_waited() < 6
