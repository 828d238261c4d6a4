"""What is built holds everything that a user needs, and nothing that is ours alone."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "inkling"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with wheel and sdist."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(next(built.glob("*.whl")))


def test_the_wheel_holds_the_whole_package(wheel: zipfile.ZipFile) -> None:
    ours = {
        path.relative_to(PACKAGE.parent).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    names = set(wheel.namelist())
    assert {name for name in names if name.startswith("inkling/")} == ours
    assert "inkling/py.typed" in names
    for kind in (".html.j2", ".css", "0001_first_release.py", ".safetensors"):
        assert any(name.endswith(kind) for name in names), f"no {kind} in the wheel"


def test_the_wheel_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    assert {name.partition("/")[0].partition("-")[0] for name in wheel.namelist()} == {"inkling", "inkling_vision"}
    sizes = {member.filename: member.compress_size for member in wheel.infolist()}
    embedded = sum(size for name, size in sizes.items() if "/pocket_weights/" in name)
    assert embedded < 40e6
    assert sum(sizes.values()) - embedded < 10e6


def test_the_wheel_says_what_it_is(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    about = Parser().parsestr(wheel.read(name).decode())
    assert about["Name"] == "inkling-vision"
    assert about["License-Expression"] == "Apache-2.0"
    assert about["Requires-Python"] == ">=3.11"
    assert b"Apache License" in wheel.read(name.replace("METADATA", "licenses/LICENSE"))
    assert b"inkling = inkling.cli.main:main" in wheel.read(name.replace("METADATA", "entry_points.txt"))


def test_the_sdist_can_be_set_up_and_tested(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = ("Makefile", "constraints.txt", "tools/find-python", "tests/conftest.py", "docs/README.md", "LICENSE")
    assert set(needed) <= names
    assert not [name for name in names if name.endswith((".ink", ".pyc"))]
