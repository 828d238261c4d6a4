"""Make .venv and install Inkling into it, with the build of torch that suits the machine.

Usage: python tools/set_up.py [--light]

With --light the installation is the one that users get without an extra: no torch, no tools. The
Makefile runs this. It needs the standard library alone, because nothing is installed when it starts.
docs/decisions/torch-build.md says why torch is treated on its own.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "constraints.txt"
ENVIRONMENT = ROOT / ".venv"

NO_CPU_BUILD = """\
The CPU build of torch {version} could not be installed for this Python ({python}); the output of pip and uv stands
above. The usual build brings several GB of CUDA libraries that a machine without an NVIDIA GPU cannot use. If the
network is not to blame, do one of these:
  - tell pip where PyTorch keeps its CPU builds (the PyTorch site's page "Get started" shows the command), by
    PIP_EXTRA_INDEX_URL or PIP_FIND_LINKS, and run this again;
  - use another Python that such a build exists for: make PYTHON=python3.11;
  - take the usual build all the same: make setup TORCH=any"""
BY_NPM = ("web_runtime.py", "axe.py")
"""Tools that fetch what npm has; the set-up goes on without."""


class SetUpError(Exception):
    """The environment cannot be made; the message says what to do."""


def main() -> None:
    """Set .venv up, or bring it up to date."""
    light = sys.argv[1:] == ["--light"]
    try:
        python = make_environment(ENVIRONMENT)
        if not light:
            install_torch(python, wants_cpu_build(os.environ.get("TORCH", "auto")))
        print("Installing Inkling and what it needs", flush=True)
        what = str(ROOT) if light else f"{ROOT}[dev]"
        pip(python, "install", "--quiet", "--constraint", str(CONSTRAINTS), "--editable", what)
        if not light:
            for tool in BY_NPM:
                subprocess.run([str(python), str(ROOT / "tools" / tool), "--if-possible"], check=False)
    except SetUpError as error:
        sys.exit(f"\n{error}")


def make_environment(folder: Path) -> Path:
    """Create the virtual environment unless it is there and works; return its Python."""
    python = folder / "bin" / "python"
    if not _works(python):
        print(f"Creating {folder} with Python {platform.python_version()}", flush=True)
        venv.create(folder, clear=True, symlinks=True, with_pip=True)
    return python


def wants_cpu_build(choice: str, *, system: str = platform.system(), has_gpu: Callable[[], bool] | None = None) -> bool:
    """Whether torch must be a build without CUDA.

    Only on Linux does the usual build bring CUDA along.
    """
    if choice not in {"auto", "cpu", "any"}:
        raise SetUpError(f"TORCH must be auto, cpu or any, not '{choice}'.")
    if choice != "auto":
        return choice == "cpu"
    return system == "Linux" and not (has_gpu or has_nvidia_gpu)()


def has_nvidia_gpu() -> bool:
    """Whether an NVIDIA driver answers."""
    if Path("/proc/driver/nvidia/version").exists():
        return True
    tool = shutil.which("nvidia-smi")
    return tool is not None and subprocess.run([tool, "-L"], capture_output=True, check=False).returncode == 0


def install_torch(python: Path, cpu: bool) -> None:
    """Install the pinned torch, before anything else can ask for another build of it."""
    version = pinned_torch()
    if not cpu:
        print(f"Installing torch {version}", flush=True)
        pip(python, "install", f"torch=={version}")
        return
    print(f"Installing torch {version}, CPU build", flush=True)
    refusals = []
    for install in (_cpu_build_by_pip, _cpu_build_by_uv):
        done = install(python, version)
        if done.returncode == 0:
            return
        refusals.append(done.stderr.strip())
    asked = _output(python, "-c", "import platform; print(platform.python_version(), platform.machine())")
    raise SetUpError("\n\n".join([*refusals, NO_CPU_BUILD.format(version=version, python=asked)]))


def pinned_torch(constraints: Path = CONSTRAINTS) -> str:
    """Version of torch in constraints.txt."""
    for line in constraints.read_text(encoding="utf-8").splitlines():
        name, _, version = line.partition("==")
        if name.strip() == "torch":
            return version.strip()
    raise SetUpError(f"{constraints} does not pin torch.")


def pip(python: Path, *arguments: str) -> None:
    """Run pip of the environment; its own messages say what went wrong."""
    if subprocess.run(_pip(python, *arguments), check=False).returncode:
        raise SetUpError("pip could not finish; its messages are above. Run the same make target again to go on.")


def _cpu_build_by_pip(python: Path, version: str) -> subprocess.CompletedProcess[str]:
    """From wherever this machine's pip is configured to look."""
    return _quiet_errors(_pip(python, "install", f"torch=={version}+cpu"))


def _cpu_build_by_uv(python: Path, version: str) -> subprocess.CompletedProcess[str]:
    """From PyTorch's own index of CPU builds, which uv knows."""
    got_uv = _quiet_errors(_pip(python, "install", "--quiet", "uv"))
    if got_uv.returncode:
        return got_uv
    uv = [str(python), "-m", "uv", "pip", "install", "--python", str(python)]
    return _quiet_errors([*uv, "--torch-backend", "cpu", f"torch=={version}"])


def _quiet_errors(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run with progress shown and errors kept: a first way that fails is no error while there is a second."""
    return subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)


def _pip(python: Path, *arguments: str) -> list[str]:
    return [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]


def _works(python: Path) -> bool:
    return (
        python.exists() and subprocess.run([str(python), "-m", "pip", "--version"], capture_output=True).returncode == 0
    )


def _output(python: Path, *arguments: str) -> str:
    return subprocess.run([str(python), *arguments], capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
