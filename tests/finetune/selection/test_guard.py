"""The simplest candidate ships unless a more complex one shows a gain."""

from __future__ import annotations

import numpy as np

from inkling.finetune.selection.guard import simplest_not_beaten
from inkling.heads.evidence import Evidence


def evidence(name: str, lead: float, *, seed: int = 0, n: int = 80) -> Evidence:
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    z = np.random.default_rng(99).normal(size=(n, 3)) + 0.1 * rng.normal(size=(n, 3))
    z[np.arange(n), y] += lead
    return Evidence.of(name, z, y)


def test_a_gain_is_taken() -> None:
    verdict = simplest_not_beaten([evidence("zero-shot", 0.5), evidence("head", 1.5), evidence("fine-tuned", 3.0)])
    assert verdict.name == "fine-tuned"
    assert "'fine-tuned' beats it" in verdict.finding


def test_without_a_gain_the_simpler_one_ships() -> None:
    candidates = [evidence("zero-shot", 0.5), evidence("head", 2.0), evidence("fine-tuned", 2.0, seed=1)]
    verdict = simplest_not_beaten(candidates)
    assert verdict.name == "head"
    assert "'fine-tuned' shows no gain over 'head'" in verdict.finding


def test_a_candidate_that_must_not_win_does_not() -> None:
    assert simplest_not_beaten([evidence("zero-shot", 2.0), evidence("fine-tuned", 0.1)]).name == "zero-shot"
    assert simplest_not_beaten([evidence("zero-shot", 2.0)]).name == "zero-shot"
