"""The border of the program: what goes wrong inside leaves it as a message and an exit code, never as a traceback."""

from __future__ import annotations

import errno
import io
import sys
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from inkling.errors import InklingError
from inkling.redaction import redacted

USERS_MISTAKE = 2
STOPPED = 130
USAGE_ERROR: Any = typer.BadParameter.__base__
"""What a wrong argument raises. Releases of typer differ in the module that defines it."""
SURROUNDINGS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.ENAMETOOLONG, errno.ELOOP}
)
"""What the system refuses for reasons that lie outside the program."""


class Border(TyperGroup):
    """A group of verbs that runs them within the border. Other exceptions are defects, and shown as such."""

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
            error.message = redacted(error.message)
            raise
        except KeyboardInterrupt:
            typer.echo("Stopped. What the cache holds is kept; run the same command again to go on.", err=True)
            raise typer.Exit(STOPPED) from None
        except OSError as error:
            if error.errno not in SURROUNDINGS:
                raise
            _leave(f"{error.filename or 'Standard output'}: {error.strerror}.", "Check names, permissions and space.")


def _leave(message: str, remedy: str | None) -> NoReturn:
    typer.secho(f"Error: {redacted(message)}", fg="red", err=True)
    if remedy:
        typer.echo(redacted(remedy), err=True)
    raise typer.Exit(USERS_MISTAKE)
