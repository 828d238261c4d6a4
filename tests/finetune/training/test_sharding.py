"""Processes that split the towers reach what one process reaches, and hold their part alone."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import Parameter

from inkling.errors import InputError
from inkling.finetune.finetuner import FineTuned, FineTuner
from inkling.finetune.run_folder import Run
from inkling.finetune.training import trainer
from inkling.finetune.training.distributed import Team, is_split
from inkling.finetune.training.sharding import clip_gradients
from inkling.finetune.training.trainer import train
from inkling.sketch import HELD_OUT, write_dataset
from tests.finetune.cases import load, noise, recipe, run, team
from tests.finetune.test_resume import Killed, killer
from tests.finetune.training import test_distributed
from tests.finetune.training.test_distributed import DYING, LEARNING_RATE, WITHOUT_SLOPE, launched

FULL = test_distributed.CASES["full"]
CASES: dict[str, dict[str, Any]] = {
    **test_distributed.CASES,
    # Dropout is drawn in each process, so with it two processes differ from one, split or not.
    "lora": {"train": "lora", "batch_size": 5, "lora_dropout": 0.0, "gradient_clip": 0.1},
    "recomputed": {**FULL, "gradient_checkpointing": True},
    "siglip": {"train": "full", "batch_size": 5, "learning_rate": LEARNING_RATE},
}
PER_CLASS = (3, 2, 4)

SCRIPT = textwrap.dedent(
    """
    import json
    import shutil
    import sys
    from pathlib import Path
    import numpy as np
    import torch
    from safetensors.torch import save_file
    from torch.optim.optimizer import register_optimizer_step_post_hook
    from inkling.finetune.run_folder import Run
    from inkling.finetune.training import trainer, vectors
    from inkling.finetune.training.distributed import Team
    from inkling.finetune.training.sharding import clip_gradients
    from inkling.finetune.training.trainer import train
    from tests.finetune.cases import load, noise, recipe, run, team
    from tests.finetune.training.test_sharding import CASES, FULL, PER_CLASS, bytes_of, noted, tuned

    clip, output = Path(sys.argv[1]), Path(sys.argv[2])
    rank = team(fsdp=True).rank
    vectors.AT_ONCE = 1  # so that parts of different size are as many passes

    def kept(name, done):
        head = {} if done.head is None else {"head": done.head}
        save_file({**done.tuned, **head}, output / f"{name}-{rank}.safetensors")

    held, norms = {}, {name: [] for name in CASES}
    register_optimizer_step_post_hook(lambda optimizer, *_: held.update({name: bytes_of(model, optimizer)}))
    for name, options in CASES.items():
        folder = output.parent / "siglip" if name == "siglip" else clip
        model = load(folder)
        trainer.clip_gradients = noted(norms[name])
        kept(name, run(folder, noise(folder, per_class=PER_CLASS), output / name, model=model, fsdp=True, **options))
    trainer.clip_gradients = clip_gradients
    rounded = Team.form(precision="bfloat16", cpu=True, fsdp=True)
    how, data = recipe(**FULL), noise(clip, per_class=PER_CLASS)
    done = train(load(clip), data, how, run=Run(folder=output / "rounded"), team=rounded)
    assert {one.dtype for one in done.tuned.values()} == {torch.float32}
    told = {"held": held, "norms": norms, "rounded": [row.train_loss for row in done.history]}
    (output / f"told-{rank}.json").write_text(json.dumps(told))

    def copied(report):
        if report.step == 3:
            shutil.copytree(output / "often", output / "cut")

    run(clip, data, output / "often", fsdp=True, checkpoint_seconds=0.0, progress=copied, **FULL)
    kept("resumed", run(clip, data, output / "of-one", fsdp=True, resume=True, **FULL))
    done = tuned(clip, output / "photos", output / "whole-run", fsdp=True)
    np.savez(output / f"vectors-{rank}.npz", images=done.fold_spaces.images, classes=done.class_vectors)
    """
)


def bytes_of(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> tuple[int, int]:
    """Of weights, gradients and moments: what this process holds, and what there is."""
    learning = [one for group in optimizer.param_groups for one in group["params"]]
    moments = [one for state in optimizer.state.values() for one in state.values()]
    gradients = [one.grad for one in learning if one.grad is not None]
    assert len(gradients) == len(learning)
    everything = [*model.parameters(), *gradients, *moments]
    held = [one.to_local() if is_split(one) else one for one in everything]
    return tuple(sum(one.numel() * one.element_size() for one in some) for some in (held, everything))


def noted(norms: list[tuple[float, float]]) -> Callable[..., float]:
    """Clips gradients, and notes their norm before and after."""

    def clipped(parameters: Iterable[Parameter], limit: float, team: Team) -> float:
        some = list(parameters)
        before = clip_gradients(some, limit, team)
        norms.append((before, clip_gradients(some, 1e9, team)))
        return before

    return clipped


def tuned(clip: Path, photos: Path, output: Path, *, fsdp: bool) -> FineTuned:
    how = recipe(train="lora", lora_dropout=0.0, steps=3, batch_size=6, folds=2, interpolate=0.4)
    return FineTuner(clip, how, device="cpu", fsdp=fsdp).fit(photos, output=output)


def told(split: Path, rank: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((split / f"told-{rank}.json").read_text())
    return found


def assert_alike(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    """As in `test_distributed`."""
    assert found.keys() == expected.keys()
    for key in [key for key in expected if not key.endswith(WITHOUT_SLOPE)]:
        away = (found[key] - expected[key]).abs()
        assert (away > 1e-5 + 1e-5 * expected[key].abs()).sum() <= 1e-3 * away.numel(), key
        assert away.max() < LEARNING_RATE, key


@pytest.fixture(scope="module")
def split(clip: Path, siglip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes left that split everything."""
    output = tmp_path_factory.mktemp("split") / "output"
    (output.parent / "siglip").symlink_to(siglip)
    write_dataset(output / "photos", HELD_OUT[:2], 6, seed=0)
    options = {**FULL, "checkpoint_seconds": 0.0, "progress": killer(3)}
    with pytest.raises(Killed):
        run(clip, noise(clip, per_class=PER_CLASS), output / "of-one", **options)
    return launched(SCRIPT, clip, output)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_split_towers_reach_the_weights_of_one_process(
    name: str, clip: Path, siglip: Path, split: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    norms: list[tuple[float, float]] = []
    monkeypatch.setattr(trainer, "clip_gradients", noted(norms))
    folder = siglip if name == "siglip" else clip
    alone = run(folder, noise(folder, per_class=PER_CLASS), tmp_path / "one", **CASES[name])
    expected = {**alone.tuned, **({} if alone.head is None else {"head": alone.head})}
    for rank in (0, 1):
        assert_alike(load_file(split / f"{name}-{rank}.safetensors"), expected)
        # Adam brings gradients of any size to the same step, so the weights alone could not tell a sum from a mean.
        np.testing.assert_allclose(told(split, rank)["norms"][name], norms, rtol=2e-3)
    assert any(before > 1.01 * after for before, after in norms)


@pytest.mark.slow
def test_rounded_products_learn_as_those_of_one_process(clip: Path, split: Path, tmp_path: Path) -> None:
    data, how = noise(clip, per_class=PER_CLASS), recipe(**FULL)
    rounds = Team.form(precision="bfloat16", cpu=True)
    alone = train(load(clip), data, how, run=Run(folder=tmp_path / "rounded"), team=rounds)
    exact = run(clip, data, tmp_path / "exact", **FULL)
    found = told(split, 0)["rounded"][-1]
    assert found != exact.history[-1].train_loss
    assert found == pytest.approx(alone.history[-1].train_loss, rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["full", "lora", "siglip"])
def test_a_process_holds_about_half(name: str, split: Path) -> None:
    parts = [told(split, rank)["held"][name] for rank in (0, 1)]
    assert all(held <= 0.6 * everything for held, everything in parts)
    assert sum(held for held, _ in parts) >= parts[0][1]


@pytest.mark.slow
def test_a_checkpoint_is_resumed_with_and_without(clip: Path, split: Path) -> None:
    steps: list[int] = []
    data = noise(clip, per_class=PER_CLASS)
    done = run(clip, data, split / "cut", resume=True, progress=lambda report: steps.append(report.step), **FULL)
    expected = load_file(split / "full-0.safetensors")
    assert steps == [3, 4]
    assert_alike(dict(done.tuned), expected)
    assert_alike(load_file(split / "resumed-1.safetensors"), expected)


@pytest.mark.slow
def test_the_encoder_and_its_evidence_are_those_of_one_process(clip: Path, split: Path, tmp_path: Path) -> None:
    alone = tuned(clip, split / "photos", tmp_path / "alone", fsdp=False)
    weights = [
        load_file(run_of / "encoder" / "model.safetensors") for run_of in (split / "whole-run", tmp_path / "alone")
    ]
    assert_alike(*weights)
    assert (split / "whole-run" / "adapters").is_dir()
    assert alone.fold_spaces is not None
    for rank in (0, 1):
        vectors = np.load(split / f"vectors-{rank}.npz")
        np.testing.assert_allclose(vectors["images"], alone.fold_spaces.images, atol=1e-4)
        np.testing.assert_allclose(vectors["classes"], alone.class_vectors, atol=1e-4)


@pytest.mark.slow
@pytest.mark.thorough(quick="test_a_checkpoint_is_resumed_with_and_without")
def test_where_a_process_dies_the_split_ones_go_on(clip: Path, split: Path, tmp_path: Path) -> None:
    output = launched(
        DYING.replace('"resume": True', '"resume": True, "fsdp": True'), clip, tmp_path, "--max-restarts=1"
    )
    for rank in (0, 1):
        assert int((output / f"steps-{rank}").read_text()) < recipe().steps
        found, expected = (load_file(each / f"full-{rank}.safetensors") for each in (output, split))
        for key in found:
            assert torch.equal(found[key], expected[key]), key


def test_one_process_has_nothing_to_split_over() -> None:
    with pytest.raises(InputError, match=r"several processes, and this training has one[\s\S]*leave --fsdp"):
        team(fsdp=True)
