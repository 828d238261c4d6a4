"""What a memory knows of how its images came to be, with what is known of images that are added."""

from __future__ import annotations

from inkling.embeddings.groups import Groups
from inkling.embeddings.samples import Samples, views_of
from inkling.memory.amend import Amendment
from inkling.memory.content import VIEWS
from inkling.memory.heads import read_head, write_head


def remember_groups(memory: Amendment, samples: Samples) -> None:
    """Keep the groups that a user named for added images beside those of the memory."""
    if samples.groups is None:
        return
    head = read_head(memory)
    known = Groups.from_json(head.training.get("groups")) or Groups()
    training = {**head.training, "groups": known.also(samples.groups).to_json()}
    write_head(memory, head.state, calibration=head.calibration, training=training)


def remember_views(memory: Amendment, samples: Samples) -> None:
    """Keep of how many views vectors are the mean, others being added: the most, nothing where one is unknown."""
    head = read_head(memory)
    known, added = views_of(head.training.get(VIEWS), memory.encoder), samples.averaged_views
    if known == added:
        return
    training = {key: value for key, value in head.training.items() if key != VIEWS}
    if known is not None and added is not None:
        training[VIEWS] = max(known, added)
    write_head(memory, head.state, calibration=head.calibration, training=training)
