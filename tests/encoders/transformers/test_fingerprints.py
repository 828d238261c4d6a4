"""Fingerprints outlive releases: caches and memories rest on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inkling.encoders.transformers.encoder import TransformersEncoder

CLIP_PROCESSOR = {"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 32}, "crop_size": 32}
SIGLIP_PROCESSOR = {"image_processor_type": "SiglipImageProcessor", "size": {"height": 32, "width": 32}}


def write(folder: Path, model_type: str, processor: dict[str, Any]) -> None:
    """A folder made by hand, the same for every release of every library."""
    siglip = model_type == "siglip"
    shapes = {
        "vision_model.embeddings.patch_embedding.weight": (6, 3, 8, 8),
        "vision_model.embeddings.position_embedding.weight": (16 if siglip else 17, 6),
        "text_model.embeddings.position_embedding.weight": (7, 5),
        **({"vision_model.post_layernorm.weight": (6,)} if siglip else {"visual_projection.weight": (4, 6)}),
    }
    header, data = {}, b""
    for name, shape in {**shapes, "logit_scale": ()}.items():
        values = np.full(shape, 3.0, "<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    head = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(len(head).to_bytes(8, "little") + head + data)
    (folder / "config.json").write_text(json.dumps({"model_type": model_type, "vision_config": {"image_size": 32}}))
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    (folder / "tokenizer.json").write_text("{}")


@pytest.mark.parametrize(
    ("model_type", "processor", "fingerprint"),
    [
        ("clip", CLIP_PROCESSOR, "ecb4b85d77e36a6df142ad0bce0efdc2456a903568a7705ad4e1800ff9aadc1b"),
        ("metaclip_2", CLIP_PROCESSOR, "1ca2f40e2d4c288eb3a5bdd4feeef7614e94fb82e4492a746727590273712ba9"),
        ("siglip", SIGLIP_PROCESSOR, "009c7b5fbd0c66c802c0a0e355616c4915b7cdf2a11999ad15fc2f78af51392d"),
    ],
)
def test_of_today_is_that_of_the_first_release(
    model_type: str, processor: dict[str, Any], fingerprint: str, tmp_path: Path
) -> None:
    write(tmp_path, model_type, processor)
    assert TransformersEncoder(tmp_path).identity.fingerprint == fingerprint
