"""ONNX folders: the happy paths, the surrogate on real crops, and one test for each way a folder can be broken."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from inkling.embeddings.embed import embed_images
from inkling.encoders.base import Encoder
from inkling.encoders.devices import CUDA_PROVIDER
from inkling.encoders.onnx.encoder import OnnxEncoder
from inkling.errors import EncoderError, InputError
from inkling.images.sources import find_images
from tests.encoders.folders import change_json, pictures

SIDE, DIMENSION, FEATURES = 8, 6, 4
SURROGATE = Path(__file__).parents[3] / "bench" / "encoders" / "surrogate-clip-b32"

DESCRIPTION: dict[str, Any] = {
    "name": "tiny-onnx",
    "model": "model.onnx",
    "input": {
        "name": "pixels",
        "size": SIDE,
        "resize": "shorter_side",
        "interpolation": "bicubic",
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
    },
    "outputs": {"embeddings": "vectors", "features": "features"},
    "dimension": DIMENSION,
    "feature_dimension": FEATURES,
    "logit_scale": 50.0,
    "texts": {"table": "texts.npz", "template": "a photo of a {}."},
    "licence": "Apache-2.0",
    "source": "drawn by lot",
}


def save_model(path: Path, nodes: list[Any], weights: dict[str, np.ndarray], inputs: Any, outputs: Any) -> None:
    graph = helper.make_graph(
        nodes, "g", inputs, outputs, [numpy_helper.from_array(array, name) for name, array in weights.items()]
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


def save_image_model(path: Path) -> np.ndarray:
    """Two linear maps of the pixels; returns the weight of the first."""
    rng = np.random.default_rng(0)
    weights = {
        "w": rng.normal(size=(3 * SIDE * SIDE, DIMENSION)).astype(np.float32),
        "f": rng.normal(size=(3 * SIDE * SIDE, FEATURES)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Flatten", ["pixels"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "w"], ["vectors"]),
        helper.make_node("MatMul", ["flat", "f"], ["features"]),
    ]
    inputs = [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])]
    outputs = [
        helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", DIMENSION]),
        helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", FEATURES]),
    ]
    save_model(path, nodes, weights, inputs, outputs)
    return weights["w"]


def save_text_model(path: Path) -> np.ndarray:
    """The sum of token vectors, token 0 being padding; returns the table of token vectors."""
    table = np.random.default_rng(1).normal(size=(30, DIMENSION)).astype(np.float32)
    table[0] = 0
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["tokens"]),
        helper.make_node("ReduceMean", ["tokens"], ["text_embeds"], axes=[1], keepdims=0),
    ]
    inputs = [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["n", "length"])]
    outputs = [helper.make_tensor_value_info("text_embeds", TensorProto.FLOAT, ["n", DIMENSION])]
    save_model(path, nodes, {"table": table}, inputs, outputs)
    return table


def save_table(path: Path, names: list[str]) -> np.ndarray:
    vectors = np.random.default_rng(2).normal(size=(len(names), DIMENSION))
    np.savez(path, names=np.array(names), vectors=vectors.astype(np.float16))
    return vectors


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "encoder"
    found.mkdir()
    save_image_model(found / "model.onnx")
    save_table(found / "texts.npz", ["cat", "traffic light", "Zebra"])
    (found / "encoder.json").write_text(json.dumps(DESCRIPTION))
    return found


def with_open_texts(folder: Path, **more: Any) -> np.ndarray:
    words = ["[PAD]", "[EOS]", "[UNK]", "a", "cat", "dog"]
    tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A [EOS]", special_tokens=[("[EOS]", 1)])
    tokenizer.save(str(folder / "tokenizer.json"))
    change_json(
        folder / "encoder.json",
        texts={"model": "text.onnx", "tokenizer": "tokenizer.json", "max_length": 4, **more},
    )
    return save_text_model(folder / "text.onnx")


def test_vectors_and_features_are_those_of_the_model(folder: Path) -> None:
    weight = save_image_model(folder / "model.onnx")
    encoder = OnnxEncoder(folder)
    prepared = [encoder.prepare(image) for image in pictures(7)]
    vectors = encoder.encode_images(prepared)
    expected = np.stack(prepared).reshape(7, -1) @ weight
    np.testing.assert_allclose(vectors.embeddings, expected / np.linalg.norm(expected, axis=1)[:, None], atol=1e-5)
    assert vectors.features is not None
    assert vectors.features.shape == (7, FEATURES)
    alone = np.concatenate([encoder.encode_images([each]).embeddings for each in prepared])
    np.testing.assert_allclose(vectors.embeddings, alone, atol=1e-6)


def test_without_a_second_output(folder: Path) -> None:
    change_json(folder / "encoder.json", outputs={"embeddings": "vectors"}, feature_dimension=None)
    encoder = OnnxEncoder(folder)
    assert encoder.identity.feature_dimension == 0
    assert encoder.encode_images([encoder.prepare(pictures(1)[0])]).features is None


def test_an_empty_batch(folder: Path) -> None:
    vectors = OnnxEncoder(folder).encode_images([])
    assert vectors.embeddings.shape == (0, DIMENSION)
    assert vectors.features is not None
    assert vectors.features.shape == (0, FEATURES)


def test_preprocessing_scales_crops_and_normalises(folder: Path) -> None:
    wide = Image.new("RGB", (40, 10), (255, 0, 0))
    array = OnnxEncoder(folder).prepare(wide)
    assert array.shape == (3, SIDE, SIDE)
    assert [float(channel.mean()) for channel in array] == [1.0, -1.0, -1.0]


def test_square_resizing_keeps_the_margins(folder: Path) -> None:
    picture = Image.new("RGB", (80, SIDE))
    picture.paste((255, 255, 255), (0, 0, 10, SIDE))
    change_json(folder / "encoder.json", input={**DESCRIPTION["input"], "resize": "square"})
    squashed = OnnxEncoder(folder).prepare(picture)
    change_json(folder / "encoder.json", input=DESCRIPTION["input"])
    cropped = OnnxEncoder(folder).prepare(picture)
    assert squashed.max() > 0.5
    assert cropped.max() == -1.0


def test_the_identity_is_read_without_the_model(folder: Path) -> None:
    encoder = OnnxEncoder(folder, source="my/encoder")
    (folder / "model.onnx").write_bytes(b"not a model")
    identity = encoder.identity
    assert isinstance(encoder, Encoder)
    assert (identity.name, identity.source, identity.dimension) == ("tiny-onnx", "my/encoder", DIMENSION)
    assert (identity.feature_dimension, identity.logit_scale) == (FEATURES, 50.0)
    assert encoder.licence == "Apache-2.0"


@pytest.mark.parametrize("change", ["model", "table", "template", "mean"])
def test_the_fingerprint_follows_whatever_vectors_depend_on(change: str, folder: Path) -> None:
    before = OnnxEncoder(folder).identity.fingerprint
    if change == "model":
        path = folder / "model.onnx"
        model = onnx.load(path)
        model.graph.initializer[0].raw_data = bytes(len(model.graph.initializer[0].raw_data))
        onnx.save(model, path)
    elif change == "table":
        save_table(folder / "texts.npz", ["cat"])
    elif change == "template":
        change_json(folder / "encoder.json", texts={**DESCRIPTION["texts"], "template": "a {}"})
    else:
        change_json(folder / "encoder.json", input={**DESCRIPTION["input"], "mean": [0.4, 0.5, 0.5]})
    assert OnnxEncoder(folder).identity.fingerprint != before


def test_the_fingerprint_ignores_names_and_places(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    change_json(copy / "encoder.json", name="another", licence="MIT")
    assert OnnxEncoder(copy).identity.fingerprint == OnnxEncoder(folder).identity.fingerprint


def test_a_table_is_asked_by_the_prompt_that_made_it(folder: Path) -> None:
    vectors = save_table(folder / "texts.npz", ["cat", "traffic light", "Zebra"]).astype(np.float16)
    encoder = OnnxEncoder(folder)
    assert encoder.text_template == "a photo of a {}."
    texts = ["a photo of a zebra.", "A photo of a  CAT."]
    expected = vectors[[2, 0]].astype(np.float32)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(encoder.encode_texts(texts), expected, atol=1e-6)
    asked = ["cat", "a cat", "a photo of a dog.", *texts]
    assert encoder.missing_texts(asked) == ["cat", "a cat", "a photo of a dog."]
    with pytest.raises(EncoderError, match=r"of the form 'a photo of a \{\}\.'; it lacks 1: 'a cat'"):
        encoder.encode_texts(["a cat"])


def test_without_texts(folder: Path) -> None:
    change_json(folder / "encoder.json", texts=None)
    encoder = OnnxEncoder(folder)
    assert not encoder.has_texts
    assert encoder.missing_texts(["a cat"]) == ["a cat"]
    with pytest.raises(EncoderError, match="no text side"):
        encoder.encode_texts(["a cat"])


def test_open_texts_are_padded_and_cut(folder: Path) -> None:
    table = with_open_texts(folder, pad_to=4, lower_case=True)
    encoder = OnnxEncoder(folder)
    assert encoder.has_texts
    assert encoder.text_template is None
    assert encoder.missing_texts(["anything"]) == []
    found = encoder.encode_texts(["A cat", "a dog a dog a dog"])
    expected = np.stack([table[[3, 4, 1, 0]].mean(0), table[[3, 5, 3, 1]].mean(0)])
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected, axis=1)[:, None], atol=1e-6)
    assert encoder.encode_texts([]).shape == (0, DIMENSION)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("model", None, "lacks 'model'"),
        ("model", "gone.onnx", "'model' names doesn't exist"),
        ("model", 3, "'model' must be of type str, not 3"),
        ("input", None, "lacks 'input'"),
        ("input.size", None, "lacks 'input.size'"),
        ("input.size", 0, "'input.size' must be positive"),
        ("input.size", True, "'input.size' must be of type int"),
        ("input.resize", "stretch", "'input.resize' must be one of shorter_side, square, not 'stretch'"),
        ("input.interpolation", "cubic", "'input.interpolation' must be one of"),
        ("input.mean", [0.5], "'input.mean' must be three numbers"),
        ("input.std", ["a", "b", "c"], "'input.std' must be three numbers"),
        ("outputs", {}, "lacks 'outputs.embeddings'"),
        ("dimension", None, "lacks 'dimension'"),
        ("feature_dimension", None, "lacks 'feature_dimension'"),
        ("logit_scale", -1, "'logit_scale' must be a positive number"),
        ("texts.template", "a photo", "'texts.template' must be a prompt with one {}"),
        ("texts.table", "gone.npz", "'texts.table' names doesn't exist"),
        ("licence", None, "lacks 'licence'"),
        ("source", None, "lacks 'source'"),
    ],
)
def test_a_wrong_key_is_named(key: str, value: object, message: str, folder: Path) -> None:
    section, _, inner = key.rpartition(".")
    changed = {**DESCRIPTION[section], inner: value} if section else value
    change_json(folder / "encoder.json", **{section or key: changed})
    with pytest.raises(EncoderError) as raised:
        OnnxEncoder(folder)
    assert message in str(raised.value)


def test_a_damaged_model(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"not a model")
    encoder = OnnxEncoder(folder)
    with pytest.raises(EncoderError, match="can't be loaded"):
        encoder.encode_images([encoder.prepare(pictures(1)[0])])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"outputs": {"embeddings": "gone"}}, "no outputs named gone; it has vectors, features"),
        ({"input": {**DESCRIPTION["input"], "name": "gone"}}, "no inputs named gone; it has pixels"),
        ({"input": {**DESCRIPTION["input"], "size": 9}}, "refuses inputs of shapes"),
    ],
)
def test_a_model_that_differs_from_its_description(changes: dict[str, Any], message: str, folder: Path) -> None:
    change_json(folder / "encoder.json", **changes)
    encoder = OnnxEncoder(folder)
    with pytest.raises(EncoderError, match=message):
        encoder.encode_images([encoder.prepare(pictures(1)[0])])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"names": np.array(["cat"])}, "can't be read"),
        ({"names": np.array(["cat"]), "vectors": np.ones((2, DIMENSION))}, "expected"),
        ({"names": np.array([1]), "vectors": np.ones((1, DIMENSION))}, "expected"),
        ({"names": np.array(["cat"], dtype=object), "vectors": np.ones((1, DIMENSION))}, "can't be read"),
        ({"names": np.array(["cat"]), "vectors": np.zeros((1, DIMENSION))}, "length zero"),
        ({"names": np.array(["cat"]), "vectors": np.full((1, DIMENSION), np.nan)}, "finite"),
    ],
)
def test_a_wrong_table(content: dict[str, np.ndarray], message: str, folder: Path) -> None:
    np.savez(folder / "texts.npz", **content)
    with pytest.raises(EncoderError, match=message):
        OnnxEncoder(folder).missing_texts(["a cat"])


def test_a_table_that_is_no_npz(folder: Path) -> None:
    (folder / "texts.npz").write_bytes(b"PK nothing")
    with pytest.raises(EncoderError, match="can't be read"):
        OnnxEncoder(folder).encode_texts(["a cat"])


def test_a_damaged_tokenizer(folder: Path) -> None:
    with_open_texts(folder)
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(EncoderError, match="tokenizer"):
        OnnxEncoder(folder).encode_texts(["a cat"])


def test_precision_is_the_models_own(folder: Path) -> None:
    with pytest.raises(EncoderError, match="carries its arithmetic"):
        OnnxEncoder(folder, precision="int8")


def test_a_device_that_is_not_there_is_refused_before_anything_is_encoded(folder: Path) -> None:
    for device, told in (("mps", "not on mps"), ("cuda", "onnxruntime"), ("tpu", "auto, cpu, cuda or mps, got 'tpu'")):
        with pytest.raises(InputError, match=told):
            OnnxEncoder(folder, device=device)


def test_a_gpu_that_onnxruntime_passes_over_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: [CUDA_PROVIDER, "CPUExecutionProvider"])
    encoder = OnnxEncoder(folder, device="cuda")
    with pytest.raises(InputError, match="cannot use the device 'cuda'"):
        encoder.encode_images([np.zeros((3, SIDE, SIDE), np.float32)])


@pytest.mark.shared
@pytest.mark.slow
def test_zero_shot_with_the_surrogate_on_real_crops(shared: Path) -> None:
    """378 of 503 are known to be right; two more or less are a matter of rounding in resizing."""
    encoder = OnnxEncoder(SURROGATE)
    records = find_images(shared / "data" / "coco_crops" / "few_shot" / "test").records
    classes = sorted({str(record.label) for record in records})
    texts = encoder.encode_texts([f"a {name}" for name in classes])
    embedded = embed_images(records, encoder, cache=None)
    labels = [classes[at] for at in (embedded.embeddings @ texts.T).argmax(axis=1)]
    correct = sum(label == record.label for label, record in zip(labels, embedded.records, strict=True))
    assert len(embedded.records) == 503
    assert abs(correct - 378) <= 2
    assert embedded.features is not None
    assert embedded.features.shape == (503, 2560)
