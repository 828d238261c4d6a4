"""Damaged files of boxes: only our own errors leave the readers, as `tests/test_fuzz.py` holds of the others."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from inkling.images.boxes import record_of_path
from inkling.images.decode import load
from inkling.images.sources import find_images
from tests.images.pictures import photo
from tests.test_fuzz import YAML, damaged, fuzzed, held, seeds

ROWS_WITH_BOXES = b"file_name,label,x,y,width,height,id\na.png,ant,1,2,30,4.5,k\nb.png,bee,.1,.2,.3,.4,\nc.png,,,,,,\n"
LINES_WITH_BOXES = (
    b'{"file_name": "a.png", "label": 3, "x": 1, "y": 2, "width": 3, "height": 4}\n{"file_name": "b.png"}\n'
)
COCO = (
    b'{"images": [{"id": 1, "file_name": "a.png", "width": 24, "height": 20}, {"id": 2, "file_name": "b.png"}], '
    b'"annotations": [{"id": 3, "image_id": 1, "category_id": 4, "bbox": [1, 2, 3.5, 4], "iscrowd": 0}, '
    b'{"id": 5, "image_id": 2, "category_id": 4, "bbox": null}], "categories": [{"id": 4, "name": "ant"}]}'
)
DETECTIONS = (
    b'{"detection_categories": {"1": "animal"}, "images": [{"file": "a.png", "detections": [{"category": "1", '
    b'"conf": 0.9, "bbox": [0.1, 0.2, 0.3, 0.4]}]}, {"file": "b.png", "failure": "x", "detections": null}]}'
)


@fuzzed
@given(document=st.sampled_from([("json", COCO), ("json", DETECTIONS)]), seed=seeds)
def test_annotations(document: tuple[str, bytes], seed: int, tmp_path: Path) -> None:
    _hold_boxes(*document, seed, tmp_path)


@fuzzed
@given(document=st.sampled_from([("csv", ROWS_WITH_BOXES), ("jsonl", LINES_WITH_BOXES)]), seed=seeds)
def test_tables_with_boxes(document: tuple[str, bytes], seed: int, tmp_path: Path) -> None:
    _hold_boxes(*document, seed, tmp_path)


def _hold_boxes(kind: str, data: bytes, seed: int, folder: Path) -> None:
    """Find the boxes of a damaged file, and cut each from a picture."""
    path = folder / f"boxes.{kind}"
    path.write_bytes(damaged(data, seed, other=YAML))
    picture = photo(size=(24, 20))

    def read() -> None:
        for record in find_images(path).records:
            held(partial(load, replace(record, image=picture)))
            record_of_path(record.path)

    held(read)
