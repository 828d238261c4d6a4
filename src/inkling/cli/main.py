"""The program `inkling`: its verbs, and the border at which errors become messages.

Verbs import what they need when they run, so that ``inkling --help`` answers at once.
"""

from __future__ import annotations

import sys
import warnings

import typer

from inkling.cli import cache, demo, embed, encoders, evaluate, fit, info, predict
from inkling.errors import InklingError

app = typer.Typer(
    name="inkling",
    help="Learn to tell classes of images apart from a handful of examples each.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for verb in (fit, evaluate, predict, info, encoders, embed, demo):
    app.command(name=verb.NAME)(verb.run)
app.add_typer(cache.app, name="cache")


@app.callback(invoke_without_command=True)
def version(
    context: typer.Context, show: bool = typer.Option(False, "--version", help="Show the version and leave.")
) -> None:
    """Learn to tell classes of images apart from a handful of examples each."""
    if show:
        from inkling.provenance import inkling_version

        typer.echo(f"inkling {inkling_version()}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """Run the program. A user's mistake ends it with a message and exit code 2."""
    # Pillow warns of oddities in metadata that neither harm the pixels nor mean anything to the user.
    warnings.filterwarnings("ignore", module="PIL")
    try:
        app()
    except InklingError as error:
        typer.secho(f"Error: {error.message}", fg="red", err=True)
        if error.remedy:
            typer.echo(error.remedy, err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        typer.echo("Stopped. What was embedded so far is kept; run the same command again to go on.", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
