"""Several encoders as one: what its vectors are, how it is opened again, and what is said where a part is wrong."""

from __future__ import annotations

import os
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from inkling.encoders.base import Encoder
from inkling.encoders.cut import cut
from inkling.encoders.joined import JoinedEncoder, split_source
from inkling.encoders.registry import load_encoder, load_same_encoder
from inkling.errors import EncoderError, InklingError
from inkling.types import EncoderIdentity
from tests.encoders.folders import pictures, write_clip
from tests.fakes import FEATURE_DIMENSION, FakeEncoder


class StandIn(FakeEncoder):
    """Has the identity that it is given."""

    def __init__(self, identity: EncoderIdentity) -> None:
        super().__init__()
        self._identity = identity

    @property
    def identity(self) -> EncoderIdentity:
        return self._identity


TEXTS = ["a photo of a cat.", "a photo of a boat."]


@pytest.fixture
def pair(clip_folder: Path, siglip_folder: Path) -> Encoder:
    return load_encoder(f"{clip_folder}+{siglip_folder}")


def test_the_first_gives_embedding_texts_and_scale_and_all_give_features(
    pair: Encoder, clip_folder: Path, siglip_folder: Path
) -> None:
    clip, siglip = load_encoder(clip_folder), load_encoder(siglip_folder)
    images = pictures(3)
    joined, alone = (one.encode_images([one.prepare(image) for image in images]) for one in (pair, clip))
    other = siglip.encode_images([siglip.prepare(image) for image in images])
    assert isinstance(pair, Encoder)
    assert_array_equal(joined.embeddings, alone.embeddings)
    blocks = np.hstack([alone.embeddings, other.embeddings])
    assert_allclose(joined.features, blocks / np.sqrt(2), atol=1e-7)
    assert_array_equal(pair.encode_texts(TEXTS), clip.encode_texts(TEXTS))
    assert (pair.missing_texts(TEXTS), pair.text_template) == ([], None)
    assert pair.has_texts
    assert pair.identity.logit_scale == clip.identity.logit_scale
    assert (pair.identity.dimension, pair.identity.feature_dimension) == (24, 24 + 48)


def test_blocks_have_equal_say_whatever_their_length_and_scale() -> None:
    first, second = FakeEncoder(fingerprint="a"), FakeEncoder(fingerprint="b", shorter_side=8)
    joined = JoinedEncoder([first, second])
    images = pictures(4)
    features = joined.encode_images([joined.prepare(image) for image in images]).features
    apart = [one.encode_images([one.prepare(image) for image in images]) for one in (first, second)]
    blocks = [one.features for one in apart]
    cosines = [block @ block.T / np.outer(*[np.linalg.norm(block, axis=1)] * 2) for block in blocks]
    assert joined.identity.feature_dimension == 2 * FEATURE_DIMENSION
    assert_allclose(features @ features.T, np.mean(cosines, axis=0), atol=1e-6)


def test_order_and_parts_make_the_fingerprint(clip_folder: Path, siglip_folder: Path) -> None:
    names = [clip_folder, siglip_folder, f"{clip_folder}+{siglip_folder}", f"{siglip_folder} + {clip_folder}"]
    names += [f"{clip_folder}+sketch", f"{clip_folder}+{siglip_folder}+sketch"]
    assert len({load_encoder(name).identity.fingerprint for name in names}) == len(names)


def test_fingerprints_of_pairs_stay_what_they_are() -> None:
    """Memories rest on them."""
    pair = JoinedEncoder([FakeEncoder(fingerprint="a"), FakeEncoder(fingerprint="b")])
    assert pair.identity.fingerprint == "5a0f21be947daca8a6ac2bffe9170b381eb5985e553adac25744a230fff6f358"


def test_it_is_opened_again_from_its_source(pair: Encoder, clip_folder: Path, siglip_folder: Path) -> None:
    assert pair.identity.source == f"{clip_folder} + {siglip_folder}"
    assert pair.identity.name == "tiny-clip+tiny-siglip"
    assert load_encoder(pair.identity.source).identity == pair.identity
    assert load_same_encoder(pair.identity).identity == pair.identity
    assert pickle.loads(pickle.dumps(pair)).identity == pair.identity


def test_the_precision_is_that_of_each_part(clip_folder: Path) -> None:
    identity = load_encoder(f"{clip_folder}+sketch", precision="int8").identity
    assert identity.precision == "int8"
    assert load_same_encoder(identity).identity.fingerprint == identity.fingerprint
    assert identity.fingerprint != load_encoder(f"{clip_folder}+sketch").identity.fingerprint


@pytest.mark.parametrize("order", [0, 1])
def test_parts_that_call_auto_by_different_names_are_opened_with_auto(order: int, tmp_path: Path) -> None:
    write_clip(tmp_path / "wide", hidden_size=512, intermediate_size=64, num_hidden_layers=1)
    parts = [str(tmp_path / "wide"), "sketch"]
    text = "+".join(parts[order:] + parts[:order])
    assert {load_encoder(part).identity.precision for part in parts} == {"auto", "float32"}
    identity = load_encoder(text).identity
    assert identity.precision == "auto"
    assert load_same_encoder(identity).identity == identity
    short = load_encoder(text, dimensions=8).identity
    assert load_same_encoder(short).identity == short


