"""A memory of drawn pictures with two open proposals, and a service of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from browser import Browser, find_chromium
from inkling import FewShotClassifier
from inkling.images.handed_over import records_of
from inkling.review.explore import explore
from inkling.serving.app import create_app
from inkling.serving.service import Service
from inkling.serving.settings import Settings
from inkling.sketch import weights_folder, write_dataset
from served import listening
from tests.cli.program import PROGRAM
from tests.serving.browsed import Person
from tests.serving.running import Running, Start

FILMING = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``train`` and ``test`` with three kinds, ``inbox`` with two others, and ``vehicles.ink``."""
    if not (weights_folder() / "config.json").is_file():
        pytest.skip("the embedded encoder has no weights in this tree")
    folder = tmp_path_factory.mktemp("serving")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("INKLING_CACHE", str(folder / "cache"))
        write_dataset("train", ["castle", "cat", "tree"], 8, seed=0)
        write_dataset("test", ["castle", "cat", "tree"], 3, seed=1)
        write_dataset("drawn", ["car", "starfish"], 8, seed=2)
        Path("inbox").mkdir()
        for picture in sorted(Path("drawn").rglob("*.png")):
            picture.rename(Path("inbox") / picture.name)
        FewShotClassifier("sketch").fit("train").save("vehicles.ink")
        classifier = FewShotClassifier.load("vehicles.ink")
        explore("vehicles.ink", classifier, classifier.embed(records_of("inbox")), min_images=3)
    return folder


@pytest.fixture
def memory(stage: Path, tmp_path: Path) -> Path:
    """A copy of the memory, for the test alone."""
    return Path(shutil.copy(stage / "vehicles.ink", tmp_path / "vehicles.ink"))


@pytest.fixture
def settings() -> Settings:
    """How the service is run; test modules have their own."""
    return Settings(min_images=3)


@pytest.fixture
def service(memory: Path, settings: Settings, stage: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A service that is ready."""
    monkeypatch.setenv("INKLING_CACHE", str(stage / "cache"))
    service = Service(str(memory), limits=settings.limits)
    service.start()
    yield service
    service.close()


@pytest.fixture
def client(service: Service, settings: Settings) -> TestClient:
    """A client on the same machine."""
    app = create_app(service, settings)
    return TestClient(app, base_url="http://localhost:8000", client=("127.0.0.1", 50000))


@pytest.fixture
def start(memory: Path, stage: Path) -> Iterator[Start]:
    """Starts the program on a free port; all that were started end with the test."""
    running: list[Running] = []
    environment = os.environ | {"INKLING_CACHE": str(stage / "cache"), "INKLING_TOKEN": ""}

    def begin(*options: str, where: object = memory) -> Running:
        command = [*PROGRAM, "serve", str(where), "--port", "0", *options]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        running.append(Running(process))
        return running[-1]

    yield begin
    for one in running:
        one.process.kill()
        one.process.wait(30)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A browser with a camera that films a test picture."""
    if find_chromium() is None:
        pytest.skip("no Chromium is installed")
    with Browser(*FILMING) as browser:
        yield browser


@pytest.fixture
def person(browser: Browser, service: Service, settings: Settings) -> Iterator[Person]:
    """Somebody with the page of the service open."""
    browser.looks(width=1280, height=900)
    with listening(create_app(service, settings)) as address:
        yield Person(browser, address)
        browser.open("about:blank")
