"""What a memory refuses before it writes anything, and encoders that may not meet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inkling.encoders.identity import check_encoder
from inkling.errors import EncoderMismatchError, InputError
from inkling.memory import content as content_module
from inkling.memory.content import check_content
from inkling.types import ClassEntry
from tests.memory.samples import identity, numbered


def test_content_that_agrees_with_itself_passes() -> None:
    check_content(numbered(1))


def test_a_class_name_that_occurs_twice_is_named() -> None:
    content = numbered(1)
    with pytest.raises(InputError, match=r"more than once: 'class 1\.0'"):
        check_content(replace(content, classes=(*content.classes, ClassEntry("class 1.0"))))


def test_exemplars_of_an_unlisted_class_are_refused() -> None:
    content = numbered(1)
    with pytest.raises(InputError, match=r"not listed: 'class 1\.2'"):
        check_content(replace(content, classes=content.classes[:2]))


@pytest.mark.parametrize("shape", [(5, 4), (6, 5), (24,)])
def test_vectors_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"\(6, 4\) were expected"):
        check_content(replace(numbered(1), vectors=np.zeros(shape, np.float32)))


def test_the_feature_counts_into_the_width() -> None:
    content = replace(numbered(1), encoder=identity(feature_dimension=3))
    with pytest.raises(InputError, match=r"\(6, 7\) were expected"):
        check_content(content)
    check_content(replace(content, vectors=np.zeros((6, 7), np.float32)))


def test_a_text_vector_of_another_length_is_refused() -> None:
    entry = ClassEntry("class 1.0", text_vector=np.zeros(5, np.float32))
    with pytest.raises(InputError, match="text vector of class"):
        check_content(replace(numbered(1), classes=(entry, *numbered(1).classes[1:])))


def test_a_head_that_no_database_value_can_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_module, "HEAD_BYTES", 95)
    with pytest.raises(InputError, match="keeps no copy of the exemplars"):
        check_content(numbered(1))


def test_a_seed_beyond_64_bits_is_refused() -> None:
    content = numbered(1)
    with pytest.raises(InputError, match="64 bits"):
        check_content(replace(content, provenance=replace(content.provenance, seed=2**63)))


def test_the_same_fingerprint_is_the_same_encoder() -> None:
    check_encoder(identity(), replace(identity(), name="moved", source="elsewhere/tiny"))


def test_another_encoder_is_refused_with_both_named_and_a_way_on() -> None:
    other = replace(identity(fingerprint="beef", dimension=512), name="large", source="models/large")
    with pytest.raises(EncoderMismatchError) as caught:
        check_encoder(identity(), other)
    for told in ("'tiny'", "f00d", "'large'", "beef", "512", "--encoder models/tiny"):
        assert told in str(caught.value)
