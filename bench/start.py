"""What a command costs before it does anything: processor time and memory of whole processes; the light installation.

    python bench/start.py [--rounds 5] [--install]

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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from common import ROOT, SHARED, Row, at_most, record
from inkling.classifier.fitted import fit_classifier
from inkling.classifier.persistence import to_memory
from inkling.embeddings.samples import Samples
from inkling.heads.support import unit_rows
from inkling.memory.store import write_memory
from inkling.sketch import write_dataset
from inkling.types import ClassEntry, EncoderIdentity

SEED = 0
KINDS = ("bird", "boat", "car", "cat", "fish", "house", "star", "tree")
CROPS = SHARED / "data" / "coco_crops" / "few_shot"
SURROGATE = ROOT / "bench" / "encoders" / "surrogate-clip-b32"
N, DIMS, CLASSES = 100_000, 512, 1_000
MB = 1e6

_LAUNCH = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"""


@dataclass(frozen=True)
class Cost:
    """Processor seconds and peak resident bytes of a process."""

    seconds: float
    peak: float


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--install", action="store_true", help="Make both installations, which takes minutes.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
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
        base.append(_cost([sys.executable, "-c", "import numpy, sqlalchemy"], place).seconds)
        for name, arguments in commands.items():
            times[name].append(cost_of(place, *arguments).seconds / base[-1])
    rows = [Row("import of NumPy and SQLAlchemy, processor seconds", median(base), details={"all": base})]
    for name, ratios in times.items():
        target = 6.0 if "predict" in name else 3.0
        rows.append(at_most(f"{name}, times that", median(ratios), target, all=ratios))
    return rows


def large(place: Path, rounds: int) -> list[Row]:
    """A prediction with a memory of 1,000 classes and 100,000 exemplars."""
    rng = np.random.default_rng(SEED)
    y = np.arange(N) % CLASSES
    centres = rng.standard_normal((CLASSES, DIMS), dtype=np.float32)
    X = unit_rows(centres[y] + 1.5 * rng.standard_normal((N, DIMS), dtype=np.float32)).astype(np.float32)
    names = [f"class {k:04d}" for k in range(CLASSES)]
    samples = Samples(
        identity=EncoderIdentity("precomputed", "precomputed", f"precomputed:{DIMS}+0", DIMS, 0, 100.0, "float32"),
        paths=tuple(f"images/{row}.jpg" for row in range(N)),
        labels=tuple(names[k] for k in y),
        content_hashes=tuple(f"{row:032x}" for row in range(N)),
        thumbnails=(None,) * N,
        views=(0,) * N,
        X=X,
    )
    fitted = fit_classifier(samples, [ClassEntry(name) for name in names], head="auto", seed=SEED)
    write_memory(place / "large.ink", to_memory(fitted, command="bench/start.py"))
    np.savez(place / "one.npz", embeddings=X[:1])
    costs = [cost_of(place, "predict", "large.ink", "one.npz") for _ in range(rounds)]
    seconds, peaks = [cost.seconds for cost in costs], [cost.peak / MB for cost in costs]
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

    took, size = {}, {}
    for name, what in (("light", str(ROOT)), ("full", f"{ROOT}[all]")):
        folder = place / name
        python = make_environment(folder)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--no-cache-dir"]
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


def cost_of(place: Path, *arguments: object, cache: Path | None = None) -> Cost:
    """What a run of the program costs."""
    command = [sys.executable, "-m", "inkling.cli.main", *map(str, arguments)]
    return _cost(command, place, {"INKLING_CACHE": str(cache or place / "cache")})


def _cost(command: Sequence[str], place: Path, environment: Mapping[str, str] | None = None) -> Cost:
    """By a small process between: one that is forked from a large process counts that one's memory as its own."""
    done = subprocess.run(
        [sys.executable, "-c", _LAUNCH, *command],
        cwd=place,
        env=os.environ | dict(environment or {}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    seconds, peak = done.stdout.split()
    return Cost(float(seconds), int(peak) * (1 if sys.platform == "darwin" else 1024))


if __name__ == "__main__":
    main()
