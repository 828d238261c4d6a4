"""What an export tells of itself: what it was made from, what it answers, and that it answers so."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any

from inkling.classifier.fitted import FittedClassifier
from inkling.encoders.base import Encoder
from inkling.encoders.composed import parts_of
from inkling.encoders.registry import known_encoders
from inkling.exporting.target import MADE_BY, MANIFEST, OWN_HASH, files_in, hash_of_manifest
from inkling.images.formats import DRAFT_MARGIN
from inkling.provenance import current_command, inkling_version, now, package_versions

_PACKAGES = ("onnxruntime", "onnx", "numpy", "pillow")
NOT_STATED = "not stated"


@dataclass(frozen=True)
class Origin:
    """The memory that an export was made from.

    Attributes
    ----------
    name
        Of its file; None where a classifier was handed over.
    version
        None for one that was never saved.
    digest
        Of all that it holds; None where it wasn't read for that.
    """

    name: str | None = None
    version: int | None = None
    digest: str | None = None


def manifest_of(
    fitted: FittedClassifier,
    encoder: Encoder | None,
    *,
    format: str,
    precision: str,
    origin: Origin,
    licences: Mapping[str, str | None],
    written: Mapping[str, Any],
) -> dict[str, Any]:
    """The manifest, without parity and hashes of files.

    Parameters
    ----------
    licences
        Of the encoder's weights and of the export.
    written
        What the writer of the format adds: inputs, outputs and the like.
    """
    identity, head = fitted.samples.identity, fitted.fitted_head
    return {
        "made_by": MADE_BY,
        "created": now(),
        "command": current_command(),
        "format": format,
        "precision": precision,
        "memory": vars(origin),
        "labels": fitted.labels.tolist(),
        "encoder": {
            "name": identity.name,
            "fingerprint": identity.fingerprint,
            "dimension": identity.dimension,
            "feature_dimension": identity.feature_dimension,
            "precision": identity.precision,
        },
        "head": {
            "name": fitted.head,
            "finding": head.finding,
            "temperature": head.temperature,
            "calibration": dict(head.calibration),
        },
        "unknown": _unknown(fitted),
        "preprocessing": None if encoder is None else _preprocessing(encoder),
        "compared_with": None if encoder is None else f"Inkling, its encoder in {encoder.identity.precision}",
        **written,
        "seed": fitted.seed,
        "versions": {"inkling": inkling_version(), "python": platform.python_version(), **package_versions(_PACKAGES)},
        "licences": dict(licences),
    }


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write it as JSON."""
    sealed = {**manifest, OWN_HASH: hash_of_manifest(manifest)}
    text = json.dumps(sealed, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def hashes_of(folder: Path) -> dict[str, str]:
    """SHA-256 of each file of an export but the manifest, by its path within the folder."""
    found = {}
    for name in files_in(folder):
        with (folder / name).open("rb") as file:
            found[name] = file_digest(file, "sha256").hexdigest()
    return found


def licence_of(encoder: Encoder) -> str:
    """Licences of an encoder's weights, as it or the list of known encoders states them."""
    cards = {card.name: card.licence for card in known_encoders()}
    told = []
    for part in parts_of(encoder):
        own = getattr(part, "licence", None) or cards.get(part.identity.name, NOT_STATED)
        told.append(own if len(parts_of(encoder)) == 1 else f"{part.identity.name}: {own}")
    return "; ".join(told)


def _unknown(fitted: FittedClassifier) -> dict[str, Any] | None:
    detector = fitted.detector
    if detector is None:
        return None
    return {
        "false_alarms": detector.false_alarms,
        "threshold": detector.conformal.threshold(detector.false_alarms),
        "calibration_images": len(detector.conformal.calibration),
        "scores": dict(zip(detector.choice.names, detector.choice.weights.tolist(), strict=True)),
        "finding": detector.finding,
    }


def _preprocessing(encoder: Encoder) -> dict[str, Any]:
    """What is left to do outside of the graph."""
    return {
        "picture": "uint8, height x width x 3, RGB, turned upright, transparent parts on white",
        "shorter_side": encoder.shorter_side,
        "draft_margin": DRAFT_MARGIN,
        "shorter_sides": [part.shorter_side for part in parts_of(encoder)],
        "in_graph": "resizing, cropping, normalising",
    }
