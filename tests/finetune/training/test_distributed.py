"""Several processes reach what one reaches with the same global batch."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.finetune.cases import noise, recipe, run, team

ROOT = Path(__file__).parents[3]

LEARNING_RATE = 1e-4
"""Of the first case: the size of one of its steps."""

CASES: dict[str, dict[str, Any]] = {
    "full": {"train": "full", "loss": "contrastive", "batch_size": 3, "learning_rate": LEARNING_RATE},
    "head": {"train": "layernorm", "loss": "flyp", "batch_size": 5, "augment": "strong", "head_share": 0.5},
    "uneven": {"train": "image", "batch_size": 3, "accumulation": 1, "holdout": 0.3, "curriculum": "easy-first"},
    "parts": {"train": "text", "loss": "flyp", "batch_size": 5, "accumulation": 2},
}

RENDEZVOUS = ("--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0")
MEETS_ANEW = {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
"""What docs/how-to/finetune.md tells to start `torchrun` with, for restarts."""

WITHOUT_SLOPE = "k_proj.bias"
"""Attention does not change with it, so its gradient is rounding alone, which Adam brings to the size of a step."""

SCRIPT = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    import torch
    from safetensors.torch import save_file
    from inkling.finetune.training.distributed import Team
    from tests.finetune.cases import noise, run, team
    from tests.finetune.training.test_distributed import CASES

    folder, output = Path(sys.argv[1]), Path(sys.argv[2])
    # Where there is no GPU, nobody needs to say so.
    assert Team.form(precision="float32", cpu=torch.accelerator.is_available()).size == 2
    for name, options in CASES.items():
        done = run(folder, noise(folder, per_class=(3, 2, 4)), output / name, **options)
        head = {} if done.head is None else {"head": done.head}
        save_file({**done.tuned, **head}, output / f"{name}-{team().rank}.safetensors")
    """
)


DYING = textwrap.dedent(
    """
    import os
    import signal
    import sys
    import time
    from pathlib import Path
    from safetensors.torch import save_file
    from inkling.finetune.training.distributed import Team
    from tests.finetune.cases import noise, run, team
    from tests.finetune.training.test_distributed import CASES

    folder, output = Path(sys.argv[1]), Path(sys.argv[2])
    steps, sums = [], Team.sum_gradients

    def dies_once(self, parameters):
        steps.append(None)
        if os.environ["TORCHELASTIC_RESTART_COUNT"] == "0" and self.rank == 1 and len(steps) == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        sums(self, parameters)

    form = Team.form

    def comes_late(**options):
        if os.environ["TORCHELASTIC_RESTART_COUNT"] == "1" and os.environ["RANK"] == "0":
            time.sleep(5)  # the other looks for it first, and must not find where it was before the restart
        return form(**options)

    Team.sum_gradients = dies_once
    Team.form = comes_late
    options = {"resume": True, "checkpoint_seconds": 0.0, **CASES["full"]}
    done = run(folder, noise(folder, per_class=(3, 2, 4)), output / "run", **options)
    save_file(done.tuned, output / f"full-{team().rank}.safetensors")
    (output / f"steps-{team().rank}").write_text(str(len(steps)))
    """
)


def launched(script: str, clip: Path, output: Path, *options: str) -> Path:
    """What two processes of torchrun leave in a folder."""
    file = output / "script.py"
    file.write_text(script)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", *RENDEZVOUS]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "OMP_NUM_THREADS": "1", **MEETS_ANEW}
    done = subprocess.run(
        [*command, *options, str(file), str(clip), str(output)],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return output


@pytest.fixture(scope="module")
def of_two_processes(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return launched(SCRIPT, clip, tmp_path_factory.mktemp("two"))


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_two_processes_reach_the_weights_of_one(name: str, clip: Path, of_two_processes: Path, tmp_path: Path) -> None:
    alone = run(clip, noise(clip, per_class=(3, 2, 4)), tmp_path / "one", **CASES[name])
    expected = {**alone.tuned, **({} if alone.head is None else {"head": alone.head})}
    for rank in (0, 1):
        found = load_file(of_two_processes / f"{name}-{rank}.safetensors")
        assert found.keys() == expected.keys()
        for key in [key for key in expected if not key.endswith(WITHOUT_SLOPE)]:
            away = (found[key] - expected[key]).abs()
            # Adam divides a gradient by its own size, so where it is rounding alone, so is the direction of a step:
            # threads that add in another order, as on another processor, move single weights of thousands.
            assert (away > 1e-5 + 1e-5 * expected[key].abs()).sum() <= 1e-3 * away.numel(), key
            assert away.max() < LEARNING_RATE, key


@pytest.mark.slow
def test_where_a_process_dies_all_go_on_from_the_last_checkpoint(
    clip: Path, of_two_processes: Path, tmp_path: Path
) -> None:
    output = launched(DYING, clip, tmp_path, "--max-restarts=1")
    for rank in (0, 1):
        assert int((output / f"steps-{rank}").read_text()) < recipe().steps  # those after the checkpoint alone
        found, expected = (load_file(each / f"full-{rank}.safetensors") for each in (output, of_two_processes))
        for key in found:
            assert torch.equal(found[key], expected[key]), key


def test_restarts_that_keep_addresses_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
    monkeypatch.setenv("TORCHELASTIC_MAX_RESTARTS", "3")
    with pytest.warns(UserWarning, match="TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 and give it --rdzv-backend c10d"):
        team()
    monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "False")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        team()


def test_bfloat16_rounds_products_and_keeps_weights(clip: Path, tmp_path: Path) -> None:
    from inkling.finetune.run_folder import Run
    from inkling.finetune.training.distributed import Team
    from inkling.finetune.training.trainer import train
    from tests.finetune.cases import load

    how = recipe(precision="bfloat16", steps=2)
    model = load(clip)
    in_bfloat16 = Team.form(precision=how.precision, cpu=True)
    rounded = train(model, noise(clip), how, run=Run(folder=tmp_path / "b"), team=in_bfloat16)
    exact = run(clip, noise(clip), tmp_path / "f", steps=2)
    assert {one.dtype for one in model.parameters()} == {torch.float32}
    assert rounded.history[-1].train_loss != exact.history[-1].train_loss
    assert rounded.history[-1].train_loss == pytest.approx(exact.history[-1].train_loss, rel=0.05)


def test_one_process_gathers_nothing() -> None:
    x = torch.ones(3, 2, requires_grad=True)
    assert team().gathered(x, 3) is x
    team().common(x).sum().backward()
    assert torch.equal(x.grad if x.grad is not None else x, torch.ones(3, 2))
