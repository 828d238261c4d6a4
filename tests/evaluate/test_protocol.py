"""Which images count, what the JSON holds, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.metrics import accuracy_score, log_loss

from inkling.errors import InputError
from inkling.evaluate.protocol import class_indices, evaluate_predictions
from inkling.evaluate.results import EvaluationContext
from inkling.types import SkippedImage
from tests.evaluate.made_up import CLASSES, EVALUATION_KEYS, probabilities


def test_json_holds_the_promised_keys_and_the_reference_values() -> None:
    p, y = probabilities(120, 4)
    zero_shot, _ = probabilities(120, 4, seed=0, skill=1.0)
    context = EvaluationContext(
        head="gda",
        encoder_fingerprint="f00d",
        memory_version=3,
        skipped=(SkippedImage("a.jpg", "truncated"),),
    )
    evaluation = replace(evaluate_predictions(p, y, CLASSES, zero_shot_p=zero_shot), context=context)
    found = json.loads(json.dumps(evaluation.to_json(), allow_nan=False))
    assert found.keys() >= EVALUATION_KEYS
    assert found["top1"] == pytest.approx(accuracy_score(y, p.argmax(axis=1)))
    assert found["nll"] == pytest.approx(log_loss(y, p))
    assert found["brier"] == pytest.approx(((p - np.eye(4)[y]) ** 2).sum(axis=1).mean())
    assert found["ci95"][0] < found["top1"] < found["ci95"][1]
    assert found["zero_shot"]["top1"] == pytest.approx(accuracy_score(y, zero_shot.argmax(axis=1)))
    assert found["zero_shot"]["gain"] == pytest.approx(found["top1"] - found["zero_shot"]["top1"])
    assert found["skipped"] == [{"path": "a.jpg", "reason": "truncated"}]
    assert (found["head"], found["encoder_fingerprint"], found["memory_version"]) == ("gda", "f00d", 3)
    assert sum(cell["count"] for cell in found["confusion"]) == found["n"] == 120


def test_without_zero_shot_the_comparison_is_null() -> None:
    p, y = probabilities(40, 4)
    found = evaluate_predictions(p, y, CLASSES).to_json()
    assert found["zero_shot"] is None
    assert found["mcnemar_p"] is None
    assert found["uncalibrated"] is None


def test_mcnemar_compares_the_labels_that_are_given_out() -> None:
    y = np.zeros(12, dtype=int)
    right, wrong = np.array([0.9, 0.1]), np.array([0.1, 0.9])
    head = np.array([right] * 10 + [wrong] * 2)
    zero_shot = np.array([wrong] * 8 + [right] * 4)
    found = evaluate_predictions(head, y, ["a", "b"], zero_shot_p=zero_shot).to_json()
    assert found["zero_shot"]["only_head_correct"] == 8
    assert found["zero_shot"]["only_zero_shot_correct"] == 2
    assert found["mcnemar_p"] == pytest.approx(2 * (1 + 10 + 45) / 2**10)


def test_images_with_an_unknown_label_are_counted_apart_and_change_nothing_else() -> None:
    p, y = probabilities(60, 4)
    extra, _ = probabilities(5, 4, seed=9)
    labels = [CLASSES[k] for k in y] + ["bench", "bench", "tram", None, "bench"]
    alone = evaluate_predictions(p, y, CLASSES).to_json()
    found = evaluate_predictions(
        np.concatenate([p, extra]), class_indices(labels, CLASSES), CLASSES, labels=labels
    ).to_json()
    assert found.pop("unknown_labels") == {"count": 5, "names": {"bench": 3, "tram": 1}}
    assert alone.pop("unknown_labels") == {"count": 0, "names": {}}
    assert found == alone


def test_classes_without_test_images_have_null_recall() -> None:
    p, _ = probabilities(30, 4)
    y = np.arange(30) % 2
    found = evaluate_predictions(p, y, CLASSES).to_json()
    recalls = [found["per_class"][name]["recall"] for name in CLASSES]
    assert recalls[2:] == [None, None]
    assert found["balanced_accuracy"] == pytest.approx(np.mean(recalls[:2]))


def test_raw_logits_show_what_calibration_changed() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(4, size=300)
    logits = 3 * (rng.normal(size=(300, 4)) + np.eye(4)[y])
    evaluation = evaluate_predictions(softmax(logits / 3, axis=1), y, CLASSES, logits=logits)
    assert evaluation.uncalibrated is not None
    assert evaluation.uncalibrated.nll == pytest.approx(log_loss(y, softmax(logits, axis=1)))
    assert evaluation.uncalibrated.ece > evaluation.scores.calibration.ece


def test_no_mistake_still_leaves_doubt() -> None:
    evaluation = evaluate_predictions(np.eye(2)[[0, 1] * 10], np.array([0, 1] * 10), ["a", "b"])
    low, high = evaluation.to_json()["ci95"]
    assert high == 1.0
    assert low == pytest.approx(0.025 ** (1 / 20))
    assert evaluation.to_json()["intervals"]["balanced_accuracy"] is None


def test_one_image_and_one_class() -> None:
    found = evaluate_predictions(np.ones((1, 1)), np.array([0]), ["only"]).to_json()
    assert (found["top1"], found["top5"], found["n"]) == (1.0, 1.0, 1)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000))
def test_the_order_of_images_and_classes_does_not_change_the_figures(seed: int) -> None:
    p, y = probabilities(45, 4, seed=seed)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(45), rng.permutation(4)
    before = evaluate_predictions(p, y, CLASSES).to_json()
    moved = [CLASSES[k] for k in columns]
    after = evaluate_predictions(p[rows][:, columns], np.argsort(columns)[y[rows]], moved).to_json()
    for key in ("top1", "top5", "balanced_accuracy", "ece", "nll", "brier"):
        assert after[key] == pytest.approx(before[key]), key
    assert after["per_class"] == before["per_class"]


def test_float32_probabilities_are_accepted() -> None:
    p, y = probabilities(50, 4)
    assert evaluate_predictions(p.astype(np.float32), y, CLASSES).n == 50


def _bad_calls() -> dict[str, tuple[object, ...]]:
    p, y = probabilities(6, 4)
    broken = p.copy()
    broken[2, 1] = np.nan
    return {
        "no test image": (np.empty((0, 4)), np.empty(0), {}),
        "bus": (p, np.full(6, -1), {"labels": ["tram"] * 6}),
        "shape (6, 4)": (p[:, :3], y, {}),
        "NaN": (broken, y, {}),
        "predict_proba": (np.log(p), y, {}),
        "zero_shot_p": (p, y, {"zero_shot_p": p[:3]}),
        "logits": (p, y, {"logits": p[:3]}),
        "labels": (p, y, {"labels": ["a"]}),
        "0 to 3": (p, y + 3, {}),
        "class columns": (p, y.astype(float), {}),
    }


@pytest.mark.parametrize("said", _bad_calls())
def test_what_cannot_be_measured_is_refused_with_a_reason(said: str) -> None:
    p, y, options = _bad_calls()[said]
    with pytest.raises(InputError) as caught:
        evaluate_predictions(p, y, CLASSES, **options)
    assert said in str(caught.value)


def test_the_refusal_names_the_labels_found_and_the_known_classes() -> None:
    p, _ = probabilities(6, 4)
    with pytest.raises(InputError, match=r"tram(.|\n)*airplane, boat"):
        evaluate_predictions(p, np.full(6, -1), CLASSES, labels=["tram"] * 6)
