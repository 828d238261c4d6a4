"""Constraints on pairs of images from decisions, by content: one class, or two. The last decision holds."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from inkling.memory import schema
from inkling.memory.amend import Amendment
from inkling.memory.discovered import CANNOT, MUST, Link


def read_links(connection: Connection) -> tuple[Link, ...]:
    """Constraints on pairs of images."""
    table = schema.link
    rows = connection.execute(select(table).order_by(table.c.first, table.c.second))
    return tuple(Link(*row) for row in rows)


def tie(memory: Amendment, hashes: Sequence[str]) -> None:
    """Remember that images are of one class; that two of them are not holds no longer."""
    table = schema.link
    memory.rows.delete(table, (table.c.kind == CANNOT) & table.c.first.in_(hashes) & table.c.second.in_(hashes))
    _insert(memory, MUST, [(hashes[0], other) for other in hashes[1:]])


def part(memory: Amendment, left: Sequence[str], right: Sequence[str]) -> None:
    """Remember that two groups of images are two classes; that an image of each are of one holds no longer."""
    table = schema.link
    crossing = (table.c.first.in_(left) & table.c.second.in_(right)) | (
        table.c.first.in_(right) & table.c.second.in_(left)
    )
    memory.rows.delete(table, (table.c.kind == MUST) & crossing)
    _insert(memory, CANNOT, [(left[0], right[0])])


def forget_links(memory: Amendment, content_hash: str) -> None:
    """Drop the constraints between an image and any other."""
    table = schema.link
    memory.rows.delete(table, (table.c.first == content_hash) | (table.c.second == content_hash))


def _insert(memory: Amendment, kind: str, pairs: Sequence[tuple[str, str]]) -> None:
    table = schema.link
    for first, second in dict.fromkeys((min(pair), max(pair)) for pair in pairs):
        if first != second:
            memory.rows.delete(table, (table.c.first == first) & (table.c.second == second))
            memory.rows.insert(table, [{"first": first, "second": second, "kind": kind}])
