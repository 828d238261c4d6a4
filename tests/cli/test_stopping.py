"""A signal ends the program with its own code, also before a verb has begun."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from inkling.classifier.few_shot import FewShotClassifier
from tests.cli.program import Inkling

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


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "Stopped. What the cache holds is kept; run the same command again to go on."),
        (("--no-cache",), "Stopped. To begin anew, run the same command again."),
    ],
)
def test_a_cache_is_named_where_it_is_used(
    inkling: Inkling, memory: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], told: str
) -> None:
    monkeypatch.setattr(FewShotClassifier, "load", _stop)
    done = inkling.here("predict", memory, "a.png", *options)
    assert (done.code, done.err.strip()) == (130, told)


@pytest.mark.parametrize(
    ("options", "told"), [((), "--resume a.finetuned"), (("--output", "a run"), "--resume 'a run'")]
)
def test_a_fine_tuning_says_how_to_go_on(
    inkling: Inkling, drawn: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], told: str
) -> None:
    pytest.importorskip("torch", reason="comes with the extra 'finetune'")
    from inkling.finetune import run

    asked = ("finetune", drawn / "train", "--memory", "a.ink", "--encoder", "sketch", *options)
    monkeypatch.setattr(run, "finetune_memory", _stop)
    done = inkling.here(*asked)
    assert (done.code, done.err.strip()) == (
        130,
        "Stopped. What the cache holds is kept; run the same command again to go on.",
    )
    (inkling.folder / (options[1] if options else "a.finetuned") / "training").mkdir(parents=True)
    done = inkling.here(*asked)
    assert done.err.strip() == f"Stopped. What is written is kept; run the same command again with {told} to go on."


def _stop(*_: object, **__: object) -> None:
    raise KeyboardInterrupt
