"""The checks, one idea a module: another is another line of this table."""

from __future__ import annotations

from inkling.auditing.checks.check import Check
from inkling.auditing.checks.classes import CHECK as CLASSES
from inkling.auditing.checks.copies import CHECK as COPIES
from inkling.auditing.checks.labels import CHECK as LABELS

CHECKS: tuple[Check, ...] = (LABELS, COPIES, CLASSES)
