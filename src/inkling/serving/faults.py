"""What is wrong with the form of a request, in plain words instead of those of pydantic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from inkling.wording import excerpt

_WORDS = {
    "missing": "it is missing",
    "extra_forbidden": "there is no such member",
    "string_type": "a text was expected",
    "int_type": "a whole number was expected",
    "int_parsing": "a whole number was expected",
    "int_from_float": "a whole number was expected",
    "bool_type": "true or false was expected",
    "bool_parsing": "true or false was expected",
    "list_type": "a list was expected",
    "dict_type": "an object was expected",
    "model_type": "an object was expected",
    "model_attributes_type": "an object was expected",
    "none_required": "null was expected",
    "greater_than_equal": "{ge} is the least",
    "less_than_equal": "{le} is the most",
    "string_too_short": "at least {min_length} characters were expected",
    "string_too_long": "{max_length} characters are the most",
    "too_short": "at least {min_length} were expected, and there are {actual_length}",
    "too_long": "{max_length} are the most, and there are {actual_length}",
    "literal_error": "one of {expected} was expected",
    "json_invalid": "it is no JSON",
}
"""By the type of a fault; others keep their own words."""


def plain_faults(errors: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Where each fault is, and what was expected; alternatives of one member are one fault."""
    found: dict[str, list[str]] = {}
    for one in errors:
        place, came = _place(one["loc"]), one.get("input")
        what = _WORDS.get(one["type"], excerpt(str(one["msg"])).rstrip(".")).format(**one.get("ctx") or {})
        is_there = one["type"] not in ("missing", "extra_forbidden", "json_invalid") and isinstance(
            came, str | int | float | None
        )
        found.setdefault(place, []).append(f"{what}{f', got {excerpt(repr(came))}' if is_there else ''}")
    return [{"where": place, "what": _one_of(whats)} for place, whats in found.items()]


def _one_of(whats: list[str]) -> str:
    """Several expectations about one thing, said once."""
    different = list(dict.fromkeys(whats))
    if len(different) == 1:
        return different[0]
    wanted = [one.partition(", got ")[0].removesuffix(" was expected") for one in different]
    got = different[-1].partition(", got ")[2]
    return f"{' or '.join(wanted)} was expected{f', got {got}' if got else ''}"


def _place(location: tuple[Any, ...]) -> str:
    """The member, without the names of alternatives that pydantic adds behind it."""
    parts = [str(one) for one in location if isinstance(one, int) or "constrained" not in one]
    return excerpt(".".join(parts))
