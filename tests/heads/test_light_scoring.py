"""Scoring is numpy: a fitted head or detector set up from its state loads neither scikit-learn nor SciPy nor pandas."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inkling.heads import HEADS
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.types import HeadState
from inkling.unknown import UnknownDetector
from tests.heads.samples import draw_task, quick

SCORE = """
import json, sys
for name in ("sklearn", "scipy", "pandas", "threadpoolctl"):
    sys.modules[name] = None  # an import raises
import numpy as np
from inkling.heads import head_from_state
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.types import HeadState
from inkling.unknown import UnknownDetector
folder, kind = sys.argv[1:]
arrays = dict(np.load(f"{folder}/arrays.npz"))
told = json.load(open(f"{folder}/state.json"))
state = HeadState(told["name"], told["params"], arrays)
X = np.load(f"{folder}/X.npy")
if kind == "detector":
    detector = UnknownDetector.from_state(state)
    np.save(f"{folder}/found.npy", np.column_stack([detector.p_known(X), detector.is_unknown(X)]))
else:
    np.save(f"{folder}/found.npy", head_from_state(state).predict_proba(X))
"""


def scored_elsewhere(folder: Path, state: HeadState, X: Any, *, kind: str) -> Any:
    """What a fresh interpreter that lacks everything but numpy makes of X."""
    np.savez(folder / "arrays.npz", **state.arrays)
    (folder / "state.json").write_text(json.dumps({"name": state.name, "params": state.params}))
    np.save(folder / "X.npy", X)
    done = subprocess.run(
        [sys.executable, "-c", SCORE, str(folder), kind],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr
    return np.load(folder / "found.npy")


@pytest.mark.parametrize("name", HEADS)
def test_a_head_scores_with_numpy_alone(name: str, tmp_path: Path) -> None:
    task = draw_task()
    head = quick(name, task.text).fit(task.X, task.y)
    found = scored_elsewhere(tmp_path, head.state(), task.test_X, kind="head")
    np.testing.assert_allclose(found, head.predict_proba(task.test_X), atol=1e-9)


def test_a_detector_scores_with_numpy_alone(tmp_path: Path) -> None:
    task = draw_task(shots=9)
    labels = np.searchsorted(np.unique(task.y), task.y)
    detector = UnknownDetector.fit(LabelledVectors.of(task.X, labels, text_vectors=task.text))
    found = scored_elsewhere(tmp_path, detector.state(), task.test_X, kind="detector")
    np.testing.assert_allclose(found[:, 0], detector.p_known(task.test_X))
    assert (found[:, 1] == detector.is_unknown(task.test_X)).all()
