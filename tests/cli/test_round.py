"""The whole round as a user goes it: fit, info, evaluate, predict; on drawn pictures and on photographs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from inkling import FewShotClassifier
from tests.cli.conftest import KINDS
from tests.cli.program import Inkling
from tests.evaluate.made_up import EVALUATION_KEYS

PREDICTION_COLUMNS = ["path", "label", "probability", "top2_label", "top2_probability", "unknown", "p_known", "name1"]


def test_the_round_on_drawn_pictures(inkling: Inkling, drawn: Path) -> None:
    fitted = inkling("fit", drawn, "--memory", "a.ink", "--encoder", "sketch")
    assert fitted.code == 0, fitted.err
    assert "a.ink, version 1" in fitted.out
    assert "not for photographs" in fitted.err

    evaluated = inkling("evaluate", "a.ink", drawn, "--json", "a.json", "--report", "a.html")
    assert evaluated.code == 0, evaluated.err
    assert "top-1 (24 images)" in evaluated.out
    summary = json.loads((inkling.folder / "a.json").read_text())
    assert summary.keys() >= EVALUATION_KEYS
    assert summary["n"] == 24
    assert summary["top1"] > 0.6
    assert summary["ci95"][0] <= summary["top1"] <= summary["ci95"][1]
    assert set(summary["per_class"]) == set(KINDS)
    report = (inkling.folder / "a.html").read_text()
    assert report.startswith("<!doctype html>")
    assert "data:image/jpeg" in report

    predicted = inkling("predict", "a.ink", drawn / "test" / "car", "--output", "-", "--top", "2", "--names", "1")
    assert predicted.code == 0, predicted.err
    rows = list(csv.DictReader(predicted.out.splitlines()))
    assert list(rows[0]) == [*PREDICTION_COLUMNS, "memory_version"]
    assert len(rows) == 8
    for row in rows:
        assert row["top2_label"] in set(KINDS) - {row["label"]}
        assert 1 >= float(row["probability"]) >= float(row["top2_probability"]) >= 0

    known = inkling("info", "a.ink", "--json", "-").json()
    assert [(one["name"], one["images"], one["has_text"]) for one in known["classes"]] == [(k, 6, True) for k in KINDS]
    assert known["encoder"]["name"] == "sketch"
    assert known["encoder"]["fingerprint"] == summary["encoder_fingerprint"]
    assert known["provenance"]["command"].endswith("--memory a.ink --encoder sketch")


def test_all_forms_of_a_prediction_agree(inkling: Inkling, memory: Path, drawn: Path) -> None:
    test = drawn / "test"
    printed = list(csv.DictReader(inkling.here("predict", memory, test, "--output", "-").out.splitlines()))
    inkling.here("predict", memory, test, "--output", "o.csv")
    inkling.here("predict", memory, test, "--output", "o.parquet")
    told = inkling.here("predict", memory, test, "--json", "-").json()
    written = list(csv.DictReader((inkling.folder / "o.csv").open()))
    table = parquet.read_table(inkling.folder / "o.parquet").to_pylist()
    assert printed == written
    assert told["predictions"] == table
    assert [(row["path"], row["label"]) for row in printed] == [(row["path"], row["label"]) for row in table]
    assert np.allclose([float(row["probability"]) for row in printed], [row["probability"] for row in table], atol=1e-6)
    assert [row["top2_label"] for row in printed] == [row["top_labels"][1] for row in table]
    assert not any(cell.startswith(("[", "{")) for row in printed for cell in row.values())
    assert [sum(row["top_probabilities"]) for row in table] == pytest.approx([1.0] * len(table))
    assert told["n"] == 24


def test_a_table_of_predictions_is_for_reading(inkling: Inkling, memory: Path, drawn: Path) -> None:
    done = inkling.here("predict", memory, drawn / "test" / "tree")
    assert done.code == 0
    assert done.out.count("%") >= 8
    assert max(map(len, done.out.splitlines())) <= 100
    assert "tree/tree-0000.png" in done.out


@pytest.mark.parametrize("verb", ["evaluate", "predict"])
def test_sources_are_judged_in_the_order_given(inkling: Inkling, memory: Path, drawn: Path, verb: str) -> None:
    if verb == "predict":
        first, second = drawn / "test" / "tree", drawn / "test" / "car" / "car-0003.png"
        told = inkling.here("predict", memory, second, first, second, "--json", "-").json()
        names = [Path(one["path"]).stem for one in told["predictions"]]
        assert names == ["car-0003", *(f"tree-{number:04d}" for number in range(8)), "car-0003"]
    else:
        whole = inkling.here("evaluate", memory, drawn, "--json", "-").json()
        again = inkling.here("evaluate", memory, drawn / "test", "--json", "-").json()
        assert whole == again


@pytest.fixture(scope="session")
def measured(crops: Path, surrogate: Path, session_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Inkling:
    """The crops in the cache, and the head that uses texts alone fitted on them."""
    inkling = Inkling(tmp_path_factory.mktemp("crops"), session_cache)
    done = inkling(
        "fit", crops, "--memory", "zero-shot.ink", "--encoder", surrogate, "--head", "zero-shot", "--json", "-"
    )
    assert done.json()["images"] == 234
    return inkling


@pytest.mark.slow
@pytest.mark.thorough(quick="test_the_round_on_drawn_pictures")
def test_zero_shot_on_photographs_is_what_the_encoder_gives(measured: Inkling, crops: Path) -> None:
    summary = measured("evaluate", "zero-shot.ink", crops, "--json", "-").json()
    assert summary["n"] == 503
    assert abs(round(summary["top1"] * 503) - 378) <= 2
    assert summary["top1"] == summary["zero_shot"]["top1"]
    assert summary["mcnemar_p"] == 1.0


@pytest.mark.slow
@pytest.mark.thorough(quick="test_the_round_on_drawn_pictures")
def test_auto_learns_from_photographs(measured: Inkling, crops: Path, surrogate: Path) -> None:
    fitted = measured("fit", crops, "--memory", "auto.ink", "--encoder", surrogate, "--json", "-").json()
    assert fitted["encoded_now"] == 0
    assert "beats zero-shot" in fitted["finding"]
    summary = measured("evaluate", "auto.ink", crops, "--json", "-").json()
    assert summary["top1"] > summary["zero_shot"]["top1"]
    assert summary["top1"] > 0.77
    assert summary["ece"] < 0.08


def test_numbers_of_a_parquet_table_stay_numbers(inkling: Inkling, drawn: Path) -> None:
    files = sorted((drawn / "train").rglob("*.png"))
    kinds = sorted({file.parent.name for file in files})
    labels = [kinds.index(file.parent.name) + 9 for file in files]
    parquet.write_table(pa.table({"path": list(map(str, files)), "label": labels}), inkling.folder / "t.parquet")
    inkling.here("embed", "t.parquet", "--encoder", "sketch", "--output", "v.parquet")
    inkling.here("embed", "t.parquet", "--encoder", "sketch", "--output", "v.npz")
    for source in ("t.parquet", "v.parquet", "v.npz"):
        options = ("--encoder", "sketch", "--replace", "--memory", "n.ink")
        done = inkling.here("fit", source, *options)
        assert done.code == 0, done.err
        assert FewShotClassifier.load(inkling.folder / "n.ink").classes_.tolist() == [9, 10, 11]
