"""Mistakes in the command line are reported in words: what was expected, what came, what to do; none by a library."""

from __future__ import annotations

import re

import pytest

from tests.cli.program import Inkling

FIT = ("fit", "photos", "--memory", "new.ink")
TUNE = ("finetune", "photos", "--memory", "new.ink")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("predict", "a.ink", "x", "--top", "0"), "--top must be a whole number, 1 or more, got '0'."),
        (("predict", "a.ink", "x", "--top", "1.5"), "--top must be a whole number, 1 or more, got '1.5'."),
        (("predict", "a.ink", "x", "--names", "-1"), "--names must be a whole number, 0 or more, got '-1'."),
        (("predict", "a.ink", "x", "--min-images", "1"), "--min-images must be a whole number, 2 or more, got '1'."),
        (("predict", "a.ink", "x", "--tpo", "2"), "There is no option '--tpo'. Did you mean '--top'?"),
        (("predict", "a.ink"), "IMAGES_OR_DIR... is missing: Images, folders, zips,"),
        ((*FIT, "--seed", "-1"), "--seed must be a whole number, from 0 to 4294967295, got '-1'."),
        ((*FIT, "--seed", "9" * 5000), "--seed must be a whole number, from 0 to 4294967295, got '999"),
        ((*FIT, "--views", "0"), "--views must be a whole number, 1 or more, got '0'."),
        ((*FIT, "--views", "\u0663x\x1b[31m"), "got '\u0663x\\x1b[31m'."),
        ((*FIT, "--views"), "--views needs a value."),
        ((*FIT, "--false-alarms", "x"), "--false-alarms must be a number, got 'x'."),
        ((*FIT, "--false-alarms", "nan"), "--false-alarms must be a number, got 'nan'."),
        ((*FIT, "--false-alarms", "1"), "--false-alarms must be a share between 0 and 1, got '1'."),
        (("fit", "photos"), "--memory is missing: The memory to write"),
        ((*TUNE, "--epochs", "0"), "--epochs must be a whole number, 1 or more, got '0'."),
        ((*TUNE, "--lr", "fast"), "--lr must be a number, got 'fast'."),
        ((*TUNE, "--holdout", "2"), "holdout must be a number, at least 0 and below 1, got 2.0."),
        (("accept", "a.ink", "abc"), "ID must be a whole number, 1 or more, got 'abc'."),
        (("accept", "a.ink", "0"), "ID must be a whole number, 1 or more, got '0'."),
        (("merge", "a.ink", "1", "x"), "ID... must be a whole number, 1 or more, got 'x'."),
        (("split", "a.ink", "1.5"), "ID must be a whole number, 1 or more, got '1.5'."),
        (("undo", "a.ink", "x"), "There are more arguments than '"),
        (("cache", "prune", "--older-than", "x"), "--older-than must be a number, got 'x'."),
        (("cache", "prune", "--older-than", "-1"), "The age in days must be a number, 0 or more, got -1.0."),
        (("cache", "prune", "--max-size", "9" * 400 + "GB"), "is not a size."),
        (("cache", "prune", "--max-size", "-3"), "'-3' is not a size."),
        (("cache", "prune", "--encoder", "none"), "Nothing in the cache is of an encoder named 'none'."),
        (("cache", "clear", "x"), "There are more arguments than '"),
        (("cache", "cleer"), "There is no command 'cleer'. Did you mean 'clear'?"),
        (("predcit",), "There is no command 'predcit'. Did you mean 'predict'?"),
        (("encoders", "--json", ""), "The name of an output is empty."),
    ],
)
def test_a_mistake_is_reported_in_our_words(inkling: Inkling, arguments: tuple[str, ...], told: str) -> None:
    done = inkling.here(*arguments)
    done.refused(f"Error: {told}" if told[0] not in "gi'" else told)
    first, *rest = done.err.splitlines()
    assert re.search(r"[.?!]$", first)
    assert rest
    for foreign in ("Input should be", "Invalid value", "(s)", "Usage:", "\u256d", "unable to parse"):
        assert foreign not in done.err


def test_without_arguments_there_is_help(inkling: Inkling) -> None:
    for arguments in ((), ("cache",)):
        done = inkling.here(*arguments)
        assert "Usage:" in done.out + done.err
        assert "Error" not in done.out + done.err
