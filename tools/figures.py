"""Write docs/reference/figures.md, and the tables of figures in README.md and other pages, from bench/results/*.json.

A table stands between two comments that name it: ``<!-- NAME: written by tools/figures.py -->`` and
``<!-- end of NAME -->``. Figures within sentences are held to the results by tests/test_figures.py.

Usage: python tools/figures.py
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from figures_shown import ENCODERS, FEW, HEAD_NAMES, HEADS, SHOWN, TUNED, TUNED_DETECTORS, WHOLE

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "figures.md"
RESULTS = ROOT / "bench" / "results"


def results() -> dict[str, dict[str, Any]]:
    """All that was measured, by benchmark."""
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(RESULTS.glob("*.json"))}


def rows_of(name: str) -> dict[str, dict[str, Any]]:
    """The rows of a benchmark by what they say."""
    return {row["what"]: row for row in results()[name]["rows"]}


def missed() -> list[tuple[str, dict[str, Any]]]:
    """Every goal that was not reached, with its benchmark."""
    return [(name, row) for name, result in results().items() for row in result["rows"] if row.get("reached") is False]


def few_figures() -> str:
    """The block of the README: what a newcomer understands, and how many goals are missed."""
    found = results()
    lines = ["| what | encoder | measured |", "|---|---|---|"]
    for name, rows in FEW.items():
        told = {row["what"]: row for row in found[name]["rows"]}
        lines += [f"| {shown} | {_encoder(name, what)} | {_plain(told[what])} |" for what, shown in rows.items()]
    n_goals = sum(row.get("reached") is not None for result in found.values() for row in result["rows"])
    lines += [
        "",
        f"[All figures](docs/reference/figures.md), with the machine that they were taken on. Of {n_goals} goals "
        f"{len(missed())} are missed; they stand there [by name](docs/reference/figures.md#missed-goals).",
    ]
    return "\n".join(lines)


def page() -> str:
    """The page of figures: a selection, then every goal that is missed."""
    found = results()
    lines = [
        "# Figures",
        "",
        "<!-- Written by tools/figures.py; change that instead. -->",
        "",
        "What the benchmarks in [bench](../../bench) measured, with the encoder that each figure was taken with. "
        "All figures",
        "are in [bench/results](../../bench/results), one file a benchmark; `make bench` takes them again.",
        "",
        "| what | encoder | got | goal |",
        "|---|---|---|---|",
    ]
    for name in SHOWN:
        lines += list(_rows(name, found[name]))
    machine = found["heads"]["machine"]
    days = ", ".join(f"`{name}` {result['time'][:10]}" for name, result in found.items())
    lines += [
        "",
        f"Taken on {machine['cores']} cores of an {machine['processor']} ({_features(machine)}) with "
        f"{machine['memory_gib']:.0f} GiB; by benchmark: {days}.{_elsewhere(found, machine)}",
        "",
        "## Missed goals",
        "",
    ]
    if missed():
        lines += ["| benchmark | what | got | goal |", "|---|---|---|---|"]
        lines += [f"| {name} | {row['what']} | {_figure(row)} | {row['target']} |" for name, row in missed()]
    else:
        lines.append("None.")
    return "\n".join(lines) + "\n"


def times() -> str:
    """The table of what decisions take."""
    rows = [row for row in results()["memory"]["rows"] if ", MB" not in row["what"] and WHOLE not in row["what"]]
    lines = ["| what | seconds |", "|---|---|"]
    lines += [
        f"| {_without_unit(row['what'])} | {row['got'] / (1000 if ', ms' in row['what'] else 1):.2g} |" for row in rows
    ]
    fit = next(row["got"] for row in rows if row["what"] == "fit, s")
    return "\n".join([*lines, "", f"The {fit:.0f} s of a fit are what each decision would cost otherwise."])


def _without_unit(what: str) -> str:
    return what.replace(", ms", "").replace(", s", "")


def commands() -> str:
    """The table of whole commands: seconds on the clock, processor seconds, peak of memory."""
    found: dict[str, dict[str, str]] = {}
    for what, row in rows_of("memory").items():
        if WHOLE in what:
            size, command = what.removesuffix(WHOLE).split(": ")
            more = row["details"]
            told = f"{row['got']:.1f} s / {more['processor_seconds']:.1f} s / {more['peak_mb']:.0f} MB"
            found.setdefault(command, {})[size] = told
    sizes = list(next(iter(found.values())))
    lines = [f"| command | {' | '.join(sizes)} |", "|---" * (1 + len(sizes)) + "|"]
    return "\n".join([*lines, *(f"| `{name}` | {' | '.join(told.values())} |" for name, told in found.items())])


def installations() -> str:
    """The table of what is installed."""
    rows = rows_of("start")
    size, time = (
        rows["light installation, site-packages MB"],
        rows["light installation, share of the time of the full one"],
    )
    megabytes, seconds = {"light": size["got"], **size["details"]}, time["details"]
    lines = [
        (shown, f"{megabytes[name]:,.0f} MB", f"{seconds[name]:.0f} s")
        for name, shown in (("full", "everything"), ("light", "the core"))
    ]
    return _table(("what is installed", "site-packages, pip and setuptools included", "installed in"), lines)


def images_alone() -> str:
    """The heads on images alone."""
    sets = ("Caltech-100", "Flowers", "Pets")
    columns = {_shots(n): [f"{name}, {_shots(n)}" for name in sets] for n in (1, 4, 16)}
    return _heads(columns, (*HEADS, "nearest mean"))


def with_texts() -> str:
    """The heads where the classes have texts."""
    caltech = [f"Caltech-43 with text, {_shots(n)}" for n in (1, 4, 16)]
    columns = {"Caltech-43, 1 / 4 / 16 shots": caltech, "ImageNet-329, 3 shots": ["ImageNet-329 with text, 3 shots"]}
    return _heads(columns, ("zero-shot", *HEADS))


def _heads(columns: Mapping[str, Sequence[str]], heads: Sequence[str]) -> str:
    """Top-1 in percent, a line for each head; the best of each task is bold."""
    rows = rows_of("heads")
    told = {
        task: {head: f"{100 * rows[f'{task}, {head}']['got']:.1f}" for head in heads}
        for tasks in columns.values()
        for task in tasks
    }
    best = {task: max(percent.values(), key=float) for task, percent in told.items()}
    lines = [f"| head | {' | '.join(columns)} |", "|---" * (1 + len(columns)) + "|"]
    for head in heads:
        cells = [
            " / ".join(
                f"**{told[task][head]}**" if told[task][head] == best[task] else told[task][head] for task in tasks
            )
            for tasks in columns.values()
        ]
        lines.append(f"| {HEAD_NAMES.get(head, f'`{head}`')} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _shots(n: int) -> str:
    return f"{n} shot" if n == 1 else f"{n} shots"


def a_million_pictures() -> str:
    """Hours on two cores, by encoder."""
    embed, pocket = rows_of("embed"), rows_of("pocket")
    rates = {"`pocket`": 2 * pocket["pictures a second on one core, decoding included"]["got"]}
    for name, what in (("ViT-B/32", ""), ("SigLIP B/16", "SigLIP B/16-224: "), ("DINOv2-base", "DINOv2-base: ")):
        peer = embed[f"{what}transformers, images a second"]["got"]
        rates[name] = peer * embed[f"{what}auto, times the peer's speed"]["got"]
    lines = [[name, f"{rate:.0f}", f"{1e6 / 3600 / rate:.1f}"] for name, rate in rates.items()]
    return _table(["encoder", "pictures a second", "hours"], lines)


def how_cost_grows() -> str:
    """Exponents of each verb, by axis."""
    rows = rows_of("scale")
    verbs = ("fit", "predict", "evaluate", "discover", "audit")
    axes = ("images", "classes", "dimensions")
    lines = []
    for verb in verbs:
        found = {axis: rows[f"{verb}: exponent in {axis}"] for axis in axes}
        most = found["images"]["details"]
        of_most = f"{most['processor_seconds'][-1]:.1f} s, {most['mib'][-1]:.0f} MiB"
        lines.append([f"`{verb}`", *(f"{found[axis]['got']:.1f}" for axis in axes), of_most])
    embed = rows["embed: exponent in images"]
    most = embed["details"]
    told = f"{most['processor_seconds'][-1]:.1f} s, {most['mib'][-1]:.0f} MiB for {most['sizes'][-1]:,} pictures"
    lines.append(["`embed`, encoder `sketch`", f"{embed['got']:.1f}", "", "", told])
    return _table(["verb", "images", "classes", "dimensions", "16,000 images"], lines)


def drawn_kinds() -> str:
    """Fine-tuning of the miniature: top-1 on both tests."""
    rows = rows_of("finetune")
    return _table(
        ("", "plain", "shifted style"),
        ([shown, *(_share(rows[f"{way}, {test}"]) for test in ("plain", "shifted"))] for way, shown in TUNED.items()),
    )


def unknown_kinds() -> str:
    """Unknown images after fine-tuning."""
    rows = rows_of("finetune_unknown")
    lines = []
    for (share, detector), shown in TUNED_DETECTORS.items():
        told = [rows[f"share {share}: {what}, {detector}"] for what in ("false alarms", "found", "auroc")]
        lines.append([shown, f"{100 * told[0]['got']:.1f} %", f"{100 * told[1]['got']:.0f} %", _share(told[2])])
    alone = rows["share 1: auroc, mutual information of the trainings"]
    lines.append(["disagreement of its four trainings alone", "", "", _share(alone)])
    return _table(("", "known called unknown", "unknown found", "AUROC"), lines)


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in (head, ["---"] * len(head), *lines))


def _share(row: dict[str, Any]) -> str:
    """A share as .123."""
    return f"{row['got']:.3f}".lstrip("0")


def _features(machine: Mapping[str, Any]) -> str:
    """Of a processor, in a sentence."""
    return ", ".join(name.upper().replace("_", "-") for name in machine["processor_features"])


def _elsewhere(found: Mapping[str, Mapping[str, Any]], machine: Mapping[str, Any]) -> str:
    """Which parts of benchmarks were taken on another processor than most."""
    others: dict[str, list[str]] = {}
    for name, result in found.items():
        for part, taken in result.get("taken", {}).items():
            if (features := _features(taken["machine"])) != _features(machine):
                others.setdefault(features, []).append(f"`{name}` {part}")
    return "".join(f" On one with {features}: {', '.join(parts)}." for features, parts in others.items())


def _rows(name: str, result: dict[str, Any]) -> Iterator[str]:
    rows = {row["what"]: row for row in result["rows"]}
    for what, shown in SHOWN[name].items():
        row = rows[what]
        yield f"| {shown} | {_encoder(name, what)} | {_figure(row)} | {row['target'] or ''} |"


def _encoder(name: str, what: str) -> str:
    """The encoder of a figure; benchmarks of several name it by the data."""
    if "surrogate" in what:
        return ENCODERS["coco"]
    if "sketch" in what:
        return "sketch"
    if name in ("unknown", "discovery"):
        return ENCODERS["heads"] if what.startswith(("Caltech", "Flowers")) else ENCODERS["coco"]
    return ENCODERS[name]


def _plain(row: dict[str, Any]) -> str:
    """A figure for readers in a hurry: shares in percent, times with two digits."""
    is_time = row["what"].endswith(", s") or ", ms" in row["what"]
    return f"{row['got']:.2g}" if is_time or row["got"] > 1 else f"{row['got']:.0%}"


def _figure(row: dict[str, Any]) -> str:
    """A missed goal is shown to one digit more, so that it doesn't look reached."""
    digits = (3 if row["got"] < 1 else 2) + (row["reached"] is False)
    return f"{row['got']:.{digits}f}{' (missed)' if row['reached'] is False else ''}"


TABLES: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "README.md": {"figures": few_figures},
    "docs/decisions/refit.md": {"times": times, "commands": commands},
    "docs/decisions/light-install.md": {"installations": installations},
    "docs/explanation/scale.md": {"how cost grows": how_cost_grows, "a million pictures": a_million_pictures},
    "docs/explanation/heads.md": {"images alone": images_alone, "with texts": with_texts},
    "docs/explanation/finetuning.md": {"drawn kinds": drawn_kinds, "unknown kinds": unknown_kinds},
}
"""Tables within pages that people write."""


def with_tables(page: str, text: str) -> str:
    """A page with its tables written anew."""
    for name, table in TABLES[page].items():
        begin, end = f"<!-- {name}: written by tools/figures.py -->", f"<!-- end of {name} -->"
        before, rest = text.split(begin)
        text = f"{before}{begin}\n{table()}\n{end}{rest.split(end)[1]}"
    return text


def main() -> None:
    """Write all of them."""
    PAGE.write_text(page(), encoding="utf-8")
    for name in TABLES:
        file = ROOT / name
        file.write_text(with_tables(name, file.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
