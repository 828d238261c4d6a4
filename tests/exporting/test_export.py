"""A folder that answers as the classifier does, or no folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from inkling import Exported, FewShotClassifier, InklingError, export
from inkling.errors import EncoderError, InputError
from inkling.exporting.export import export_with
from inkling.exporting.formats import FORMATS, Bundle
from inkling.exporting.job import ExportOptions
from inkling.exporting.parity import Loss, Parity, compare
from inkling.exporting.texts_alone import zero_shot_classifier
from inkling.images.decode import decode
from tests.cli.light_encoder import write_light_encoder
from tests.exporting.conftest import KINDS
from tests.system import fill

FILES = {
    "MODEL_CARD.md",
    "example/1.png",
    "example/2.png",
    "example/3.png",
    "example/expected.jsonl",
    "labels.json",
    "manifest.json",
    "model.onnx",
    "pictures.py",
    "requirements.txt",
    "run.py",
}


@pytest.fixture(scope="module")
def exported(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return export(drawn / "a.ink", tmp_path_factory.mktemp("exported") / "a", license="CC0-1.0")


def ran(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """The folder's program, away from Inkling."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-B", str(folder / "run.py"), *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def files_of(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


class TestTheFolder:
    def test_it_holds_all_that_it_needs(self, exported: Exported) -> None:
        assert {path.relative_to(exported.folder).as_posix() for path in exported.files} == FILES
        assert files_of(exported.folder) == FILES
        assert {path.name for path in exported.folder.parent.iterdir()} == {"a"}
        assert json.loads((exported.folder / "labels.json").read_text()) == list(KINDS)

    def test_it_was_checked_on_the_exemplars(self, exported: Exported) -> None:
        parity = exported.parity
        assert (parity.pictures, parity.labels_equal, parity.unknown_equal) == (36, 36, 36)
        assert parity.probability_difference < 1e-5
        assert parity.p_value_difference == 0
        assert parity.differing == ()

    def test_its_program_answers_as_inkling(self, exported: Exported, drawn: Path, tmp_path: Path) -> None:
        moved = shutil.copytree(exported.folder, tmp_path / "elsewhere")
        pictures = sorted((drawn / "test").rglob("*.png"))
        done = ran(moved, *pictures)
        assert (done.returncode, done.stderr) == (0, "")
        classifier = FewShotClassifier.load(drawn / "a.ink", cache=False)
        for line, verdict in zip(done.stdout.splitlines(), classifier.verdicts(pictures), strict=True):
            told = json.loads(line)
            assert list(told) == ["path", "label", "probability", "unknown", "p_known"]
            assert (told["path"], told["label"]) == (verdict.path, verdict.label)
            assert (told["unknown"], told["p_known"]) == (verdict.unknown, verdict.p_known)
            assert told["probability"] == pytest.approx(verdict.probability, abs=1e-5)

    def test_its_examples_are_what_its_program_prints(self, exported: Exported) -> None:
        expected = (exported.folder / "example" / "expected.jsonl").read_text()
        pictures = [json.loads(line)["path"] for line in expected.splitlines()]
        assert ran(exported.folder, *pictures).stdout == expected
        assert pictures == ["example/1.png", "example/2.png", "example/3.png"]

    def test_it_takes_prepared_pictures_in_a_batch(self, exported: Exported, drawn: Path) -> None:
        session = onnxruntime.InferenceSession(exported.folder / "model.onnx")
        classifier = FewShotClassifier.load(drawn / "a.ink", cache=False)
        pictures = sorted((drawn / "test").rglob("*.png"))
        batch = np.stack([classifier.encoder.prepare(decode(path.read_bytes())) for path in pictures])
        given = {"image": np.zeros((0, 0, 3), np.uint8), "pixel_values": batch}
        p = session.run(["probabilities"], given)[0]
        np.testing.assert_allclose(p, classifier.predict_proba(pictures), atol=1e-5)

    def test_its_manifest_tells_where_it_comes_from(self, exported: Exported, drawn: Path) -> None:
        manifest = json.loads((exported.folder / "manifest.json").read_text())
        fitted = FewShotClassifier.load(drawn / "a.ink").fitted
        assert manifest["encoder"]["fingerprint"] == fitted.samples.identity.fingerprint
        assert (manifest["memory"]["name"], manifest["memory"]["version"]) == ("a.ink", 1)
        assert fitted.detector is not None
        assert manifest["unknown"]["threshold"] == fitted.detector.conformal.threshold(0.1)
        assert manifest["unknown"]["calibration_images"] == 36
        assert manifest["licences"] == {"encoder": "Apache-2.0", "export": "CC0-1.0"}
        assert manifest["compared_with"] == "Inkling, its encoder in float32"
        assert {"inkling", "onnxruntime", "onnx", "numpy", "python"} <= manifest["versions"].keys()
        assert manifest["files"].keys() == FILES - {"manifest.json"}
        assert [one["name"] for one in manifest["inputs"]] == ["image", "pixel_values"]
        assert str(drawn) not in json.dumps({**manifest, "command": ""})

    def test_its_card_names_classes_promise_and_licences(self, exported: Exported) -> None:
        card = (exported.folder / "MODEL_CARD.md").read_text()
        for words in (
            "`boat`, `car`, `house`",
            "at most 10 %",
            "CC0-1.0",
            "Apache-2.0",
            "36 of 36",
            "decoded at a half",
            "Sets of labels at a coverage",
        ):
            assert words in card

    def test_numbers_stay_numbers(self, drawn: Path, tmp_path: Path) -> None:
        pictures = sorted((drawn / "train").rglob("*.png"))
        numbers = [KINDS.index(path.parent.name) * 7 for path in pictures]
        classifier = FewShotClassifier(drawn / "light", head="gda", cache=False).fit(pictures, numbers)
        folder = export(classifier, tmp_path / "out").folder
        assert json.loads((folder / "labels.json").read_text()) == [0, 7, 14]
        assert json.loads(ran(folder, pictures[0]).stdout)["label"] in classifier.predict(pictures[:1])


