"""A fitted head goes through JSON, arrays and the memory file, and comes back with the same scores."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inkling.heads import HEADS, Head, head_from_state
from inkling.memory.store import read_memory, write_memory
from inkling.types import HeadState
from tests.heads.samples import draw_task, quick
from tests.memory.samples import numbered

TASK = draw_task(shots=(1, 3, 6, 9))


def fitted(name: str, *, with_text: bool, shots: int | None = None) -> Head:
    task = TASK if shots is None else draw_task(shots=shots)
    text = task.text if with_text or name == "zero-shot" else None
    return quick(name, text).fit(task.X, np.array(["ant", "bee", "cat", "dog"])[task.y])


def through_files(state: HeadState) -> HeadState:
    """As JSON text and as npz without objects."""
    buffer = io.BytesIO()
    np.savez(buffer, **state.arrays)
    buffer.seek(0)
    with np.load(buffer, allow_pickle=False) as arrays:
        return HeadState(state.name, json.loads(json.dumps(state.params, allow_nan=False)), dict(arrays))


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("with_text", [True, False])
def test_scores_are_identical_after_json_and_npz(name: str, with_text: bool) -> None:
    head = fitted(name, with_text=with_text)
    restored = head_from_state(through_files(head.state()))
    assert type(restored) is type(head)
    assert restored.classes_.tolist() == ["ant", "bee", "cat", "dog"]
    assert np.array_equal(restored.logits(TASK.test_X), head.logits(TASK.test_X))
    assert restored.predict(TASK.test_X).tolist() == head.predict(TASK.test_X).tolist()


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("shots", [1, 9])
def test_arrays_are_laid_out_as_those_of_a_file(name: str, shots: int) -> None:
    """Some processors sum in another order where they are not, so that a loaded head differs in the last bits."""
    head = fitted(name, with_text=True, shots=shots)
    for one in (head, *getattr(head, "experts_", {}).values()):
        learned = {key: value for key, value in vars(one).items() if key.endswith("_")}
        arrays = {key: value for key, value in learned.items() if isinstance(value, np.ndarray)}
        assert arrays
        assert [key for key, value in arrays.items() if not value.flags.c_contiguous] == []


@pytest.mark.parametrize("name", HEADS)
def test_scores_are_identical_after_the_memory_file(name: str, tmp_path: Path) -> None:
    head = fitted(name, with_text=True)
    write_memory(tmp_path / "heads.ink", replace(numbered(1), head=head.state()))
    restored = head_from_state(read_memory(tmp_path / "heads.ink").content.head)
    assert np.array_equal(restored.logits(TASK.test_X), head.logits(TASK.test_X))


@pytest.mark.parametrize("name", HEADS)
def test_a_restored_head_gives_the_same_state_again(name: str) -> None:
    state = through_files(fitted(name, with_text=True).state())
    again = head_from_state(state).state()
    assert json.dumps(again.params, sort_keys=True) == json.dumps(state.params, sort_keys=True)
    assert again.arrays.keys() == state.arrays.keys()
    assert all(np.array_equal(again.arrays[key], state.arrays[key]) for key in state.arrays)


@pytest.mark.parametrize("name", HEADS)
def test_stored_in_single_precision_the_scores_hardly_move(name: str) -> None:
    head = fitted(name, with_text=True)
    state = head.state()
    arrays = {
        key: value.astype(np.float32) if value.dtype == np.float64 else value for key, value in state.arrays.items()
    }
    restored = head_from_state(HeadState(state.name, state.params, arrays))
    assert restored.logits(TASK.test_X) == pytest.approx(head.logits(TASK.test_X), abs=2e-3)


def test_experts_share_their_directions() -> None:
    """Once in the state, in half the bytes of double precision; and once with each expert, as earlier releases did."""
    head = fitted("auto", with_text=False, shots=9)
    state = head.state()
    shared = [key for key in state.arrays if key.endswith("directions_")]
    assert shared == ["shared/directions_"]
    assert state.arrays["shared/directions_"].dtype == np.float32
    earlier = {key: value for key, value in state.arrays.items() if not key.startswith("shared/")}
    for name in state.params["experts"]:
        earlier |= {f"{name}/{key}": state.arrays[f"shared/{key}"] for key in ("mean_", "directions_")}
    restored = head_from_state(HeadState(state.name, state.params, earlier))
    assert np.array_equal(restored.logits(TASK.test_X), head.logits(TASK.test_X))


@pytest.mark.parametrize("shots", [1, 2, 5])
def test_auto_says_after_loading_what_it_found(shots: int) -> None:
    head = fitted("auto", with_text=True, shots=shots)
    restored = head_from_state(through_files(head.state()))
    for key in ("chosen_", "finding_", "weights_", "evidence_", "seed"):
        assert getattr(restored, key) == getattr(head, key)
