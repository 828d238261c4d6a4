"""The embedding map: test images and exemplars on a plane, coloured by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inkling.reports.content import EvaluatedImages, Exemplars
from inkling.reports.figures.labels import Label, place_labels
from inkling.reports.figures.projection import project
from inkling.reports.formats import isolated, percent
from inkling.types import FloatArray, IntArray

WIDTH, HEIGHT, MARGIN = 720.0, 520.0, 26.0
DISTINCT_COLOURS = 8
"""Colours of the style sheet; with more classes, hues are spread over the circle instead."""
MOST_COLOURS = 200
MOST_IN_LEGEND = 24
_GOLDEN_ANGLE = 137.508
MOST_IMAGES = 900
MOST_EXEMPLARS = 400


@dataclass(frozen=True)
class MapPoint:
    """A test image or an exemplar.

    Attributes
    ----------
    kind
        ``right``, ``wrong``, ``other`` (its label is not a known class) or ``exemplar``.
    true, named
        Columns of the true and the predicted class; -1 where there is none.
    """

    x: float
    y: float
    kind: str
    true: int
    named: int
    title: str


@dataclass(frozen=True)
class MapFigure:
    """Points in drawing order, the most important ones last, and names of classes where they fit.

    `colours` are one for each class, as CSS; none where the classes are too many. `n_images` and `n_exemplars` are
    drawn, of `of_images` and `of_exemplars`.
    """

    points: tuple[MapPoint, ...]
    labels: tuple[Label, ...]
    colours: tuple[str, ...]
    has_legend: bool
    n_images: int
    of_images: int
    n_exemplars: int
    of_exemplars: int


def map_figure(images: EvaluatedImages, exemplars: Exemplars, classes: Sequence[str], *, seed: int) -> MapFigure:
    """Choose points at random up to a bound, place them, and place the names of classes."""
    rng = np.random.default_rng(seed)
    shown = _choose(len(images.y), MOST_IMAGES, rng)
    known = _choose(len(exemplars.y), MOST_EXEMPLARS, rng)
    together = np.concatenate([images.embeddings[shown], exemplars.embeddings[known]])
    place = _fit_to_frame(project(together, seed=seed))
    points = [_image_point(images, classes, i, at) for i, at in zip(shown, place, strict=False)]
    points += [_exemplar_point(exemplars, classes, i, at) for i, at in zip(known, place[len(shown) :], strict=True)]
    order = {"exemplar": 0, "other": 1, "right": 2, "wrong": 3}
    return MapFigure(
        points=tuple(sorted(points, key=lambda point: order[point.kind])),
        labels=place_labels(_centres(points, classes), width=WIDTH, height=HEIGHT),
        colours=class_colours(len(classes)),
        has_legend=1 < len(classes) <= MOST_IN_LEGEND,
        n_images=len(shown),
        of_images=len(images.y),
        n_exemplars=len(known),
        of_exemplars=len(exemplars.y),
    )


def class_colours(n_classes: int) -> tuple[str, ...]:
    """A colour for each class, as CSS; neighbours in the order of the classes are far apart in hue.

    Hues turn by the golden angle, and lightness changes in three steps around that of the page's text.
    """
    if n_classes <= DISTINCT_COLOURS:
        return tuple(f"var(--c{k})" for k in range(n_classes))
    if n_classes > MOST_COLOURS:
        return ()
    return tuple(
        f"oklch(calc(var(--lightness) + {(k % 3 - 1) * 0.11:.2f}) 0.14 {_GOLDEN_ANGLE * k % 360:.1f})"
        for k in range(n_classes)
    )


def _choose(n: int, most: int, rng: np.random.Generator) -> IntArray:
    return np.arange(n) if n <= most else np.sort(rng.choice(n, size=most, replace=False))


def _fit_to_frame(plane: FloatArray) -> FloatArray:
    """Same scale for both axes, centred in the frame."""
    low, high = plane.min(axis=0), plane.max(axis=0)
    room = np.array([WIDTH, HEIGHT]) - 2 * MARGIN
    scale = float(np.min(room / np.maximum(high - low, 1e-9)))
    placed = (plane - (low + high) / 2) * scale + np.array([WIDTH, HEIGHT]) / 2
    return np.asarray(placed.round(1))


def _image_point(images: EvaluatedImages, classes: Sequence[str], i: int, at: FloatArray) -> MapPoint:
    true, named = int(images.y[i]), int(images.p[i].argmax())
    kind = "other" if true < 0 else "right" if true == named else "wrong"
    said = f"named {isolated(classes[named])}, {percent(float(images.p[i, named]), digits=0)} sure"
    label = "not a known class" if true < 0 else isolated(classes[true])
    return MapPoint(
        float(at[0]),
        float(at[1]),
        kind,
        true,
        named,
        f"{isolated(images.paths[i])}: labelled {label}, {said}",
    )


def _exemplar_point(exemplars: Exemplars, classes: Sequence[str], i: int, at: FloatArray) -> MapPoint:
    true = int(exemplars.y[i])
    title = f"{isolated(exemplars.paths[i])}: exemplar of {isolated(classes[true])}"
    return MapPoint(float(at[0]), float(at[1]), "exemplar", true, -1, title)


def _centres(points: Sequence[MapPoint], classes: Sequence[str]) -> list[tuple[int, str, float, float]]:
    """Median place of each class, of classes with the most points first."""
    places: dict[int, list[tuple[float, float]]] = {}
    for point in points:
        if point.true >= 0:
            places.setdefault(point.true, []).append((point.x, point.y))
    largest_first = sorted(places, key=lambda k: (-len(places[k]), k))
    medians = {k: np.median(places[k], axis=0) for k in largest_first}
    return [(k, classes[k], float(medians[k][0]), float(medians[k][1])) for k in largest_first]