def test_the_precision_asked_for_is_kept_where_parts_name_others(clip_folder: Path) -> None:
    half = replace(FakeEncoder(fingerprint="a").identity, precision="float16")
    pair = JoinedEncoder([StandIn(half), load_encoder(clip_folder)], precision="auto")
    assert (pair.identity.precision, cut(pair, 5).identity.precision) == ("auto", "auto")
    assert JoinedEncoder([StandIn(half), StandIn(replace(half, fingerprint="b"))]).identity.precision == "float16"


def test_a_picture_is_prepared_for_the_largest_part() -> None:
    encoders = [FakeEncoder(fingerprint=str(side), shorter_side=side) for side in (16, 64, 32)]
    assert JoinedEncoder(encoders).shorter_side == 64


def test_the_same_encoder_twice_adds_nothing(clip_folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(clip_folder, tmp_path / "copy")
    with pytest.raises(EncoderError, match="'sketch' and 'sketch' are the same"):
        load_encoder("sketch+sketch")
    with pytest.raises(EncoderError, match=r"tiny-clip' and '.*copy' are the same"):
        load_encoder(f"{clip_folder}+{copy}")


@pytest.mark.parametrize(
    ("text", "there", "parts"),
    [
        ("a", (), ["a"]),
        ("a+b", (), ["a", "b"]),
        ("a + b+ c", (), ["a", "b", "c"]),
        ("a+b", ("a+b",), ["a+b"]),
        ("a+b+c", ("a+b",), ["a+b", "c"]),
        ("c+a+b", ("a+b",), ["c", "a+b"]),
        ("a + b + c", ("a + b",), ["a + b", "c"]),
        ("a+b+c", ("a+b", "a+b+c"), ["a+b+c"]),
        ("/gone/a+b + c", (), ["/gone/a+b", "c"]),
        ("c + /gone/a+b", (), ["c", "/gone/a+b"]),
        ("/here/a+b + c+d", ("/here/a",), ["/here/a", "b", "c", "d"]),
        ("/gone/a+c", (), ["/gone/a", "c"]),
        ("a+", (), ["a", ""]),
        ("+", (), ["", ""]),
    ],
)
def test_what_is_joined(text: str, there: tuple[str, ...], parts: list[str]) -> None:
    assert split_source(text, lambda name: name in there) == parts


def test_a_folder_with_a_plus_in_its_name_is_one_folder(clip_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(clip_folder, tmp_path / "a+b")
    assert load_encoder(folder).identity.source == str(folder)
    joined = load_encoder(f"sketch+{folder}")
    assert load_encoder(joined.identity.source).identity == joined.identity
    os.rename(folder, tmp_path / "elsewhere")  # noqa: PTH104 - a folder, not a file
    with pytest.raises(EncoderError, match=r"Part 2 of the joined encoders, '.*a\+b', .* There is no encoder '.*a\+b'"):
        load_encoder(joined.identity.source)


def test_every_part_that_is_wrong_is_named_with_what_may_be_meant(clip_folder: Path) -> None:
    with pytest.raises(EncoderError) as raised:
        load_encoder(f"sketsh+{clip_folder}+siglip2-base-patch16-24")
    message = str(raised.value)
    assert "Part 1 of the joined encoders, 'sketsh'" in message
    assert "Did you mean 'sketch'?" in message
    assert "Part 3 of the joined encoders, 'siglip2-base-patch16-24'" in message
    assert "Did you mean 'google/siglip2-base-patch16-224'?" in message
    assert message.count("ways on") == 1


@pytest.mark.parametrize("text", ["sketch+", "+sketch", "sketch + + sketch"])
def test_a_name_that_is_missing(text: str) -> None:
    with pytest.raises(EncoderError, match=r"Part \d of the joined encoders, '', can't be used: A name is missing"):
        load_encoder(text)


def test_a_part_that_refuses_precision_or_device_says_which(onnx_folder: Path) -> None:
    with pytest.raises(EncoderError, match=r"Part 2 of the joined encoders, '.*', can't be used: An ONNX folder"):
        load_encoder(f"sketch+{onnx_folder}", precision="int8")
    with pytest.raises(InklingError, match=r"Part 1 of the joined encoders, '.*', can't be used: ONNX models run on"):
        load_encoder(f"{onnx_folder}+sketch", device="mps")


def test_a_part_that_fails_at_work_says_which() -> None:
    class Broken(FakeEncoder):
        def encode_images(self, batch: object) -> None:  # noqa: ARG002 - as the Protocol has it
            raise EncoderError("The precision int8 is refused.", remedy="Use auto.")

    pair = JoinedEncoder([FakeEncoder(fingerprint="a"), Broken(name="broken", fingerprint="b")])
    with pytest.raises(EncoderError, match="Of the joined encoders, 'broken' can't be used: The precision int8"):
        pair.encode_images([pair.prepare(image) for image in pictures(2)])


def test_texts_of_another_than_the_first_are_not_asked_and_a_warning_says_so() -> None:
    silent, speaking = FakeEncoder(name="silent", fingerprint="a", with_texts=False), FakeEncoder(name="speaking")
    with pytest.warns(UserWarning, match="'silent' has no texts, .* put 'speaking' first"):
        assert JoinedEncoder([silent, speaking]).missing_texts(TEXTS) == TEXTS
    assert JoinedEncoder([speaking, silent]).missing_texts(TEXTS) == []
