"""What is refused of a picture by its size alone."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from inkling.classifier.few_shot import FewShotClassifier
from inkling.errors import UnreadableImageError
from inkling.images.budget import check_size


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
def test_pictures_without_a_pixel_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(UnreadableImageError, match="the picture is empty"):
        check_size(size)


def test_an_empty_picture_does_not_take_the_others_with_it() -> None:
    """From Python, where no file stands between."""
    pictures = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    classifier = FewShotClassifier("sketch", head="prototype", cache=False).fit(pictures, ["red", "blue"])
    asked = [Image.new("RGB", (0, 0)), pictures[0], np.zeros((0, 0, 3), np.uint8)]
    found = classifier.predict(asked, errors="skip")
    assert [name is None for name in found] == [True, False, True]
