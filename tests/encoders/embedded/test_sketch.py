"""The ONNX form of the embedded encoder against its weights in torch, and its tokenizer against the library's."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tools import export_sketch

from inkling.encoders.embedded.sketch import IMAGE_TOWER, TEXT_TOWER, SketchEncoder
from inkling.encoders.embedded.word_pieces import WordPieces
from inkling.encoders.registry import load_encoder
from inkling.encoders.transformers.encoder import TransformersEncoder
from inkling.sketch import KINDS, description, draw, weights_folder

LONGEST = 40
FILE = weights_folder() / "tokenizer.json"
OWN = WordPieces(FILE, max_length=LONGEST)


@pytest.fixture(scope="module")
def in_torch() -> TransformersEncoder:
    return TransformersEncoder(weights_folder(), name="sketch", source="sketch")


@pytest.fixture(scope="module")
def in_onnx() -> SketchEncoder:
    encoder = load_encoder("sketch")
    assert isinstance(encoder, SketchEncoder)
    return encoder


@pytest.fixture(scope="module")
def library() -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(FILE))
    tokenizer.enable_truncation(LONGEST)
    return tokenizer


def test_images_have_the_vectors_of_torch(in_torch: TransformersEncoder, in_onnx: SketchEncoder) -> None:
    batch = [in_onnx.prepare(draw(kind, seed=seed)) for seed, kind in enumerate(sorted(KINDS))]
    expected = in_torch.encode_images(batch).embeddings
    assert np.ptp(expected @ expected.T) > 0.3  # otherwise the comparison would show nothing
    np.testing.assert_allclose(in_onnx.encode_images(batch).embeddings, expected, atol=1e-5)


def test_texts_have_the_vectors_of_torch(in_torch: TransformersEncoder, in_onnx: SketchEncoder) -> None:
    texts = ["car", *(f"a photo of a {kind}." for kind in sorted(KINDS)), "Über-ELEPHANT_crossing, 3 wheels", "", "雪"]
    np.testing.assert_allclose(in_onnx.encode_texts(texts), in_torch.encode_texts(texts), atol=1e-5)


def test_long_texts_are_cut_with_a_warning(in_torch: TransformersEncoder, in_onnx: SketchEncoder) -> None:
    text = "a small red car with wheels and windows and " * 9
    with pytest.warns(UserWarning, match="1 text longer than the 40 tokens"):
        found = in_onnx.encode_texts([text])
    with pytest.warns(UserWarning, match="1 text longer than the 40 tokens"):
        expected = in_torch.encode_texts([text])
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_both_forms_are_one_encoder(in_torch: TransformersEncoder, in_onnx: SketchEncoder) -> None:
    assert in_onnx.identity == in_torch.identity
    assert load_encoder("sketch", precision="float32").identity == in_torch.identity


def test_the_graphs_are_those_that_the_tool_writes() -> None:
    config = json.loads((weights_folder() / "config.json").read_text())
    for file, write in ((IMAGE_TOWER, export_sketch.image_tower), (TEXT_TOWER, export_sketch.text_tower)):
        kept = onnx.load(weights_folder() / file, load_external_data=False)
        assert kept == write(weights_folder(), config), "run tools/export_sketch.py"


SIGNS = st.characters(max_codepoint=0x0587, exclude_categories=("Cs", "Cn"))
"""Latin, Greek, Cyrillic: releases of Unicode differ in what they know of the rest."""


@example("a\x1fcar")
@given(st.text(SIGNS, max_size=80) | st.text("aeéß_ -carwheels'.,12²ΣǅΩⓐ\t\n٣", max_size=60))
@settings(max_examples=500, deadline=None)
def test_pieces_are_those_of_the_library(library: Tokenizer, text: str) -> None:
    assert OWN([text])[0].tolist() == library.encode(text).ids


def test_names_of_special_pieces_are_plain_words(library: Tokenizer) -> None:
    assert 3 in library.encode("car [end]").ids[:-1]
    assert 3 not in OWN(["car [end]"])[0, :-1]


@given(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=6))
@settings(max_examples=20, deadline=None)
def test_rows_are_padded_to_the_longest(names: list[str]) -> None:
    rows = OWN(names)
    lengths = OWN.lengths(names)
    assert rows.shape == (len(names), max(lengths))
    assert all(
        (row[length:] == 0).all() and (row[:length] != 0).all() for row, length in zip(rows, lengths, strict=True)
    )


def test_descriptions_hold_no_unknown_word() -> None:
    unknown = json.loads(FILE.read_text())["model"]["vocab"]["[unk]"]
    texts = [description(kind) for kind in sorted(KINDS)]
    assert not (OWN(texts) == unknown).any()
