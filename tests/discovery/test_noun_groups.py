"""Groups of classes by what their names mean."""

from __future__ import annotations

import pytest

from inkling.discovery.noun_groups import noun_groups
from inkling.errors import InputError


def test_vehicles_stand_below_what_they_are() -> None:
    groups = noun_groups(["airplane", "bicycle", "boat", "bus", "car", "motorcycle", "train", "truck"])
    assert groups.above("car") == ("motor vehicle", "wheeled vehicle", "vehicle", "transport")
    assert groups.above("bicycle")[0] == "wheeled vehicle"


def test_a_group_holds_two_classes_at_least() -> None:
    names = ["bus", "car", "truck", "cat", "dog", "stone"]
    groups = noun_groups(names)
    for group in set(groups.parents.values()):
        assert sum(group in groups.above(name) for name in names) > 1


def test_several_words_count_by_the_last() -> None:
    assert "orchid" in noun_groups(["moon orchid", "hard-leaved pocket_orchid", "car"]).above("moon orchid")


def test_a_class_that_means_a_group_is_it() -> None:
    assert noun_groups(["dog", "beagle", "car", "truck"]).above("beagle")[0] == "dog"


def test_names_without_a_meaning_in_common_are_refused() -> None:
    with pytest.raises(InputError, match="share no wider meaning"):
        noun_groups(["xq-1", "xq-2"])
