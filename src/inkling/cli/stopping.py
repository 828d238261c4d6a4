"""Signals that ask the program to stop: what is under way is undone in order, whichever of them it is."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import NoReturn

Hook = Callable[["sys.UnraisableHookArgs"], object]

CACHED = "What the cache holds is kept; run the same command again to go on."
ANEW = "To begin anew, run the same command again."

_asked: list[int] = []
"""Signals that asked the program to stop."""
_kept: list[Callable[[], str]] = []
"""What to tell when this run of the program is stopped; the last of them stands."""


class Signalled(KeyboardInterrupt):
    """A signal asks the program to stop. What is under way is undone as with Ctrl-C in any Python program."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def stop_in_order() -> None:
    """Have the signals that end a process at once take the way of Ctrl-C, unless somebody ignores or handles them."""

    def stop(number: int, _frame: object) -> NoReturn:
        _asked.append(number)
        raise Signalled(number)

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, stop)
    sys.unraisablehook = _silent_of_signals(sys.unraisablehook)


def begin_run() -> None:
    """Forget what earlier runs of the program in this process have kept."""
    _kept.clear()


def tell_on_stop(told: Callable[[], str]) -> None:
    """From here on have a stop tell what is kept and how to go on; `told` is called when it happens."""
    _kept.append(told)


def told_on_stop() -> str:
    """What is kept, and how to go on: by the cache, unless a verb says otherwise."""
    return _kept[-1]() if _kept else CACHED


def without_cache(asked: bool) -> bool:
    """Callback of ``--no-cache``."""
    if asked:
        tell_on_stop(lambda: ANEW)
    return asked


def resumable(holds: Callable[[], bool], option: str = "--resume") -> Callable[[], str]:
    """What to tell of a stop where a folder, if it holds something by then, is gone on with by an option."""
    otherwise = told_on_stop()

    def told() -> str:
        if holds():
            return f"What is written is kept; run the same command again with {option} to go on."
        return otherwise

    return told


def _silent_of_signals(hook: Hook) -> Hook:
    """Where an exception cannot go on, as in a finalizer, a signal's is no defect: it is raised again."""

    def tell(unraisable: sys.UnraisableHookArgs) -> None:
        if not isinstance(unraisable.exc_value, Signalled):
            hook(unraisable)

    return tell


def signal_behind(error: BaseException) -> int | None:
    """Signal that an exception comes of, even where a library has put one of its own in its place; None for none."""
    if isinstance(error, Signalled):
        return error.number
    return _asked[-1] if _asked else None


def stop_if_asked() -> None:
    """Raise again what a signal has raised and nobody caught.

    A finalizer that was running then has swallowed it, or a compiled module that was being imported.
    """
    if _asked:
        raise Signalled(_asked.pop())
