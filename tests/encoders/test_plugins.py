"""Encoders that other packages register: how they are found, and the messages about those that do not work."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkling.encoders.base import Encoder
from inkling.encoders.registry import known_encoders, load_encoder, load_same_encoder
from inkling.errors import EncoderError, InputError
from tests.encoders.plugin_package import CODE, write_wheel

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Puts a package on the path for the test alone."""
    loaded = set(sys.modules)
    here = tmp_path / "installed"
    here.mkdir()
    monkeypatch.syspath_prepend(here)

    def install(**more: str) -> None:
        with zipfile.ZipFile(write_wheel(tmp_path, **more)) as wheel:
            wheel.extractall(here)

    yield install
    for name in set(sys.modules) - loaded:
        if name.startswith("ink_"):
            del sys.modules[name]


def test_it_is_opened_by_its_name_and_again_from_a_memory(install: Install) -> None:
    install()
    encoder = load_encoder("colours")
    assert isinstance(encoder, Encoder)
    vectors = encoder.encode_images([encoder.prepare(Image.new("RGB", (9, 7), "teal"))]).embeddings
    assert np.isclose(np.linalg.norm(vectors), 1)
    assert load_same_encoder(encoder.identity).identity == encoder.identity


def test_it_can_be_joined_and_cut(install: Install) -> None:
    install()
    identity = load_encoder("sketch+colours").identity
    assert (identity.source, identity.feature_dimension) == ("sketch + colours", 128 + 48)
    assert load_same_encoder(identity).identity == identity
    assert load_encoder("colours", dimensions=8).identity.source == "colours@8"


def test_it_is_listed_without_being_imported(install: Install) -> None:
    install(code="raise RuntimeError('imported')")
    (card,) = [card for card in known_encoders() if card.kind == "plugin"]
    assert (card.name, card.dimension, card.licence, card.texts, card.needs) == ("colours", None, "MIT", None, ())
    assert card.note == "of the package ink-colours 1.2: Colours alone"


def test_nobody_looks_for_packages_where_a_name_or_a_folder_tells(
    clip_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked(**_: object) -> None:
        raise AssertionError("looked for entry points")

    monkeypatch.setattr("importlib.metadata.entry_points", looked)
    for source in ("sketch", str(clip_folder), f"sketch + {clip_folder}", "sketch@16"):
        load_encoder(source)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import ink_missing", "ModuleNotFoundError: No module named 'ink_missing'"),
        ("raise SystemError('broken')", "SystemError: broken"),
        ("Other = 1", "AttributeError"),
        ("Colours = 1", "TypeError: 'int' object is not callable"),
        ("def Colours(): ...", "TypeError"),
    ],
)
def test_a_package_that_fails_is_named(code: str, told: str, install: Install) -> None:
    install(code=code)
    with pytest.raises(EncoderError) as raised:
        load_encoder("colours")
    assert "The encoder 'colours' of the package ink-colours 1.2 can't be opened" in str(raised.value)
    assert told in str(raised.value)
    assert "ink_colours:Colours" in str(raised.value)


def test_an_error_of_ours_passes(install: Install) -> None:
    code = (
        "from inkling.errors import InputError\ndef Colours(*, device, precision):\n    raise InputError('No camera.')"
    )
    install(code=code)
    with pytest.raises(InputError, match="No camera"):
        load_encoder("colours")


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (
            "def Colours(**_): return 7",
            "is no encoder: int lacks identity, has_texts, text_template, shorter_side, prep",
        ),
        (CODE.replace("def prepare", "def prepared"), "is no encoder: Colours lacks prepare."),
        (CODE.replace("self.identity = EncoderIdentity(", "self.identity = dict("), "is no EncoderIdentity"),
        (CODE.replace('source="colours"', 'source="rainbow"'), "identity.source 'rainbow'; expected 'colours'"),
    ],
)
def test_what_is_no_encoder_is_refused(code: str, told: str, install: Install) -> None:
    install(code=code)
    with pytest.raises(EncoderError) as raised:
        load_encoder("colours")
    assert told in str(raised.value)
    assert "package ink-colours 1.2" in str(raised.value)


def test_two_packages_with_one_name(install: Install) -> None:
    install()
    install(name="ink-hues", entries="colours = ink_hues:Colours")
    with pytest.raises(EncoderError, match=r"Several packages .* 'colours': ink-colours 1\.2, ink-hues 1\.2"):
        load_encoder("colours")
    assert len([card for card in known_encoders() if card.name == "colours"]) == 2


def test_a_name_of_our_own_stays_ours_and_a_warning_says_so(install: Install) -> None:
    install(entries="sketch = ink_colours:Colours")
    assert load_encoder("sketch").identity.dimension == 128
    with pytest.warns(UserWarning, match=r"'sketch' is registered by ink-colours 1\.2 too; Inkling's own is used"):
        cards = known_encoders()
    assert [card.kind for card in cards if card.name == "sketch"] == ["embedded"]


def test_a_name_that_reads_as_something_else_is_passed_over(install: Install) -> None:
    install(entries="a+b = ink_colours:Colours\nsomeone/model = ink_colours:Colours\ncolours = ink_colours:Colours")
    assert [card.name for card in known_encoders() if card.kind == "plugin"] == ["colours"]


def test_a_slip_in_its_name(install: Install) -> None:
    install()
    with pytest.raises(EncoderError, match=r"no encoder 'colors'\. Did you mean 'colours'"):
        load_encoder("colors")
