"""An export checked again: whole or not, and whether its memory has moved on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from inkling import Decisions, FewShotClassifier, export
from inkling.errors import InputError
from inkling.exporting.verify import verify_export


@pytest.fixture(scope="module")
def made(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(drawn / "a.ink", tmp_path_factory.mktemp("made") / "out").folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """An export, for the test alone."""
    return shutil.copytree(made, tmp_path / "out")


def test_it_is_as_it_was(folder: Path, memory: Path) -> None:
    alone, beside = verify_export(folder), verify_export(folder, memory)
    assert (alone.damage, alone.moved_on, alone.parity) == ((), (), None)
    assert (beside.damage, beside.moved_on) == ((), ())
    assert beside.parity is not None
    assert beside.parity.labels_equal == beside.parity.pictures == 36


@pytest.mark.parametrize("name", ["model.onnx", "labels.json", "run.py", "example/expected.jsonl"])
def test_a_file_that_was_changed_or_is_missing(folder: Path, memory: Path, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    assert verify_export(folder).damage == (f"{name} was changed",)
    (folder / name).unlink()
    assert verify_export(folder, memory).damage == (f"{name} is missing",)


def test_bytecode_that_python_leaves_is_no_damage(folder: Path) -> None:
    (folder / "__pycache__").mkdir(exist_ok=True)
    (folder / "__pycache__" / "pictures.cpython-311.pyc").write_bytes(b"")
    assert verify_export(folder).damage == ()


def test_answers_that_are_others_by_now(folder: Path) -> None:
    """As with a runtime that computes otherwise."""
    file = folder / "example" / "expected.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    lines[1]["probability"] -= 0.01
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    manifest = json.loads((folder / "manifest.json").read_text())
    from inkling.exporting.manifest import hashes_of, write_manifest

    write_manifest(folder, manifest | {"files": hashes_of(folder)})
    (damage,) = verify_export(folder).damage
    assert damage.startswith("example/2.png gets ")


def test_a_memory_that_has_moved_on(folder: Path, memory: Path) -> None:
    Decisions(memory).rename("car", "vehicle")
    found = verify_export(folder, memory)
    assert found.damage == ()
    assert found.moved_on == (
        "its version was 1 and is 2; it holds something else by now",
        "its classes are others by now",
    )
    Decisions(memory).undo()
    assert verify_export(folder, memory).moved_on == ()


def test_a_memory_of_another_encoder(folder: Path, drawn: Path, tmp_path: Path) -> None:
    FewShotClassifier("sketch", head="gda", cache=False).fit(drawn / "train").save(tmp_path / "b.ink")
    found = verify_export(folder, tmp_path / "b.ink", cache=False)
    assert found.moved_on[0].startswith("its encoder was ")
    assert found.damage == ()


def test_without_exemplars_its_own_examples_are_checked_with(folder: Path, drawn: Path, tmp_path: Path) -> None:
    train = shutil.copytree(drawn / "train", tmp_path / "train")
    FewShotClassifier(drawn / "light", head="gda", cache=False).fit(train).save(tmp_path / "c.ink")
    export(tmp_path / "c.ink", tmp_path / "c")
    shutil.rmtree(train)
    found = verify_export(tmp_path / "c", tmp_path / "c.ink")
    assert found.parity is not None
    assert found.parity.pictures == 3


def test_a_head_alone(memory: Path, tmp_path: Path) -> None:
    export(memory, tmp_path / "head", format="head")
    assert verify_export(tmp_path / "head", memory).damage == ()
    (tmp_path / "head" / "head.npz").unlink()
    assert verify_export(tmp_path / "head").damage == ("head.npz is missing",)


def test_what_is_no_export(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no folder"):
        verify_export(tmp_path / "nothing")
    with pytest.raises(InputError, match="no export of Inkling"):
        verify_export(tmp_path)


@pytest.mark.parametrize("key", ["format", "precision", "max_loss", "labels", "memory", "encoder", "files"])
@pytest.mark.parametrize("value", [None, "odd"])
def test_a_manifest_that_was_damaged(folder: Path, memory: Path, key: str, value: object) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {key: value}))
    with pytest.raises(InputError):
        verify_export(folder, memory)


def test_entries_within_that_are_missing(folder: Path, memory: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"memory": {}, "encoder": {}}))
    assert len(verify_export(folder, memory).moved_on) == 2


def test_a_classifier_that_was_never_saved_is_compared_by_version(drawn: Path, memory: Path, tmp_path: Path) -> None:
    classifier = FewShotClassifier.load(memory, cache=False)
    export(classifier, tmp_path / "loaded")
    assert verify_export(tmp_path / "loaded", memory).moved_on == ()
    Decisions(memory).rename("car", "vehicle")
    assert verify_export(tmp_path / "loaded", memory).moved_on[0] == "its version was 1 and is 2"


@pytest.mark.parametrize(("key", "value"), [("labels", ["x", "y", "z"]), ("memory", {"version": 7}), ("seed", 9)])
def test_a_manifest_that_was_changed(folder: Path, key: str, value: object) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(json.dumps(manifest | {key: value}), encoding="utf-8")
    assert "manifest.json was changed" in verify_export(folder).damage


def test_a_manifest_that_was_only_laid_out_anew(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert verify_export(folder).damage == ()


def test_pictures_have_no_effect_on_a_head(drawn: Path, tmp_path: Path) -> None:
    head = export(drawn / "a.ink", tmp_path / "head", format="head").folder
    with pytest.raises(InputError, match="reads no pictures"):
        verify_export(head, drawn / "a.ink", check=drawn / "test")
