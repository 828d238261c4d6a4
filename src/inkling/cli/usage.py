"""Mistakes in the command line, in words of ours: what was expected, what came, what to do."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, NamedTuple

import typer

from inkling.redaction import redacted
from inkling.wording import LINE, excerpt

_EXTRA = re.compile(r"Got unexpected extra arguments?(?:\(s\))? \((?P<given>.*)\)", re.DOTALL)
_NO_COMMAND = re.compile(r"No such command '(?P<given>.*?)'\.", re.DOTALL)


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """What reads a whole number within bounds, as `parser` of an option or argument."""
    bounds = f"{least} or more" if most is None else f"from {least} to {most}"

    def number(given: str) -> int:
        text = str(given).strip()
        value = int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text) else None
        if value is None or value < least or (most is not None and value > most):
            raise typer.BadParameter(f"must be a whole number, {bounds}, got '{_shown(given)}'.")
        return value

    return number


def fraction(given: str) -> float:
    """A finite number, as `parser` of an option."""
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise typer.BadParameter(f"must be a number, got '{_shown(given)}'.")
    return value


def rate(example: str) -> Callable[[str], float]:
    """What reads a share between 0 and 1, as `parser` of an option; the example says in a sentence what one means."""

    def share(given: str) -> float:
        value = fraction(given)
        if not 0 < value < 1:
            raise typer.BadParameter(f"must be a share between 0 and 1, got '{_shown(given)}'. {example}")
        return value

    return share


def share_of_one(given: str) -> float:
    """A share from 0 to 1, both included, as `parser` of an option."""
    value = fraction(given)
    if not 0 <= value <= 1:
        raise typer.BadParameter(f"must be a share from 0 to 1, got '{_shown(given)}'.")
    return value


alarm_rate = rate("0.05 stands for one in twenty.")
"""Reads a rate of false alarms."""


class Told(NamedTuple):
    """A message and what to do."""

    message: str
    remedy: str


def told(error: Any) -> Told:
    """A mistake that the parser of the command line has found. Its kinds differ by release, their names do not."""
    context = error.ctx
    path = "inkling" if context is None else context.command_path
    remedy = f"'{path} --help' tells what there is."
    param = getattr(error, "param", None)
    match type(error).__name__:
        case "MissingParameter" if param is not None:
            return Told(f"{_name(param)} is missing{_meaning(param)}", remedy)
        case "NoSuchOption":
            known = [] if context is None else [name for each in context.command.params for name in each.opts]
            return Told(f"There is no option '{_shown(error.option_name)}'.{_hint(error.option_name, known)}", remedy)
        case "BadParameter" if param is not None:
            message = error.message if error.message.startswith("must be") else f"cannot be used: {error.message}"
            return Told(f"{_name(param)} {_sentence(message)}", remedy)
        case "BadOptionUsage":
            message = f"{error.option_name} needs a value." if "requires" in error.message else _sentence(error.message)
            return Told(message, remedy)
    if found := _EXTRA.fullmatch(error.message):
        return Told(f"There are more arguments than '{path}' takes: {_shown(found['given'])}.", remedy)
    if found := _NO_COMMAND.match(error.message):
        commands = [] if context is None else context.command.list_commands(context)
        return Told(f"There is no command '{_shown(found['given'])}'.{_hint(found['given'], commands)}", remedy)
    return Told(_sentence(error.format_message()), remedy)


def _name(param: Any) -> str:
    """What the help calls it: the longest name of an option, the metavar of an argument."""
    options = [name for name in param.opts if name.startswith("-")]
    return max(options, key=len) if options else str(param.metavar or param.name.upper())


def _meaning(param: Any) -> str:
    help_text = getattr(param, "help", None)
    return f": {_sentence(help_text)}" if help_text else "."


def _hint(given: str, known: Iterable[str]) -> str:
    near = get_close_matches(given, list(known), n=1, cutoff=0.6)
    return f" Did you mean '{near[0]}'?" if near else ""


def _sentence(text: str) -> str:
    text = _shown(text, most=400)
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _shown(text: str, *, most: int = LINE) -> str:
    """One line of it, without secrets: a password that is cut in two could not be found any more."""
    return excerpt(redacted(text), most=most)
