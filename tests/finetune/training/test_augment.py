"""Augmented images stay images, and depend on nothing but their own numbers."""

from __future__ import annotations

import pytest
import torch

from inkling.finetune.training.augment import N_DRAWS, STRENGTHS, augmented, draws_for

LIGHT, STRONG = STRENGTHS["light"], STRENGTHS["strong"]


def images(n: int = 6, side: int = 40) -> torch.Tensor:
    return torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(1))


def unchanged_draws(n: int) -> torch.Tensor:
    """Numbers at which every change is none: whole crop, no mirror, no turn, no colour, no erasing."""
    draws = torch.full((n, N_DRAWS), 0.5)
    draws[:, 0] = 1.0
    draws[:, [10, 11, 15]] = 0.99
    return draws


@pytest.mark.parametrize("strength", STRENGTHS.values(), ids=STRENGTHS)
def test_images_keep_their_range_and_get_the_size_asked_for(strength: object) -> None:
    out = augmented(images(), draws_for(6, seed=0, step=0), strength=strength, side=24)
    assert out.shape == (6, 3, 24, 24)
    assert float(out.min()) >= 0
    assert float(out.max()) <= 1
    assert float(out.std(dim=(1, 2, 3)).min()) > 0.01


@pytest.mark.parametrize("strength", STRENGTHS.values(), ids=STRENGTHS)
def test_middle_numbers_change_nothing(strength: object) -> None:
    x = images()
    torch.testing.assert_close(augmented(x, unchanged_draws(6), strength=strength, side=40), x, rtol=0, atol=1e-5)


def test_a_number_below_a_half_mirrors() -> None:
    x, draws = images(), unchanged_draws(6)
    draws[:, 4] = 0.2
    torch.testing.assert_close(augmented(x, draws, strength=LIGHT, side=40), x.flip(-1), rtol=0, atol=1e-5)


def test_a_crop_is_a_part_of_the_image() -> None:
    """A ramp cropped is a shorter ramp: its range tells width and place of the crop."""
    ramp = torch.linspace(0, 1, 101).expand(1, 3, 101, 101)
    draws = unchanged_draws(1)
    draws[:, 0], draws[:, 2] = 0.0, 1.0
    out = augmented(ramp, draws, strength=LIGHT, side=101)[0, 0, 50]
    assert float(out[0]) == pytest.approx(1 - 0.5**0.5, abs=0.02)
    assert float(out[-1]) == pytest.approx(1.0, abs=0.02)


def test_strong_can_lose_colour_invert_and_erase() -> None:
    x = images()
    for column, changes in ((10, "colour"), (11, "bright"), (15, "square")):
        draws = unchanged_draws(6)
        draws[:, column] = 0.0
        out = augmented(x, draws, strength=STRONG, side=40)
        assert not torch.allclose(out, x, atol=1e-3), changes
        if changes == "colour":
            torch.testing.assert_close(out[:, 0], out[:, 2], rtol=0, atol=1e-5)
        if changes == "square":
            share = (out == 0.5).all(dim=1).float().mean()
            assert 0.05 < float(share) < 0.15


def test_an_image_does_not_depend_on_its_neighbours() -> None:
    x, draws = images(), draws_for(6, seed=3, step=9)
    whole = augmented(x, draws, strength=STRONG, side=32)
    parts = [augmented(x[at : at + 2], draws[at : at + 2], strength=STRONG, side=32) for at in (0, 2, 4)]
    torch.testing.assert_close(torch.cat(parts), whole, rtol=0, atol=1e-6)


def test_numbers_follow_from_seed_and_step() -> None:
    assert torch.equal(draws_for(4, seed=1, step=2), draws_for(4, seed=1, step=2))
    assert not torch.equal(draws_for(4, seed=1, step=2), draws_for(4, seed=1, step=3))
    assert not torch.equal(draws_for(4, seed=1, step=2), draws_for(4, seed=2, step=2))
