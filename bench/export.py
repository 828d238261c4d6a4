"""Exported folders against Inkling: the same answers, in what time and space, in every form.

Every export is checked by `inkling.export` itself, in a fresh process, on pictures that the classifier did not see.

    python bench/export.py
    python bench/export.py --part parity web int8 program speed names large    # those alone, other rows are kept
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median

import numpy as np
import onnxruntime

from common import RESULTS, ROOT, SHARED, Row, at_least, at_most, record, retaken
from embed import LARGE, VIT_B32, sample_photographs
from inkling import FewShotClassifier
from inkling.embeddings.samples import Samples, embed_samples
from inkling.encoders.registry import load_encoder
from inkling.exporting.export import Exported, export
from inkling.exporting.texts_alone import zero_shot_classifier
from inkling.images.decode import load
from inkling.images.sources import find_images
from inkling.sketch import write_dataset
from inkling.types import ClassEntry
from processes import cost

SEED = 0
CROPS = SHARED / "data" / "coco_crops"
CLOTHING = SHARED / "data" / "clothing"
SURROGATE = ROOT / "bench" / "encoders" / "surrogate-clip-b32"
NAMES = ["airplane", "bicycle", "boat", "bus", "car", "motorcycle", "train", "truck"]
KINDS = ("bird", "boat", "car", "cat", "fish", "house", "star", "tree")
N_TIMED, ROUNDS = 60, 5
N_CLASSES, SHOTS = 1_000, 100
MB = 1e6


def main() -> None:
    """Measure and report."""
    parts: Mapping[str, Callable[[Path], Iterator[Row]]] = {
        "parity": parity,
        "web": web,
        "int8": eight_bits,
        "program": program,
        "speed": speed,
        "names": names_alone,
        "large": large,
    }
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", nargs="+", choices=list(parts), default=list(parts))
    options = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in options.part:
            place = Path(folder) / name
            place.mkdir()
            rows += parts[name](place)
    if set(options.part) != set(parts) and (RESULTS / "export.json").is_file():
        kept = {row["what"] for row in json.loads((RESULTS / "export.json").read_text(encoding="utf-8"))["rows"]}
        rows = retaken("export", rows) + [row for row in rows if row.what not in kept]
    print(f"Kept in {record('export', rows, seed=SEED).relative_to(ROOT)}")


def parity(place: Path) -> Iterator[Row]:
    """Labels, decisions and numbers of the exported folder against the classifier's own."""
    yield from parity_rows("surrogate, 541 crops", export_crops(place / "crops", crops()))
    clothing = FewShotClassifier("pocket", seed=SEED).fit(str(CLOTHING / "train"))
    found = export(clothing, place / "clothing", check=CLOTHING / "test")
    yield from parity_rows("pocket, clothing/test", found)
    write_dataset(place / "drawn" / "train", KINDS, 8, seed=SEED)
    write_dataset(place / "drawn" / "test", KINDS, 12, seed=SEED + 1)
    drawn = FewShotClassifier("sketch", seed=SEED).fit(str(place / "drawn" / "train"))
    yield from parity_rows("sketch, drawn pictures", export(drawn, place / "sketch", check=place / "drawn" / "test"))
    some = place / "some"
    some.mkdir()
    for number, path in enumerate(sample_photographs(48)):
        (some / f"{number}{path.suffix}").symlink_to(path)
    for geometry in (VIT_B32, *LARGE):
        folder = place / geometry.name.replace("/", "-")
        geometry.write(folder)
        found = export(without_texts(folder), place / f"{folder.name}-export", check=some)
        yield from parity_rows(f"{geometry.name} of random weights, 48 photographs", found)


def crops() -> FewShotClassifier:
    """The classifier of 234 crops."""
    return FewShotClassifier(SURROGATE, seed=SEED).fit(str(CROPS / "few_shot" / "train"))


