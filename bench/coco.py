"""The task that the project started from: 8 vehicle classes of COCO crops, 234 to learn from, 503 to test on.

Everything goes through the program as a user runs it, with the surrogate encoder. The test crops are read for the
final figures only.

    python bench/coco.py
    python bench/coco.py --times    # on a quiet machine
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from common import ROOT, SHARED, Row, at_least, at_most, record, retaken
from inkling.heads import HEADS

ENCODER = "bench/encoders/surrogate-clip-b32"
CROPS = SHARED / "data" / "coco_crops" / "few_shot"
ZERO_SHOT_CORRECT, TOLERANCE = 378, 2
REPEATS = 5
SEED = 0


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", action="store_true", help="take the times alone, and keep all else as it is")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        cold, *warm = [_timed(work, *_fit(work / f"{number}.ink")) for number in range(1 + REPEATS)]
        asked = [_timed(work, "--help") for _ in range(REPEATS)]
        times = _times(cold, warm, asked)
        if options.times:
            rows = retaken("coco", times)
        else:
            rows = [*_accuracy({head: _evaluated(work, head) for head in HEADS}), *times]
    print(f"Kept in {record('coco', rows, seed=SEED, encoder=ENCODER).relative_to(ROOT)}")


def _accuracy(found: dict[str, dict[str, Any]]) -> list[Row]:
    zero_shot, auto = found["zero-shot"], found["auto"]
    correct = round(zero_shot["top1"] * zero_shot["n"])
    return [
        Row(
            "zero-shot, images right of 503",
            correct,
            f"{ZERO_SHOT_CORRECT} +- {TOLERANCE}",
            abs(correct - ZERO_SHOT_CORRECT) <= TOLERANCE,
            _details(zero_shot),
        ),
        at_least("auto, top-1", auto["top1"], 0.79, **_details(auto), mcnemar_p=auto["mcnemar_p"]),
        at_most("auto, ECE", auto["ece"], 0.06),
        *(
            Row(f"{head}, top-1", one["top1"], details=_details(one))
            for head, one in found.items()
            if head not in ("auto", "zero-shot")
        ),
    ]


def _times(cold: float, warm: Sequence[float], asked: Sequence[float]) -> list[Row]:
    return [
        Row("first fit, whole process, s", cold),
        at_most("second fit with a warm cache, whole process, s", median(warm), 6.0, all=list(warm)),
        at_most("inkling --help, whole process, s", median(asked), 0.5, all=list(asked)),
    ]


def _details(one: dict[str, Any]) -> dict[str, Any]:
    return {key: one[key] for key in ("top1", "ci95", "top5", "balanced_accuracy", "ece", "nll", "brier")}


def _evaluated(work: Path, head: str) -> dict[str, Any]:
    memory, out = work / f"{head}.ink", work / f"{head}.json"
    _timed(work, *_fit(memory), "--head", head, "--seed", SEED)
    _timed(work, "evaluate", memory, CROPS / "test", "--json", out)
    return dict(json.loads(out.read_text()))


def _fit(memory: Path) -> tuple[object, ...]:
    return "fit", CROPS / "train", "--memory", memory, "--encoder", ENCODER


def _timed(work: Path, *arguments: object) -> float:
    """Seconds that the program takes, from start to end."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "inkling.cli.main", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"INKLING_CACHE": str(work / "cache")},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
