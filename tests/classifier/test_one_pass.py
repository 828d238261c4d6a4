"""A classifier from vectors in parts that are read once is the one that all vectors at once make."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from inkling import FewShotClassifier
from inkling.classifier.persistence import load_classifier
from inkling.embeddings.precomputed import read_precomputed
from inkling.errors import InputError, SkippedImagesWarning
from inkling.heads import head_class
from inkling.review.decisions import Decisions

K, D, N, PART = 4, 8, 800, 230


def vectors(n: int, seed: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, K, n)
    return (np.random.default_rng(7).normal(size=(K, D))[y] + 0.8 * rng.normal(size=(n, D))).astype(np.float32), y


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    X, y = vectors(N, 0)
    (tmp_path / "v").mkdir()
    for at in range(0, N, PART):
        rows = slice(at, min(at + PART, N))
        table = {"path": [f"{row}.jpg" for row in range(N)][rows], "label": [f"class {k}" for k in y[rows]]}
        parquet.write_table(pa.table({**table, "embedding": list(X[rows])}), tmp_path / "v" / f"{at:04d}.parquet")
    return tmp_path / "v"


class Elsewhere:
    """Another process, as far as pickles go; it does the last item first."""

    def map(self, work: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        done = {at: pickle.dumps(pickle.loads(pickle.dumps(work))(items[at])) for at in reversed(range(len(items)))}
        return (pickle.loads(done[at]) for at in range(len(items)))


@pytest.mark.parametrize("head", ["gda", "prototype"])
def test_equal_to_the_fit_in_memory(folder: Path, head: str) -> None:
    one = FewShotClassifier(head=head).fit_in_one_pass(folder)
    whole = FewShotClassifier(head=head).fit_precomputed(read_precomputed(folder))
    X = vectors(50, 1)[0]
    assert one.classes_.tolist() == whole.classes_.tolist()
    found, of_all = one.fitted.fitted_head.head.logits(X), whole.fitted.fitted_head.head.logits(X)
    scale = np.abs(of_all).max()
    assert np.allclose(found, of_all, rtol=0, atol=3e-6 * scale)  # float32 in memory
    known = whole.fitted.vectors
    exact = head_class(head)(**known.head_options).fit(known.X.astype(np.float64), known.y)
    assert np.allclose(found, exact.logits(X), rtol=0, atol=1e-6 * scale)
    assert one.fitted.one_pass == {"vectors": N, "kept": N, "per_class": 1_000}
    y = vectors(2_000, 3)
    p = one.predict_proba(y[0])
    assert float((p.argmax(axis=1) == y[1]).mean()) == pytest.approx(
        one.fitted.fitted_head.calibration["top1"], abs=0.06
    )


def test_the_same_to_the_bit_whatever_runs_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inkling.embeddings.chunks.CHUNK", 300)
    here = FewShotClassifier(head="auto").fit_in_one_pass(folder)
    there = FewShotClassifier(head="auto").fit_in_one_pass(folder, engine=Elsewhere())
    X = vectors(20, 1)[0]
    assert np.array_equal(here.predict_proba(X), there.predict_proba(X))
    assert here.fitted.samples.paths == there.fitted.samples.paths
    assert here.fitted.detector is not None
    assert "one pass over 800 vectors" in here.fitted.fitted_head.finding


def test_a_memory_keeps_what_was_learned_through_decisions(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inkling.heads.one_pass.MOST_OF_A_CLASS", 40)
    path = folder.parent / "a.ink"
    fitted = FewShotClassifier(head="gda").fit_in_one_pass(folder)
    fitted.save(path)
    loaded = FewShotClassifier.load(path)
    X, y = vectors(300, 1)
    assert np.array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    assert load_classifier(path)[0].one_pass == {"vectors": N, "kept": 160, "per_class": 40}
    decide = Decisions(path)
    assert decide.remove_class("class 3").outcome["refit"] == "in closed form"
    Z, z = vectors(N, 0)
    rest = FewShotClassifier(head="gda").fit_embeddings(Z[z < 3], [f"class {k}" for k in z[z < 3]])
    truth = np.array([f"class {k}" for k in y[y < 3]])
    top1, of_rest = ((one.predict(X[y < 3]) == truth).mean() for one in (FewShotClassifier.load(path), rest))
    assert top1 == pytest.approx(of_rest, abs=0.02)  # the scatter of the class that went is not known apart
    decide.undo()
    assert np.array_equal(FewShotClassifier.load(path).predict_proba(X), fitted.predict_proba(X))


def test_what_cannot_be_used_is_named(folder: Path) -> None:
    (folder / "0230.parquet").write_bytes(b"no Parquet")
    parquet.write_table(
        pa.table(
            {"path": ["a", "b"], "label": ["class 0", None], "embedding": [None, [1.0] * D], "error": ["gone", None]}
        ),
        folder / "9999.parquet",
    )
    with pytest.warns(SkippedImagesWarning, match="0230.parquet"):
        fitted = FewShotClassifier(head="gda").fit_in_one_pass(folder).fitted
    reasons = {Path(one.path).name: one.reason for one in fitted.samples.skipped}
    assert set(reasons) == {"0230.parquet", "a"}
    assert fitted.one_pass == {"vectors": N - PART, "kept": N - PART, "per_class": 1_000}


def test_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="needs all vectors at once"):
        FewShotClassifier(head="logistic").fit_in_one_pass(folder)
    with pytest.raises(InputError, match="holds no embeddings"):
        FewShotClassifier().fit_in_one_pass(folder.parent / "none")
    parquet.write_table(pa.table({"label": [1, 2], "embedding": list(np.eye(D)[:2])}), folder / "9.parquet")
    with pytest.raises(InputError, match="labels are number and text"):
        FewShotClassifier(head="gda").fit_in_one_pass(folder)
