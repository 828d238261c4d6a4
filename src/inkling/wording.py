"""What of foreign text is shown to a person: one line at most, and nothing that steers a terminal."""

from __future__ import annotations

import re
import reprlib

LINE = 160
"""Characters that an excerpt has at most."""

_STEERING = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # what terminals obey
    "\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"  # what turns the order of letters or breaks the line
    "\ud800-\udfff]"  # halves of characters, which no encoding can write
)


_ERROR_NUMBER = re.compile(r"\[(?:Errno|WinError) -?\d+\]\s*", re.IGNORECASE)


class _Short(reprlib.Repr):
    """What is nested may be endless: aliases of a few bytes of YAML stand for gigabytes."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 3
        self.maxdict = self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = 4
        self.maxstring = self.maxlong = self.maxother = LINE


def excerpt(value: object, *, most: int = LINE) -> str:
    """A value in one line of at most `most` characters, for the quotation in an error.

    Parameters
    ----------
    value
        Text and the messages of exceptions are quoted as they read, save the numbers of errors of the system; anything
        else as Python writes it, nested values only as far as a line can show them.
    most
        Characters.

    Examples
    --------
    >>> excerpt("first line\\nsecond", most=20)
    'first line second'
    >>> excerpt([[1, 2, 3]] * 1000, most=20)
    '[[1, 2, 3], [1, 2, …'
    """
    if isinstance(value, BaseException):
        text = _cause(value)
    else:
        text = value if isinstance(value, str) else _Short().repr(value)
    # Only as much as can be shown is looked at: the text may be of any length.
    line = visible(" ".join(text[: 8 * most].split()))
    return line if len(line) <= most and len(text) <= 8 * most else f"{line[: most - 1]}…"


def _cause(error: BaseException) -> str:
    """What an exception says, without the numbers of the system: the words beside them say the same."""
    text = error.strerror if isinstance(error, OSError) and isinstance(error.strerror, str) else str(error)
    return _ERROR_NUMBER.sub("", text).strip() or type(error).__name__


def quoted(value: object) -> str:
    """An excerpt of a value as Python writes it: text stands between quotation marks."""
    return f"'{excerpt(value)}'" if isinstance(value, str) else excerpt(value)


def kind_of(value: object) -> str:
    """The type of a value with its article.

    Examples
    --------
    >>> kind_of(3), kind_of("three")
    ('an int', 'a str')
    """
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun, which gets an s beside any number but one unless its plural is given.

    Examples
    --------
    >>> counted(1, "image"), counted(1200, "image"), counted(0, "class", "classes")
    ('1 image', '1,200 images', '0 classes')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def rate_text(rate: float) -> str:
    """A rate with all digits that it was given with: none is rounded to 0 or 1.

    Examples
    --------
    >>> rate_text(0.9999), rate_text(1 - 0.9)
    ('0.9999', '0.1')
    """
    return f"{rate:.10g}"


def visible(text: str, *, keep: str = "") -> str:
    """Text with the characters that would steer a terminal written as escapes, save those in `keep`.

    Examples
    --------
    >>> print(visible("a\\x1b[31mb"))
    a\\x1b[31mb
    """
    return _STEERING.sub(lambda found: found[0] if found[0] in keep else _escaped(found[0]), text)


def visible_json(text: str) -> str:
    """JSON with such characters written as its own escapes: it lets some stand in text as they are.

    Examples
    --------
    >>> visible_json('"a\x9bb"')
    '"a\\\\u009bb"'
    """
    return _STEERING.sub(lambda found: found[0] if found[0] == "\n" else f"\\u{ord(found[0]):04x}", text)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
