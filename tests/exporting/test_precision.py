"""Exported models with coarser image towers: near the plain one, smaller, and refused where they can't be had."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from inkling import FewShotClassifier
from inkling.encoders.base import Encoder
from inkling.encoders.registry import load_encoder
from inkling.errors import InputError
from inkling.exporting import precision as precision_module
from inkling.exporting.image_side import image_side
from inkling.exporting.model import build_model
from inkling.exporting.precision import PRECISIONS, shrunk
from inkling.sketch import draw
from tests.encoders.folders import write_clip
from tests.encoders.onnx.repositories import write_immich
from tests.encoders.onnx.test_encoder import DESCRIPTION, SURROGATE, save_image_model, save_table
from tests.exporting.sides import opened, prepared

KINDS = ("car", "boat", "bicycle", "tree")
NO_PICTURE = np.zeros((0, 0, 3), np.uint8)


def drawn(per_class: int, *, seed: int) -> list[Image.Image]:
    return [draw(kind, seed=seed + number, size=64) for kind in KINDS for number in range(per_class)]


def exported(encoder: Encoder, images: list[Image.Image]) -> onnx.ModelProto:
    labels = np.repeat(KINDS, len(images) // len(KINDS))
    classifier = FewShotClassifier(encoder, head="prototype", cache=False).fit(images, labels)
    return build_model(classifier.fitted, image_side(encoder), description="under test")


def entries(encoder: Encoder, images: list[Image.Image]) -> dict[str, np.ndarray]:
    names = [entry.name for entry in image_side(encoder).entries]
    return dict(zip(names, prepared(encoder, images), strict=True))


def answers(model: onnx.ModelProto, given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    session = opened(model)
    found = session.run(None, {"image": NO_PICTURE, **given})
    return dict(zip((each.name for each in session.get_outputs()), found, strict=True))


@pytest.fixture(scope="module")
def sketch() -> tuple[Encoder, onnx.ModelProto]:
    encoder = load_encoder("sketch")
    return encoder, exported(encoder, drawn(8, seed=0))


@pytest.mark.parametrize(("precision", "least_cosine", "share"), [("float16", 0.99999, 0.7), ("int8", 0.99, 0.6)])
def test_answers_stay_near_and_the_model_shrinks(
    sketch: tuple[Encoder, onnx.ModelProto], precision: str, least_cosine: float, share: float
) -> None:
    encoder, model = sketch
    size = model.ByteSize()
    coarse = shrunk(model, precision, entries(encoder, drawn(8, seed=0)))
    test = entries(encoder, drawn(10, seed=100))
    plain, found = answers(model, test), answers(coarse, test)
    assert (plain["embedding"] * found["embedding"]).sum(axis=1).min() > least_cosine
    assert np.mean(plain["label_id"] == found["label_id"]) > 0.95
    assert not np.array_equal(plain["embedding"], found["embedding"])
    assert coarse.ByteSize() < share * size
    assert model.ByteSize() == size
    one = drawn(1, seed=7)[0]
    (alone,) = opened(coarse).run(["embedding"], {"image": np.asarray(one)})
    np.testing.assert_allclose(alone, answers(coarse, entries(encoder, [one]))["embedding"], atol=1e-6)


def test_float32_is_the_model_itself(sketch: tuple[Encoder, onnx.ModelProto]) -> None:
    assert shrunk(sketch[1], "float32", {}) is sketch[1]


def test_each_tower_of_joined_encoders_is_quantised() -> None:
    encoder = load_encoder("sketch@40 + pocket")
    images = drawn(3, seed=0)
    model = exported(encoder, images)
    given = entries(encoder, images)
    coarse = shrunk(model, "int8", given)
    rounding = [node.name for node in coarse.graph.node if node.op_type == "QuantizeLinear"]
    assert {name.split("/")[0] for name in rounding} == {"tower_1", "tower_2"}
    plain, found = answers(model, given), answers(coarse, given)
    assert (plain["embedding"] * found["embedding"]).sum(axis=1).min() > 0.99


def test_head_and_detector_stay_in_float(sketch: tuple[Encoder, onnx.ModelProto]) -> None:
    encoder, model = sketch
    coarse = shrunk(model, "int8", entries(encoder, drawn(4, seed=0)))
    before = [node for node in model.graph.node if not node.name.startswith("tower_")]
    after = [node for node in coarse.graph.node if not node.name.startswith("tower_")]
    assert [node.SerializeToString() for node in after] == [node.SerializeToString() for node in before]
    weights = {tensor.name: tensor for tensor in coarse.graph.initializer}
    for tensor in model.graph.initializer:
        if not tensor.name.startswith("tower_"):
            assert weights[tensor.name].SerializeToString() == tensor.SerializeToString()


def test_a_precision_that_does_not_exist(sketch: tuple[Encoder, onnx.ModelProto]) -> None:
    with pytest.raises(InputError, match=r"no precision 'int4' of exports") as refusal:
        shrunk(sketch[1], "int4", {})
    assert all(name in str(refusal.value.remedy) for name in PRECISIONS)


def test_int8_without_a_picture(sketch: tuple[Encoder, onnx.ModelProto]) -> None:
    with pytest.raises(InputError, match="needs pictures that show the ranges"):
        shrunk(sketch[1], "int8", {"pixel_values": np.zeros((0, 3, 48, 48), np.float32)})


def test_towers_of_a_fixed_number_of_pictures_are_refused(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip")
    encoder = load_encoder(write_immich(tmp_path / "clip", tmp_path / "repository"))
    images = drawn(2, seed=0)
    with pytest.raises(InputError, match="reads a fixed number of pictures at once"):
        shrunk(exported(encoder, images), "int8", entries(encoder, images))


def test_towers_without_a_layer_that_could_be_quantised_are_refused(tmp_path: Path) -> None:
    save_image_model(tmp_path / "model.onnx")
    save_table(tmp_path / "texts.npz", ["cat", "dog"])
    (tmp_path / "encoder.json").write_text(json.dumps(DESCRIPTION))
    encoder, images = load_encoder(tmp_path), drawn(2, seed=0)
    with pytest.raises(InputError, match="no layer that could be quantised"):
        shrunk(exported(encoder, images), "int8", entries(encoder, images))


def test_what_the_runtime_cannot_run_is_said(
    sketch: tuple[Encoder, onnx.ModelProto], monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder, model = sketch

    def of_no_runtime(model: onnx.ModelProto, pictures: object) -> onnx.ModelProto:
        made = onnx.ModelProto()
        made.CopyFrom(model)
        made.graph.node[0].op_type = "OperatorOfTomorrow"
        return made

    monkeypatch.setattr(precision_module, "quantised", of_no_runtime)
    with pytest.raises(InputError, match=r"onnxruntime [\d.]+ can't run the model in int8"):
        shrunk(model, "int8", entries(encoder, drawn(1, seed=0)))


@pytest.mark.slow
@pytest.mark.thorough(quick="test_answers_stay_near_and_the_model_shrinks")
@pytest.mark.shared
def test_the_surrogate_on_photographs(shared: Path) -> None:
    """Chosen on training images of other tasks; here, those of the vehicles that no fit has seen."""
    encoder = load_encoder(SURROGATE)
    files = sorted((shared / "data/coco_crops/few_shot/train").glob("*/*.jpg"))
    images = {file: Image.open(file).convert("RGB") for file in files}
    fit = [file for at, file in enumerate(files) if at % 3]
    classifier = FewShotClassifier(encoder, cache=False).fit(
        [images[file] for file in fit], [file.parent.name for file in fit]
    )
    model = build_model(classifier.fitted, image_side(encoder), description="under test")
    coarse = shrunk(model, "int8", entries(encoder, [images[file] for file in fit[::4]]))
    test = entries(encoder, [images[file] for file in files[::3]])
    plain, found = answers(model, test), answers(coarse, test)
    assert (plain["embedding"] * found["embedding"]).sum(axis=1).min() > 0.99
    assert np.mean(plain["label_id"] == found["label_id"]) > 0.95
    assert np.mean(plain["unknown"] == found["unknown"]) > 0.95
