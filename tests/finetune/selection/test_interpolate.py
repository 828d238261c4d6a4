"""Any share of the tuned weights after one training, and the share that out-of-fold logits choose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from inkling.finetune.selection.interpolate import best_and_simplest, choose, interpolated, place
from inkling.finetune.selection.judge import Judge, weights_of
from inkling.heads.fold_spaces import FoldSpaces
from tests.finetune.cases import drawn, load, recipe, run, team


@given(share=st.floats(0, 1))
def test_weights_lie_on_the_line_between(share: float) -> None:
    start, tuned = torch.tensor([1.0, -3.0]), torch.tensor([2.0, 5.0])
    found = interpolated({"w": start, "other": start}, {"w": tuned}, share)
    assert set(found) == {"w"}
    torch.testing.assert_close(found["w"], (1 - share) * start + share * tuned)


def test_the_ends_are_exact() -> None:
    start, tuned = torch.randn(50) * 1e3, torch.randn(50) * 1e-3
    assert torch.equal(interpolated({"w": start}, {"w": tuned}, 0.0)["w"], start)
    assert torch.equal(interpolated({"w": start}, {"w": tuned}, 1.0)["w"], tuned)


@pytest.mark.parametrize("options", [{"train": "lora"}, {"train": "layernorm", "head_share": 0.5}])
def test_a_judge_goes_from_zero_shot_to_the_tuned_model(
    sketch: Path, options: dict[str, object], tmp_path: Path
) -> None:
    data, model = drawn(sketch), load(sketch)
    training = run(sketch, data, tmp_path, model=model, steps=6, learning_rate=0.01, **options)
    with torch.no_grad():
        pixels = data.pixels.prepared(np.arange(len(data)), torch.device("cpu"))
        tuned_images = torch.nn.functional.normalize(model.get_image_features(pixel_values=pixels).pooler_output)
        tokens = data.texts.tokens
        texts = training.head if training.head is not None else model.get_text_features(**tokens).pooler_output
        last = model.logit_scale.exp() * tuned_images @ torch.nn.functional.normalize(texts).T
        before = load(sketch)(pixel_values=pixels, **tokens).logits_per_image
    judge = Judge(model, weights_of(load(sketch), list(training.tuned)), training, data, team())
    vectors = [judge.vectors(share) for share in (0.0, 0.5, 1.0)]
    scale = model.logit_scale.exp().detach()
    first_half_last = [(scale * images @ classes.T).numpy() for images, classes in vectors]
    np.testing.assert_allclose(first_half_last[0], before, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(first_half_last[2], last, rtol=1e-4, atol=1e-3)
    assert not np.allclose(first_half_last[1], first_half_last[0], atol=1e-2)
    assert recipe().train == "full"


def test_placing_leaves_other_weights_alone(clip: Path) -> None:
    model, before = load(clip), load(clip).state_dict()
    place(model, {"logit_scale": torch.tensor(9.0)})
    changed = [name for name, one in model.state_dict().items() if not torch.equal(one, before[name])]
    assert changed == ["logit_scale"]


def spaces_with_gain(gains: Sequence[float], n: int = 60, *, noise: float = 0.3) -> tuple[list[FoldSpaces], np.ndarray]:
    """Two classes on two axes of eight; images lean to their class by the gain, at each share."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    classes = np.eye(2, 8)
    common = rng.normal(size=(n, 8))
    found = []
    for gain in gains:
        X = common + noise * rng.normal(size=(n, 8)) + gain * classes[y]
        X /= np.linalg.norm(X, axis=1, keepdims=True)
        found.append(FoldSpaces(np.arange(n) % 3, np.stack([X] * 3), np.stack([classes] * 3)))
    return found, y


def test_the_best_share_is_chosen_where_it_is_clearly_best() -> None:
    spaces, y = spaces_with_gain((0.2, 3.0, 0.3))
    choice = choose(spaces, y, (0.0, 0.5, 1.0), logit_scale=20.0)
    assert choice.share == 0.5
    assert [point.share for point in choice.curve] == [point.share for point in choice.texts] == [0.0, 0.5, 1.0]
    texts = spaces[1].images[0] @ np.eye(2, 8).T
    assert choice.texts[1].top1 == np.mean(texts.argmax(axis=1) == y)


def test_without_a_gain_zero_shot_stays() -> None:
    spaces, y = spaces_with_gain((1.0, 1.02, 1.0), noise=0.8)
    choice = choose(spaces, y, (0.0, 0.5, 1.0), logit_scale=20.0)
    assert choice.share == 0.0
    assert "smallest within one standard error" in choice.reason


def test_a_share_that_is_asked_for_is_taken_and_the_curve_shown_all_the_same() -> None:
    spaces, y = spaces_with_gain((0.2, 3.0, 0.3))
    choice = choose(spaces, y, (0.0, 0.5, 1.0), asked=1.0, logit_scale=20.0)
    assert (choice.share, len(choice.curve)) == (1.0, 3)


def test_one_image_decides_nothing_wrongly() -> None:
    assert best_and_simplest(np.zeros((6, 1, 2)), np.array([0])) == (0, 0)
