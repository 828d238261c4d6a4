"""A made-up audit whose names try to get out of the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from inkling.auditing.audit import Audit
from inkling.auditing.findings import Finding
from inkling.auditing.subject import Subject
from inkling.embeddings.samples import Samples
from inkling.types import ClassEntry, EncoderIdentity, SkippedImage
from tests.evaluate.made_up import jpeg

IDENTITY = EncoderIdentity("sketch", "sketch", "f00d", 4, 0, 100.0, "float32")
SCRIPT = "</script><script>document.title='pwned'</script>"
CLASSES = (f'a "{SCRIPT}', "\u05d0\u202eb", "cat")
PATHS = (
    'train/x/<img src=x onerror="document.title=1">.png',
    'train/x/new\nline, "quoted".png',
    "train/y/\u202egnp.exe.png",
    "train/y/plain.png",
    "train/cat/1.png",
    "train/cat/2.png",
)
LABELS = (CLASSES[0], CLASSES[0], CLASSES[1], CLASSES[1], CLASSES[2], CLASSES[2])
BROKEN = "train/cat/broken.png"
TESTED = "test/cat/9.png"


def samples(paths: tuple[str, ...], labels: tuple[str | None, ...], *, pictures: bool = True) -> Samples:
    n = len(paths)
    thumbnails = tuple(jpeg(seed) if pictures else None for seed in range(n))
    hashes = tuple(f"{'t' if n == 1 else 'h'}{number}" for number in range(n))
    X = np.eye(max(n, 4), 4, dtype=np.float32) + 0.1
    return Samples(IDENTITY, paths, labels, hashes, thumbnails, (0,) * n, X[:n])


def audited(findings: tuple[Finding, ...], paths: tuple[str, ...] = PATHS, labels: tuple[str, ...] = LABELS) -> Audit:
    entries = tuple(ClassEntry(name) for name in dict.fromkeys(labels))
    subject = Subject(samples(paths, labels), entries, samples((TESTED,), ("cat",)), 3)
    skipped = (SkippedImage(BROKEN, "it is cut short"),)
    return Audit(subject, findings, skipped, {}, 0.9)


FINDINGS = (
    Finding(
        "mislabelled", PATHS[:1], f"It looks like {SCRIPT}.", 0.912, "Is it?", (CLASSES[0], CLASSES[1]), CLASSES[1]
    ),
    Finding("label_conflict", PATHS[1:3], "One picture.", 1.0, "Keep one.", CLASSES[:2]),
    Finding("leak", (PATHS[4], TESTED), "It is the same file.", 1.0, "Leave it out.", ("cat",)),
    Finding("unreadable", (BROKEN,), "It is cut short.", 1.0, "Repair it."),
    Finding("exact_duplicate", (PATHS[4], PATHS[5]), "The same file.", 1.0, "Keep one.", ("cat",)),
    Finding("ambiguous", PATHS[3:4], 'Either, "or".', 0.8, "", (CLASSES[1], CLASSES[2])),
    Finding("few_images", (), "cat has 2 images.", 0.5, "Add images.", ("cat",)),
)
AUDIT = audited(FINDINGS)


def many(n: int) -> Audit:
    """An audit with so many findings, of two kinds, each about an image of its own."""
    paths = tuple(f"train/{'ab'[number % 2]}/{number}.png" for number in range(n))
    labels = tuple("ab"[number % 2] for number in range(n))
    findings = tuple(
        Finding(
            "mislabelled" if number < n // 2 else "ambiguous", (path,), "Look.", 1 - number / n, "", ("a", "b"), "b"
        )
        for number, path in enumerate(paths)
    )
    return audited(findings, paths, labels)


def write(folder: Path, found: Audit = AUDIT) -> Path:
    from inkling.reports.audit import write_audit_report

    path = folder / "audit.html"
    write_audit_report(path, found, name=f"photos/{SCRIPT}/train")
    return path
