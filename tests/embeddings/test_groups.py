"""Sources of images by their contents."""

from __future__ import annotations

from inkling.embeddings.groups import Groups
from inkling.embeddings.samples import source_numbers

PICTURE = "0123456789abcdef" * 2
BOXES = (f"{PICTURE}#0000000000000001", f"{PICTURE}#0000000000000002")


def test_images_without_a_group_are_sources_of_their_own_and_boxes_of_their_picture() -> None:
    groups = Groups.from_user(["a", "b", "c", "d"], ["x", None, "x", "y"])
    assert groups is not None
    numbers = source_numbers(["a", "b", "c", "d", "e", *BOXES], groups).tolist()
    assert numbers[0] == numbers[2]
    assert numbers[5] == numbers[6]
    assert len(set(numbers)) == 5
    assert Groups.from_user(["a", "b"], [None, None]) is None


def test_a_group_called_like_a_content_is_another_source() -> None:
    assert len(set(source_numbers(["a", "b"], Groups.from_user(["a"], ["b"])).tolist())) == 2


def test_json_and_back_and_more_of_them() -> None:
    found = Groups.found([["a", "b"], ["c", "d"]])
    back = Groups.from_json(found.to_json())
    assert back == found
    assert Groups.from_json(None) is None
    both = found.also(Groups.from_user(["b", "e", "f"], ["x", "x", "x"]))
    assert both.given
    assert both.of["b"] == found.of["b"]
    assert both.of["e"] == both.of["f"]
    assert found.also(None) is found
