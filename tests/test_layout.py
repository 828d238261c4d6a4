"""The layout tells the story: an import points only to a room further up, and each room keeps to its own matters."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "inkling"

# From the top of the house to its door. A room may import only from rooms before it.
ROOMS = (
    "redaction",
    "errors",
    "wording",
    "types",
    "labels",
    "outputs",
    "provenance",
    "images",
    "filing",
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
    "prompting",
    "auditing",
    "advising",
    "reports",
    "exporting",
    "payloads",
    "bulk",
    "serving",
    "cli",
    "__main__",
)
MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 40
MOST_PARAMETERS = 7

ARRAYS_ONLY = {"heads", "unknown", "discovery"}
KEEPERS_OF_STATE = {"embeddings", "memory"}
USED_EXTRAS = (
    "audit",
    "export",
    "finetune",
    "heic",
    "hub",
    "mcp",
    "parquet",
    "postgres",
    "scale",
    "serve",
    "tokenizers",
    "torch",
)
WHOLLY_ABOUT = ("finetune/", "exporting/", "bulk/", "serving/")
ABOUT_AN_EXTRA = {
    "embeddings/chunks.py",
    "embeddings/parquet.py",
    "encoders/transformers/layers.py",
    "encoders/open_clip/convert.py",
    "encoders/transformers/loaded_model.py",
    "encoders/transformers/products.py",
    "encoders/transformers/tokens.py",
    "encoders/transformers/tower.py",
}
"""Modules that are imported only when a package of an extra is needed; fine-tuning, exporting and serving are such
as a whole."""


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


def imports_of(path: Path, *, top_level: bool = False) -> Iterator[Import]:
    module = path.relative_to(PACKAGE).as_posix()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(module, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            home = "." * node.level + (node.module or "")
            yield from (Import(module, f"{home}.{name.name}") for name in node.names)


HANDED_OUT = PACKAGE / "exporting" / "programs"
"""Programs that exports hold; they are no modules of the package."""
MODULES = sorted(
    path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py" and path.parent != HANDED_OUT
)
IMPORTS = [found for path in MODULES for found in imports_of(path)]


def loaded_by(statement: str) -> set[str]:
    """Top-level packages in memory after a fresh Python has run the statement."""
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


class Function(NamedTuple):
    """A function or method of any file of the repository."""

    place: str
    node: ast.FunctionDef | ast.AsyncFunctionDef

    @property
    def label(self) -> str:
        return f"{self.place}: {self.node.name}"

    @property
    def lists_options(self) -> bool:
        """Whether its parameters are what a user sets: the options of a verb, or of a scikit-learn estimator."""
        verb = self.place.startswith("src/inkling/cli/") and self.node.name == "run"
        return verb or (self.place, self.node.name) == ("src/inkling/classifier/few_shot.py", "__init__")

    @property
    def n_parameters(self) -> int:
        """Without `self` and `cls`."""
        given = self.node.args
        names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
        return len(names) - (names[:1] in (["self"], ["cls"]))

    @property
    def n_lines(self) -> int:
        """Without the docstring, and without the signature where that is a list of options."""
        body = self.node.body
        has_docstring = ast.get_docstring(self.node, clean=False) is not None
        docstring = (body[0].end_lineno or 0) - body[0].lineno + 1 if has_docstring else 0
        begin = body[0].lineno if self.lists_options else self.node.lineno
        return (self.node.end_lineno or 0) - begin + 1 - docstring


SOURCES = sorted(path for part in ("src", "tests", "bench", "tools") for path in (ROOT / part).rglob("*.py"))


def functions() -> Iterator[Function]:
    for path in SOURCES:
        place = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield Function(place, node)


FUNCTIONS = list(functions())


def test_files_are_short() -> None:
    long = {
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        if len(path.read_text(encoding="utf-8").splitlines()) > MOST_LINES_OF_A_FILE
    }
    assert long == set()


def test_functions_are_short() -> None:
    assert {it.label for it in FUNCTIONS if it.n_lines > MOST_LINES_OF_A_FUNCTION} == set()


def test_functions_take_few_parameters() -> None:
    wide = {it.label for it in FUNCTIONS if it.n_parameters > MOST_PARAMETERS and not it.lists_options}
    assert wide == set()


def test_suppressions_say_why() -> None:
    """mypy does not read the tests, so there is nothing for them to suppress."""
    marked = [
        f"{path.relative_to(ROOT).as_posix()}:{number}: {line.strip()}"
        for path in SOURCES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.search(r"# (type: ignore|noqa)", line)
    ]
    reasons = r"#\stype: ignore\[[\w, -]+\]  # \w|#\snoqa: [A-Z]+\d+ - \w"
    assert [one for one in marked if not re.search(reasons, one)] == []
    assert [one for one in marked if one.startswith("tests/") and "type: ignore[" in one] == []


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Imports within functions and for type checkers count too: they only hide a circle."""
    names = {_module_name(path) for path in MODULES}
    needs: dict[str, set[str]] = {name: set() for name in names}
    for it in IMPORTS:
        importer = _module_name(PACKAGE / it.module)
        imported = it.name if it.name in names else it.name.rpartition(".")[0]
        needs[importer] |= {imported} & names - {importer}
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def _module_name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


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
    found = [it for it in IMPORTS if it.room in ARRAYS_ONLY and it.package in outside]
    assert [it for it in found if it.name != "os.cpu_count"] == []


@pytest.mark.parametrize("statement", ["import inkling", "import inkling.cli.main"])
def test_help_waits_for_no_library(statement: str) -> None:
    slow = {"torch", "transformers", "sklearn", "scipy", "onnxruntime", "pyarrow", "sqlalchemy"}
    assert loaded_by(statement) & slow == set()


@pytest.mark.parametrize(
    "module",
    ["classifier.few_shot", "review.decisions", "discovery", "heads", "unknown", "memory.store", "embeddings.cache"],
)
def test_importing_a_room_waits_for_no_scientific_library(module: str) -> None:
    assert loaded_by(f"import inkling.{module}") & {"sklearn", "scipy", "pandas", "pyarrow", "torch"} == set()


def test_what_needs_no_forward_pass_loads_no_model_library() -> None:
    statement = (
        "import inkling.classifier.few_shot, inkling.reports.evaluation, inkling.encoders.registry, inkling.sketch"
    )
    assert loaded_by(statement) & {"torch", "transformers", "onnxruntime", "onnx"} == set()


def test_what_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [one for extra in USED_EXTRAS for one in project["optional-dependencies"][extra]]
    known = {*sys.stdlib_module_names, "inkling", *_packages_of([*project["dependencies"], *extras])}
    assert [it for it in IMPORTS if it.package not in known] == []


def test_packages_of_extras_are_imported_where_they_are_used() -> None:
    """At the top of a module they may stand only where the whole module is about them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    core = _packages_of(project["dependencies"])
    extra = _packages_of([one for name in USED_EXTRAS for one in project["optional-dependencies"][name]]) - core
    at_the_top = {it for path in MODULES for it in imports_of(path, top_level=True) if it.package in extra}
    assert {it.module for it in at_the_top if not it.module.startswith(WHOLLY_ABOUT)} <= ABOUT_AN_EXTRA
    assert at_the_top


def _packages_of(requirements: Sequence[str]) -> set[str]:
    """Packages to import that the distributions of requirements provide."""
    named = {_normal(re.split(r"[^\w.-]", requirement)[0]) for requirement in requirements}
    return {
        package for package, owners in packages_distributions().items() if named & {_normal(owner) for owner in owners}
    } - {"inkling"}


def _normal(distribution: str) -> str:
    return distribution.lower().replace("_", "-")
