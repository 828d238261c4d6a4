"""Programs of the page on exporting in other languages answer as `run.py` does, where their runtime is installed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from inkling import Exported, export

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "export.md"


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    return str(found)


@pytest.fixture
def exported(drawn: Path, tmp_path: Path) -> Exported:
    """An export called as on the page."""
    return export(drawn / "a.ink", tmp_path / "classifier")


def expected(exported: Exported) -> list[dict[str, object]]:
    lines = (exported.folder / "example" / "expected.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def printed(folder: Path, *command: str, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_javascript(exported: Exported, tmp_path: Path) -> None:
    node, modules = shutil.which("node"), Path(os.environ.get("NODE_PATH", "/usr/lib/node_modules"))
    if node is None or not all((modules / name).is_dir() for name in ("onnxruntime-node", "sharp")):
        pytest.skip("needs node, and onnxruntime-node and sharp in NODE_PATH")
    (tmp_path / "node_modules").symlink_to(modules)
    (tmp_path / "classify.mjs").write_text(block("js"))
    wanted = expected(exported)
    pictures = [f"classifier/{one['path']}" for one in wanted]
    told = [json.loads(line) for line in printed(tmp_path, node, "classify.mjs", *pictures).splitlines()]
    for found, before in zip(told, wanted, strict=True):
        assert (found["label"], found["unknown"]) == (before["label"], before["unknown"])
        assert found["p_known"] == pytest.approx(before["p_known"], abs=1e-12)
        assert found["probability"] == pytest.approx(before["probability"], abs=1e-4)


def test_cpp(exported: Exported, tmp_path: Path) -> None:
    compiler = shutil.which("g++")
    probe = [str(compiler), "-fsyntax-only", "-include", "onnxruntime_cxx_api.h", "-xc++", os.devnull]
    if compiler is None or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("needs g++ and the headers of onnxruntime (CPLUS_INCLUDE_PATH)")
    (tmp_path / "classify.cpp").write_text(block("cpp"))
    printed(tmp_path, compiler, "-std=c++17", "classify.cpp", "-o", "classify", "-lonnxruntime")
    labels = json.loads((exported.folder / "labels.json").read_text())
    for before in expected(exported):
        Image.open(exported.folder / str(before["path"])).convert("RGB").save(tmp_path / "picture.ppm")
        label, p, unknown, p_known = printed(tmp_path, "./classify", "picture.ppm").split()
        assert (labels[int(label)], bool(int(unknown))) == (before["label"], before["unknown"])
        assert (float(p), float(p_known)) == pytest.approx((before["probability"], before["p_known"]), abs=1e-4)
