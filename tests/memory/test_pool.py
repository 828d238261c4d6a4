"""The unknown pool: each image once, in one space, with where the stream stands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inkling.errors import EncoderMismatchError, InputError, MemoryFileError
from inkling.memory.discovered import Finding, PooledImage, StreamState
from inkling.memory.pool import observe, read_pool
from inkling.memory.proposals import list_proposals, write_proposals
from inkling.memory.store import read_memory, switch_encoder
from inkling.memory.undo import undo
from inkling.memory.verify import verify
from tests.memory.samples import assert_same, identity, numbered, put

IMAGES = [PooledImage("caf\udce9.jpg", "a", 0.02, b"jpeg"), PooledImage("b.jpg", "b"), PooledImage("c.jpg", "c")]
VECTORS = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A memory with three pooled images."""
    put(tmp_path / "a.ink", numbered(1))
    observe(tmp_path / "a.ink", IMAGES, VECTORS, fingerprint="f00d")
    return tmp_path / "a.ink"


def test_what_goes_in_comes_out(path: Path) -> None:
    pool = read_pool(path)
    assert pool.images == tuple(IMAGES)
    np.testing.assert_array_equal(pool.vectors, VECTORS)
    assert pool.ids.tolist() == [1, 2, 3]
    assert (pool.links, pool.stream, pool.version) == ((), None, 2)
    assert_same(read_memory(path).content, numbered(1))


def test_an_image_is_pooled_once_and_not_at_all_if_a_class_was_trained_on_it(path: Path) -> None:
    again = [IMAGES[1], PooledImage("d.jpg", "d"), PooledImage("copy of d.jpg", "d"), PooledImage("trained.jpg", "1")]
    event = observe(path, again, np.ones((4, 4), np.float32), fingerprint="f00d")
    assert event is not None
    assert event.outcome == {"seen": 4, "new": 1}
    assert [image.path for image in read_pool(path).images][-1] == "d.jpg"


def test_the_state_of_a_stream_is_kept_with_the_images(path: Path) -> None:
    for number in (1, 2):
        state = StreamState({"seen": number}, {"sums": np.full(3, number)})
        write_proposals(path, [], stream=state, version=2)
        kept = read_pool(path).stream
        assert kept is not None
        assert kept.state == {"seen": number}
        np.testing.assert_array_equal(kept.arrays["sums"], np.full(3, number))
    with pytest.raises(MemoryFileError, match="was changed meanwhile"):
        write_proposals(path, [], stream=state, version=1)
    verify(path)


def test_vectors_of_another_encoder_or_shape_are_refused(path: Path) -> None:
    with pytest.raises(EncoderMismatchError, match="fingerprint beef"):
        observe(path, IMAGES, VECTORS, fingerprint="beef")
    with pytest.raises(InputError, match=r"shape \(3, 4\)"):
        observe(path, IMAGES, VECTORS[:, :3], fingerprint="f00d")
    assert read_memory(path).version == 2


@pytest.mark.parametrize(
    ("findings", "told"),
    [
        ([Finding((1, 2), 2, 0.5), Finding((2,), 1, 0.5)], "in two proposals"),
        ([Finding((), 0, 0.5)], "without images"),
        ([Finding((1,), 1, 0.5, ({"name": np.zeros(2)},))], "plain JSON"),
        ([Finding((1,), 1, float("nan"))], "stability of a proposal must be a finite number"),
        ([Finding((1,), 1, 0.5, (), "class 1.0", float("inf"))], "distance of a proposal must be a finite number"),
    ],
)
def test_proposals_that_cannot_be_are_refused(path: Path, findings: list[Finding], told: str) -> None:
    with pytest.raises(InputError, match=told):
        write_proposals(path, findings)
    assert list_proposals(path, state=None) == ()


def test_nothing_new_is_no_event(path: Path) -> None:
    assert observe(path, IMAGES, VECTORS, fingerprint="f00d") is None
    assert write_proposals(path, []) is None
    assert write_proposals(path, [Finding((1, 9), 2, 0.5)]) is None, "an image that does not wait"
    assert read_memory(path).version == 2


def test_proposals_come_back(path: Path) -> None:
    finding = Finding((3, 1), 1, 0.5, ({"name": "bench", "score": 0.25},), "class 1.0", 1.5, (1, 1))
    write_proposals(path, [finding])
    (proposal,) = list_proposals(path)
    assert (proposal.id, proposal.state, proposal.finding, proposal.version) == (1, "open", finding, 3)
    assert proposal.images == ("c.jpg", "caf\udce9.jpg")
    with pytest.raises(MemoryFileError, match="was changed meanwhile"):
        write_proposals(path, [], version=2)


def test_numbers_of_numpy_are_numbers(path: Path) -> None:
    image = PooledImage("n.jpg", "n", np.float32(0.25))
    observe(path, [image], np.ones((1, 4)), fingerprint="f00d")
    member = read_pool(path).ids[-1]
    evidence = {"name": "bench", "score": np.float32(0.5)}
    write_proposals(path, [Finding((member,), np.int64(1), np.float32(0.5), (evidence,), None, np.float64(2))])
    (proposal,) = list_proposals(path)
    assert proposal.finding == Finding(
        (int(member),), 1, 0.5, ({"name": "bench", "score": 0.5},), None, 2.0, (int(member),)
    )
    assert read_pool(path).images[-1].p_known == 0.25
    verify(path)
    with pytest.raises(InputError, match="p-value of an image must be a finite number"):
        observe(path, [PooledImage("m.jpg", "m", np.nan)], np.ones((1, 4)), fingerprint="f00d")


def test_a_fit_with_the_same_encoder_keeps_the_pool(path: Path) -> None:
    write_proposals(path, [Finding((1, 2), 2, 0.5)])
    put(path, numbered(2))
    assert read_pool(path).images == tuple(IMAGES)
    assert len(list_proposals(path)) == 1


def test_a_fit_with_another_encoder_empties_it(path: Path) -> None:
    write_proposals(path, [Finding((1, 2), 2, 0.5)])
    put(path, replace(numbered(2), encoder=identity(fingerprint="beef")))
    assert read_pool(path).images == ()
    assert list_proposals(path) == ()
    assert [proposal.state for proposal in list_proposals(path, state=None)] == ["withdrawn"]


def test_in_another_space_the_pool_is_empty_until_it_is_embedded_there(path: Path) -> None:
    switch_encoder(path, replace(numbered(1), encoder=identity(fingerprint="beef")), version=2)
    assert read_pool(path).images == ()
    event = observe(path, IMAGES[1:], VECTORS[1:] + 1, fingerprint="beef")
    assert event is not None
    assert event.outcome == {"seen": 2, "new": 0}
    pool = read_pool(path)
    assert pool.images == tuple(IMAGES[1:])
    np.testing.assert_array_equal(pool.vectors, VECTORS[1:] + 1)
    assert verify(path).replayed == (4, 3, 2)


def test_a_switch_that_is_taken_back_takes_along_what_was_seen_in_its_space(path: Path) -> None:
    switch_encoder(path, replace(numbered(1), encoder=identity(fingerprint="beef")), version=2)
    observe(path, [*IMAGES[1:], PooledImage("d.jpg", "d")], np.ones((3, 4)), fingerprint="beef")
    undo(path)
    verify(path)
    pool = read_pool(path)
    assert pool.images == tuple(IMAGES)
    np.testing.assert_array_equal(pool.vectors, VECTORS)
    observe(path, [PooledImage("d.jpg", "d")], np.zeros((1, 4)), fingerprint="f00d")
    assert [image.path for image in read_pool(path).images][-1] == "d.jpg"
