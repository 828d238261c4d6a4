"""How an artefact came to be: told the same way each time."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling import provenance
from inkling.provenance import data_hash, inkling_version, now, package_versions


def test_versions_are_those_installed() -> None:
    assert package_versions()["numpy"] == np.__version__


def test_a_package_that_is_missing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def only_numpy(name: str) -> str:
        if name != "numpy":
            raise PackageNotFoundError(name)
        return "2.0"

    monkeypatch.setattr(provenance, "version", only_numpy)
    provenance._version_of.cache_clear()
    assert package_versions() == {"numpy": "2.0"}
    assert inkling_version() == "unreleased"
    provenance._version_of.cache_clear()


def test_the_time_is_in_utc_to_the_second() -> None:
    told = datetime.fromisoformat(now())
    assert told.utcoffset() == UTC.utcoffset(None)
    assert abs((datetime.now(UTC) - told).total_seconds()) < 5


@given(st.lists(st.tuples(st.text("abc", min_size=1), st.text("xyz", min_size=1)), min_size=2), st.randoms())
def test_the_order_of_images_does_not_matter(rows: list[tuple[str, str]], random: object) -> None:
    shuffled = rows.copy()
    random.shuffle(shuffled)
    assert data_hash(*zip(*rows, strict=True)) == data_hash(*zip(*shuffled, strict=True))


def test_another_label_or_image_is_another_hash() -> None:
    hashes = [
        data_hash(["a", "b"], ["ant", "bee"]),
        data_hash(["a", "b"], ["bee", "ant"]),
        data_hash(["a", "b"], ["ant", "ant"]),
        data_hash(["a", "c"], ["ant", "bee"]),
        data_hash(["a"], ["ant"]),
        data_hash([], []),
    ]
    assert len(set(hashes)) == len(hashes)


def test_telling_versions_imports_nothing() -> None:
    before = set(sys.modules)
    package_versions()
    assert {name for name in set(sys.modules) - before if name.partition(".")[0] in ("torch", "transformers")} == set()
