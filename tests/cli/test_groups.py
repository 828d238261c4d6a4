"""Images of one source through the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import Inkling


def test_fit_counts_sources_by_a_pattern_in_the_name(inkling: Inkling, drawn: Path) -> None:
    """The drawn pictures are called car-0000.png and so on: the first two are of one source."""
    done = inkling.here(
        "fit", drawn, "--memory", "a.ink", "--encoder", "sketch", "--groups-from", r"regex:(\w+)-000[01]"
    )
    assert done.code == 0, done.err
    assert "18 images are 15 sources" in " ".join(done.out.split())


def test_a_way_to_group_that_is_none_is_refused_before_anything_is_read(inkling: Inkling, drawn: Path) -> None:
    done = inkling.here("fit", drawn, "--memory", "a.ink", "--encoder", "sketch", "--groups-from", "names")
    done.refused("names no way to group images", "exif-time")


def test_class_folders_are_refused(inkling: Inkling, drawn: Path) -> None:
    done = inkling.here("fit", drawn, "--memory", "a.ink", "--encoder", "sketch", "--groups-from", "folder")
    done.refused("The folders are the classes: each of 3 classes", "Leave --groups-from out")
    assert not (inkling.folder / "a.ink").exists()


def test_the_option_counts_more_than_the_column(inkling: Inkling, drawn: Path) -> None:
    files = sorted((drawn / "train").rglob("*.png"))
    rows = [f"{file},{file.parent.name},{number}" for number, file in enumerate(files)]
    (inkling.folder / "t.csv").write_text("\n".join(["path,label,group", *rows]), encoding="utf-8")
    fit = ("fit", "t.csv", "--memory", "a.ink", "--encoder", "sketch")
    done = inkling.here(*fit, "--groups-from", r"regex:(\w+)-000[01]")
    assert done.code == 0, done.err
    assert "--groups-from says which images come from one source; the column 'group' does not count." in done.err


def test_embeddings_have_no_files_to_group_by(inkling: Inkling, drawn: Path) -> None:
    assert inkling.here("embed", drawn / "train", "--output", "v.npz", "--encoder", "sketch").code == 0
    done = inkling.here("fit", "v.npz", "--memory", "a.ink", "--groups-from", "folder")
    done.refused("these are embeddings", "'groups' of an npz")


@pytest.mark.parametrize("name", ["v.npz", "v.parquet"])
def test_written_embeddings_keep_the_groups(inkling: Inkling, drawn: Path, name: str) -> None:
    rule = ("--groups-from", r"regex:(\w+)-000[01]")
    done = inkling.here("embed", drawn / "train", "--output", name, "--encoder", "sketch", *rule)
    assert done.code == 0, done.err
    done = inkling.here("fit", name, "--memory", "a.ink", "--encoder", "sketch")
    assert "18 images are 15 sources, as their groups say" in " ".join(done.out.split())


def test_written_embeddings_keep_the_groups_of_a_table(inkling: Inkling, drawn: Path) -> None:
    files = sorted((drawn / "train").rglob("*.png"))
    groups = ["one night" if file.stem == "car-0000" or file.stem == "car-0001" else "" for file in files]
    rows = [f"{file},{file.parent.name},{group}" for file, group in zip(files, groups, strict=True)]
    (inkling.folder / "t.csv").write_text("\n".join(["path,label,group", *rows]), encoding="utf-8")
    assert inkling.here("embed", "t.csv", "--output", "v.parquet", "--encoder", "sketch").code == 0
    done = inkling.here("fit", "v.parquet", "--memory", "a.ink", "--encoder", "sketch")
    assert "18 images are 17 sources, as their groups say" in " ".join(done.out.split())


def test_embed_refuses_a_way_to_group_that_is_none(inkling: Inkling, drawn: Path) -> None:
    done = inkling.here("embed", drawn / "train", "--output", "v.npz", "--encoder", "sketch", "--groups-from", "names")
    done.refused("names no way to group images", "exif-time")
    assert not (inkling.folder / "v.npz").exists()


def test_images_that_are_all_of_one_source_are_learned_from(inkling: Inkling, drawn: Path) -> None:
    """None of them can be held out, so nothing is calibrated by them; and a memory that is extended stays whole."""
    files = sorted((drawn / "train").rglob("*.png"))
    rows = [f"{file},{file.parent.name},one day" for file in files]
    (inkling.folder / "t.csv").write_text("\n".join(["path,label,group", *rows]), encoding="utf-8")
    done = inkling.here("fit", "t.csv", "--memory", "a.ink", "--encoder", "sketch")
    assert done.code == 0, done.err
    assert "18 images are 1 source" in " ".join(done.out.split())
    assert "there are 0 that can be held out with all of their source" in " ".join((done.out + done.err).split())
    few = [f"{file},{file.parent.name}" for file in files if "0000" in file.name]
    (inkling.folder / "few.csv").write_text("\n".join(["path,label", *few]), encoding="utf-8")
    assert inkling.here("fit", "few.csv", "--memory", "b.ink", "--encoder", "sketch").code == 0
    done = inkling.here("fit", "t.csv", "--memory", "b.ink", "--update", "--encoder", "sketch")
    assert done.code == 0, done.err
    assert inkling.here("verify", "b.ink").code == 0
