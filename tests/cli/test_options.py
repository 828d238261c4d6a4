"""Options of fit and their effect: heads, views, prompts, templates, seed, precision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inkling.encoders.transformers import products
from inkling.heads import HEADS
from tests.cli.conftest import KINDS
from tests.cli.program import Inkling


def fit(inkling: Inkling, source: Path, *options: object) -> Any:
    """Summary of a fit into ``o.ink``, in place of what it held."""
    into = ("--memory", "o.ink", "--replace")
    done = inkling.here("fit", source, *into, "--encoder", "sketch", "--json", "-", *options)
    assert done.code == 0, done.err
    return done.json()


def known(inkling: Inkling) -> dict[str, Any]:
    """The classes of ``o.ink``."""
    return {one["name"]: one for one in inkling.here("info", "o.ink", "--json", "-").json()["classes"]}


@pytest.mark.parametrize("head", HEADS)
def test_each_head_is_fitted_stored_and_better_than_chance(inkling: Inkling, drawn: Path, head: str) -> None:
    assert fit(inkling, drawn, "--head", head)["head"] == head
    summary = inkling.here("evaluate", "o.ink", drawn, "--json", "-").json()
    assert summary["head"] == head
    assert summary["top1"] > 0.6


def test_views_are_embedded_and_kept(inkling: Inkling, drawn: Path) -> None:
    summary = fit(inkling, drawn, "--views", 3)
    assert summary["images"] == 18
    assert fit(inkling, drawn, "--views", 3)["encoded_now"] == 0
    assert all(one["images"] == 6 for one in known(inkling).values())


def test_templates_and_prompts_word_the_classes(inkling: Inkling, drawn: Path) -> None:
    (inkling.folder / "prompts.yaml").write_text(
        "tree: {aliases: [birch], disambiguation: a plant}\nhouse: a drawing of a {}.\n"
    )
    fit(inkling, drawn, "--templates", "a {}", "--prompts", "prompts.yaml")
    entries = known(inkling)
    assert entries["car"]["prompts"] == ["a car"]
    assert entries["house"]["prompts"] == ["a drawing of a house."]
    assert entries["tree"]["prompts"] == ["a tree, a plant", "a birch, a plant"]
    assert entries["tree"]["aliases"] == ["birch"]


def test_a_class_may_be_known_by_its_text_alone(inkling: Inkling, drawn: Path) -> None:
    (inkling.folder / "prompts.csv").write_text("class;alias\nboat;ship\n")
    summary = fit(inkling, drawn, "--prompts", "prompts.csv")
    assert summary["classes"] == sorted([*KINDS, "boat"])
    assert summary["classes_without_images"] == ["boat"]


def test_a_slip_in_a_name_is_noticed(inkling: Inkling, drawn: Path) -> None:
    (inkling.folder / "prompts.yaml").write_text("tre: [a tall tree.]\n")
    done = inkling.here("fit", drawn, "--memory", "o.ink", "--encoder", "sketch", "--prompts", "prompts.yaml")
    assert "Known by text alone: tre" in done.err
    assert "Is 'tre' the same as 'tree'?" in done.err


def test_the_same_seed_gives_the_same_memory(inkling: Inkling, drawn: Path) -> None:
    first, again = fit(inkling, drawn, "--seed", 7), fit(inkling, drawn, "--seed", 7)
    for key in first.keys() - {"seconds", "memory_version", "replaced"}:
        assert first[key] == again[key]
    assert again["memory_version"] == 2


def test_precision_is_part_of_the_encoder(inkling: Inkling, drawn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "why_not", lambda _: None)  # whatever it gains on the processor of the tests
    exact, rounded = fit(inkling, drawn), fit(inkling, drawn, "--precision", "bfloat16")
    assert rounded["encoder_fingerprint"] != exact["encoder_fingerprint"]
    summary = inkling.here("evaluate", "o.ink", drawn, "--json", "-").json()
    assert summary["encoder_fingerprint"] == rounded["encoder_fingerprint"]


def test_the_cache_is_looked_into_and_emptied(inkling: Inkling, drawn: Path, tmp_path: Path) -> None:
    own = Inkling(inkling.folder, tmp_path / "own-cache")
    fit(own, drawn)
    (entry,) = own.here("cache", "info", "--json", "-").json()["encoders"]
    assert (entry["name"], entry["images"], entry["texts"]) == ("sketch", 18, 3)
    assert own.here("cache", "prune", "--older-than", "1").err == "Removed 0 images and texts.\n"
    assert own.here("cache", "clear").err == "Removed 21 images and texts.\n"
    assert own.here("cache", "info", "--json", "-").json()["encoders"] == []


@pytest.mark.slow
def test_the_demo_goes_the_whole_round(inkling: Inkling) -> None:
    done = inkling.here("demo", "--output", "demo", "--json", "-")
    assert done.code == 0, done.err
    summary = done.json()
    assert summary["top1"] > summary["zero_shot"]["top1"]
    assert (inkling.folder / summary["report"]).is_file()
    assert inkling.here("info", summary["memory"]).code == 0
    assert len(summary["predictions"]) == 8
