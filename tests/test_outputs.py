"""Result files appear whole or not at all, and nothing that was there is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path
from types import FrameType

import pytest

from inkling import outputs
from inkling.errors import InputError
from inkling.memory.file import appearing
from inkling.outputs import ABANDONED_SECONDS, appearing_whole, check_writable, folder_appearing_whole, held
from tests.memory.samples import FORK, in_child
from tests.system import as_nobody


def test_the_file_appears_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    with appearing_whole(target) as draft:
        draft.write_text("rows")
        assert not target.exists()
    assert target.read_text() == "rows"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("fault", [KeyboardInterrupt, RuntimeError, InputError])
def test_an_older_file_survives_what_goes_wrong(tmp_path: Path, fault: type[BaseException]) -> None:
    target = tmp_path / "out.csv"
    target.write_text("old")

    def write_half() -> None:
        with appearing_whole(target) as draft:
            draft.write_text("half of the ne")
            raise fault("")

    with pytest.raises(fault):
        write_half()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def _interrupted(at: int) -> Callable[..., object]:
    """A trace function that raises what Ctrl-C raises at the n-th line that runs in this module."""
    lines = 0

    def trace(frame: FrameType, event: str, _argument: object) -> Callable[..., object] | None:
        nonlocal lines
        if frame.f_code.co_filename != outputs.__file__:
            return None
        lines += event == "line"
        if event == "line" and lines == at:
            raise KeyboardInterrupt
        return trace

    return trace


def test_ctrl_c_at_any_line_leaves_no_draft(tmp_path: Path) -> None:
    target, done, at = tmp_path / "out.csv", False, 0
    while not done:
        at += 1
        before = sys.gettrace()
        try:
            sys.settrace(_interrupted(at))
            with appearing_whole(target) as draft:
                draft.write_text("rows")
            done = True
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        assert {path.name for path in tmp_path.iterdir()} <= {target.name}, at
    assert at > 30


def test_ctrl_c_while_the_draft_is_removed_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remove, calls = shutil.rmtree, []

    def interrupted(folder: Path, **options: bool) -> None:
        calls.append(folder)
        if len(calls) == 1:
            raise KeyboardInterrupt
        remove(folder, **options)

    monkeypatch.setattr(shutil, "rmtree", interrupted)
    with pytest.raises(KeyboardInterrupt), appearing_whole(tmp_path / "out.csv") as draft:
        draft.write_text("rows")
    assert {path.name for path in tmp_path.iterdir()} == {"out.csv"}


def test_a_link_keeps_pointing_to_its_file(tmp_path: Path) -> None:
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.write_text("old")
    link.symlink_to(real)
    with appearing_whole(link) as draft:
        draft.write_text("new")
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_a_pipe_is_written_directly(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(
        [sys.executable, "-c", f"print(open({str(pipe)!r}).read())"], stdout=subprocess.PIPE, text=True
    )
    with appearing_whole(pipe) as draft:
        draft.write_text("rows")
    assert reader.communicate(timeout=20)[0] == "rows\n"
    assert pipe.is_fifo()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_reported_in_words() -> None:
    with (
        pytest.raises(InputError, match="'/dev/full' cannot be written: No space left"),
        appearing_whole("/dev/full") as f,
    ):
        f.write_text("rows")


def test_what_cannot_be_written_is_said_beforehand(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        check_writable(tmp_path / "missing" / "out.csv")
    with pytest.raises(InputError, match="is a folder"):
        check_writable(tmp_path)
    check_writable(tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_permission_is_said_beforehand(public: Path) -> None:
    public.chmod(0o555)
    with pytest.raises(InputError, match="Permission denied"):
        in_child(as_nobody, check_writable, public / "out.csv")


WRITERS: dict[str, Callable[[Path], object]] = {
    "file": appearing_whole,
    "memory": appearing,
    "folder": folder_appearing_whole,
}


def _write(writer: str, target: Path, text: str, pause: Callable[[], object] = lambda: None) -> None:
    with WRITERS[writer](target) as draft:
        (draft / "a.txt" if writer == "folder" else draft).write_text(text)
        pause()


def _write_for_ever(writer: str, target: Path, begun: Event) -> None:
    def pause() -> None:
        begun.set()
        time.sleep(600)

    _write(writer, target, "half", pause)


@contextmanager
def _at_work(writer: str, target: Path):
    """A process that is in the middle of writing."""
    begun = FORK.Event()
    child = FORK.Process(target=_write_for_ever, args=(writer, target, begun))
    child.start()
    assert begun.wait(60)
    try:
        yield child
    finally:
        child.kill()
        child.join()


@pytest.mark.parametrize("writer", WRITERS)
def test_what_a_killed_writer_left_is_taken_away_and_what_a_live_one_builds_is_not(tmp_path: Path, writer: str) -> None:
    with _at_work(writer, tmp_path / "a") as alive:
        with _at_work(writer, tmp_path / "b"):
            assert len(list(tmp_path.iterdir())) == 2
        _write(writer, tmp_path / "c", "whole")
        assert alive.is_alive()
        drafts = sorted(set(tmp_path.iterdir()) - {tmp_path / "c"})
        assert len(drafts) == 1
        assert [path.name for path in drafts[0].iterdir()] == ["a"]
    _write(writer, tmp_path / "d", "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c", "d"]


def test_foreign_files_with_similar_names_stay(tmp_path: Path) -> None:
    for name in (".out.csv.part", ".inkling-0123.part", "inkling-0123456789abcdef.part"):
        (tmp_path / name).mkdir()
    with appearing_whole(tmp_path / "out.csv") as draft:
        draft.write_text("rows")
    assert len(list(tmp_path.iterdir())) == 4


def test_where_nothing_can_be_locked_age_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "fcntl", None)
    old, young = tmp_path / f".inkling-{'0' * 16}.part", tmp_path / f".inkling-{'1' * 16}.part"
    for folder in (old, young):
        folder.mkdir()
    long_ago = time.time() - ABANDONED_SECONDS - 60
    os.utime(old, (long_ago, long_ago))
    with appearing_whole(tmp_path / "out.csv") as draft:
        draft.write_text("rows")
    assert sorted(path.name for path in tmp_path.iterdir()) == [young.name, "out.csv"]


def test_many_writers_of_one_file_leave_one_of_their_versions(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    versions = [f"{k}" * 200_000 for k in range(8)]

    def write(version: str) -> None:
        for _ in range(10):
            with appearing_whole(target) as draft, draft.open("w") as file:
                for at in range(0, len(version), 50_000):
                    file.write(version[at : at + 50_000])
                    file.flush()
            assert target.read_text() in versions

    with ThreadPoolExecutor(len(versions)) as pool:
        list(pool.map(write, versions))
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_many_writers_of_one_folder_leave_one_of_their_versions(tmp_path: Path) -> None:
    def write(version: int) -> None:
        for _ in range(20):
            with folder_appearing_whole(tmp_path / "out") as draft:
                for name in ("a", "b"):
                    (draft / name).write_text(str(version))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert len({path.read_text() for path in (tmp_path / "out").iterdir()}) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="other systems can't exchange two folders in one step")
def test_a_folder_that_is_replaced_is_there_at_every_moment(tmp_path: Path) -> None:
    target = tmp_path / "out"

    def write(times: int) -> None:
        for number in range(times):
            with folder_appearing_whole(target) as draft:
                (draft / "a").write_text(str(number))

    write(1)
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write, 300)
        while not writing.done():
            assert target.is_dir()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_folder_takes_the_place_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_exchange: bool
) -> None:
    if not can_exchange:
        monkeypatch.setattr(outputs, "_exchanged", lambda *_: False)
    for text in ("old", "new"):
        with folder_appearing_whole(tmp_path / "out") as draft:
            (draft / text).write_text(text)
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "new"]


def test_a_folder_that_is_not_to_be_replaced_stays(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").write_text("old")
    with pytest.raises(OSError, match="not empty"), folder_appearing_whole(tmp_path / "out", replace=False) as draft:
        (draft / "new").write_text("new")
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "old"]


def test_a_folder_survives_where_the_new_one_cannot_take_its_name(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").write_text("old")
    with pytest.raises(FileNotFoundError), folder_appearing_whole(tmp_path / "out") as draft:
        draft.rename(tmp_path / "elsewhere")
    assert (tmp_path / "out" / "old").read_text() == "old"


def test_permissions_of_an_older_file_are_kept(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_text("old")
    target.chmod(0o640)
    with appearing_whole(target) as draft:
        draft.write_text("new")
    assert target.stat().st_mode & 0o777 == 0o640


def test_the_longest_name_that_a_file_may_have_can_be_written(tmp_path: Path) -> None:
    with appearing_whole(tmp_path / ("n" * 251 + ".csv")) as draft:
        draft.write_text("rows")


def test_a_folder_that_does_not_exist_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"), appearing_whole(tmp_path / "missing" / "out.csv"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_held_by_one_process_at_a_time(tmp_path: Path) -> None:
    with held(tmp_path) as alone:
        assert alone
        with held(tmp_path) as second:
            assert not second
    with held(tmp_path) as again:
        assert again
