"""The border of the program: what goes wrong inside leaves it as a message and an exit code, never as a traceback."""

from __future__ import annotations

import errno
import io
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, TextIO

import typer
from typer.core import TyperGroup

from inkling.cli.console import tell_skipped
from inkling.cli.notices import warnings_as_notes
from inkling.cli.stopping import Signalled, begin_run, told_on_stop
from inkling.cli.usage import told
from inkling.cli.verbs import Verbs
from inkling.errors import InklingError
from inkling.redaction import redacted
from inkling.wording import excerpt, visible

PARTLY_DONE = 1
USERS_MISTAKE = 2
SIGNALLED = 128
"""Added to the number of the signal that stopped the program, as shells do: 130 for Ctrl-C, 143 for kill."""
READER_LEFT = SIGNALLED + getattr(signal, "SIGPIPE", 13)
"""As if that signal had ended the program, which it does with cat and grep. Windows has no such signal."""
_IN_A_HOME = re.compile(r"(?P<option>--[\w-]+=)?(?P<path>~[^/\\]*[/\\].*)", re.DOTALL)
USAGE_ERROR: Any = typer.BadParameter.__base__
"""What a wrong argument raises. Releases of typer differ in the module that defines it."""
SURROUNDINGS = frozenset(
    getattr(errno, name)
    for name in (
        *("ENOSPC", "EDQUOT", "EACCES", "EPERM", "EROFS", "EIO", "ENAMETOOLONG", "ELOOP", "EFBIG", "ESTALE", "EBUSY"),
        *("ENOENT", "ENOTDIR", "EISDIR", "EMFILE", "ENFILE", "ENXIO", "ENODEV", "ETXTBSY", "ENOMEM"),
    )
    if hasattr(errno, name)
)
"""What the system refuses for reasons that lie outside the program."""


class StandardOutput(io.TextIOWrapper):
    """Standard output that is named in errors of writing it: the system names none but files that it does not open."""

    NAME = "Standard output"

    @classmethod
    def take_place(cls) -> None:
        """Stand in for the one that Python has opened, if it is one of bytes."""
        given = sys.stdout
        if type(given) is io.TextIOWrapper:
            encoding, errors, by_line = given.encoding, given.errors, given.line_buffering
            sys.stdout = cls(given.detach(), encoding=encoding, errors=errors, line_buffering=by_line)

    def write(self, text: str) -> int:
        """As any stream does."""
        with self._named():
            return super().write(text)

    def flush(self) -> None:
        """As any stream does."""
        with self._named():
            super().flush()

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            error.filename = self.NAME
            raise


class Border(TyperGroup):
    """A group of verbs that runs them within the border. Other exceptions are defects, and shown as such."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = Verbs()

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the command line, with home folders where the shell has left a tilde, as in ``--memory=~/m.ink``."""
        with _reader_may_leave(), _told_in_words():
            return list(super().parse_args(ctx, [_at_home(one) for one in args]))

    def invoke(self, ctx: Any) -> Any:
        """Run a verb."""
        begin_run()
        # A name that the terminal's encoding lacks is no reason to lose a result.
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        with _reader_may_leave(), _told_in_words(), warnings_as_notes():
            return super().invoke(ctx)


@contextmanager
def _reader_may_leave() -> Iterator[None]:
    """End quietly where nobody reads what is written any more, as in ``inkling predict ... --output - | head -1``."""
    try:
        yield
    except (OSError, SystemExit) as error:
        # rich makes an exit of its own of it.
        cause = error.__context__ if isinstance(error, SystemExit) else error
        if not isinstance(cause, OSError) or cause.errno != errno.EPIPE:
            raise
        _silence(sys.stdout, sys.stderr)
        raise typer.Exit(READER_LEFT) from None


@contextmanager
def _told_in_words() -> Iterator[None]:
    try:
        yield
        sys.stdout.flush()
    except InklingError as error:
        tell_skipped(error.skipped, {})
        _leave(error.message, error.remedy)
    except USAGE_ERROR as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            raise
        _leave(*told(error))
    except typer.Exit:
        sys.stdout.flush()
        raise
    except KeyboardInterrupt as stop:
        typer.echo(visible(f"Stopped. {told_on_stop()}"), err=True)
        raise typer.Exit(SIGNALLED + (stop.number if isinstance(stop, Signalled) else signal.SIGINT)) from None
    except OSError as error:
        if error.errno not in SURROUNDINGS:
            raise
        _leave(f"{_refused_place(error)}: {excerpt(error)}.", "Check names, permissions and space.")


def _refused_place(error: OSError) -> str:
    """What could not be read or written. The system names a file that it does not open, and none that it has opened."""
    if error.filename == StandardOutput.NAME:
        _silence(sys.stdout)  # else Python tries again when it ends
        return f"{StandardOutput.NAME} cannot be written"
    return f"'{os.fsdecode(error.filename)}' cannot be used" if error.filename else "A file cannot be read or written"


def _silence(*streams: TextIO) -> None:
    """Have the rest of what is printed go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        with suppress(OSError, ValueError):  # what is no file has no number
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _at_home(argument: str) -> str:
    found = _IN_A_HOME.fullmatch(argument)
    if found is None:
        return argument
    # Of a user that there is not, and without a home folder, the tilde stays.
    return f"{found['option'] or ''}{os.path.expanduser(found['path'])}"  # noqa: PTH111 - Path's own raises there


def _leave(message: str, remedy: str | None) -> NoReturn:
    typer.secho(visible(f"Error: {redacted(message)}", keep="\n"), fg="red", err=True)
    if remedy:
        typer.echo(visible(redacted(remedy), keep="\n"), err=True)
    raise typer.Exit(USERS_MISTAKE)
