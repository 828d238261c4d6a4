"""A classifier that knows its classes by their text vectors alone: zero-shot, without a training image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from inkling.classifier.class_texts import embedded_entries
from inkling.classifier.few_shot import FewShotClassifier
from inkling.classifier.fitted import FittedClassifier
from inkling.embeddings.cache import opened_cache
from inkling.embeddings.samples import Samples
from inkling.encoders.base import Encoder
from inkling.encoders.cards import DEFAULT_FOR_PHOTOGRAPHS
from inkling.encoders.precision import AUTO
from inkling.errors import InputError
from inkling.heads import ZeroShotHead
from inkling.heads.checks import name_some
from inkling.heads.fitted import FittedHead
from inkling.heads.support import Support
from inkling.prompts import ClassPrompts
from inkling.types import ClassEntry, EncoderIdentity


def zero_shot_classifier(
    names: Sequence[str],
    encoder: str | Path | Encoder = DEFAULT_FOR_PHOTOGRAPHS,
    *,
    templates: str | Sequence[str] | None = None,
    prompts: Sequence[ClassPrompts] = (),
    precision: str = AUTO,
    cache: bool | str | Path = True,
) -> FewShotClassifier:
    """A classifier of classes by their names, which classifies as zero-shot of `inkling evaluate` does.

    Parameters
    ----------
    names
        Of the classes.
    encoder, templates, prompts, precision, cache
        As for `inkling.FewShotClassifier`.

    Returns
    -------
    FewShotClassifier
        Its classes sorted by name, its probabilities those of softmax(s f.t_k), without a detector of unknown images.

    Raises
    ------
    InputError
        If there are fewer than two classes, or one has no text vector.

    Examples
    --------
    >>> from inkling.exporting.texts_alone import zero_shot_classifier
    >>> classifier = zero_shot_classifier(["cat", "castle", "tree"], "sketch")
    >>> classifier.predict(["photos/test/cat/cat-0000.png"]).tolist()
    ['cat']
    """
    classifier = FewShotClassifier(
        encoder, head=ZeroShotHead.name, templates=templates, prompts=prompts, precision=precision, cache=cache
    )
    different = sorted({*names, *(entry.name for entry in prompts)})
    if len(different) < 2:
        raise InputError(
            f"Zero-shot needs at least two classes; found {len(different)}: {', '.join(different) or 'none'}.",
            remedy="Name different ones, such as --zero-shot bus,car,boat, in Python names=['bus', 'car', 'boat'].",
        )
    with opened_cache(cache) as opened:
        entries = embedded_entries(names, prompts, encoder=classifier.encoder, cache=opened, templates=templates)
    classifier.fitted = _fitted(entries, classifier.encoder.identity)
    return classifier


def _fitted(entries: Sequence[ClassEntry], identity: EncoderIdentity) -> FittedClassifier:
    without = [entry.name for entry in entries if entry.text_vector is None]
    if without:
        raise InputError(
            f"Zero-shot needs a text vector of every class; '{identity.name}' has none for {name_some(without)}.",
            remedy="Use names or prompts that the encoder knows: a code of letters and digits tells it nothing.",
        )
    d, f = identity.dimension, identity.feature_dimension
    nothing = np.zeros((0, d + f), dtype=np.float32)
    text = np.stack([np.asarray(entry.text_vector) for entry in entries])
    support = Support(nothing, np.zeros(0, dtype=np.int64), 0, len(entries), text)
    head = ZeroShotHead(logit_scale=identity.logit_scale, embedding_dims=d).learn(support, embedding_dims=d)
    calibration = {"temperature": 1.0, "basis": "prior", "n": 0, "top1": None, "before": None, "after": None}
    names = tuple(entry.name for entry in entries)
    kept = FittedHead(head, names, 1.0, calibration, "text vectors alone, without a training image", ())
    samples = Samples(identity, (), (), (), (), (), nothing)
    return FittedClassifier(samples, tuple(entries), kept, seed=0, head=head.name)
