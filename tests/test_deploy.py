"""What machines are to run: the container file and the unit name what there is, and run it with few rights."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema import Draft7Validator
from typer.main import get_command

from inkling.cli.main import app

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "inkling.service"
Instruction = tuple[str, str]


def instructions() -> list[Instruction]:
    """Instructions of the container file with what they are given, in one line each."""
    lines = [line for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    joined = re.sub(r"\s*\\\n\s*", " ", "\n".join(lines))
    return [(words[0], words[2]) for line in joined.splitlines() if (words := line.partition(" "))[0]]


def last_stage() -> list[Instruction]:
    every = instructions()
    begins = [place for place, (name, _) in enumerate(every) if name == "FROM"]
    return every[begins[-1] :]


def given(stage: Sequence[Instruction], name: str) -> str:
    (found,) = (rest for one, rest in stage if one == name)
    return found


def read_command(arguments: Sequence[str]) -> dict[str, object]:
    """Options of a command line of the program, read as the program reads them."""
    verb = get_command(app).commands[arguments[0]]
    return verb.make_context(arguments[0], list(arguments[1:])).params


def test_every_instruction_of_the_container_file_is_known() -> None:
    known = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK"}
    assert {name for name, _ in instructions()} <= known | {"ENTRYPOINT", "CMD"}


def test_the_container_is_built_from_the_wheel_of_what_is_here() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [rest.split()[:-1] for name, rest in instructions() if name == "COPY" and not rest.startswith("--from=")]
    names = {name.removeprefix("./") for one in copied for name in one}
    assert all((ROOT / name).exists() for name in names)
    assert {f"!{name}" for name in names} <= {*ignored}
    build = " ".join(rest for name, rest in instructions() if name == "RUN")
    assert "pip wheel" in build
    assert "--constraint constraints.txt" in build
    (extras,) = re.findall(r"\.whl\)\[([\w,]+)\]", build)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {*extras.split(",")} <= project["optional-dependencies"].keys() - {"torch", "all", "dev"}


def test_the_container_runs_without_rights_and_writes_to_its_volume_and_tmp_alone() -> None:
    stage = last_stage()
    assert int(given(stage, "USER")) > 0
    assert given(stage, "VOLUME") == "/data"
    folders = dict(part.split("=", 1) for part in shlex.split(given(stage, "ENV")))
    assert folders["HOME"].startswith("/tmp")
    assert folders["INKLING_CACHE"].startswith("/tmp")
    assert folders["PYTHONDONTWRITEBYTECODE"] == "1"


def test_the_container_runs_a_command_that_there_is() -> None:
    stage = last_stage()
    assert json.loads(given(stage, "ENTRYPOINT")) == ["inkling"]
    options = read_command(json.loads(given(stage, "CMD")))
    assert options["memory"] == "/data/memory.ink"
    assert str(options["port"]) == given(stage, "EXPOSE")
    check = json.loads(given(stage, "HEALTHCHECK").partition("CMD ")[2])
    compile(check[2], "healthcheck", "exec")
    assert f":{options['port']}/readyz" in check[2]


def test_the_unit_runs_a_command_that_there_is() -> None:
    (line,) = re.findall(r"^ExecStart=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)
    program, *arguments = shlex.split(line)
    assert Path(program).name == "inkling"
    options = read_command(arguments)
    assert options["host"] == "127.0.0.1"
    assert str(options["token_file"]).startswith("${CREDENTIALS_DIRECTORY}/")


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("there is no systemd-analyze")
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text(encoding="utf-8").replace("/opt/inkling/bin/inkling", "/bin/true"), encoding="utf-8")
    done = subprocess.run([analyze, "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False)
    assert (done.returncode, [line for line in done.stderr.splitlines() if UNIT.name in line]) == (0, [])
    rated = subprocess.run(
        [analyze, "security", "--offline=true", "--threshold=30", "--no-pager", str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert rated.returncode == 0, rated.stdout[-300:]


@pytest.fixture(scope="module")
def composed() -> dict[str, Any]:
    """The services of the example for compose."""
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    described: dict[str, Any] = yaml.safe_load(text)
    return described


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    """The resources of the example for Kubernetes by their kind."""
    text = (DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8")
    return {each["kind"]: each for each in yaml.safe_load_all(text)}


def test_compose_takes_the_file(composed: dict[str, Any]) -> None:
    Draft7Validator(get_builtin_schema("vendor.compose-spec")).validate(composed)
    services = composed["services"]
    assert services["service"]["build"] == ".."
    assert services["service"]["read_only"]
    (volume,) = services["proxy"]["volumes"]
    assert (DEPLOY / volume.partition(":")[0]).is_file()
    for one in services.values():
        assert {*one.get("depends_on", ())} <= services.keys()


def test_the_proxy_sends_to_the_port_that_the_replicas_have(composed: dict[str, Any]) -> None:
    options = read_command(composed["services"]["service"]["command"])
    proxy = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    assert {*re.findall(r"server (\S+) resolve;", proxy)} == {f"service:{options['port']}"}
    upstreams = re.findall(r"^upstream (\w+)", proxy, re.MULTILINE)
    assert sorted(re.findall(r"proxy_pass http://(\w+);", proxy)) == sorted(upstreams)
    (listens,) = re.findall(r"listen (\d+);", proxy)
    assert composed["services"]["proxy"]["ports"] == [f"127.0.0.1:8000:{listens}"]


@pytest.mark.parametrize("kind", ["Deployment", "Service", "PodDisruptionBudget"])
def test_kubernetes_takes_the_file(resources: dict[str, Any], kind: str) -> None:
    kubernetes_validate.validate(resources[kind], "1.32", strict=True)


def test_the_pods_run_a_command_that_there_is_without_rights(resources: dict[str, Any]) -> None:
    pod = resources["Deployment"]["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    options = read_command(container["args"])
    assert options["memory"] == "$(DATABASE)"
    assert [one["containerPort"] for one in container["ports"]] == [options["port"]]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert str(pod["spec"]["securityContext"]["runAsUser"]) == given(last_stage(), "USER")
    for kind in ("Service", "PodDisruptionBudget"):
        selector = resources[kind]["spec"]["selector"]
        assert selector.get("matchLabels", selector).items() <= pod["metadata"]["labels"].items()
    assert resources["Service"]["spec"]["sessionAffinity"] == "ClientIP"
