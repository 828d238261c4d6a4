"""Runs that are stopped, resumed, damaged, mixed up: the files are those of one sitting."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from inkling.bulk.engines import HereEngine
from inkling.bulk.jobs import Job
from inkling.bulk.parts import Written, name_of, write_part
from inkling.bulk.plan import Plan
from inkling.bulk.run import run_parts
from inkling.bulk.shelf import FolderShelf, Shelf
from inkling.errors import InputError
from inkling.types import ImageRecord
from tests.bulk.drawn import JOB, images, planned

FORK = multiprocessing.get_context("fork")


class Stopping(HereEngine):
    """Stops after some parts."""

    def __init__(self, after: int) -> None:
        self.after = after

    def run(
        self, job: Job, plan: Plan, records: Sequence[ImageRecord], parts: Sequence[int], shelf: Shelf
    ) -> Iterator[Written]:
        """As `HereEngine`, up to there."""
        for number, written in enumerate(super().run(job, plan, records, parts, shelf)):
            if number == self.after:
                raise KeyboardInterrupt
            yield written


@pytest.fixture
def records(tmp_path: Path) -> list[ImageRecord]:
    return images(tmp_path / "drawn")


@pytest.fixture
def whole(tmp_path: Path, records: list[ImageRecord]) -> Path:
    """A run in one sitting."""
    run_parts(planned(records), JOB, records, FolderShelf(tmp_path / "whole"), engine=HereEngine())
    return tmp_path / "whole"


def content(folder: Path) -> dict[str, bytes]:
    """Files by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_each_image_has_a_row_and_a_broken_one_its_reason(whole: Path, records: list[ImageRecord]) -> None:
    table = pa.concat_tables(parquet.read_table(path) for path in sorted(whole.glob("part-*.parquet")))
    assert table["path"].to_pylist() == [record.path for record in records]
    assert table["label"].to_pylist()[0] == records[0].label
    (lost,) = table.filter(table["error"].is_valid()).to_pylist()
    assert lost["path"].endswith("broken.png")
    assert lost["embedding"] is None
    manifest = json.loads((whole / "manifest.json").read_text())
    assert manifest["complete"]
    assert manifest["rows"] == len(records) == sum(part["rows"] for part in manifest["parts"])
    assert [(one["path"], one["reason"]) for one in manifest["skipped"]] == [(lost["path"], lost["error"])]


def test_a_stopped_run_is_resumed_to_the_same_files(tmp_path: Path, whole: Path, records: list[ImageRecord]) -> None:
    shelf, plan = FolderShelf(tmp_path / "out"), planned(records)
    with pytest.raises(KeyboardInterrupt):
        run_parts(plan, JOB, records, shelf, engine=Stopping(after=1))
    told: list[tuple[int, int]] = []
    ran = run_parts(plan, JOB, records, shelf, engine=HereEngine(), resume=True, progress=lambda *at: told.append(at))
    assert ran.done_before == 2  # the second was written when it stopped
    assert told[0] == (16, len(records))
    assert told[-1] == (len(records), len(records))
    assert content(tmp_path / "out") == content(whole)
    again = run_parts(plan, JOB, records, shelf, engine=Stopping(after=0), resume=True)
    assert again.done_before == plan.n_parts


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone", "another's", "empty"])
def test_a_damaged_part_is_done_again(tmp_path: Path, whole: Path, records: list[ImageRecord], damage: str) -> None:
    expected, plan = content(whole), planned(records)
    part = whole / name_of(1)
    held = bytearray(part.read_bytes())
    if damage == "cut":
        part.write_bytes(held[: len(held) // 2])
    elif damage == "flipped":
        held[len(held) // 4] ^= 1
        part.write_bytes(held)
    elif damage == "gone":
        part.unlink()
    elif damage == "empty":
        part.write_bytes(b"")
    else:
        write_part(FolderShelf(whole), 1, parquet.read_table(part), run="another")
    ran = run_parts(plan, JOB, records, FolderShelf(whole), engine=HereEngine(), resume=True)
    assert ran.done_before == plan.n_parts - 1
    assert content(whole) == expected


def test_another_run_is_not_mixed_in(whole: Path, records: list[ImageRecord]) -> None:
    before = content(whole)
    with pytest.raises(InputError, match="is not empty"):
        run_parts(planned(records), JOB, records, FolderShelf(whole), engine=HereEngine())
    others = planned(records, memory_version=3, options={"top": 1})
    with pytest.raises(InputError, match="differs in: memory version, options"):
        run_parts(others, JOB, records, FolderShelf(whole), engine=HereEngine(), resume=True)
    assert content(whole) == before


def test_a_damaged_manifest_is_reported(whole: Path, records: list[ImageRecord]) -> None:
    (whole / "manifest.json").write_text('{"format": 1')
    with pytest.raises(InputError, match="damaged or of another release"):
        run_parts(planned(records), JOB, records, FolderShelf(whole), engine=HereEngine(), resume=True)


@pytest.mark.slow
def test_a_killed_run_is_resumed_to_the_same_files(tmp_path: Path, whole: Path, records: list[ImageRecord]) -> None:
    shelf, plan = FolderShelf(tmp_path / "out"), planned(records)
    for pause in (0.2, 0.5, 0.8, 1.1):
        child = FORK.Process(
            target=run_parts, args=(plan, JOB, records, shelf), kwargs={"engine": HereEngine(), "resume": True}
        )
        child.start()
        time.sleep(pause)
        child.kill()
        child.join()
    run_parts(plan, JOB, records, shelf, engine=HereEngine(), resume=True)
    assert {name: held for name, held in content(tmp_path / "out").items() if not name.startswith(".")} == content(
        whole
    )
