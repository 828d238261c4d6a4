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
        "text_model.embeddings.token_embedding.weight": (9, 5),
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
        ("clip", CLIP_PROCESSOR, "c0f0da486acae4cb4636c40e05e4ff616ddaaff54c2d832c225852e85f65e414"),
        ("metaclip_2", CLIP_PROCESSOR, "64a3cce994b44bc7151425e6c7bbce283a8ffb135e786d967678657f5e23c6c2"),
        ("siglip", SIGLIP_PROCESSOR, "584bbbc85c9eea69e908deeb8fa6b2cc00b37cc27b35ffc1ae70f1c86b922c24"),
    ],
)
def test_of_today_is_that_of_the_first_release(
    model_type: str, processor: dict[str, Any], fingerprint: str, tmp_path: Path
) -> None:
    write(tmp_path, model_type, processor)
    assert TransformersEncoder(tmp_path).identity.fingerprint == fingerprint
