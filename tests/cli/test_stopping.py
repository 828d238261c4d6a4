"""A signal ends the program with its own code, also before a verb has begun."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import pytest

EARLY = textwrap.dedent(
    """
    import os, signal
    from inkling.cli import main

    def app():
        try:
            os.kill(os.getpid(), signal.{name})
            while True:
                pass
        except KeyboardInterrupt as error:
            {then}

    main.app = app
    main.main()
    """
)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("then", ["raise", "raise RuntimeError('a library failed') from error"])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_stop_before_a_verb_begins(name: str, then: str) -> None:
    command = [sys.executable, "-c", EARLY.format(name=name, then=then)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 128 + getattr(signal, name)
    assert "Traceback" not in done.stderr


def test_other_failures_stay_what_they_are() -> None:
    code = "from inkling.cli import main\ndef app(): raise RuntimeError('a defect')\nmain.app = app\nmain.main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "a defect" in done.stderr
