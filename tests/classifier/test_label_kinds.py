"""Labels come back as they were given, in their order, and a memory keeps what they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_array_equal

from inkling import Decisions, FewShotClassifier
from inkling.embeddings.precomputed import read_precomputed
from inkling.errors import InputError
from inkling.memory.classes import list_classes
from inkling.types import FloatArray

K, SHOTS = 12, 6
TEXTS = np.linalg.qr(np.random.default_rng(0).normal(size=(32, K)))[0].T
Y = np.repeat(np.arange(K), SHOTS)


def images(y: Any = Y, seed: int = 1) -> FloatArray:
    noise = np.random.default_rng(seed).normal(size=(len(y), 32)) / np.sqrt(32)
    return np.asarray(TEXTS[y] + 0.7 * noise)


def test_text_vectors_belong_to_labels_in_the_order_of_their_values() -> None:
    """Sorted as text, 10 and 11 would come before 2, and all from 2 on would get the texts of others."""
    classifier = FewShotClassifier(head="zero-shot").fit_embeddings(images(), Y, text_vectors=TEXTS)
    assert classifier.classes_.tolist() == list(range(K))
    assert classifier.score(images(seed=2), Y) > 0.9
    auto = FewShotClassifier().fit_embeddings(images(), Y, text_vectors=TEXTS)
    assert auto.fitted.fitted_head.evidence[0]["name"] == "zero-shot"
    assert auto.fitted.fitted_head.evidence[0]["top1"] > 0.9


@pytest.mark.parametrize(
    "y",
    [
        Y,
        Y.tolist(),
        Y.astype(float),
        Y[:, None],
        torch.tensor(Y),
        pd.Series(Y, dtype="Int64"),
        Y.astype(np.uint8),
    ],
    ids=lambda y: type(y).__name__,
)
def test_numbers_in_numbers_out(y: Any, tmp_path: Path) -> None:
    classifier = FewShotClassifier(head="gda").fit_embeddings(images(), y)
    X = images(seed=2)
    classifier.save(tmp_path / "a.ink")
    for one in (classifier, FewShotClassifier.load(tmp_path / "a.ink")):
        found = one.predict_embeddings(X)
        assert found.dtype.kind == "i"
        assert (found == Y).mean() > 0.9
        assert_array_equal(one.classes_[one.probabilities(X).argmax(axis=1)], found)
        assert one.classes_.tolist() == list(range(K))


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([True, False], [False, True]),
        (["10", "9"], ["10", "9"]),
        ([b"bee", b"ant"], ["ant", "bee"]),
        ([-1, -10], [-10, -1]),
        (["cafe\u0301", " ant "], ["ant", "caf\u00e9"]),
    ],
)
def test_labels_keep_their_kind_and_order(labels: list[Any], classes: list[Any], tmp_path: Path) -> None:
    y = [label for label in labels for _ in range(SHOTS)]
    FewShotClassifier(head="prototype").fit_embeddings(images(Y[: len(y)]), y).save(tmp_path / "a.ink")
    loaded = FewShotClassifier.load(tmp_path / "a.ink")
    assert loaded.classes_.tolist() == classes
    assert list(map(type, loaded.predict_embeddings(images(Y[: len(y)])).tolist())) == [type(classes[0])] * len(y)


def test_rows_without_a_label_are_left_out() -> None:
    y = pd.Series(Y, dtype="Int64")
    y[3] = pd.NA
    classifier = FewShotClassifier(head="gda").fit_embeddings(images(), y)
    assert [image.path for image in classifier.skipped_] == ["row 3"]
    assert classifier.classes_.tolist() == list(range(K))


@pytest.mark.parametrize("y", [np.eye(K)[Y], Y + 0.5, ["a", 1] * (len(Y) // 2), [object()] * len(Y)])
def test_other_labels_are_refused(y: Any) -> None:
    with pytest.raises(InputError, match=r"[Ll]abel"):
        FewShotClassifier().fit_embeddings(images(), y)


def test_a_class_of_text_twice_is_refused() -> None:
    with pytest.raises(InputError, match="twice"):
        FewShotClassifier().fit_embeddings(images(), Y, text_vectors=TEXTS, class_names=[0, *range(K - 1)])


def test_decisions_keep_numbers_and_may_add_names(tmp_path: Path) -> None:
    FewShotClassifier(head="gda").fit_embeddings(images(), Y).save(tmp_path / "a.ink")
    np.savez(tmp_path / "more.npz", x=np.linalg.qr(np.random.default_rng(9).normal(size=(32, 32)))[0][:5])
    decide = Decisions(tmp_path / "a.ink")
    decide.add_class(" cafe\u0301 ", images=read_precomputed(tmp_path / "more.npz"))
    assert "caf\u00e9" in {one.name for one in list_classes(tmp_path / "a.ink")}
    loaded = FewShotClassifier.load(tmp_path / "a.ink")
    assert loaded.classes_.tolist() == [*range(K), "caf\u00e9"]
    assert (loaded.predict_embeddings(images(seed=3)) == Y).mean() > 0.8
    decide.rename("3", "three ")
    assert "three" in FewShotClassifier.load(tmp_path / "a.ink").classes_.tolist()
    with pytest.raises(InputError, match="empty"):
        decide.rename("4", "  ")


@pytest.mark.parametrize("class_names", [None, np.arange(K), np.array([f"c{k}" for k in range(K)])])
def test_numbers_of_a_file_are_numbers_or_count_into_its_names(class_names: Any, tmp_path: Path) -> None:
    given = {} if class_names is None else {"class_names": class_names, "text_vectors": TEXTS}
    np.savez(tmp_path / "x.npz", x=images(), y=Y, **given)
    classifier = FewShotClassifier(head="gda").fit_precomputed(read_precomputed(tmp_path / "x.npz"))
    expected = Y if class_names is None else class_names[Y]
    assert (classifier.predict_embeddings(images(seed=2)) == expected).mean() > 0.9
    assert classifier.score(images(seed=2), expected) > 0.9
