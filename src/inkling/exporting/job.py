"""One export at work: files, then the check, then what the folder tells of itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from inkling.classifier.few_shot import FewShotClassifier
from inkling.classifier.fitted import FittedClassifier
from inkling.encoders.base import Encoder
from inkling.encoders.precision import FLOAT32
from inkling.errors import EncoderError, InputError
from inkling.exporting.card import write_card
from inkling.exporting.checking import (
    Asked,
    Pictures,
    ask_classifier,
    ask_folder,
    head_parity,
    opened_encoder,
    pictures_to_check,
    reference_encoder,
    run_program,
)
from inkling.exporting.formats import Bundle, Format
from inkling.exporting.manifest import NOT_STATED, Origin, hashes_of, licence_of, manifest_of, write_manifest
from inkling.exporting.parity import Parity, compare
from inkling.images.boxes import BoxReading
from inkling.images.decode import as_file
from inkling.images.files import Files
from inkling.types import ImageRecord

EXAMPLES = 3
EXAMPLE, EXPECTED = "example", "expected.jsonl"


class Report(Protocol):
    """Called with the progress of an export."""

    def __call__(self, task: str, done: int, total: int) -> None:
        """`done` of `total` steps of a task are through."""
        ...


def silent(task: str, done: int, total: int) -> None:
    """Progress that nobody asked for."""


@dataclass(frozen=True)
class ExportOptions:
    """How to export.

    Attributes
    ----------
    format
        ``onnx``: the whole classifier with a program that runs it; ``web``: the same as a page; ``head``: the linear
        head alone.
    precision
        Of the image tower: float32, float16 or int8. Head and detector stay as they are.
    license
        Under which the export is passed on, as the model card tells it.
    check
        Pictures to compare answers on, in any form that `inkling.images.sources.find_images` reads; None: exemplars.
    boxes
        How boxes among these are read.
    max_loss
        Points of top-1, and of right decisions on unknown pictures, that a coarser arithmetic may lose on these.
    overwrite
        Replace an older export.
    encoder
        Where the memory's encoder is now, if it moved.
    cache
        As for `inkling.FewShotClassifier`.
    """

    format: str = "onnx"
    precision: str = FLOAT32
    license: str | None = None
    check: str | Path | None = None
    boxes: BoxReading | None = None
    max_loss: float = 1.0
    overwrite: bool = False
    encoder: str | Path | Encoder | None = None
    cache: bool | str | Path = True

    def __post_init__(self) -> None:
        if self.max_loss < 0:
            raise InputError(f"max_loss must be 0 or more points, got {self.max_loss:g}.", remedy="1 is the default.")
        if self.license is not None and not self.license.strip():
            raise InputError("The licence is empty.", remedy="Name one, or leave it out.")


@dataclass(frozen=True, eq=False)
class Job:
    """An export.

    Attributes
    ----------
    classifier, origin
        What is exported.
    options, format
        How.
    report
        Called with the progress.
    """

    classifier: FewShotClassifier
    origin: Origin
    options: ExportOptions
    format: Format
    report: Report

    @property
    def fitted(self) -> FittedClassifier:
        """What fitting made of the labelled images."""
        return self.classifier.fitted

    def write(self, draft: Path) -> tuple[dict[str, Any], Parity]:
        """Write all files into a folder; returns the manifest and how the answers compare.

        Raises
        ------
        InputError
            If the answers differ, or the classifier can't be exported.
        """
        if not self.format.reads_pictures:
            manifest = self._begun(Bundle(self.fitted, None, self.options.precision), draft)
            parity = head_parity(draft, self.fitted)
            self._require(parity)
            return self._finished(draft, manifest, parity, "vectors")
        encoder = opened_encoder(self.fitted.samples.identity, lambda: self.classifier.encoder)
        pictures = pictures_to_check(self.fitted, self.options.check, self.options.boxes)
        reference = reference_encoder(self.fitted.samples.identity, encoder)
        bundle = Bundle(self.fitted, reference, self.options.precision, self._own_pictures(pictures))
        manifest = self._begun(bundle, draft)
        parity, asked = self._compared(reference, draft, pictures)
        self._require(parity)
        manifest["examples"] = _write_examples(draft, asked.records)
        manifest["skipped"] = [{"path": image.path, "reason": image.reason} for image in asked.skipped]
        return self._finished(draft, manifest, parity, pictures.of)

    def _own_pictures(self, pictures: Pictures) -> tuple[ImageRecord, ...]:
        """Exemplars where there are such, else those that are checked with."""
        if self.options.check is None or self.options.precision == FLOAT32:
            return pictures.records
        try:
            return pictures_to_check(self.fitted, None).records
        except InputError:
            return pictures.records

    def _begun(self, bundle: Bundle, draft: Path) -> dict[str, Any]:
        """The files of the format, and the manifest that its programs read."""
        options = self.options
        self.report("Building", 0, 1)
        written = self.format.write(bundle, draft)
        self.report("Building", 1, 1)
        manifest = manifest_of(
            self.fitted,
            bundle.encoder,
            format=options.format,
            precision=options.precision,
            origin=self.origin,
            licences={"encoder": self._licence_of_encoder(), "export": options.license},
            written={"max_loss": options.max_loss, **written},
        )
        write_manifest(draft, manifest)
        return manifest

    def _licence_of_encoder(self) -> str:
        try:
            return licence_of(self.classifier.encoder)
        except EncoderError:  # only the head is exported, and its encoder is not at hand
            return NOT_STATED

    def _compared(self, encoder: Encoder, draft: Path, pictures: Pictures) -> tuple[Parity, Asked]:
        embedding, checking = (partial(self.report, task) for task in ("Embedding", "Checking"))
        asked = ask_classifier(self.fitted, encoder, pictures, cache=self.options.cache, progress=embedding)
        return compare(asked.expected, ask_folder(draft, asked.records, progress=checking)), asked

    def _require(self, parity: Parity) -> None:
        """Refuse an export that answers otherwise than the classifier."""
        if self.options.precision == FLOAT32:
            if (reason := parity.why_not) is not None:
                raise InputError(
                    f"The export does not answer as the classifier does, so it was not written: {reason}.",
                    remedy="This is a defect of Inkling, or of the onnxruntime here: try another release of it.",
                )
        elif (reason := parity.why_too_lossy(self.options.max_loss)) is not None:
            raise InputError(
                f"The export in {self.options.precision} was not written: {reason}.",
                remedy="Export in float32, or with another --check or --max-loss, in Python check and max_loss.",
            )

    def _finished(
        self, draft: Path, manifest: dict[str, Any], parity: Parity, checked_with: str
    ) -> tuple[dict[str, Any], Parity]:
        manifest = manifest | {"parity": parity.payload(), "checked_with": checked_with}
        write_card(draft, manifest)
        manifest["files"] = hashes_of(draft)
        write_manifest(draft, manifest)
        return manifest, parity


def _write_examples(draft: Path, records: Sequence[ImageRecord]) -> int:
    """Copy pictures of different classes into the folder, with what its program prints for them; returns how many."""
    of_labels = {record.label: record for record in reversed(records)}
    chosen = sorted({record.path: record for record in of_labels.values()}.values(), key=records.index)
    chosen += [record for record in records if record not in chosen]
    (draft / EXAMPLE).mkdir()
    names = []
    with Files() as files:
        for number, record in enumerate(chosen[:EXAMPLES], start=1):
            suffix, data = as_file(record, files)
            names.append(f"{EXAMPLE}/{number}{suffix}")
            (draft / names[-1]).write_bytes(data)
    told = run_program(draft, "run.py", *names)
    lines = "".join(json.dumps(one) + "\n" for one in told)
    (draft / EXAMPLE / EXPECTED).write_text(lines, encoding="utf-8")
    return len(names)
