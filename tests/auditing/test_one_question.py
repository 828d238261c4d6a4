"""Two checks that ask of one image what excludes each other."""

from __future__ import annotations

from dataclasses import replace

from inkling.auditing.findings import Finding
from inkling.auditing.fix_list import suggested
from inkling.auditing.one_question import one_question

CONFLICT = Finding(
    "label_conflict", ("out/a.jpg", "pants/b.jpg"), "Same.", 1.0, "Keep.", ("out", "pants"), labels=("out", "pants")
)
DOUBT = Finding("mislabelled", ("pants/b.jpg",), "Wrong.", 0.97, "Is it out?", ("pants", "out"), "out")


def test_the_copy_under_the_wrong_label_is_left_out_and_not_labelled_anew() -> None:
    (one,) = one_question([DOUBT, CONFLICT])
    assert (one.kind, one.relabel) == ("label_conflict", "out")
    assert suggested(one) == {"pants/b.jpg": ("drop", "")}
    assert "out" in one.suggestion


def test_a_conflict_without_a_doubt_is_for_a_person() -> None:
    assert one_question([CONFLICT]) == [CONFLICT]
    assert suggested(CONFLICT) == {"out/a.jpg": ("keep", ""), "pants/b.jpg": ("keep", "")}


def test_doubts_that_point_elsewhere_stay() -> None:
    to_a_third = replace(DOUBT, relabel="hat")
    assert one_question([to_a_third, CONFLICT]) == [to_a_third, CONFLICT]
    back = replace(DOUBT, files=("out/a.jpg",), relabel="pants")
    assert one_question([DOUBT, back, CONFLICT]) == [DOUBT, back, CONFLICT]


def test_what_shows_nothing_is_asked_about_once() -> None:
    black = Finding("uniform", ("out/black.png",), "One colour.", 1.0, "Leave it out.")
    outlier = Finding("outlier", ("out/black.png",), "Far.", 0.9, "Look.")
    other = replace(outlier, files=("out/c.jpg",))
    assert one_question([replace(DOUBT, files=black.files), outlier, other, black]) == [other, black]
    assert suggested(black) == {"out/black.png": ("drop", "")}