def without_texts(folder: Path) -> FewShotClassifier:
    """A classifier of the crops by a model of random weights, which has no tokenizer."""
    encoder = load_encoder(folder, precision="float32")
    samples = embed_samples(find_images(CROPS / "few_shot" / "train").records, encoder, cache=None)
    entries = [ClassEntry(name) for name in sorted({str(label) for label in samples.labels})]
    return FewShotClassifier(encoder, seed=SEED).learn(samples, entries)


def export_crops(place: Path, classifier: FewShotClassifier, **options: object) -> Exported:
    """Export it, checked on the 503 test crops and 38 of a class that it doesn't know."""
    check = place / "check"
    check.mkdir(parents=True)
    for folder in (*(CROPS / "few_shot" / "test").iterdir(), CROPS / "unseen" / "bench"):
        (check / folder.name).symlink_to(folder)
    return export(classifier, place / "export", check=check, **options)


def parity_rows(what: str, exported: Exported) -> Iterator[Row]:
    """Differences of one export; pictures near a tie are listed."""
    found = exported.parity
    yield at_most(
        f"{what}: pictures answered otherwise, ties aside",
        len(found.differing),
        0,
        pictures=found.pictures,
        labels_equal=found.labels_equal,
        unknown_equal=found.unknown_equal,
        near_ties=found.near_ties,
    )
    yield at_most(f"{what}: largest difference of probabilities", found.probability_difference, 1e-3)
    if found.p_value_difference is not None:
        yield at_most(f"{what}: largest difference of p-values", found.p_value_difference, 0.0)


def web(place: Path) -> Iterator[Row]:
    """The page in a browser on 40 crops: 32 of known classes, 8 of another; as JPEG files, as they are."""
    sys.path.append(str(ROOT / "tools"))
    from browser import Browser, serving
    from web_page import classify, open_page

    classifier = crops()
    exported = export(classifier, place / "page", format="web", check=CROPS / "unseen" / "bench")
    known = sorted((CROPS / "few_shot" / "test").glob("*/*.jpg"))
    paths = [*known[:: len(known) // 32][:32], *sorted((CROPS / "unseen" / "bench").glob("*.jpg"))[:8]]
    with serving(exported.folder) as (address, asked), Browser() as browser:
        started = time.perf_counter()
        open_page(browser, address)
        ready = time.perf_counter()
        found = classify(browser, paths)
        done = time.perf_counter()
        abroad = [one for one in browser.requests if not one.startswith((address, f"blob:{address}"))]
        complaints = [*browser.complaints, *(one for one in asked if not one.endswith(" 200"))]
    differing, differences = [], []
    for one, wanted in zip(found, classifier.verdicts(paths, top=len(NAMES)), strict=True):
        same = (wanted.label, wanted.unknown, wanted.p_known)
        differing += [one.line["path"]] * ((one.line["label"], one.line["unknown"], one.line["p_known"]) != same)
        right = dict(zip(wanted.top_labels, wanted.top_probabilities, strict=True))
        differences += [abs(p - right[label]) for label, p in one.shown.items()]
    yield at_most("page in Chromium: of 40 crops answered otherwise", len(differing), 0, which=differing)
    yield at_most("page in Chromium: largest difference of probabilities", max(differences), 1e-3)
    yield at_most("page in Chromium: complaints on the console", len(complaints), 0, which=complaints)
    yield at_most("page in Chromium: requests to other hosts", len(abroad), 0, which=abroad)
    yield Row("page in Chromium: seconds to start", ready - started)
    yield Row("page in Chromium: seconds a picture, 1 thread", (done - ready) / len(paths))
    yield Row("page: size of the runtime, MB", sum(p.stat().st_size for p in exported.folder.glob("runtime/ort*")) / MB)


def eight_bits(place: Path) -> Iterator[Row]:
    """What int8 loses and wins, with the surrogate on the crops."""
    classifier = crops()
    plain = export_crops(place / "plain", classifier)
    coarse = export_crops(place / "coarse", classifier, precision="int8", max_loss=100.0)
    found = coarse.parity
    loss, unknown = found.top1_loss, found.unknown_loss
    yield at_least("int8: share of labels as in float32", found.labels_equal / found.pictures, 0.99)
    yield at_most("int8: points of top-1 lost", 100 * loss.share, 0.5, low=100 * loss.low, high=100 * loss.high)
    assert unknown is not None
    yield Row("int8: points of right unknown decisions lost", 100 * unknown.share, details={"high": 100 * unknown.high})
    seconds = in_turn({one.folder.parent.name: prepared_runner(one.folder) for one in (plain, coarse)})
    yield at_least("int8: times the speed of float32, one picture at a time", seconds["plain"] / seconds["coarse"], 1.7)
    sizes = [(one.folder / "model.onnx").stat().st_size / MB for one in (plain, coarse)]
    yield Row("int8: size of the model, MB", sizes[1], details={"float32": sizes[0]})


def program(place: Path) -> Iterator[Row]:
    """`run.py` where nothing is installed but what it asks for."""
    exported = export_crops(place, crops())
    subprocess.run([sys.executable, "-m", "venv", str(place / "venv")], check=True)
    python = place / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "-r", exported.folder / "requirements.txt"], check=True)
    installed = subprocess.run([python, "-m", "pip", "freeze"], capture_output=True, text=True, check=True).stdout
    pictures = sorted((exported.folder / "example").glob("*.jpg"))
    command = [str(python), "run.py", *(f"example/{path.name}" for path in pictures)]
    printed = subprocess.run(command, cwd=exported.folder, capture_output=True, text=True, check=True).stdout
    expected = (exported.folder / "example" / "expected.jsonl").read_text(encoding="utf-8")
    found, wanted = (json.loads(f"[{','.join(text.splitlines())}]") for text in (printed, expected))
    same = [
        all(a[key] == b[key] for key in ("label", "unknown", "p_known")) for a, b in zip(found, wanted, strict=True)
    ]
    yield at_least(
        "run.py alone: examples answered as expected", float(np.mean(same)), 1.0, installed=installed.split()
    )
    costs = [cost(command[:3], exported.folder) for _ in range(ROUNDS)]
    yield at_most("run.py alone: processor seconds to the first verdict", median(one.processor for one in costs), 1.5)
    yield at_most("run.py alone: resident MiB", median(one.peak for one in costs) / 2**20, 400)


