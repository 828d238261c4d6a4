"""What an audit finds: wrong labels and copies that were planted, how well it counts them, and what correcting gains.

    python bench/audit.py                    # all, within an hour
    python bench/audit.py --part Flowers     # one of the parts; the figures of the others are kept
    python bench/audit.py --part kinds       # outliers, blurred pictures and names by themselves: audit_kinds.py

Wrong labels are planted in real CLIP features at 16 shots and in the crops of the original experiment, copies among
photographs of Caltech-101 and of clothing. The method was chosen on draws of other seeds. The test parts are read once,
by heads that learned from labels as they were, as planted, and as corrected.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import audit_copies
import audit_crops
import audit_kinds
import audit_labels
from common import ROOT, Row, parts_of, record_parts

SEED = 0
PARTS: Mapping[str, Callable[[], Iterator[Row]]] = {
    **{name: partial(audit_labels.rows, name) for name in audit_labels.SETS},
    "copies": audit_copies.rows,
    "crops": audit_crops.rows,
    "kinds": audit_kinds.rows,
}


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS, action="append", help="what to measure; may be given again")
    asked = parser.parse_args().part or list(PARTS)
    found = parts_of("audit", PARTS, asked)
    of_all = list(audit_labels.together([row for rows in found.rows.values() for row in rows]))
    encoder = "CLIP ViT-B/32 features, if not said"
    path = record_parts("audit", found, first=of_all, seed=SEED, encoder=encoder)
    print(f"Kept in {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
