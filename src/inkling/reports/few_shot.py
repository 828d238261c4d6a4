"""The few-shot protocol as a page: top-1 over the number of shots, and the table."""

from __future__ import annotations

from pathlib import Path

from inkling.evaluate.few_shot import ALL, FewShotEvaluation, FewShotScore
from inkling.outputs import appearing_whole
from inkling.reports.figures.lines import line_chart
from inkling.reports.formats import percent, percent_interval, signed_points
from inkling.reports.pages import page_of
from inkling.reports.portable import page_provenance, shown_name

COLUMNS = ("shots", "head", "top-1", "95 % interval over draws", "worst draw", "worst against zero-shot, points")


def write_few_shot_report(path: Path, found: FewShotEvaluation, *, train_name: str, test_name: str) -> None:
    """Write the page; it appears whole.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    n_shots = len(found.classes)
    series = {
        head: [(_shots(one, n_shots, found), one.mean) for one in found.scores if one.head == head]
        for head in dict.fromkeys(one.head for one in found.scores)
    }
    provenance = page_provenance(found.identity, seed=found.seed, draws=len(found.splits.draws))
    content = {
        "train_name": shown_name(train_name),
        "test_name": shown_name(test_name),
        "found": found,
        "chart": line_chart("Top-1, mean over draws", series, x_name="images a class", as_share=True),
        "columns": COLUMNS,
        "rows": [_row(one, found.zero_shot) for one in found.scores],
        "provenance": provenance,
    }
    page = page_of("few_shot.html.j2", content).encode("utf-8", "replace")
    with appearing_whole(path) as draft:
        draft.write_bytes(page)


def _shots(one: FewShotScore, n_classes: int, found: FewShotEvaluation) -> float:
    """Images a class; with all, as many as there are on average."""
    if one.shots is not None:
        return float(one.shots)
    return sum(map(len, found.splits.draws[0].values())) / n_classes


def _row(one: FewShotScore, zero_shot: float | None) -> tuple[str, ...]:
    return (
        ALL if one.shots is None else str(one.shots),
        one.head,
        percent(one.mean),
        "" if one.interval is None else percent_interval(one.interval),
        percent(one.worst),
        "" if zero_shot is None else signed_points(one.worst - zero_shot),
    )
