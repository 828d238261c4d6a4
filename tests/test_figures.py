"""Figures within sentences are those that the benchmarks kept; tables are written from the same results."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from inkling.advising.label_next import FEW_SHOTS
from inkling.advising.learning_curve import PRIOR

ROOT = Path(__file__).parents[1]
SETS = ("Caltech-100", "Flowers", "Pets")
AUDITED = ("Caltech-100", "Flowers", "Pets", "coco_crops")


def _tool() -> ModuleType:
    spec = spec_from_file_location("figures", ROOT / "tools" / "figures.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FIGURES = _tool()
RESULTS: dict[str, dict[str, dict[str, Any]]] = {name: FIGURES.rows_of(name) for name in FIGURES.results()}


def got(benchmark: str, what: str) -> float:
    return float(RESULTS[benchmark][what]["got"])


def details(benchmark: str, what: str) -> dict[str, Any]:
    return dict(RESULTS[benchmark][what]["details"])


def percent(value: float) -> str:
    return f"{100 * value:.1f}"


def share(value: float, digits: int = 3) -> str:
    """A share as .123."""
    return f"{value:.{digits}f}".replace("0.", ".", 1)


def of_draws(name: str) -> str:
    """Mean and range over the draws of one image a class."""
    what = f"{name}, 1 shot, auto, mean of 10 draws"
    each = details("heads", what)["all"]
    return f"{percent(got('heads', what))} ({percent(min(each))} to {percent(max(each))}) on {name}"


def errors(wanted: Callable[[str], bool]) -> str:
    """The range of the calibration errors of `auto` in points, over tasks."""
    found = [100 * row["details"]["ece"] for what, row in RESULTS["heads"].items() if _is_auto(what) and wanted(what)]
    return f"{min(found):.1f} to {max(found):.1f}"


def _is_auto(what: str) -> bool:
    return what.endswith(", auto")


def is_hard(what: str) -> bool:
    return what.startswith(("Pets", "ImageNet")) and "1 shot," not in what


def is_easy(what: str) -> bool:
    return not what.startswith(("Pets", "ImageNet")) and "1 shot," not in what


def large(head: str) -> tuple[float, float]:
    """Seconds and GiB of a fit on 100,000 vectors."""
    if head == "auto":
        found = details("heads", "fit of auto on 100,000 x 512, s")
        return float(found["seconds"]), float(found["peak_gib"])
    return got("heads", f"fit of {head} on 100,000 x 512, s"), got(
        "heads", f"fit of {head} on 100,000 x 512, whole process, GiB"
    )


def shipped_zero_shot() -> str:
    shares = [
        got("heads", f"Caltech-43, {n} shots, labels permuted: share of 20 that ships zero-shot") for n in (2, 4, 16)
    ]
    return f"`auto` shipped zero-shot {round(20 * sum(shares))} times out of 60"


def milliseconds(precision: str) -> float:
    """An image on both cores, decoding included: the median over rounds."""
    result = json.loads((ROOT / "bench" / "results" / "embed.json").read_text(encoding="utf-8"))
    spent = sorted(result["seconds"]["ViT-B/32"][precision])
    return float(1000 * spent[len(spent) // 2] / result["images"][0])


def heads_claims() -> list[str]:
    gda, prototype, auto = large("gda"), large("prototype"), large("auto")
    draws = [of_draws(name) for name in SETS]
    return [
        f"`auto` gets {draws[0]}, {draws[1]} and {draws[2]}",
        f"Its probabilities err by {errors(is_easy)} points on average (ECE) from two shots on",
        f"where classes resemble each other, by {errors(is_hard)}",
        f"Pets is off by {100 * details('heads', 'Pets, 1 shot, auto')['ece']:.0f}",
        shipped_zero_shot(),
        f"`auto` on 234 vectors of 512 numbers in {got('heads', 'fit of auto on 234 x 512, with text, s'):.1f} s",
        f"`prototype` and `gda` in {max(gda[0], prototype[0]):.0f} s at most and {max(gda[1], prototype[1]):.1f} GiB "
        "for the whole process",
        f"in {auto[0]:.0f} s and {auto[1]:.1f} GiB",
    ]


def finetuning_claims() -> list[str]:
    best = "best fine-tuning (last-blocks, share 0.6 under auto) minus the head auto, plain"
    more = details("finetune", best)
    low, high = (f"{100 * end:.1f}".replace("0.", ".", 1) for end in more["ci95"])
    forgot = "last-blocks, known kinds, shifted: loss of top-1 against zero-shot, half share, part of plain's"
    return [
        *step_claims(),
        f"gains {100 * got('finetune', best):.1f} points over the head alone (95 % interval {low} to {high}, one-sided "
        f"paired p = {share(more['p_better'], 2)})",
        f"plain fine-tuning forgot {100 * details('finetune', forgot)['plain fine-tuning']:.0f} points; half of the "
        f"tuned weights forgot {100 * got('finetune', forgot):.0f} % of that",
    ]


def fraction(part: float) -> str:
    """The nearest fraction in words."""
    words = {1 / 2: "half", 3 / 5: "three fifths", 2 / 3: "two thirds", 3 / 4: "three quarters", 4 / 5: "four fifths"}
    return words[min(words, key=lambda value: abs(value - part))]


def step_claims() -> list[str]:
    epoch = "an epoch of `original` with evaluation, ViT-B/32, batch 8, times the plain loop's speed"
    step = "a step of --train image, times the speed of full, "
    full = {name: np.median(details("finetune", step + name)["full"]) for name in ("float32", "bfloat16")}
    return [
        f"takes about {fraction(1 / got('finetune', epoch))} the time of a plain loop",
        f"`--train image` takes about {fraction(1 / got('finetune', f'{step}float32'))} of the time of a step of "
        "`full`",
        f"steps take {fraction(full['bfloat16'] / full['float32'])} of the time, and `--train image` "
        f"{fraction(1 / got('finetune', f'{step}bfloat16'))} of that",
    ]


def tuned_detector_claims() -> list[str]:
    rates = [
        got("finetune_unknown", f"share {share}: false alarms, tuned, by ordinary folds") for share in ("0.6", "1")
    ]
    return [f"{100 * rates[0]:.0f} to {100 * rates[1]:.0f} % of known images were called unknown at 10 % requested"]


def size_claims() -> list[str]:
    size = got("speed", "memory of 404 vectors of 512, 100 classes, MB")
    return [f"404 images of 512 dimensions and 100 classes: {size:.1f} MB"]


def verify_claims() -> list[str]:
    return [f"{got('memory', 'verify, s'):.0f} s with 100,000 exemplars and thumbnails"]


def unknown_claims() -> list[str]:
    one_out = "crops, one class left out, fused, AUROC"
    mean, worst = (share(got("unknown", f"{one_out}, {which}"), 2) for which in ("mean", "worst"))
    benches = share(got("unknown", "crops, bench unknown, fused, AUROC"), 2)
    return [f"an AUROC of {mean} on average and {worst} at worst, against {benches} for benches"]


def fused_claims() -> list[str]:
    benches = share(got("unknown", "crops, bench unknown, fused, AUROC"))
    caltech, flowers = (
        share(got("unknown", f"{name}, half of the classes known, fused, AUROC")) for name in ("Caltech-100", "Flowers")
    )
    return [f"the AUROC is {benches} for benches among vehicles, {caltech} on Caltech-100 and {flowers} on Flowers"]


def speed_claims() -> list[str]:
    float32, auto, int8, peer = (milliseconds(name) for name in ("float32", "auto", "int8", "transformers"))
    return [
        f"a photograph takes {float32:.0f} ms in `float32`, {auto:.0f} ms in `auto` and {int8:.0f} ms in `int8`",
        f"The library takes {peer:.0f} ms",
    ]


def miniature_claims() -> list[str]:
    more = details("embed", "sketch, int8, zero-shot top-1")
    lost = abs(more["lost"] - more["won"])
    return [f"({got('embed', 'sketch, int8, zero-shot top-1'):.0%}".replace("%", " %") + f", within {lost} picture"]


def test_auto_beats_logistic_regression_on_every_draw_of_one_image_a_class() -> None:
    """As docs/explanation/heads.md says."""
    for name in SETS:
        draws = [details("heads", f"{name}, 1 shot, {head}, mean of 10 draws")["all"] for head in ("auto", "logistic")]
        assert all(auto > logistic for auto, logistic in zip(*draws, strict=True)), name


@pytest.mark.parametrize("script", sorted((ROOT / "bench").glob("*.py")), ids=lambda script: script.name)
def test_what_a_benchmark_imports_of_the_package_exists(script: Path) -> None:
    """They run seldom, so that a name that moved would be missed for long."""
    tree = ast.parse(script.read_text(encoding="utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names = [(str(node.module), name.name) for node in found for name in node.names]
    ours = [(home, name) for home, name in names if home.partition(".")[0] == "inkling"]
    assert [f"{home}.{name}" for home, name in ours if not _exists(import_module(home), name)] == []


def _exists(home: ModuleType, name: str) -> bool:
    return hasattr(home, name) or (hasattr(home, "__path__") and find_spec(f"{home.__name__}.{name}") is not None)


ORDERS = "images to the top-1 of 8 random shots a class, advised over random order"


def advice_claims() -> list[str]:
    eight, four, two = (100 * got("advise", f"the same from {n} shots: mean absolute error") for n in (8, 4, 2))
    held = got("advise", "top-1 at twice the shots: share within the 80 % interval")
    needed = {name: share(got("advise", f"{name}: {ORDERS}"), 2) for name in SETS}
    unseen = {name: share(got("advise", f"{name}, seen by no choice: {ORDERS}"), 2) for name in ("UCF-51", "Cars")}
    return [
        f"off by {eight:.1f} points on average from 8 images a class, by {four:.1f} from 4 and by {two:.1f} from 2",
        f"the interval held in {100 * held:.0f} % of cases",
        ", ".join(f"{share} ({name})" for name, share in list(needed.items())[:2]) + f" and {needed['Pets']} (Pets)",
        f"{unseen['UCF-51']} (UCF-51) and {unseen['Cars']} (Cars)",
    ]


def chosen_advice_claims() -> list[str]:
    sets = (*SETS, "UCF-51", "Cars")
    lines = []
    for rule in ("k-centre from 3", "k-centre from 2", "typical from 3", "typical from 2"):
        ratios = [got("advise_choice", f"label next, {name}: {rule}, images over random order") for name in sets]
        lines.append(" | ".join(share(ratio) for ratio in ratios))
    curves = [
        (
            100 * got("advise", f"{what}: mean absolute error"),
            100 * got("advise", f"{what}: share within the 80 % interval"),
        )
        for what in ("top-1 at twice the shots", *(f"the same {which}" for which in PRIORS))
    ]
    gain = "the same: absolute error less that without a prior, mean of sets and shots"
    points, low, high = (100 * one for one in (got("advise", gain), *details("advise", gain)["ci95"]))
    each = details("advise", "top-1 at twice the shots: mean absolute error")["all"]
    wide, vague = (
        100 * np.mean([one[f"{prior}high"] - one[f"{prior}low"] for one in each]) for prior in ("", "without")
    )
    return [
        *lines,
        *(f"{error:.2f} | {held:.0f} %" for error, held in curves),
        f"by {points:.1f} points ({low:.1f} to {high:.1f} with 95 %)",
        f"{wide:.1f} points wide on average, not {vague:.1f}",
    ]


PRIORS = ("without a prior", "with the prior of all sets, its own too")


def test_what_the_advice_is_made_of_is_what_was_chosen() -> None:
    prior = details("advise_choice", "curve, prior: mean rate")
    assert asdict(PRIOR) == {key: pytest.approx(value, abs=0.005) for key, value in prior.items()}
    against = {what: row for what, row in RESULTS["advise_choice"].items() if what.startswith("label next, all sets: ")}
    rules = [what.removeprefix("label next, all sets: ").partition(" over ")[0] for what in against]
    chosen = next(rule for rule, row in zip(rules, against.values(), strict=True) if row["details"]["ci95"][0] <= 1.0)
    assert chosen == f"typical from {FEW_SHOTS}"


def audit_claims() -> list[str]:
    what = "random wrong labels: average precision"
    ours, theirs = (
        [share(got("audit", f"{name}, {what}{by}")) for name in AUDITED] for by in ("", " of cleanlab as it comes")
    )
    within = got(
        "audit", "all draws: share in which the expected number of wrong labels is within 25 % of the real one"
    )
    return [
        f"average precision {', '.join(ours[:-1])} and {ours[-1]}",
        f"{', '.join(theirs[:-1])} and {theirs[-1]} by cleanlab",
        f"within a quarter of the real one in {100 * within:.0f} % of the draws",
    ]


def kinds_claims() -> list[str]:
    """Of blurred pictures and names by themselves."""
    sharp, soft = (f"photographs {how}: share said to be blurred" for how in ("as they are", "after a blur"))
    named = ("Caltech-43", "ImageNet-329")
    found = [
        f"{name}, 10 classes with texts of others: share of these whose name is said not to match" for name in named
    ]
    assert [got("audit", f"{name}: share of the classes whose name is said not to match") for name in named] == [0, 0]
    return [
        f"Of {details('audit', sharp)['of']:,} photographs",
        f"{details('audit', sharp)['n']} is found as it is, and {percent(got('audit', soft))} % after",
        "of others, " + " and ".join(f"{10 * got('audit', what):.0f}" for what in found),
    ]


def prompts_claims() -> list[str]:
    rows = {what.partition(":")[0]: row for what, row in RESULTS["prompts"].items()}
    tuned, others = (rows[f"clothing, pocket, classes {part}"]["details"] for part in ("tuned on", "not tuned on"))
    named = [row for what, row in rows.items() if not what.startswith("clothing")]
    assert all(row["details"]["gain"] == 0 and not any(row["details"]["changed_classes"]) for row in named)
    assert all(row["details"]["interval"][0] <= 0 <= row["details"]["interval"][1] for row in rows.values())

    def told(of: dict[str, Any], sign: int) -> tuple[str, str]:
        low, high = (100 * one for one in of["interval"])
        return f"{100 * sign * of['gain']:.1f}", f"({low:.1f} to {high:.1f})"

    (gain, interval), (loss, below) = told(tuned, 1), told(others, -1)
    return [
        f"gained {gain} points on the tuned classes {interval}",
        f"took {loss} from the others {below}",
    ]


def scale_claims() -> list[str]:
    stream = "stream of 10,000,000 x 512, 1% new"
    tenths = details("scale", f"{stream}: time an image at the end over that at the start")["ms"]
    found = details("scale", f"{stream}: proposals at the end")
    assert found["new_classes_found"] == found["new_classes"] == got("scale", f"{stream}: proposals at the end")
    one_pass = "one pass over 10,000,000 x 512, 10,000 classes, auto"
    live = got("scale", "1,000,000 exemplars, 10,000 classes, gda: accept to live, s (worst)")
    return [
        f"{tenths[1]:.2f} ms near the start and {tenths[-1]:.2f} ms at the end",
        f"{found['new_classes']} proposals, one for each kind",
        f"take {got('scale', f'{one_pass}, s') / 60:.1f} minutes and {got('scale', f'{one_pass}, peak GiB'):.1f} GiB",
        f"it is live after {live:.0f} s",
    ]


CLAIMS: dict[str, Callable[[], list[str]]] = {
    "docs/explanation/heads.md": heads_claims,
    "docs/explanation/finetuning.md": finetuning_claims,
    "docs/explanation/unknown.md": unknown_claims,
    "docs/decisions/unknown.md": fused_claims,
    "docs/decisions/refit.md": tuned_detector_claims,
    "docs/decisions/memory-file.md": size_claims,
    "docs/decisions/event-log.md": verify_claims,
    "docs/decisions/encoder-speed.md": speed_claims,
    "docs/how-to/encoders.md": miniature_claims,
    "docs/how-to/advise.md": advice_claims,
    "docs/decisions/advice.md": chosen_advice_claims,
    "docs/how-to/audit.md": audit_claims,
    "docs/decisions/audit.md": kinds_claims,
    "docs/how-to/prompts.md": prompts_claims,
    "docs/explanation/scale.md": scale_claims,
}


@pytest.mark.parametrize("page", CLAIMS)
def test_sentences_have_the_figures_that_were_measured(page: str) -> None:
    text = re.sub(r"\s+", " ", (ROOT / page).read_text(encoding="utf-8"))
    assert [claim for claim in CLAIMS[page]() if claim not in text] == []
