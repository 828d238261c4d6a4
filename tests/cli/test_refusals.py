"""What a user gets wrong is said in words, with a way on, before long work; and nothing is lost by it."""

from __future__ import annotations

import shutil
import socket
import sqlite3
import time
from pathlib import Path

import numpy as np
import pytest

from inkling.sketch import weights_folder
from tests.cli.program import Inkling


@pytest.fixture
def photos(inkling: Inkling, drawn: Path) -> Path:
    """Class folders for the test to spoil."""
    return Path(shutil.copytree(drawn / "train", inkling.folder / "photos"))


@pytest.fixture
def nothing_is_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mistakes must be reported before the encoder gets to work."""

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("the encoder was asked for vectors")

    monkeypatch.setattr("inkling.encoders.transformers.encoder.TransformersEncoder.encode_images", refuse)
    monkeypatch.setattr("inkling.embeddings.pipeline.Pipeline.run", refuse)


FIT = ("--memory", "new.ink", "--encoder", "sketch")


@pytest.mark.usefixtures("nothing_is_encoded")
class TestBeforeWork:
    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (("fit", "nowhere", *FIT), "'nowhere' does not exist"),
            (("fit", "photo", *FIT), "Did you mean 'photos'?"),
            (("fit", "empty", *FIT), "No images found"),
            (("fit", "photos/car", *FIT), "None of the 6 images has a label"),
            (("fit", "one", *FIT), "at least two classes; found 1: car"),
            (("fit", "photos", *FIT, "--head", "gdaa"), "Choose one of: auto"),
            (("fit", "photos", *FIT, "--templates", "simpel"), "Did you mean 'simple'?"),
            (("fit", "photos", *FIT, "--prompts", "none.yaml"), "does not exist"),
            (("fit", "photos", *FIT, "--seed", "-1"), "--seed"),
            (("fit", "photos", *FIT, "--views", "0"), "--views"),
            (("fit", "photos", *FIT, "--precision", "int3"), "float32"),
            (("fit", "photos", *FIT, "--device", "tpu"), "auto, cpu, cuda or mps, got 'tpu'"),
            (("fit", "photos", "--memory", "drawn.ink", "--update", "--device", "tpu"), "mps, got 'tpu'"),
            (("predict", "drawn.ink", "photos", "--device", "tpu"), "auto, cpu, cuda or mps, got 'tpu'"),
            (("predict", "drawn.ink", "photos", "--device", "cuda"), "Error: The device 'cuda' is not available"),
            (("evaluate", "drawn.ink", "photos", "--device", "mps"), "Error: The device 'mps' is not available"),
            (("finetune", "photos", *FIT, "--device", "cuda"), "The device must be auto or cpu, got 'cuda'"),
            (("fit", "photos", *FIT, "--nonsense"), "--nonsense"),
            (("fit", "photos", *FIT, "--json", "missing/a.json"), "does not exist"),
            (("fit", "photos", *FIT, "--json", "empty"), "is a folder"),
            (("fit", "photos"), "--memory"),
            (("fit", "photos", "--memory", "missing/new.ink", "--encoder", "sketch"), "mkdir"),
            (("fit", "photos", "--memory", "empty", "--encoder", "sketch"), "is a folder"),
            (("fit", "photos", "--memory", "notes.txt", "--encoder", "sketch"), "not an Inkling memory"),
            (("fit", "photos", "--memory", "new.ink", "--encoder", "sketsch"), "There is no encoder 'sketsch'"),
            (("fit", "photos", "--memory", "new.ink", "--encoder", "photos"), "holds no encoder"),
            (("embed", "photos", "--encoder", "sketch", "--output", "a.csv"), ".parquet"),
            (("embed", "photos", "--encoder", "sketch", "--output", "missing/a.parquet"), "does not exist"),
            (("evaluate", "missing.ink", "photos"), "There is no memory"),
            (("evaluate", "notes.txt", "photos"), "not an Inkling memory"),
            (("evaluate", "other.sqlite", "photos"), "another program"),
            (("evaluate", "drawn.ink", "photos/car"), "they have no labels"),
            (("evaluate", "drawn.ink", "others"), "labels found: bicycle"),
            (("evaluate", "drawn.ink", "photos", "--report", "missing/a.html"), "does not exist"),
            (("evaluate", "drawn.ink", "photos", "--seed", "-1"), "--seed"),
            (("predict", "drawn.ink"), "IMAGES_OR_DIR"),
            (("predict", "drawn.ink", "empty"), "No images found"),
            (("predict", "drawn.ink", "nowhere.png"), "does not exist"),
            (("predict", "drawn.ink", "photos", "--output", "a.txt"), ".csv nor .parquet"),
            (("predict", "drawn.ink", "photos", "--output", "-", "--json", "-"), "standard output"),
            (("predict", "drawn.ink", "photos", "--top", "0"), "--top"),
            (("predict", "drawn.ink", "a" * 300 + ".png"), "name too long"),
            (("predict", "drawn.ink", "photos", "--output", "a" * 300 + ".csv"), "name too long"),
            (("fit", "photos", "--memory", "a" * 300, "--encoder", "sketch"), "name too long"),
            (("predict", "drawn.ink", "photos", "--encoder", "nowhere"), "no encoder 'nowhere'"),
            (("predict", "drawn.ink", "other.npz", "--output", "-"), "fingerprint"),
            (("fit", "photos", *FIT, "--json", "new.ink"), "would replace"),
            (("fit", "list.csv", *FIT, "--json", "list.csv"), "would replace"),
            (("info", "drawn.ink", "--json", "drawn.ink"), "would replace"),
            (("evaluate", "drawn.ink", "photos", "--report", "drawn.ink"), "would replace"),
            (("evaluate", "drawn.ink", "photos", "--report", "a", "--json", "./a"), "would replace"),
            (("predict", "drawn.ink", "list.csv", "--output", "list.csv"), "would replace"),
            (("embed", "e.parquet", "--encoder", "sketch", "--output", "e.parquet"), "would replace"),
            (("info", "missing.ink"), "There is no memory"),
            (("cache", "prune"), "--older-than"),
            (("cache", "prune", "--max-size", "huge"), "'huge' is not a size"),
        ],
    )
    @pytest.mark.usefixtures("memory")
    def test_a_mistake_is_reported(self, inkling: Inkling, photos: Path, arguments: tuple[str, ...], told: str) -> None:
        (inkling.folder / "empty").mkdir()
        (inkling.folder / "notes.txt").write_text("mine")
        shutil.copytree(photos / "car", inkling.folder / "one" / "car")
        shutil.copytree(photos / "car", inkling.folder / "others" / "bicycle")
        (inkling.folder / "list.csv").write_text("path\nphotos/car/car-0000.png\n")
        np.savez(inkling.folder / "other.npz", x=np.eye(4))
        with sqlite3.connect(inkling.folder / "other.sqlite") as database:
            database.execute("CREATE TABLE notes (id)")
        database.close()
        before = {path: path.read_bytes() for path in inkling.folder.rglob("*") if path.is_file()}
        inkling.here(*arguments).refused(told)
        after = {path: path.read_bytes() for path in inkling.folder.rglob("*") if path.is_file()}
        assert after == before


def test_another_encoder_is_refused_with_both_fingerprints(
    inkling: Inkling, memory: Path, drawn: Path, surrogate: Path
) -> None:
    known = inkling.here("info", memory, "--json", "-").json()["encoder"]["fingerprint"]
    done = inkling.here("predict", memory, drawn / "test", "--encoder", surrogate)
    done.refused(known, "'sketch'", "'surrogate-clip-b32'", "--encoder sketch")
    assert done.err.count("fingerprint") == 2


def test_an_encoder_that_moved_is_asked_for(inkling: Inkling, drawn: Path) -> None:
    shutil.copytree(weights_folder(), inkling.folder / "model")
    fitted = inkling.here("fit", drawn, "--memory", "m.ink", "--encoder", "model")
    assert fitted.code == 0, fitted.err
    (inkling.folder / "model").rename(inkling.folder / "moved")
    inkling.here("predict", "m.ink", drawn / "test").refused("model', is not at hand", "--encoder")
    assert inkling.here("predict", "m.ink", drawn / "test", "--encoder", "moved").code == 0


def test_a_hub_that_cannot_be_reached_is_reported_soon(
    inkling: Inkling, drawn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*arguments: object, **options: object) -> None:
        raise OSError("network is unreachable")

    monkeypatch.setattr(socket, "getaddrinfo", unreachable)
    monkeypatch.setattr(socket.socket, "connect", unreachable)
    monkeypatch.setenv("HF_HOME", str(inkling.folder / "hub"))
    begun = time.monotonic()
    done = inkling.here("fit", drawn, "--memory", "new.ink", "--encoder", "nobody/no-such-model")
    done.refused("can't be reached", "Three ways on", "--encoder pocket")
    assert time.monotonic() - begun < 60


def test_one_path_with_two_labels_is_refused(inkling: Inkling, drawn: Path) -> None:
    path = drawn / "train" / "car" / "car-0000.png"
    (inkling.folder / "list.csv").write_text(f"path,label\n{path},car\n{path},tree\n")
    inkling.here("fit", "list.csv", *FIT).refused("second, different label")


def test_one_picture_under_two_labels_is_reported(inkling: Inkling, photos: Path) -> None:
    shutil.copy(photos / "car" / "car-0000.png", photos / "tree" / "copy.png")
    done = inkling.here("fit", "photos", *FIT, "--json", "-")
    assert done.json()["contradictions"] == [["photos/car/car-0000.png", "photos/tree/copy.png"]]
    told = inkling.here("fit", "photos", *FIT, "--replace")
    assert "1 image under several labels, such as photos/car/car-0000.png, photos/tree/copy.png" in told.err


def test_names_that_are_no_text_are_refused(inkling: Inkling, memory: Path, photos: Path) -> None:
    odd = inkling.folder / "\udcff.png"
    shutil.copy(photos / "car" / "car-0000.png", odd)
    for target in ("-", "a.parquet"):
        inkling.here("predict", memory, odd, "--output", target).refused("not UTF-8", "Rename it")


def test_odd_names_of_memories_and_classes_work(inkling: Inkling, photos: Path) -> None:
    (photos / "car").rename(photos / "Ünïcode, 'quoted' & <b>\N{SNOWMAN}")
    done = inkling.here("fit", "photos", "--memory", "\udcff odd.ink", "--encoder", "sketch")
    assert done.code == 0, done.err
    told = inkling.here("predict", "\udcff odd.ink", photos, "--json", "-").json()
    assert any("\N{SNOWMAN}" in label for label in told["predictions"][0]["top_labels"])
    report = inkling.here("evaluate", "\udcff odd.ink", photos, "--include-training", "--report", "r.html")
    assert report.code == 0, report.err
    assert "<b>\N{SNOWMAN}" not in (inkling.folder / "r.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("nothing_is_encoded")
@pytest.mark.parametrize("name", ["photos/car/car-0000.png", "photos/metadata.csv"])
@pytest.mark.parametrize(
    "verb", [("audit", "photos", "--encoder", "sketch", "--fix-list"), ("predict", "drawn.ink", "photos", "--json")]
)
def test_neither_pictures_nor_their_labels_are_replaced(
    inkling: Inkling, memory: Path, photos: Path, verb: tuple[str, ...], name: str
) -> None:
    (photos / "metadata.csv").write_text("file_name,label\ncar/car-0000.png,car\n")
    kept = inkling.folder / name
    before = kept.read_bytes()
    inkling.here(*(memory if word == "drawn.ink" else word for word in verb), name).refused("replace a picture or its")
    assert kept.read_bytes() == before
