"""Class text vectors are the encoder's own, whatever the padding and the number of prompts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from inkling.encoders.transformers.encoder import TransformersEncoder
from inkling.encoders.transformers.model_folder import ModelFolder
from inkling.finetune.training.texts import ClassTexts, class_vectors
from inkling.prompts import mean_text_vector
from tests.finetune.cases import load

PROMPTS = [["a photo of a cat.", "cat"], ["a photo of a very long locomotive."], ["boat", "a boat", "my boat"]]


@pytest.mark.parametrize("family", ["clip", "siglip"])
def test_they_are_the_means_of_the_encoders_vectors(family: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(family)
    encoder = TransformersEncoder(folder, device="cpu")
    texts = ClassTexts.of(PROMPTS, ModelFolder(folder))
    with torch.no_grad():
        ours = class_vectors(load(folder), texts, device=torch.device("cpu")).numpy()
    expected = [mean_text_vector(encoder.encode_texts(prompts)) for prompts in PROMPTS]
    np.testing.assert_allclose(ours, np.stack(expected), atol=1e-6)


def test_some_classes_are_numbered_as_asked(clip: object, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue("clip")
    texts, model, cpu = ClassTexts.of(PROMPTS, ModelFolder(folder)), load(folder), torch.device("cpu")
    with torch.no_grad():
        every = class_vectors(model, texts, device=cpu)
        some = class_vectors(model, texts.only(torch.tensor([2, 0])), device=cpu)
    torch.testing.assert_close(some, every[[2, 0]], rtol=1e-5, atol=1e-6)


def test_texts_are_cut_to_the_longest_where_attention_is_causal(request: pytest.FixtureRequest) -> None:
    lengths = {
        family: ClassTexts.of([["cat"], ["a cat"]], ModelFolder(request.getfixturevalue(family))).tokens["input_ids"]
        for family in ("clip", "siglip")
    }
    assert lengths["clip"].shape[1] < 24
    assert lengths["siglip"].shape[1] == 24
