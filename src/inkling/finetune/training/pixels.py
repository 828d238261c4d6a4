"""Prepared images in memory: one byte per value, so that all of a training set fit where floats would not."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inkling.encoders.preprocessing import Preprocessing
from inkling.types import IntArray


@dataclass(frozen=True, eq=False)
class Pixels:
    """Images resized and cropped by the encoder's preprocessing, not yet normalised.

    Attributes
    ----------
    levels
        (n, 3, height, width) uint8.
    table
        What becomes of each level of each channel, (3, 256) float32.
    """

    levels: Tensor
    table: Tensor

    @classmethod
    def of(cls, levels: Sequence[NDArray[np.uint8]], preprocessing: Preprocessing) -> Pixels:
        """From arrays (height, width, 3), as `Preprocessing.levels` makes them."""
        stacked = torch.from_numpy(np.stack([np.moveaxis(one, 2, 0) for one in levels]))
        return cls(stacked, torch.from_numpy(preprocessing.table))

    def __len__(self) -> int:
        return len(self.levels)

    def only(self, rows: IntArray) -> Pixels:
        """Some of the images."""
        return Pixels(self.levels[torch.from_numpy(rows)], self.table)

    def prepared(self, rows: IntArray, device: torch.device) -> Tensor:
        """What the model reads, (n, 3, height, width) float32: bit for bit what the encoder prepares."""
        levels = self.levels[torch.from_numpy(rows)].to(device)
        table = self.table.to(device)
        return torch.stack([table[channel][levels[:, channel].int()] for channel in range(3)], dim=1)

    def unit(self, rows: IntArray, device: torch.device) -> Tensor:
        """Values from 0 to 1, (n, 3, height, width) float32: what augmentation works on."""
        return self.levels[torch.from_numpy(rows)].to(device).float() / 255

    def normalised(self, unit: Tensor) -> Tensor:
        """What the model reads of values from 0 to 1: the table is a straight line in each channel."""
        table = self.table.to(unit.device)
        black, white = table[:, 0, None, None], table[:, 255, None, None]
        return torch.lerp(black, white, unit)

    def digest(self) -> str:
        """Hash of the content."""
        return hashlib.blake2b(self.levels.numpy().tobytes(), digest_size=16).hexdigest()
