"""One image, one question: where two checks ask of it what excludes each other, the surer one speaks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from inkling.auditing.findings import Finding

_BY_VECTORS = ("mislabelled", "ambiguous", "outlier")


def one_question(findings: Iterable[Finding]) -> list[Finding]:
    """The findings without those that another one answers.

    What shows nothing is not asked for its class. And where a picture stands under two labels, one of which is likely
    wrong, the copy under it is to go: given the other label, it would be there twice.
    """
    every = list(findings)
    empty = {path for one in every if one.kind == "uniform" for path in one.files}
    wrong = {one.files[0]: one for one in every if one.kind == "mislabelled" and one.files[0] not in empty}
    settled = {id(one): _settled(one, wrong) for one in every if one.kind == "label_conflict"}
    answered = {path for one in settled.values() if one.relabel for path in one.files}
    return [
        settled.get(id(one), one)
        for one in every
        if one.kind not in _BY_VECTORS
        or not (one.files[0] in empty or (one.kind == "mislabelled" and one.files[0] in answered))
    ]


def _settled(conflict: Finding, wrong: dict[str, Finding]) -> Finding:
    """The conflict with the right label, where all doubts about its labels point to one of them."""
    doubts = [wrong[path] for path in conflict.files if path in wrong]
    right = {one.relabel for one in doubts}
    if len(right) != 1 or None in right or not right <= {*conflict.labels}:
        return conflict
    (label,) = right
    told = f"{conflict.evidence} Heads that did not see it: {doubts[0].evidence}"
    advice = f"Is it {label}? Then leave out the others."
    return replace(conflict, evidence=told, suggestion=advice, relabel=label)
