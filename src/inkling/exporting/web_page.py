"""The page that runs an exported model in a browser, and the runtime that it brings."""

from __future__ import annotations

import shutil
from pathlib import Path

from inkling.errors import InputError, MissingExtraError

PAGE = Path(__file__).parent / "web"
COMMON = PAGE / "common"
"""What the page of a service is made of too."""

RUNTIME = PAGE / "runtime"
MODEL = "model.onnx"
_NEEDED = ("ort.js", "ort-wasm-simd-threaded.wasm", "LICENSE", "ThirdPartyNotices.txt")

MOST_BYTES = 1_000_000_000
"""Of a model in a browser, whose memory of four gigabytes holds it three times while it starts."""


def require_runtime() -> None:
    """Say before long work that the page can't run.

    Raises
    ------
    MissingExtraError
        If this installation lacks the runtime.
    """
    missing = [name for name in _NEEDED if not (RUNTIME / name).is_file()]
    if missing:
        raise MissingExtraError(
            f"The page needs onnxruntime-web, which this installation lacks (there is no {missing[0]} in {RUNTIME}).",
            remedy="Install Inkling from a wheel that has it; in a checkout run `python tools/web_runtime.py`, which "
            "needs npm.",
        )


def write_page(folder: Path) -> None:
    """Put the page beside a model in a folder.

    Raises
    ------
    InputError
        If the model is too large for a browser.
    """
    size = sum(path.stat().st_size for path in folder.glob(f"{MODEL}*"))
    if size > MOST_BYTES:
        raise InputError(
            f"The model has {size / 1e9:.1f} GB; a browser runs {MOST_BYTES / 1e9:.0f} GB at most.",
            remedy="Use a smaller encoder, or export it as onnx for a server.",
        )
    drafts = shutil.ignore_patterns(".*")
    shutil.copytree(PAGE, folder, dirs_exist_ok=True, ignore=drafts, copy_function=shutil.copyfile)
