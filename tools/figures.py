"""Write docs/reference/figures.md, and the figures in README.md and docs/decisions/refit.md, from bench/results/*.json.

Usage: python tools/figures.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
REFIT = ROOT / "docs" / "decisions" / "refit.md"
PAGE = ROOT / "docs" / "reference" / "figures.md"
RESULTS = ROOT / "bench" / "results"
BEGIN, END = "<!-- figures: written by tools/figures.py -->", "<!-- end of figures -->"
BEGIN_TIMES, END_TIMES = "<!-- times: written by tools/figures.py -->", "<!-- end of times -->"

ENCODERS = {
    "coco": "two MobileNets read into CLIP's space (for tests)",
    "heads": "CLIP ViT-B/32",
    "embed": "ViT-B/32, random weights",
    "finetune": "ViT-B/32, random weights",
    "memory": "any of 512 dimensions",
}

FEW = {
    "coco": {"auto, top-1": "8 kinds of vehicles from 234 photographs: labels that are right, of 503 test photographs"},
    "heads": {
        "Caltech-100, 16 shots, auto": "100 kinds of objects from 16 pictures each: labels that are right",
        "Caltech-100, 1 shot, auto": "the same from a single picture each",
        "fit of auto on 234 x 512, with text, s": "learning from 234 embedded pictures, seconds on 2 cores",
    },
    "unknown": {
        "crops, bench unknown, fused, detected at 5 % false alarms": (
            "pictures of a kind that is not known: called unknown, at 5 % false alarms"
        ),
    },
    "memory": {"predict one embedding, ms (p50)": "judging one more embedding, 1,000 classes known, milliseconds"},
}
"""What a newcomer understands without further reading."""

SHOWN = {
    "coco": {
        "auto, top-1": "8 vehicle classes, 234 photographs to learn from, 503 to test: top-1",
        "auto, ECE": "the same: calibration error (ECE)",
        "second fit with a warm cache, whole process, s": "the same: `inkling fit` with a warm cache, seconds",
    },
    "heads": {
        "Caltech-100, 16 shots, auto": "Caltech-100, images alone, 16 shots: top-1",
        "Flowers, 16 shots, auto": "Oxford Flowers, images alone, 16 shots: top-1",
        "Pets, 16 shots, auto": "Oxford Pets, images alone, 16 shots: top-1",
        "Caltech-43 with text, 16 shots, auto": "Caltech-43, images and texts, 16 shots: top-1",
        "ImageNet-329 with text, 3 shots, auto": "ImageNet-329, images and texts, 3 shots: top-1",
        "fit of auto on 234 x 512, with text, s": "fit of `auto` on 234 embeddings, seconds",
    },
    "embed": {
        "auto, times the peer's speed": (
            "embedding throughput against `transformers`, `auto` (products in bfloat16, sums in float32): times"
        ),
        "int8, times the peer's speed": "the same, `int8`: times",
    },
    "finetune": {
        "an epoch of `original` with evaluation, ViT-B/32, batch 8, times the plain loop's speed": (
            "an epoch of fine-tuning both towers against a plain loop: times"
        ),
        **{
            f"a step of --train image, times the speed of full, {precision}": (
                f"a step of the image tower alone against both, `{precision}`: times"
            )
            for precision in ("float32", "bfloat16")
        },
    },
    "unknown": {
        "crops, bench unknown, fused, AUROC": "benches among the 503 vehicles, told as unknown: AUROC",
        "Caltech-100, half of the classes known, fused, AUROC": "Caltech-100, half of the classes known: AUROC",
        "Flowers, half of the classes known, fused, AUROC": "Oxford Flowers, half of the classes known: AUROC",
    },
    "discovery": {
        "crops with benches: benches found": "benches found as one new class among the vehicles: share",
        "after accept: recall of the new class on benches held out": "half of them accepted: recall on the rest",
        "Caltech-100, half known: purity of proposals": "Caltech-100, half known: purity of proposed classes",
    },
    "memory": {
        "accept to live, s (worst)": "a class accepted among 1,000 with 100,000 images: seconds until live",
    },
}


def results() -> dict[str, dict[str, Any]]:
    """All that was measured, by benchmark."""
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(RESULTS.glob("*.json"))}


def missed() -> list[tuple[str, dict[str, Any]]]:
    """Every goal that was not reached, with its benchmark."""
    return [(name, row) for name, result in results().items() for row in result["rows"] if row.get("reached") is False]


def few_figures() -> str:
    """The block of the README: what a newcomer understands, and how many goals are missed."""
    found = results()
    lines = ["| what | encoder | measured |", "|---|---|---|"]
    for name, rows in FEW.items():
        told = {row["what"]: row for row in found[name]["rows"]}
        lines += [f"| {shown} | {_encoder(name, what)} | {_plain(told[what])} |" for what, shown in rows.items()]
    n_goals = sum(row.get("reached") is not None for result in found.values() for row in result["rows"])
    lines += [
        "",
        f"[All figures](docs/reference/figures.md), with the machine that they were taken on. Of {n_goals} goals "
        f"{len(missed())} are missed; they stand there [by name](docs/reference/figures.md#missed-goals).",
    ]
    return "\n".join(lines)


def page() -> str:
    """The page of figures: a selection, then every goal that is missed."""
    found = results()
    lines = [
        "# Figures",
        "",
        "<!-- Written by tools/figures.py; change that instead. -->",
        "",
        "What the benchmarks in [bench](../../bench) measured, with the encoder that each figure was taken with. "
        "All figures",
        "are in [bench/results](../../bench/results), one file a benchmark; `make bench` takes them again.",
        "",
        "| what | encoder | got | goal |",
        "|---|---|---|---|",
    ]
    for name in SHOWN:
        lines += list(_rows(name, found[name]))
    machine = found["heads"]["machine"]
    lines += [
        "",
        f"Taken on {machine['cores']} cores of an {machine['processor']} with {machine['memory_gib']:.0f} GiB.",
        "",
        "## Missed goals",
        "",
    ]
    if missed():
        lines += ["| benchmark | what | got | goal |", "|---|---|---|---|"]
        lines += [f"| {name} | {row['what']} | {_figure(row)} | {row['target']} |" for name, row in missed()]
    else:
        lines.append("None.")
    return "\n".join(lines) + "\n"


def times() -> str:
    """The table of what decisions take."""
    result = results()["memory"]
    lines = ["| what | seconds |", "|---|---|"]
    lines += [
        f"| {_without_unit(row['what'])} | {row['got'] / (1000 if ', ms' in row['what'] else 1):.2g} |"
        for row in result["rows"]
        if ", MB" not in row["what"]
    ]
    fit = next(row["got"] for row in result["rows"] if row["what"] == "fit, s")
    return "\n".join([*lines, "", f"The {fit:.0f} s of a fit are what each decision would cost otherwise."])


def _without_unit(what: str) -> str:
    return what.replace(", ms", "").replace(", s", "")


def with_times(text: str) -> str:
    """The page on refits with its table written anew."""
    return _between(text, BEGIN_TIMES, END_TIMES, times())


def _between(text: str, begin: str, end: str, block: str) -> str:
    before, rest = text.split(begin)
    return f"{before}{begin}\n{block}\n{end}{rest.split(end)[1]}"


def _rows(name: str, result: dict[str, Any]) -> Iterator[str]:
    rows = {row["what"]: row for row in result["rows"]}
    for what, shown in SHOWN[name].items():
        row = rows[what]
        yield f"| {shown} | {_encoder(name, what)} | {_figure(row)} | {row['target'] or ''} |"


def _encoder(name: str, what: str) -> str:
    """The encoder of a figure; benchmarks of several name it by the data."""
    if name in ("unknown", "discovery"):
        return ENCODERS["heads"] if what.startswith(("Caltech", "Flowers")) else ENCODERS["coco"]
    return ENCODERS[name]


def _plain(row: dict[str, Any]) -> str:
    """A figure for readers in a hurry: shares in percent, times with two digits."""
    is_time = row["what"].endswith(", s") or ", ms" in row["what"]
    return f"{row['got']:.2g}" if is_time else f"{row['got']:.0%}"


def _figure(row: dict[str, Any]) -> str:
    """A missed goal is shown to one digit more, so that it doesn't look reached."""
    digits = (3 if row["got"] < 1 else 2) + (row["reached"] is False)
    return f"{row['got']:.{digits}f}{' (missed)' if row['reached'] is False else ''}"


def with_figures(text: str) -> str:
    """The README with the block written anew."""
    return _between(text, BEGIN, END, few_figures())


def main() -> None:
    """Write all of them."""
    REFIT.write_text(with_times(REFIT.read_text(encoding="utf-8")), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
    README.write_text(with_figures(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
