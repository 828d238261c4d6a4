"""Random changes to a batch of images, as pure functions of pixels and uniform numbers.

Every random choice of an image is a column of `draws`, which the caller makes from the seed, the step and the image's
place in the batch. So an image is changed alike however the batch is divided among processes and passes.

The operations are those of RandAugment (Cubuk et al. 2020, 1909.13719) that keep a class what it is. Imports torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

N_DRAWS = 16
"""Uniform numbers for one image."""

ASPECT = (3 / 4, 4 / 3)
GREY = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in luminance (ITU-R BT.601)."""


@dataclass(frozen=True)
class Strength:
    """How far images are changed.

    Attributes
    ----------
    smallest_crop
        Least share of the area that a crop keeps.
    colour
        Largest relative change of brightness, contrast and saturation.
    turn, shear
        Largest rotation in radians and largest shear.
    grey, solarise, erase
        Chance to lose colour, to invert bright values, and to lose a square.
    """

    smallest_crop: float
    colour: float
    turn: float = 0.0
    shear: float = 0.0
    grey: float = 0.0
    solarise: float = 0.0
    erase: float = 0.0


STRENGTHS: Mapping[str, Strength] = {
    "light": Strength(smallest_crop=0.5, colour=0.15),
    "strong": Strength(
        smallest_crop=0.25, colour=0.4, turn=math.radians(20), shear=0.2, grey=0.1, solarise=0.1, erase=0.25
    ),
}


def draws_for(n_images: int, *, seed: int, step: int) -> Tensor:
    """Uniform numbers (n_images, N_DRAWS) for the batch of a step."""
    generator = torch.Generator().manual_seed((seed * 1_000_003 + step) % 2**63)
    return torch.rand(n_images, N_DRAWS, generator=generator)


def augmented(images: Tensor, draws: Tensor, *, strength: Strength, side: int) -> Tensor:
    """Images (n, 3, height, width) in [0, 1] cropped at random to (n, 3, side, side), mirrored, turned, recoloured.

    Parameters
    ----------
    draws
        Uniform numbers (n, N_DRAWS).
    """
    u = draws.to(images.device)
    images = _warped(images, u, strength, side)
    images = _recoloured(images, u, strength)
    if strength.solarise:
        bright = (images > 0.5) & _chance(u[:, 11], strength.solarise)
        images = torch.where(bright, 1 - images, images)
    if strength.erase:
        images = _erased(images, u, strength)
    return images


def _warped(images: Tensor, u: Tensor, strength: Strength, side: int) -> Tensor:
    """Crop, mirror, turn and shear in one resampling, so that pixels are interpolated once."""
    area = _between(u[:, 0], strength.smallest_crop, 1.0)
    aspect = torch.exp(_between(u[:, 1], math.log(ASPECT[0]), math.log(ASPECT[1])))
    half_width, half_height = (area * aspect).sqrt().clamp_max(1), (area / aspect).sqrt().clamp_max(1)
    centre_x, centre_y = (1 - half_width) * (2 * u[:, 2] - 1), (1 - half_height) * (2 * u[:, 3] - 1)
    mirror = torch.where(u[:, 4] < 0.5, -1.0, 1.0)
    angle, shear = strength.turn * (2 * u[:, 5] - 1), strength.shear * (2 * u[:, 6] - 1)
    cos, sin = angle.cos(), angle.sin()
    across = torch.stack([half_width * mirror * cos, half_width * (shear * cos - sin), centre_x], dim=1)
    down = torch.stack([half_height * mirror * sin, half_height * (shear * sin + cos), centre_y], dim=1)
    grid = affine_grid(torch.stack([across, down], dim=1), [len(images), 3, side, side], align_corners=False)
    return grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def _recoloured(images: Tensor, u: Tensor, strength: Strength) -> Tensor:
    brightness, contrast, saturation = (
        _between(u[:, column], 1 - strength.colour, 1 + strength.colour)[:, None, None, None] for column in (7, 8, 9)
    )
    images = (images * brightness).clamp(0, 1)
    images = torch.lerp(_grey(images).mean(dim=(1, 2, 3), keepdim=True), images, contrast).clamp(0, 1)
    if strength.grey:
        saturation = torch.where(_chance(u[:, 10], strength.grey), 0.0, saturation)
    return torch.lerp(_grey(images), images, saturation).clamp(0, 1)


def _erased(images: Tensor, u: Tensor, strength: Strength) -> Tensor:
    """A square of an eighth to a half of the side becomes grey (Zhong et al. 2017, 1708.04896)."""
    side = images.shape[-1]
    at = (torch.arange(side, device=images.device) + 0.5) / side
    size = _between(u[:, 12], 0.125, 0.5)
    in_x, in_y = (
        (at >= start[:, None]) & (at < (start + size)[:, None])
        for start in (u[:, 13] * (1 - size), u[:, 14] * (1 - size))
    )
    hit = in_y[:, None, :, None] & in_x[:, None, None, :] & _chance(u[:, 15], strength.erase)
    return torch.where(hit, 0.5, images)


def _between(u: Tensor, low: float, high: float) -> Tensor:
    return low + (high - low) * u


def _chance(u: Tensor, chance: float) -> Tensor:
    return (u < chance)[:, None, None, None]


def _grey(images: Tensor) -> Tensor:
    shares = torch.tensor(GREY, device=images.device)[:, None, None]
    return (images * shares).sum(dim=1, keepdim=True)
