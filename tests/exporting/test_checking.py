"""What an export is checked with: which pictures, and the encoder in which arithmetic."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from inkling import FewShotClassifier, export, load_encoder
from inkling.errors import InputError
from inkling.exporting import checking
from inkling.exporting.checking import pictures_to_check, reference_encoder, run_program
from tests.encoders.folders import write_clip
from tests.fakes import FakeEncoder


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    write_clip(folder, hidden_size=512, intermediate_size=512, num_hidden_layers=2)  # wide enough for auto to round
    return folder


def test_an_encoder_that_may_round_is_compared_with_in_float32(clip: Path) -> None:
    rounding = load_encoder(clip, precision="auto")
    assert reference_encoder(rounding.identity, rounding).identity.precision == "float32"
    exact = load_encoder(clip, precision="float32")
    assert reference_encoder(exact.identity, exact) is exact


def test_an_encoder_that_was_handed_over_is_taken_as_it_is() -> None:
    encoder = FakeEncoder()
    assert reference_encoder(encoder.identity, encoder) is encoder


def test_a_memory_of_auto_is_exported_in_float32(drawn: Path, clip: Path, tmp_path: Path) -> None:
    classifier = FewShotClassifier(clip, head="gda", cache=False).fit(drawn / "train")
    done = export(classifier, tmp_path / "out")
    assert done.manifest["encoder"]["precision"] == "auto"
    assert done.manifest["compared_with"] == "Inkling, its encoder in float32"
    assert done.parity.labels_equal == done.parity.pictures == 36


def test_exemplars_are_spread_over_the_classes(drawn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = FewShotClassifier.load(drawn / "a.ink").fitted
    monkeypatch.setattr(checking, "MOST_EXEMPLARS", 10)
    found = pictures_to_check(fitted, None)
    assert sorted(Counter(record.label for record in found.records).values()) == [3, 3, 4]
    assert found.of == "exemplars"


def test_a_program_that_does_not_run_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text("raise SystemExit('there is no such package')")
    with pytest.raises(InputError, match=r"run\.py doesn't run here: there is no such package"):
        run_program(tmp_path, "run.py")
    (tmp_path / "run.py").write_text("print('not JSON')")
    with pytest.raises(InputError, match="doesn't run here: exit code 0"):
        run_program(tmp_path, "run.py")
