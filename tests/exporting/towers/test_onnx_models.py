"""Encoders that are ONNX models: folders with an `encoder.json`, and repositories in their layouts."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from inkling.encoders.registry import load_encoder
from inkling.errors import EncoderError
from inkling.exporting.image_side import image_side
from tests.encoders.folders import change_json, pictures, write_clip
from tests.encoders.onnx.repositories import write_both_in_one, write_immich, write_transformers_js
from tests.encoders.onnx.test_encoder import DESCRIPTION, DIMENSION, SIDE, save_image_model, save_model, save_table
from tests.encoders.onnx.test_repository import with_external_weights
from tests.exporting.sides import assert_answers_like


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_image_model(tmp_path / "model.onnx")
    save_table(tmp_path / "texts.npz", ["cat", "dog"])
    (tmp_path / "encoder.json").write_text(json.dumps(DESCRIPTION))
    return tmp_path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    write_clip(folder)
    return folder


def test_a_folder_with_features(folder: Path) -> None:
    assert_answers_like(load_encoder(folder), pictures(5), atol=1e-6)


def test_a_folder_without_features(folder: Path) -> None:
    change_json(folder / "encoder.json", outputs={"embeddings": "vectors"}, feature_dimension=None)
    assert_answers_like(load_encoder(folder), pictures(3), atol=1e-6)


def test_weights_beside_the_model(folder: Path) -> None:
    with_external_weights(folder / "model.onnx")
    assert_answers_like(load_encoder(folder), pictures(3), atol=1e-6)


@pytest.mark.parametrize("write", [write_transformers_js, write_both_in_one, write_immich])
def test_repositories(write: Callable[[Path, Path], Path], clip: Path, tmp_path: Path) -> None:
    """Towers alone, both in one file, and of a fixed number of rows."""
    assert_answers_like(load_encoder(write(clip, tmp_path / "repository")), pictures(5), atol=1e-6)


def test_text_towers_are_left_out(clip: Path, tmp_path: Path) -> None:
    repository = write_both_in_one(clip, tmp_path / "repository")
    (tower,) = image_side(load_encoder(repository)).towers
    assert [each.name for each in tower.model.graph.input] == ["pixel_values"]
    assert tower.model.ByteSize() < 0.7 * (repository / "onnx/model.onnx").stat().st_size


def test_a_model_that_rounds_by_what_it_is_given(clip: Path, tmp_path: Path) -> None:
    from onnxruntime.quantization import quantize_dynamic

    repository = write_transformers_js(clip, tmp_path / "repository")
    for tower in ("vision_model", "text_model"):
        quantize_dynamic(repository / f"onnx/{tower}.onnx", repository / f"onnx/{tower}_quantized.onnx")
    # Within a loop the runtime fuses otherwise; without AVX-512 that shows in a last bit, and one before a rounding
    # moves a value by a step of 8 bits.
    step = 0.0 if torch.backends.cpu.get_cpu_capability() == "AVX512" else 1 / 255
    assert_answers_like(load_encoder(repository, precision="int8"), pictures(5), atol=max(1e-6, step))


def save_odd_model(path: Path, *, rows: int | str, kind: int) -> None:
    """One vector a token, the first being the class token's, from inputs of another number type."""
    size = 3 * SIDE * SIDE
    numpy_kind = helper.tensor_dtype_to_np_dtype(kind)
    weights = {
        "w": np.random.default_rng(0).normal(size=(size, 3 * DIMENSION)).astype(numpy_kind),
        "shape": np.array([-1, 3, DIMENSION]),
        "one": np.array([1.0], numpy_kind),
    }
    nodes = [
        helper.make_node("Flatten", ["pixels"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "w"], ["mapped"]),
        helper.make_node("Reshape", ["mapped", "shape"], ["vectors"]),
    ]
    inputs = [helper.make_tensor_value_info("pixels", kind, [rows, 3, SIDE, SIDE])]
    outputs = [helper.make_tensor_value_info("vectors", kind, [rows, 3, DIMENSION])]
    save_model(path, nodes, weights, inputs, outputs)


@pytest.mark.parametrize(
    ("rows", "kind"),
    [("n", TensorProto.FLOAT), (2, TensorProto.FLOAT), (1, TensorProto.FLOAT), ("n", TensorProto.FLOAT16)],
)
def test_vectors_of_tokens_fixed_rows_and_half_precision(folder: Path, rows: int | str, kind: int) -> None:
    save_odd_model(folder / "model.onnx", rows=rows, kind=kind)
    change_json(folder / "encoder.json", outputs={"embeddings": "vectors"}, feature_dimension=None)
    assert_answers_like(load_encoder(folder), pictures(5), atol=1e-6)


def test_vectors_that_depend_on_another_input_are_refused(folder: Path) -> None:
    model = onnx.load(folder / "model.onnx")
    model.graph.input.append(helper.make_tensor_value_info("scale", TensorProto.FLOAT, []))
    model.graph.node[1].output[0] = "unscaled"
    model.graph.node.append(helper.make_node("Mul", ["unscaled", "scale"], ["vectors"]))
    onnx.save(model, folder / "model.onnx")
    with pytest.raises(EncoderError, match="depend on its inputs scale too"):
        image_side(load_encoder(folder))


@pytest.mark.parametrize("fault", ["gone", "cut short", "names"])
def test_models_that_cannot_be_read(folder: Path, fault: str) -> None:
    encoder = load_encoder(folder)
    file = folder / "model.onnx"
    if fault == "gone":
        file.unlink()
    elif fault == "cut short":
        file.write_bytes(file.read_bytes()[:-9])
    else:
        change_json(folder / "encoder.json", outputs={"embeddings": "no such output"}, feature_dimension=None)
        encoder = load_encoder(folder)
    with warnings.catch_warnings(), pytest.raises(EncoderError, match=r"model\.onnx"):
        image_side(encoder)
