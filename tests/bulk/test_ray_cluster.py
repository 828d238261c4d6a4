"""What a cluster has room for."""

from __future__ import annotations

import pytest

from inkling.bulk.ray_cluster import pool_of
from inkling.errors import InputError


class TestPool:
    """How a cluster is divided."""

    def test_processors_are_workers_where_there_is_no_gpu(self) -> None:
        pool = pool_of([{"CPU": 4}, {"CPU": 2.5}, {"memory": 1}])
        assert (pool.workers, pool.cpus, pool.gpus, pool.threads) == (6, 1, 0, 1)

    def test_workers_of_gpus_share_the_processors_beside_them(self) -> None:
        nodes = [{"CPU": 16, "GPU": 2}, {"CPU": 6, "GPU": 1}, {"CPU": 64}]
        whole, shared = pool_of(nodes), pool_of(nodes, gpus=0.3)
        assert (whole.workers, whole.cpus, whole.gpus, whole.threads) == (3, 6, 1, 6)
        assert (shared.workers, shared.cpus, shared.gpus, shared.threads) == (9, 2, 0.3, 2)
        assert pool_of(nodes, gpus=0).workers == 86
        assert pool_of([{"CPU": 2, "GPU": 1}], gpus=0.25).cpus == 0.5

    def test_what_there_is_no_room_for_is_refused(self) -> None:
        with pytest.raises(InputError, match="has a whole GPU"):
            pool_of([{"CPU": 4}], gpus=0.5)
        with pytest.raises(InputError, match="has a whole CPU"):
            pool_of([{"CPU": 0.5}])
