"""Each image is judged by a training that did not see it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from inkling.finetune.selection import out_of_fold as room
from inkling.finetune.selection.out_of_fold import Folds
from inkling.finetune.training.data import TrainingData
from tests.finetune.cases import drawn, load, noise, recipe, team


def folds_for(folder: Path, data: TrainingData, output: Path, *, resume: bool = False, **options: object) -> Folds:
    how = recipe(**{"train": "projection", "steps": 3, "learning_rate": 0.01, **options})
    return Folds(partial(load, folder), data, how, output=output, team=team(), resume=resume)


def test_share_zero_is_the_encoder_as_it_was_and_tuning_changes_the_rest(sketch: Path, tmp_path: Path) -> None:
    data, model = drawn(sketch), load(sketch)
    folds = folds_for(sketch, data, tmp_path, folds=2)
    first, last = folds.spaces((0.0, 1.0))
    pixels = data.pixels.prepared(np.arange(len(data)), model.device)
    zero_shot = model(pixel_values=pixels, **data.texts.tokens).logits_per_image.detach().numpy()
    scale = model.logit_scale.exp().item()
    np.testing.assert_array_equal(first.rows, np.arange(len(data)))
    np.testing.assert_allclose(first.text_logits(scale), zero_shot, rtol=1e-4, atol=1e-3)
    assert not np.allclose(last.text_logits(scale), zero_shot, atol=0.1)
    assert last.images.shape == (2, len(data), 128)
    assert not np.allclose(last.images[0], last.images[1], atol=1e-3)


def test_no_training_sees_the_images_that_it_is_judged_on(
    sketch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, seen = drawn(sketch), []
    train = room.train

    def spy(model: object, part: TrainingData, *args: object, **options: object) -> object:
        seen.append(set(part.paths))
        return train(model, part, *args, **options)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(room, "train", spy)
    folds_for(sketch, data, tmp_path, folds=3).spaces((1.0,))
    held_out = [set(data.paths) - part for part in seen]
    assert len(seen) == 3
    assert set.union(*held_out) == set(data.paths)
    assert sum(map(len, held_out)) == len(data)


def test_what_is_done_is_not_done_again(sketch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = drawn(sketch)
    (first,) = folds_for(sketch, data, tmp_path, folds=2).spaces((0.5,))
    monkeypatch.setattr(room, "Judge", None)
    (again,) = folds_for(sketch, data, tmp_path, folds=2, resume=True).spaces((0.5,))
    np.testing.assert_array_equal(first.images, again.images)
    np.testing.assert_array_equal(first.classes, again.classes)


def test_single_images_stay_in_and_classes_of_one_image_cannot_be_folded(clip: Path, tmp_path: Path) -> None:
    some = folds_for(clip, noise(clip, per_class=(1, 3, 3)), tmp_path / "some", folds=2)
    assert some.fold[0] == -1
    assert set(some.fold[1:]) == {0, 1}
    assert folds_for(clip, noise(clip, per_class=(1, 1, 1)), tmp_path / "none").n_folds == 0
