"""The program as its users run it, in a process of its own; and in this process where many runs would take long."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from typer import testing
from typer.testing import CliRunner

from inkling.cli.main import app

# It would build all verbs anew for each run, which takes longer than most runs do.
testing._get_command = cache(testing._get_command)

ROOT = Path(__file__).parents[2]
SURROGATE = ROOT / "bench" / "encoders" / "surrogate-clip-b32"
PROGRAM = [sys.executable, "-m", "inkling.cli.main"]


@dataclass(frozen=True)
class Done:
    """What a run left behind."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Standard output, which must be JSON and nothing else."""
        return json.loads(self.out)

    def refused(self, *told: str) -> None:
        """A user's mistake: told in words, with exit code 2, without a traceback and without output."""
        assert self.code == 2, self.err
        assert "Traceback" not in self.err
        assert self.out == ""
        for words in told:
            assert words in self.err


@dataclass(frozen=True)
class Inkling:
    """Runs the program with one embedding cache, from one folder."""

    folder: Path
    cache: Path

    @property
    def environment(self) -> dict[str, str]:
        """Environment of the program's processes."""
        own = os.environ.get("PYTHONPATH")
        path = os.pathsep.join([str(ROOT / "src"), *([own] if own else [])])  # an empty entry would be this folder
        return os.environ | {"INKLING_CACHE": str(self.cache), "PYTHONPATH": path}

    def __call__(self, *arguments: object, stdin: str | None = None) -> Done:
        """Run it in a process of its own."""
        done = subprocess.run(
            [*PROGRAM, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def started(self, *arguments: object, **streams: Any) -> subprocess.Popen[str]:
        """Start it and look on; `streams` take the place of pipes."""
        return subprocess.Popen(
            [*PROGRAM, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment,
            text=True,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams},
        )

    def here(self, *arguments: object, stdin: str | None = None) -> Done:
        """Run it in this process: what is loaded once serves all runs. A defect is raised."""
        before = Path.cwd()
        os.chdir(self.folder)
        try:
            done = CliRunner(env={"INKLING_CACHE": str(self.cache)}).invoke(
                app, [str(one) for one in arguments], input=stdin, catch_exceptions=False
            )
        finally:
            os.chdir(before)
        return Done(done.exit_code, done.stdout, done.stderr)
