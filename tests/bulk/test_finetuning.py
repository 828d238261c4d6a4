"""Processes that Ray Train starts reach what one process reaches, whatever of them dies; what can't be done is said."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from inkling.bulk.finetuning import Crew, finetune_on_ray
from inkling.errors import InputError
from inkling.finetune.recipe import Recipe, preset
from inkling.finetune.run import FineTunedMemory, FineTuningOptions, finetune_memory
from inkling.finetune.run_folder import TRAINING
from inkling.images.sources import find_images
from inkling.payloads import finetuning_payload
from inkling.sketch import write_dataset
from inkling.types import ImageRecord
from tests.bulk.cluster import Cluster
from tests.cli.program import Inkling

STEPS = 12
RECIPE = preset("last-blocks").changed(steps=STEPS, folds=2, batch_size=4, interpolate=1.0)


class TestCrew:
    """How many share a batch."""

    def test_as_many_as_there_is_room_for_and_the_batch_has_images(self) -> None:
        records = [ImageRecord("a.png", "cat"), ImageRecord("b.png", "dog"), ImageRecord("c.png", "cat")]
        assert Crew().size(FineTuningOptions(RECIPE), records, room=3) == 3
        assert Crew().size(FineTuningOptions(RECIPE), records, room=64) == 4
        assert Crew().size(FineTuningOptions(RECIPE.changed(accumulation=2)), records, room=64) == 2
        assert Crew().size(FineTuningOptions(Recipe(train="full", loss="classify", steps=1)), records, room=64) == 2

    def test_more_than_there_is_room_for_are_refused(self) -> None:
        with pytest.raises(InputError, match="4 processes were asked for, and the cluster has room for 3"):
            Crew(processes=4).size(FineTuningOptions(RECIPE), [], room=3)
        with pytest.raises(InputError, match="1 or more, got 0"):
            Crew(processes=0)

    @pytest.mark.parametrize(("crew", "room"), [(Crew(processes=1), 3), (Crew(), 1)])
    def test_one_process_has_nobody_to_split_a_model_with(self, crew: Crew, room: int) -> None:
        with pytest.raises(InputError, match="and there is one"):
            crew.size(FineTuningOptions(RECIPE, fsdp=True), [], room=room)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[ImageRecord]:
    folder = tmp_path_factory.mktemp("drawn")
    write_dataset(folder, ("anchor", "castle"), 4, seed=3, size=64)
    return find_images(str(folder), split="train").records


@pytest.fixture(scope="module")
def alone(records: list[ImageRecord], tmp_path_factory: pytest.TempPathFactory) -> FineTunedMemory:
    return finetune_memory(tmp_path_factory.mktemp("alone") / "a.ink", records, options=options())


def options(recipe: Recipe = RECIPE, *, resume: bool = False) -> FineTuningOptions:
    return FineTuningOptions(recipe, encoder="sketch", cache=False, resume=resume)


@pytest.mark.slow
@pytest.mark.thorough(quick="test_one_that_is_interrupted_ends_at_once_and_goes_on_without_ray")
def test_processes_that_die_begin_again_and_reach_what_one_reaches(
    cluster: Cluster, records: list[ImageRecord], alone: FineTunedMemory, tmp_path: Path
) -> None:
    """Of two processes one is killed in its first steps, and the driver hears of all steps."""
    heard: list[int] = []
    killer = threading.Thread(target=_kill_one_at_work, args=(cluster, heard))
    killer.start()
    done = finetune_on_ray(
        tmp_path / "a.ink",
        records,
        options=options(),
        crew=Crew(cluster.address),
        progress=lambda report: heard.append(report.step),
    )
    killer.join()
    assert heard.count(1) >= 1
    assert max(heard) == STEPS
    assert (done.version, done.changed) == (1, True)
    assert np.abs(done.tuned.class_vectors - alone.tuned.class_vectors).max() < 1e-4
    assert finetuning_payload(done)["ships"] == finetuning_payload(alone)["ships"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.finetuned", "a.ink"]


def _kill_one_at_work(cluster: Cluster, heard: list[int]) -> None:
    while not heard:
        time.sleep(0.02)
    cluster.workers("RayTrainWorker")[-1].kill()


@pytest.mark.slow
def test_one_that_is_interrupted_ends_at_once_and_goes_on_without_ray(
    cluster: Cluster, alone: FineTunedMemory, records: list[ImageRecord], tmp_path: Path
) -> None:
    pictures = Path(records[0].path).parents[1]
    recipe = ("--steps", STEPS, "--folds", 2, "--batch-size", 4, "--interpolate", 1, "--no-cache")
    given = ("finetune", pictures, "--memory", tmp_path / "a.ink", "--encoder", "sketch", *recipe)
    with Inkling(tmp_path, tmp_path / "cache").started(*given, "--engine", "ray", "--address", cluster.address) as run:
        while not (tmp_path / "a.finetuned" / TRAINING / "run.json").is_file():
            assert run.poll() is None, run.communicate()
            time.sleep(0.02)
        run.send_signal(signal.SIGINT)
        told = run.communicate(timeout=60)[1]
    assert run.returncode == 130, told
    assert "Ray starts the processes" in told
    assert "core_worker" not in told
    done = finetune_memory(tmp_path / "a.ink", records, options=options(resume=True))
    assert np.abs(done.tuned.class_vectors - alone.tuned.class_vectors).max() < 1e-4


@pytest.mark.slow
@pytest.mark.thorough(quick="test_one_that_is_interrupted_ends_at_once_and_goes_on_without_ray")
def test_what_the_processes_refuse_is_said_as_one_says_it(
    cluster: Cluster, records: list[ImageRecord], tmp_path: Path
) -> None:
    recipe = RECIPE.changed(loss="contrastive")
    with pytest.raises(InputError, match="takes one image of each class in a batch"):
        finetune_on_ray(tmp_path / "a.ink", records, options=options(recipe), crew=Crew(cluster.address))
    assert not (tmp_path / "a.ink").exists()


@pytest.mark.slow
def test_another_run_and_a_cluster_that_there_is_not_are_refused_before_anything_starts(
    records: list[ImageRecord], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"There is no Ray cluster at '127\.0\.0\.1:1'"):
        finetune_on_ray(tmp_path / "a.ink", records, options=options(), crew=Crew("127.0.0.1:1"))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "a.finetuned" / TRAINING).mkdir(parents=True)
    (tmp_path / "a.finetuned" / TRAINING / "run.json").write_text("{}")
    with pytest.raises(InputError, match="holds another run"):
        finetune_on_ray(tmp_path / "a.ink", records, options=options(), crew=Crew("127.0.0.1:1"))
    with pytest.raises(InputError, match="There is no run"):
        finetune_on_ray(tmp_path / "b.ink", records, options=options(resume=True), crew=Crew("127.0.0.1:1"))
