"""The border of the program: what goes wrong inside leaves it as a message and an exit code, never as a traceback."""

from __future__ import annotations

import errno
import io
import os
import re
import signal
import sys
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from inkling.errors import InklingError
from inkling.redaction import redacted
from inkling.wording import visible

PARTLY_DONE = 1
USERS_MISTAKE = 2
SIGNALLED = 128
"""Added to the number of the signal that stopped the program, as shells do: 130 for Ctrl-C, 143 for kill."""
_IN_A_HOME = re.compile(r"(?P<option>--[\w-]+=)?(?P<path>~[^/\\]*[/\\].*)", re.DOTALL)
USAGE_ERROR: Any = typer.BadParameter.__base__
"""What a wrong argument raises. Releases of typer differ in the module that defines it."""
SURROUNDINGS = frozenset(
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EACCES", "EPERM", "EROFS", "EIO", "ENAMETOOLONG", "ELOOP")
    if hasattr(errno, name)
)
"""What the system refuses for reasons that lie outside the program."""


class Signalled(KeyboardInterrupt):
    """Another signal than Ctrl-C asks the program to stop. What is under way is undone in the same way."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def stop_in_order() -> None:
    """Have the signals that end a process at once take the way of Ctrl-C, unless somebody ignores or handles them."""

    def stop(number: int, _frame: object) -> NoReturn:
        raise Signalled(number)

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, stop)


class Border(TyperGroup):
    """A group of verbs that runs them within the border. Other exceptions are defects, and shown as such."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the command line, with home folders where the shell has left a tilde, as in ``--memory=~/m.ink``."""
        return list(super().parse_args(ctx, [_at_home(one) for one in args]))

    def invoke(self, ctx: Any) -> Any:
        """Run a verb."""
        # A name that the terminal's encoding lacks is no reason to lose a result.
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            return super().invoke(ctx)
        except InklingError as error:
            _leave(error.message, error.remedy)
        except USAGE_ERROR as error:
            error.message = visible(redacted(error.message), keep="\n")
            raise
        except KeyboardInterrupt as stop:
            typer.echo("Stopped. What the cache holds is kept; run the same command again to go on.", err=True)
            raise typer.Exit(SIGNALLED + (stop.number if isinstance(stop, Signalled) else signal.SIGINT)) from None
        except OSError as error:
            if error.errno not in SURROUNDINGS:
                raise
            _leave(f"{error.filename or 'Standard output'}: {error.strerror}.", "Check names, permissions and space.")


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
