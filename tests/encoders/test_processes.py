"""Encoders and caches in processes that were forked or given them by pickle."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from inkling.embeddings.cache import EmbeddingCache
from inkling.encoders.registry import load_encoder
from tests.cli.light_encoder import write_light_encoder
from tests.encoders.folders import SENTENCES, pictures

FORKING = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system forks no processes")

BEFORE_AND_AFTER = """
import os, sys
import numpy as np
from PIL import Image
from inkling.embeddings.cache import EmbeddingCache
from inkling.embeddings.embed import embed_images, embed_texts
from inkling.encoders.registry import load_encoder
from inkling.types import ImageRecord

SENTENCES = ["a photo of a cat.", "a photo of a Zebra."]
rng = np.random.default_rng(0)
encoder, cache = load_encoder(sys.argv[1], device="cpu"), EmbeddingCache()
noise = [Image.fromarray(rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)) for _ in range(70)]
shown, fresh = ([ImageRecord(f"{seed}/{k}", image=one) for k, one in enumerate(noise)] for seed in range(2))

def vectors(texts):
    found = embed_images(fresh, encoder, cache=None).embeddings
    kept = embed_images(shown, encoder, cache=cache)
    return found, kept.embeddings, embed_texts(texts, encoder, cache=None) if encoder.has_texts else found

before = vectors(SENTENCES * 140)
child = os.fork()
if child == 0:
    same = all(np.allclose(a, b, atol=1e-6) for a, b in zip(before, vectors(SENTENCES * 140)))
    os._exit(0 if same else 3)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def encode_around_a_fork(encoder: str | Path) -> int:
    """Exit code of a process that encodes, forks, and encodes again in the child; a child that hangs is an error."""
    command = [sys.executable, "-c", BEFORE_AND_AFTER, str(encoder)]
    return subprocess.run(command, timeout=60, check=False).returncode


@FORKING
def test_an_onnx_encoder_goes_on_in_a_forked_child(tmp_path: Path) -> None:
    assert encode_around_a_fork(write_light_encoder(tmp_path / "light")) == 0


@FORKING
def test_the_embedded_encoder_goes_on_in_a_forked_child() -> None:
    assert encode_around_a_fork("sketch") == 0


@FORKING
@pytest.mark.slow
def test_a_model_in_torch_goes_on_in_a_forked_child(clip_folder: Path) -> None:
    assert encode_around_a_fork(clip_folder) == 0


@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize("kind", ["onnx", "sketch", "torch"])
def test_encoders_can_be_pickled(kind: str, used: bool, clip_folder: Path, tmp_path: Path) -> None:
    sources = {"onnx": tmp_path / "light", "sketch": "sketch", "torch": clip_folder}
    if kind == "onnx":
        write_light_encoder(tmp_path / "light")
    encoder = load_encoder(sources[kind], device="cpu")
    batch = [encoder.prepare(image) for image in pictures(3)]
    if used:
        encoder.encode_images(batch)
        if encoder.has_texts:
            encoder.encode_texts(SENTENCES)
    again = pickle.loads(pickle.dumps(encoder))
    assert again.identity == encoder.identity
    np.testing.assert_array_equal(again.encode_images(batch).embeddings, encoder.encode_images(batch).embeddings)
    if encoder.has_texts:
        np.testing.assert_array_equal(again.encode_texts(SENTENCES), encoder.encode_texts(SENTENCES))


def test_a_cache_can_be_pickled(tmp_path: Path) -> None:
    encoder = load_encoder("sketch")
    with EmbeddingCache(tmp_path) as cache:
        cache.put_texts(encoder.identity, {"a": np.ones(128, np.float32)})
        with pickle.loads(pickle.dumps(cache)) as again:
            assert again.get_texts(encoder.identity, ["a"])["a"].sum() == 128
