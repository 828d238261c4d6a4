"""What the figures say, in plain words. Every sentence follows from the measures by a stated rule."""

from __future__ import annotations

from inkling.evaluate.answers import AnswerErrors
from inkling.evaluate.coverage import SetCoverage
from inkling.evaluate.results import Comparison, Evaluation
from inkling.evaluate.uncertainty import LEVEL
from inkling.evaluate.unknown_detection import UnknownDetection
from inkling.reports.formats import count, loss, p_value, percent, percent_interval, signed_points

SIGNIFICANCE = 0.05
INTERVAL_NAME = f"{percent(LEVEL, digits=0)} interval"
_WELL_CALIBRATED = 0.02


def headline(evaluation: Evaluation) -> str:
    """What was right, of how many, and how far that figure can be trusted."""
    interval = evaluation.scores.intervals["top1"]
    said = f"{evaluation.n_correct:,} of {count(evaluation.n, 'test image')} got the right label."
    if interval is None:
        return said
    bounds = percent_interval(interval, between="and")
    return f"{said} For images of this kind the true share lies between {bounds} ({INTERVAL_NAME})."


def against_zero_shot(comparison: Comparison) -> str:
    """Whether the exemplars helped, and whether that could be chance."""
    test = comparison.test
    if test.only_first + test.only_second == 0:
        return "Zero-shot, from the class names alone, is right on exactly the same images."
    base = f"zero-shot, which knows the class names alone ({percent(comparison.scores.top1)})"
    if test.only_first == test.only_second:
        return f"That is the same share as {base}. {_split(comparison)}"
    return f"{_difference(comparison, base)} {_split(comparison)} {_verdict(comparison)}"


def _difference(comparison: Comparison, base: str) -> str:
    gain = comparison.gain
    interval = comparison.gain_interval
    bounds = (
        "" if interval is None else f", {INTERVAL_NAME} {signed_points(interval.low)} to {signed_points(interval.high)}"
    )
    points = f"{100 * abs(gain):.1f} points {'more' if gain > 0 else 'less'} than"
    return f"That is {points} {base}{bounds}."


def _split(comparison: Comparison) -> str:
    test = comparison.test
    return (
        f"{count(test.only_first, 'image is', 'images are')} right only with the exemplars, "
        f"{test.only_second:,} only without."
    )


def _verdict(comparison: Comparison) -> str:
    p = comparison.test.p_value
    stated = f"(McNemar's test, {p_value(p)})"
    if p >= SIGNIFICANCE:
        return f"A difference of this size can well be chance {stated}."
    if comparison.test.only_first > comparison.test.only_second:
        return f"Chance alone would rarely give such a split {stated}: the exemplars help."
    return f"Chance alone would rarely give such a split {stated}: zero-shot is the better choice here."


def calibration(evaluation: Evaluation, mean_confidence: float) -> str:
    """Whether the stated probabilities are too high, too low or about right."""
    right = evaluation.n_correct / evaluation.n
    gap = mean_confidence - right
    judged = (
        "about as sure as it should be"
        if abs(gap) < _WELL_CALIBRATED
        else "surer than it should be"
        if gap > 0
        else "less sure than it could be"
    )
    return (
        f"On average the classifier is {percent(mean_confidence)} sure of its label, "
        f"and {percent(right)} of its labels are right: it is {judged}."
    )


def before_calibration(evaluation: Evaluation) -> str | None:
    """What the temperature changed; None where the raw logits were not passed."""
    raw, now = evaluation.uncalibrated, evaluation.scores.calibration
    if raw is None:
        return None
    return (
        f"Before calibration the error (ECE) was {percent(raw.ece)} and the NLL {loss(raw.nll)}; "
        f"now they are {percent(now.ece)} and {loss(now.nll)}."
    )


def coverage(sets: SetCoverage) -> str:
    """How often prediction sets hold the right class, against what was asked for."""
    share, low = sets.realised, sets.expected.low
    judged = "less than promised" if share.value < low else "what was promised"
    return (
        f"Of {count(share.n, 'image')} of known classes {percent(share.value)} have the right class in their set "
        f"({INTERVAL_NAME} {percent_interval(share.interval)}). That is {judged}: {percent(sets.asked.rate)} were "
        f"asked for, which gives {percent(low)} or more on so many images."
    )


def set_sizes(sets: SetCoverage) -> str:
    """How large sets are, and what empty and full ones say."""
    told = f"A set holds {sets.mean_size:.2f} classes in the mean."
    if sets.n_empty:
        told += f" {count(sets.n_empty, 'set is', 'sets are')} empty: no class is as likely as right ones mostly are."
    if sets.n_of_all:
        told += f" {count(sets.n_of_all, 'set holds', 'sets hold')} every class: these images tell nothing of them."
    if sets.unlike_training:
        told += " These images are less like the classes than training images that were held out, so less may be held."
    return told


def wrong_answers(answers: AnswerErrors) -> str:
    """How often answers are wrong, against what was asked for."""
    share, high = answers.wrong, answers.expected.high
    judged = "what was promised" if answers.as_expected else "more than promised"
    told = (
        f"Of {count(share.n, 'image')} of known classes {percent(share.value)} get a wrong answer "
        f"({INTERVAL_NAME} {percent_interval(share.interval)}). That is {judged}: {percent(answers.error_rate)} were "
        f"asked for, which gives {percent(high)} or less on so many images."
    )
    if answers.unlike_training:
        told += " These images are less like the classes than training images that were held out."
    return told


def step(steps: int) -> str:
    """How far above the likeliest class an answer stands."""
    return "a class" if steps == 0 else f"a group, {count(steps, 'step')} above it"


def false_alarms(detection: UnknownDetection) -> str:
    """How often known images were called unknown, against what was asked for."""
    share, expected = detection.false_alarms, detection.expected
    judged = (
        "more than to be expected"
        if share.value > expected.high
        else "less than to be expected"
        if share.value < expected.low
        else "what to expect"
    )
    return (
        f"Of {count(share.n, 'image')} of known classes {percent(share.value)} were called unknown "
        f"({INTERVAL_NAME} {percent_interval(share.interval)}). That is {judged}: {percent(detection.requested)} were "
        f"asked for, which gives {percent_interval(expected)} on so many images."
    )


def detected(detection: UnknownDetection) -> str:
    """How many images of other classes were called unknown; what it would take to tell, where there are none."""
    share = detection.detected
    if share is None:
        return "No test image is of another class; with some, this would tell how many of them are caught."
    return (
        f"Of {count(share.n, 'image')} of other classes {percent(share.value)} were called unknown "
        f"({INTERVAL_NAME} {percent_interval(share.interval)})."
    )


def small_sample(evaluation: Evaluation) -> str | None:
    """A caution where the images are too few for fine distinctions."""
    if evaluation.n >= 100:
        return None
    return (
        f"With {count(evaluation.n, 'test image')} the figures are coarse: "
        f"one image more or less right moves the accuracy by {100 / evaluation.n:.1f} points."
    )


def no_images(evaluation: Evaluation) -> str | None:
    """How many known classes have no test image; None where all have some."""
    absent = sum(entry.support == 0 for entry in evaluation.per_class)
    if not absent:
        return None
    return (
        f"{count(absent, 'known class has', 'known classes have')} no test image. "
        "Recall has no value there, and balanced accuracy is the mean over the others."
    )


def training_images(evaluation: Evaluation) -> str | None:
    """A warning where images count that the memory was trained on."""
    found = evaluation.context.training_images
    if found.left_out or not found.images:
        return None
    return f"{count(len(found.images), 'image')} of the training are among the test images: the figures are too good."
