"""Better words are chosen, and noise isn't."""

from __future__ import annotations

import numpy as np

from inkling.prompting.choose import choose, choose_set, out_of_fold_logits
from inkling.types import FloatArray
from tests.heads.samples import Task, draw_task, unit


def task() -> Task:
    return draw_task(n_classes=5, shots=30, dims=24, text_noise=0.5)


def blurred(text: FloatArray, seed: int) -> FloatArray:
    return unit(text + 3.0 * np.random.default_rng(seed).normal(size=text.shape) / np.sqrt(text.shape[1]))


def test_better_vectors_are_taken_and_good_ones_stay() -> None:
    given = task()
    assert given.text is not None
    swapped, noise = given.text[[1, 0, 2, 3, 4]], blurred(given.text, 1)
    candidates = [np.stack([swapped[k], noise[k], given.text[k]]) for k in range(5)]
    chosen, gains = choose(given.X, given.y, candidates, logit_scale=20.0)
    assert chosen.tolist() == [2, 2, 0, 0, 0]
    assert (gains[:2] > 0).all()


def test_the_given_vector_stays_where_others_are_as_good() -> None:
    given = task()
    assert given.text is not None
    rng = np.random.default_rng(3)
    near = [unit(row + 0.02 * rng.normal(size=(6, 24))) for row in given.text]
    candidates = [np.vstack([row, others]) for row, others in zip(given.text, near, strict=True)]
    chosen, _ = choose(given.X[::6], given.y[::6], candidates, logit_scale=20.0)
    assert (chosen == 0).sum() >= 4


def test_an_image_has_no_say_in_its_own_words() -> None:
    """Words drawn at random fit the images that they are chosen by, and no others."""
    given, rng = draw_task(n_classes=3, shots=6, dims=24, text_noise=1.0), np.random.default_rng(4)
    candidates = [unit(rng.normal(size=(400, 24))) for _ in range(3)]
    y = rng.permutation(given.y)
    chosen, _ = choose(given.X, y, candidates, logit_scale=20.0)
    inside = given.X @ np.stack([of[at] for of, at in zip(candidates, chosen, strict=True)]).T
    outside = out_of_fold_logits(given.X, y, np.arange(len(y)), [candidates], logit_scale=20.0, seed=0)
    right = [float((z.argmax(axis=1) == y).mean()) for z in (inside, outside)]
    assert right[0] > right[1] + 0.15


def test_the_better_set_of_templates_is_taken() -> None:
    given = task()
    assert given.text is not None
    bad = blurred(given.text, 1)
    sets = [[row[None] for row in vectors] for vectors in (bad, given.text)]
    at, chosen, _ = choose_set(given.X, given.y, sets, logit_scale=20.0)
    assert (at, chosen.tolist()) == (1, [0] * 5)
    assert choose_set(given.X, given.y, sets[::-1], logit_scale=20.0)[0] == 0
