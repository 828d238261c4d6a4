"""JSON of what is served, where it is more than the command line says: numbers, and addresses of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from inkling.memory.shown import ShownClass, ShownImage, ShownProposals
from inkling.payloads import Payload, class_payload, proposal_payload, skipped_payload, verdict_payload
from inkling.serving.answered import Answer
from inkling.serving.begun import Collected
from inkling.types import SkippedImage


def picture_address(content_hash: str) -> str:
    """Where the small picture of an image is."""
    return f"/v1/pictures/{quote(content_hash, safe='')}"


def image_answer(image: ShownImage) -> Payload:
    """An image of the memory."""
    told: Payload = {"id": image.content_hash, "path": image.path, "picture": picture_address(image.content_hash)}
    return told if image.p_known is None else told | {"p_known": image.p_known}


def class_answer(shown: ShownClass) -> Payload:
    """A known class with some of its images."""
    return {"id": shown.id, **class_payload(shown.known), "exemplars": [image_answer(one) for one in shown.exemplars]}


def begun_answer(collected: Collected, exemplars: int) -> Payload:
    """A class that waits for a second one, with some of its images."""
    shown = zip(collected.hashes[:exemplars], collected.records, strict=False)
    return {
        "name": collected.name,
        "images": len(collected.records),
        "prompts": list(collected.prompts),
        "exemplars": [{"id": id, "path": one.path, "picture": picture_address(id)} for id, one in shown],
    }


def proposals_answer(shown: ShownProposals) -> Payload:
    """Proposals with their images, and the images in none."""
    return {
        "memory_version": shown.version,
        "proposals": [
            {**proposal_payload(one), "pictures": [image_answer(image) for image in shown.images[one.id]]}
            for one in shown.proposals
        ],
        "loose": [image_answer(one) for one in shown.loose],
        "n_loose": shown.n_loose,
    }


def predictions_answer(answers: Sequence[Answer | SkippedImage], *, nearest: int) -> Payload:
    """Verdicts, each with the nearest images of the memory, and the images without."""
    judged = [one for one in answers if isinstance(one, Answer)]
    return {
        "memory_version": judged[0].known.version if judged else None,
        "n": len(judged),
        "predictions": [_prediction(one, nearest) for one in judged],
        "skipped": skipped_payload(one for one in answers if isinstance(one, SkippedImage)),
    }


def _prediction(answer: Answer, nearest: int) -> Payload:
    told: Payload = {"id": answer.content_hash, **verdict_payload(answer.verdict)}
    if nearest:
        dimension = answer.known.classifier.fitted.samples.identity.dimension
        found = answer.known.neighbours.of(answer.vector[:dimension], count=nearest)
        told["nearest"] = [
            {
                "id": one.content_hash,
                "path": one.path,
                "picture": picture_address(one.content_hash),
                "class": one.class_name,
                "similarity": one.similarity,
            }
            for one in found
        ]
    return told
