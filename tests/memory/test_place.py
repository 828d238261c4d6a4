"""What a user names as a memory: a file, or the URL of a PostgreSQL database, and no other URL."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkling.errors import InputError, MemoryFileError
from inkling.memory.place import FilePlace, place_of


@pytest.mark.parametrize("url", ["mysql://x/y", "postgresq://x/y", "https://host/a.ink", "s3://bucket/a.ink"])
def test_a_url_of_another_kind_is_no_folder(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=rf"'{url}' is no memory that Inkling can reach") as told:
        place_of(url)
    assert "postgresql://USER@HOST/DATABASE" in str(told.value.remedy)


def test_a_password_in_it_is_not_told() -> None:
    with pytest.raises(InputError) as told:
        place_of("mysql://ada:s3cret@host/y?password=s3cret")
    assert "s3cret" not in str(told.value)


@pytest.mark.parametrize("name", ["C:\\a.ink", "C:/a.ink", "c://a.ink", "12:30.ink", "a:b/c.ink"])
def test_a_colon_alone_makes_no_url(name: str) -> None:
    assert isinstance(place_of(name), FilePlace)


@pytest.mark.parametrize(
    "url", ["postgresql://ada@host", "postgresql://ada@host/", "postgresql://", "postgres:///?host=/x"]
)
def test_a_url_without_a_database_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("psycopg", reason="the driver is not installed: pip install 'inkling-vision[postgres]'")
    for name in ("PGDATABASE", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(MemoryFileError, match="names no database") as told:
        place_of(url)
    assert "postgresql://USER@HOST/DATABASE" in str(told.value.remedy)
    assert place_of("postgresql://?service=vehicles").exists
    monkeypatch.setenv("PGDATABASE", "vehicles")
    assert str(place_of(url)) == url
