"""The program `inkling` and its verbs.

Verbs import what they need when they run, and are themselves imported when they are asked for: see `inkling.cli.verbs`.
"""

from __future__ import annotations

import sys
import warnings

import typer

from inkling.cli import waiting
from inkling.cli.border import SIGNALLED, Border, StandardOutput
from inkling.cli.stopping import signal_behind, stop_in_order

HELP = "Learn to tell classes of images apart from a handful of examples each."

app = typer.Typer(
    name="inkling",
    cls=Border,
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True, help=HELP)
def version(
    context: typer.Context, show: bool = typer.Option(False, "--version", help="Show the version and leave.")
) -> None:
    """What can be asked without a verb."""
    if show:
        from inkling.provenance import inkling_version

        typer.echo(f"inkling {inkling_version()}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """Run the program."""
    # Pillow warns of oddities in metadata that neither harm the pixels nor mean anything to the user.
    warnings.filterwarnings("ignore", module="PIL")
    waiting.begin()
    stop_in_order()
    StandardOutput.take_place()
    try:
        app()
    except (Exception, KeyboardInterrupt) as error:
        # Within a verb the border ends a stop; this is for the first moments, before there is one.
        number = signal_behind(error)
        if number is None:
            raise
        sys.exit(SIGNALLED + number)


if __name__ == "__main__":
    main()
