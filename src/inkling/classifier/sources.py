"""Which labelled images are no independent draws: those of one source, as the user named them or as they are found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from inkling.embeddings.groups import Groups
from inkling.embeddings.samples import Samples
from inkling.heads.one_source import one_source
from inkling.heads.threads import threads_for
from inkling.wording import counted


def with_sources(samples: Samples, *, seed: int) -> Samples:
    """The same, with groups of images that come from one source; those that the user named stay.

    Parameters
    ----------
    samples
        Each with a label.
    seed
        Draws the images by which chance is measured.
    """
    if samples.groups is not None and samples.groups.given:
        return samples
    rows = np.array(list(samples.first_rows.values()), dtype=np.int64)
    column = np.unique(np.asarray(samples.labels), return_inverse=True)[1]
    X = samples.telling[rows]
    with threads_for(X.size):
        source = one_source(X, column[rows], seed=seed)
    order = np.argsort(source, kind="stable")
    groups = np.split(rows[order], np.flatnonzero(np.diff(source[order])) + 1)
    hashes = samples.content_hashes
    return replace(samples, groups=Groups.found([hashes[row] for row in group] for group in groups if len(group) > 1))


def sources_finding(samples: Samples) -> str | None:
    """How many sources there are, in one sentence; None where each image is one of its own."""
    n_sources = len(np.unique(samples.sources))
    if n_sources == samples.n_images:
        return None
    given = samples.groups is not None and samples.groups.given
    how = "as their groups say" if given else "found by how alike they are"
    return f"{counted(samples.n_images, 'image')} are {counted(n_sources, 'source')}, {how}"