class TestTheProgram:
    def test_a_bad_picture_does_not_end_it(self, exported: Exported, drawn: Path, tmp_path: Path) -> None:
        (tmp_path / "bad.jpg").write_bytes(b"nothing")
        good = next((drawn / "test" / "car").iterdir())
        done = ran(exported.folder, tmp_path / "bad.jpg", tmp_path / "missing.jpg", good)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert done.returncode == 1
        assert ["error" in line for line in lines] == [True, True, False]
        assert lines[0].keys() == {"path", "error"}
        assert done.stderr == ""

    def test_without_a_picture_it_says_how_it_is_used(self, exported: Exported) -> None:
        done = ran(exported.folder)
        assert done.returncode == 1
        assert "python run.py PICTURE" in done.stderr

    @pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("--all",)])
    def test_without_a_picture_among_its_arguments_too(self, exported: Exported, arguments: tuple[str, ...]) -> None:
        done = ran(exported.folder, *arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert "python run.py PICTURE" in done.stderr

    def test_a_folder_is_no_picture(self, exported: Exported) -> None:
        assert "name the pictures in it" in ran(exported.folder, "example").stdout

    def test_whoever_reads_may_leave(self, exported: Exported) -> None:
        command = [sys.executable, "-B", "run.py", *["example/1.png"] * 50]
        with subprocess.Popen(
            command, cwd=exported.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert json.loads(process.stdout.readline())["path"] == "example/1.png"
            process.stdout.close()
            assert process.stderr.read() == ""

    def test_a_runtime_too_old_is_explained(self, exported: Exported, tmp_path: Path) -> None:
        import onnx

        folder = shutil.copytree(exported.folder, tmp_path / "new")
        model = onnx.load(folder / "model.onnx")
        model.opset_import[0].version = 99
        onnx.save(model, folder / "model.onnx")
        done = ran(folder, "example/1.png")
        assert done.returncode == 1
        assert "can't load model.onnx" in done.stderr
        assert "requirements.txt" in done.stderr
        assert "Traceback" not in done.stderr

    def test_it_is_short(self) -> None:
        from inkling.exporting.formats import PROGRAMS

        code = [line for line in (PROGRAMS / "run.py").read_text().splitlines() if line.strip()]
        assert len(code) < 55


class TestTheTarget:
    @pytest.fixture
    def target(self, exported: Exported, tmp_path: Path) -> Path:
        """An older export."""
        return shutil.copytree(exported.folder, tmp_path / "out")

    def test_what_is_there_is_not_replaced(self, memory: Path, target: Path) -> None:
        with pytest.raises(InputError, match="is there already"):
            export(memory, target)

    def test_an_older_export_is_replaced_where_that_is_asked_for(
        self, memory: Path, target: Path, listing: Callable[[], set[str]]
    ) -> None:
        before = (target / "manifest.json").read_text()
        export_with(memory, target, ExportOptions(overwrite=True))
        assert (target / "manifest.json").read_text() != before
        assert listing() == {"a.ink", "out"}

    @pytest.mark.parametrize("name", ["manifest.json", "own.txt"])
    def test_what_is_no_export_is_never_replaced(self, memory: Path, tmp_path: Path, name: str) -> None:
        (tmp_path / "site").mkdir()
        (tmp_path / "site" / name).write_text('{"name": "a web page"}')
        with pytest.raises(InputError, match="no export of Inkling"):
            export_with(memory, tmp_path / "site", ExportOptions(overwrite=True))
        assert files_of(tmp_path / "site") == {name}

    def test_own_files_in_an_export_are_not_lost(self, memory: Path, target: Path) -> None:
        (target / "server.py").write_text("own")
        with pytest.raises(InputError, match=r"holds 'server.py', which is no part of the export"):
            export_with(memory, target, ExportOptions(overwrite=True))
        assert (target / "server.py").exists()

    def test_a_full_disk_leaves_the_older_export(self, memory: Path, exported: Exported, small_disk: Path) -> None:
        target = shutil.copytree(exported.folder, small_disk / "out")
        fill(small_disk)
        with pytest.raises(InputError, match=r"cannot be written: No space left on device"):
            export_with(memory, target, ExportOptions(overwrite=True))
        assert files_of(target) == FILES
        assert {path.name for path in small_disk.iterdir()} == {"out", "rest"}

    def test_of_two_at_once_one_is_there_whole(
        self, memory: Path, tmp_path: Path, listing: Callable[[], set[str]]
    ) -> None:
        def run(_: int) -> Exported | InklingError:
            try:
                return export(memory, tmp_path / "out")
            except InklingError as error:
                return error

        with ThreadPoolExecutor(2) as pool:
            done = list(pool.map(run, range(2)))
        assert sorted(type(one).__name__ for one in done) == ["Exported", "InputError"]
        assert listing() == {"a.ink", "out"}
        assert files_of(tmp_path / "out") == FILES

    @pytest.mark.parametrize(
        ("name", "told"), [("missing/out", "does not exist"), ("a.ink", "is no folder"), (" ", "is empty")]
    )
    def test_where_nothing_can_be_written(self, memory: Path, tmp_path: Path, name: str, told: str) -> None:
        with pytest.raises(InputError, match=told):
            export(memory, tmp_path / name if name.strip() else name)


class TestRefused:
    def test_answers_that_differ(
        self, memory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listing: Callable[[], set[str]]
    ) -> None:
        right = FORMATS["onnx"]

        def of_other_classes(bundle: Bundle, folder: Path) -> Mapping[str, Any]:
            head = replace(bundle.fitted.fitted_head, temperature=3 * bundle.fitted.fitted_head.temperature)
            return right.write(replace(bundle, fitted=replace(bundle.fitted, fitted_head=head)), folder)

        monkeypatch.setitem(FORMATS, "onnx", replace(right, write=of_other_classes))
        with pytest.raises(InputError, match=r"was not written: probabilities differ by up to 0\.\d+"):
            export(memory, tmp_path / "out")
        assert listing() == {"a.ink"}

    def test_exemplars_that_are_gone_ask_for_pictures(self, drawn: Path, tmp_path: Path) -> None:
        train = shutil.copytree(drawn / "train", tmp_path / "train")
        classifier = FewShotClassifier(drawn / "light", head="gda", cache=False).fit(train)
        shutil.rmtree(train)
        with pytest.raises(InputError, match=r"None of the 36 exemplars is where it was.*\n.*--check DIR"):
            export(classifier, tmp_path / "out")
        done = export(classifier, tmp_path / "out", check=drawn / "test")
        assert done.parity.pictures == 12

    def test_a_memory_of_vectors_alone(self, tmp_path: Path) -> None:
        X, y = np.eye(4).repeat(5, axis=0), np.repeat([2, 5, 10, 11], 5)
        classifier = FewShotClassifier(head="gda").fit_embeddings(X, y)
        with pytest.raises(EncoderError, match=r"fitted on vectors.*\n.*--format head"):
            export(classifier, tmp_path / "out")
        done = export(classifier, tmp_path / "out", format="head")
        assert (done.parity.labels_equal, done.parity.pictures) == (120, 120)

    def test_pictures_that_cannot_be_read(self, memory: Path, tmp_path: Path) -> None:
        (tmp_path / "pictures").mkdir()
        (tmp_path / "pictures" / "a.jpg").write_bytes(b"nothing")
        with pytest.raises(InputError, match="None of the pictures to check the export with can be used"):
            export(memory, tmp_path / "out", check=tmp_path / "pictures")

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"format": "tflite"}, "There is no format 'tflite'"),
            ({"precision": "q4"}, "can't be exported in 'q4'"),
            ({"format": "head", "precision": "int8"}, "can't be exported in 'int8'"),
        ],
    )
    def test_what_there_is_not(self, memory: Path, tmp_path: Path, options: dict[str, Any], told: str) -> None:
        with pytest.raises(InputError, match=told):
            export(memory, tmp_path / "out", **options)


