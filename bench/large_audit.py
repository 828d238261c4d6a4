"""Audit many drawn vectors, and say how long it took, how much memory the process ever had, and what was found.

A process of its own, since the peak of a process never falls. A mixture of classes, of which 5 % of the labels are
wrong and 1 % of the vectors there twice; there are no pictures. Prints JSON.

    python bench/large_audit.py
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import replace

import numpy as np

from drawn_memory import DIMS, drawn
from inkling.auditing.audit import audit_subject
from inkling.auditing.subject import Subject

N, CLASSES = 100_000, 100
WRONG, TWICE = 0.05, 0.01
SEED = 0


def main() -> None:
    """Draw, audit, report."""
    subject, wrong, copies = _drawn()
    started = time.perf_counter()
    found = audit_subject(subject)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    said = {one.files[0] for one in found.findings if one.kind == "mislabelled"}
    pairs = {frozenset(one.files) for one in found.findings if one.kind in ("exact_duplicate", "label_conflict")}
    told = {
        "seconds": seconds,
        "peak_gib": peak / 2**30,
        "images": len(subject.samples),
        "classes": CLASSES,
        "dimensions": DIMS,
        "recall_of_wrong_labels": len(said & wrong) / len(wrong),
        "precision_of_wrong_labels": len(said & wrong) / max(len(said), 1),
        "expected_wrong": found.expected_wrong,
        "recall_of_copies": len(pairs & copies) / len(copies),
        "counts": dict(found.counts),
    }
    print(json.dumps(told))


def _drawn() -> tuple[Subject, set[str], set[frozenset[str]]]:
    """What is audited, the files under wrong labels, and the pairs of copies."""
    rng = np.random.default_rng(SEED)
    samples, entries = drawn(N, CLASSES, rng)
    X, hashes, labels = samples.X.copy(), list(samples.content_hashes), list(samples.labels)
    wrong = rng.choice(N, round(WRONG * N), replace=False)
    for row in wrong:
        other = (row % CLASSES + rng.integers(1, CLASSES)) % CLASSES
        labels[row] = entries[other].name
    copied = rng.choice(np.setdiff1d(np.arange(N), wrong), (round(TWICE * N), 2), replace=False)
    for row, of in copied:
        X[row], hashes[row], labels[row] = X[of], hashes[of], labels[of]
    planted = replace(samples, X=X, content_hashes=tuple(hashes), labels=tuple(labels))
    copies = {frozenset((samples.paths[row], samples.paths[of])) for row, of in copied}
    return Subject(planted, tuple(entries)), {samples.paths[row] for row in wrong}, copies


if __name__ == "__main__":
    main()
