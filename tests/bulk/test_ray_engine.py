"""Ray writes the same files, whatever of it dies."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkling.bulk.engines import HereEngine
from inkling.bulk.ray_engine import RayEngine
from inkling.bulk.run import run_parts
from inkling.bulk.shelf import FolderShelf
from inkling.errors import InputError
from inkling.types import ImageRecord
from tests.bulk.drawn import JOB, images, planned
from tests.bulk.test_run import content

pytest.importorskip("ray", reason="comes with the extra 'scale'")
pytestmark = pytest.mark.slow


@pytest.fixture
def records(tmp_path: Path) -> list[ImageRecord]:
    return images(tmp_path / "drawn")


def test_ray_writes_the_files_of_one_process(tmp_path: Path, records: list[ImageRecord]) -> None:
    plan = planned(records)
    run_parts(plan, JOB, records, FolderShelf(tmp_path / "here"), engine=HereEngine())
    ran = run_parts(plan, JOB, records, FolderShelf(tmp_path / "ray"), engine=RayEngine())
    assert ran.rows == len(records)
    assert content(tmp_path / "ray") == content(tmp_path / "here")


def test_a_cluster_that_is_not_there_is_reported(tmp_path: Path, records: list[ImageRecord]) -> None:
    with pytest.raises(InputError, match="There is no Ray cluster at"):
        run_parts(planned(records), JOB, records, FolderShelf(tmp_path / "out"), engine=RayEngine("127.0.0.1:1"))