def speed(place: Path) -> Iterator[Row]:
    """The model on prepared pictures against Inkling's own encoder and head, one at a time, in turn."""
    classifier = crops()
    exported = export_crops(place, classifier)
    seconds = in_turn({"model": prepared_runner(exported.folder), "inkling": inkling_runner(classifier)})
    ratio = seconds["inkling"] / seconds["model"]
    yield at_least(
        "model.onnx on prepared pictures: times Inkling's speed", ratio, 0.9, milliseconds=seconds["model"] * 1e3
    )


def names_alone(place: Path) -> Iterator[Row]:
    """A head from 8 names against zero-shot of `evaluate`."""
    classifier = zero_shot_classifier(NAMES, SURROGATE)
    exported = export(classifier, place / "names", format="head")
    samples = classifier.embed(find_images(CROPS / "few_shot" / "test").records)
    session = onnxruntime.InferenceSession(exported.folder / "head.onnx")
    (p,) = session.run(
        ["probabilities"], {session.get_inputs()[0].name: samples.X[:, : session.get_inputs()[0].shape[1]]}
    )
    fitted = crops().fitted
    expected = fitted.zero_shot_probabilities(samples.X)
    assert expected is not None
    assert list(fitted.classes) == list(classifier.fitted.classes)
    yield at_most("zero-shot of 8 names: largest difference of probabilities", float(np.abs(p - expected).max()), 1e-6)


