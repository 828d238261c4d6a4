"""What tests of Ray share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bulk.cluster import Cluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Two nodes with a processor each."""
    pytest.importorskip("ray", reason="comes with the extra 'scale'")
    with pytest.MonkeyPatch.context() as patch, Cluster() as cluster:
        for name, value in cluster.environment.items():
            patch.setenv(name, value)
        cluster.start()
        cluster.start()
        yield cluster
