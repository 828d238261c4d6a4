"""Files are laid out for the vectors that they hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inkling.memory.database import MIN_ROWS, PAGES, creating, page_bytes


def _file_bytes(path: Path, page: int, n_rows: int, row_bytes: int) -> int:
    """Size of a file of these rows, with as many small tables as a memory has."""
    with creating(path, page=page) as connection:
        connection.exec_driver_sql("CREATE TABLE rows (id INTEGER PRIMARY KEY, data BLOB)")
        for number in range(31):
            connection.exec_driver_sql(f"CREATE TABLE small_{number} (id INTEGER)")
        data = np.zeros(row_bytes, np.uint8).tobytes()
        connection.exec_driver_sql("INSERT INTO rows (data) VALUES (?)", [(data,) for _ in range(n_rows)])
    return path.stat().st_size


@pytest.mark.parametrize("dims", [32, 384, 512, 768, 1024, 1152, 1664, 3072])
@pytest.mark.parametrize("n_rows", [MIN_ROWS, 1500])
def test_no_other_page_makes_a_much_smaller_file(tmp_path: Path, n_rows: int, dims: int) -> None:
    sizes = {page: _file_bytes(tmp_path / f"{page}.ink", page, n_rows, 4 * dims) for page in PAGES}
    assert sizes[page_bytes(n_rows, 4 * dims)] <= 1.03 * min(sizes.values())
