"""Tables: narrow enough to read, with words and paths in one piece."""

from __future__ import annotations

import io
from collections import Counter
from contextlib import redirect_stdout

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.cli.evaluate import TOO_FEW, TOO_MANY, _tell_unknown_detection
from inkling.cli.tables import PIPE_WIDTH, print_table

LONG = "/srv/" + "folder/" * 30 + "picture-0042.jpg"


def test_a_path_that_leaves_no_room_stands_whole_in_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [(LONG, "motorcycle", "97.1%", "bicycle 2.1%, car 0.4%"), ("a.jpg", "car", "51.0%", "bus 30.0%")]
    print_table(("path", "label", "probability", "next"), rows, numbers=(2,), whole=(0,))
    lines = capsys.readouterr().out.splitlines()
    assert lines.index(LONG) < lines.index("a.jpg")
    assert max(len(line) for line in lines if line != LONG) <= PIPE_WIDTH
    assert "    label: motorcycle; probability: 97.1%; next: bicycle 2.1%, car 0.4%" in lines


WORDS = st.text("abcdefghij-/_.", min_size=1, max_size=25)


@given(
    rows=st.lists(st.tuples(WORDS, st.lists(WORDS, max_size=6).map(" ".join), WORDS), min_size=1, max_size=4),
    width=st.integers(20, 120),
)
def test_no_word_is_broken_and_none_is_lost_at_any_width(rows: list[tuple[str, str, str]], width: int) -> None:
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as printed:
        patch.setattr("inkling.cli.tables.PIPE_WIDTH", width)
        print_table(("first", "second", "third"), rows, whole=(0,))
    said = printed.getvalue()
    words = [word for row in rows for cell in row for word in cell.split()]
    assert Counter(words) <= Counter(word for line in said.splitlines() for word in line.replace(";", " ").split())
    too_long = [line for line in said.splitlines() if len(line) > width]
    assert all(len(line.split()) <= 2 for line in too_long)


def test_long_texts_are_folded_and_lose_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    words = [f"word{number}" for number in range(60)]
    print_table(("", "fitted"), [("finding", " ".join(words))])
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= PIPE_WIDTH
    assert [word for word in printed.split() if word.startswith("word")] == words


@pytest.mark.parametrize(("share", "remark"), [(0.2, TOO_MANY), (0.001, TOO_FEW), (0.05, None)])
def test_a_rate_outside_the_promised_range_is_remarked_on(
    share: float, remark: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    told = {
        "requested": 0.05,
        "expected": [0.02, 0.08],
        "as_expected": remark is None,
        "false_alarms": {"n": 500, "share": share, "ci95": [0.0, 1.0]},
        "detected": None,
    }
    _tell_unknown_detection(told)
    said = capsys.readouterr().err
    assert "2.0% to 8.0% expected" in said
    assert [one for one in (TOO_MANY, TOO_FEW) if one in said] == ([] if remark is None else [remark])
