"""The crops of the original experiment as they are: the 40 worst findings, each looked at by eye.

They are the findings of an audit of both parts together in the order in which it lists them, and after them the labels
that are likeliest wrong among the others, though less likely than not. A finding is right if what its kind says can be
seen and is worth correcting or leaving out: another class than the label, or an object before it that covers or
outdoes it; two pictures of one scene; a strip that hardly shows its object. `audit_crops.csv` has every verdict; what
could be seen either way is doubtful, and counts as not right.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from audit_planted import CROPS
from common import Row, at_least
from inkling.auditing.audit import Audit, audit

ENCODER = "pocket"
WORST, GOAL = 40, 0.6
LABEL = "label"
SEEN = Path(__file__).with_name("audit_crops.csv")
Key = tuple[str, str]


def rows() -> Iterator[Row]:
    """The share of the worst findings that is right."""
    pictures = sorted(CROPS.glob("*/*/*.jpg"))
    found = audit(list(map(str, pictures)), [path.parent.name for path in pictures], encoder=ENCODER)
    worst, seen = [*_worst(found)][:WORST], _seen()
    verdicts = [seen.get(one, {}).get("verdict", "not looked at") for one in worst]
    labels = [verdict for (kind, _), verdict in zip(worst, verdicts, strict=True) if kind == LABEL]
    details = {verdict: verdicts.count(verdict) for verdict in sorted(set(verdicts))}
    what = f"coco_crops as it is, {ENCODER}: share of the {WORST} worst findings that is right by eye"
    yield at_least(what, verdicts.count("right") / WORST, GOAL, counts=dict(found.counts), verdicts=details)
    yield Row(
        "the same: of those among them that are labels likeliest wrong",
        labels.count("right") / max(len(labels), 1),
        details={"n": len(labels), "expected_wrong": found.expected_wrong},
    )


def _worst(found: Audit) -> Iterator[Key]:
    """Kind and files, worst first."""
    for one in found.findings:
        if one.files:
            yield one.kind, _named(one.files)
    judged, samples = found.subject.held_out, found.subject.samples
    told = {one.files[0] for one in found.findings if one.files}
    for at in np.argsort(-judged.p_wrong, kind="stable"):
        if (path := samples.paths[judged.rows[at]]) not in told:
            yield LABEL, _named((path,))


def _named(files: tuple[str, ...]) -> str:
    return "|".join(sorted(Path(file).relative_to(CROPS).as_posix() for file in files))


def _seen() -> Mapping[Key, dict[str, str]]:
    with SEEN.open(encoding="utf-8", newline="") as file:
        return {(row["kind"], row["files"]): row for row in csv.DictReader(file)}
