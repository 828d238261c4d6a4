"""Few-shot image classification on pretrained image/text encoders.

Names are looked up at first use, so that ``import inkling`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inkling.classifier.few_shot import FewShotClassifier
    from inkling.encoders.registry import load_encoder
    from inkling.errors import InklingError
    from inkling.finetune.finetuner import FineTuner
    from inkling.prompts import ClassPrompts
    from inkling.review.decisions import Decisions

_HOMES = {
    "ClassPrompts": "inkling.prompts",
    "Decisions": "inkling.review.decisions",
    "FewShotClassifier": "inkling.classifier.few_shot",
    "FineTuner": "inkling.finetune.finetuner",
    "InklingError": "inkling.errors",
    "load_encoder": "inkling.encoders.registry",
}

__all__ = ["ClassPrompts", "Decisions", "FewShotClassifier", "FineTuner", "InklingError", "load_encoder"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'inkling' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
