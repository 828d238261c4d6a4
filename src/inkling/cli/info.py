"""inkling info: what a memory knows and how it came to be."""

from __future__ import annotations

from collections import Counter
from typing import Any

from inkling.cli.console import is_stdout, note, print_table, require_folder, write_json
from inkling.cli.options import Json, Memory

NAME = "info"


def run(memory: Memory, json: Json = None) -> None:
    """Show what a memory knows: classes, encoder, head, calibration, provenance."""
    from inkling.memory.store import read_memory

    require_folder(json)
    stored = read_memory(memory)
    summary = _summary(stored)
    if json:
        write_json(json, summary)
    if not is_stdout(json):
        _print(summary)


def _summary(stored: Any) -> dict[str, Any]:
    content = stored.content
    images = Counter(one.class_name for one in content.exemplars if one.view == 0)
    provenance = content.provenance
    return {
        "memory_version": stored.version,
        "encoder": {
            "name": content.encoder.name,
            "source": content.encoder.source,
            "fingerprint": content.encoder.fingerprint,
            "dimension": content.encoder.dimension,
            "feature_dimension": content.encoder.feature_dimension,
            "logit_scale": content.encoder.logit_scale,
            "precision": content.encoder.precision,
        },
        "head": content.training["head"],
        "finding": content.training["finding"],
        "evidence": content.training["evidence"],
        "calibration": dict(content.calibration),
        "classes": [
            {
                "name": entry.name,
                "images": images[entry.name],
                "prompts": list(entry.prompts),
                "aliases": list(entry.aliases),
                "has_text": entry.text_vector is not None,
            }
            for entry in content.classes
        ],
        "provenance": {
            "created": provenance.created,
            "inkling_version": provenance.inkling_version,
            "command": provenance.command,
            "seed": provenance.seed,
            "versions": dict(provenance.versions),
            "data_hash": provenance.data_hash,
        },
    }


def _print(summary: dict[str, Any]) -> None:
    encoder, provenance = summary["encoder"], summary["provenance"]
    print_table(
        ("class", "images", "prompts"),
        [(one["name"], one["images"], _prompts(one)) for one in summary["classes"]],
        numbers=(1,),
    )
    rows = [
        ("version", summary["memory_version"]),
        ("encoder", f"{encoder['name']} ({encoder['dimension']} dimensions, {encoder['precision']})"),
        ("fingerprint", encoder["fingerprint"]),
        ("head", f"{summary['head']}: {summary['finding']}"),
        ("temperature", f"{summary['calibration']['temperature']:.3g} from {summary['calibration']['n']} images"),
        ("created", f"{provenance['created']} by inkling {provenance['inkling_version']}, seed {provenance['seed']}"),
        ("command", provenance["command"]),
    ]
    print_table(("", "memory"), rows)
    without = [one["name"] for one in summary["classes"] if not one["has_text"]]
    if without:
        note(f"Without a text vector: {', '.join(without)}.")


def _prompts(one: dict[str, Any]) -> str:
    prompts = one["prompts"]
    return prompts[0] + (f" (+{len(prompts) - 1})" if len(prompts) > 1 else "") if prompts else "-"
