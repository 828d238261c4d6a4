"""A damaged cache costs its vectors, never the run."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from inkling.embeddings.cache import FILE_NAME, EmbeddingCache
from inkling.embeddings.database import ASIDE, SCHEMA_VERSION
from inkling.embeddings.embed import embed_images, embed_texts
from inkling.errors import CacheError
from inkling.types import ImageRecord
from tests.embeddings.samples import entry
from tests.fakes import FakeEncoder

ENCODER = FakeEncoder().identity


def filled(folder: Path) -> Path:
    with EmbeddingCache(folder) as cache:
        cache.put_images(ENCODER, {str(number): entry(number) for number in range(200)})
    return folder / FILE_NAME


def is_begun_anew(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), EmbeddingCache(folder) as cache:
        assert cache.get_images(ENCODER, ["1"]) == {}
        cache.put_images(ENCODER, {"1": entry(1)})
        assert cache.get_images(ENCODER, ["1"]).keys() == {"1"}
    assert "set aside" in caplog.text
    assert len(list(folder.glob(f"{FILE_NAME}{ASIDE}*"))) == 1


def test_not_a_database(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"something else altogether" * 100)
    is_begun_anew(tmp_path, caplog)


def test_overwritten_in_the_middle(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = filled(tmp_path)
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)
    is_begun_anew(tmp_path, caplog)


def test_cut_short(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = filled(tmp_path)
    path.write_bytes(path.read_bytes()[:5000])
    is_begun_anew(tmp_path, caplog)


def test_empty_file_is_a_new_cache(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"")
    filled(tmp_path)
    assert list(tmp_path.glob(f"*{ASIDE}*")) == []


@pytest.mark.parametrize("version", [0, SCHEMA_VERSION + 1])
def test_database_of_another_program_or_release(tmp_path: Path, version: int, caplog: pytest.LogCaptureFixture) -> None:
    other = sqlite3.connect(tmp_path / FILE_NAME)
    other.executescript(f"CREATE TABLE theirs (x); PRAGMA user_version = {version};")
    other.close()
    is_begun_anew(tmp_path, caplog)


def test_damaged_while_it_is_open(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = filled(tmp_path)
    with caplog.at_level(logging.WARNING), EmbeddingCache(tmp_path) as cache:
        assert cache.get_images(ENCODER, ["1"])
        data = bytearray(path.read_bytes())
        data[:] = b"\xa5" * len(data)
        path.write_bytes(data)
        cache.put_images(ENCODER, {"new": entry(7)})
        assert cache.get_images(ENCODER, ["new"])
    assert "set aside" in caplog.text


def test_set_aside_by_another_process_meanwhile(tmp_path: Path) -> None:
    path = filled(tmp_path)
    with EmbeddingCache(tmp_path) as ours:
        assert ours.get_images(ENCODER, ["1"])
        for suffix in ("", "-wal", "-shm"):
            part = Path(f"{path}{suffix}")
            if part.exists():
                part.rename(f"{path}.moved{suffix}")
        with EmbeddingCache(tmp_path) as theirs:
            theirs.put_images(ENCODER, {"theirs": entry(1)})
            ours.put_images(ENCODER, {"ours": entry(2)})
            assert theirs.get_images(ENCODER, ["theirs", "ours"]).keys() == {"theirs", "ours"}
    assert list(tmp_path.glob(f"*{ASIDE}*")) == []


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CacheError, match="INKLING_CACHE"):
        EmbeddingCache(tmp_path / "file" / "cache").info()


def test_folder_in_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(CacheError, match="cannot be used"):
        EmbeddingCache(tmp_path).info()


DAMAGES = {
    "zeros": "zeroblob(length({}))",
    "cut": "substr({}, 1, 7)",
    "shorter": "substr({}, 1, 20)",
    "text": "'abc'",
    "not finite": "CAST(x'0000c07f' || substr({}, 5) AS BLOB)",
}
"""What an SQL statement makes of a column; the file as a whole stays sound."""
ZERO_FEATURE = ("feature", "zeros")
"""Which an encoder may give."""


@pytest.mark.parametrize(
    ("column", "damage"),
    [(column, damage) for column in ("embedding", "feature") for damage in DAMAGES if (column, damage) != ZERO_FEATURE],
)
def test_damaged_vectors_of_images_are_made_anew(
    column: str, damage: str, pictures: list[ImageRecord], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    encoder = FakeEncoder()
    with EmbeddingCache(tmp_path) as cache:
        sound = embed_images(pictures, encoder, cache=cache)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as file:
        file.execute(f"UPDATE images SET {column} = {DAMAGES[damage].format(column)}")
        file.commit()
    with EmbeddingCache(tmp_path) as cache:
        again = embed_images(pictures, encoder, cache=cache)
        third = embed_images(pictures, encoder, cache=cache)
    np.testing.assert_array_equal(again.embeddings, sound.embeddings)
    np.testing.assert_array_equal(again.features, sound.features)
    assert (again.n_encoded, third.n_encoded) == (sound.n_encoded, 0)
    assert "can't be used, and will be made anew" in caplog.text


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_vectors_of_texts_are_made_anew(damage: str, tmp_path: Path) -> None:
    encoder, texts = FakeEncoder(), ["a red", "a blue"]
    with EmbeddingCache(tmp_path) as cache:
        sound = embed_texts(texts, encoder, cache=cache)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as file:
        file.execute(f"UPDATE texts SET vector = {DAMAGES[damage].format('vector')}")
        file.commit()
    with EmbeddingCache(tmp_path) as cache:
        np.testing.assert_array_equal(embed_texts(texts, encoder, cache=cache), sound)
        assert cache.get_texts(encoder.identity, texts).keys() == set(texts)
