"""Each image is judged by a training that did not see it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from inkling.finetune.run_folder import Run
from inkling.finetune.selection.out_of_fold import VECTORS, Folds
from inkling.finetune.training.data import TrainingData
from inkling.finetune.training.progress import TrainingProgress, silent
from tests.finetune.cases import drawn, load, noise, recipe, team


def folds_for(
    folder: Path,
    data: TrainingData,
    output: Path,
    *,
    folds: int = 2,
    resume: bool = False,
    progress: TrainingProgress = silent,
) -> Folds:
    how = recipe(train="projection", steps=3, learning_rate=0.01, folds=folds)
    run = Run(folder=output, resume=resume, progress=progress)
    return Folds(partial(load, folder), data, how, run=run, team=team())


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


def test_no_training_sees_the_images_that_it_is_judged_on(sketch: Path, tmp_path: Path) -> None:
    """Other pixels in the images of one fold change every encoder but that of the fold."""
    data = drawn(sketch)
    folds = folds_for(sketch, data, tmp_path / "before", folds=3)
    (before,) = folds.spaces((1.0,))
    held_out = folds.fold == 1
    levels = data.pixels.levels.clone()
    levels[np.flatnonzero(held_out)] = 255 - levels[np.flatnonzero(held_out)]
    changed = replace(data, pixels=replace(data.pixels, levels=levels))
    (after,) = folds_for(sketch, changed, tmp_path / "after", folds=3).spaces((1.0,))
    np.testing.assert_array_equal(folds.fold >= 0, np.ones(len(data), dtype=bool))
    np.testing.assert_array_equal(before.images[1, ~held_out], after.images[1, ~held_out])
    np.testing.assert_array_equal(before.classes[1], after.classes[1])
    for other in (0, 2):
        assert not np.allclose(before.images[other, ~held_out], after.images[other, ~held_out], atol=1e-4)


def test_what_is_done_is_not_done_again(sketch: Path, tmp_path: Path) -> None:
    data = drawn(sketch)
    (first,) = folds_for(sketch, data, tmp_path, folds=2).spaces((0.5,))
    (tmp_path / "fold-1" / VECTORS).unlink()
    steps: list[str] = []
    resumed = folds_for(sketch, data, tmp_path, resume=True, progress=lambda report: steps.append(report.training))
    (again,) = resumed.spaces((0.5,))
    np.testing.assert_array_equal(first.images, again.images)
    np.testing.assert_array_equal(first.classes, again.classes)
    assert set(steps) <= {"fold 2 of 2"}


def test_single_images_stay_in_and_classes_of_one_image_cannot_be_folded(clip: Path, tmp_path: Path) -> None:
    some = folds_for(clip, noise(clip, per_class=(1, 3, 3)), tmp_path / "some", folds=2)
    assert some.fold[0] == -1
    assert set(some.fold[1:]) == {0, 1}
    assert folds_for(clip, noise(clip, per_class=(1, 1, 1)), tmp_path / "none").n_folds == 0
