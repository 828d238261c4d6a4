"""inkling info: what a memory knows and how it came to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inkling.cli.basis import unmeasured
from inkling.cli.console import check_outputs, note, show
from inkling.cli.options import Json, Memory
from inkling.cli.tables import print_table
from inkling.payloads import memory_payload


def run(memory: Memory, json: Json = None) -> None:
    """Show what a memory knows: classes, encoder, head, calibration, provenance."""
    from inkling.memory.nearest import search_report
    from inkling.memory.summary import summarize

    check_outputs(json, keep=(memory,))
    told = {**memory_payload(summarize(memory)), "nearest_exemplars": str(search_report(memory))}
    show(told, json=json, table=_print)


def _print(summary: Mapping[str, Any]) -> None:
    from inkling.encoders.precision import MEANINGS

    encoder, provenance = summary["encoder"], summary["provenance"]
    precision = MEANINGS.get(encoder["precision"], encoder["precision"])
    print_table(
        ("class", "images", "prompts"),
        [(one["name"], one["images"], _prompts(one)) for one in summary["classes"]],
        numbers=(1,),
    )
    basis = unmeasured(summary["calibration"])
    rows = [
        ("version", summary["memory_version"]),
        ("encoder", f"{encoder['name']} ({encoder['dimension']} dimensions, {precision})"),
        ("fingerprint", encoder["fingerprint"]),
        ("head", f"{summary['head']}: {summary['finding']}"),
        ("temperature", f"{summary['calibration']['temperature']:.3g} from {summary['calibration']['n']} images"),
        *([("calibration", basis)] if basis else []),
        ("unknown", summary["unknown"]),
        ("nearest images", summary["nearest_exemplars"]),
        ("written", f"{provenance['created']} by inkling {provenance['inkling_version']}, seed {provenance['seed']}"),
        ("command", provenance["command"]),
    ]
    print_table(("", "memory"), rows)
    without = [one["name"] for one in summary["classes"] if not one["has_text"]]
    if without:
        note(f"Without a text vector: {', '.join(without)}.")


def _prompts(one: Mapping[str, Any]) -> str:
    prompts = one["prompts"]
    return prompts[0] + (f" (+{len(prompts) - 1})" if len(prompts) > 1 else "") if prompts else "-"
