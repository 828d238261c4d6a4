"""A process that serves."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

Start = Callable[..., "Running"]


class Running:
    """A process that serves."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        self.process, self.lines = process, []
        for line in process.stderr:
            self.lines.append(line)
            if line.startswith(("Ready", "Error")):
                break
        found = re.search(r"http://\S+(?=;)", "".join(self.lines))
        self.address = found.group() if found else ""

    def rest(self) -> str:
        """What it says until its end."""
        assert self.process.stderr is not None
        said = self.process.stderr.read()
        self.process.wait(30)
        return said
