"""Pages of HTML that need nothing from elsewhere: no script, no font, no image, no style sheet.

One look for all of them: light and dark, as wide as the window, a phone's too, and on paper.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from airflow_multicloud.text import duration_text as duration
from airflow_multicloud.text import printable
from airflow_multicloud.text import size_text as size

__all__ = ["duration", "moment", "money", "render", "size", "style_sheet"]


def render(package: str, template: str, **values: Any) -> str:
    """A page of a package's own template; all texts in it are escaped and printable.

    The template has ``style``, and the filters ``size``, ``duration``, ``moment`` and ``money``.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package, "."),
        autoescape=True,
        finalize=_shown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(size=size, duration=duration, moment=moment, money=money)
    return environment.get_template(template).render(style=style_sheet(), **values)


@cache
def style_sheet() -> Markup:
    """What all pages look like; it is the same within one release."""
    # A style sheet of the package's own.
    return Markup(files(__package__).joinpath("page.css").read_text("utf-8"))  # noqa: S704


def _shown(value: object) -> object:
    # Markup is what this package made; other texts may be names that others chose.
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable(value)
    return value


def moment(at: datetime | str) -> str:
    """A time for a reader, in UTC: ``2026-11-23 09:00:00 UTC``; one without a zone is of it."""
    found = datetime.fromisoformat(at) if isinstance(at, str) else at
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    return f"{found.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def money(amount: Decimal) -> str:
    """An amount for a reader: thousands apart, cents kept, no minus before zero."""
    text = f"{amount:,.2f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text
