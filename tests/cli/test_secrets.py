"""No password of a database's URL comes out of any verb: neither printed, nor in a file, nor in the memory's rows."""

from __future__ import annotations

import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from typer.main import get_command

from inkling.cli.main import app
from tests.cli.program import Inkling
from tests.memory.server import new_database, running
from tests.review.conftest import fit_and_pool

pytest.importorskip("psycopg", reason="the driver is not installed: pip install 'inkling-vision[postgres]'")
SECRET = "s3cret"
VERBS = sorted(get_command(app).commands)
NOWHERE = (
    f"postgresql://me:{SECRET}@127.0.0.1:1/nowhere",
    f"postgres://me:{SECRET}@127.0.0.1:1/nowhere",
    f"postgresql://127.0.0.1:1/nowhere?user=me&password={SECRET}",
    f"postgresql://127.0.0.1:1/nowhere?sslpassword={SECRET}&pass%77ord={SECRET}",
    f"postgresql://me:a@{SECRET}@127.0.0.1:1/nowhere",
    f"postgresql://127.0.0.1:port/nowhere?password={SECRET}",
    f"postgresql://127.0.0.1:1/nowhere?password={SECRET}&password=twice",
    f"postgresql://127.0.0.1:1/nowhere?nonsense=1&password={SECRET}",
    f"postgresql:host=127.0.0.1 password={SECRET}",
)


class Listener:
    """Runs the program as its command line would, and hears all that it says."""

    def __init__(self, inkling: Inkling, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture) -> None:
        self._inkling, self._monkeypatch, self._log = inkling, monkeypatch, log
        self.verbs: set[str] = set()

    @property
    def folder(self) -> Path:
        """Where it runs."""
        return self._inkling.folder

    def __call__(self, *arguments: object, code: int = 0) -> str:
        """What a run said, which must end as expected."""
        self._monkeypatch.setattr(sys, "argv", ["inkling", *map(str, arguments)])
        done = self._inkling.here(*arguments)
        assert done.code == code, (arguments, done.out, done.err)
        self.verbs.add(str(arguments[0]))
        said = done.out + done.err + self._log.text
        assert SECRET not in said, (arguments, said)
        return said


