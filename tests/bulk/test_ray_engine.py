"""Ray writes the same files, whatever of it dies; what it can't do is said."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from inkling.bulk.engines import HereEngine
from inkling.bulk.jobs import EmbedJob, Job
from inkling.bulk.ray_engine import RayEngine
from inkling.bulk.run import run_parts
from inkling.bulk.shelf import FolderShelf, shelf_of
from inkling.errors import InputError
from inkling.types import ImageRecord
from tests.bulk.cluster import Cluster
from tests.bulk.drawn import JOB, SLOW, images, planned

ROOT = Path(__file__).parents[2]
SECONDS = 120


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[ImageRecord]:
    return images(tmp_path_factory.mktemp("drawn") / "drawn")


@pytest.fixture(scope="module")
def expected(records: list[ImageRecord], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Files of one process, the manifest aside."""
    folder = tmp_path_factory.mktemp("here")
    run_parts(planned(records), JOB, records, FolderShelf(folder), engine=HereEngine())
    return parts(folder)


def parts(folder: Path) -> dict[str, bytes]:
    """Parts by name; drafts that a killed process left are hidden."""
    return {path.name: path.read_bytes() for path in folder.glob("part-*.parquet")}


@contextmanager
def driver(cluster: Cluster, records: list[ImageRecord], out: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs slow parts on the cluster."""
    command = [sys.executable, "-m", "tests.bulk.driver", cluster.address, Path(records[0].path).parents[1], out]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        try:
            yield run
        finally:
            run.kill()


def until(happened: Callable[[], object], what: str) -> None:
    """Wait for it."""
    end = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < end, what
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.thorough(quick="test_a_node_dies")
def test_a_worker_dies_and_then_the_driver(
    cluster: Cluster,
    tmp_path: Path,
    records: list[ImageRecord],
    expected: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("RAY_USAGE_STATS_ENABLED", "RAY_DATA_USAGE_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    with driver(cluster, records, tmp_path) as run:
        until(lambda: parts(tmp_path), "the first part")
        cluster.workers("Worker")[0].kill()
        until(lambda: len(parts(tmp_path)) >= 2, "a part after a worker died")
        run.kill()
    ran = run_parts(
        planned(records), SLOW, records, FolderShelf(tmp_path), engine=RayEngine(cluster.address), resume=True
    )
    assert ran.done_before >= 2
    assert parts(tmp_path) == expected
    assert not [thread.name for thread in threading.enumerate() if "usage" in thread.name], "what runs is reported"


@pytest.mark.slow
def test_what_a_node_cannot_reach_is_said_before_the_first_part(
    cluster: Cluster, tmp_path: Path, records: list[ImageRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    def refused(job: Job, where: str | Path, told: str) -> None:
        with pytest.raises(InputError, match=told):
            run_parts(planned(records), job, records, shelf_of(where), engine=RayEngine(cluster.address))

    refused(JOB, "memory://nowhere/else", "can't reach the output memory://nowhere/else")
    refused(OnlyHere(JOB.encoder), tmp_path / "a", "can't reach '/proc/self/task/")
    refused(replace(JOB, encoder=replace(JOB.encoder, fingerprint="other")), tmp_path / "b", "fingerprint other")
    assert not parts(tmp_path / "a") | parts(tmp_path / "b")
    monkeypatch.setattr(ray, "__version__", "2.0.0")
    refused(JOB, tmp_path / "c", "must be of the same versions")


@pytest.mark.slow
def test_relative_names_are_those_of_the_driver(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nodes were started in another folder. Paths in the rows stay as they are given."""
    drawn = images(tmp_path / "drawn")
    monkeypatch.chdir(tmp_path)
    records = [replace(record, path=str(Path(record.path).relative_to(tmp_path))) for record in drawn]
    ran = run_parts(planned(records), JOB, records, FolderShelf(Path("out")), engine=RayEngine(cluster.address))
    assert [path for path, _ in ran.skipped] == [str(Path("drawn") / "castle" / "broken.png")]
    (there,) = RayEngine(cluster.address).map(os.listdir, ["drawn"])
    assert sorted(there) == ["car", "castle", "tree"]
    assert not logging.getLogger("ray.data._internal.progress.logging_progress").isEnabledFor(logging.INFO)


@dataclass(frozen=True)
class OnlyHere(EmbedJob):
    """Needs what is there in this process alone."""

    @property
    def needs(self) -> tuple[str, ...]:
        """A path that is another process's nowhere."""
        return (f"/proc/self/task/{os.getpid()}",)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounts a small file system")
def test_a_full_disk_is_said_and_the_run_resumed_with_room(
    cluster: Cluster, tmp_path: Path, records: list[ImageRecord], expected: dict[str, bytes]
) -> None:
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24k", "none", tmp_path], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        shelf, engine = FolderShelf(tmp_path), RayEngine(cluster.address)
        with pytest.raises(InputError, match="No space left on device") as refusal:
            run_parts(planned(records), JOB, records, shelf, engine=engine)
        assert "--resume" in (refusal.value.remedy or "")
        subprocess.run(["mount", "-o", "remount,size=8m", tmp_path], check=True)
        run_parts(planned(records), JOB, records, shelf, engine=engine, resume=True)
        assert parts(tmp_path) == expected
    finally:
        subprocess.run(["umount", tmp_path], check=True)


@pytest.mark.slow
def test_a_node_dies(cluster: Cluster, tmp_path: Path, records: list[ImageRecord], expected: dict[str, bytes]) -> None:
    """The last test of the cluster."""
    with driver(cluster, records, tmp_path) as run:
        until(lambda: parts(tmp_path), "the first part")
        cluster.kill(1)
        assert run.wait(SECONDS) == 0
        assert parts(tmp_path) == expected


@pytest.mark.slow
def test_ray_adds_up_what_one_process_does() -> None:
    pytest.importorskip("ray", reason="comes with the extra 'scale'")
    numbers = list(range(7))
    assert list(RayEngine().map(np.sqrt, numbers)) == list(HereEngine().map(np.sqrt, numbers))


def test_a_cluster_that_is_not_there_is_reported(tmp_path: Path, records: list[ImageRecord]) -> None:
    pytest.importorskip("ray", reason="comes with the extra 'scale'")
    with pytest.raises(InputError, match="There is no Ray cluster at"):
        run_parts(planned(records), JOB, records, FolderShelf(tmp_path / "out"), engine=RayEngine("127.0.0.1:1"))
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_ray_that_does_not_start_is_reported(
    tmp_path: Path, records: list[ImageRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine it gives up, by an exception of no kind of its own."""
    ray = pytest.importorskip("ray", reason="comes with the extra 'scale'")

    def too_slow(**_: object) -> None:
        raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(ray, "init", too_slow)
    with pytest.raises(InputError, match="Ray can't be started here: The current node timed out"):
        run_parts(planned(records), JOB, records, FolderShelf(tmp_path / "out"), engine=RayEngine())
