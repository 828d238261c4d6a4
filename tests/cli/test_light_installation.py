"""The whole round without torch, transformers and Parquet, on the embedded encoder and on an ONNX folder."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from inkling.sketch import write_dataset
from tests.cli.light_encoder import write_light_encoder
from tests.cli.program import ROOT, Inkling

KNOWN, NEW = ("boat", "car", "cat", "house", "tree"), "umbrella"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``train`` and ``test`` of known kinds; ``inbox`` of these and a new kind."""
    folder = tmp_path_factory.mktemp("pictures")
    write_dataset(folder / "train", KNOWN, 10, seed=1, size=64)
    write_dataset(folder / "test", KNOWN, 3, seed=3, size=64)
    write_dataset(folder / "inbox", (*KNOWN, NEW), 12, seed=2, size=64)
    return folder


def run(inkling: Inkling, *verbs: tuple[object, ...]) -> list[tuple[int, str]]:
    """Exit codes and outputs of verbs in a light installation."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.cli.light_installation"],
        input=json.dumps([list(map(str, verb)) for verb in verbs]),
        cwd=inkling.folder,
        env=inkling.environment | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [(code, output) for code, output in json.loads(done.stdout.splitlines()[-1])]


def all_well(inkling: Inkling, *verbs: tuple[object, ...]) -> list[str]:
    """Outputs of verbs that all succeed."""
    done = run(inkling, *verbs)
    assert [(verb[0], code, output) for verb, (code, output) in zip(verbs, done, strict=True) if code] == []
    return [output for _, output in done]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sketch", "folder"])
def test_the_whole_round(inkling: Inkling, pictures: Path, kind: str) -> None:
    encoder = "sketch" if kind == "sketch" else write_light_encoder(inkling.folder / "light")
    all_well(
        inkling,
        ("fit", pictures / "train", "--memory", "a.ink", "--encoder", encoder, "--false-alarms", "0.1"),
        ("evaluate", "a.ink", pictures / "test", "--report", "report.html"),
        ("predict", "a.ink", pictures / "inbox", "--output", "labels.csv"),
        ("discover", "a.ink", pictures / "inbox", "--report", "sheet.html"),
        ("proposals", "a.ink", "--json", "proposals.json"),
        ("embed", pictures / "test", "--encoder", encoder, "--output", "v.npz"),
        ("evaluate", "a.ink", "v.npz"),
        ("info", "a.ink"),
        ("encoders",),
    )
    found = json.loads((inkling.folder / "proposals.json").read_text())["proposals"]
    assert found or kind == "folder"  # which knows mean colours alone
    accepted = ("accept", "a.ink", found[0]["id"], "--name", NEW) if found else ()
    all_well(
        inkling,
        accepted or ("add-class", "a.ink", NEW, "--images", pictures / "inbox" / NEW),
        ("predict", "a.ink", pictures / "inbox" / NEW, "--json", "new.json"),
        ("history", "a.ink"),
        ("verify", "a.ink"),
    )
    if kind == "sketch":
        labels = [one["label"] for one in json.loads((inkling.folder / "new.json").read_text())["predictions"]]
        assert labels.count(NEW) >= 8


@pytest.mark.slow
def test_the_demo(inkling: Inkling) -> None:
    (told,) = all_well(inkling, ("demo", "--output", "demo", "--json", "demo.json"))
    assert json.loads((inkling.folder / "demo.json").read_text())["top1"] > 0.8
    assert (inkling.folder / "demo" / "report.html").is_file()
    assert "miniature" in told


def test_what_is_missing_says_which_command_adds_it(inkling: Inkling, pictures: Path, memory: Path) -> None:
    (inkling.folder / "list.parquet").write_bytes(b"PAR1")
    train, sketch = pictures / "train", ("--encoder", "sketch")
    refused = {
        "finetune": [
            ("finetune", train, "--memory", "b.ink", "--encoder", "sketch", "--output", "tuned"),
            ("merge-adapters", "run/adapters", "--encoder", "sketch", "--output", "merged"),
        ],
        "export": [
            ("export", memory, "--output", "out"),
            ("export", "--zero-shot", "car,tree", *sketch, "--output", "out"),
        ],
        "torch": [
            (
                "fit",
                train,
                "--memory",
                "b.ink",
                "--encoder",
                ROOT / "src" / "inkling" / "sketch" / "weights",
                "--no-cache",
            ),
            ("fit", train, "--memory", "b.ink", "--encoder", "openai/clip-vit-base-patch32"),
            ("fit", train, "--memory", "b.ink", "--encoder", "sketch", "--precision", "bfloat16", "--no-cache"),
        ],
        "parquet": [
            ("fit", "list.parquet", "--memory", "b.ink", *sketch),
            ("predict", memory, pictures / "test", "--output", "labels.parquet"),
            ("embed", pictures / "test", *sketch, "--output", "v.parquet"),
        ],
    }
    verbs = [verb for some in refused.values() for verb in some]
    extras = [extra for extra, some in refused.items() for _ in some]
    for verb, extra, (code, output) in zip(verbs, extras, run(inkling, *verbs), strict=True):
        assert code == 2, (verb, output)
        assert f"pip install 'inkling-vision[{extra}]'" in output, (verb, output)
    assert not list(inkling.folder.glob("b.ink*"))
