"""The layout tells the story: an import points only to a room further up, and each room keeps to its own matters."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "inkling"

# From the top of the house to its door. A room may import only from rooms before it.
ROOMS = (
    "errors",
    "types",
    "outputs",
    "provenance",
    "images",
    "sketch",
    "encoders",
    "prompts",
    "embeddings",
    "heads",
    "unknown",
    "discovery",
    "memory",
    "classifier",
    "review",
    "finetune",
    "evaluate",
    "reports",
    "payloads",
    "cli",
)
ARRAYS_ONLY = {"heads", "unknown", "discovery"}
KEEPERS_OF_STATE = {"embeddings", "memory"}


class Import(NamedTuple):
    """One name that a module imports, anywhere in it."""

    module: str
    name: str

    @property
    def room(self) -> str:
        return self.module.partition("/")[0].removesuffix(".py")

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]

    @property
    def points_down(self) -> bool:
        return self.package == "inkling" and self.name.split(".")[1] not in ROOMS[: ROOMS.index(self.room) + 1]


def imports_of(path: Path) -> Iterator[Import]:
    module = path.relative_to(PACKAGE).as_posix()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (Import(module, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            home = "." * node.level + (node.module or "")
            yield from (Import(module, f"{home}.{name.name}") for name in node.names)


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")
IMPORTS = [found for path in MODULES for found in imports_of(path)]


def loaded_by(statement: str) -> set[str]:
    """Top-level packages in memory after a fresh Python has run the statement."""
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_every_room_has_its_place() -> None:
    assert {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in MODULES} == set(ROOMS)


def test_contributing_lists_the_rooms_in_their_order() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    listed = [line.split("|")[1] for line in page.splitlines() if re.match(r"\| `\w+` ", line)]
    assert [name.strip(" `") for name in listed] == list(ROOMS)


def test_imports_point_to_rooms_further_up() -> None:
    assert [it for it in IMPORTS if it.points_down] == []


def test_imports_give_the_full_name() -> None:
    assert [it for it in IMPORTS if it.name.startswith(".")] == []


def test_only_the_cache_and_the_memory_speak_sql() -> None:
    sql = {"sqlite3", "sqlalchemy", "alembic"}
    assert [it for it in IMPORTS if it.package in sql and it.room not in KEEPERS_OF_STATE] == []


def test_nothing_is_pickled() -> None:
    picklers = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
    assert [it for it in IMPORTS if it.package in picklers] == []
    assert [path for path in MODULES if "allow_pickle=True" in path.read_text(encoding="utf-8")] == []


def test_rooms_of_arrays_know_no_files_and_no_pictures() -> None:
    outside = {"PIL", "pathlib", "os", "io", "shutil", "tempfile"}
    assert [it for it in IMPORTS if it.room in ARRAYS_ONLY and it.package in outside] == []


@pytest.mark.parametrize("statement", ["import inkling", "import inkling.cli.main"])
def test_help_waits_for_no_library(statement: str) -> None:
    slow = {"torch", "transformers", "sklearn", "scipy", "onnxruntime", "pyarrow", "sqlalchemy"}
    assert loaded_by(statement) & slow == set()


def test_what_needs_no_forward_pass_loads_no_model_library() -> None:
    statement = (
        "import inkling.classifier.few_shot, inkling.reports.evaluation, inkling.encoders.registry, inkling.sketch"
    )
    assert loaded_by(statement) & {"torch", "transformers", "onnxruntime", "onnx"} == set()


def test_what_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {_normal(re.split(r"[^\w.-]", requirement)[0]) for requirement in project["dependencies"]}
    providers = packages_distributions()
    declared_packages = {
        package for package, owners in providers.items() if declared & {_normal(owner) for owner in owners}
    }
    known = {*sys.stdlib_module_names, "inkling", *declared_packages}
    assert [it for it in IMPORTS if it.package not in known] == []


def _normal(distribution: str) -> str:
    return distribution.lower().replace("_", "-")
