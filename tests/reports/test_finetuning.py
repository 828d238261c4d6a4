"""The page of a fine-tuning says what was decided, and shows every curve that there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inkling.reports.finetuning import finetuning_figures, write_finetuning_report


def told(**changes: Any) -> dict[str, Any]:
    log = [
        {
            "step": step,
            "epoch": step / 10,
            "learning_rate": 1e-4,
            "train_loss": 2 - step / 10 if step else None,
            "train_top1": step / 10 if step else None,
            "train_top5": 0.9 if step else None,
            "validation_loss": None,
            "validation_top1": None,
            "validation_top5": None,
            "seconds": 1.0 * step,
        }
        for step in range(4)
    ]
    return {
        "from": {"name": "clip <small>", "fingerprint": "f00d"},
        "encoder": "runs/<b>tuned</b>",
        "recipe": {"train": "lora", "epochs": None, "learning_rate": 2e-4, "gradient_checkpointing": False},
        "share": 0.5,
        "reason": "share 0.5 of the tuned weights is the smallest",
        "curve": [{"share": share, "top1": share, "log_loss": 1 - share} for share in (0.0, 0.5, 1.0)],
        "texts": [{"share": share, "top1": share / 2, "log_loss": 2 - share} for share in (0.0, 0.5, 1.0)],
        "log": log,
        "candidates": [{"name": name, "top1": 0.5, "log_loss": 1.25} for name in ("zero-shot", "head", "fine-tuned")],
        "ships": "fine-tuned",
        "finding": "'fine-tuned' beats it & ships",
        "unknown": "at most 12.5% of known images <of these> will be called unknown",
        **changes,
    }


def page(tmp_path: Path, **changes: Any) -> str:
    path = tmp_path / "report.html"
    write_finetuning_report(path, told(**changes), memory_name="a&b.ink")
    return path.read_text()


def test_the_page_names_what_ships_and_escapes_what_users_name(tmp_path: Path) -> None:
    html = page(tmp_path)
    assert "fine-tuned, ships" in html
    assert "a&amp;b.ink" in html
    assert "<b>tuned" not in html
    assert html.count("<polyline") == 4 + 4
    assert "gradient checkpointing" not in html
    assert "At most 12.5% of known images &lt;of these&gt; will be called unknown.</bdi>" in html
    assert "<script" not in html
    assert "http" not in html.replace("http-equiv", "")


def test_without_held_out_images_there_is_neither_curve_nor_comparison(tmp_path: Path) -> None:
    html = page(tmp_path, curve=[], texts=[], candidates=[])
    assert html.count("<polyline") == 4
    assert "ships</th>" not in html


def test_the_share_that_ships_is_marked() -> None:
    figures = finetuning_figures(told())
    assert [chart.marked for chart in figures.interpolation] == [pytest.approx(150.0)] * 2
