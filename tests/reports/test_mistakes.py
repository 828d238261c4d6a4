"""Which mistakes are shown, and with which exemplars."""

from __future__ import annotations

import base64
from dataclasses import replace

import numpy as np

from inkling.reports.mistakes import LARGEST_THUMBNAIL, MOST_MISTAKES, confident_mistakes, picture_uri
from tests.evaluate.made_up import CLASSES, evaluated, jpeg


def test_the_surest_mistakes_come_first_and_are_bounded() -> None:
    _, report = evaluated(n=300, skill=0.5)
    found = confident_mistakes(report.images, report.exemplars, CLASSES)
    sure = [mistake.named_probability for mistake in found]
    assert len(found) == MOST_MISTAKES
    assert sure == sorted(sure, reverse=True)
    assert all(mistake.true != mistake.named for mistake in found)
    p, y = report.images.p, report.images.y
    assert sure[0] == max(row.max() for row, truth in zip(p, y, strict=True) if row.argmax() != truth)


def test_images_with_an_unknown_label_are_no_mistakes() -> None:
    evaluation, report = evaluated(y=np.array([-1] * 79 + [0]))
    found = confident_mistakes(report.images, report.exemplars, CLASSES)
    assert len(found) == evaluation.n - evaluation.n_correct


def test_the_nearest_exemplars_are_those_with_the_largest_cosine() -> None:
    _, report = evaluated(skill=0.5)
    found = confident_mistakes(report.images, report.exemplars, CLASSES)[0]
    row = list(report.images.paths).index(found.path)
    cosines = report.exemplars.embeddings @ report.images.embeddings[row]
    assert [near.similarity for near in found.nearest] == sorted(cosines, reverse=True)[:3]
    best = int(cosines.argmax())
    assert (found.nearest[0].path, found.nearest[0].name) == (
        f"train/{best}.jpg",
        CLASSES[report.exemplars.y[best]],
    )


def test_without_exemplars_there_are_no_neighbours() -> None:
    _, report = evaluated(skill=0.5, shots=1)
    none = replace(report.exemplars, paths=(), y=np.empty(0, int), embeddings=np.empty((0, 16)), thumbnails=())
    assert confident_mistakes(report.images, none, CLASSES)[0].nearest == ()


def test_only_jpegs_of_modest_size_become_pictures() -> None:
    picture = jpeg()
    uri = picture_uri(picture)
    assert uri is not None
    assert base64.b64decode(uri.removeprefix("data:image/jpeg;base64,")) == picture
    assert picture_uri(None) is None
    assert picture_uri(b"<svg onload=alert(1)>") is None
    assert picture_uri(picture[:4] + bytes(LARGEST_THUMBNAIL)) is None
