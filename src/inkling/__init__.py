"""Few-shot image classification on pretrained image/text encoders.

Names are looked up at first use, so that ``import inkling`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inkling.advising.advice import Advice, advise
    from inkling.auditing.audit import Audit, audit
    from inkling.classifier.few_shot import FewShotClassifier
    from inkling.encoders.base import Encoder, ImageVectors
    from inkling.encoders.registry import load_encoder
    from inkling.errors import InklingError
    from inkling.evaluate.results import Evaluation
    from inkling.evaluate.run import EvaluatedRun
    from inkling.exporting.export import Exported, export
    from inkling.exporting.labelled_images import ExportedImages, export_images
    from inkling.filing.cabinet import Undone
    from inkling.filing.corrections import Corrected, apply_fixes, undo_fixes
    from inkling.finetune.finetuner import FineTuned, FineTuner
    from inkling.finetune.run import FineTunedMemory, FineTuningOptions, finetune_memory
    from inkling.finetune.shipping import Shipment
    from inkling.memory.classes import KnownClass
    from inkling.memory.discovered import Proposal
    from inkling.memory.events import Event
    from inkling.prompting.search import PromptSearch, search_prompts
    from inkling.prompts import ClassPrompts
    from inkling.review.corrections import correct_memory
    from inkling.review.decisions import Decisions
    from inkling.review.propose import Explored
    from inkling.review.sort import Sorted, sort_images, undo_sorting
    from inkling.types import EncoderIdentity, SkippedImage, Verdict

_HOMES = {
    "Advice": "inkling.advising.advice",
    "advise": "inkling.advising.advice",
    "Audit": "inkling.auditing.audit",
    "ClassPrompts": "inkling.prompts",
    "Corrected": "inkling.filing.corrections",
    "Decisions": "inkling.review.decisions",
    "Encoder": "inkling.encoders.base",
    "EncoderIdentity": "inkling.types",
    "EvaluatedRun": "inkling.evaluate.run",
    "Evaluation": "inkling.evaluate.results",
    "Event": "inkling.memory.events",
    "Explored": "inkling.review.propose",
    "Exported": "inkling.exporting.export",
    "ExportedImages": "inkling.exporting.labelled_images",
    "FewShotClassifier": "inkling.classifier.few_shot",
    "FineTuned": "inkling.finetune.finetuner",
    "FineTunedMemory": "inkling.finetune.run",
    "FineTuner": "inkling.finetune.finetuner",
    "FineTuningOptions": "inkling.finetune.run",
    "ImageVectors": "inkling.encoders.base",
    "InklingError": "inkling.errors",
    "KnownClass": "inkling.memory.classes",
    "PromptSearch": "inkling.prompting.search",
    "Proposal": "inkling.memory.discovered",
    "Shipment": "inkling.finetune.shipping",
    "SkippedImage": "inkling.types",
    "Sorted": "inkling.review.sort",
    "Undone": "inkling.filing.cabinet",
    "Verdict": "inkling.types",
    "apply_fixes": "inkling.filing.corrections",
    "correct_memory": "inkling.review.corrections",
    "export": "inkling.exporting.export",
    "export_images": "inkling.exporting.labelled_images",
    "audit": "inkling.auditing.audit",
    "finetune_memory": "inkling.finetune.run",
    "load_encoder": "inkling.encoders.registry",
    "search_prompts": "inkling.prompting.search",
    "sort_images": "inkling.review.sort",
    "undo_fixes": "inkling.filing.corrections",
    "undo_sorting": "inkling.review.sort",
}

__all__ = [
    "Advice",
    "Audit",
    "ClassPrompts",
    "Corrected",
    "Decisions",
    "Encoder",
    "EncoderIdentity",
    "EvaluatedRun",
    "Evaluation",
    "Event",
    "Explored",
    "Exported",
    "ExportedImages",
    "FewShotClassifier",
    "FineTuned",
    "FineTunedMemory",
    "FineTuner",
    "FineTuningOptions",
    "ImageVectors",
    "InklingError",
    "KnownClass",
    "PromptSearch",
    "Proposal",
    "Shipment",
    "SkippedImage",
    "Sorted",
    "Undone",
    "Verdict",
    "advise",
    "apply_fixes",
    "audit",
    "correct_memory",
    "export",
    "export_images",
    "finetune_memory",
    "load_encoder",
    "search_prompts",
    "sort_images",
    "undo_fixes",
    "undo_sorting",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'inkling' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
