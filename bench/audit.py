"""What an audit finds: wrong labels and copies that were planted, how well it counts them, and what correcting gains.

    python bench/audit.py                    # all, within an hour
    python bench/audit.py --part Flowers     # one of the parts; the figures of the others are kept

Wrong labels are planted in real CLIP features at 16 shots and in the crops of the original experiment, copies among
photographs of Caltech-101 and of clothing. The method was chosen on draws of other seeds. The test parts are read once,
by heads that learned from labels as they were, as planted, and as corrected.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import audit_copies
import audit_crops
import audit_labels
from common import RESULTS, ROOT, Row, record

SEED = 0
PARTS: Mapping[str, Callable[[], Iterator[Row]]] = {
    **{name: partial(audit_labels.rows, name) for name in audit_labels.SETS},
    "copies": audit_copies.rows,
    "crops": audit_crops.rows,
}


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS, action="append", help="what to measure; may be given again")
    asked = parser.parse_args().part or list(PARTS)
    found = {part: list(PARTS[part]()) for part in asked}
    kept = _kept() | found  # others may have been taken meanwhile
    measured = [row for part in PARTS for row in kept.get(part, ())]
    rows = [*audit_labels.together(measured), *measured]
    parts = {part: [row.what for row in kept[part]] for part in PARTS if part in kept}
    path = record("audit", rows, seed=SEED, encoder="CLIP ViT-B/32 features, if not said", parts=parts)
    print(f"Kept in {path.relative_to(ROOT)}")


def _kept() -> dict[str, list[Row]]:
    """Rows of earlier runs, by part."""
    file = RESULTS / "audit.json"
    if not file.is_file():
        return {}
    found = json.loads(file.read_text(encoding="utf-8"))
    rows = {row["what"]: Row(**row) for row in found["rows"]}
    return {part: [rows[what] for what in told] for part, told in found["parts"].items()}


if __name__ == "__main__":
    main()
