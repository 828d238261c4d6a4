"""Checkpoints are whole or the ones before, and hold no pickle."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from torch.nn import Parameter

from inkling.errors import InputError
from inkling.finetune.training import checkpoint
from inkling.finetune.training.checkpoint import moments_of, read_checkpoint, restore_optimizer, write_checkpoint


def stepped(value: Parameter, steps: int) -> torch.optim.Optimizer:
    optimizer = torch.optim.AdamW([value], lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        (value**2).sum().backward()
        optimizer.step()
    return optimizer


def test_weights_state_and_moments_come_back(tmp_path: Path) -> None:
    value = Parameter(torch.tensor([1.0, -2.0]))
    optimizer = stepped(value, 3)
    state = {"step": 3, "best": 0.1 + 0.2, "nothing": None}
    write_checkpoint(tmp_path / "last", {"v": value}, state, moments=moments_of(optimizer, {"v": value}))
    weights, found = read_checkpoint(tmp_path / "last")
    assert found == state
    assert torch.equal(weights["v"], value)
    again = Parameter(weights["v"])
    fresh = torch.optim.AdamW([again], lr=0.1)
    restore_optimizer(tmp_path / "last", fresh, {"v": again})
    (theirs,), (ours,) = fresh.state.values(), optimizer.state.values()
    assert theirs.keys() == ours.keys()
    assert all(torch.equal(theirs[key], ours[key]) for key in ours)


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), SafetensorError("I/O error")])
def test_a_full_disk_leaves_the_checkpoint_before(
    fault: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "last"
    write_checkpoint(path, {"v": torch.ones(2)}, {"step": 1})

    def fail(_: object, draft: Path, **__: object) -> None:
        Path(draft).write_bytes(b"half")
        raise fault

    monkeypatch.setattr(checkpoint, "save_file", fail)
    with pytest.raises(InputError, match=r"can't be written[\s\S]*--resume"):
        write_checkpoint(path, {"v": torch.zeros(2)}, {"step": 2})
    assert read_checkpoint(path)[1] == {"step": 1}
    assert [one.name for one in tmp_path.iterdir()] == ["last"]


@pytest.mark.parametrize("content", [b"", b"no tensors at all", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "])
def test_a_damaged_file_is_reported(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "last").write_bytes(content)
    with pytest.raises(InputError, match="can't be read"):
        read_checkpoint(tmp_path / "last")
