"""What lies behind URLs: in memory, on this machine, and in S3 as moto's server plays it."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inkling.errors import InputError, MissingExtraError, UnreadableImageError
from inkling.images.decode import load
from inkling.images.files import Files
from inkling.images.places import Url, place_of
from inkling.images.sources import find_images
from inkling.types import ImageRecord
from tests.images.shards import hub_parquet, png, tar_of

fsspec = pytest.importorskip("fsspec", reason="object stores are read with the extra 'scale'")
SECRET = "never-to-be-shown"


def zip_of(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, png())
    return out.getvalue()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """Credentials of nobody, and no others."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    s3fs = pytest.importorskip("s3fs", reason="S3 is read with the extra 'scale'")
    s3fs.S3FileSystem.clear_instance_cache()
    yield monkeypatch
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Address of an S3 server on this machine."""
    moto = pytest.importorskip("moto.server", reason="moto plays the server")
    running = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    yield "http://{}:{}".format(*running.get_host_and_port())
    running.stop()


@pytest.fixture
def s3(aws: pytest.MonkeyPatch, server: str) -> Iterator[Any]:
    """A file system on that server, with an empty bucket."""
    aws.setenv("AWS_ENDPOINT_URL", server)
    system = fsspec.filesystem("s3")
    system.mkdir("bucket")
    yield system
    system.invalidate_cache()
    system.rm("bucket", recursive=True)


@pytest.fixture
def memory() -> Iterator[Any]:
    system = fsspec.filesystem("memory")
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


@pytest.fixture(params=["memory", "s3"])
def store(request: pytest.FixtureRequest) -> tuple[Any, str]:
    """A file system, and the URL of a place in it."""
    return request.getfixturevalue(request.param), f"{request.param}://bucket"


class TestForms:
    def test_a_folder(self, store: tuple[Any, str]) -> None:
        system, root = store
        for name in (
            "set/train/bus/1.png",
            "set/train/car/2.png",
            "set/test/bus/3.png",
            "set/notes.txt",
            "set/.a/4.png",
            "settee/5.png",
        ):
            system.pipe(f"bucket/{name}", png())
        found = find_images(f"{root}/set", split="train")
        assert [(one.path, one.label) for one in found.records] == [
            (f"{root}/set/train/bus/1.png", "bus"),
            (f"{root}/set/train/car/2.png", "car"),
        ]
        assert dict(found.ignored) == {".txt": 1, "hidden": 1, "other split": 1}
        assert [load(one).image.size for one in pickle.loads(pickle.dumps(found.records))] == [(6, 4)] * 2
        assert find_images(found.records[0].path).records[0].path == found.records[0].path
        assert len(find_images(f"{root}/set/").records) == 3

    def test_a_zip(self, store: tuple[Any, str]) -> None:
        system, root = store
        system.pipe("bucket/a.zip", zip_of("set/bus/1.png", "set/car/2.png"))
        found = find_images(f"{root}/a.zip")
        assert [(one.path, one.label) for one in found.records] == [
            (f"{root}/a.zip/set/bus/1.png", "bus"),
            (f"{root}/a.zip/set/car/2.png", "car"),
        ]
        assert [load(one).image.size for one in found.records] == [(6, 4)] * 2
        assert load(find_images(found.records[1].path).records[0]).image.size == (6, 4)

    def test_tar_shards(self, store: tuple[Any, str]) -> None:
        system, root = store
        for number in range(3):
            system.pipe(
                f"bucket/s/w-{number:02d}.tar",
                tar_of((f"k{number}.png", png(number)), (f"k{number}.cls", b"%d" % number)),
            )
        found = find_images(f"{root}/s/w-{{00..02}}.tar")
        assert [one.label for one in found.records] == ["0", "1", "2"]
        assert [one.path for one in find_images(f"{root}/s").records] == [one.path for one in found.records]
        assert len(find_images(f"{root}/s/w-0[12].tar").records) == 2
        with Files() as reader:
            assert [reader.read(one) for one in found.records] == [png(0), png(1), png(2)]
            assert reader.read(find_images(found.records[2].path).records[0]) == png(2)

    def test_parquet_of_pictures(self, store: tuple[Any, str], tmp_path: Path) -> None:
        system, root = store
        path = hub_parquet(
            tmp_path / "t.parquet", [{"bytes": png(n), "path": f"{n}.png"} for n in range(3)], [0, 1, 0], ["a", "b"]
        )
        system.pipe("bucket/data/t.parquet", path.read_bytes())
        found = find_images(f"{root}/data")
        assert [one.label for one in found.records] == ["a", "b", "a"]
        with Files() as reader:
            assert [reader.read(one) for one in found.records] == [png(0), png(1), png(2)]

    def test_tables(self, store: tuple[Any, str]) -> None:
        system, root = store
        system.pipe("bucket/p/1.png", png())
        system.pipe("bucket/p/list.csv", f"path,label\n1.png,bus\n../p/./1.png,bus\n{root}/p/none.png,car\n".encode())
        found = find_images(f"{root}/p/list.csv")
        assert [(one.path, one.label) for one in found.records] == [
            (f"{root}/p/1.png", "bus"),
            (f"{root}/p/none.png", "car"),
        ]
        assert dict(found.ignored) == {"repeated path": 1}
        assert load(found.records[0]).image.size == (6, 4)
        with pytest.raises(UnreadableImageError, match="does not exist"):
            load(found.records[1])
        system.pipe("bucket/p/metadata.jsonl", b'{"file_name": "1.png", "label": "tram"}\n')
        assert [one.label for one in find_images(f"{root}/p").records] == ["tram"]

    def test_one_box(self, store: tuple[Any, str]) -> None:
        system, root = store
        system.pipe("bucket/1.png", png())
        assert load(find_images(f"{root}/1.png#xywh=1,1,2,2").records[0]).image.size == (2, 2)

    def test_an_empty_object(self, store: tuple[Any, str]) -> None:
        system, root = store
        system.pipe("bucket/1.png", b"")
        with pytest.raises(UnreadableImageError, match="empty"):
            load(find_images(f"{root}/1.png").records[0])

    def test_files_of_this_machine(self, tmp_path: Path) -> None:
        (tmp_path / "bus").mkdir()
        (tmp_path / "bus" / "1.png").write_bytes(png())
        assert find_images(f"file://{tmp_path}") == find_images(tmp_path)

    def test_a_local_table_of_objects(self, memory: Any, tmp_path: Path) -> None:
        memory.pipe("/b/1.png", png())
        (tmp_path / "list.csv").write_text("path,label\nmemory://b/1.png,bus\nhttps://example.org/2.png,car\n")
        good, web = find_images(tmp_path / "list.csv").records
        assert load(good).image.size == (6, 4)
        with pytest.raises(UnreadableImageError, match="not from the network"):
            load(web)


class TestRefusals:
    @pytest.mark.parametrize(
        "name", ["none", "none.png", "none.zip", "none.tar", "none.csv", "none.parquet", "none.json"]
    )
    def test_what_is_not_there(self, store: tuple[Any, str], name: str) -> None:
        for url in (f"{store[1]}/{name}", f"{store[1]}-of-nobody/{name}"):
            with pytest.raises(InputError, match="does not exist"):
                find_images(url)

    def test_damaged_archives_are_named(self, store: tuple[Any, str]) -> None:
        for name in ("a.zip", "a.tar", "a.parquet"):
            store[0].pipe(f"bucket/{name}", b"damaged")
            with pytest.raises(InputError, match=f"bucket/{name}' cannot be read as a"):
                find_images(f"{store[1]}/{name}")

    @pytest.mark.parametrize(
        ("url", "match"),
        [
            ("https://example.org/a.zip", "not from the network"),
            ("HTTP://example.org/a.zip", "not from the network"),
            (f"s3://me:{SECRET}@bucket/a.zip", "has a password in it"),
            ("nosuch://bucket/a", "Protocol not known: nosuch"),
            ("simplecache::memory://bucket/a", "does not exist"),
            ("zip://a.png::memory://bucket/a.zip", "joins several URLs"),
            ("memory://bucket/x.docx", "neither an image nor a source"),
        ],
    )
    def test_what_is_no_source(self, memory: Any, url: str, match: str) -> None:
        memory.pipe("/bucket/x.docx", b"")
        with pytest.raises(InputError, match=match) as caught:
            find_images(url)
        assert SECRET not in str(caught.value)

    def test_no_connection(self, aws: pytest.MonkeyPatch) -> None:
        aws.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        with pytest.raises(InputError, match="Could not connect") as caught:
            find_images("s3://bucket/photos")
        assert "AWS_ENDPOINT_URL" in str(caught.value.remedy)
        assert SECRET not in str(caught.value)
        with Files() as reader, pytest.raises(UnreadableImageError, match="Could not connect"):
            reader.read(ImageRecord("s3://bucket/1.png"))

    def test_no_credentials(self, aws: pytest.MonkeyPatch) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            aws.delenv(name)
        with pytest.raises(InputError, match="Unable to locate credentials"):
            find_images("s3://bucket/photos")

    def test_access_denied(self, memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        def denied(*_: Any, **__: Any) -> None:
            raise PermissionError("Access Denied")

        monkeypatch.setattr(type(memory), "info", denied)
        monkeypatch.setattr(type(memory), "cat_file", denied)
        with pytest.raises(InputError, match="Access to 'memory://bucket/a' is denied: Access Denied"):
            find_images("memory://bucket/a")
        with Files() as reader, pytest.raises(UnreadableImageError, match="no permission"):
            reader.read(ImageRecord("memory://bucket/1.png"))

    def test_packages_that_are_missing_are_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, "fsspec", None)
            with pytest.raises(MissingExtraError, match=r"'fsspec'.*\n.*inkling-vision\[scale\]"):
                find_images("s3://bucket/a")
        monkeypatch.setitem(sys.modules, "gcsfs", None)
        with pytest.raises(MissingExtraError, match=r"'gcsfs'.*\n.*pip install gcsfs"):
            find_images("gs://bucket/a")


def test_urls_are_taken_apart_and_put_together() -> None:
    url = Url("s3://bucket/photos/a.tar.gz")
    assert (url.name, url.suffix, str(url.parent), url.protocol) == ("a.tar.gz", ".gz", "s3://bucket/photos", "s3")
    assert str(url.parent / "../b/./c d.png") == "s3://bucket/b/c d.png"
    assert str(Url("memory:///a/") / "b") == "memory:///a/b"
    assert place_of("a:b.png") == Path("a:b.png")


def test_without_a_url_fsspec_is_not_imported(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png())
    code = (
        f"import sys\nfrom inkling.images.sources import find_images\nfind_images({str(tmp_path)!r})\n"
        "print('fsspec' in sys.modules, 'pyarrow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
