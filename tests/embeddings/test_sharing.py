"""Several processes on one cache."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from inkling.embeddings.cache import FILE_NAME, EmbeddingCache
from inkling.embeddings.database import ASIDE
from tests.embeddings.samples import entry, same
from tests.fakes import FakeEncoder

ROOT = Path(__file__).parents[2]
ENCODER = FakeEncoder().identity

# Each writes entries of its own and some that all of them write, committing every ten.
WRITER = """
import sys, time
from pathlib import Path
from inkling.embeddings.cache import EmbeddingCache
from tests.embeddings.samples import entry
from tests.fakes import FakeEncoder
folder, own, start = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
time.sleep(max(0.0, start - time.time()))
with EmbeddingCache(folder) as cache:
    for first in range(0, 100, 10):
        numbers = [own * 1000 + first + step for step in range(9)] + [first]
        cache.put_images(FakeEncoder().identity, {str(number): entry(number) for number in numbers})
        assert len(cache.get_images(FakeEncoder().identity, map(str, numbers))) == 10
"""


def test_processes_create_and_fill_one_cache_at_once(tmp_path: Path) -> None:
    start = str(time.time() + 2.0)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "cache"), str(own), start],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for own in range(1, 6)
    ]
    errors = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 5, errors
    assert list((tmp_path / "cache").glob(f"{FILE_NAME}{ASIDE}*")) == []
    with EmbeddingCache(tmp_path / "cache") as cache:
        numbers = [own * 1000 + first + step for own in range(1, 6) for first in range(0, 100, 10) for step in range(9)]
        found = cache.get_images(ENCODER, map(str, numbers))
        assert len(found) == len(numbers)
        assert all(same(found[str(number)], entry(number)) for number in numbers)
        assert cache.info().encoders[0].images == len(numbers) + 10


def test_pruning_beside_an_open_reader(tmp_path: Path) -> None:
    with EmbeddingCache(tmp_path) as one, EmbeddingCache(tmp_path) as other:
        one.put_images(ENCODER, {str(number): entry(number) for number in range(50)})
        assert len(other.get_images(ENCODER, map(str, range(50)))) == 50
        assert one.clear() == 50
        assert other.get_images(ENCODER, ["1"]) == {}
        other.put_images(ENCODER, {"1": entry(1)})
        assert one.get_images(ENCODER, ["1"]).keys() == {"1"}
