"""Everything public has an example in its docstring, and the examples say what happens.

They run with `np` and all that `from inkling import ...` gives, in a folder of its own that holds `photos/train`,
`photos/test`, `inbox` and `vehicles.ink`, a memory with two open proposals.
"""

from __future__ import annotations

import doctest
import inspect
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import inkling
from inkling import FewShotClassifier
from inkling.images.handed_over import records_of
from inkling.review.explore import explore
from inkling.sketch import write_dataset

TAKES_A_TRAINING = ("FineTuned", "FineTuner", "Shipment", "finetune_memory")


def documented() -> Iterator[tuple[str, Any]]:
    """What `inkling` exports, and the public methods of it that are the product's own."""
    for name in inkling.__all__:
        thing = getattr(inkling, name)
        yield name, thing
        if inspect.isclass(thing):
            for member in dir(thing):
                raw = inspect.getattr_static(thing, member)
                function = getattr(raw, "__func__", raw)
                if inspect.isfunction(function) and not member.startswith("_"):
                    yield f"{name}.{member}", function


DOCUMENTED = dict(documented())
CASES = [
    pytest.param(name, marks=pytest.mark.slow) if name.startswith(TAKES_A_TRAINING) else name for name in DOCUMENTED
]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What every example may count on."""
    folder = tmp_path_factory.mktemp("stage")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("INKLING_CACHE", str(folder / "cache"))
        write_dataset("photos/train", ["castle", "cat", "tree"], 8, seed=0)
        write_dataset("photos/test", ["castle", "cat", "tree"], 3, seed=1)
        write_dataset("drawn", ["car", "starfish"], 8, seed=2)
        Path("inbox").mkdir()
        for picture in sorted(Path("drawn").rglob("*.png")):
            picture.rename(Path("inbox") / picture.name)
        classifier = FewShotClassifier("sketch").fit("photos/train")
        classifier.save("vehicles.ink")
        explore("vehicles.ink", classifier, classifier.embed(records_of("inbox")), min_images=3)
    return folder


@pytest.mark.parametrize("name", CASES)
def test_examples_say_what_happens(name: str, stage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(stage, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INKLING_CACHE", str(tmp_path / "cache"))
    text = inspect.getdoc(DOCUMENTED[name]) or ""
    assert "\nExamples\n--------\n>>> " in text, "no example"
    names = {"np": np, **{one: getattr(inkling, one) for one in inkling.__all__}}
    test = doctest.DocTestParser().get_doctest(text, names, name, None, 0)
    report: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    assert not report, "".join(report)
