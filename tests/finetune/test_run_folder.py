"""What is wrong with an output folder is said before the training."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from inkling.errors import InputError
from inkling.finetune.run_folder import RUN, TRAINING, alone_in, check_output, open_run
from tests.finetune.cases import recipe


def open_(folder: Path, *, n_bytes: int = 10, resume: bool = False) -> None:
    open_run(folder, recipe(), {"encoder": "abc"}, resume=resume, n_bytes=n_bytes)


def test_a_new_folder_is_made_and_described(tmp_path: Path) -> None:
    open_(tmp_path / "a" / "b")
    assert '"encoder": "abc"' in (tmp_path / "a" / "b" / RUN).read_text()


def test_resuming_where_nothing_was_done_begins(tmp_path: Path) -> None:
    open_(tmp_path / "new", resume=True)
    open_(tmp_path / "new", resume=True)


def test_interpolation_may_change_since_it_comes_after_the_training(tmp_path: Path) -> None:
    open_run(tmp_path / "run", recipe(interpolate=0.5), {}, resume=False, n_bytes=1)
    open_run(tmp_path / "run", recipe(interpolate=0.9), {}, resume=True, n_bytes=1)


def test_a_folder_of_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(InputError, match="no empty folder"):
        open_(tmp_path)
    with pytest.raises(InputError, match="no empty folder"):
        open_(tmp_path / "thesis.txt")
    assert [one.name for one in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_full_disk_is_foreseen(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"may write 1,000,000,000,000 MB[\s\S]*train less"):
        open_(tmp_path / "run", n_bytes=10**18)


def test_a_folder_under_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="can't be made"):
        open_(tmp_path / "file" / "run")


def test_an_unwritable_folder_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(InputError, match="can't be written"):
        open_(tmp_path / "run")


def test_a_damaged_description_is_reported(tmp_path: Path) -> None:
    open_(tmp_path / "run")
    (tmp_path / "run" / RUN).write_text("{")
    with pytest.raises(InputError, match="can't be read"):
        open_(tmp_path / "run", resume=True)


def test_a_run_is_refused_a_folder_before_images_are_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run in"):
        check_output(tmp_path / "typo", resume=True)
    check_output(tmp_path / "new", resume=False)
    open_(tmp_path / "run" / TRAINING)
    check_output(tmp_path / "run", resume=True)
    with pytest.raises(InputError, match="holds another run"):
        check_output(tmp_path / "run", resume=False)
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(InputError, match="no empty folder"):
        check_output(tmp_path, resume=False)


def test_one_process_at_a_time_trains_in_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with (
        alone_in(folder),
        pytest.raises(InputError, match="Another process is training"),
        alone_in(folder),
    ):
        pass
    with alone_in(folder):
        assert folder.is_dir()
    assert not folder.exists()
