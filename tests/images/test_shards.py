"""Several shards as one source: folders, patterns, and parts of a data set."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkling.errors import InputError
from inkling.images.sources import find_images
from tests.images.shards import hub_parquet, png, tar_of


def shard(path: Path, *keys: str, label: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        tar_of(*((f"{key}.{end}", data) for key in keys for end, data in (("png", png()), ("txt", label.encode()))))
    )
    return path


def names(source: str | Path, **options: str) -> list[str]:
    return ["/".join(Path(one.path).parts[-2:]) for one in find_images(source, **options).records]


def test_a_pattern_in_braces(tmp_path: Path) -> None:
    for number in range(4):
        shard(tmp_path / f"s-{number:03d}.tar", f"k{number}")
    assert names(f"{tmp_path}/s-{{000..002}}.tar") == ["s-000.tar/k0.png", "s-001.tar/k1.png", "s-002.tar/k2.png"]
    assert names(f"{tmp_path}/s-{{003,001}}.tar") == ["s-003.tar/k3.png", "s-001.tar/k1.png"]
    assert (
        names(f"{tmp_path}/s-00[12].tar")
        == names(f"{tmp_path}/s-*{{1,2}}.tar")
        == ["s-001.tar/k1.png", "s-002.tar/k2.png"]
    )


def test_a_file_of_that_very_name_comes_first(tmp_path: Path) -> None:
    shard(tmp_path / "s-{0..1}.tar", "a")
    assert names(tmp_path / "s-{0..1}.tar") == ["s-{0..1}.tar/a.png"]


def test_patterns_that_name_nothing_say_so(tmp_path: Path) -> None:
    shard(tmp_path / "s-0.tar", "a")
    with pytest.raises(InputError, match=r"s-1\.tar' does not exist, which .* names, and 1 more"):
        find_images(f"{tmp_path}/s-{{0..2}}.tar")
    with pytest.raises(InputError, match="No file is named like"):
        find_images(f"{tmp_path}/t*.tar")
    with pytest.raises(InputError, match="more than 1,000,000 names"):
        find_images("s-{0..9999999999999}.tar")
    (tmp_path / "a.png").write_bytes(png())
    with pytest.raises(InputError, match="a pattern names tar shards or Parquet"):
        find_images(f"{tmp_path}/*.png")


def test_a_folder_of_shards(tmp_path: Path) -> None:
    shard(tmp_path / "b.tar", "k", label="bus")
    shard(tmp_path / "a" / "a.tar", "k", label="car")
    (tmp_path / "index.json").write_text("{}")
    found = find_images(tmp_path)
    assert [one.label for one in found.records] == ["car", "bus"]
    assert dict(found.ignored) == {".json": 1}


def test_beside_pictures_shards_are_other_files(tmp_path: Path) -> None:
    shard(tmp_path / "b.tar", "k")
    (tmp_path / "a.png").write_bytes(png())
    found = find_images(tmp_path)
    assert len(found.records) == 1
    assert dict(found.ignored) == {".tar": 1}


@pytest.mark.parametrize("form", ["train/0.tar test/0.tar", "x-train-000.tar x-validation-000.tar"])
def test_names_tell_the_split(tmp_path: Path, form: str) -> None:
    train, test = (shard(tmp_path / name, *keys) for name, keys in zip(form.split(), ("ab", "c"), strict=True))
    assert [Path(one.path).name for one in find_images(tmp_path, split="train").records] == ["a.png", "b.png"]
    found = find_images(tmp_path, split="test")
    assert [Path(one.path).parent for one in found.records] == [test]
    assert dict(found.ignored) == {"shard of another split": 1}
    assert len(find_images(tmp_path).records) == 3
    train.unlink()
    with pytest.raises(InputError, match="no 'train' split"):
        find_images(tmp_path, split="train")


def test_folders_within_tell_the_split(tmp_path: Path) -> None:
    (tmp_path / "s.tar").write_bytes(
        tar_of(("set/train/bus/1.png", png()), ("set/test/bus/2.png", png()), ("set/test/car/3.png", png()))
    )
    found = find_images(tmp_path / "s.tar", split="test")
    assert [(one.member, one.label) for one in found.records] == [
        ("set/test/bus/2.png", "bus"),
        ("set/test/car/3.png", "car"),
    ]
    assert dict(found.ignored) == {"other split": 1}


def test_parts_of_a_data_set_of_the_hub(tmp_path: Path) -> None:
    for part, label in (("train-00000-of-00002", 0), ("train-00001-of-00002", 1), ("test-00000-of-00001", 1)):
        hub_parquet(tmp_path / "data" / f"{part}.parquet", [{"bytes": png(), "path": "a.png"}], [label], ["cat", "dog"])
    assert [one.label for one in find_images(tmp_path, split="train").records] == ["cat", "dog"]
    assert names(tmp_path, split="test") == ["0/a.png"]
