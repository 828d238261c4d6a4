"""Each image is judged by a training that did not see it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from inkling.finetune import out_of_fold as room
from inkling.finetune.data import TrainingData
from inkling.finetune.out_of_fold import FoldLogits, Folds
from tests.finetune.cases import drawn, load, noise, recipe, team


def folds_for(folder: Path, data: TrainingData, output: Path, *, resume: bool = False, **options: object) -> Folds:
    how = recipe(**{"train": "projection", "steps": 3, "learning_rate": 0.01, **options})
    return Folds(partial(load, folder), data, how, output=output, team=team(), resume=resume)


def judged(folder: Path, data: TrainingData, output: Path, *, resume: bool = False, **options: object) -> FoldLogits:
    return folds_for(folder, data, output, resume=resume, **options).logits((0.0, 1.0))


def test_share_zero_is_zero_shot_and_tuning_changes_the_rest(sketch: Path, tmp_path: Path) -> None:
    data = drawn(sketch)
    found = judged(sketch, data, tmp_path, folds=2)
    model = load(sketch)
    pixels = data.pixels.prepared(found.rows, model.device)
    zero_shot = model(pixel_values=pixels, **data.texts.tokens).logits_per_image.detach().numpy()
    np.testing.assert_allclose(found.logits[0], zero_shot, rtol=1e-4, atol=1e-3)
    assert not np.allclose(found.logits[1], zero_shot, atol=0.1)
    np.testing.assert_array_equal(found.rows, np.arange(len(data)))
    np.testing.assert_array_equal(found.labels, data.labels)


def test_no_training_sees_the_images_that_it_is_judged_on(
    sketch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, seen = drawn(sketch), []
    train = room.train

    def spy(model: object, part: TrainingData, *args: object, **options: object) -> object:
        seen.append(set(part.paths))
        return train(model, part, *args, **options)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(room, "train", spy)
    judged(sketch, data, tmp_path, folds=3)
    held_out = [set(data.paths) - part for part in seen]
    assert len(seen) == 3
    assert set.union(*held_out) == set(data.paths)
    assert sum(map(len, held_out)) == len(data)


def test_what_is_done_is_not_done_again(sketch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = drawn(sketch)
    first = judged(sketch, data, tmp_path, folds=2)
    monkeypatch.setattr(room, "Judge", None)
    again = judged(sketch, data, tmp_path, folds=2, resume=True)
    np.testing.assert_array_equal(first.logits, again.logits)


def test_single_images_stay_in_and_classes_of_one_image_cannot_be_folded(clip: Path, tmp_path: Path) -> None:
    found = judged(clip, noise(clip, per_class=(1, 3, 3)), tmp_path / "some", folds=2)
    assert found.rows.tolist() == [1, 2, 3, 4, 5, 6]
    assert folds_for(clip, noise(clip, per_class=(1, 1, 1)), tmp_path / "none").n_folds == 0


def test_the_vectors_of_each_fold_say_what_its_logits_say(sketch: Path, tmp_path: Path) -> None:
    data = drawn(sketch)
    folds = folds_for(sketch, data, tmp_path, folds=2)
    logits = folds.logits((0.0, 0.5)).logits[1]
    spaces = folds.spaces(0.5)
    assert spaces.images.shape == (2, len(data), 128)
    scale = load(sketch).logit_scale.exp().item()
    for held in (0, 1):
        out = spaces.fold == held
        again = scale * spaces.images[held, out] @ spaces.classes[held].T
        np.testing.assert_allclose(again, logits[out], rtol=1e-4, atol=1e-3)
