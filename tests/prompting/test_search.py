"""The search on pictures, and the file that it writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inkling.errors import InputError
from inkling.prompting.file import write_prompts
from inkling.prompting.search import search_prompts
from inkling.prompts import ClassPrompts, read_prompts
from inkling.sketch import write_dataset
from tests.fakes import FakeEncoder

KINDS = ("car", "cat", "fish", "tree")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    write_dataset(folder, KINDS, 15, seed=3)
    return folder


def test_words_that_fit_stay(drawn: Path) -> None:
    found = search_prompts(str(drawn), encoder="sketch", cache=False)
    assert not found.gains
    assert [one.name for one in found.prompts] == list(KINDS)
    assert found.difference.low <= 0 <= found.difference.high
    assert found.n_images == 60


def test_misleading_words_are_left_out(drawn: Path) -> None:
    """The cat is given as a tree: without that, texts do better, on images that were not chosen by too."""
    misled = ClassPrompts("cat", aliases=("tree", "green tree"), disambiguation="a tree")
    found = search_prompts(str(drawn), encoder="sketch", prompts=[misled], cache=False)
    assert found.gains
    assert found.top1_found > found.top1_given + 0.1
    assert "cat" in found.changes
    assert next(one for one in found.prompts if one.name == "cat") != misled
    assert {"cat"} <= {found.confusions[0].name, found.confusions[0].other}
    assert found.confusions[0].share >= found.confusions[-1].share > 0


def test_the_file_is_what_fit_reads(tmp_path: Path) -> None:
    prompts = [
        ClassPrompts("crane", ("a photo of a {}.", "a {}."), ("heron",), "a bird"),
        ClassPrompts("no"),
        ClassPrompts("012", aliases=("Ä",)),
    ]
    write_prompts(tmp_path / "p.yaml", prompts)
    assert list(read_prompts(tmp_path / "p.yaml").values()) == prompts


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"does not end in \.yaml"):
        write_prompts(tmp_path / "p.txt", [])


def test_an_encoder_without_texts_is_refused(drawn: Path) -> None:
    class WithoutTexts(FakeEncoder):
        has_texts = False

    with pytest.raises(InputError, match="no text side"):
        search_prompts(str(drawn), encoder=WithoutTexts(), cache=False)


def test_one_class_is_refused(drawn: Path) -> None:
    with pytest.raises(InputError, match="at least two classes"):
        search_prompts([str(p) for p in (drawn / "car").iterdir()], np.repeat("car", 15), encoder="sketch", cache=False)
