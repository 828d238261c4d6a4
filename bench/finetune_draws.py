"""Fine-tuning the embedded miniature on drawn kinds that it was not trained on: one support draw and recipe at a time.

A draw is a set of shots. What a recipe makes of it is kept as JSON, so that an interrupted measurement goes on.

Test pictures are the same for all draws, and read for the final figures only: options were chosen with pictures of
other seeds. Three tests: the shots' kinds as the encoder knows pictures (`plain`), the same kinds with other
backgrounds, blur and sketchy lines (`shifted`), and the kinds that the encoder knew before, shifted (`known`), which
tells what fine-tuning makes it forget.

    python bench/finetune_draws.py 0 last-blocks WORK
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from inkling.classifier.few_shot import FewShotClassifier
from inkling.encoders.transformers.loaded_model import load_towers
from inkling.finetune.finetuner import FineTuner
from inkling.finetune.prepare import prepare
from inkling.finetune.recipe import Recipe, preset
from inkling.finetune.run_folder import FOLDS, TRAINING, Run
from inkling.finetune.selection.interpolate import SHARES
from inkling.finetune.selection.judge import Judge, weights_of
from inkling.finetune.selection.out_of_fold import Folds
from inkling.finetune.shipping import judge
from inkling.finetune.training.data import TrainingData
from inkling.finetune.training.distributed import Team
from inkling.finetune.training.trainer import train
from inkling.finetune.training.vectors import encode, inference, text_vectors
from inkling.heads import AutoHead
from inkling.images.handed_over import records_of
from inkling.prompts import resolve_templates
from inkling.sketch import HELD_OUT, TRAINED, write_dataset
from inkling.types import FloatArray

SHOTS = 16
PLAIN, SHIFTED, KNOWN = "plain", "shifted", "known kinds, shifted"
TESTS: Mapping[str, tuple[tuple[str, ...], str, int, int]] = {
    PLAIN: (HELD_OUT, "plain", 40, 201),
    SHIFTED: (HELD_OUT, "shifted", 40, 202),
    KNOWN: (TRAINED, "shifted", 10, 203),
}
"""Kinds, style, pictures of a kind, seed."""
FIRST_SEED = 100
"""Of the draws; options were chosen on others."""

FOR_THE_MINIATURE: Mapping[str, dict[str, Any]] = {
    "original": {},
    "lora": {"steps": 150, "learning_rate": 3e-3},
    "two-stage": {"steps": 200, "learning_rate": 3e-3},
    "last-blocks": {"steps": 200, "learning_rate": 1e-3},
}
"""Where a preset is departed from: the miniature has a hundredth of the width and depth that presets are made for, so
its weights take larger steps, and fewer of them do."""

HALF = 0.5


def measure(draw: int, preset_name: str, work: Path) -> None:
    """Keep what a recipe makes of a draw, unless it is kept already."""
    file = work / f"draw-{draw}-{preset_name}.json"
    if not file.is_file():
        torch.set_num_threads(1)  # the miniature's matrices are too small to share among cores
        found = _measure(draw, recipe_of(preset_name, draw), work)
        draft = file.with_suffix(".part")
        draft.write_text(json.dumps(found, indent=1), encoding="utf-8")
        draft.replace(file)


def recipe_of(preset_name: str, draw: int) -> Recipe:
    """The preset with what the miniature needs."""
    return preset(preset_name).changed(**FOR_THE_MINIATURE[preset_name], seed=draw)


def _measure(draw: int, recipe: Recipe, work: Path) -> dict[str, Any]:
    shots = pictures(work, HELD_OUT, "plain", SHOTS, FIRST_SEED + draw)
    tests = {name: pictures(work, *options) for name, options in TESTS.items()}
    with tempfile.TemporaryDirectory() as output:
        start = time.perf_counter()
        tuner = FineTuner("sketch", recipe, device="cpu")
        tuned = tuner.fit(str(shots), output=output)
        shipment = judge(tuner, tuned, cache=False)
        seconds = time.perf_counter() - start
        at_share = Shares(tuner, shots, Path(output), tests)
        shares = {f"{share:g}": at_share(share) for share in (*SHARES, HALF)}
    top1 = {
        "zero-shot": _scores(shipment.zero_shot, tests) | {KNOWN: shares["0"]["texts"][KNOWN]},
        "head": _scores(shipment.head, tests),
        "chosen share": at_share(tuned.choice.share)["texts"],
        "chosen share under auto": _scores(shipment.fine_tuned, tests),
        "shipped": _scores(shipment.classifier, tests),
    }
    return {
        "draw": draw,
        "seconds": seconds,
        "steps": tuned.history[-1].step,
        "share": tuned.choice.share,
        "ships": shipment.verdict.name,
        "curve": [asdict(point) for point in tuned.choice.curve],
        "finding": shipment.verdict.finding,
        "top1": top1,
        "shares": shares,
    }


def pictures(work: Path, kinds: Sequence[str], style: str, per_kind: int, seed: int) -> Path:
    """A folder of drawn pictures, made whole or not at all."""
    folder = work / "pictures" / f"{style}-{seed}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=work))
        write_dataset(draft, kinds, per_kind, seed=seed, style=style)
        try:
            draft.rename(folder)
        except OSError:  # another process was quicker
            shutil.rmtree(draft)
    return folder


def _scores(classifier: FewShotClassifier, tests: Mapping[str, Path]) -> dict[str, float]:
    """On what it was trained on: the kinds of the shots."""
    return {name: classifier.score(str(tests[name])) for name in (PLAIN, SHIFTED)}


class Shares:
    """The tuned encoder at any share of its tuned weights, under its class vectors alone and under the head `auto`."""

    def __init__(self, tuner: FineTuner, shots: Path, output: Path, tests: Mapping[str, Path]) -> None:
        source = self._source = tuner.encoder.folder
        self._data = self._prepared(shots, augments=tuner.recipe.augment != "none")
        self._tests = {name: self._prepared(folder) for name, folder in tests.items()}
        self._model, self._scale = load_towers(source), tuner.encoder.identity.logit_scale
        team = self._team = Team.form(precision="float32", cpu=True)
        run = Run(folder=output, resume=True, origin={"encoder": tuner.encoder.identity.fingerprint})
        training = train(self._model, self._data, tuner.recipe, run=run.within(TRAINING), team=team)
        start = weights_of(load_towers(source), list(training.tuned))
        self._judge = Judge(self._model, start, training, self._data, team)
        folds = Folds(partial(load_towers, source), self._data, tuner.recipe, run=run.within(FOLDS), team=team)
        self._spaces = dict(zip((*SHARES, HALF), folds.spaces((*SHARES, HALF)), strict=True))

    def __call__(self, share: float) -> dict[str, dict[str, float]]:
        """Top-1 on each test; the kinds known before are classified by their texts."""
        classes = self._judge.set_to(share)
        with inference(self._model):
            known = text_vectors(self._model, self._tests[KNOWN].texts, self._team)
        head = AutoHead(classes.numpy(), logit_scale=self._scale, embedding_dims=classes.shape[1])
        head.fit(self._embedded(self._data), self._data.labels, fold_spaces=self._spaces[share])
        under_texts, under_auto = {}, {}
        for name, data in self._tests.items():
            X = self._embedded(data)
            vectors = known if name == KNOWN else classes
            under_texts[name] = _top1(X @ vectors.numpy().T, data)
            if name != KNOWN:
                under_auto[name] = _top1(head.logits(X), data)
        return {"texts": under_texts, "auto": under_auto}

    def _embedded(self, data: TrainingData) -> FloatArray:
        return np.asarray(encode(self._model, data.pixels, self._team).numpy())

    def _prepared(self, folder: Path, *, augments: bool = False) -> TrainingData:
        records = records_of(str(folder))
        return prepare(records, self._source, templates=resolve_templates(None), augments=augments).data


def _top1(logits: FloatArray, data: TrainingData) -> float:
    return float(np.mean(logits.argmax(axis=1) == data.labels))


if __name__ == "__main__":
    measure(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
