"""inkling fit in one pass: asked for, or of itself."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.cli.program import Inkling


@pytest.fixture
def vectors(inkling: Inkling) -> str:
    rng = np.random.default_rng(0)
    y = np.arange(240) % 3
    X = 4 * np.eye(6)[y] + rng.normal(size=(240, 6))
    (inkling.folder / "v").mkdir()
    for at in (0, 120):
        rows = slice(at, at + 120)
        table = pa.table({"label": [f"class {k}" for k in y[rows]], "embedding": list(X[rows])})
        parquet.write_table(table, inkling.folder / "v" / f"{at}.parquet")
    return "v"


def test_asked_for(inkling: Inkling, vectors: str) -> None:
    done = inkling.here("fit", vectors, "--memory", "a.ink", "--one-pass", "--head", "gda", "--json", "-")
    assert done.code == 0
    assert json.loads(done.out)["one_pass"] == {"vectors": 240, "kept": 240, "per_class": 1_000}
    assert "Learned in one pass from 240 vectors" in done.err
    judged = inkling.here("predict", "a.ink", vectors, "--json", "-")
    assert json.loads(judged.out)["n"] == 240
    (inkling.folder / "v" / "120.parquet").write_bytes(b"damaged")
    lacking = inkling.here("fit", vectors, "--memory", "b.ink", "--one-pass", "--head", "gda")
    assert lacking.code == 1
    assert "120.parquet: the part cannot be read" in lacking.err


def test_of_itself_where_they_are_many(inkling: Inkling, vectors: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inkling.classifier.one_pass.ONE_PASS_ABOVE", 200)
    told = inkling.here("fit", vectors, "--memory", "a.ink").err
    assert "Learned in one pass" in told
    assert "in one pass" not in inkling.here("fit", vectors, "--memory", "b.ink", "--in-memory").err
    assert "in one pass" not in inkling.here("fit", vectors, "--memory", "c.ink", "--head", "logistic").err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("v", "--one-pass", "--head", "logistic"), "needs all vectors at once"),
        (("v", "--one-pass", "--unlabelled", "v"), "labelled vectors alone"),
        (("v", "--in-memory", "--engine", "ray"), "makes one pass"),
        (("v", "--engine", "spark"), "is no engine"),
        (("v", "--address", "auto"), "has no effect without --engine ray"),
        ((".", "--one-pass"), "holds none"),
    ],
)
def test_what_cannot_be_meant_is_refused(inkling: Inkling, vectors: str, arguments: tuple[str, ...], told: str) -> None:
    inkling.here("fit", *arguments, "--memory", "a.ink").refused(told)
