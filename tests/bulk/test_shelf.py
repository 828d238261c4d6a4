"""Folders and URLs behave alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkling.bulk.shelf import Shelf, shelf_of
from inkling.errors import InputError


@pytest.fixture(params=["folder", "memory", "file"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    if request.param == "folder":
        return shelf_of(tmp_path / "out")
    pytest.importorskip("fsspec", reason="comes with the extra 'scale'")
    return shelf_of(f"memory://{tmp_path}/out" if request.param == "memory" else f"file://{tmp_path}/out")


def test_files_are_kept_by_name(shelf: Shelf) -> None:
    assert shelf.names() == []
    with pytest.raises(FileNotFoundError):
        shelf.get("a")
    shelf.put("b", b"one")
    shelf.put("a", b"two")
    shelf.put("b", b"three")
    assert shelf.names() == ["a", "b"]
    assert shelf.get("b") == b"three"
    shelf.within("c").put("d", b"four")
    assert shelf.names() == ["a", "b", "c"]
    shelf.within("c").withdraw("d")
    shelf.withdraw("a")
    shelf.withdraw("a")
    assert shelf.get("b") == b"three"
    with pytest.raises(FileNotFoundError):
        shelf.get("a")


@pytest.mark.parametrize("kind", ["", "file://"])
def test_folders_are_named_too(tmp_path: Path, kind: str) -> None:
    if kind:
        pytest.importorskip("fsspec", reason="comes with the extra 'scale'")
    (tmp_path / "out" / "cat").mkdir(parents=True)
    (tmp_path / "out" / "cat" / "1.jpg").write_bytes(b"")
    (tmp_path / "out" / ".hidden").write_bytes(b"")
    assert shelf_of(f"{kind}{tmp_path}/out").names() == ["cat"]


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file")
    with pytest.raises(InputError, match="a folder was expected"):
        shelf_of(tmp_path / "a")
    with pytest.raises(InputError, match="cannot be made"):
        shelf_of(tmp_path / "no" / "such")


def test_a_url_that_nothing_knows_is_refused() -> None:
    pytest.importorskip("fsspec", reason="comes with the extra 'scale'")
    with pytest.raises(InputError, match="nowhere") as refusal:
        shelf_of("nowhere://host/out")
    with pytest.raises(InputError, match="has a password in it") as refusal:
        shelf_of("nowhere://name:secret@host/out")
    assert "secret" not in str(refusal.value)
