"""The page needs its runtime and a model of a size that browsers bear, or nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from inkling import export
from inkling.errors import InputError, MissingExtraError
from inkling.exporting import web_page


def test_without_the_runtime_it_says_how_to_get_it(
    memory: Path, tmp_path: Path, listing: Callable[[], set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_page, "RUNTIME", tmp_path / "none")
    with pytest.raises(MissingExtraError, match=r"no ort\.js") as caught:
        export(memory, tmp_path / "page", format="web")
    assert "python tools/web_runtime.py" in (caught.value.remedy or "")
    assert listing() == {"a.ink"}


def test_a_model_too_large_for_browsers_is_refused(
    memory: Path, tmp_path: Path, listing: Callable[[], set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_page, "require_runtime", lambda: None)
    monkeypatch.setattr(web_page, "MOST_BYTES", 1000)
    with pytest.raises(InputError, match=r"a browser runs .* at most"):
        export(memory, tmp_path / "page", format="web")
    assert listing() == {"a.ink"}


def test_the_page_asks_only_its_own_host_and_holds_no_inline_script() -> None:
    page = (web_page.PAGE / "index.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert "unsafe-inline" not in page
    assert "style=" not in page
    files = [path for folder in (web_page.PAGE, web_page.COMMON) for path in folder.iterdir()]
    ours = [path.read_text(encoding="utf-8") for path in files if path.suffix in (".js", ".css")]
    assert [text for text in ours if "http://" in text or "https://" in text.replace("from https://", "")] == []
