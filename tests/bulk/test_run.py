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


class Ending(HereEngine):
    """Ends before the first part."""

    def __init__(self, folder: Path, by: BaseException) -> None:
        self.folder, self.by = folder, by

    def run(self, *_: object) -> Iterator[Written]:
        """The manifest is there by now."""
        assert (self.folder / "manifest.json").is_file()
        raise self.by


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


@pytest.mark.parametrize(
    "stop", [KeyboardInterrupt(), OSError(28, "No space left on device"), InputError("no cluster")]
)
def test_what_ends_before_the_first_part_leaves_nothing(
    tmp_path: Path, records: list[ImageRecord], stop: BaseException
) -> None:
    (tmp_path / "there").mkdir()
    for name, left in (("out", None), ("there", [])):
        shelf = FolderShelf(tmp_path / name).within("train")
        with pytest.raises(type(stop)):
            run_parts(planned(records), JOB, records, shelf, engine=Ending(tmp_path / name / "train", stop))
        assert (list((tmp_path / name).iterdir()) if (tmp_path / name).exists() else None) == left


def test_a_full_disk_leaves_no_folder(
    tmp_path: Path, records: list[ImageRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    shelf = FolderShelf(tmp_path / "out")
    monkeypatch.setattr(shelf, "put", full)
    with pytest.raises(OSError, match="No space left"):
        run_parts(planned(records), JOB, records, shelf, engine=HereEngine())
    assert not (tmp_path / "out").exists()


def test_an_interrupted_run_that_goes_on_in_vain_keeps_its_manifest(tmp_path: Path, records: list[ImageRecord]) -> None:
    shelf, plan = FolderShelf(tmp_path / "out"), planned(records)
    with pytest.raises(KeyboardInterrupt):
        run_parts(plan, JOB, records, shelf, engine=Stopping(after=0))
    before = content(tmp_path / "out")
    assert set(before) == {"manifest.json", name_of(0)}
    with pytest.raises(KeyboardInterrupt):
        run_parts(plan, JOB, records, shelf, engine=Stopping(after=0), resume=True)
    assert set(content(tmp_path / "out")) == {*before, name_of(1)}


def test_a_part_that_came_after_the_manifest_was_withdrawn_is_taken(whole: Path, records: list[ImageRecord]) -> None:
    """As by a worker of a cluster that ends a moment after its run."""
    shelf, plan, expected = FolderShelf(whole), planned(records), content(whole)
    for path in whole.iterdir():
        if path.name != name_of(1):
            path.unlink()
    assert run_parts(plan, JOB, records, shelf, engine=HereEngine(), resume=True).done_before == 1
    assert content(whole) == expected
    (whole / "manifest.json").unlink()
    with pytest.raises(InputError, match="is not empty"):
        run_parts(planned(records, memory_version=3), JOB, records, shelf, engine=HereEngine(), resume=True)


def test_what_a_folder_holds_decides_what_is_advised(tmp_path: Path, whole: Path, records: list[ImageRecord]) -> None:
    def advised(folder: Path) -> str:
        with pytest.raises(InputError, match="is not empty") as refusal:
            run_parts(planned(records), JOB, records, FolderShelf(folder), engine=HereEngine())
        return refusal.value.remedy or ""

    assert advised(whole).startswith(
        "The run there is finished: the same command with --resume (in Python, resume=True)"
    )
    with pytest.raises(KeyboardInterrupt):
        run_parts(planned(records), JOB, records, FolderShelf(tmp_path / "out"), engine=Stopping(after=0))
    assert "not finished: go on with it by the same command and --resume" in advised(tmp_path / "out")
    for content_there in ("{", '{"files": []}'):
        (whole / "manifest.json").write_text(content_there)
        assert advised(whole) == "Name a folder that is empty or not there yet."


@pytest.mark.parametrize("content", ['{"format": 1', "[" * 200_000], ids=["cut", "nested too deeply"])
def test_a_damaged_manifest_is_reported(content: str, whole: Path, records: list[ImageRecord]) -> None:
    (whole / "manifest.json").write_text(content)
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
