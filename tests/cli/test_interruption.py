"""Stopped, killed, raced and cut off: what was done is kept, and the next run goes on."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkling.embeddings.cache import FILE_NAME
from tests.cli.light_encoder import write_light_encoder
from tests.cli.program import PROGRAM, ROOT, Inkling

N_IMAGES = 384
"""So many that a run is still under way when the first of them is seen in the cache."""
SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
EXIT_CODES = ROOT / "docs" / "reference" / "exit-codes.md"


@pytest.fixture(autouse=True)
def signals_as_in_a_terminal() -> Iterator[None]:
    """Under nohup, or in the background of a script, signals are ignored, and programs started here inherit that."""
    ignored = [number for number in SIGNALS if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture
def alone(tmp_path: Path) -> Inkling:
    """The program with an empty cache of its own."""
    return Inkling(tmp_path, tmp_path / "cache")


@pytest.fixture
def light(tmp_path: Path) -> Path:
    """An encoder that starts in a moment."""
    return write_light_encoder(tmp_path / "light")


@pytest.fixture
def many(alone: Inkling) -> Path:
    """Pictures that take a while to decode. Each is a content of its own: bytes after the end of a PNG are no harm."""
    tiles = np.random.default_rng(0).integers(0, 255, (50, 50, 3), dtype=np.uint8)
    Image.fromarray(tiles.repeat(24, axis=0).repeat(24, axis=1)).save(alone.folder / "big.png")
    picture = (alone.folder / "big.png").read_bytes()
    for number in range(N_IMAGES):
        path = alone.folder / "many" / ("ant", "bee")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture + str(number).encode())
    return alone.folder / "many"


def cached(inkling: Inkling) -> int:
    """Images that the cache holds at this moment."""
    file = inkling.cache / FILE_NAME
    if not file.exists():
        return 0
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        try:
            return int(database.execute("SELECT count(*) FROM images").fetchone()[0])
        except sqlite3.OperationalError:
            return 0


def wait_for(inkling: Inkling, count: int, process: subprocess.Popen[str]) -> None:
    """Until the cache holds so many images."""
    until = time.monotonic() + 120
    while cached(inkling) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.slow
def test_a_fit_goes_on_where_it_was_stopped_and_killed(alone: Inkling, many: Path, light: Path) -> None:
    fit = ("fit", many, "--memory", "m.ink", "--encoder", light, "--json", "-")

    stopped = alone.started(*fit)
    wait_for(alone, 1, stopped)
    stopped.send_signal(signal.SIGINT)
    out, err = stopped.communicate(timeout=60)
    assert stopped.returncode == 130
    assert out == ""
    assert "run the same command again" in err
    assert "Traceback" not in err
    kept = cached(alone)
    assert 0 < kept < N_IMAGES

    killed = alone.started(*fit)
    wait_for(alone, kept + 1, killed)
    killed.kill()
    killed.communicate(timeout=60)
    kept = cached(alone)
    assert not (alone.folder / "m.ink").exists()

    last = alone(*fit)
    assert last.code == 0, last.err
    assert last.json()["encoded_now"] == N_IMAGES - kept
    assert last.json()["images"] == N_IMAGES


def test_of_two_fits_at_once_the_second_is_refused(alone: Inkling, drawn: Path, light: Path) -> None:
    processes = [
        alone.started("fit", drawn, "--memory", "m.ink", "--encoder", light, "--seed", seed) for seed in (0, 1)
    ]
    ends = [process.communicate(timeout=120) for process in processes]
    assert sorted(process.returncode for process in processes) == [0, 2], ends
    (refused,) = [err for process, (_, err) in zip(processes, ends, strict=True) if process.returncode]
    assert "There is a memory at" in refused
    assert "--update" in refused
    known = alone.here("info", "m.ink", "--json", "-").json()
    assert known["memory_version"] == 1
    assert sum(one["images"] for one in known["classes"]) == 18
    assert cached(alone) == 18


def test_a_reader_that_leaves_early_is_no_defect(inkling: Inkling, memory: Path, drawn: Path) -> None:
    listed = "\n".join([str(path) for path in sorted((drawn / "test").rglob("*.png"))])
    (inkling.folder / "list.csv").write_text("path\n" + listed)
    predict = inkling.started("predict", memory, *["list.csv"] * 30, "--output", "-")
    assert predict.stdout is not None
    assert predict.stderr is not None
    assert predict.stdout.readline().startswith("path,label")
    predict.stdout.close()
    err = predict.stderr.read()
    predict.wait(timeout=60)
    assert "Traceback" not in err
    assert "Error" not in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_full_disks_are_reported_in_words(inkling: Inkling, memory: Path, drawn: Path) -> None:
    with Path("/dev/full").open("w") as full:
        process = inkling.started("info", memory, stdout=full)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "Standard output cannot be written: No space left" in err
    assert "Traceback" not in err
    inkling.here("evaluate", memory, drawn, "--json", "/dev/full").refused("No space left")


def test_a_run_without_a_cache_leaves_none(alone: Inkling, memory: Path, drawn: Path) -> None:
    shutil.copy(drawn / "test" / "car" / "car-0000.png", alone.folder / "a.png")
    done = alone.here("predict", memory, "a.png", "--no-cache", "--json", "-")
    assert done.json()["n"] == 1
    assert not alone.cache.exists()


@pytest.mark.parametrize(("number", "code"), SIGNALS.items())
def test_a_signal_ends_with_128_and_its_number(alone: Inkling, number: signal.Signals, code: int) -> None:
    """As the page of exit codes says. The process signals itself while a verb is at work."""
    script = (
        "import os, sys, time\n"
        "from inkling.cli.main import main\n"
        "from inkling.memory import summary\n"
        "def stop(path):\n"
        f"    os.kill(os.getpid(), {int(number)})\n"
        "    time.sleep(60)\n"
        "summary.summarize = stop\n"
        "sys.argv = ['inkling', 'info', 'm.ink']\n"
        "main()\n"
    )
    done = subprocess.run(
        [PROGRAM[0], "-c", script], env=alone.environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (code, "")
    assert "Traceback" not in done.stderr
    assert f"| {code} | stopped by {number.name}" in EXIT_CODES.read_text(encoding="utf-8")


def _stop(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Send a signal, and check the end against what is promised."""
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert process.returncode == SIGNALS[number], err
    assert "run the same command again" in err
    assert "Traceback" not in err
    assert "Exception" not in err
    assert out == ""


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def fitted(alone: Inkling, drawn: Path, light: Path) -> Path:
    """A memory of the light encoder that tells unknown images."""
    done = alone.here("fit", drawn / "train", "--memory", "m.ink", "--encoder", light, "--false-alarms", 0.2)
    assert done.code == 0, done.err
    return alone.folder / "m.ink"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("verb", "number"),
    [
        ("fit", signal.SIGTERM),
        ("evaluate", signal.SIGTERM),
        ("predict to CSV", signal.SIGINT),
        ("predict to CSV", signal.SIGTERM),
        ("predict to CSV", signal.SIGHUP),
        ("predict to Parquet", signal.SIGINT),
        ("predict --observe", signal.SIGTERM),
        ("discover", signal.SIGINT),
        ("embed", signal.SIGTERM),
    ],
)
def test_a_verb_that_is_stopped_leaves_all_as_it_was(
    alone: Inkling, fitted: Path, many: Path, light: Path, verb: str, number: signal.Signals
) -> None:
    images = many.parent / "pictures"
    for name, known_class in (("ant", "car"), ("bee", "house")):
        (many / name).rename(many / known_class)
    many.rename(images)
    arguments: dict[str, tuple[object, ...]] = {
        "fit": ("fit", images, "--memory", "new.ink", "--encoder", light),
        "evaluate": ("evaluate", fitted, images, "--report", "out.html", "--json", "out.json"),
        "predict to CSV": ("predict", fitted, images, "--output", "out.csv"),
        "predict to Parquet": ("predict", fitted, images, "--output", "out.parquet"),
        "predict --observe": ("predict", fitted, images, "--observe", "--output", "out.csv"),
        "discover": ("discover", fitted, images, "--report", "out.html"),
        "embed": ("embed", images, "--encoder", light, "--output", "out.parquet"),
    }
    (alone.folder / "out.csv").write_text("an older result")
    before, known, version = _names(alone.folder), cached(alone), alone.here("info", fitted, "--json", "-").json()
    process = alone.started(*arguments[verb])
    wait_for(alone, known + 1, process)
    _stop(process, number)
    assert _names(alone.folder) == before
    assert (alone.folder / "out.csv").read_text() == "an older result"
    after = alone.here("info", fitted, "--json", "-").json()
    if verb == "predict --observe":
        assert after["memory_version"] >= version["memory_version"]
    else:
        assert after == version
    assert alone.here("verify", fitted).code == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_fine_tuning_that_is_stopped_goes_on(alone: Inkling, drawn: Path, number: signal.Signals) -> None:
    train = ("finetune", drawn / "train", "--memory", "m.ink", "--encoder", "sketch", "--preset", "last-blocks")
    process = alone.started(*train, "--steps", "400", "--folds", "2", "--output", "run")
    log = alone.folder / "run" / "training" / "log.csv"
    until = time.monotonic() + 120
    while not log.is_file() and time.monotonic() < until:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    _stop(process, number)
    assert not (alone.folder / "m.ink").exists()
    assert list(alone.folder.rglob(".inkling-*")) == []
    other = alone.here(*train, "--steps", "4", "--folds", "2", "--resume", "run")
    other.refused("can't be resumed, as it was started otherwise")


