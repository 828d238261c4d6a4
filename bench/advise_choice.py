"""What the advice is made of, chosen on rows of training and validation parts; no test row is read.

Protocol, fixed before any figure was seen:

*Label next.* Five sets, ten draws each. In each draw two thirds of the rows of each class are the pool, and the rest
measures. Two rules among the unsure images, k-centre and typical ones, each from two or from three images in the median
class on (below that, typical of groups without a label). Each is scored by the logarithm of the images that it needs
to the top-1 of eight random shots a class. Taken is the first rule in the order below, simplest first, whose mean over
sets is not worse than the best by a paired 95 % interval over draws.

*Curve.* Heads `auto` with 1, 2, 4, 8 and 16 shots a class are measured on the rows that are left, over three draws, if
each class keeps four rows. The law is fitted to each set's log-odds, those of mean errors, by least squares; the prior
of a parameter is its mean and deviation over sets, and the misfit the root mean square of the residuals a degree of
freedom.

    python bench/advise.py --part choose
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy.stats import t as student

from advise_parts import FILES, Order, Parts, images_needed, never_reported
from common import RESULTS, ROOT, Row, record
from inkling.advising.label_next import CANDIDATES, SHRINKAGE, SMALLEST_BLOCK, unsure
from inkling.advising.learning_curve import BENDS, RATES, Prior, fall
from inkling.advising.typicality import typical
from inkling.heads.fitted import FittedHead
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.heads.support import complete_support, unit_rows
from inkling.heads.whitening import whitening
from inkling.types import FloatArray, IntArray

SEED = 1_000
DRAWS = 10
POOL_SHARE = 2 / 3
TARGET_DRAWS = 10
SIZES = (1, 2, 4, 8, 16)
LEAST_LEFT = 4
CURVE_DRAWS = 3
N_PARAMETERS = 3
RATE_OF = "curve, rate of "


@dataclass(frozen=True)
class Rule:
    """How images are chosen: the way among unsure ones, and the images of the median class from which it is used."""

    way: str
    few_shots: int

    def order(self) -> Order:
        """Rows to label next."""
        return partial(_chosen, self)


RULES = {
    "k-centre from 3": Rule("k-centre", 3),
    "k-centre from 2": Rule("k-centre", 2),
    "typical from 3": Rule("typical", 3),
    "typical from 2": Rule("typical", 2),
}


def main() -> None:
    """Choose, print, keep."""
    rows = [*curves(), *rules()]
    print(f"Kept in {record('advise_choice', rows, seed=SEED, protocol=__doc__).relative_to(ROOT)}")


def prior_of(fits: Sequence[Mapping[str, Any]]) -> Prior:
    """What the curves of some sets have in common."""
    rate, bend = ([float(fit[key]) for fit in fits] for key in ("rate", "bend"))
    freedom = sum(len(fit["residuals"]) - N_PARAMETERS for fit in fits)
    misfit = math.sqrt(sum(left**2 for fit in fits for left in fit["residuals"]) / freedom)
    return Prior(*((float(np.mean(one)), float(np.std(one, ddof=1))) for one in (rate, bend)), misfit)


def kept_fits() -> Mapping[str, Mapping[str, Any]]:
    """The law of each set, as this benchmark found it."""
    rows = json.loads((RESULTS / "advise_choice.json").read_text(encoding="utf-8"))["rows"]
    return {row["details"]["set"]: row["details"] for row in rows if row["what"].startswith(RATE_OF)}


def curves() -> Iterator[Row]:
    """The law of each set, and the prior that follows from all."""
    fits = {name: _law(never_reported(name)) for name in FILES}
    for name, fit in fits.items():
        yield Row(f"{RATE_OF}{name}", fit["rate"], details={"set": name, **fit})
    prior = prior_of(list(fits.values()))
    yield Row("curve, prior: mean rate", prior.rate[0], details=asdict(prior))


def _law(parts: Parts) -> dict[str, Any]:
    """b and q of the shape with the least squares, with what is left of the log-odds at each size."""
    least = np.bincount(parts.y).min() - LEAST_LEFT
    sizes = np.array([n for n in SIZES if n <= least])
    errors = np.zeros(len(sizes))
    for draw in range(CURVE_DRAWS):
        twice = parts.shots(int(sizes[-1]), np.random.default_rng(SEED + draw))
        measuring = parts.measured_on_the_rest(twice)
        for at, n in enumerate(sizes):
            rows = np.concatenate([twice[parts.y[twice] == k][:n] for k in range(parts.n_classes)])
            fitted = FittedHead.fit("auto", parts.vectors(rows), seed=SEED)
            errors[at] += (1.0 - measuring.balanced_top1(fitted)) / CURVE_DRAWS
    odds = np.log(errors / (1.0 - errors))
    rates, bends = (grid.ravel() for grid in np.meshgrid(RATES, BENDS))
    left = odds + fall(rates[:, None], bends[:, None], sizes.astype(np.float64))
    left -= left.mean(axis=1, keepdims=True)
    best = int((left**2).sum(axis=1).argmin())
    return {
        "rate": float(rates[best]),
        "bend": float(bends[best]),
        "shots": sizes.tolist(),
        "errors": errors.tolist(),
        "residuals": left[best].tolist(),
    }


def rules() -> Iterator[Row]:
    """Images that each rule needs, by set, and each rule against the best."""
    logs: dict[str, list[list[float]]] = {rule: [] for rule in RULES}
    for name in FILES:
        needed = _needed(never_reported(name))
        for rule in RULES:
            logs[rule].append(np.log(needed[rule]).tolist())
            ratio = float(np.mean(needed[rule]) / np.mean(needed["random"]))
            yield Row(f"label next, {name}: {rule}, images over random order", ratio, details={"images": needed[rule]})
        yield Row(f"label next, {name}: random order, images", float(np.mean(needed["random"])))
    of_draw = {rule: np.mean(values, axis=0) for rule, values in logs.items()}
    best = min(of_draw, key=lambda rule: float(of_draw[rule].mean()))
    for rule, values in of_draw.items():
        low, mean, high = np.exp(interval(values - of_draw[best]))
        yield Row(f"label next, all sets: {rule} over {best}", mean, details={"ci95": [low, high]})


def interval(values: FloatArray) -> FloatArray:
    """Lower end, mean and upper end of the 95 % interval of a mean."""
    half = float(student.ppf(0.975, len(values) - 1)) * values.std(ddof=1) / np.sqrt(len(values))
    return values.mean() + np.array([-half, 0.0, half])


def _needed(parts: Parts) -> Mapping[str, list[float]]:
    needed: dict[str, list[float]] = {"random": [], **{rule: [] for rule in RULES}}
    for seed in range(SEED, SEED + DRAWS):
        drawn = parts.only(parts.share(POOL_SHARE, np.random.default_rng(seed)))
        target = drawn.target(range(seed, seed + TARGET_DRAWS))
        needed["random"].append(images_needed(drawn, target, None, few_shots=0, seed=seed))
        for name, rule in RULES.items():
            needed[name].append(images_needed(drawn, target, rule.order(), few_shots=rule.few_shots, seed=seed))
    return needed


def _chosen(rule: Rule, vectors: LabelledVectors, X: FloatArray, p: FloatArray, n: int, seed: int) -> IntArray:
    if vectors.median_shots < rule.few_shots:
        return typical(X, vectors.X, n, seed=seed)[0]
    labelled, pool = _whitened(vectors, X)
    largest = np.sort(p, axis=1)[:, -2:]
    margins = largest[:, 1] - largest[:, 0]
    block = max(vectors.n_classes // 2, SMALLEST_BLOCK)
    if rule.way == "typical":
        return unsure(pool, margins, n, block=block, seed=seed)[0]
    return far_apart(labelled, pool, margins, n, block=block)


def far_apart(labelled: FloatArray, pool: FloatArray, margins: FloatArray, n: int, *, block: int) -> IntArray:
    """Rows with small margins (m,), each next one the farthest from all that are labelled or chosen.

    Parameters
    ----------
    labelled, pool
        Unit vectors in the whitened space.
    block
        How many are chosen before candidates are gathered anew among those that are left.
    """
    nearest = (pool @ labelled.T).max(axis=1)
    left = np.argsort(margins, kind="stable")
    chosen: list[int] = []
    while len(chosen) < min(n, len(pool)):
        candidates = left[: CANDIDATES * block]
        for _ in range(min(block, n - len(chosen), len(candidates))):
            # What is surer counts as nearer: of two images as far away the unsure one is chosen.
            worth = (1.0 - nearest[candidates]) * (1.0 - margins[candidates])
            best = int(candidates[np.where(np.isin(candidates, chosen), -np.inf, worth).argmax()])
            chosen.append(best)
            nearest = np.maximum(nearest, pool @ pool[best])
        left = left[~np.isin(left, chosen)]
    return np.array(chosen, dtype=np.int64)


def _whitened(vectors: LabelledVectors, X: FloatArray) -> tuple[FloatArray, FloatArray]:
    seen, y = np.unique(vectors.y, return_inverse=True)
    mapped = whitening(complete_support(vectors.X, y, None, len(seen), X.shape[1]), shrinkage=SHRINKAGE)
    return unit_rows(mapped(vectors.X)), unit_rows(mapped(X))


if __name__ == "__main__":
    main()
