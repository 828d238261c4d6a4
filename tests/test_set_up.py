"""The set-up chooses the build of torch that suits the machine, and says what to do where it cannot."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tools import set_up

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("choice", "system", "gpu", "cpu_build"),
    [
        ("auto", "Linux", False, True),
        ("auto", "Linux", True, False),
        ("auto", "Darwin", False, False),
        ("cpu", "Linux", True, True),
        ("any", "Linux", False, False),
    ],
)
def test_only_linux_without_a_gpu_needs_the_cpu_build(choice: str, system: str, gpu: bool, cpu_build: bool) -> None:
    assert set_up.wants_cpu_build(choice, system=system, has_gpu=lambda: gpu) is cpu_build


def test_a_misspelt_choice_is_refused() -> None:
    with pytest.raises(set_up.SetUpError, match="auto, cpu or any, not 'gpu'"):
        set_up.wants_cpu_build("gpu")


def fake_python(folder: Path, *, has_cpu_build_by: str | None) -> Path:
    """A Python whose pip knows the CPU build or not, and that writes down what it is asked for."""
    python = folder / "python"
    python.write_text(
        "#!/bin/sh\n"
        f'echo "$*" >> "{folder}/calls"\n'
        'case "$*" in\n'
        '  "-c "*) echo "3.99 toaster" ;;\n'
        f'  *"pip"*"+cpu") [ "{has_cpu_build_by}" = pip ] || {{ echo "pip knows none" >&2; exit 1; }} ;;\n'
        f'  "-m uv "*) [ "{has_cpu_build_by}" = uv ] || {{ echo "uv knows none" >&2; exit 1; }} ;;\n'
        "esac\n"
    )
    python.chmod(0o755)
    return python


def test_the_build_that_pip_is_configured_for_comes_first(tmp_path: Path) -> None:
    set_up.install_torch(fake_python(tmp_path, has_cpu_build_by="pip"), cpu=True)
    assert "uv" not in (tmp_path / "calls").read_text()


def test_uv_finds_the_build_where_pip_does_not(tmp_path: Path) -> None:
    set_up.install_torch(fake_python(tmp_path, has_cpu_build_by="uv"), cpu=True)
    last = (tmp_path / "calls").read_text().splitlines()[-1]
    assert last.startswith("-m uv pip install")
    assert last.endswith(f"--torch-backend cpu torch=={set_up.pinned_torch()}")


def test_without_a_cpu_build_the_set_up_stops_and_names_ways_on(tmp_path: Path) -> None:
    with pytest.raises(set_up.SetUpError) as caught:
        set_up.install_torch(fake_python(tmp_path, has_cpu_build_by=None), cpu=True)
    for part in ("pip knows none", "uv knows none", "3.99 toaster", "PIP_EXTRA_INDEX_URL", "TORCH=any"):
        assert part in str(caught.value)
    plain = f"install torch=={set_up.pinned_torch()}"
    assert not [line for line in (tmp_path / "calls").read_text().splitlines() if line.endswith(plain)]


def test_the_pin_of_torch_is_found_and_missed(tmp_path: Path) -> None:
    pins = tmp_path / "constraints.txt"
    pins.write_text("# torch==1.0\ntorchmetrics==1.0\ntorch==2.13.0\n")
    assert set_up.pinned_torch(pins) == "2.13.0"
    pins.write_text("numpy==2.0\n")
    with pytest.raises(set_up.SetUpError, match="does not pin torch"):
        set_up.pinned_torch(pins)


def find_python(folder: Path, **programs: str) -> subprocess.CompletedProcess[str]:
    """Run tools/find-python where only the given programs can be found; each is the body of a shell script."""
    for name, body in programs.items():
        program = folder / name.replace("_", ".")
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
    environment = {**os.environ, "PATH": str(folder)}
    return subprocess.run(["/bin/sh", str(ROOT / "tools/find-python")], env=environment, capture_output=True, text=True)


def test_the_first_python_that_works_is_taken(tmp_path: Path) -> None:
    done = find_python(tmp_path, python3_11="exit 127", python3_12="exit 0", python3_13="exit 0")
    assert (done.stdout, done.returncode) == ("python3.12\n", 0)


def test_a_missing_or_old_python_is_reported(tmp_path: Path) -> None:
    done = find_python(tmp_path, python3="exit 1")
    assert (done.stdout, done.returncode) == ("", 1)
    assert "needs Python 3.11 or newer" in done.stderr


def test_a_python_without_venv_is_reported(tmp_path: Path) -> None:
    done = find_python(tmp_path, python3='case "$2" in *ensurepip*) exit 1 ;; esac')
    assert (done.stdout, done.returncode) == ("", 1)
    assert "apt-get install python3-venv" in done.stderr
