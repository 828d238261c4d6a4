"""Detection of unknown images: scores, their fusion, and a threshold for a chosen false-alarm rate. Arrays only."""

from __future__ import annotations

from inkling.heads.conformal import Conformal, RateRange, images_needed, require_images
from inkling.unknown.detector import UnknownDetector
from inkling.unknown.ensembles import mutual_information
from inkling.unknown.negatives import Negatives, mine_negatives
from inkling.unknown.scores import SCORES, Score

__all__ = [
    "SCORES",
    "Conformal",
    "Negatives",
    "RateRange",
    "Score",
    "UnknownDetector",
    "images_needed",
    "mine_negatives",
    "mutual_information",
    "require_images",
]
