"""What is served, without HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from numpy.typing import NDArray

from inkling.images.handed_over import records_of
from inkling.serving.answered import Wanted
from inkling.serving.service import Service
from inkling.types import SkippedImage


def test_no_batch_is_larger_than_that_of_the_warming_up(
    memory: Path, stage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the encoder asks for all its memory before the service is ready."""
    service = Service(str(memory))
    kind, batches = type(service._encoder), list[int]()
    real = kind.encode_images

    def encoded(self: Any, prepared: Sequence[NDArray[Any]]) -> Any:
        batches.append(len(prepared))
        return real(self, prepared)

    monkeypatch.setattr(kind, "encode_images", encoded)
    service.start()
    try:
        warmed = max(batches)
        batches.clear()
        pictures = [service.looked_at(record) for record in records_of(stage / "inbox")]
        wanted = [Wanted(one, 1, 0) for one in pictures if not isinstance(one, SkippedImage)]
        for answer in service.ask(3 * wanted):
            answer.result(30)
    finally:
        service.close()
    assert len(wanted) == 16
    assert sum(batches) == 48
    assert max(batches) <= warmed
