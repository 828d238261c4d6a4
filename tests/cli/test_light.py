"""What a run loads: nothing heavy for help, no model library where the cache has all vectors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import Done, Inkling

WATCHED = """
import json, sys
from inkling.cli.main import main
try:
    main()
finally:
    print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""


def watched(inkling: Inkling, *arguments: object) -> tuple[Done, set[str]]:
    """A run, and the packages that it had loaded at its end."""
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *map(str, arguments)],
        cwd=inkling.folder,
        env=inkling.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr), set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("arguments", [("--help",), ("fit", "--help"), ("--version",)])
def test_help_loads_nothing_heavy(inkling: Inkling, arguments: tuple[str, ...]) -> None:
    done, loaded = watched(inkling, *arguments)
    assert done.code == 0
    assert loaded & {"numpy", "scipy", "sklearn", "PIL", "torch", "transformers", "onnxruntime", "sqlalchemy"} == set()


SCIENTIFIC = {"sklearn", "scipy", "pandas", "pyarrow", "matplotlib"}
MODELS = {"torch", "transformers", "onnxruntime", "onnx", "tokenizers", "huggingface_hub"}


@pytest.mark.parametrize("verb", ["classes", "info", "proposals", "history"])
def test_reading_verbs_load_no_scientific_library(inkling: Inkling, memory: Path, verb: str) -> None:
    done, loaded = watched(inkling, verb, memory)
    assert done.code == 0, done.err
    assert loaded & (SCIENTIFIC | MODELS | {"PIL"}) == set()


def test_looking_into_the_cache_loads_no_scientific_library(inkling: Inkling) -> None:
    done, loaded = watched(inkling, "cache", "info")
    assert done.code == 0, done.err
    assert loaded & (SCIENTIFIC | MODELS | {"sqlalchemy"}) == set()


def test_predicting_a_known_image_takes_numpy_alone(inkling: Inkling, memory: Path, drawn: Path) -> None:
    image = min((drawn / "train" / "car").iterdir())
    inkling.here("predict", memory, image)
    done, loaded = watched(inkling, "predict", memory, image, "--json", "-")
    assert done.code == 0, done.err
    assert json.loads(done.out)["predictions"][0]["label"] == "car"
    assert loaded & (SCIENTIFIC | MODELS) == set()


def test_a_warm_run_loads_no_model_library(inkling: Inkling, memory: Path, drawn: Path) -> None:
    models = {"torch", "transformers", "onnxruntime", "onnx", "tokenizers"}
    fitted, loaded = watched(
        inkling, "fit", drawn, "--memory", "again.ink", "--encoder", "sketch", "--json", "fitted.json"
    )
    assert fitted.code == 0, fitted.err
    assert json.loads((inkling.folder / "fitted.json").read_text())["encoded_now"] == 0
    assert loaded & models == set()

    inkling.here("evaluate", memory, drawn)
    evaluated, loaded = watched(inkling, "evaluate", memory, drawn, "--report", "r.html")
    assert evaluated.code == 0, evaluated.err
    assert loaded & models == set()


def test_verbs_are_listed(inkling: Inkling) -> None:
    told = inkling.here("--help").out
    for verb in ("fit", "evaluate", "predict", "info", "encoders", "embed", "demo", "cache"):
        assert f" {verb} " in told
    assert inkling.here("--version").out.startswith("inkling ")
    assert "Usage" in inkling.here().out + inkling.here().err
