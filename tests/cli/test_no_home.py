"""Where the cache cannot be: the run goes on without one and says so, and its result is the same."""

from __future__ import annotations

import pwd
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from inkling.cli.main import app
from inkling.embeddings.cache import default_folder
from inkling.errors import CacheError
from tests.cli.light_encoder import write_light_encoder

GOES_ON = "This run goes on without keeping new vectors."


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture, drawn: Path, tmp_path: Path) -> Callable[[str | None], str]:
    """What `fit` logs, for a value of INKLING_CACHE."""

    def fit(cache: str | None) -> str:
        _fit(drawn, tmp_path, cache=cache)
        return caplog.text

    return fit


def _fit(drawn: Path, folder: Path, *, cache: str | None) -> None:
    light = write_light_encoder(folder / "light")
    arguments = ["fit", str(drawn / "train"), "--memory", str(folder / "m.ink"), "--encoder", str(light)]
    done = CliRunner(env={"INKLING_CACHE": cache}).invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    assert (folder / "m.ink").is_file()


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As in a container whose user is a bare number."""

    def nobody(number: int) -> None:
        raise KeyError(number)

    for name in ("HOME", "XDG_CACHE_HOME", "INKLING_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("cache", [None, "", "~/cache"])
def test_without_a_home_folder_there_is_no_cache_and_a_note(
    homeless: None, said: Callable[[str | None], str], tmp_path: Path, cache: str | None
) -> None:
    logged = said(cache)
    assert "There is no home folder for the embedding cache" in logged
    assert GOES_ON in logged
    assert sorted(path.name for path in tmp_path.iterdir()) == ["light", "m.ink"]


def test_the_cache_itself_is_reported_to_be_nowhere(homeless: None) -> None:
    done = CliRunner().invoke(app, ["cache", "info"], catch_exceptions=False)
    assert done.exit_code == 2
    assert "There is no home folder" in done.stderr
    with pytest.raises(CacheError, match="INKLING_CACHE"):
        default_folder()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the devices of Linux")
@pytest.mark.parametrize("place", ["{folder}/file", "{folder}/file/below", "/dev/null", "/dev/full", "/proc/cache"])
def test_a_place_that_cannot_be_a_folder_is_no_cache(
    said: Callable[[str | None], str], tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert GOES_ON in said(place.format(folder=tmp_path))
    assert (tmp_path / "file").read_text() == "not a folder"


def test_a_home_folder_that_cannot_be_written_is_no_cache(
    said: Callable[[str | None], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.platform != "linux":
        pytest.skip("needs a folder in which even the superuser makes none")
    monkeypatch.setenv("HOME", "/proc")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert GOES_ON in said(None)


def test_a_tilde_in_the_name_of_the_cache_is_the_home_folder(
    said: Callable[[str | None], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert GOES_ON not in said("~/cache")
    assert list((tmp_path / "home" / "cache").iterdir())
    assert not (tmp_path / "~").exists()
