"""How the odds of a miss are carried on from held-out images to those to come (`LEARNS` of prediction sets).

Chosen on shots and images drawn from the validation parts: no test image is read. For each exponent stands the set and
number of shots whose mean coverage lies farthest below what was asked for, and the mean size of sets.

    python bench/sets_choice.py [--draws 8]
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from common import ROOT, Row, at_least, record
from feature_tasks import ALL_SETS
from inkling.heads import prediction_sets as sets_module
from inkling.heads.prediction_sets import Coverage, prediction_sets
from promises_coverage import BELOW, RATES, SHOTS, drawn, fitted

EXPONENTS = (0.0, 0.25, 0.4, 0.5, 0.6, 0.75, 1.0)
SETS = {name: file for name, file in ALL_SETS.items() if name != "Cars"}
"""Cars has no validation part."""
SEED = 0


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=8)
    options = parser.parse_args()
    rows = list(swept(options.draws))
    print(f"Kept in {record('sets_choice', rows, seed=SEED, draws=options.draws).relative_to(ROOT)}")


def swept(draws: int) -> Iterator[Row]:
    """A row for each exponent, then whether the one in use keeps the promise."""
    less: dict[float, dict[str, float]] = {}
    sizes: dict[float, float] = {}
    measured = _measured(draws)
    for exponent in EXPONENTS:
        found = {what: of_what[exponent] for what, of_what in measured.items()}
        less[exponent] = {what: float(np.mean([one[0] for one in each])) for what, each in found.items()}
        sizes[exponent] = float(np.mean([np.mean([one[1] for one in each]) for each in found.values()]))
    for exponent in EXPONENTS:
        worst = min(less[exponent].values())
        details = {
            "size": sizes[exponent],
            "mean": float(np.mean(list(less[exponent].values()))),
            "all": less[exponent],
        }
        yield Row(f"exponent {exponent:g}: realised less asked, worst set, shots and coverage", worst, details=details)
    chosen = sets_module.LEARNS
    what = f"exponent {chosen:g}, which is in use: realised less asked, worst set, shots and coverage"
    yield at_least(what, min(less[chosen].values()), -BELOW)


def _measured(draws: int) -> dict[str, dict[float, list[tuple[float, float]]]]:
    """Realised less asked coverage and size of each draw, by set, shots and coverage, and by exponent."""
    found: dict[str, dict[float, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    chosen = sets_module.LEARNS
    for name, file in SETS.items():
        for shots in SHOTS:
            for seed in range(draws):
                task = drawn(file, shots, seed, part="val")
                if task is None:
                    break
                head = fitted(task, seed)
                p, rows = head.probabilities(task.test_X), np.arange(len(task.test_y))
                assert head.set_calibration is not None
                for exponent in EXPONENTS:
                    sets_module.LEARNS = exponent
                    for rate in RATES:
                        members = prediction_sets(p, head.classes, head.set_calibration, Coverage(rate), seed=seed)
                        realised = float(members[rows, task.test_y].mean())
                        told = (realised - rate, float(members.sum(axis=1).mean()))
                        found[f"{name}, {shots} shots, coverage {rate:g}"][exponent].append(told)
    sets_module.LEARNS = chosen
    return found


if __name__ == "__main__":
    main()
