"""Which images come from one source: what a memory knows of it, with what is known of images that are added."""

from __future__ import annotations

from inkling.embeddings.groups import Groups
from inkling.embeddings.samples import Samples
from inkling.memory.amend import Amendment
from inkling.memory.heads import read_head, write_head


def remember_groups(memory: Amendment, samples: Samples) -> None:
    """Keep the groups that a user named for added images beside those of the memory."""
    if samples.groups is None:
        return
    head = read_head(memory)
    known = Groups.from_json(head.training.get("groups")) or Groups()
    training = {**head.training, "groups": known.also(samples.groups).to_json()}
    write_head(memory, head.state, calibration=head.calibration, training=training)
