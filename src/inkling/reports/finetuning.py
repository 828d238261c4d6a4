"""How an encoder was fine-tuned, as a section of the report and as a page of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkling.outputs import appearing_whole
from inkling.reports.figures.lines import LineChart, Points, line_chart
from inkling.reports.pages import page_of
from inkling.reports.portable import page_provenance, shown_name, shown_text


@dataclass(frozen=True)
class FineTuningFigures:
    """What the section shows.

    Attributes
    ----------
    told
        The fine-tuning as a memory keeps it; see `inkling.finetune.shipping.Shipment.told`.
    training
        Loss, top-1 and learning rate over the steps.
    interpolation
        Out-of-fold top-1 and log-loss over the share of the tuned weights; none without held-out images.
    """

    told: Mapping[str, Any]
    training: tuple[LineChart, ...]
    interpolation: tuple[LineChart, ...]

    @property
    def sentences(self) -> dict[str, str]:
        """Finding, share and unknown images, each as a sentence of its own."""
        told = {name: shown_text(str(self.told[name])) for name in ("finding", "reason", "unknown")}
        return {name: f"{text[:1].upper()}{text[1:]}." for name, text in told.items()}

    @property
    def options(self) -> dict[str, str]:
        """What the recipe says, without what it leaves open."""
        return {
            name.replace("_", " "): str(value)
            for name, value in self.told["recipe"].items()
            if value is not None and value is not False
        }


def finetuning_figures(told: Mapping[str, Any]) -> FineTuningFigures:
    """Lay out the curves of a training and of its interpolation."""
    log, share = told["log"], told["share"]
    training = (
        line_chart("Loss", _both(log, "loss"), x_name="step"),
        line_chart("Top-1", _both(log, "top1"), x_name="step", as_share=True),
        line_chart("Top-5", _both(log, "top5"), x_name="step", as_share=True),
        line_chart("Learning rate", {"rate": _series(log, "step", "learning_rate")}, x_name="step"),
    )
    interpolation = (
        line_chart("Top-1", _lines(told, "top1"), x_name="share", as_share=True, marked=share),
        line_chart("Log-loss", _lines(told, "log_loss"), x_name="share", marked=share),
    )
    return FineTuningFigures(told, tuple(filter(None, training)), tuple(filter(None, interpolation)))


def write_finetuning_report(path: Path, told: Mapping[str, Any], *, memory_name: str) -> None:
    """Write the page of a fine-tuning; it appears whole.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    before = told["from"]
    provenance = page_provenance(
        encoder_before=f"{before['name']} ({before['fingerprint']})",
        encoder_after=told["encoder"],
        seed=told["recipe"].get("seed"),
    )
    name = shown_name(memory_name)
    content = {"memory_name": name, "finetuning": finetuning_figures(told), "provenance": provenance}
    page = page_of("finetuning.html.j2", content).encode("utf-8", "replace")
    with appearing_whole(path) as draft:
        draft.write_bytes(page)


def _both(log: Sequence[Mapping[str, Any]], measure: str) -> dict[str, Points]:
    return {
        "training": _series(log, "step", f"train_{measure}"),
        "held out": _series(log, "step", f"validation_{measure}"),
    }


def _lines(told: Mapping[str, Any], measure: str) -> dict[str, Points]:
    return {
        "under the head": _series(told["curve"], "share", measure),
        "texts alone": _series(told["texts"], "share", measure),
    }


def _series(rows: Sequence[Mapping[str, Any]], x: str, y: str) -> list[tuple[float, float]]:
    return [(float(row[x]), float(row[y])) for row in rows if row[y] is not None]
