"""What a command costs before it does anything: processor time and memory of whole processes; the light installation.

    python bench/start.py [--rounds 5] [--install | --install-alone]

Every command is run in a process of its own, in turn with ``python -c "import numpy, sqlalchemy"``, by which its
processor time is divided; a figure is the median over rounds. With ``--install`` the light and the full installation
are made anew beside each other, from wherever pip is configured to look.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from common import ROOT, SHARED, Row, at_most, record, retaken
from drawn_memory import DIMS, drawn, images_of
from inkling.classifier.detection import with_detector
from inkling.classifier.fitted import fit_classifier
from inkling.classifier.persistence import to_memory
from inkling.memory.store import write_memory
from inkling.sketch import write_dataset
from processes import cost, cost_of

SEED = 0
KINDS = ("bird", "boat", "car", "cat", "fish", "house", "star", "tree")
CROPS = SHARED / "data" / "coco_crops" / "few_shot"
SURROGATE = ROOT / "bench" / "encoders" / "surrogate-clip-b32"
N, CLASSES = 100_000, 1_000
MB = 1e6


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--install", action="store_true", help="Make both installations, which takes minutes.")
    parser.add_argument("--install-alone", action="store_true", help="Make both, and keep all other figures.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if options.install_alone:
            record("start", retaken("start", installations(place)), seed=SEED, rounds=options.rounds)
            return
        rows = starts(place, options.rounds) + large(place, options.rounds)
        if CROPS.is_dir():
            rows += cold_fit(place, options.rounds)
        if options.install:
            rows += installations(place)
    record("start", rows, seed=SEED, rounds=options.rounds)


def starts(place: Path, rounds: int) -> list[Row]:
    """Reading verbs and warm predictions, in times of importing NumPy and SQLAlchemy."""
    write_dataset(place / "drawn", KINDS, 10, seed=SEED)
    drawn = min((place / "drawn" / "car").iterdir())
    cost_of(place, "fit", place / "drawn", "--memory", "sketch.ink", "--encoder", "sketch")
    commands: dict[str, tuple[object, ...]] = {
        "inkling classes": ("classes", "sketch.ink"),
        "inkling info": ("info", "sketch.ink"),
        "inkling proposals": ("proposals", "sketch.ink"),
        "warm predict of one image, sketch": ("predict", "sketch.ink", drawn),
    }
    if CROPS.is_dir():
        crop = min((CROPS / "train" / "bus").iterdir())
        cost_of(place, "fit", CROPS / "train", "--memory", "surrogate.ink", "--encoder", SURROGATE)
        commands["warm predict of one image, surrogate"] = ("predict", "surrogate.ink", crop)
    base: list[float] = []
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        base.append(cost([sys.executable, "-c", "import numpy, sqlalchemy"], place).processor)
        for name, arguments in commands.items():
            times[name].append(cost_of(place, *arguments).processor / base[-1])
    rows = [Row("import of NumPy and SQLAlchemy, processor seconds", median(base), details={"all": base})]
    for name, ratios in times.items():
        target = 6.0 if "predict" in name else 3.0
        rows.append(at_most(f"{name}, times that", median(ratios), target, all=ratios))
    return rows


def large(place: Path, rounds: int) -> list[Row]:
    """A known and an unknown vector with a memory of 1,000 classes and 100,000 exemplars, as `inkling fit` makes it."""
    rng = np.random.default_rng(SEED)
    samples, entries = drawn(N, CLASSES, rng)
    fitted = fit_classifier(samples, entries, head="auto", seed=SEED)
    detected = with_detector(fitted, false_alarms=None)
    write_memory(place / "large.ink", to_memory(detected, command="bench/start.py"))
    np.savez(place / "known.npz", embeddings=samples.X[:1])
    np.savez(place / "unknown.npz", embeddings=images_of(rng.standard_normal((1, DIMS), dtype=np.float32), rng))
    costs = [
        cost_of(place, "predict", "large.ink", f"{one}.npz") for _ in range(rounds) for one in ("known", "unknown")
    ]
    seconds, peaks = [one.processor for one in costs], [one.peak / MB for one in costs]
    return [
        at_most(
            "predict with 1,000 classes and 100,000 exemplars, processor seconds", median(seconds), 1.5, all=seconds
        ),
        at_most("the same, peak resident MB", max(peaks), 300 * 2**20 / MB, all=peaks),
    ]


def cold_fit(place: Path, rounds: int) -> list[Row]:
    """Fitting the crops with an empty cache."""
    peaks = []
    for number in range(rounds):
        cache = place / f"cache-{number}"
        arguments = ("fit", CROPS / "train", "--memory", f"cold-{number}.ink", "--encoder", SURROGATE)
        peaks.append(cost_of(place, *arguments, cache=cache).peak / MB)
    return [at_most("cold fit of 234 crops with the surrogate, peak resident MB", max(peaks), 700, all=peaks)]


def installations(place: Path) -> list[Row]:
    """The light installation beside the full one."""
    sys.path.append(str(ROOT / "tools"))
    from set_up import install_torch, make_environment, wants_cpu_build

    os.environ |= {"PIP_NO_CACHE_DIR": "1", "UV_NO_CACHE": "1"}  # each downloads all that it needs
    took, size = {}, {}
    for name, what in (("light", str(ROOT)), ("full", f"{ROOT}[all]")):
        folder = place / name
        python = make_environment(folder)
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        started = time.perf_counter()
        if name == "full":
            install_torch(python, wants_cpu_build("auto"))
        subprocess.run([*pip, "--constraint", str(ROOT / "constraints.txt"), what], check=True)
        took[name] = time.perf_counter() - started
        (packages,) = folder.glob("lib/python*/site-packages")
        size[name] = sum(file.stat().st_size for file in packages.rglob("*") if file.is_file()) / MB
    return [
        at_most("light installation, site-packages MB", size["light"], 500, full=size["full"]),
        at_most("light installation, share of the time of the full one", took["light"] / took["full"], 1 / 3, **took),
    ]


if __name__ == "__main__":
    main()
