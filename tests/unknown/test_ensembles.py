"""Mutual information against its definition, and its limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from inkling.unknown import mutual_information
from inkling.unknown.ensembles import member_probabilities, prototype_members
from tests.heads.samples import draw_task


def probabilities(seed: int, n_members: int = 5, n_classes: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(n_classes, 0.5), size=(n_members, 7))


@given(seed=st.integers(0, 10_000), n_classes=st.integers(2, 9))
def test_definition_and_bounds(seed: int, n_classes: int) -> None:
    p = probabilities(seed, n_classes=n_classes)
    found = mutual_information(p)
    assert found == pytest.approx(entropy(p.mean(axis=0), axis=-1) - entropy(p, axis=-1).mean(axis=0))
    assert ((found >= 0) & (found <= np.log(n_classes) + 1e-12)).all()


def test_members_that_agree_know_all_there_is_to_know() -> None:
    p = np.repeat(probabilities(0)[:1], 6, axis=0)
    assert mutual_information(p) == pytest.approx(np.zeros(7), abs=1e-12)


def test_members_that_are_sure_of_different_classes_know_nothing() -> None:
    assert mutual_information(np.eye(4)[:, None]) == pytest.approx([np.log(4)])


def test_members_differ_and_are_the_same_again_by_seed() -> None:
    task = draw_task(n_classes=3, shots=6, dims=10)
    members = prototype_members(task.X, task.y, 3, seed=1)
    assert np.linalg.norm(members, axis=2) == pytest.approx(np.ones(members.shape[:2]), abs=1e-6)
    assert len(np.unique(members[:, 0].round(5), axis=0)) == len(members)
    assert (prototype_members(task.X, task.y, 3, seed=1) == members).all()
    assert (prototype_members(task.X, task.y, 3, seed=2) != members).any()


def test_a_bootstrap_draws_from_its_own_class() -> None:
    X = np.eye(6)
    members = prototype_members(X, np.repeat([0, 1], 3), 2, seed=0)
    assert (members[:, 0, 3:] == 0).all()
    assert (members[:, 1, :3] == 0).all()


def test_probabilities_of_members() -> None:
    task = draw_task(n_classes=3, shots=6, dims=10)
    p = member_probabilities(task.test_X, prototype_members(task.X, task.y, 3, seed=0))
    assert p.sum(axis=-1) == pytest.approx(np.ones(p.shape[:2]))
    assert (p.mean(axis=0).argmax(axis=1) == task.test_y).mean() > 0.8
