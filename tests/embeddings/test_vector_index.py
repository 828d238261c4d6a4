"""usearch gets along with onnxruntime, whichever a process needs first."""

from __future__ import annotations

import subprocess
import sys

import pytest

from inkling.embeddings.vector_index import usearch
from inkling.errors import MissingExtraError


@pytest.mark.parametrize("first", ["onnxruntime", "usearch"])
def test_both_work_in_one_process(first: str) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    index = "from inkling.embeddings.vector_index import usearch; usearch(extra='scale', purpose='It').Index(ndim=4)"
    lines = ["import onnxruntime", index]
    done = subprocess.run([sys.executable, "-c", "; ".join(lines if first == "onnxruntime" else lines[::-1])])
    assert done.returncode == 0


def test_without_it_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "usearch", None)
    with pytest.raises(MissingExtraError, match="It needs the package 'usearch'"):
        usearch(extra="scale", purpose="It")