def test_a_stop_that_was_swallowed_is_raised_again_at_the_next_step(alone: Inkling) -> None:
    """As by a compiled module that was being imported, or by a finalizer."""
    code = (
        "import os, signal\n"
        "from inkling.cli.stopping import Signalled, stop_in_order; stop_in_order()\n"
        "from inkling.cli.progress import progress_bar\n"
        "class Last:\n"
        "    def __del__(self): os.kill(os.getpid(), self.number)\n"
        "for number in (signal.SIGINT, signal.SIGTERM):\n"
        "    with progress_bar('Embedding') as tell:\n"
        "        tell(1, 3)\n"
        "        last = Last(); last.number = number; del last\n"
        "        try: tell(2, 3)\n"
        "        except Signalled as stop: print(stop.number)\n"
        "        tell(3, 3)"
    )
    done = subprocess.run([PROGRAM[0], "-c", code], env=alone.environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "15"]
    assert done.stderr == ""


def test_a_signal_that_is_ignored_stays_ignored(alone: Inkling) -> None:
    """As under nohup."""
    code = (
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from inkling.cli.stopping import stop_in_order; stop_in_order()\n"
        "print(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN, signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)"
    )
    done = subprocess.run([PROGRAM[0], "-c", code], env=alone.environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]