def large(place: Path) -> Iterator[Row]:
    """1,000 classes with 100,000 exemplars, in the space of sketch; pictures to check with are drawn."""
    encoder = load_encoder("sketch")
    identity, rng = encoder.identity, np.random.default_rng(SEED)
    centres = rng.normal(size=(N_CLASSES, identity.dimension))
    X = np.repeat(centres, SHOTS, axis=0) + 0.7 * rng.normal(size=(N_CLASSES * SHOTS, identity.dimension))
    X = (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)
    n = len(X)
    labels = tuple(f"class {row // SHOTS:03d}" for row in range(n))
    rows = tuple(f"row {row}" for row in range(n))
    samples = Samples(identity, rows, labels, rows, (None,) * n, (0,) * n, X)
    classifier = FewShotClassifier("sketch", seed=SEED).learn(
        samples, [ClassEntry(name) for name in sorted(set(labels))]
    )
    classifier.save(place / "large.ink")
    write_dataset(place / "drawn" / "test", KINDS, 12, seed=SEED)
    started = time.perf_counter()
    exported = export(place / "large.ink", place / "export", check=place / "drawn" / "test")
    yield at_most("1,000 classes, 100,000 exemplars: seconds to export", time.perf_counter() - started, 60)
    yield from parity_rows("1,000 classes, 100,000 exemplars", exported)
    tower = export(zero_shot_classifier(["cat", "car"], "sketch"), place / "tower", check=place / "drawn" / "test")
    needed = sum(array.nbytes for array in compared_with(classifier))
    sizes = [(one.folder / "model.onnx").stat().st_size for one in (exported, tower)]
    yield at_most(
        "1,000 classes, 100,000 exemplars: size of the model, in that of encoder and vectors that are needed",
        sizes[0] / (sizes[1] + needed),
        1.2,
        megabytes=sizes[0] / MB,
    )


def compared_with(classifier: FewShotClassifier) -> Iterator[np.ndarray]:
    """All that head and detector compare a picture with: vectors of classes, of members of the ensemble, exemplars."""
    detector = classifier.fitted.detector
    assert detector is not None
    known = detector.known
    yield from classifier.fitted.fitted_head.head.state().arrays.values()
    yield from (known.exemplars, known.members, known.unit_means, known.prototypes, known.whitened_centres)
    yield from (known.gaussian_head[1], known.plain_plda.centres, known.even_plda.centres)


def prepared_runner(folder: Path) -> Callable[[np.ndarray], object]:
    """Asks an exported model about a prepared picture."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(folder / "model.onnx", options)
    nothing = np.zeros((0, 0, 3), np.uint8)
    return lambda prepared: session.run(None, {"image": nothing, "pixel_values": prepared[None]})


def inkling_runner(classifier: FewShotClassifier) -> Callable[[np.ndarray], object]:
    """Asks Inkling about a prepared picture: the encoder, the head and the detector."""
    encoder, fitted = classifier.encoder, classifier.fitted
    identity = encoder.identity

    def ask(prepared: np.ndarray) -> object:
        found = encoder.encode_images([prepared])
        blocks = [found.embeddings] if found.features is None else [found.embeddings, found.features]
        one = Samples(identity, ("a",), (None,), ("a",), (None,), (0,), np.hstack(blocks))
        return fitted.judge(one, top=5, memory_version=None)

    return ask


def in_turn(runners: Mapping[str, Callable[[np.ndarray], object]]) -> dict[str, float]:
    """Median seconds of each on the same prepared pictures, round by round in turn."""
    encoder = load_encoder(SURROGATE)
    records = find_images(CROPS / "few_shot" / "test").records[:N_TIMED]
    prepared = [encoder.prepare(load(one, shorter_side=encoder.shorter_side).image) for one in records]
    seconds: dict[str, list[float]] = {name: [] for name in runners}
    for number in range(ROUNDS + 1):
        for name, ask in runners.items():
            started = time.perf_counter()
            for picture in prepared:
                ask(picture)
            if number:  # the first warms up
                seconds[name].append((time.perf_counter() - started) / len(prepared))
    return {name: median(found) for name, found in seconds.items()}


if __name__ == "__main__":
    main()
