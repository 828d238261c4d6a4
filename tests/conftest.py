"""Fixtures that several test files share. Development data beside the checkout is optional."""

from __future__ import annotations

import gc
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system import mounted_disk

SHARED = Path(os.environ.get("INKLING_SHARED", Path(__file__).resolve().parents[2] / "shared"))

# A shell that starts the tests in the background makes them, and all programs that they start, deaf to Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What is imported by now stays; the collector of garbage need not go through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The development data; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"development data not found at {SHARED}")
    return SHARED


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    with mounted_disk(tmp_path / "disk", megabytes=1) as disk:
        yield disk


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        Path(folder).chmod(0o755)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's own embedding cache, and each hears what a process says but once."""
    from inkling.embeddings.cache import warn_once

    warn_once.cache_clear()
    monkeypatch.setenv("INKLING_CACHE", str(tmp_path_factory.mktemp("cache")))