def test_pictures_in_a_zip_are_checked_with(memory: Path, drawn: Path, tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "test"), "zip", drawn / "test")
    done = export(memory, tmp_path / "out", check=archive)
    assert (done.parity.pictures, done.parity.labels_equal) == (12, 12)


def test_the_head_alone_of_a_memory(memory: Path, tmp_path: Path) -> None:
    done = export(memory, tmp_path / "out", format="head")
    assert done.parity.probability_difference < 1e-6
    head = dict(np.load(done.folder / "head.npz"))
    assert (head["weights"].shape, head["labels"].tolist()) == ((3, 48), list(KINDS))


@pytest.mark.shared
def test_texts_alone_make_a_whole_classifier(drawn: Path, tmp_path: Path, shared: Path) -> None:
    from tests.cli.program import SURROGATE

    classifier = zero_shot_classifier(["boat", "car", "truck"], SURROGATE, cache=False)
    done = export(classifier, tmp_path / "out", check=drawn / "test")
    assert done.parity.labels_equal == done.parity.pictures == 12
    assert done.manifest["unknown"] is None


def test_encoders_that_read_different_sizes_see_one_picture(drawn: Path, tmp_path: Path) -> None:
    """Inkling decodes a large JPEG for each at a scale of its own; an exported graph has one input for it."""
    from PIL import Image

    for path in sorted((drawn / "train").rglob("*.png")):
        place = tmp_path / "large" / path.parent.name
        place.mkdir(parents=True, exist_ok=True)
        Image.open(path).convert("RGB").resize((640, 640)).save(place / f"{path.stem}.jpg", quality=60)
    write_light_encoder(tmp_path / "wide", side=128)
    joined = f"{drawn / 'light'}+{tmp_path / 'wide'}"
    classifier = FewShotClassifier(joined, head="gda", cache=False).fit(tmp_path / "large")
    done = export(classifier, tmp_path / "out")
    assert done.parity.labels_equal == done.parity.pictures == 36
    assert done.parity.probability_difference < 1e-5
    assert "read pictures of different sizes" in (done.folder / "MODEL_CARD.md").read_text()


