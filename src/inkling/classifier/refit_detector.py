"""A memory whose classes changed, taught again from what it holds: nothing is embedded."""

from __future__ import annotations

from inkling.classifier.detection import detector_from, detector_state, teach_detector
from inkling.classifier.persistence import samples_from
from inkling.classifier.vocabularies import still_negative
from inkling.errors import InputError
from inkling.memory.content import DetectorState, MemoryContent


def detector_again(content: MemoryContent) -> DetectorState | None:
    """The detector of a memory whose classes changed: rate and weights as before, calibrated anew.

    Where the encoder was tuned on the images, its detector keeps scale and calibration as well: only the known classes
    are others. Images of classes that came since were not among those that calibrated it, so of them the rate is no
    promise.

    None where the memory has none, or the images that are left can't support its rate.
    """
    before = detector_from(content.detector)
    if before is None:
        return None
    try:
        detector = teach_detector(
            samples_from(content),
            sorted(content.classes, key=lambda entry: entry.name),
            false_alarms=before.false_alarms,
            seed=content.provenance.seed,
            negatives=still_negative(before.negatives, content.classes),
            like=before,
        )
    except InputError:
        return None
    return detector_state(detector)
