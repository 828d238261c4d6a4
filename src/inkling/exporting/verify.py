"""Is an export still what it was, and does its memory still answer as it does?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from inkling.classifier.few_shot import FewShotClassifier
from inkling.encoders.base import Encoder
from inkling.encoders.precision import FLOAT32
from inkling.errors import InputError
from inkling.exporting.checking import (
    Pictures,
    ask_classifier,
    ask_folder,
    head_parity,
    opened_encoder,
    pictures_to_check,
    reference_encoder,
    run_program,
)
from inkling.exporting.formats import FORMATS, format_named, require_use_of_check
from inkling.exporting.job import EXAMPLE, EXPECTED, Report, silent
from inkling.exporting.manifest import hashes_of
from inkling.exporting.parity import PROBABILITY_TOLERANCE, Parity, compare
from inkling.exporting.target import MANIFEST, OWN_HASH, hash_of_manifest, read_manifest
from inkling.images.boxes import BoxReading
from inkling.images.sources import find_images
from inkling.memory.state import MemoryState, read_state


@dataclass(frozen=True)
class Verified:
    """What checking an export has found.

    Attributes
    ----------
    folder
        The export.
    damage
        What is wrong with the folder itself: files that are missing or were changed, answers that are not those that it
        had. Nobody should rely on it then.
    moved_on
        In what the memory differs from the one that was exported; empty without a memory.
    parity
        How its answers compare with those of the memory as it is now; None without a memory, and for a damaged folder.
    """

    folder: Path
    damage: tuple[str, ...]
    moved_on: tuple[str, ...]
    parity: Parity | None


def verify_export(
    folder: str | Path,
    memory: str | Path | None = None,
    *,
    check: str | Path | None = None,
    boxes: BoxReading | None = None,
    encoder: str | Path | Encoder | None = None,
    cache: bool | str | Path = True,
    report: Report | None = None,
) -> Verified:
    """Check an export: its files and its answers and, with a memory, whether that has moved on.

    Parameters
    ----------
    folder
        The export.
    memory
        The memory that it was made from; None to check the folder alone, by the answers that it had.
    check, boxes, encoder, cache
        As `inkling.exporting.job.ExportOptions` has them. Where no exemplar is where it was, the export's own examples
        are what is checked with.
    report
        Called with the progress.

    Raises
    ------
    InputError
        If the folder is no export, or can't be run.
    MemoryFileError, EncoderError
        If the memory or its encoder can't be opened.

    Examples
    --------
    >>> from inkling.exporting.verify import verify_export
    >>> from inkling.exporting.texts_alone import zero_shot_classifier
    >>> exported = export(zero_shot_classifier(["cat", "castle"], "sketch"), "checked", format="head")
    >>> verify_export("checked").damage
    ()
    """
    place = Path(folder)
    manifest = read_manifest(place)
    damage = _damaged_files(place, manifest)
    require_use_of_check(format_named(manifest["format"], precision=manifest["precision"]), check)
    if not damage and FORMATS[manifest["format"]].reads_pictures:
        damage = _other_answers(place)
    if memory is None or damage:
        return Verified(place, damage, () if memory is None else _moved_on(manifest, read_state(memory)), None)
    moved_on = _moved_on(manifest, read_state(memory))
    classifier = FewShotClassifier.load(memory, encoder=encoder, device="cpu", cache=cache)
    parity = _parity(place, manifest, classifier, check=check, boxes=boxes, cache=cache, report=report or silent)
    reason = _why_not(parity, manifest)
    if reason is not None and not moved_on:
        damage = (reason,)
    elif reason is not None:
        moved_on = (*moved_on, reason)
    return Verified(place, damage, moved_on, parity)


def _damaged_files(folder: Path, manifest: Mapping[str, Any]) -> tuple[str, ...]:
    kept, found = dict(manifest["files"]), hashes_of(folder)
    missing = [f"{name} is missing" for name in kept if name not in found]
    changed = [MANIFEST] if manifest[OWN_HASH] != hash_of_manifest(manifest) else []
    changed += [name for name in kept if name in found and kept[name] != found[name]]
    return (*missing, *(f"{name} was changed" for name in changed))


def _other_answers(folder: Path) -> tuple[str, ...]:
    """What the examples get by now that they did not get when they were written."""
    lines = (folder / EXAMPLE / EXPECTED).read_text(encoding="utf-8").splitlines()
    expected = [json.loads(line) for line in lines]
    told = run_program(folder, "run.py", *(one["path"] for one in expected))
    return tuple(
        f"{before['path']} gets {_short(now)}, and got {_short(before)}"
        for before, now in zip(expected, told, strict=True)
        if not _same(before, now)
    )


def _same(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    if "error" in now or any(before[key] != now[key] for key in ("label", "unknown", "p_known")):
        return False
    return bool(np.isclose(before["probability"], now["probability"], rtol=0, atol=PROBABILITY_TOLERANCE))


def _short(verdict: Mapping[str, Any]) -> str:
    if "error" in verdict:
        return f"the error '{verdict['error']}'"
    return f"{verdict['label']} with {verdict['probability']:.4f}{', unknown' if verdict['unknown'] else ''}"


def _moved_on(manifest: Mapping[str, Any], now: MemoryState) -> tuple[str, ...]:
    """In what the memory differs; one that was changed and changed back, with an older digest, does not."""
    then, encoder = manifest["memory"], manifest["encoder"]
    found = []
    if encoder.get("fingerprint") != now.fingerprint:
        found.append(f"its encoder was '{encoder.get('name')}' and is another now")
    version, digest = then.get("version"), then.get("digest")
    was = [] if version == now.version else [f"its version was {version} and is {now.version}"]
    if digest is None:
        found += was
    elif digest != now.digest:
        found.append("; ".join([*was, "it holds something else by now"]))
    return tuple(found)


def _parity(
    folder: Path,
    manifest: Mapping[str, Any],
    classifier: FewShotClassifier,
    *,
    check: str | Path | None,
    boxes: BoxReading | None,
    cache: bool | str | Path,
    report: Report,
) -> Parity | None:
    """How the export compares with the memory as it is; None where the two have different classes."""
    fitted = classifier.fitted
    if manifest["labels"] != fitted.labels.tolist():
        return None
    if not FORMATS[manifest["format"]].reads_pictures:
        return head_parity(folder, fitted)
    identity = fitted.samples.identity
    encoder = reference_encoder(identity, opened_encoder(identity, lambda: classifier.encoder))
    embedding, checking = (partial(report, task) for task in ("Embedding", "Checking"))
    pictures = _pictures(folder, classifier, check, boxes)
    asked = ask_classifier(fitted, encoder, pictures, cache=cache, progress=embedding)
    return compare(asked.expected, ask_folder(folder, asked.records, progress=checking))


def _pictures(
    folder: Path, classifier: FewShotClassifier, check: str | Path | None, boxes: BoxReading | None
) -> Pictures:
    try:
        return pictures_to_check(classifier.fitted, check, boxes)
    except InputError:
        if check is not None:
            raise
        return Pictures(tuple(find_images(folder / EXAMPLE).records), EXAMPLE)


def _why_not(parity: Parity | None, manifest: Mapping[str, Any]) -> str | None:
    if parity is None:
        return "its classes are others by now"
    if manifest["precision"] == FLOAT32:
        return parity.why_not
    return parity.why_too_lossy(manifest["max_loss"])