@pytest.fixture
def run(inkling: Inkling, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Listener:
    return Listener(inkling, monkeypatch, caplog)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    # A socket's path may not be longer than about a hundred characters.
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder, running(Path(folder)) as url:
        yield url


def _with_password(url: str, how: str) -> str:
    return url.replace("tester@", f"tester:{SECRET}@") if how == "user" else f"{url}&{how}={SECRET}"


def _assert_clean_rows(url: str) -> None:
    """Bytes are read as hexadecimal digits, so the secret is looked for in both forms."""
    with create_engine(url.replace("postgresql:", "postgresql+psycopg:")).connect() as connection:
        tables = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
        assert len(tables) > 20
        for table in tables:
            rows = "\n".join(connection.scalars(text(f'SELECT t::text FROM "{table}" AS t')))
            assert SECRET not in rows, table
            assert SECRET.encode().hex() not in rows, table


def _assert_clean_files(*folders: Path) -> None:
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert [path for path in files if SECRET.encode() in path.read_bytes() or SECRET in str(path)] == []


def _fit_and_predict(run: Listener, url: str, drawn: Path) -> None:
    train, test = drawn / "train", drawn / "test"
    run("fit", train, "--memory", url, "--encoder", "sketch", "--false-alarms", 0.2, "--json", "fit.json")
    run("info", url, "--json", "-")
    run("evaluate", url, test, "--json", "e.json", "--report", "e.html")
    run("embed", test, "--encoder", "sketch", "--output", "e.parquet")
    run("predict", url, test, "--output", "p.csv", "--json", "p.json")
    run("predict", url, test, "--output", "p.parquet", "--observe")
    run("discover", url, test, "--report", "d.html", "--json", "d.json")
    run("advise", url, "--pool", test, "--output", "order.csv", "--json", "advise.json")
    run("sort", url, test, "--output", "sorted", "--json", "sort.json")
    run("export", url, "--output", "exported", "--json", "export.json")
    run("export", url, "--output", "images", "--format", "imagefolder", "--json", "images.json")
    run(
        "audit",
        train,
        "--encoder",
        "sketch",
        "--json",
        "audit.json",
        "--fix-list",
        "fixes.csv",
        "--report",
        "audit.html",
    )
    run("prompts", train, "--encoder", "sketch", "--output", "words.yaml", "--json", "prompts.json")


def _finetune(run: Listener, url: str, drawn: Path) -> None:
    quick = ("--preset", "last-blocks", "--steps", 4, "--folds", 2, "--encoder", "sketch")
    run("finetune", drawn / "train", "--memory", url, *quick, "--report", "f.html", "--json", "f.json")


def _decide(run: Listener, url: str) -> None:
    fit_and_pool(url)
    run("proposals", url, "--json", "-")
    run("move", url, "bench/0.jpg", "--to", 2, "--json", "-")
    run("merge", url, 1, 2)
    run("split", url, 3)
    run("rename", url, 4, "fern")
    run("accept", url, 4, "--name", "fern", "--json", "-")
    run("discard", url, 5, "--json", "a.json")
    run("add-class", url, "moss", code=2)  # without an encoder there are no texts
    run("remove-class", url, "fern")
    run("refit", url)
    run("undo", url)
    run("classes", url)
    run("history", url, "--json", "history.json")
    run("history", url)
    run("verify", url, "--json", "-")
    run("verify", url)
    run("backup", url, "copy.ink")
    run("copy", url, "there.ink")
    for verb in ("info", "history", "verify"):
        run(verb, "copy.ink", "--json", "-")


def _serve(run: Listener, url: str) -> None:
    """As far as it goes within this process: the memory is opened, and then nobody can be listened to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        run("serve", url, "--port", taken.getsockname()[1], code=2)
    run("mcp", url, "--root", "no/such", code=2)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["user", pytest.param("password", marks=pytest.mark.thorough)])
def test_no_verb_tells_or_keeps_a_password(run: Listener, inkling: Inkling, server: str, drawn: Path, how: str) -> None:
    urls = [_with_password(new_database(server, f"{kind}_{how}"), how) for kind in ("fitted", "tuned", "decided")]
    _fit_and_predict(run, urls[0], drawn)
    _finetune(run, urls[1], drawn)
    _decide(run, urls[2])
    _serve(run, urls[0])
    run("merge-adapters", "no/such", "--encoder", urls[0], "--output", "merged", code=2)
    run("encoders")
    run("cache", "info")
    run("demo", "--output", "demo")
    assert sorted(run.verbs) == VERBS, "a verb is not listened to"
    for url in urls:
        _assert_clean_rows(url)
    _assert_clean_files(inkling.folder, inkling.cache)
    assert "***" in (inkling.folder / "fit.json").read_text()


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("url", NOWHERE)
def test_no_error_tells_a_password(run: Listener, inkling: Inkling, drawn: Path, verb: str, url: str) -> None:
    others = {"accept": [1], "merge": [1, 2], "split": [1], "discard": [1], "add-class": ["a"], "remove-class": ["a"]}
    others |= {"move": ["a.jpg", "--to", "a"]}
    others |= {
        "rename": [1, "a"],
        "backup": ["b.ink"],
        "copy": ["b.ink"],
        "discover": [drawn],
        "evaluate": [drawn],
        "predict": [drawn],
    }
    options = {"fit": [drawn, "--memory", url], "finetune": [drawn, "--memory", url, "--encoder", "sketch"]}
    options |= {"merge-adapters": [url, "--encoder", url, "--output", "merged"]}
    options |= {"embed": [url, "--encoder", url, "--output", f"{url}.parquet"], "demo": ["--output", f"{url}/x\0"]}
    first = options.get(verb, [url, *others.get(verb, [])])
    if verb not in {"encoders", "cache", "demo"}:
        run(verb, *first, code=2)
    run(verb, url, url, url, url, code=2)
    run(verb, f"--nonsense={url}", code=2)
    run(verb, "--json", f"{url}/no/such", url, 1, code=2)
    _assert_clean_files(inkling.folder)


def test_images_that_are_a_url_are_refused_without_it(run: Listener, memory: Path, drawn: Path) -> None:
    for url in NOWHERE:
        run("predict", memory, url, code=2)
        run("evaluate", memory, url, code=2)
        run("fit", url, "--memory", "a.ink", "--encoder", url, code=2)
    assert SECRET not in run(url, code=2)
