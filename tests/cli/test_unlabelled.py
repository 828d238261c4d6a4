"""`inkling fit --unlabelled`: what it says about a pool, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.cli.program import Inkling


def test_what_became_of_the_pool_is_said(inkling: Inkling, drawn: Path) -> None:
    options = ("--encoder", "sketch", "--unlabelled", drawn / "test")
    done = inkling.here("fit", drawn / "train", "--memory", "a.ink", *options, "--json", "a.json")
    assert done.code == 0, done.err
    told = inkling.here("fit", drawn / "train", "--memory", "b.ink", *options, "--json", "-").json()
    assert told["unlabelled"] == {"images": 24, "copies_left_out": 0, "beyond_limit": 0}
    assert "unlabelled images" in told["finding"]
    shown = inkling.here("fit", drawn / "train", "--memory", "c.ink", *options)
    assert "24 images" in shown.out
    assert "unlabelled images" in " ".join(inkling.here("info", "c.ink").out.split())


def test_a_fit_without_a_pool_says_nothing_of_one(inkling: Inkling, drawn: Path) -> None:
    done = inkling.here("fit", drawn / "train", "--memory", "a.ink", "--encoder", "sketch", "--json", "-")
    assert done.json()["unlabelled"] is None


def test_the_training_images_are_no_pool(inkling: Inkling, drawn: Path) -> None:
    done = inkling.here(
        "fit", drawn / "train", "--memory", "a.ink", "--encoder", "sketch", "--unlabelled", drawn / "train"
    )
    assert done.code == 2
    assert "All of the 18 unlabelled images are copies of labelled ones" in done.err
    assert not (inkling.folder / "a.ink").exists()


def test_an_empty_folder_is_refused(inkling: Inkling, drawn: Path) -> None:
    (inkling.folder / "empty").mkdir()
    done = inkling.here("fit", drawn / "train", "--memory", "a.ink", "--encoder", "sketch", "--unlabelled", "empty")
    assert done.code == 2
    assert "No images found" in done.err


def test_pictures_beside_embeddings_are_refused(inkling: Inkling, drawn: Path) -> None:
    np.savez(inkling.folder / "x.npz", x=np.eye(4).repeat(3, axis=0), labels=np.repeat(list("abcd"), 3))
    done = inkling.here("fit", "x.npz", "--memory", "a.ink", "--unlabelled", drawn / "test")
    assert done.code == 2
    assert "those of --unlabelled are pictures" in done.err


def test_another_head_and_an_update_refuse(inkling: Inkling, drawn: Path) -> None:
    options = ("--memory", "a.ink", "--encoder", "sketch", "--unlabelled", drawn / "test")
    done = inkling.here("fit", drawn / "train", *options, "--head", "gda")
    assert (done.code, "learns from labelled images alone" in done.err) == (2, True)
    done = inkling.here("fit", drawn / "train", "--memory", "a.ink", "--update", "--unlabelled", drawn / "test")
    assert (done.code, "--unlabelled would have no effect" in done.err) == (2, True)
