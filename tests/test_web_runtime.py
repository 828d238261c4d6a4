"""The runtime of the page is fetched by npm, and used only if it is the pinned one."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools import web_runtime


def fake_npm(folder: Path, script: str) -> None:
    npm = folder / "npm"
    npm.write_text(f"#!/bin/sh\n{script}\n")
    npm.chmod(0o755)


def test_without_npm_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(web_runtime.FetchError, match="comes by npm, which is not installed"):
        web_runtime.fetch(tmp_path / "runtime")


def test_what_npm_complains_of_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_npm(tmp_path, "echo 'no network' >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(web_runtime.FetchError, match=r"could not bring onnxruntime-web .*no network"):
        web_runtime.fetch(tmp_path / "runtime")


def test_another_package_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_npm(tmp_path, 'echo something else > "$5/onnxruntime-web.tgz"')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(web_runtime.FetchError, match="it is not used"):
        web_runtime.fetch(tmp_path / "runtime")
    assert not (tmp_path / "runtime").exists()


def test_what_is_there_is_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "VERSION").write_text(f"{web_runtime.RUNTIME}\n")
    monkeypatch.setenv("PATH", "")
    web_runtime.fetch(tmp_path)


def test_the_set_up_goes_on_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(web_runtime, "TARGET", tmp_path / "runtime")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["web_runtime.py", "--if-possible"])
    web_runtime.main()
    assert "inkling export --format web" in capsys.readouterr().out
