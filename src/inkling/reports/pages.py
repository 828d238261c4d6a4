"""Templates to pages: one HTML file each that needs nothing else: no network, and no script but the page's own.

All text that comes from the user, class names and paths above all, is escaped by the templates.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from inkling.reports import formats

_UNPRINTABLE = {code: "\ufffd" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"}
_FILTERS = ("percent", "percent_interval", "count", "loss", "clipped", "compact")


def page_of(template: str, page: Any, **names: Any) -> str:
    """The page as HTML.

    Parameters
    ----------
    template
        Name of one of the templates.
    page
        What it reads as ``page``.
    names
        What it reads besides.
    """
    environment = _environment()
    environment.filters.update({name: getattr(formats, name) for name in _FILTERS})
    given: Mapping[str, Any] = {"page": page, **names}
    return environment.get_template(template).render(given).translate(_UNPRINTABLE)


def template_text(name: str) -> str:
    """A file of the templates as it stands, such as a script, whose hash a page names."""
    environment = _environment()
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("inkling.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
