"""What `make test` leaves out is never alone with its subject: a quick form of it stays."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MARK = "pytest.mark.thorough"
TEXTS = {file: file.read_text("utf-8") for file in sorted((ROOT / "tests").rglob("test_*.py"))}
FILES = {file: text for file, text in TEXTS.items() if MARK in text and file != Path(__file__)}


def functions(file: Path) -> dict[str, ast.FunctionDef]:
    """The tests of a file by name."""
    return {node.name: node for node in ast.walk(ast.parse(FILES[file])) if isinstance(node, ast.FunctionDef)}


def values(file: Path) -> dict[str, ast.expr]:
    """What stands in the names at the top of a file."""
    tree = ast.parse(FILES[file])
    return {ast.unparse(node.targets[0]): node.value for node in tree.body if isinstance(node, ast.Assign)}


def whole() -> Iterator[tuple[Path, str, ast.expr]]:
    """Tests that are left out, with their marks."""
    for file in FILES:
        for name, node in functions(file).items():
            yield from ((file, name, one) for one in node.decorator_list if ast.unparse(one).startswith(MARK))


def in_part() -> Iterator[tuple[Path, str, list[bool]]]:
    """Tests of which cases are left out, with whether each case is."""
    for file in FILES:
        known = values(file)
        for name, node in functions(file).items():
            for one in node.decorator_list:
                if isinstance(one, ast.Call) and ast.unparse(one.func) == "pytest.mark.parametrize":
                    cases = [_is_left_out(case, known) for case in _cases(one.args[1], known)]
                    if any(cases):
                        yield file, name, cases


def _cases(given: ast.expr, known: dict[str, ast.expr]) -> Sequence[ast.expr]:
    found = known.get(given.id, given) if isinstance(given, ast.Name) else given
    if isinstance(found, ast.ListComp):
        return [found.elt.body, found.elt.orelse] if isinstance(found.elt, ast.IfExp) else [found.elt]
    return found.elts if isinstance(found, ast.List | ast.Tuple) else []


def _is_left_out(case: ast.expr, known: dict[str, ast.expr]) -> bool:
    names = {node.id for node in ast.walk(case) if isinstance(node, ast.Name)} & known.keys()
    return any(MARK in ast.unparse(one) for one in (case, *(known[name] for name in names)))


def test_whole_tests_name_their_quick_form_or_say_why_there_is_none() -> None:
    for file, name, mark in whole():
        assert isinstance(mark, ast.Call), f"{name}: say quick= or reason="
        given = {one.arg: str(ast.literal_eval(one.value)) for one in mark.keywords}
        tests = functions(file)
        assert "pytest.mark.slow" in [ast.unparse(one) for one in tests[name].decorator_list], name
        if "reason" not in given:
            quick = [ast.unparse(one) for one in tests[given["quick"]].decorator_list]
            assert not [one for one in quick if one.startswith(MARK)], name


def test_of_cases_some_stay() -> None:
    assert [name for _, name, cases in in_part() if all(cases)] == []


def test_few_are_left_out_and_each_file_of_them_is_argued_for() -> None:
    left = [(file, name) for file, name, _ in (*whole(), *in_part())]
    assert 0 < len(left) <= 15
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [name for file, name in left if f"`{file.relative_to(ROOT)}`" not in page] == []


@pytest.mark.parametrize("target", ["test", "test-all"])
def test_what_continuous_integration_runs_leaves_them_out(target: str) -> None:
    (recipe,) = [part for part in (ROOT / "Makefile").read_text("utf-8").split("\n\n") if part.startswith(f"{target}:")]
    assert ('-m "not thorough"' in recipe) == (target == "test")
