"""What belongs to one process and survives neither a fork nor a pickle: locks, threads, sessions, connections.

A server that loads a classifier, predicts once and then forks its workers hands them objects whose threads do not exist
in the child and whose locks may be held for ever. Each such part is made anew there, at its next use.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import WeakSet

T = TypeVar("T")


class PerProcess(Generic[T]):
    """A value of this process: a forked child, and whoever unpickles this, gets one of its own.

    Parameters
    ----------
    make
        Makes it. A function or class that can be pickled by its name.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._value = make()
        _living.add(self)

    @property
    def value(self) -> T:
        """The value that belongs to this process."""
        return self._value

    def __reduce__(self) -> tuple[Any, ...]:
        return (PerProcess, (self._make,))

    def _begin_anew(self) -> None:
        # The parent's value is kept: to end it would wait for threads that are not here.
        _of_the_parent.append(self._value)
        self._value = self._make()


_living: WeakSet[PerProcess[Any]] = WeakSet()
_of_the_parent: list[Any] = []


def _in_child() -> None:
    for one in list(_living):
        one._begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
