"""Fine-tuning: its speed against the original experiment's loop, and what it makes of drawn kinds.

    python bench/finetune.py                                    # all; goes on where it was interrupted
    python bench/finetune.py --part sketch --draws 3 --presets last-blocks lora
    python bench/finetune.py --part none                        # the table of what is there

Parts keep what they find in the work folder, and the table is made of what lies there.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from scipy.stats import t as student
from scipy.stats import ttest_rel

from common import ROOT, Row, at_least, at_most, record
from finetune_draws import FOR_THE_MINIATURE, KNOWN, PLAIN, SHIFTED, recipe_of
from inkling.finetune.recipe import PRESETS

DRAWS = 10
PARTS = ("speed", "sketch", "all", "none")
SPEED = "speed.json"
PRECISIONS = ("float32", "bfloat16")
"""Of single steps; the epoch is in float32 alone, as the experiment was."""
PLAIN_SHARE, HALF, MIXED = "1", "0.5", "0.6"
"""Shares of the tuned weights that are shown whatever the folds choose: all of them, half, and what was best under a
head on draws of other seeds."""
SHARED_WAYS = ("zero-shot", "head")
WAYS = (
    "plain fine-tuning",
    "plain fine-tuning under auto",
    "half share",
    "share 0.6 under auto",
    "chosen share",
    "chosen share under auto",
    "shipped",
)
"""``head`` is `auto` on the encoder as it was. A tuned encoder speaks by its class vectors alone, or under `auto`; the
last is what the guard ships."""
LEVEL = 0.05

Found = dict[str, list[dict[str, Any]]]


def main() -> None:
    """Measure what is asked for, print and keep what is there."""
    options = _parse()
    options.work.mkdir(parents=True, exist_ok=True)
    if options.part in ("speed", "all"):
        measure_speed(options.work, options)
    if options.part in ("sketch", "all"):
        measure_draws(options.work, options.draws, options.presets, processes=options.processes)
    found = {name: _draws_of(options.work, name) for name in options.presets}
    found = {name: draws for name, draws in found.items() if draws}
    rows = [*speed_rows(options.work / SPEED), *(sketch_rows(found) if found else ())]
    path = record(
        "finetune",
        rows,
        seed=0,
        encoder="sketch; for speed ViT-B/32 of random weights",
        not_measured=_not_measured(options.work, found),
        departures=FOR_THE_MINIATURE,
        recipes={name: recipe_of(name, 0).to_json() for name in found},
    )
    print(f"Kept in {path.relative_to(ROOT)}")


def measure_speed(work: Path, options: argparse.Namespace) -> None:
    """Epochs and steps in processes of their own, all in turn, so that a busy machine slows all alike."""
    runs = {
        "inkling": ("inkling",),
        "plain": ("plain",),
        **{
            f"{train}, {precision}": ("steps", "--train", train, "--precision", precision)
            for precision in PRECISIONS
            for train in ("full", "image")
        },
    }
    same = ["--crops", str(options.crops), *(["--threads", str(options.threads)] if options.threads else [])]
    found: Found = {name: [] for name in runs}
    with tempfile.TemporaryDirectory() as folder:
        _in_a_process("finetune_epoch.py", "write", folder)
        for _ in range(options.rounds):
            for name, (what, *more) in runs.items():
                found[name].append(_in_a_process("finetune_epoch.py", what, folder, *same, *more))
            (work / SPEED).write_text(json.dumps(found, indent=1), encoding="utf-8")


def measure_draws(work: Path, n_draws: int, presets: Sequence[str], *, processes: int) -> None:
    """Preset by preset, so that the table of the first is whole first."""
    tasks = [(str(draw), name) for name in presets for draw in range(n_draws)]
    with ThreadPoolExecutor(processes) as pool:
        for task in pool.map(lambda task: (_in_a_process("finetune_draws.py", *task, str(work)), task)[1], tasks):
            print("measured:", *task, flush=True)


def speed_rows(file: Path) -> Iterator[Row]:
    """Ratios are medians over rounds."""
    if not file.is_file():
        return
    found: Found = json.loads(file.read_text(encoding="utf-8"))
    ours, theirs = found["inkling"], found["plain"]
    epochs = _ratios(theirs, ours)
    yield at_least(
        "an epoch of `original` with evaluation, ViT-B/32, batch 8, times the plain loop's speed",
        median(epochs),
        2.0,
        each_round=epochs,
        seconds=[one["seconds"] for one in ours],
        seconds_plain=[one["seconds"] for one in theirs],
        seconds_to_prepare_once=[one["seconds_to_prepare"] for one in ours],
        **{key: ours[0][key] for key in ("trained", "evaluated", "steps", "threads")},
    )
    peaks = [max(one["peak_gib"] for one in side) for side in (ours, theirs)]
    yield at_most("its peak memory, times the plain loop's", peaks[0] / peaks[1], 1.0, gib=peaks[0], gib_plain=peaks[1])
    for precision in PRECISIONS:
        full, image = found[f"full, {precision}"], found[f"image, {precision}"]
        ratios = _ratios(full, image)
        yield at_least(
            f"a step of --train image, times the speed of full, {precision}",
            median(ratios),
            1.3,
            each_round=ratios,
            by_processor_time=_ratios(full, image, "cpu_seconds"),
            full=[one["seconds"] for one in full],
            image=[one["seconds"] for one in image],
        )


def _ratios(slower: list[dict[str, Any]], faster: list[dict[str, Any]], of: str = "seconds") -> list[float]:
    """Of each round."""
    pairs = zip(slower, faster, strict=True)
    return [float(np.median(slow[of]) / np.median(fast[of])) for slow, fast in pairs]


def sketch_rows(found: Found) -> Iterator[Row]:
    """Top-1 of every way on both tests, and what is asked of them."""
    for test in (PLAIN, SHIFTED):
        for name, draws in found.items():
            for way in (*SHARED_WAYS, *WAYS) if name == next(iter(found)) else WAYS:
                title = f"{way}, {test}" if way in SHARED_WAYS else f"{name}, {way}, {test}"
                yield _mean_row(title, [_top1(draw, way, test) for draw in draws], _zero_shots(draws, test))
    yield _best_against_head(found)
    yield from (_never_below_zero_shot(name, draws) for name, draws in found.items())
    for name, draws in found.items():
        yield from _losses(name, draws)
    for name, draws in found.items():
        seconds = [draw["seconds"] for draw in draws]
        details = {"shares": [d["share"] for d in draws], "ships": [d["ships"] for d in draws]}
        yield Row(f"{name}, four trainings and verdict, one thread, s", median(seconds), details=details)


def _best_against_head(found: Found) -> Row:
    """The best way to fine-tune by the mean on the plain test, against `auto` on the same draws."""
    ways = [(name, way) for name in found for way in WAYS[:-1]]
    name, way = max(ways, key=lambda at: float(np.mean([_top1(draw, at[1], PLAIN) for draw in found[at[0]]])))
    tuned, head = ([_top1(draw, which, PLAIN) for draw in found[name]] for which in (way, "head"))
    gain = np.subtract(tuned, head)
    p = float(ttest_rel(tuned, head, alternative="less").pvalue) if gain.std() > 0 else 1.0
    better = float(ttest_rel(tuned, head, alternative="greater").pvalue) if gain.std() > 0 else 1.0
    return at_least(
        f"best fine-tuning ({name}, {way}) minus the head auto, {PLAIN}",
        float(gain.mean()),
        0.0,
        ci95=_interval_of_mean(gain.tolist()),
        p_worse=p,
        p_better=better,
        draws_better=int((gain > 0).sum()),
        draws_worse=int((gain < 0).sum()),
        test="paired t-test over draws",
    )


def _never_below_zero_shot(name: str, draws: Sequence[dict[str, Any]]) -> Row:
    gains = [
        draw["top1"]["shipped"][test] - draw["top1"]["zero-shot"][test] for draw in draws for test in (PLAIN, SHIFTED)
    ]
    return at_least(f"{name}, shipped minus zero-shot, worst draw and test", min(gains), 0.0)


def _losses(name: str, draws: Sequence[dict[str, Any]]) -> Iterator[Row]:
    """What fine-tuning loses under the shift against zero-shot, on the kinds of the shots and on those known before."""
    for test in (SHIFTED, KNOWN):
        lost = {
            way: float(np.mean([_top1(draw, "zero-shot", test) - _top1(draw, way, test) for draw in draws]))
            for way in ("plain fine-tuning", "half share", "chosen share")
        }
        plain = lost["plain fine-tuning"]
        what = f"{name}, {test}: loss of top-1 against zero-shot"
        if plain <= 0:
            yield Row(f"{what} by plain fine-tuning (it loses nothing)", plain, details=lost)
            continue
        for way in ("half share", "chosen share"):
            part = lost[way] / plain
            yield Row(f"{what}, {way}, part of plain's", part, "< 0.5", part < 0.5, details=lost)


def _mean_row(title: str, top1: list[float], zero_shot: list[float]) -> Row:
    worst = float(np.min(np.subtract(top1, zero_shot)))
    details = {"ci95": _interval_of_mean(top1), "worst_draw_minus_zero_shot": worst, "n_draws": len(top1), "all": top1}
    return Row(title, float(np.mean(top1)), details=details)


def _top1(draw: dict[str, Any], way: str, test: str) -> float:
    """Of one way in one draw."""
    known = draw["top1"]
    known |= {"plain fine-tuning": draw["shares"][PLAIN_SHARE]["texts"], "half share": draw["shares"][HALF]["texts"]}
    known |= {f"share {MIXED} under auto": draw["shares"][MIXED]["auto"]}
    known |= {"plain fine-tuning under auto": draw["shares"][PLAIN_SHARE]["auto"]}
    return float(known[way][test])


def _zero_shots(draws: Sequence[dict[str, Any]], test: str) -> list[float]:
    return [draw["top1"]["zero-shot"][test] for draw in draws]


def _interval_of_mean(values: list[float]) -> list[float]:
    """95 % interval of the mean over draws, by Student's t."""
    if len(values) < 2:
        return [float("-inf"), float("inf")]
    half = student.ppf(1 - LEVEL / 2, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return [float(np.mean(values) - half), float(np.mean(values) + half)]


def _draws_of(work: Path, preset_name: str) -> list[dict[str, Any]]:
    files = sorted(work.glob(f"draw-*-{preset_name}.json"))
    return sorted(
        (json.loads(file.read_text(encoding="utf-8")) for file in files), key=lambda found: int(found["draw"])
    )


def _not_measured(work: Path, found: Found) -> list[str]:
    """What the table lacks."""
    lacks = ["anything on a GPU: none was at hand"]
    if not (work / SPEED).is_file():
        lacks.append("speed and memory of an epoch, speed of a step")
    for name in FOR_THE_MINIATURE:
        n_draws = len(found.get(name, ()))
        if n_draws < DRAWS:
            lacks.append(f"{name}: {DRAWS - n_draws} of {DRAWS} draws")
    return lacks


def _in_a_process(script: str, *arguments: str) -> Any:
    command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name(script)), *arguments]
    told = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return json.loads(told) if told.strip() else {}


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS, default="all", help="what to measure")
    parser.add_argument("--draws", type=int, default=DRAWS, help="support draws")
    parser.add_argument("--presets", nargs="+", choices=PRESETS, default=list(FOR_THE_MINIATURE))
    parser.add_argument("--processes", type=int, default=2, help="draws at a time, one thread each")
    parser.add_argument("--crops", type=int, default=737, help="of the epoch; all of them are the experiment's own")
    parser.add_argument("--threads", type=int, help="of an epoch; as many as cores unless given")
    parser.add_argument("--rounds", type=int, default=3, help="of the epoch")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "inkling-bench-finetune")
    return parser.parse_args()


if __name__ == "__main__":
    main()
