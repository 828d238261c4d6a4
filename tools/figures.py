"""Write the table of measured figures in README.md from bench/results/*.json.

Usage: python tools/figures.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
RESULTS = ROOT / "bench" / "results"
BEGIN, END = "<!-- figures: written by tools/figures.py -->", "<!-- end of figures -->"

ENCODERS = {
    "coco": "two MobileNets read into CLIP's space (for tests)",
    "heads": "CLIP ViT-B/32",
    "embed": "ViT-B/32, random weights",
    "finetune": "ViT-B/32, random weights",
    "unknown": "the MobileNets for vehicles, else CLIP ViT-B/32",
    "discovery": "the MobileNets for vehicles, else CLIP ViT-B/32",
    "memory": "vectors of 512",
}

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


def table() -> str:
    """The block between the markers."""
    results = {name: json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")) for name in SHOWN}
    lines = ["| what | encoder | got | goal |", "|---|---|---|---|"]
    for name, result in results.items():
        lines += list(_rows(name, result))
    machine = results["heads"]["machine"]
    lines += [
        "",
        f"Taken on {machine['cores']} cores of an {machine['processor']} with {machine['memory_gib']:.0f} GiB.",
        "All figures, missed goals among them, are in [bench/results](bench/results); [bench](bench) takes them again.",
    ]
    return "\n".join(lines)


def _rows(name: str, result: dict[str, Any]) -> Iterator[str]:
    rows = {row["what"]: row for row in result["rows"]}
    for what, shown in SHOWN[name].items():
        row = rows[what]
        yield f"| {shown} | {ENCODERS[name]} | {_figure(row)} | {row['target'] or ''} |"


def _figure(row: dict[str, Any]) -> str:
    """A missed goal is told to one digit more, so that it doesn't look reached."""
    digits = (3 if row["got"] < 1 else 2) + (row["reached"] is False)
    return f"{row['got']:.{digits}f}{' (missed)' if row['reached'] is False else ''}"


def with_figures(page: str) -> str:
    """The page with the block written anew."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    README.write_text(with_figures(README.read_text(encoding="utf-8")), encoding="utf-8")
