"""How long trainings are, and how often they are looked at."""

from __future__ import annotations

from inkling.finetune.training.stages import ENCODER, HEAD, MOST_LOOKS, stages_of
from tests.finetune.cases import recipe


def test_lengths_are_counted_in_epochs_steps_or_shots() -> None:
    assert stages_of(recipe(epochs=3), epoch_length=7, shots=2)[0].n_steps == 21
    assert stages_of(recipe(steps=5), epoch_length=7, shots=2)[0].n_steps == 5
    assert stages_of(recipe(steps_per_shot=500), epoch_length=7, shots=4)[0].n_steps == 2000
    assert stages_of(recipe(steps_per_shot=500), epoch_length=7, shots=99)[0].n_steps == 8000


def test_a_head_takes_the_last_steps() -> None:
    found = stages_of(recipe(steps=10, head_share=0.4), epoch_length=3, shots=1)
    assert [(stage.trains, stage.n_steps) for stage in found] == [(ENCODER, 6), (HEAD, 4)]
    assert [stage.trains for stage in stages_of(recipe(steps=10), epoch_length=3, shots=1)] == [ENCODER]


def test_looks_come_after_whole_epochs_and_at_the_end() -> None:
    (stage,) = stages_of(recipe(steps=10), epoch_length=4, shots=1)
    assert [step for step in range(1, 11) if stage.is_look(step)] == [4, 8, 10]


def test_short_epochs_are_put_together() -> None:
    (stage,) = stages_of(recipe(steps=8000), epoch_length=3, shots=1)
    looks = sum(stage.is_look(step) for step in range(1, 8001))
    assert MOST_LOOKS / 2 < looks <= MOST_LOOKS + 1
    assert stage.look_every % 3 == 0
