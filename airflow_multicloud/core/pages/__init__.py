"""Pages of HTML that need nothing from elsewhere: no script, no font, no image, no style sheet.

One look for all of them: light and dark, as wide as the window, a phone's too, and on paper.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

_STEP = 1024
_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def render(package: str, template: str, **values: Any) -> str:
    """A page of a package's own template; all texts in it are escaped.

    The template has ``style``, and the filters ``size``, ``duration``, ``moment`` and ``money``.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package, "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(size=size, duration=duration, moment=moment, money=money)
    # A style sheet of the package's own.
    style = Markup(files(__package__).joinpath("page.css").read_text("utf-8"))  # noqa: S704
    return environment.get_template(template).render(style=style, **values)


def size(count: int) -> str:
    """Bytes for a reader: ``24.0 MiB``."""
    if count < _STEP:
        return f"{count} byte{'' if count == 1 else 's'}"
    amount = float(count)
    for unit in _UNITS:
        amount /= _STEP
        if amount < _STEP or unit == _UNITS[-1]:
            break
    return f"{amount:,.1f} {unit}"


def duration(seconds: float) -> str:
    """Seconds for a reader, the two largest units of them: ``1 h 2 min``, ``3.2 s``, ``4 ms``."""
    if seconds < 0:
        return f"−{duration(-seconds)}"  # noqa: RUF001 - a minus sign
    if 0 < seconds < 1:
        return f"{max(1, round(seconds * 1000))} ms"
    if round(seconds, 1) < _MINUTE:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    whole = round(seconds)
    for unit, name, smaller, lesser in (
        (_DAY, "d", _HOUR, "h"),
        (_HOUR, "h", _MINUTE, "min"),
        (_MINUTE, "min", 1, "s"),
    ):
        if whole >= unit:
            rest = whole % unit // smaller
            return f"{whole // unit:,} {name}" + (f" {rest} {lesser}" if rest else "")
    return f"{whole} s"


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
