"""Results as plain values: what ``--json`` writes, what rows of a table hold, and what a service answers.

Each function takes a result and gives a new mapping of what JSON can hold. The keys are part of the interface.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from inkling.redaction import redacted

if TYPE_CHECKING:
    from inkling.advising.advice import Advice
    from inkling.auditing.audit import Audit
    from inkling.classifier.few_shot import FewShotClassifier
    from inkling.evaluate.results import Evaluation
    from inkling.exporting.export import Exported
    from inkling.exporting.labelled_images import ExportedImages
    from inkling.exporting.verify import Verified
    from inkling.filing.cabinet import Undone
    from inkling.filing.corrections import Corrected
    from inkling.finetune.run import FineTunedMemory
    from inkling.memory.classes import KnownClass
    from inkling.memory.discovered import Proposal
    from inkling.memory.events import Event
    from inkling.memory.summary import MemorySummary
    from inkling.prompting.search import PromptSearch
    from inkling.review.propose import Explored
    from inkling.review.sort import Sorted
    from inkling.types import SkippedImage, Verdict

Payload = dict[str, Any]

BOX_SIDES = ("box_x", "box_y", "box_width", "box_height")
"""Columns of a flat table. They are no boxes of a table that is read again: the path names the box there."""
SET_MARK = "|"
"""Between the classes of a prediction set in a flat table."""
PROMISED = {"coverage": ("set",), "climbing": ("answer", "answer_probability")}
"""Columns of what is promised, by the attribute of `Promises`."""
BOX_COLUMNS = ("image", *BOX_SIDES, "box_unit", "id")


def verdict_payload(verdict: Verdict) -> Payload:
    """One image: label, probability, runners-up, and whether it is unknown; of a box, its picture, sides and id too."""
    return {
        "path": verdict.path,
        **box_payload(verdict.path),
        "label": verdict.label,
        "probability": verdict.probability,
        "top_labels": list(verdict.top_labels),
        "top_probabilities": list(verdict.top_probabilities),
        "unknown": verdict.unknown,
        "p_known": verdict.p_known,
        "names": list(verdict.names),
        **({} if verdict.set is None else {"set": list(verdict.set)}),
        **({} if verdict.answer is None else {"answer": asdict(verdict.answer)}),
        "memory_version": verdict.memory_version,
    }


def box_payload(path: str) -> Payload:
    """The picture, the sides and the id of the box that a path names; nothing where it names none."""
    from inkling.images.boxes import parsed

    read = parsed(path)
    if read is None:
        return {}
    image, box = read
    sides = [box.x, box.y, box.width, box.height]
    return {"image": image, "box": sides, "box_unit": "share" if box.in_shares else "pixel", "id": box.id}


def flat_box(path: str) -> Payload:
    """The same by `BOX_COLUMNS`: a single value in each."""
    box = box_payload(path)
    return box | dict(zip(BOX_SIDES, box.pop("box", ()), strict=False))


def verdict_columns(*, top: int, names: int, boxes: bool = False, promised: Sequence[str] = ()) -> tuple[str, ...]:
    """Columns of a flat table of verdicts.

    Parameters
    ----------
    top
        Classes that each verdict names; the first is ``label``, the others follow in columns of their own.
    names
        Likely names of unknown images.
    boxes
        Whether some of the images are boxes.
    promised
        Columns of what was asked for beside labels, of `PROMISED`.
    """
    others = (f"top{rank}_{what}" for rank in range(2, top + 1) for what in ("label", "probability"))
    likely = (f"name{rank}" for rank in range(1, names + 1))
    of_boxes = BOX_COLUMNS if boxes else ()
    return (
        "path",
        *of_boxes,
        "label",
        "probability",
        *others,
        *promised,
        "unknown",
        "p_known",
        *likely,
        "memory_version",
    )


def flat_verdict(verdict: Verdict) -> Payload:
    """One image by `verdict_columns`: a single value in each; what the verdict lacks has no key."""
    ranked = zip(verdict.top_labels, verdict.top_probabilities, strict=True)
    row: Payload = {"path": verdict.path, **flat_box(verdict.path)}
    row |= {"label": verdict.label, "probability": verdict.probability}
    for rank, (label, probability) in enumerate(ranked, start=1):
        if rank > 1:
            row |= {f"top{rank}_label": label, f"top{rank}_probability": probability}
    if verdict.set is not None:
        row["set"] = SET_MARK.join(verdict.set)
    if verdict.answer is not None:
        row |= {"answer": verdict.answer.name, "answer_probability": verdict.answer.probability}
    row |= {"unknown": verdict.unknown, "p_known": verdict.p_known}
    row |= {f"name{rank}": name for rank, name in enumerate(verdict.names, start=1)}
    return row | {"memory_version": verdict.memory_version}


def skipped_payload(skipped: Iterable[SkippedImage]) -> list[Payload]:
    """Images that could not be used, and why."""
    return [{"path": image.path, "reason": image.reason} for image in skipped]


def sorted_payload(done: Sorted) -> Payload:
    """Pictures that were filed by class."""
    return {
        "manifest": None if done.manifest is None else str(done.manifest),
        "folders": dict(done.counts),
        "made": done.n_made,
        "there_already": done.n_there,
        "skipped": skipped_payload(done.skipped),
    }


def undone_payload(undone: Undone) -> Payload:
    """What became of the pictures that a manifest names."""
    kept = [{"path": path, "reason": reason} for path, reason in undone.kept.items()]
    return {"removed": undone.n_removed, "gone": undone.n_gone, "kept": kept}


def class_payload(known: KnownClass) -> Payload:
    """A known class."""
    return {**asdict(known), "prompts": list(known.prompts), "aliases": list(known.aliases)}


def proposal_payload(proposal: Proposal) -> Payload:
    """A proposed class, what speaks for it, and its images."""
    finding = proposal.finding
    return {
        "id": proposal.id,
        "state": proposal.state,
        "name": proposal.name,
        "size": finding.size,
        "stability": finding.stability,
        "names": [str(name["name"]) for name in finding.names],
        "evidence": [dict(name) for name in finding.names],
        "nearest_class": finding.nearest_class,
        "distance": finding.distance,
        "merged_into": proposal.merged_into,
        "images": list(proposal.images),
    }


def event_payload(event: Event) -> Payload:
    """An entry of the log."""
    return {
        "event": event.id,
        "memory_version": event.version,
        "time": event.time,
        "verb": event.verb,
        "arguments": dict(event.arguments),
        "outcome": dict(event.outcome),
        "undoes": event.undoes,
    }


def explored_payload(explored: Explored) -> Payload:
    """What came of unlabelled images."""
    return {
        "images": explored.n_images,
        "candidates": explored.n_candidates,
        "waiting": len(explored.waiting),
        "drift": {**asdict(explored.drift), "finding": explored.drift.finding},
        "number": None if explored.number is None else list(explored.number),
        "leaning": [{**asdict(one), "finding": one.finding} for one in explored.leaning],
        "proposals": [proposal_payload(one) for one in explored.proposals],
        "memory_version": explored.memory_version,
        "skipped": skipped_payload(explored.skipped),
    }


def fit_payload(classifier: FewShotClassifier) -> Payload:
    """What a classifier learned, and from what."""
    from inkling.auditing.glance import glance
    from inkling.classifier.sources import sources_finding

    fitted = classifier.fitted
    glanced = glance(fitted)
    head, samples = fitted.fitted_head, fitted.samples
    return {
        "classes": list(fitted.classes),
        "classes_without_text": [entry.name for entry in fitted.entries if entry.text_vector is None],
        "classes_without_images": sorted(set(fitted.classes) - set(samples.labels)),
        "images": samples.n_images,
        "sources": len(set(samples.sources.tolist())),
        "encoded_now": samples.n_encoded,
        "contradictions": [list(paths) for paths in glanced.conflicts],
        "worth_a_look": {
            "finding": glanced.finding,
            "mislabelled": [asdict(one) for one in glanced.doubtful],
            "exact_duplicates": [list(paths) for paths in glanced.copies],
            "one_source": [list(paths) for paths in glanced.sources],
        },
        "skipped": skipped_payload(samples.skipped),
        "encoder": samples.identity.name,
        "encoder_fingerprint": samples.identity.fingerprint,
        "head": classifier.head,
        "finding": head.finding,
        "texts": fitted.text_finding,
        "sources_finding": sources_finding(samples),
        "one_pass": None if fitted.one_pass is None else dict(fitted.one_pass),
        "unlabelled": None if fitted.unlabelled is None else dict(fitted.unlabelled),
        "evidence": [dict(one) for one in head.evidence],
        "calibration": dict(head.calibration),
        "unknown": fitted.unknown_report,
    }


def memory_payload(summary: MemorySummary) -> Payload:
    """What a memory knows, and how it came to be."""
    from inkling.memory.content import unknown_finding

    training = summary.training
    return {
        "memory_version": summary.version,
        "encoder": asdict(summary.encoder),
        "head": training["head"],
        "finding": training["finding"],
        "evidence": training["evidence"],
        "calibration": dict(summary.calibration),
        "unknown": unknown_finding(training, summary.detector),
        "classes": [class_payload(one) for one in summary.classes],
        "provenance": asdict(summary.provenance),
    }


def finetuning_payload(done: FineTunedMemory) -> Payload:
    """What fine-tuning made, how the candidates compare, which of them ships, and what became of the memory.

    There is no evidence in a process that only computed for another one.
    """
    tuned, shipment = done.tuned, done.shipment
    told: Mapping[str, Any] = {} if shipment is None else shipment.told
    return {
        **told,
        "classes": list(tuned.class_names),
        "images": len(tuned.records),
        "encoder_fingerprint": tuned.identity.fingerprint,
        "unknown": None if shipment is None else shipment.classifier.fitted.unknown_report,
        "adapters": None if tuned.adapters is None else str(tuned.adapters),
        "skipped": skipped_payload(tuned.skipped),
        "memory": redacted(done.memory),
        "memory_version": done.version,
        "memory_changed": done.changed,
    }


def evaluation_payload(evaluation: Evaluation) -> Payload:
    """What an evaluation measured."""
    return evaluation.to_json()


def export_payload(exported: Exported) -> Payload:
    """An export: where it is, what it was made from, and how its answers compare."""
    manifest = exported.manifest
    told = ("format", "precision", "memory", "encoder", "labels", "licences", "checked_with", "parity")
    return {
        "folder": str(exported.folder),
        **{key: manifest[key] for key in told},
        "files": {str(path.relative_to(exported.folder)): path.stat().st_size for path in exported.files},
        "unknown": manifest["unknown"],
        "examples": manifest.get("examples", 0),
        "skipped": manifest.get("skipped", []),
    }


def verified_payload(found: Verified) -> Payload:
    """What checking an export has found."""
    return {
        "folder": str(found.folder),
        "damage": list(found.damage),
        "moved_on": list(found.moved_on),
        "parity": None if found.parity is None else found.parity.payload(),
    }


def prompts_payload(found: PromptSearch) -> Payload:
    """What a search for better words found."""
    return {
        "images": found.n_images,
        "gains": found.gains,
        "top1_given": found.top1_given,
        "top1_found": found.top1_found,
        "difference": [found.difference.low, found.difference.high],
        "templates": found.templates,
        "changes": dict(found.changes),
        "prompts": {name: list(texts) for name, texts in found.texts.items()},
        "confusions": [{"class": one.name, "instead": one.other, "share": one.share} for one in found.confusions],
        "skipped": skipped_payload(found.skipped),
    }


def advice_payload(advice: Advice) -> Payload:
    """What advising found; images to label that are boxes with their picture, sides and id."""
    told = advice.to_json()
    order = told["order"]
    return told | {"order": None if order is None else [{**one, **box_payload(one["path"])} for one in order]}


def audit_payload(found: Audit) -> Payload:
    """What an audit found."""
    return {
        "images": len(set(found.subject.samples.paths)),
        "different": found.subject.samples.n_images,
        "classes": len(found.subject.classes),
        "looked_for": list(found.looked_for),
        "counts": dict(found.counts),
        "findings": [
            {
                "kind": one.kind,
                "files": list(one.files),
                "evidence": one.evidence,
                "score": one.score,
                "suggestion": one.suggestion,
                "classes": list(one.classes),
                "relabel": one.relabel,
                "labels": list(one.labels),
            }
            for one in found.findings
        ],
        "expected_wrong": found.expected_wrong,
        "not_checked": dict(found.not_checked),
        "skipped": skipped_payload(found.skipped),
    }


def exported_images_payload(done: ExportedImages) -> Payload:
    """A data set of a memory's labelled images."""
    return {
        "output": str(done.folder),
        "source": str(done.source),
        "memory_version": done.memory_version,
        "classes": dict(done.counts),
        "without_images": list(done.without_images),
        "pictures": done.n_pictures,
        "margins": list(done.margins),
        "skipped": skipped_payload(done.skipped),
    }


def corrected_payload(done: Corrected) -> Payload:
    """A corrected copy."""
    return {
        "output": str(done.folder),
        "manifest": str(done.manifest),
        "pictures": done.n_pictures,
        "classes": dict(sorted(done.counts.items())),
        "relabelled": [{"path": path, "label": label} for path, label in done.relabelled.items()],
        "dropped": list(done.dropped),
        "new_classes": list(done.new_classes),
        "emptied": list(done.emptied),
        "gone": list(done.gone),
        "moved_from": done.moved_from,
        "described": done.described,
        "skipped": skipped_payload(done.skipped),
    }
