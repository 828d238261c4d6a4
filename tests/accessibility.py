"""What axe-core finds on a page that keeps people from using it."""

from __future__ import annotations

import pytest

import axe
from browser import Browser

_RUN = """axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations
  .filter(({ impact }) => ["serious", "critical"].includes(impact))
  .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`))"""


def serious_findings(browser: Browser) -> list[str]:
    """Rules that a page breaks, and where; those alone that axe-core calls serious or critical."""
    if not axe.SCRIPT.is_file():
        pytest.skip("there is no axe-core; tools/axe.py fetches it")
    browser.evaluate(axe.SCRIPT.read_text(encoding="utf-8"))
    found: list[str] = browser.evaluate(_RUN)
    return found
