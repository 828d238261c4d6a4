"""Tables in a pipe: narrow enough to read, with the ends of paths kept."""

from __future__ import annotations

import pytest

from inkling.cli.console import PIPE_WIDTH, print_table
from inkling.cli.evaluate import TOO_FEW, TOO_MANY, _tell_unknown_detection

LONG = "/srv/" + "folder/" * 30 + "picture-0042.jpg"


def test_tables_fit_and_paths_keep_their_end(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [(LONG, "motorcycle", "97.1%", "bicycle 2.1%, car 0.4%"), ("a.jpg", "car", "51.0%", "bus 30.0%")]
    print_table(("path", "label", "probability", "next"), rows, numbers=(2,), paths=(0,))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= PIPE_WIDTH
    assert sum("picture-0042.jpg" in line for line in lines) == 1
    assert sum("97.1%" in line for line in lines) == 1
    assert any(line.startswith(" a.jpg ") for line in lines)


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
