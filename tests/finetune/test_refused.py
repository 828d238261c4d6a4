"""What fine-tuning can't tune is refused before any work."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkling.errors import EncoderError
from inkling.finetune.finetuner import FineTuner
from tests.encoders.families import write_altclip, write_naflex
from tests.encoders.folders import write_dinov2


@pytest.mark.parametrize(
    ("write", "title"), [(write_dinov2, "DINOv2"), (write_naflex, "NaFlex"), (write_altclip, "AltCLIP")]
)
def test_families_that_it_does_not_know(write, title: str, tmp_path: Path) -> None:
    write(tmp_path / "model")
    with pytest.raises(EncoderError, match=f"can't be fine-tuned.*CLIP or SigLIP.*{title}"):
        FineTuner(tmp_path / "model")
