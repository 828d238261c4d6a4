"""Embeddings cut to their first dimensions, for each kind of encoder, and opened again without being told."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from inkling.encoders.cut import cut, without_cut
from inkling.encoders.joined import JoinedEncoder
from inkling.encoders.registry import load_encoder, load_same_encoder
from inkling.encoders.vectors import unit_vectors
from inkling.errors import EncoderError, InputError
from tests.encoders.folders import pictures
from tests.fakes import FakeEncoder


def test_images_and_texts_are_cut_and_brought_to_unit_length(clip_folder: Path) -> None:
    whole, short = load_encoder(clip_folder), load_encoder(clip_folder, dimensions=10)
    images = [whole.prepare(image) for image in pictures(3)]
    texts = ["a photo of a cat.", "a boat"]
    found = short.encode_images([short.prepare(image) for image in pictures(3)])
    assert_array_equal(found.embeddings, unit_vectors(whole.encode_images(images).embeddings[:, :10]))
    assert_array_equal(short.encode_texts(texts), unit_vectors(whole.encode_texts(texts)[:, :10]))
    assert_allclose(np.linalg.norm(found.embeddings, axis=1), 1, atol=1e-6)
    assert (found.features, short.identity.dimension) == (None, 10)


@pytest.mark.parametrize("name", ["sketch", "clip", "onnx", "fake"])
def test_each_kind_is_cut_and_its_features_stay(name: str, clip_folder: Path, onnx_folder: Path) -> None:
    sources = {"sketch": "sketch", "clip": clip_folder, "onnx": onnx_folder}
    whole = FakeEncoder() if name == "fake" else load_encoder(sources[name])
    short = cut(whole, 5)
    (image,) = pictures(1)
    before, after = (one.encode_images([one.prepare(image)]) for one in (whole, short))
    assert after.embeddings.shape == (1, 5)
    assert (before.features is None) == (after.features is None)
    if before.features is not None:
        assert_array_equal(after.features, before.features)
    same = ("feature_dimension", "logit_scale", "precision")
    assert [getattr(short.identity, one) for one in same] == [getattr(whole.identity, one) for one in same]
    assert short.identity.name == f"{whole.identity.name}@{short.identity.dimension}"
    assert short.identity.fingerprint != whole.identity.fingerprint


def test_fingerprints_of_cut_encoders_stay_what_they_are() -> None:
    """Memories rest on them."""
    assert (
        cut(FakeEncoder(), 5).identity.fingerprint == "a4aa8a8f7ead27ed50fe5c7fdbb57eb1b40d129b5c87d1ccc0063302cc8014ac"
    )
    assert len({cut(FakeEncoder(), n).identity.fingerprint for n in range(1, 10)}) == 9


def test_all_dimensions_are_no_cut(clip_folder: Path) -> None:
    assert load_encoder(clip_folder, dimensions=24).identity == load_encoder(clip_folder).identity
    assert load_encoder(clip_folder, dimensions=np.int64(8)).identity.dimension == 8


def test_more_than_there_are_and_what_is_no_number(clip_folder: Path) -> None:
    with pytest.raises(EncoderError, match="'tiny-clip' have 24 dimensions; they can't be cut to 25") as raised:
        load_encoder(clip_folder, dimensions=25)
    assert "from 1 to 24" in str(raised.value)
    for wrong in (0, -1, True, 2.0, "8"):
        with pytest.raises(InputError, match="dimensions must be a whole number, 1 or more"):
            load_encoder(clip_folder, dimensions=wrong)
    with pytest.raises(InputError, match="1 or more, got 0"):
        load_encoder(f"{clip_folder}@0")


def test_it_is_opened_again_from_its_source(clip_folder: Path) -> None:
    identity = load_encoder(clip_folder, dimensions=10, precision="int8").identity
    assert identity.source == f"{clip_folder}@10"
    assert load_same_encoder(identity).identity == identity
    assert load_encoder(f"{clip_folder}@16", dimensions=10).identity.fingerprint == (
        load_encoder(f"{clip_folder}@10").identity.fingerprint
    )


def test_a_model_that_has_moved_is_cut_as_it_was(clip_folder: Path, siglip_folder: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(clip_folder, tmp_path / "moved")
    for before, after in (
        (f"{clip_folder}", f"{moved}"),
        (f"{clip_folder}+{siglip_folder}", f"{moved}+{siglip_folder}"),
    ):
        identity = load_encoder(before, dimensions=10).identity
        assert load_same_encoder(identity, after).identity.fingerprint == identity.fingerprint
        assert load_same_encoder(identity, f"{siglip_folder}").identity.fingerprint != identity.fingerprint


def test_a_folder_with_such_a_name_is_that_folder(clip_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(clip_folder, tmp_path / "model@16")
    assert load_encoder(folder).identity.dimension == 24
    assert load_encoder(f"{folder}@10").identity.dimension == 10


def test_of_joined_encoders_the_first_is_cut(clip_folder: Path) -> None:
    pair = load_encoder(f"{clip_folder}+sketch", dimensions=10)
    whole = load_encoder(f"{clip_folder}+sketch")
    images = pictures(2)
    short, long = (one.encode_images([one.prepare(image) for image in images]) for one in (pair, whole))
    assert_array_equal(short.embeddings, unit_vectors(long.embeddings[:, :10]))
    # The block of an encoder without a feature is its embedding, as it is cut; those of others stay whole.
    assert_allclose(short.features[:, :10], short.embeddings / np.sqrt(2), atol=1e-7)
    assert_array_equal(short.features[:, 10:], long.features[:, 24:])
    assert pair.identity.source == f"{clip_folder}@10 + sketch"
    assert load_same_encoder(pair.identity).identity == pair.identity
    assert cut(whole, 10).identity == pair.identity


def test_another_part_may_be_cut_too(clip_folder: Path) -> None:
    pair = load_encoder(f"{clip_folder}+sketch@16")
    assert pair.identity.feature_dimension == 24 + 16
    assert isinstance(pair, JoinedEncoder)
    assert replace(pair.identity) == load_encoder(pair.identity.source).identity


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", ("a", None)),
        ("a@8", ("a", 8)),
        ("a@8@4", ("a@8", 4)),
        ("a@b", ("a@b", None)),
        ("@8", ("@8", None)),
        ("a@", ("a@", None)),
        ("a@-8", ("a@-8", None)),
    ],
)
def test_a_number_after_the_name(text: str, expected: tuple[str, int | None]) -> None:
    assert without_cut(text) == expected
