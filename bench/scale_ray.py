"""Ray: two nodes against one, against no Ray at all, in one stage or two; and what kills at random leave.

Nodes are those of `ray start` on this machine, each held to processors of its own. Each time holds what a run
costs beside its work: connecting, starting actors, opening the encoder.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from common import ROOT, SHARED, Row, at_least, at_most
from inkling.bulk.plan import PART_IMAGES
from scale_driver import TOOK

sys.path.append(str(ROOT))
from tests.bulk.cluster import Cluster

PICTURES, REPEATS = 2000, 2
KILLS, KILLED_PICTURES, KILLED_PART = 20, 640, 32
KINDS = ("worker", "node", "driver")
SECONDS = 300


def nodes() -> Iterator[Row]:
    """Seconds for 2,000 photographs, of which the better of two counts."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        pictures = _pictures(folder / "pictures", PICTURES)
        plain = _best(lambda: _run(None, pictures, folder / "out"))
        apart = os.geteuid() == 0
        with _cluster([(0,)]) as one:
            alone = _best(lambda: _run(one, pictures, folder / "out"))
        with _cluster([(0,), (1,)], apart=apart) as two:
            together = _best(lambda: _run(two, pictures, folder / "out"))
        with _cluster([(0, 1)]) as whole:
            on_ray = _best(lambda: _run(whole, pictures, folder / "out"))
    told = {"one node, s": alone, "two nodes, s": together, "in network namespaces of their own": apart}
    yield at_least("two nodes of one processor against one, times as fast", alone / together, 1.7, **told)
    told = {"plain, s": plain, "Ray, s": on_ray, "pictures": PICTURES}
    yield at_most("Ray against the plain pipeline, two processors, times the seconds", on_ray / plain, 1.2, **told)


def stages() -> Iterator[Row]:
    """Decoding and encoding as two stages of Ray Data, their vectors kept nowhere, against parts that do both."""
    with tempfile.TemporaryDirectory() as made, _cluster([(0, 1)]) as cluster:
        folder = Path(made)
        pictures = _pictures(folder / "pictures", PICTURES)
        one = _best(lambda: _run(cluster, pictures, folder / "out"))
        two = _best(lambda: _told(cluster, "scale_stages.py", cluster.address, pictures))
    told = {"one stage, s": one, "two stages, s": two}
    yield Row("decoding and encoding as two stages against one, times the seconds", two / one, details=told)


def kills() -> Iterator[Row]:
    """A worker, a node or the driver is killed at random moments, runs go on, and files are those of one process."""
    chance, killed, runs, wrong = random.Random(0), dict.fromkeys(KINDS, 0), 0, 0
    with tempfile.TemporaryDirectory() as made, _cluster([(0,), (1,)]) as cluster:
        folder = Path(made)
        pictures = _pictures(folder / "pictures", KILLED_PICTURES)
        _run(None, pictures, folder / "expected", part_images=KILLED_PART)
        while sum(killed.values()) < KILLS:
            _survive(cluster, pictures, folder / "out", killed, chance)
            runs += 1
            wrong += _parts(folder / "out") != _parts(folder / "expected")
            shutil.rmtree(folder / "out")
    done = sum(killed.values())
    yield at_least("kills at random, of a worker, a node or the driver", done, KILLS, runs=runs, **killed)
    yield at_most("runs among them whose files are not those of one process", wrong, 0)


PARTS: dict[str, Callable[[], Iterator[Row]]] = {"nodes": nodes, "kills": kills, "stages": stages}


def _pictures(folder: Path, count: int) -> Path:
    """Different photographs: those of Caltech-101 in turn."""
    found = sorted((SHARED / "data" / "caltech101").rglob("*.jpg"))
    folder.mkdir()
    for number, path in enumerate(found[:: len(found) // count][:count]):
        (folder / f"{number:05d}.jpg").symlink_to(path)
    return folder


@contextmanager
def _cluster(nodes: Sequence[Sequence[int]], *, apart: bool = False) -> Iterator[Cluster]:
    """A cluster of nodes that have these processors."""
    with Cluster(apart=apart) as cluster:
        for processors in nodes:
            cluster.start(processors=processors)
        yield cluster


def _best(run: Callable[[], float]) -> float:
    return min(run() for _ in range(REPEATS))


def _run(cluster: Cluster | None, pictures: Path, output: Path, *, part_images: int = PART_IMAGES) -> float:
    """Seconds of a run from nothing to its manifest, on a cluster or here; its files are left."""
    shutil.rmtree(output, ignore_errors=True)
    where = "here" if cluster is None else cluster.address
    return _told(cluster, "scale_driver.py", where, pictures, output, "--part-images", part_images)


def _told(cluster: Cluster | None, script: str, *arguments: object) -> float:
    with _started(cluster, script, *arguments) as (process, said):
        failed = process.wait()
        said.seek(0)
        text = said.read()
    if failed:
        raise RuntimeError(text)
    return float(text.rpartition(TOOK)[2].split()[0])


@contextmanager
def _started(
    cluster: Cluster | None, script: str, *arguments: object
) -> Iterator[tuple[subprocess.Popen[bytes], IO[str]]]:
    """A script of this folder under way, and what it says."""
    command = [sys.executable, str(ROOT / "bench" / script), *map(str, arguments)]
    environment = os.environ | ({} if cluster is None else cluster.environment)
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(command, stdout=said, stderr=said, env=environment) as process,
    ):
        try:
            yield process, said
        finally:
            process.kill()


def _survive(cluster: Cluster, pictures: Path, output: Path, killed: dict[str, int], chance: random.Random) -> None:
    """One run to its end, whatever is killed meanwhile; a driver that was killed is started again."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        arguments = (cluster.address, pictures, output, "--part-images", KILLED_PART)
        with _started(cluster, "scale_driver.py", *arguments) as (driver, said):
            while driver.poll() is None and sum(killed.values()) < KILLS:
                time.sleep(chance.uniform(2, 12))
                _kill(cluster, driver, killed, chance)
            ended = driver.wait(SECONDS)
            said.seek(0)
            text = said.read()
        if ended == 0:
            return
        if ended != -signal.SIGKILL:
            raise RuntimeError(text)
    raise TimeoutError("The run came to no end.")


def _kill(cluster: Cluster, driver: subprocess.Popen[bytes], killed: dict[str, int], chance: random.Random) -> None:
    """Kill something of a run that is under way; a node comes back at once, as one that is switched on again."""
    what = chance.choice(KINDS)
    if driver.poll() is not None:
        return
    if what == "driver":
        driver.kill()
    elif what == "node":
        cluster.kill(cluster.last)
        cluster.start(processors=(1,))
    elif workers := cluster.workers("Worker"):
        chance.choice(workers).kill()
    else:
        return
    killed[what] += 1


def _parts(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("part-*.parquet"))}
