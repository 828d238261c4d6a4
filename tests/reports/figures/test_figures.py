"""Geometry of the figures: inside their frames, true to the measures, bounded."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageFont

from inkling.evaluate.protocol import evaluate_predictions
from inkling.reports.figures import confusion
from inkling.reports.figures.comparison import comparison_figure
from inkling.reports.figures.confusion import confusion_figure, most_confused_with
from inkling.reports.figures.embedding_map import (
    HEIGHT,
    MOST_COLOURS,
    MOST_EXEMPLARS,
    MOST_IMAGES,
    WIDTH,
    class_colours,
    map_figure,
)
from inkling.reports.figures.labels import FONT_SIZE, MOST_LABELS, PHONE_FONT_SIZE, Label, place_labels
from inkling.reports.figures.projection import project
from inkling.reports.figures.reliability import BARS_HEIGHT, PLOT, reliability_figure
from tests.evaluate.made_up import CLASSES, evaluated, probabilities


@pytest.mark.parametrize("skill", [-3.0, 0.0, 1.0, 3.0, 50.0])
def test_intervals_and_figures_lie_on_the_axis_in_order(skill: float) -> None:
    p, y = probabilities(200, 4, skill=skill)
    zero_shot, _ = probabilities(200, 4, seed=0, skill=0.5)
    figure = comparison_figure(evaluate_predictions(p, y, CLASSES, zero_shot_p=zero_shot))
    assert 2 <= len(figure.ticks) <= 7
    assert (figure.ticks[0].at, figure.ticks[-1].at) == (0.0, 100.0)
    for row in figure.rows:
        assert 0 <= row.low <= row.at <= row.low + row.width + 0.01 <= 100.02


def test_the_position_on_the_axis_is_the_accuracy() -> None:
    p, y = probabilities(200, 4)
    evaluation = evaluate_predictions(p, y, CLASSES)
    figure = comparison_figure(evaluation)
    start, end = int(figure.ticks[0].label), int(figure.ticks[-1].label)
    assert start + figure.rows[0].at / 100 * (end - start) == pytest.approx(100 * evaluation.scores.top1, abs=0.01)


def test_few_classes_make_a_table_and_many_a_compact_matrix() -> None:
    few, _ = evaluated([f"c{k}" for k in range(confusion.MOST_CLASSES_IN_TABLE)])
    many, _ = evaluated([f"c{k}" for k in range(confusion.MOST_CLASSES_IN_TABLE + 1)])
    assert confusion_figure(few).table
    assert not confusion_figure(few).marks
    assert confusion_figure(many).marks
    assert not confusion_figure(many).table


def test_the_table_holds_the_counts_and_deeper_shades_for_larger_shares() -> None:
    y = np.repeat([0, 1], [100, 100])
    p = np.eye(4)[np.concatenate([np.repeat([0, 1, 2, 3], [50, 40, 8, 2]), y[100:]])]
    rows = confusion_figure(evaluate_predictions(p, y, CLASSES)).table
    assert [cell.count for cell in rows[0].cells] == [50, 40, 8, 2]
    assert [cell.level for cell in rows[0].cells] == [4, 4, 2, 1]
    assert [cell.is_right for cell in rows[1].cells] == [False, True, False, False]


def test_pairs_and_the_class_mostly_taken_for_agree_with_the_matrix() -> None:
    evaluation, _ = evaluated(n=300, skill=0.5)
    counts = evaluation.confusion.copy()
    np.fill_diagonal(counts, 0)
    figure = confusion_figure(evaluation)
    assert [pair.count for pair in figure.pairs] == sorted(counts[counts > 0], reverse=True)[: confusion.MOST_PAIRS]
    assert figure.n_pairs == (counts > 0).sum()
    for name, (other, number) in most_confused_with(evaluation).items():
        assert number == counts[CLASSES.index(name)].max() == counts[CLASSES.index(name), CLASSES.index(other)]


def test_the_compact_matrix_draws_each_cell_once_and_says_what_it_leaves_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    evaluation, _ = evaluated([f"c{k}" for k in range(40)], n=400, skill=1.0)
    figure = confusion_figure(evaluation)
    assert sum(mark.cell.count for mark in figure.marks) == 400
    assert len({(mark.x, mark.y) for mark in figure.marks}) == len(figure.marks)
    assert all(mark.cell.is_right == (mark.x == mark.y) for mark in figure.marks)
    monkeypatch.setattr(confusion, "MOST_CELLS", 10)
    short = confusion_figure(evaluation)
    assert len(short.marks) == 10
    assert short.n_marks_left_out == len(figure.marks) - 10
    assert min(m.cell.count for m in short.marks) >= sorted(m.cell.count for m in figure.marks)[-10]


def test_classes_that_are_confused_stand_side_by_side() -> None:
    y = np.repeat(np.arange(30), 10)
    named = y.copy()
    named[0:5], named[170:175] = 17, 0
    figure = confusion_figure(evaluate_predictions(np.eye(30)[named], y, [f"c{k}" for k in range(30)]))
    (one, two) = (mark for mark in figure.marks if not mark.cell.is_right)
    assert abs(one.x - one.y) == pytest.approx(confusion.SIDE / 30)
    assert (one.x, one.y) == (two.y, two.x)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 400), st.integers(0, 100))
def test_the_reliability_diagram_counts_every_image_twice(n: int, seed: int) -> None:
    p, y = probabilities(n, 4, seed=seed)
    figure = reliability_figure(p, y)
    assert sum(point.part.count for point in figure.points) == n
    assert sum(int(bar.title.split()[0].replace(",", "")) for bar in figure.bars) == n
    for point in figure.points:
        assert 0 <= point.low <= point.y + 0.1 <= point.high + 0.2 <= PLOT + 0.3
        assert 0 <= point.x <= PLOT
    assert max(bar.height for bar in figure.bars) == BARS_HEIGHT


def test_few_images_make_few_bins() -> None:
    assert len(reliability_figure(*probabilities(60, 4)).points) == 3
    assert len(reliability_figure(*probabilities(600, 4)).points) == 15


@pytest.mark.parametrize("n", [1, 2, 5, 60])
@pytest.mark.parametrize("d", [1, 2, 64])
def test_any_number_of_images_can_be_placed(n: int, d: int) -> None:
    placed = project(np.random.default_rng(0).normal(size=(n, d)), seed=0)
    assert placed.shape == (n, 2)
    assert np.isfinite(placed).all()


def test_identical_images_can_be_placed() -> None:
    assert np.isfinite(project(np.ones((60, 8)), seed=0)).all()


def test_separate_groups_stay_separate_on_the_plane() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(3), 40)
    placed = project(10 * rng.normal(size=(3, 32))[group] + rng.normal(size=(120, 32)), seed=0)
    centres = np.array([placed[group == k].mean(axis=0) for k in range(3)])
    distance = np.linalg.norm(placed[:, None] - centres, axis=2)
    assert (distance.argmin(axis=1) == group).all()


def test_the_map_keeps_to_its_frame_and_is_the_same_each_time() -> None:
    evaluation, report = evaluated(n=120, y=np.r_[-1, -1, np.arange(118) % 4])
    figure = map_figure(report.images, report.exemplars, CLASSES, seed=3)
    assert figure == map_figure(report.images, report.exemplars, CLASSES, seed=3)
    assert all(0 <= point.x <= WIDTH and 0 <= point.y <= HEIGHT for point in figure.points)
    kinds = [point.kind for point in figure.points]
    assert kinds.count("other") == 2
    assert kinds.count("exemplar") == len(report.exemplars.y)
    assert kinds.count("wrong") == evaluation.n - evaluation.n_correct
    assert len(set(figure.colours)) == len(CLASSES)
    assert figure.has_legend


@pytest.mark.parametrize("n_classes", [1, 8, 9, 60, MOST_COLOURS])
def test_every_class_has_a_colour_of_its_own(n_classes: int) -> None:
    assert len(set(class_colours(n_classes))) == n_classes


def test_of_very_many_classes_none_is_coloured() -> None:
    assert class_colours(MOST_COLOURS + 1) == ()


def test_the_map_draws_a_bounded_number_of_points() -> None:
    n = MOST_IMAGES + 50
    _, report = evaluated(n=n, shots=MOST_EXEMPLARS)
    figure = map_figure(report.images, report.exemplars, CLASSES, seed=0)
    assert len(figure.points) == MOST_IMAGES + MOST_EXEMPLARS
    assert (figure.n_images, figure.of_images) == (MOST_IMAGES, n)
    assert (figure.n_exemplars, figure.of_exemplars) == (MOST_EXEMPLARS, MOST_EXEMPLARS * len(CLASSES))


NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=0x17E, categories=("L", "N", "P", "Zs")), min_size=1)
PLACES = st.tuples(NAMES, st.floats(0, WIDTH), st.floats(0, HEIGHT))


@settings(max_examples=50, deadline=None)
@given(st.lists(PLACES, max_size=40))
def test_names_on_the_map_never_overlap_nor_leave_the_frame(places: list[tuple[str, float, float]]) -> None:
    """Measured with the letters of a real font, at both sizes that a page shows them in."""
    centres = [(k, name, x, y) for k, (name, x, y) in enumerate(places)]
    placed = place_labels(centres, width=WIDTH, height=HEIGHT)
    assert len({label.class_index for label in placed}) == len(placed) <= MOST_LABELS
    assert not places or placed
    on_phone = [label for label in placed if label.on_phone]
    for size, shown in ((FONT_SIZE, placed), (PHONE_FONT_SIZE, on_phone)):
        boxes = [_drawn(label, size) for label in shown]
        assert all(left >= 0 and right <= WIDTH and top >= 0 and bottom <= HEIGHT for left, top, right, bottom in boxes)
        for one, other in itertools.combinations(boxes, 2):
            across = min(one[2], other[2]) - max(one[0], other[0])
            down = min(one[3], other[3]) - max(one[1], other[1])
            assert min(across, down) <= 0


def _drawn(label: Label, size: float) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a name as a browser draws it: centred on its place."""
    font = ImageFont.load_default(size)
    left, top, right, bottom = font.getbbox(label.text, anchor="ls")
    middle = size * 0.35  # of the letters above the base line
    half = (right - left) / 2
    return label.x - half, label.y + middle + top, label.x + half, label.y + middle + bottom
