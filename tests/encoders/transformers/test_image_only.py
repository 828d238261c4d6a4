"""Models of images alone: the library's own are the reference."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional
from transformers import (
    AutoImageProcessor,
    ConvNextConfig,
    ConvNextModel,
    ConvNextV2Config,
    ConvNextV2ForImageClassification,
    ConvNextV2Model,
    Data2VecVisionConfig,
    Data2VecVisionForImageClassification,
    Data2VecVisionModel,
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersModel,
    DINOv3ConvNextConfig,
    DINOv3ConvNextModel,
    DINOv3ViTConfig,
    DINOv3ViTModel,
    PreTrainedModel,
    ViTConfig,
    ViTForImageClassification,
    ViTModel,
)
from transformers.models.beit.image_processing_pil_beit import BeitImageProcessorPil
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.convnext.image_processing_pil_convnext import ConvNextImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

from inkling.encoders.transformers.encoder import TransformersEncoder
from inkling.errors import EncoderError
from tests.encoders.folders import make_lively, pictures, reload

STAGES = {"hidden_sizes": [16, 24, 32, 48], "depths": [1, 1, 2, 1], "image_size": 32}
SIZES = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "image_size": 32, "patch_size": 8}
WIDE = {**SIZES, "intermediate_size": 96}
OTHERS = {
    "DINOv2 with registers": lambda: Dinov2WithRegistersModel(Dinov2WithRegistersConfig(**SIZES)),
    "ViT": lambda: ViTModel(ViTConfig(**WIDE)),
    "classifier by ViT": lambda: ViTForImageClassification(ViTConfig(**WIDE)),
    "DINOv3": lambda: DINOv3ViTModel(DINOv3ViTConfig(**WIDE, num_register_tokens=4)),
    "DINOv3 with gates": lambda: DINOv3ViTModel(DINOv3ViTConfig(**WIDE, use_gated_mlp=True)),
    "DINOv3 of convolutions": lambda: DINOv3ConvNextModel(DINOv3ConvNextConfig(**STAGES)),
    "ConvNeXt": lambda: ConvNextModel(ConvNextConfig(**STAGES)),
    "ConvNeXt V2": lambda: ConvNextV2Model(ConvNextV2Config(**STAGES)),
    "classifier by ConvNeXt V2": lambda: ConvNextV2ForImageClassification(ConvNextV2Config(**STAGES)),
    "Data2Vec": lambda: Data2VecVisionModel(
        Data2VecVisionConfig(**WIDE, use_relative_position_bias=True), add_pooling_layer=True
    ),
    "classifier by Data2Vec": lambda: Data2VecVisionForImageClassification(
        Data2VecVisionConfig(**WIDE, use_mean_pooling=False)
    ),
}
PROCESSORS = {
    "ViT": lambda: ViTImageProcessorPil(size=32),
    "DINOv2": lambda: BitImageProcessorPil(size={"shortest_edge": 38}, crop_size=32),
    "ConvNeXt": lambda: ConvNextImageProcessorPil(size={"shortest_edge": 32}),
    "Data2Vec": lambda: BeitImageProcessorPil(size={"height": 32, "width": 32}),
}
DINOV3_PROCESSOR = {
    "image_processor_type": "DINOv3ViTImageProcessorFast",
    "size": {"height": 32, "width": 32},
    "resample": 2,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}


def write_other(folder: Path, family: str) -> PreTrainedModel:
    """A tiny model of another family of images alone, with its image processor."""
    torch.manual_seed(0)
    model = OTHERS[family]()
    make_lively(model)
    model.save_pretrained(folder)
    if "DINOv3" in family:  # the library's own wants torchvision
        (folder / "preprocessor_config.json").write_text(json.dumps(DINOV3_PROCESSOR))
    else:
        next(make for name, make in PROCESSORS.items() if name in family)().save_pretrained(folder)
    return model.eval()


def pixels_of(folder: Path, images: list) -> torch.Tensor:
    """Pictures as the library prepares them; for DINOv3, step by step in torch, as its processor does."""
    if "DINOv3" not in (folder / "preprocessor_config.json").read_text():
        return AutoImageProcessor.from_pretrained(folder)(images=images, return_tensors="pt")["pixel_values"]
    mean, std = (torch.tensor(DINOV3_PROCESSOR[key])[:, None, None] for key in ("image_mean", "image_std"))
    resized = [
        functional.interpolate(
            torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)[None].float() / 255,
            (32, 32),
            mode="bilinear",
            antialias=True,
        )[0]
        for image in images
    ]
    return torch.stack([(one - mean) / std for one in resized])


@pytest.mark.parametrize("family", OTHERS)
def test_vectors_of_other_families_are_those_of_the_library(family: str, tmp_path: Path) -> None:
    model, images = write_other(tmp_path, family), pictures(9)
    with torch.inference_mode():
        base = model.base_model if "classifier" in family else model
        output = base(pixel_values=pixels_of(tmp_path, images))
    pools = any(name in family for name in ("ConvNeXt", "Data2Vec", "convolutions"))
    vectors = (output.pooler_output if pools else output.last_hidden_state[:, 0]).numpy()
    expected = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    encoder = TransformersEncoder(tmp_path, precision="float32")
    found = encoder.encode_images([encoder.prepare(image) for image in images]).embeddings
    assert np.ptp(expected @ expected.T) > 0.01  # otherwise the comparison would show nothing
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert encoder.identity.dimension == found.shape[1]
    assert encoder.identity.logit_scale == pytest.approx(1 / 0.07)
    assert not encoder.has_texts


@pytest.mark.parametrize("family", OTHERS)
def test_pictures_are_prepared_as_by_the_library(family: str, tmp_path: Path) -> None:
    write_other(tmp_path, family)
    encoder, images = TransformersEncoder(tmp_path), pictures(9)
    found = np.stack([encoder.prepare(image) for image in images])
    if "DINOv3" in family:
        np.testing.assert_allclose(found, pixels_of(tmp_path, images).numpy(), atol=2e-5)
    else:
        np.testing.assert_array_equal(found, pixels_of(tmp_path, images).numpy())


def test_convnext_squeezes_large_pictures_and_crops_none(tmp_path: Path) -> None:
    write_other(tmp_path, "ConvNeXt V2")
    ConvNextImageProcessorPil(size={"shortest_edge": 384}).save_pretrained(tmp_path)
    encoder, images = TransformersEncoder(tmp_path), pictures(3)
    found = np.stack([encoder.prepare(image) for image in images])
    np.testing.assert_array_equal(found, pixels_of(tmp_path, images).numpy())


def test_a_data2vec_without_pooler_normalises_the_mean(tmp_path: Path) -> None:
    """As published before fine-tuning. Nothing may be made up at random."""
    model, images = write_other(tmp_path, "Data2Vec"), pictures(5)
    weights = {name: tensor for name, tensor in model.state_dict().items() if not name.startswith("pooler.")}
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with torch.inference_mode():
        means = model(pixel_values=pixels_of(tmp_path, images)).last_hidden_state[:, 1:].mean(1)
        expected = functional.normalize(functional.layer_norm(means, means.shape[1:], eps=1e-12)).numpy()
    encoder = TransformersEncoder(tmp_path, precision="float32")
    found = encoder.encode_images([encoder.prepare(image) for image in images]).embeddings
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("family", ["ConvNeXt V2", "Data2Vec", "DINOv3"])
def test_a_missing_tensor_is_never_made_up(family: str, tmp_path: Path) -> None:
    model = write_other(tmp_path, family)
    of_layers = [name for name in model.state_dict() if "layer" in name and "norm" not in name]
    gone = next(name for name in of_layers if name.endswith("weight"))
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items() if name != gone}
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    encoder = TransformersEncoder(tmp_path)
    batch = [encoder.prepare(picture) for picture in pictures(1)]
    with pytest.raises(EncoderError, match="lack 1 tensor of the model"):
        encoder.encode_images(batch)


def test_a_data2vec_reads_one_size_alone(tmp_path: Path) -> None:
    write_other(tmp_path, "Data2Vec")
    BeitImageProcessorPil(size={"height": 48, "width": 48}).save_pretrained(tmp_path)
    with pytest.raises(EncoderError, match=r"makes \(48, 48\) pixels of a picture; the model reads \(32, 32\)"):
        TransformersEncoder(tmp_path)


def class_tokens(folder: Path, images: list) -> np.ndarray:
    """Unit class tokens of the library itself, by its own image processor."""
    pixels = AutoImageProcessor.from_pretrained(folder)(images=images, return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        tokens = reload(folder)(pixel_values=pixels).last_hidden_state[:, 0].numpy()
    return tokens / np.linalg.norm(tokens, axis=1, keepdims=True)


@pytest.mark.parametrize("family", ["dinov2"])
def test_vectors_are_the_class_tokens_of_the_library(family: str, request: pytest.FixtureRequest) -> None:
    folder, images = request.getfixturevalue(f"{family}_folder"), pictures(9)
    expected = class_tokens(folder, images)
    encoder = TransformersEncoder(folder, precision="float32")
    found = encoder.encode_images([encoder.prepare(image) for image in images]).embeddings
    assert np.ptp(expected @ expected.T) > 0.01  # otherwise the comparison would show nothing
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert encoder.identity.dimension == found.shape[1]


def test_there_are_no_texts(dinov2_folder: Path) -> None:
    encoder = TransformersEncoder(dinov2_folder)
    assert not encoder.has_texts
    assert encoder.missing_texts(["a cat", "a dog"]) == ["a cat", "a dog"]
    with pytest.raises(EncoderError, match=r"is a DINOv2, which has no text tower[\s\S]*Fit on images alone"):
        encoder.encode_texts(["a cat"])


def test_the_logit_scale_is_a_fixed_one(dinov2_folder: Path) -> None:
    assert TransformersEncoder(dinov2_folder).identity.logit_scale == pytest.approx(1 / 0.07)


def test_pictures_need_not_be_square(dinov2_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(dinov2_folder, tmp_path / "wide")
    config = json.loads((folder / "preprocessor_config.json").read_text())
    changed = config | {"crop_size": {"height": 24, "width": 37}}
    (folder / "preprocessor_config.json").write_text(json.dumps(changed))
    images = pictures(5)
    encoder = TransformersEncoder(folder, precision="float32")
    found = encoder.encode_images([encoder.prepare(image) for image in images]).embeddings
    np.testing.assert_allclose(found, class_tokens(folder, images), atol=1e-4)


@pytest.mark.parametrize("heads", [5, 48])
def test_heads_of_another_model_are_noticed(heads: int, tmp_path: Path) -> None:
    """No shape of a weight shows them."""
    write_other(tmp_path, "DINOv3")
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"num_attention_heads": heads}))
    encoder = TransformersEncoder(tmp_path)
    batch = [encoder.prepare(picture) for picture in pictures(1)]
    with pytest.raises(EncoderError, match=r"can't be (run|loaded)[\s\S]*config.json|belongs to the weights"):
        encoder.encode_images(batch)


def test_the_library_keeps_silent_of_weights_that_are_refused(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    model = write_other(tmp_path, "ConvNeXt V2")
    gone = next(name for name in model.state_dict() if "pwconv1.weight" in name)
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items() if name != gone}
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    encoder = TransformersEncoder(tmp_path)
    batch = [encoder.prepare(picture) for picture in pictures(1)]
    capfd.readouterr()
    with pytest.raises(EncoderError, match="lack 1 tensor"):
        encoder.encode_images(batch)
    assert "LOAD REPORT" not in "".join(capfd.readouterr())


def test_precisions_that_convolutions_lack_are_refused_by_family(tmp_path: Path) -> None:
    write_other(tmp_path, "ConvNeXt V2")
    encoder = TransformersEncoder(tmp_path, precision="bfloat16")
    batch = [encoder.prepare(picture) for picture in pictures(1)]
    with pytest.raises(EncoderError, match=r"\(ConvNeXt V2\) have no bfloat16 form|bfloat16 is refused"):
        encoder.encode_images(batch)
