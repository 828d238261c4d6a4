"""The prompts of the classes as tokens, and class text vectors with gradients. Imports torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from inkling.encoders.files import hash_value
from inkling.encoders.transformers.loaded_model import pooled
from inkling.encoders.transformers.model_folder import ModelFolder
from inkling.encoders.transformers.tokens import Tokenizer


@dataclass(frozen=True, eq=False)
class ClassTexts:
    """Tokens of all prompts of all classes, cut to the longest real length where that changes nothing.

    Attributes
    ----------
    tokens
        Arguments of the text tower, each (n_texts, n_tokens).
    owners
        Which class each text belongs to, (n_texts,).
    n_classes
        Number of classes.
    """

    tokens: Mapping[str, Tensor]
    owners: Tensor
    n_classes: int

    @classmethod
    def of(cls, prompts: Sequence[Sequence[str]], folder: ModelFolder) -> ClassTexts:
        """Tokenize the prompts of each class with the tokenizer of a model."""
        owners = [k for k, texts in enumerate(prompts) for _ in texts]
        return cls(Tokenizer(folder)(list(chain(*prompts))), torch.tensor(owners), len(prompts))

    def only(self, classes: Tensor) -> ClassTexts:
        """The texts of some classes (n,), which are numbered anew in the order given."""
        place = torch.full((self.n_classes,), -1)
        place[classes] = torch.arange(len(classes))
        rows = torch.nonzero(place[self.owners] >= 0).flatten()
        tokens = {name: value[rows] for name, value in self.tokens.items()}
        return ClassTexts(tokens, place[self.owners[rows]], len(classes))

    def digest(self) -> str:
        """Hash of the content."""
        content = {name: value.tolist() for name, value in self.tokens.items()} | {"owners": self.owners.tolist()}
        return hash_value(content)


def class_vectors(model: Any, texts: ClassTexts, *, device: torch.device) -> Tensor:
    """Unit text vectors t_k = norm(mean_p norm(E(prompt_p))), (n_classes, d) float32 (Radford et al. 2021)."""
    tokens = {name: value.to(device) for name, value in texts.tokens.items()}
    vectors = normalize(pooled(model.get_text_features(**tokens)).float(), dim=1)
    if texts.n_classes == len(vectors) and bool((texts.owners == torch.arange(len(vectors))).all()):
        return vectors
    sums = torch.zeros(texts.n_classes, vectors.shape[1], device=device)
    return normalize(sums.index_add(0, texts.owners.to(device), vectors), dim=1)
