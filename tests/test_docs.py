"""The pages keep their word: examples run as they stand, links lead somewhere, and the index knows every page.

Blocks marked ``python`` and lines after ``$`` in blocks marked ``console`` run in the order of the page, in a folder of
its own that holds `photos/train`, `photos/test`, `inbox` and `vehicles.ink`, made with the embedded encoder. A comment
before a block changes that: ``<!-- not run: needs a model from the hub -->`` gives a reason to leave it out, and
``<!-- file: prompts.yaml -->`` writes it to a file for the blocks that follow.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from inkling.classifier.few_shot import FewShotClassifier
from inkling.sketch import write_dataset
from inkling.unknown.scores import SCORES
from tests.forks import forked_program

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
KINDS = ["castle", "cat", "house", "snail", "tree"]

BLOCK = re.compile(
    r"^(?:<!-- (?P<order>not run|file): (?P<detail>\S[^\n]*) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.M | re.S,
)
LINK = re.compile(r"(?:\[[^\]]*\]\(|(?:src|srcset)=\")([^)\s\"]+)[)\"]")


class Block(NamedTuple):
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    text: str
    order: str | None
    detail: str | None

    @property
    def is_used(self) -> bool:
        return self.order == "file" or (self.language in {"python", "console"} and self.order is None)

    @property
    def commands(self) -> str:
        """What follows the prompts of a console block; a backslash at the end of a line goes on in the next."""
        found = re.findall(r"^\$ (.*(?:(?<=\\)\n.*)*)", self.text, re.M)
        return "\n".join(found)


def blocks_of(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start("text"))
        yield Block(page, line, match["language"], match["text"], match["order"], match["detail"])


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
USED = [block for block in BLOCKS if block.is_used]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What every example may count on."""
    folder = tmp_path_factory.mktemp("stage")
    write_dataset(folder / "photos" / "train", KINDS, 6, seed=0)
    write_dataset(folder / "photos" / "test", KINDS, 6, seed=1)
    write_dataset(folder / "drawn", KINDS, 2, seed=2)
    (folder / "inbox").mkdir()
    for number, picture in enumerate(sorted((folder / "drawn").rglob("*.png"))):
        picture.rename(folder / "inbox" / f"{number}.png")
    shutil.rmtree(folder / "drawn")
    FewShotClassifier("sketch", cache=False).fit(folder / "photos" / "train").save(folder / "vehicles.ink")
    return folder


@pytest.fixture(scope="session")
def program() -> Iterator[Path]:
    with forked_program() as folder:
        yield folder


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted({block.page for block in USED}), ids=name_of)
def test_examples_run(page: Path, stage: Path, program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(stage, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join([str(program), str(Path(sys.executable).parent), os.environ["PATH"]]))
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in (block for block in USED if block.page == page):
        if block.order == "file":
            Path(str(block.detail)).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            # Blank lines before it, so that a traceback names the line of the page.
            exec(compile("\n" * block.line + block.text, str(page), "exec"), names)
        else:
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", block.commands], capture_output=True, text=True)
            assert done.returncode == 0, f"{name_of(page)}:{block.line}\n{done.stdout}\n{done.stderr}"


def test_commands_stand_in_console_blocks() -> None:
    unmarked = [block for block in BLOCKS if block.language in {"", "sh", "bash", "shell"}]
    shown = [block for block in unmarked if re.search(r"^(\$ )?inkling \w", block.text, re.M)]
    assert [f"{name_of(block.page)}:{block.line}" for block in shown] == []


def test_console_blocks_hold_commands() -> None:
    consoles = [block for block in BLOCKS if block.language == "console"]
    assert [f"{name_of(block.page)}:{block.line}" for block in consoles if not block.commands] == []


def test_links_lead_somewhere() -> None:
    dead = [
        f"{name_of(page)}: {target}"
        for page in PAGES
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if "://" not in target and not _leads_somewhere(page, target)
    ]
    assert dead == []


def _leads_somewhere(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    goal = (page.parent / path).resolve() if path else page
    if not goal.exists():
        return False
    return not anchor or anchor in {_anchor(title) for title in re.findall(r"^#+ (.*)$", goal.read_text("utf-8"), re.M)}


def _anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def test_the_page_on_the_unknown_names_every_score() -> None:
    page = (ROOT / "docs" / "explanation" / "unknown.md").read_text(encoding="utf-8")
    assert [name for name in SCORES if f"`{name}`" not in page] == []


def test_make_bench_runs_every_benchmark_that_keeps_figures() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    kept = {path.stem for path in (ROOT / "bench" / "results").glob("*.json")}
    assert {name for name in kept if f"bench/{name}.py" not in makefile} == set()
    assert {
        name for name in re.findall(r"bench/(\w+)\.py", makefile) if not (ROOT / "bench" / f"{name}.py").is_file()
    } == set()


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if block.language == "python"], ids=lambda b: f"{name_of(b.page)}:{b.line}"
)
def test_what_an_example_imports_exists(block: Block) -> None:
    """Of blocks that cannot run, too; files that the page itself writes are looked at by running it."""
    own = {Path(str(other.detail)).stem for other in USED if other.page == block.page and other.order == "file"}
    for node in ast.walk(ast.parse(block.text)):
        if isinstance(node, ast.Import):
            for name in node.names:
                import_module(name.name)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module not in own:
            home = import_module(node.module)
            assert [name.name for name in node.names if not hasattr(home, name.name)] == []


def test_the_index_knows_every_page() -> None:
    index = ROOT / "docs" / "README.md"
    listed = {(index.parent / target).resolve() for target in LINK.findall(index.read_text(encoding="utf-8"))}
    pages = {page for page in PAGES if page.is_relative_to(index.parent) and page != index}
    assert sorted(name_of(page) for page in pages - listed) == []
