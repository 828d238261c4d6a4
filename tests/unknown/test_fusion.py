"""Weights that the evidence settles, and figures that don't flatter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t
from sklearn.metrics import roc_auc_score

from inkling.heads.conformal import Slack
from inkling.unknown.choice import Choice
from inkling.unknown.fusion import Evidence, Scale, auroc


def evidence(seed: int = 0, *, gains: tuple[float, ...] = (2.0, 0.0), n_parts: int = 6, n: int = 30) -> Evidence:
    """Scores that are `gains` deviations higher for classes left out; each part leaves out one class."""
    rng = np.random.default_rng(seed)
    rounds = []
    for part in range(n_parts):
        unknown = np.arange(2 * n) >= n
        table = rng.normal(size=(2 * n, len(gains))) + unknown[:, None] * np.array(gains)
        classes = np.where(unknown, part, n_parts)
        rounds.append(Evidence(table, unknown, classes, np.zeros(2 * n, dtype=int)))
    return Evidence.together(rounds, range(n_parts))


@given(
    unknown=st.lists(st.integers(0, 6), min_size=1, max_size=20),
    known=st.lists(st.integers(0, 6), min_size=1, max_size=20),
)
def test_auroc_counts_ties_half(unknown: list[int], known: list[int]) -> None:
    truth = [1] * len(unknown) + [0] * len(known)
    expected = roc_auc_score(truth, unknown + known)
    assert auroc(np.array(unknown, float), np.array(known, float)) == pytest.approx(expected)


def test_the_score_that_tells_gets_the_weight() -> None:
    weights = evidence().weights()
    assert weights.sum() == pytest.approx(1.0)
    assert weights[0] > 0.9


def test_trusted_scores_count_alike_unless_classes_show_otherwise() -> None:
    alike = replace(evidence(gains=(1.0, 1.0, 1.0)), trusted=np.array([True, True, False]))
    assert alike.weights() == pytest.approx([0.5, 0.5, 0.0], abs=0.2)
    assert alike.weights()[2] < evidence(gains=(1.0, 1.0, 1.0)).weights()[2]
    useless = replace(evidence(gains=(0.0, 0.0, 3.0), n_parts=40), trusted=np.array([True, True, False]))
    assert useless.weights()[2] > 0.7


def test_no_score_counts_against_itself() -> None:
    assert evidence(gains=(1.0, -2.0)).weights() == pytest.approx([1.0, 0.0])


def test_where_no_score_tells_all_count_alike() -> None:
    assert evidence(gains=(-2.0, -2.0)).weights() == pytest.approx([0.5, 0.5])


def test_few_classes_settle_less_than_many() -> None:
    shares = []
    for n_parts in (2, 60):
        one = evidence(gains=(2.0, 0.0), n_parts=n_parts, n=100)
        echo = one.table[:, 0] + 0.3 * one.table[:, 1]
        table = np.column_stack([one.table[:, 0], echo])
        shares.append(Evidence(table, one.unknown, one.classes, one.part).weights()[1])
    assert 0.5 > shares[0] > shares[1] + 0.05


@given(seed=st.integers(0, 50))
def test_the_order_of_the_scores_does_not_matter(seed: int) -> None:
    one = evidence(seed, gains=(1.0, 0.5, 0.0))
    other = Evidence(one.table[:, [2, 0, 1]], one.unknown, one.classes, one.part)
    assert other.weights() == pytest.approx(one.weights()[[2, 0, 1]], abs=1e-3)


def test_on_noise_the_nested_figure_is_even_odds() -> None:
    found = [evidence(seed, gains=(0.0,) * 10, n_parts=4, n=10) for seed in range(30)]
    nested = np.mean([np.mean(list(one.aurocs(one.nested_fused()).values())) for one in found])
    flattered = np.mean([np.mean(list(one.aurocs(one.table @ one.weights()).values())) for one in found])
    assert nested == pytest.approx(0.5, abs=0.03)
    assert flattered > nested + 0.03


def test_classes_are_compared_with_the_known_images_of_their_own_round() -> None:
    table = np.array([[0.0], [1.0], [10.0], [11.0]])
    one = Evidence(table, np.array([False, True, False, True]), np.array([5, 3, 5, 4]), np.array([0, 0, 1, 1]))
    assert one.aurocs(table[:, 0]) == {3: 1.0, 4: 1.0}


def rounds_of_classes(n_classes: int, *, seed: int = 0) -> tuple[Evidence, np.ndarray]:
    """Classes left out one by one, some told better than others, each against twenty known images; and their score."""
    rng = np.random.default_rng(seed)
    means = rng.normal(2.0, 0.7, size=n_classes)
    score = np.concatenate([np.concatenate([rng.normal(mean, 1.0, 10), rng.normal(size=20)]) for mean in means])
    unknown = np.tile(np.arange(30) < 10, n_classes)
    part = np.repeat(np.arange(n_classes), 30)
    return Evidence(score[:, None], unknown, np.where(unknown, part, n_classes), part), score


def test_the_range_of_other_classes_follows_from_how_much_classes_differ() -> None:
    one, score = rounds_of_classes(8)
    each = np.array(list(one.aurocs(score).values()))
    low, high = one.auroc_range(score, Slack())
    apart = t.ppf(0.95, 7) * each.std(ddof=1) * np.sqrt(1 / 8 + 1 / 8)
    assert low == pytest.approx(each.mean() - apart)
    assert high == pytest.approx(min(each.mean() + apart, 1.0))


def test_known_images_that_may_score_otherwise_widen_the_range() -> None:
    one, score = rounds_of_classes(8)
    low, high = one.auroc_range(score, Slack())
    harder = one.auroc_range(score, Slack(harder=0.5))
    easier = one.auroc_range(score, Slack(easier=0.5))
    assert harder[0] < low
    assert harder[1] == high
    assert easier[0] == low
    assert easier[1] >= high


def test_one_class_left_out_tells_nothing_of_others() -> None:
    one, score = rounds_of_classes(1)
    assert one.auroc_range(score, Slack()) == (0.0, 1.0)


def test_a_single_round_is_cut_in_two() -> None:
    single = Evidence(np.zeros((6, 1)), np.arange(6) >= 3, np.array([0, 2, 8, 1, 3, 5]), np.zeros(6, dtype=int))
    cut = Evidence.together([single], [0])
    assert cut.part.tolist() == [0, 1, 0, 0, 1, 0]
    assert cut.can_be_nested
    assert not cut.only(cut.part == 0).can_be_nested


def test_a_score_that_does_not_vary_is_nothing() -> None:
    table = np.column_stack([np.full(5, 1e6), np.arange(5.0)])
    scaled = Scale.of(table)(table)
    assert (scaled[:, 0] == 0).all()
    assert scaled[:, 1].std() == pytest.approx(1.0)


def test_a_choice_among_fewer_scores_keeps_the_proportions() -> None:
    choice = Choice.of(("a", "b", "c"), evidence(gains=(1.0, 0.8, 0.6)))
    fewer = choice.only(("c", "a"))
    assert fewer.weights.sum() == pytest.approx(1.0)
    assert fewer.weights[0] / fewer.weights[1] == pytest.approx(choice.weights[2] / choice.weights[0])
    assert set(fewer.singles) == {"a", "c"}
    assert choice.only(("d",)).weights.tolist() == [1.0]


def test_a_choice_without_evidence_has_no_figures() -> None:
    choice = Choice.of(("a", "b"), None)
    assert choice.weights.tolist() == [0.5, 0.5]
    assert choice.fused is None
    assert choice.in_use == ("a", "b")
