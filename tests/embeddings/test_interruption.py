"""Interrupted work goes on where it stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from inkling.embeddings.cache import EmbeddingCache
from inkling.embeddings.embed import embed_images
from inkling.types import ImageRecord
from tests.fakes import FakeEncoder

ROOT = Path(__file__).parents[2]
BATCH = 2

# An encoder that takes a tenth of a second for a batch and says when it has begun one.
SLOW_RUN = """
import sys, time
from pathlib import Path
from inkling.embeddings.cache import EmbeddingCache
from inkling.embeddings.embed import embed_images
from inkling.images.sources import find_images
from tests.fakes import FakeEncoder

class Slow(FakeEncoder):
    def encode_images(self, batch):
        print("batch", flush=True)
        time.sleep(0.1)
        return super().encode_images(batch)

with EmbeddingCache(Path(sys.argv[2])) as cache:
    embed_images(find_images(sys.argv[1]).records, Slow(), cache=cache, batch_size=int(sys.argv[3]))
"""


def interrupted(folder: Path, cache: Path, signal_number: int, *, after: int) -> subprocess.Popen[str]:
    """Start a run, and end it in the middle of batch number `after`."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_RUN, str(folder), str(cache), str(BATCH)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for _ in range(after):
        assert process.stdout.readline() == "batch\n"
    process.send_signal(signal_number)
    return process


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_at_most_a_batch_is_lost(pictures: list[ImageRecord], tmp_path: Path, signal_number: int) -> None:
    started = time.monotonic()
    process = interrupted(Path(pictures[0].path).parent, tmp_path / "cache", signal_number, after=6)
    process.communicate(timeout=30)
    assert process.returncode != 0
    assert time.monotonic() - started < 20
    with EmbeddingCache(tmp_path / "cache") as cache:
        embedded = embed_images(pictures, FakeEncoder(), cache=cache, batch_size=BATCH)
    # Five batches were through; the sixth may or may not be.
    assert embedded.n_encoded in (len(pictures) - 6 * BATCH, len(pictures) - 5 * BATCH)
    expected = embed_images(pictures, FakeEncoder(), cache=None)
    assert np.array_equal(embedded.embeddings, expected.embeddings)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_killed_again_and_again_it_still_ends(pictures: list[ImageRecord], tmp_path: Path) -> None:
    folder = Path(pictures[0].path).parent
    for _ in range(3):
        interrupted(folder, tmp_path / "cache", signal.SIGKILL, after=3).communicate(timeout=30)
    with EmbeddingCache(tmp_path / "cache") as cache:
        embedded = embed_images(pictures, FakeEncoder(), cache=cache)
        assert embedded.n_encoded <= len(pictures) - 3 * 2 * BATCH
        assert embed_images(pictures, FakeEncoder(), cache=cache).n_encoded == 0


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_interrupt_ends_with_keyboard_interrupt_at_once(pictures: list[ImageRecord], tmp_path: Path) -> None:
    process = interrupted(Path(pictures[0].path).parent, tmp_path / "cache", signal.SIGINT, after=2)
    started = time.monotonic()
    _, error = process.communicate(timeout=30)
    assert "KeyboardInterrupt" in error
    assert time.monotonic() - started < 5
