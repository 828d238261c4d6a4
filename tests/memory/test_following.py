"""A memory that is followed: each write is noticed at once, and nothing where nothing was written."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from inkling import FewShotClassifier
from inkling.errors import MemoryFileError
from inkling.memory.following import Followed
from inkling.review.decisions import Decisions
from tests.cli.program import PROGRAM

X, Y = np.eye(4).repeat(5, axis=0), np.repeat(["ant", "bee", "cat", "dog"], 5)


def saved(where: str | Path) -> str | Path:
    FewShotClassifier(head="prototype").fit_embeddings(X, Y).save(where)
    return where


def test_each_write_is_noticed_once(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.ink")
    followed = Followed(path)
    states = [followed.state(), followed.state()]
    Decisions(path).rename("ant", "wasp")
    states += [followed.state(), followed.state()]
    Decisions(path).undo()
    states.append(followed.state())
    followed.close()
    assert states[0] == states[1] != states[2] == states[3] != states[4]
    assert [state[-1] for state in states] == [1, 1, 2, 2, 3]


def test_what_another_process_writes_is_noticed_whatever_this_one_reads(tmp_path: Path) -> None:
    """To open and close the file for its header would let go of the locks of the connection that follows (POSIX).

    Then the other process takes itself for the last one, and removes the side file that this one goes on with.
    """
    path = saved(tmp_path / "a.ink")
    followed = Followed(path)
    for number in range(4):
        assert followed.state()[-1] == 1 + number
        assert len(Decisions(path).classes()) == 4
        names = ("ant", "wasp") if number % 2 == 0 else ("wasp", "ant")
        done = subprocess.run([*PROGRAM, "rename", str(path), *names], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert followed.state()[-1] == 5
    here = Decisions(path).rename("ant", "wasp")
    found = subprocess.run([*PROGRAM, "history", str(path), "--json", "-"], capture_output=True, text=True)
    followed.close()
    assert json.loads(found.stdout)["events"][-1]["memory_version"] == here.version == 6


def test_another_file_of_the_same_version_is_noticed(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.ink")
    followed = Followed(path)
    before = followed.state()
    shutil.copy(saved(tmp_path / "b.ink"), tmp_path / "c.ink")
    (tmp_path / "c.ink").replace(path)
    after = followed.state()
    followed.close()
    assert before != after
    assert before[-1] == after[-1] == 1


def test_following_leaves_room_for_others(tmp_path: Path) -> None:
    """What another process writes is in the file itself, not only in the side file of the one that follows."""
    path = saved(tmp_path / "a.ink")
    followed = Followed(path)
    followed.state()
    Decisions(path).rename("ant", "wasp")
    copy = shutil.copy(path, tmp_path / "copy.ink")
    assert [one.name for one in Decisions(copy).classes()] == ["bee", "cat", "dog", "wasp"]
    followed.state()
    followed.close()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.ink", "copy.ink"]


def test_a_memory_that_is_gone_is_missed(tmp_path: Path) -> None:
    path = Path(saved(tmp_path / "a.ink"))
    followed = Followed(path)
    followed.state()
    path.unlink()
    with pytest.raises(MemoryFileError, match=r"a\.ink"):
        followed.state()
    saved(path)
    assert followed.state()[-1] == 1
    followed.close()


def test_a_memory_that_only_others_may_write_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "a.ink")
    monkeypatch.setattr("inkling.memory.database.os.access", lambda *_: False)
    followed = Followed(path)
    assert followed.state()[-1] == 1
    monkeypatch.undo()
    Decisions(path).rename("ant", "wasp")
    monkeypatch.setattr("inkling.memory.database.os.access", lambda *_: False)
    assert followed.state()[-1] == 2
    followed.close()
