"""Pictures into folders by class, and back."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkling.classifier.few_shot import FewShotClassifier
from inkling.errors import InputError
from inkling.filing.cabinet import Cabinet
from inkling.images.sources import find_images
from inkling.review.sort import Sorted, sort_images, undo_sorting
from inkling.types import ImageRecord
from tests.fakes import FakeEncoder
from tests.images.pictures import encoded
from tests.system import fill

COLOURS = {"red": (220, 30, 30), "green": (30, 200, 40), "a/b": (30, 40, 220)}


def picture(kind: str, number: int, *, side: int = 16) -> bytes:
    red, green, blue = COLOURS[kind]
    return encoded(Image.new("RGB", (side, side), (red + number, green - number, blue + 2 * number)), "PNG")


@pytest.fixture
def classifier() -> FewShotClassifier:
    images = [picture(kind, number) for kind in COLOURS for number in range(6)]
    labels = [kind for kind in COLOURS for _ in range(6)]
    return FewShotClassifier(FakeEncoder(), head="prototype").fit(images, labels)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """Two pictures of one name in different folders among others."""
    folder = tmp_path / "inbox"
    for name, kind, number in (
        ("x/1.png", "red", 1),
        ("y/1.PNG", "red", 2),
        ("2.png", "green", 1),
        ("3.png", "a/b", 2),
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(kind, number))
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {one.relative_to(folder).as_posix(): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def sorted_by(classifier: FewShotClassifier, inbox: object, folder: Path, **options: bool) -> Sorted:
    found = sort_images(classifier, inbox, folder, **options)
    assert not [one for one in folder.iterdir() if one.name.startswith(".")]
    return found


def manifest_of(found: Sorted) -> Path:
    assert found.manifest is not None
    return found.manifest


def stopped(classifier: FewShotClassifier, inbox: Path, folder: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        sort_images(classifier, inbox, folder)


class TestSort:
    def test_copies(self, classifier: FewShotClassifier, inbox: Path, tmp_path: Path) -> None:
        before, out = tree(inbox), tmp_path / "deep" / "out"
        found = sorted_by(classifier, inbox, out)
        pictures = {name: data for name, data in tree(out).items() if not name.startswith("inkling-sort-")}
        assert pictures == {
            "green/2.png": before["2.png"],
            "a_b/3.png": before["3.png"],
            "red/1.png": before["x/1.png"],
            "red/1-2.PNG": before["y/1.PNG"],
        }
        assert (found.n_made, found.n_there, found.counts) == (4, 0, {"green": 1, "a_b": 1, "red": 2})
        assert tree(inbox) == before
        assert (out / "red" / "1.png").stat().st_mtime == (inbox / "x" / "1.png").stat().st_mtime
        head, *lines = [json.loads(line) for line in manifest_of(found).read_text(encoding="utf-8").splitlines()]
        assert head["encoder"] == "fake"
        assert {line["path"]: line["label"] for line in lines if line["how"] == "copy"}["a_b/3.png"] == "a/b"

    def test_links(self, classifier: FewShotClassifier, inbox: Path, tmp_path: Path) -> None:
        found = sorted_by(classifier, inbox, tmp_path / "out", link=True)
        made = tmp_path / "out" / "red" / "1.png"
        assert made.is_symlink()
        assert made.resolve() == inbox / "x" / "1.png"
        assert undo_sorting(manifest_of(found)).n_removed == 4
        assert len(tree(inbox)) == 4

    def test_again_makes_nothing(self, classifier: FewShotClassifier, inbox: Path, tmp_path: Path) -> None:
        sorted_by(classifier, inbox, tmp_path / "out")
        before = tree(tmp_path / "out")
        again = sorted_by(classifier, inbox, tmp_path / "out")
        assert (again.n_made, again.n_there, again.manifest) == (0, 4, None)
        assert tree(tmp_path / "out") == before

    def test_nothing_is_written_over(self, classifier: FewShotClassifier, inbox: Path, tmp_path: Path) -> None:
        own = tmp_path / "out" / "red" / "1.PNG"
        own.parent.mkdir(parents=True)
        own.write_bytes(b"mine")
        found = sorted_by(classifier, inbox, tmp_path / "out")
        assert own.read_bytes() == b"mine"
        assert sorted(one.name for one in own.parent.iterdir()) == ["1-2.png", "1-3.PNG", "1.PNG"]
        undo_sorting(manifest_of(found))
        assert tree(tmp_path / "out") == {"red/1.PNG": b"mine"}

    def test_members_of_a_zip(self, classifier: FewShotClassifier, inbox: Path, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
            archive.write(inbox / "2.png", "deep/../2.png")
            archive.write(inbox / "3.png", "c:\\3.png")
        found = sorted_by(classifier, tmp_path / "in.zip", tmp_path / "out")
        assert found.n_made == 2
        assert {name for name in tree(tmp_path / "out") if not name.startswith("inkling")} >= {"green/2.png"}
        with pytest.raises(InputError, match="lies in a zip"):
            sort_images(classifier, tmp_path / "in.zip", tmp_path / "links", link=True)

    def test_a_picture_of_boxes_is_filed_once_a_class(self, classifier: FewShotClassifier, tmp_path: Path) -> None:
        whole = Image.new("RGB", (48, 16), COLOURS["red"])
        whole.paste(Image.new("RGB", (16, 16), COLOURS["green"]), (32, 0))
        whole.save(tmp_path / "a.png")
        (tmp_path / "t.csv").write_text("path,x,y,width,height\na.png,0,0,16,16\na.png,16,0,16,16\na.png,32,0,16,16\n")
        found = sorted_by(classifier, tmp_path / "t.csv", tmp_path / "out")
        assert found.counts == {"red": 1, "green": 1}
        assert (tmp_path / "out/green/a.png").read_bytes() == (tmp_path / "a.png").read_bytes()

    def test_what_cannot_be_sorted_is_skipped(self, classifier: FewShotClassifier, inbox: Path, tmp_path: Path) -> None:
        (inbox / "bad.png").write_bytes(b"nothing")
        found = sorted_by(classifier, inbox, tmp_path / "out")
        assert [Path(one.path).name for one in found.skipped] == ["bad.png"]
        with pytest.raises(InputError, match="None of the images can be read") as told:
            sort_images(classifier, [inbox / "bad.png"], tmp_path / "none")
        assert len(told.value.skipped) == 1
        assert not (tmp_path / "none").exists()
        in_memory = sorted_by(classifier, [ImageRecord("x", data=picture("red", 1)), inbox / "2.png"], tmp_path / "m")
        assert [one.reason for one in in_memory.skipped] == ["it lies in no file"]

    def test_odd_outputs(self, classifier: FewShotClassifier, inbox: Path, tmp_path: Path) -> None:
        for images in (inbox, find_images(inbox)):
            for output in (inbox, inbox / "sorted", tmp_path / "inbox" / ".." / "inbox" / "x"):
                with pytest.raises(InputError, match="lies within"):
                    sort_images(classifier, images, output)
        with pytest.raises(InputError, match="is a file"):
            sort_images(classifier, find_images(inbox / "2.png"), inbox / "3.png")
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "red").write_bytes(b"a file")
        with pytest.raises(InputError, match="is in the way"):
            sort_images(classifier, inbox, tmp_path / "out")

    def test_a_full_disk(self, classifier: FewShotClassifier, inbox: Path, small_disk: Path) -> None:
        out = small_disk / "out"
        for number in range(20):
            noise = np.random.default_rng(number).integers(0, 40, (256, 256, 3), dtype=np.uint8)
            large = Image.fromarray(noise + np.array([200, 0, 0], dtype=np.uint8))
            (inbox / f"large-{number:02}.png").write_bytes(encoded(large, "PNG"))
        with pytest.raises(InputError, match="cannot be written: No space left"):
            sort_images(classifier, inbox, out)
        made = [name for name in tree(out) if not name.startswith("inkling-sort-")]
        assert 0 < len(made) < 24
        (manifest,) = out.glob("inkling-sort-*.jsonl")
        undone = undo_sorting(manifest)
        assert (undone.n_removed, undone.kept, list(out.iterdir())) == (len(made), {}, [])
        fill(small_disk)
        with pytest.raises(InputError, match="cannot be written"):
            sort_images(classifier, inbox, out)
        assert tree(out) == {}

    def test_killed_in_between(
        self, classifier: FewShotClassifier, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whatever is there stands in the manifest, and another run goes on."""

        def kill(*_: object) -> None:
            raise KeyboardInterrupt

        for doing in ("_copy", "_make_folder"):
            with monkeypatch.context() as patched:
                patched.setattr(Cabinet, doing, kill)
                stopped(classifier, inbox, tmp_path / doing)
            assert all(name.startswith("inkling") for name in tree(tmp_path / doing))
        out = tmp_path / "out"
        file, calls = Cabinet.file, iter(range(9))
        with monkeypatch.context() as patched:
            patched.setattr(Cabinet, "file", lambda *a, **k: file(*a, **k) if next(calls) < 2 else kill())
            stopped(classifier, inbox, out)
        assert sum(not name.startswith("inkling") for name in tree(out)) == 2
        (manifest,) = out.glob("inkling-sort-*.jsonl")
        with manifest.open("a") as torn:
            torn.write('{"path": "red/')
        rest = sorted_by(classifier, inbox, out)
        assert (rest.n_made, rest.n_there) == (2, 2)
        assert undo_sorting(manifest).n_removed == 2
        assert undo_sorting(manifest_of(rest)).n_removed == 2
        assert tree(out) == {}


