"""Class names to texts: rendering, disambiguation, aliases, sets of templates, files, and means over prompts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from inkling.errors import InputError
from inkling.prompts import (
    DEFAULT_TEMPLATE,
    IMAGENET_TEMPLATES,
    SIMPLE_TEMPLATES,
    TEMPLATE_SETS,
    ClassPrompts,
    mean_text_vector,
    read_prompts,
    resolve_templates,
)

ONE = ("a photo of a {}.",)


class TestTexts:
    @pytest.mark.parametrize(
        ("name", "spoken"), [("crane", "crane"), ("Faces_easy", "Faces easy"), ("  sea__horse ", "sea horse")]
    )
    def test_names_are_spoken_without_underscores(self, name: str, spoken: str) -> None:
        assert ClassPrompts(name).texts(ONE) == (f"a photo of a {spoken}.",)

    def test_a_disambiguation_goes_behind_each_name(self) -> None:
        crane = ClassPrompts("crane", aliases=("sarus",), disambiguation="a bird")
        assert crane.texts(ONE) == ("a photo of a crane, a bird.", "a photo of a sarus, a bird.")

    def test_aliases_fill_each_template_and_none_comes_twice(self) -> None:
        crane = ClassPrompts("crane", aliases=("sarus", "crane"))
        assert crane.texts(("a {}", "the {}")) == ("a crane", "a sarus", "the crane", "the sarus")

    def test_own_prompts_stand_in_for_the_templates(self) -> None:
        castle = ClassPrompts("castle", prompts=("a building with a tower.", "an old {}."))
        assert castle.texts(ONE) == ("a building with a tower.", "an old castle.")

    def test_braces_in_a_name_do_no_harm(self) -> None:
        assert ClassPrompts("{0} {name}").texts(ONE) == ("a photo of a {0} {name}.",)

    @pytest.mark.parametrize("field", ["prompts", "aliases"])
    def test_a_text_is_not_taken_for_many_letters(self, field: str) -> None:
        with pytest.raises(InputError, match="must be several texts"):
            ClassPrompts("crane", **{field: "a crane."})


class TestTemplates:
    @pytest.mark.parametrize(("name", "size"), [("default", 1), ("simple", 7), ("imagenet", 68)])
    def test_sets_have_their_size_and_a_place_for_the_name(self, name: str, size: int) -> None:
        templates = resolve_templates(name)
        assert len(templates) == len(set(templates)) == size
        assert all(template.count("{}") == 1 for template in templates)

    def test_the_sets_build_on_each_other(self) -> None:
        assert TEMPLATE_SETS["default"] == (DEFAULT_TEMPLATE,)
        assert SIMPLE_TEMPLATES[0] == DEFAULT_TEMPLATE
        assert set(IMAGENET_TEMPLATES) & set(SIMPLE_TEMPLATES)

    def test_a_text_and_several_are_taken_as_they_are(self) -> None:
        assert resolve_templates("a drawing of a {}.") == ("a drawing of a {}.",)
        assert resolve_templates(["a {}", "the {}"]) == ("a {}", "the {}")

    def test_an_encoder_may_know_only_one(self) -> None:
        assert resolve_templates(None) == (DEFAULT_TEMPLATE,)
        assert resolve_templates(None, only="a {}") == ("a {}",)
        assert resolve_templates("simple", only="a {}") == SIMPLE_TEMPLATES

    @pytest.mark.parametrize(
        ("choice", "told"),
        [
            ("simpel", "Did you mean 'simple'"),
            ("a photo.", "neither a set"),
            (["a {}", "b"], "'b' is"),
            ([], "no temp"),
        ],
    )
    def test_what_has_no_place_for_the_name_is_refused(self, choice: str | list[str], told: str) -> None:
        with pytest.raises(InputError, match=told):
            resolve_templates(choice)


YAML = """
crane:
  prompts: ["a photo of a {}, wading.", a tall bird.]
  aliases: [sarus, demoiselle]
  disambiguation: a bird
