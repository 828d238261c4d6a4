"""Where images come from makes no difference: all forms of a source train the same classifier."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.cli.conftest import KINDS
from tests.cli.program import Inkling
from tests.images.shards import hub_parquet, tar_of

Named = tuple[str, str | None]
"""What to write for TRAIN, and what standard input holds."""


def as_divided_folder(drawn: Path, folder: Path) -> Named:
    return str(drawn), None


def as_class_folders(drawn: Path, folder: Path) -> Named:
    return str(drawn / "train"), None


def as_zip(drawn: Path, folder: Path) -> Named:
    return shutil.make_archive(str(folder / "photos"), "zip", drawn / "train"), None


def as_csv(drawn: Path, folder: Path) -> Named:
    with (folder / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label"), *rows(drawn)])
    return "list.csv", None


def as_parquet(drawn: Path, folder: Path) -> Named:
    paths, labels = zip(*rows(drawn), strict=True)
    parquet.write_table(pa.table({"path": paths, "label": labels}), folder / "list.parquet")
    return "list.parquet", None


def as_tar_shards(drawn: Path, folder: Path) -> Named:
    (folder / "shards").mkdir()
    n = len(rows(drawn)) // 2
    for shard in range(2):  # in the order of names, as sums of floats are equal only in one order
        members = []
        for number, (path, label) in enumerate(rows(drawn)[shard * n : shard * n + n]):
            members += [
                (f"{number}.png", Path(path).read_bytes()),
                (f"{number}.json", json.dumps({"label": label}).encode()),
            ]
        (folder / "shards" / f"s-{shard}.tar").write_bytes(tar_of(*members))
    return "shards/s-{0..1}.tar", None


def as_data_set_of_the_hub(drawn: Path, folder: Path) -> Named:
    names = sorted({label for _, label in rows(drawn)})
    pictures = [{"bytes": Path(path).read_bytes(), "path": Path(path).name} for path, _ in rows(drawn)]
    hub_parquet(folder / "data" / "train-0.parquet", pictures, [names.index(label) for _, label in rows(drawn)], names)
    return "data", None


def as_standard_input(drawn: Path, folder: Path) -> Named:
    return "-", "path,label\n" + "".join(f"{path},{label}\n" for path, label in rows(drawn))


def rows(drawn: Path) -> list[tuple[str, str]]:
    return [(str(path), path.parent.name) for path in sorted((drawn / "train").rglob("*.png"))]


FORMS = [
    *(as_divided_folder, as_class_folders, as_zip, as_csv, as_parquet, as_standard_input, as_tar_shards),
    as_data_set_of_the_hub,
]


@pytest.mark.parametrize("form", FORMS)
def test_any_form_of_a_source_trains_the_same(
    inkling: Inkling, memory: Path, drawn: Path, form: Callable[[Path, Path], Named]
) -> None:
    source, stdin = form(drawn, inkling.folder)
    done = inkling.here(
        "fit", source, "--memory", "again.ink", "--encoder", "sketch", "--json", "-", stdin=stdin
    ).json()
    before, after = (inkling.here("info", name, "--json", "-").json() for name in (memory, "again.ink"))
    assert done["encoded_now"] == 0
    assert after["provenance"]["data_hash"] == before["provenance"]["data_hash"]
    for key in ("classes", "finding", "evidence", "calibration"):
        assert after[key] == before[key]


def test_a_list_of_paths_is_predicted(inkling: Inkling, memory: Path, drawn: Path) -> None:
    listed = "\n".join(str(path) for path in sorted((drawn / "test").rglob("*.png"))[:5])
    assert inkling.here("predict", memory, "-", "--json", "-", stdin=listed).json()["n"] == 5


def test_other_files_are_counted_and_do_no_harm(inkling: Inkling, memory: Path, drawn: Path) -> None:
    shutil.copytree(drawn / "train", inkling.folder / "photos")
    (inkling.folder / "photos" / "car" / ".hidden.png").write_bytes(b"")
    (inkling.folder / "photos" / "notes.txt").write_text("mine")
    done = inkling.here("fit", "photos", "--memory", "b.ink", "--encoder", "sketch", "--json", "-")
    assert done.json()["ignored"] == {"hidden": 1, ".txt": 1}
    assert "1 hidden" in done.err


class TestEmbeddings:
    def test_embeddings_train_and_are_judged_as_their_images(self, inkling: Inkling, memory: Path, drawn: Path) -> None:
        for split in ("train", "test"):
            inkling.here("embed", drawn / split, "--encoder", "sketch", "--output", f"{split}.parquet")
        done = inkling.here("fit", "train.parquet", "--memory", "v.ink", "--encoder", "sketch", "--json", "-").json()
        assert done["images"] == 18
        assert done["classes_without_text"] == []
        of_images = inkling.here("evaluate", memory, drawn, "--json", "-").json()
        of_vectors = inkling.here("evaluate", "v.ink", "test.parquet", "--json", "-").json()
        assert of_vectors["confusion"] == of_images["confusion"]
        assert of_vectors["nll"] == pytest.approx(of_images["nll"], rel=1e-5)

    def test_predictions_in_parquet_are_those_of_csv(self, inkling: Inkling, memory: Path, drawn: Path) -> None:
        inkling.here("embed", drawn / "test", "--encoder", "sketch", "--output", "test.parquet")
        for source, output in (("test.parquet", "p.parquet"), (drawn / "test", "p.csv")):
            done = inkling.here("predict", memory, source, "--output", output)
            assert done.code == 0, done.err
        rows = parquet.read_table(inkling.folder / "p.parquet").to_pylist()
        with (inkling.folder / "p.csv").open(newline="") as file:
            expected = list(csv.DictReader(file))
        assert [row["label"] for row in rows] == [row["label"] for row in expected]
        assert [row["path"] for row in rows] == [row["path"] for row in expected]
        probabilities = [float(row["probability"]) for row in expected]
        assert [row["probability"] for row in rows] == pytest.approx(probabilities, abs=1e-4)
        assert [row["top_labels"][1] for row in rows] == [row["top2_label"] for row in expected]

    @pytest.mark.usefixtures("memory")
    def test_without_an_encoder_they_use_images_alone(self, inkling: Inkling, drawn: Path) -> None:
        inkling.here("embed", drawn / "train", "--encoder", "sketch", "--output", "train.parquet")
        done = inkling.here("fit", "train.parquet", "--memory", "v.ink", "--json", "-")
        assert done.json()["classes_without_text"] == list(KINDS)
        assert "--encoder sketch" in done.err

    def test_own_vectors_bring_their_own_texts(self, inkling: Inkling) -> None:
        rng = np.random.default_rng(0)
        text_vectors = np.eye(3, 8)
        labels = np.repeat([0, 1], 6)
        np.savez(
            inkling.folder / "own.npz",
            embeddings=text_vectors[labels] + 0.1 * rng.normal(size=(12, 8)),
            labels=labels,
            class_names=["ant", "bee", "wasp"],
            text_vectors=text_vectors,
        )
        done = inkling.here("fit", "own.npz", "--memory", "own.ink", "--json", "-")
        assert done.json()["classes"] == ["ant", "bee", "wasp"]
        assert done.json()["classes_without_images"] == ["wasp"]
        told = inkling.here("predict", "own.ink", "own.npz", "--json", "-").json()
        assert [one["label"] for one in told["predictions"]] == ["ant"] * 6 + ["bee"] * 6
        assert told["predictions"][0]["path"] == "row 0"

    def test_a_memory_of_vectors_says_that_it_knows_no_images(self, inkling: Inkling, drawn: Path) -> None:
        np.savez(inkling.folder / "own.npz", x=np.eye(4), y=["a", "a", "b", "b"])
        inkling.here("fit", "own.npz", "--memory", "own.ink")
        inkling.here("predict", "own.ink", drawn / "test").refused("fitted on vectors", ".npz or .parquet")

    def test_options_without_effect_are_refused(self, inkling: Inkling) -> None:
        np.savez(inkling.folder / "own.npz", x=np.eye(4), y=["a", "a", "b", "b"])
        inkling.here("fit", "own.npz", "--memory", "own.ink", "--templates", "simple").refused("--templates")
