"""The detector of a memory whose classes changed, refitted on what the memory holds: nothing is embedded."""

from __future__ import annotations

from inkling.classifier.detection import DEFAULT_FALSE_ALARMS, detector_from, detector_state
from inkling.classifier.fitted import labelled_vectors, ships_tuned
from inkling.classifier.persistence import samples_from
from inkling.classifier.vocabularies import remaining_negatives
from inkling.errors import InputError
from inkling.memory.content import DetectorState, MemoryContent
from inkling.unknown import UnknownDetector


def refit_detector(content: MemoryContent) -> DetectorState | None:
    """The detector of a memory whose classes changed: rate and weights as before, calibrated anew.

    Where the encoder was tuned on the images, its detector keeps scale and calibration as well: only the known classes
    are others. Images of classes that came since were not among those that calibrated it, so of them the rate is no
    promise.

    A memory that had too few images for one gets its first as soon as they support the usual rate; names that are no
    known class are not among what it compares with, since nothing is embedded here.

    None where the images can't support the rate, or a first one were of images that the encoder was tuned on.
    """
    previous = detector_from(content.detector)
    if previous is None and ships_tuned(content.training.get("finetuning")):
        return None
    samples = samples_from(content)
    entries = sorted(content.classes, key=lambda entry: samples.label_kind.order(entry.name))
    try:
        detector = UnknownDetector.fit(
            labelled_vectors(samples, entries),
            negatives=remaining_negatives(None if previous is None else previous.negatives, content.classes),
            false_alarms=DEFAULT_FALSE_ALARMS if previous is None else previous.false_alarms,
            previous=previous,
            made_alike=samples.averaged_views == 1,
            seed=content.provenance.seed,
        )
    except InputError:
        return None
    return detector_state(detector)
