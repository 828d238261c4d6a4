"""A classifier to a folder that answers as it does, which is checked before the folder appears."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkling.classifier.few_shot import FewShotClassifier
from inkling.encoders.precision import FLOAT32
from inkling.errors import InputError, require
from inkling.exporting.formats import format_named, require_use_of_check
from inkling.exporting.job import ExportOptions, Job, Report, silent
from inkling.exporting.manifest import Origin
from inkling.exporting.parity import Parity
from inkling.exporting.target import appearing_at, check_target
from inkling.memory.state import read_state
from inkling.redaction import redacted


@dataclass(frozen=True, eq=False)
class Exported:
    """An export.

    Attributes
    ----------
    folder
        Where it is.
    manifest
        What it tells of itself.
    parity
        How its answers compare with the classifier's.

    Examples
    --------
    >>> from inkling.exporting.texts_alone import zero_shot_classifier
    >>> exported = export(zero_shot_classifier(["cat", "castle"], "sketch"), "two-names", format="head")
    >>> exported.folder.name, exported.manifest["labels"]
    ('two-names', ['castle', 'cat'])
    """

    folder: Path
    manifest: Mapping[str, Any]
    parity: Parity

    @property
    def files(self) -> tuple[Path, ...]:
        """Its files."""
        return tuple(self.folder / name for name in ("manifest.json", *self.manifest["files"]))


def export(
    memory: str | Path | FewShotClassifier,
    output: str | Path,
    *,
    format: str = "onnx",
    precision: str = FLOAT32,
    license: str | None = None,
    check: str | Path | None = None,
    max_loss: float = 1.0,
) -> Exported:
    """Write a classifier as a folder that answers as it does, without Inkling.

    Pictures go through Inkling and, in a fresh process, through the folder, before it appears.

    Parameters
    ----------
    memory
        A memory, or a fitted classifier.
    output
        A folder that isn't there yet.
    format, precision, license, check, max_loss
        As `inkling.exporting.job.ExportOptions` has them.

    Raises
    ------
    InputError
        If the folder is there, the answers differ, or the head or the encoder can't be exported. Then nothing has been
        written.
    MissingExtraError
        If what exporting needs is not installed.

    Examples
    --------
    >>> from inkling.exporting.texts_alone import zero_shot_classifier
    >>> exported = export(zero_shot_classifier(["cat", "castle"], "sketch"), "names", format="head")
    >>> [path.name for path in exported.files][:3], exported.parity.differing
    (['manifest.json', 'MODEL_CARD.md', 'head.npz'], ())
    """
    options = ExportOptions(format=format, precision=precision, license=license, check=check, max_loss=max_loss)
    return export_with(memory, output, options)


def export_with(
    memory: str | Path | FewShotClassifier, output: str | Path, options: ExportOptions, *, report: Report | None = None
) -> Exported:
    """As `export`, with all options; `report` is called with the progress."""
    kind = format_named(options.format, precision=options.precision)
    require_use_of_check(kind, options.check)
    target = check_target(output, overwrite=options.overwrite)
    require("onnx", extra="export", purpose="Exporting")
    classifier, origin = _opened(memory, options)
    job = Job(classifier, origin, options, kind, report or silent)
    with appearing_at(target, overwrite=options.overwrite) as draft:
        manifest, parity = job.write(draft)
    return Exported(target, manifest, parity)


def _opened(memory: str | Path | FewShotClassifier, options: ExportOptions) -> tuple[FewShotClassifier, Origin]:
    if isinstance(memory, FewShotClassifier):
        return memory, Origin(version=memory.memory_version)
    state = read_state(memory)
    classifier = FewShotClassifier.load(memory, encoder=options.encoder, device="cpu", cache=options.cache)
    if classifier.memory_version != state.version:
        raise InputError("The memory was changed while it was read.", remedy="Run it again.")
    return classifier, Origin(redacted(Path(str(memory)).name), state.version, state.digest)
