"""The checks, one idea a module: another is another line of this table."""

from __future__ import annotations

from inkling.auditing.checks.check import Check
from inkling.auditing.checks.classes import CHECK as CLASSES
from inkling.auditing.checks.copies import CHECK as COPIES
from inkling.auditing.checks.files import CHECK as FILES
from inkling.auditing.checks.labels import CHECK as LABELS
from inkling.auditing.checks.names import CHECK as NAMES
from inkling.auditing.checks.near_duplicates import CHECK as NEAR_DUPLICATES
from inkling.auditing.checks.one_source import CHECK as ONE_SOURCE
from inkling.auditing.checks.orientation import CHECK as ORIENTATION
from inkling.auditing.checks.outliers import CHECK as OUTLIERS
from inkling.auditing.checks.screenshots import CHECK as SCREENSHOTS
from inkling.auditing.checks.several import CHECK as SEVERAL
from inkling.auditing.checks.tiny import CHECK as TINY
from inkling.auditing.checks.two_clusters import CHECK as TWO_CLUSTERS

CHECKS: tuple[Check, ...] = (
    LABELS,
    COPIES,
    NEAR_DUPLICATES,
    ONE_SOURCE,
    OUTLIERS,
    FILES,
    TINY,
    SCREENSHOTS,
    SEVERAL,
    ORIENTATION,
    CLASSES,
    TWO_CLUSTERS,
    NAMES,
)