castle: a building with a tower.
tree: ["a {} in leaf.", "a bare {}."]
rose: {aliases: briar}
fern:
7: {disambiguation: a number}
"""
CSV = """class,prompt,alias,disambiguation
crane,"a photo of a {}, wading.",sarus,a bird
crane,a tall bird.,demoiselle,
castle,a building with a tower.,,
tree,a {} in leaf.,,
tree,a bare {}.,,
rose,,briar,
fern,,,
7,,,a number
,lost,,
"""
EXPECTED = [
    ClassPrompts("crane", ("a photo of a {}, wading.", "a tall bird."), ("sarus", "demoiselle"), "a bird"),
    ClassPrompts("castle", ("a building with a tower.",)),
    ClassPrompts("tree", ("a {} in leaf.", "a bare {}.")),
    ClassPrompts("rose", aliases=("briar",)),
    ClassPrompts("fern"),
    ClassPrompts("7", disambiguation="a number"),
]


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


class TestFiles:
    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("p.yaml", YAML),
            ("P.YML", YAML),
            ("p.csv", CSV),
            ("p.csv", "\ufeff" + CSV.replace("\n", "\r\n")),
            (
                "p.csv",
                CSV.replace("a photo of a {}, wading.", "@").replace(",", ";").replace("@", "a photo of a {}, wading."),
            ),
            ("p.csv", CSV.encode("utf-16")),
        ],
    )
    def test_both_forms_say_the_same(self, tmp_path: Path, name: str, content: str | bytes) -> None:
        read = read_prompts(written(tmp_path, name, content))
        assert list(read.values()) == EXPECTED
        assert list(read) == [entry.name for entry in EXPECTED]

    def test_names_are_in_the_spelling_of_the_labels(self, tmp_path: Path) -> None:
        assert list(read_prompts(written(tmp_path, "p.yaml", "cafe\u0301: a bar."))) == ["caf\u00e9"]
        assert list(read_prompts(written(tmp_path, "p.csv", "class,prompt\ncafe\u0301 ,a bar.\n"))) == ["caf\u00e9"]

    def test_names_keep_their_spelling(self, tmp_path: Path) -> None:
        """YAML reads 012 as ten, 1_000 as a thousand, 12:30 as 750 minutes, and no and on as truth values."""
        names = ["012", "1_000", "12:30", "no", "On", "3", "1e3", "2026-01-01", "0x1F", "=", "<<"]
        text = "".join(f"{name}: a {{}}.\n" for name in names)
        assert list(read_prompts(written(tmp_path, "p.yaml", text.replace("{}", "thing")))) == names

    @pytest.mark.parametrize(
        ("name", "content", "told"),
        [
            ("p.txt", "crane: a bird", "neither"),
            ("p.yaml", "[crane, heron]", "must map class names"),
            ("p.yaml", "", "must map class names"),
            ("p.yaml", "crane: [", "cannot be read as YAML"),
            ("p.yaml", "crane: [a {}, the {}]", "{} needs quotes"),
            ("p.yaml", b"\xff\xfe\x00", "cannot be read as YAML"),
            ("p.yaml", "crane: {prompt: a bird}", "unknown keys: prompt"),
            ("p.yaml", "crane: 3", "must be a text or a list of texts, got 3"),
            ("p.yaml", "crane: [a, 3]", "must be a text or a list of texts"),
            ("p.yaml", "crane: ['']", "must be a text or a list of texts"),
            ("p.yaml", "crane: {aliases: {a: b}}", "aliases of 'crane'"),
            ("p.yaml", "crane: {disambiguation: [a bird, a machine]}", "2 disambiguations"),
            ("p.yaml", "~: nothing", "a class without a name"),
            ("p.yaml", "' ': nothing", "a class without a name"),
            ("p.yaml", "? [a, b]\n: nothing", "a class without a name"),
            ("p.yaml", "crane: a\nheron: b\ncrane: c", "the class 'crane' more than once"),
            ("p.yaml", "crane: a\n'crane ': b", "the class 'crane' more than once"),
            ("p.yaml", "crane: !!int abc", "cannot be read as YAML"),
            ("p.yaml", "crane: 2026-13-45", "cannot be read as YAML"),
            ("p.csv", "", "is empty"),
            ("p.csv", "name,prompt\ncrane,a bird\n", "no column 'class'; its columns are: name, prompt"),
            ("p.csv", "classes,prompt\ncrane,a bird\n", "Did you mean 'classes'"),
            ("p.csv", b"class,prompt\ncrane,\xff\n", "not text in UTF-8"),
            ("p.csv", 'class,prompt\ncrane,"open', "cannot be read as a CSV"),
            ("p.csv", "class,disambiguation\ncrane,a bird\ncrane,a machine\n", "2 disambiguations"),
        ],
    )
    def test_other_forms_are_refused_with_the_file_named(
        self, tmp_path: Path, name: str, content: str | bytes, told: str
    ) -> None:
        with pytest.raises(InputError) as caught:
            read_prompts(written(tmp_path, name, content))
        assert told in str(caught.value)
        assert name in str(caught.value)
        assert caught.value.remedy

    def test_a_missing_file_is_reported(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="does not exist"):
            read_prompts(tmp_path / "p.yaml")


class TestMeans:
    @given(arrays(np.float64, st.tuples(st.integers(1, 9), st.integers(2, 7)), elements=st.floats(0.01, 1)))
    def test_a_mean_is_of_unit_length_and_in_between(self, vectors: np.ndarray) -> None:
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        mean = mean_text_vector(vectors)
        assert np.linalg.norm(mean) == pytest.approx(1.0)
        assert mean == pytest.approx(vectors.sum(axis=0) / np.sqrt((vectors.sum(axis=0) ** 2).sum()))
        assert (vectors @ mean).min() >= (vectors @ vectors.T).min() - 1e-9

    def test_the_mean_of_one_is_itself(self) -> None:
        assert mean_text_vector(np.array([[0.6, 0.8]])) == pytest.approx([0.6, 0.8])


@pytest.mark.parametrize(
    "text",
    [
        "crane: !!int abc",
        "crane: 2026-13-45",
        "crane: !!timestamp 1",
        "crane: !!bool perhaps",
        "crane: " + "[" * 5000,
        "crane: {prompts: " * 3000,
        "crane: !!python/object/apply:os.getcwd []",
        'crane: "\\ud800"',
        "? [a]\n: b",
    ],
)
def test_yaml_that_cannot_be_read_is_refused_in_a_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "prompts.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_prompts(path)
    assert len(str(caught.value)) < 600 + len(str(path))


def test_nested_aliases_are_refused_in_a_line(tmp_path: Path) -> None:
    """They stand for 9^9 texts; written out, the message had half a gigabyte."""
    levels = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    levels += [f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)]
    path = tmp_path / "prompts.yaml"
    path.write_text("\n".join(levels))
    with pytest.raises(InputError, match="must be a text or a list of texts") as caught:
        read_prompts(path)
    assert len(str(caught.value)) < 600 + len(str(path))


@pytest.mark.parametrize("field", ["prompts", "aliases"])
def test_empty_texts_are_refused(field: str) -> None:
    with pytest.raises(InputError, match=f"One of the {field} of class 'crane' is empty"):
        ClassPrompts("crane", **{field: ("a bird", " ")})