class TestUndo:
    def test_all_is_as_it_was(self, classifier: FewShotClassifier, inbox: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        found = sorted_by(classifier, inbox, out)
        undone = undo_sorting(manifest_of(found))
        assert (undone.n_removed, undone.n_gone, undone.kept) == (4, 0, {})
        assert list(out.iterdir()) == []

    def test_what_was_changed_stays(self, classifier: FewShotClassifier, inbox: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        manifest = manifest_of(sorted_by(classifier, inbox, out))
        (out / "green" / "2.png").write_bytes(b"painted over")
        (out / "red" / "1.png").unlink()
        (out / "a_b" / "mine.txt").write_text("own")
        undone = undo_sorting(manifest)
        assert (undone.n_removed, undone.n_gone) == (2, 1)
        assert undone.kept == {str(out / "green" / "2.png"): "it was changed"}
        assert set(tree(out)) == {"green/2.png", "a_b/mine.txt", manifest.name}

    def test_a_moved_folder_is_undone_where_it_is(
        self, classifier: FewShotClassifier, inbox: Path, tmp_path: Path
    ) -> None:
        manifest = manifest_of(sorted_by(classifier, inbox, tmp_path / "out"))
        (tmp_path / "out").rename(tmp_path / "moved")
        assert undo_sorting(tmp_path / "moved" / manifest.name).n_removed == 4

    @pytest.mark.skipif(os.name == "nt", reason="links need rights there")
    def test_links_in_the_way_lead_nowhere(self, classifier: FewShotClassifier, inbox: Path, tmp_path: Path) -> None:
        out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
        manifest = manifest_of(sorted_by(classifier, inbox, out))
        (out / "red").rename(elsewhere)
        (out / "red").symlink_to(elsewhere)
        (out / "green" / "2.png").unlink()
        (out / "green" / "2.png").symlink_to(inbox / "2.png")
        kept = undo_sorting(manifest).kept
        assert set(kept.values()) == {"its folder is a link now", "it was changed"}
        assert len(tree(elsewhere)) == 2

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ('{"path": "../x.png", "how": "copy"}', "Line 2 of .* names nothing"),
            ('{"path": "/etc/x.png", "how": "copy"}', "Line 2 of .* names nothing"),
            ('{"path": "a/../../x.png", "how": "copy"}', "Line 2 of .* names nothing"),
            ('{"path": "c:/x.png", "how": "copy"}', "Line 2 of .* names nothing"),
            ('{"path": "a.png", "how": "move"}', "Line 2 of .* names nothing"),
            ('{"path": 3, "how": "copy"}', "Line 2 of .* names nothing"),
            ("[]", "Line 2 of .* names nothing"),
            ("{", "Line 2 of .* names nothing"),
        ],
    )
    def test_a_manifest_that_was_changed(self, tmp_path: Path, line: str, message: str) -> None:
        path = tmp_path / "m.jsonl"
        path.write_text(f'{{"kind": "filed pictures", "format": 1}}\n{line}\n')
        with pytest.raises(InputError, match=message):
            undo_sorting(path)
        assert path.exists()

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "is not a manifest"),
            (b"\xff\n", "is not a manifest"),
            (b'{"kind": "filed pictures", "format": 2}\n', "newer"),
        ],
    )
    def test_other_files(self, tmp_path: Path, content: bytes, message: str) -> None:
        (tmp_path / "m.jsonl").write_bytes(content)
        with pytest.raises(InputError, match=message):
            undo_sorting(tmp_path / "m.jsonl")
        with pytest.raises(InputError, match="cannot be read"):
            undo_sorting(tmp_path / "none.jsonl")
