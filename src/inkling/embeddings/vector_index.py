"""usearch, which indexes vectors, loaded so that it gets along with onnxruntime."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from types import ModuleType

from inkling.errors import require


def usearch(*, extra: str, purpose: str) -> ModuleType:
    """The module `usearch.index`.

    Where onnxruntime is loaded after usearch, the process ends by a fault of memory (usearch 2.26 with onnxruntime
    1.32); in the other order both work. So onnxruntime, where it is installed, is loaded first.

    Parameters
    ----------
    extra, purpose
        As for `inkling.errors.require`.

    Raises
    ------
    MissingExtraError
        If usearch is not installed.
    """
    with suppress(ImportError):
        import_module("onnxruntime")
    require("usearch", extra=extra, purpose=purpose)
    return import_module("usearch.index")