def test_weights_of_a_large_model_lie_beside_it(memory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inkling.exporting.formats.MOST_BYTES_OF_A_MODEL", 1000)
    done = export(memory, tmp_path / "out")
    assert files_of(done.folder) == FILES | {"model.onnx.data"}
    moved = done.folder.rename(tmp_path / "moved")
    assert ran(moved, "example/1.png").returncode == 0


@pytest.fixture(scope="module")
def drawings(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A memory by an encoder with a tower that can be rounded."""
    place = tmp_path_factory.mktemp("sketch") / "sketch.ink"
    FewShotClassifier("sketch", head="gda", false_alarms=0.1, cache=False).fit(drawn / "train").save(place)
    return place


class TestCoarserArithmetics:
    @pytest.mark.parametrize("precision", ["float16", "int8"])
    def test_what_is_lost_is_measured(self, drawings: Path, drawn: Path, tmp_path: Path, precision: str) -> None:
        options = {"check": drawn / "test", "max_loss": 50.0}
        plain = export(drawings, tmp_path / "plain", **options)
        coarse = export(drawings, tmp_path / "coarse", precision=precision, **options)
        sizes = [(one.folder / "model.onnx").stat().st_size for one in (plain, coarse)]
        assert sizes[1] < 0.75 * sizes[0]
        assert 0 < coarse.parity.probability_difference < 0.5
        loss = coarse.parity.top1_loss
        assert loss.low <= loss.share <= loss.high
        card = (coarse.folder / "MODEL_CARD.md").read_text()
        assert "| top-1 lost |" in card
        assert ran(coarse.folder, "example/1.png").returncode == 0

    def test_what_loses_more_than_is_allowed_is_refused(
        self, drawings: Path, tmp_path: Path, listing: Callable[[], set[str]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def compared(*answers: Any) -> Parity:
            return replace(compare(*answers), top1_loss=Loss(0.0101, 0.001, 0.02))

        monkeypatch.setattr("inkling.exporting.job.compare", compared)
        with pytest.raises(InputError, match=r"in int8 was not written: it loses 1.01 points of top-1"):
            export(drawings, tmp_path / "out", precision="int8")
        assert listing() == set()

    def test_a_tower_that_cannot_be_rounded(self, memory: Path, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no layer that could be quantised"):
            export(memory, tmp_path / "out", precision="int8")
