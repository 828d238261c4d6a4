"""Losses and their gradients against the formulas written out in plain sums."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from inkling.finetune.training.losses import LOSSES, classify, contrastive, flyp

N_CLASSES, D = 5, 7


def vectors(n: int, seed: int) -> Tensor:
    x = torch.randn(n, D, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (x / x.norm(dim=1, keepdim=True)).requires_grad_()


def log_softmax_rows(z: Tensor) -> Tensor:
    return z - z.exp().sum(dim=1, keepdim=True).log()


def written_out(loss: str, f: Tensor, t: Tensor, y: Tensor, s: Tensor) -> Tensor:
    n = len(f)
    if loss == "classify":
        z = torch.stack([torch.stack([s * (f[i] * t[k]).sum() for k in range(len(t))]) for i in range(n)])
        return -sum(log_softmax_rows(z)[i, y[i]] for i in range(n)) / n
    z = torch.stack([torch.stack([s * (f[i] * t[y[j]]).sum() for j in range(n)]) for i in range(n)])
    q = torch.tensor([[float(y[i] == y[j]) for j in range(n)] for i in range(n)], dtype=f.dtype)
    q = q / q.sum(dim=1, keepdim=True)
    to_texts = -(q * log_softmax_rows(z)).sum() / n
    to_images = -(q.T * log_softmax_rows(z.T)).sum() / n
    return (to_texts + to_images) / 2


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("contrastive", [3, 0, 4]),
        ("flyp", [3, 0, 4]),
        ("flyp", [2, 2, 0, 2, 1, 0]),
        ("classify", [2, 2, 0, 2, 1, 0]),
    ],
)
def test_loss_and_gradients_are_those_of_the_formula(name: str, labels: list[int]) -> None:
    y = torch.tensor(labels)
    f, t = vectors(len(y), 1), vectors(N_CLASSES, 2)
    s = torch.tensor(9.0, dtype=torch.float64, requires_grad=True)
    ours, reference = LOSSES[name](f, t, y, s), written_out(name, f, t, y, s)
    torch.testing.assert_close(ours, reference, rtol=1e-10, atol=0)
    for mine, theirs in zip(
        torch.autograd.grad(ours, (f, t, s)), torch.autograd.grad(reference, (f, t, s)), strict=True
    ):
        torch.testing.assert_close(mine, theirs, rtol=1e-8, atol=1e-12)


def test_without_repeats_flyp_is_the_contrastive_loss() -> None:
    y = torch.tensor([4, 1, 0])
    f, t, s = vectors(3, 3), vectors(N_CLASSES, 4), torch.tensor(20.0)
    torch.testing.assert_close(flyp(f, t, y, s), contrastive(f, t, y, s))


def test_images_at_their_own_texts_cost_nothing() -> None:
    t = torch.eye(N_CLASSES)
    y = torch.arange(N_CLASSES)
    for loss in (contrastive, flyp, classify):
        assert float(loss(t, t, y, torch.tensor(100.0))) < 1e-6
