"""What ships: the simplest candidate that nothing more complex beats. Arrays only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inkling.heads.evidence import Evidence, gain_p_value

GAIN_LEVEL = 0.01
"""Level of the paired test; that of the head `auto`."""


@dataclass(frozen=True)
class Verdict:
    """Which candidate ships.

    Attributes
    ----------
    name
        Of the candidate.
    finding
        What the evidence says, in one sentence.
    """

    name: str
    finding: str


def simplest_not_beaten(candidates: Sequence[Evidence]) -> Verdict:
    """Go from the simplest candidate to more complex ones, as each shows a gain over the one that holds.

    A gain is a lower log-loss by a one-sided paired t-test at `GAIN_LEVEL`, without a loss of top-1.

    Parameters
    ----------
    candidates
        The simplest first, such as zero-shot, head and fine-tuned, all on the same images that none of them saw.
    """
    holds, *others = candidates
    told = [f"'{holds.name}' has {holds.top1:.1%} top-1 out of fold"]
    for candidate in others:
        p = gain_p_value(candidate, holds)
        gains = p < GAIN_LEVEL and candidate.top1 >= holds.top1
        word = "beats it" if gains else f"shows no gain over '{holds.name}'"
        told.append(f"'{candidate.name}' {word} ({candidate.top1:.1%}, p = {p:.2g})")
        holds = candidate if gains else holds
    return Verdict(holds.name, f"{'; '.join(told)}: '{holds.name}' ships")
