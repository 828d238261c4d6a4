"""Fine-tuning for a memory in one call: what joins in, what is kept, and what stays as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from inkling import FewShotClassifier
from inkling.errors import InputError
from inkling.finetune.recipe import preset
from inkling.finetune.run import FineTuningOptions, default_output, finetune_memory
from inkling.images.sources import find_images
from inkling.memory.store import read_memory
from inkling.payloads import finetuning_payload
from inkling.prompts import ClassPrompts
from inkling.sketch import write_dataset

QUICK = preset("last-blocks").changed(steps=3, folds=2)
OLD, NEW = ("anchor", "castle"), ("castle", "snail")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    write_dataset(folder / "old", OLD, 1, seed=1, size=64)
    write_dataset(folder / "new", NEW, 1, seed=2, size=64)
    write_dataset(folder / "many", OLD, 6, seed=3, size=64)
    return folder


def test_classes_images_and_prompts_of_a_memory_join_in(pictures: Path, tmp_path: Path) -> None:
    memory = tmp_path / "a.ink"
    crane = ClassPrompts("anchor", ("a drawing of an anchor.",))
    FewShotClassifier("sketch", prompts=(crane,), cache=False).fit(pictures / "old").save(memory)
    done = finetune_memory(memory, pictures / "new", options=FineTuningOptions(recipe=QUICK, cache=False))
    assert (done.version, done.changed) == (2, True)
    stored = read_memory(memory)
    assert stored.version == 2
    assert stored.content.encoder.fingerprint == done.tuned.identity.fingerprint
    prompts = {entry.name: entry.prompts for entry in stored.content.classes}
    assert set(prompts) == {*OLD, *NEW}
    assert prompts["anchor"] == crane.prompts
    assert len(stored.content.exemplars) == 4
    assert (tmp_path / "a.finetuned" / "encoder" / "model.safetensors").is_file()
    told = finetuning_payload(done)
    assert (told["memory"], told["memory_version"], told["images"]) == (str(memory), 2, 4)


def test_a_new_memory_and_a_rate_that_is_kept_unless_another_is_asked_for(pictures: Path, tmp_path: Path) -> None:
    asked = FineTuningOptions(recipe=QUICK, encoder="sketch", false_alarms=0.2, cache=False)
    steps: list[int] = []
    first = finetune_memory(
        tmp_path / "a.ink", pictures / "many", options=asked, progress=lambda report: steps.append(report.step)
    )
    assert (first.version, first.changed) == (1, True)
    assert max(steps) == 3
    again = finetune_memory(
        tmp_path / "a.ink",
        find_images(pictures / "many").records,
        options=FineTuningOptions(recipe=QUICK, output=tmp_path / "again", cache=False),
    )
    assert again.shipment is not None
    detector = again.shipment.classifier.fitted.detector
    assert detector is not None
    assert detector.false_alarms == 0.2
    assert again.tuned.identity.fingerprint == first.tuned.identity.fingerprint
    assert read_memory(tmp_path / "a.ink").version == again.version
    resumed = FineTuningOptions(recipe=QUICK, output=tmp_path / "again", resume=True, false_alarms=0.1, cache=False)
    other = finetune_memory(tmp_path / "a.ink", pictures / "many", options=resumed)
    assert other.shipment is not None
    assert other.shipment.classifier.fitted.detector.false_alarms == 0.1


def test_what_does_not_fit_is_refused_before_the_training(pictures: Path, tmp_path: Path) -> None:
    options = FineTuningOptions(recipe=QUICK, encoder="sketch", false_alarms=0.01, cache=False)
    with pytest.raises(InputError, match="at least 99"):
        finetune_memory(tmp_path / "a.ink", pictures / "many", options=options)
    (tmp_path / "v.npz").write_bytes(b"")
    with pytest.raises(InputError, match="the images themselves"):
        finetune_memory(tmp_path / "a.ink", tmp_path / "v.npz")
    assert list(tmp_path.iterdir()) == [tmp_path / "v.npz"]


def test_numbers_stay_numbers_in_their_order(pictures: Path, tmp_path: Path) -> None:
    found = find_images(pictures / "many").records
    numbers = [{"anchor": 2, "castle": 10}[str(one.label)] for one in found]
    prompts = (ClassPrompts("2", ("a drawing of an anchor.",)), ClassPrompts("10", ("a drawing of a castle.",)))
    options = FineTuningOptions(recipe=QUICK, encoder="sketch", prompts=prompts, cache=False)
    done = finetune_memory(tmp_path / "a.ink", [one.path for one in found], numbers, options=options)
    assert done.shipment is not None
    assert done.tuned.class_names == ("2", "10")
    for classifier in (done.shipment.zero_shot, done.shipment.fine_tuned, FewShotClassifier.load(tmp_path / "a.ink")):
        assert classifier is not None
        assert classifier.classes_.tolist() == [2, 10]
        assert classifier.predict([one.path for one in found[:2]]).dtype.kind == "i"
    elsewhere = replace(options, output=tmp_path / "again")
    again = finetune_memory(tmp_path / "a.ink", [one.path for one in found], numbers, options=elsewhere)
    assert again.tuned.class_names == ("2", "10")
    assert FewShotClassifier.load(tmp_path / "a.ink").classes_.tolist() == [2, 10]


def test_a_run_lies_beside_its_memory() -> None:
    assert default_output("some/where/a.ink") == Path("some/where/a.finetuned")
    assert default_output("postgresql://host/animals?sslmode=require") == Path("animals.finetuned")
