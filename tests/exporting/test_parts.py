"""Parts of an exported model answer together as the whole does, by other runtimes too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image

from inkling import export
from inkling.errors import InputError
from inkling.exporting.parts import part_of

ANSWERS = ["probabilities", "label_id", "unknown", "p_known"]


@pytest.fixture(scope="module")
def model(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> onnx.ModelProto:
    return onnx.load(export(drawn / "a.ink", tmp_path_factory.mktemp("parts") / "out").folder / "model.onnx")


@pytest.fixture(scope="module")
def pictures(drawn: Path) -> list[np.ndarray]:
    return [np.asarray(Image.open(path).convert("RGB")) for path in sorted((drawn / "test").rglob("*.png"))]


def run(part: onnx.ModelProto, outputs: Sequence[str], given: dict[str, Any]) -> list[np.ndarray]:
    found: list[np.ndarray] = onnxruntime.InferenceSession(part.SerializeToString()).run(list(outputs), given)
    return found


def test_three_parts_answer_as_the_whole(model: onnx.ModelProto, pictures: list[np.ndarray]) -> None:
    first, tower, last = (
        part_of(model, *ends)
        for ends in ((["image"], ["prepared"]), (["prepared"], ["vectors"]), (["vectors"], ANSWERS))
    )
    assert "If" not in {node.op_type for node in tower.graph.node}
    for picture in pictures[:3]:
        (prepared,) = run(first, ["prepared"], {"image": picture})
        (vectors,) = run(tower, ["vectors"], {"prepared": prepared})
        for found, expected in zip(
            run(last, ANSWERS, {"vectors": vectors}), run(model, ANSWERS, {"image": picture}), strict=True
        ):
            np.testing.assert_array_equal(found, expected)


def test_openvino_runs_the_tower(model: onnx.ModelProto, pictures: list[np.ndarray], tmp_path: Path) -> None:
    openvino = pytest.importorskip("openvino", reason="OpenVINO comes with the extra 'dev'")
    onnx.save(part_of(model, ["prepared"], ["vectors"]), tmp_path / "tower.onnx")
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    tower = openvino.Core().compile_model(tmp_path / "tower.onnx", "CPU", exact)
    first, last = part_of(model, ["image"], ["prepared"]), part_of(model, ["vectors"], ANSWERS)
    prepared = np.concatenate([run(first, ["prepared"], {"image": picture})[0] for picture in pictures])
    p, labels, unknown, p_known = run(last, ANSWERS, {"vectors": tower([prepared])["vectors"]})
    nothing = np.zeros((0, 0, 3), np.uint8)
    expected = run(model, ANSWERS, {"image": nothing, "pixel_values": prepared})
    np.testing.assert_allclose(p, expected[0], atol=1e-4)
    for found, wanted in zip((labels, unknown, p_known), expected[1:], strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_what_is_not_there_or_not_enough(model: onnx.ModelProto) -> None:
    with pytest.raises(InputError, match=r"no value 'logits'.*\n.*prepared, vectors"):
        part_of(model, ["image"], ["logits"])
    with pytest.raises(InputError, match="takes 'image' too"):
        part_of(model, ["pixel_values"], ["vectors"])
