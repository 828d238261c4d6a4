"""inkling demo: the whole round on pictures that Inkling draws itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from inkling.cli.console import check_outputs, note, show
from inkling.cli.evaluate import print_scores, write_html
from inkling.cli.options import Json, Seed
from inkling.cli.tables import print_table
from inkling.cli.waiting import seconds_waited
from inkling.outputs import told_as_unwritable
from inkling.payloads import evaluation_payload, verdict_payload

SHOTS = 8
TEST_IMAGES = 25
N_TRAINED, N_NEW = 4, 4


def run(
    output: Annotated[
        Path, typer.Option("--output", metavar="DIR", help="Where pictures, memory and report go.")
    ] = Path("demo"),
    seed: Seed = 0,
    json: Json = None,
) -> None:
    """Draw pictures, learn from them, evaluate, predict, and write a report, with the embedded miniature encoder."""
    from inkling.classifier.few_shot import FewShotClassifier
    from inkling.evaluate.run import evaluate_classifier
    from inkling.images.sources import find_images
    from inkling.sketch import HELD_OUT, TRAINED, write_dataset
    from inkling.types import Verdict

    check_outputs(json)
    kinds = sorted((*TRAINED[:N_TRAINED], *HELD_OUT[:N_NEW]))
    train, test, memory, report = (output / name for name in ("train", "test", "demo.ink", "report.html"))
    with told_as_unwritable(output):
        output.mkdir(parents=True, exist_ok=True)
    check_outputs(report)
    write_dataset(train, kinds, SHOTS, seed=2 * seed + 1)
    write_dataset(test, kinds, TEST_IMAGES, seed=2 * seed + 2)
    note(f"Drew {len(kinds)} kinds: {', '.join(kinds)}; the encoder never saw {', '.join(sorted(HELD_OUT[:N_NEW]))}.")

    classifier = FewShotClassifier("sketch", seed=seed).fit(train)
    classifier.save(memory, replace=True)
    note(f"Learned from {SHOTS} pictures a kind: {classifier.finding_}.")
    samples = classifier.embed(find_images(test).records)
    done = evaluate_classifier(classifier, samples, seed=seed)
    write_html(done, report, memory=memory, test=str(test))
    some = [str(min((test / kind).iterdir())) for kind in kinds]
    predictions = [verdict_payload(one) for one in classifier.verdicts(some) if isinstance(one, Verdict)]
    took = {"seconds": seconds_waited()}
    files = {"report": str(report), "memory": str(memory)}
    show(evaluation_payload(done.evaluation) | {"predictions": predictions} | files | took, json=json, table=_print)


def _print(summary: Mapping[str, Any]) -> None:
    print_scores(summary)
    print_table(
        ("picture", "label", "probability"),
        [(one["path"], one["label"], f"{one['probability']:.1%}") for one in summary["predictions"]],
        numbers=(2,),
        whole=(0,),
    )
    note(f"Look at {summary['report']}. The encoder is a miniature for trying out: use another one for photographs.")
