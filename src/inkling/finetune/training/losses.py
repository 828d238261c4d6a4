"""Losses between a batch of images and the texts of their classes.

All take unit image vectors f (n, d), unit text vectors t (n_classes, d), the class y_i of each image as a row of t, and
the logit scale s. Imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

Loss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def contrastive(images: Tensor, texts: Tensor, labels: Tensor, scale: Tensor) -> Tensor:
    """Symmetric cross-entropy of a batch that holds one image per class.

    With the logits z_ij = s f_i.t_{y_j} between image i and the text of image j: (CE(z, i) + CE(z', i)) / 2, the loss
    of CLIP's pretraining (Radford et al. 2021, 2103.00020).
    """
    logits = scale * images @ texts[labels].T
    own = torch.arange(len(images), device=images.device)
    return (cross_entropy(logits, own) + cross_entropy(logits.T, own)) / 2


def flyp(images: Tensor, texts: Tensor, labels: Tensor, scale: Tensor) -> Tensor:
    """The contrastive loss for batches in which classes repeat: soft targets q_ij = [y_i = y_j] / row sum.

    Each image is as near to the texts of its fellows as to its own (Goyal et al. 2023, 2212.00638).
    """
    logits = scale * images @ texts[labels].T
    same = (labels[:, None] == labels[None, :]).to(logits.dtype)
    targets = same / same.sum(dim=1, keepdim=True)
    return (cross_entropy(logits, targets) + cross_entropy(logits.T, targets)) / 2


def classify(images: Tensor, texts: Tensor, labels: Tensor, scale: Tensor) -> Tensor:
    """Cross-entropy of z_ik = s f_i.t_k over the classes: the text vectors are a linear classifier."""
    return cross_entropy(scale * images @ texts.T, labels)


LOSSES: Mapping[str, Loss] = {"contrastive": contrastive, "flyp": flyp, "classify": classify}

READS_ALL_CLASSES = frozenset({"classify"})
"""Losses that compare with every class; the others only with those of the batch."""
