"""Drills over time, drawn: a bar for what each one measured, a line for what it was to meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from markupsafe import Markup

from airflow_multicloud.core.pages import duration

#: What is to be met is drawn if it is at most so many times what was measured.
_FAR = 4
_ABOVE = "; where there is no line, what was to be met is higher"
_WIDTH, _HEIGHT, _BASE, _LEFT = 640.0, 130.0, 108.0, 6.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One drill.

    :param measured: ``None``: nothing was measured.
    :param objective: what was to be met.
    :param label: what is told of it.
    """

    measured: timedelta | None
    objective: timedelta
    label: str


def chart(title: str, bars: Sequence[Bar]) -> Markup:
    """The bars from left to right, as an inline SVG."""
    highest = max((bar.measured or timedelta(0) for bar in bars), default=timedelta(0))
    near = [bar.objective for bar in bars if bar.objective <= _FAR * highest]
    most = max([highest, *near]).total_seconds()
    parts = Markup("").join(_drawn(bars, most or 1.0))
    return Markup(
        '<figure><svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}'
        '<line x1="0" y1="{}" x2="{}" y2="{}" stroke="var(--quiet)"/>'
        '<text x="{}" y="{}" font-size="12" fill="var(--quiet)">{}; the top is {}{}</text>'
        "</svg></figure>"
    ).format(
        *(_WIDTH, _HEIGHT, title, parts, _BASE, _WIDTH, _BASE),
        *(_LEFT, _HEIGHT - 6, title, duration(most), "" if len(near) == len(bars) else _ABOVE),
    )


def _drawn(bars: Sequence[Bar], most: float) -> Iterator[Markup]:
    step = (_WIDTH - 2 * _LEFT) / len(bars) if bars else 0.0
    tall = _BASE - 8
    for number, bar in enumerate(bars):
        left = _LEFT + number * step
        wide = min(step * 0.7, 40.0)
        limit = _BASE - tall * bar.objective.total_seconds() / most
        if bar.measured is None:
            yield Markup(
                '<text x="{:.1f}" y="{}" font-size="14" fill="var(--bad)">×<title>{}</title></text>'
            ).format(left + wide / 2 - 4, _BASE - 4, bar.label)
        else:
            high = max(1.0, tall * bar.measured.total_seconds() / most)
            met = bar.measured <= bar.objective
            yield Markup(
                '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="var(--{})">'
                "<title>{}</title></rect>"
            ).format(left, _BASE - high, wide, high, "good" if met else "bad", bar.label)
        if limit < 0:
            continue
        yield Markup(
            '<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke="var(--ink)" '
            'stroke-dasharray="3 2"/>'
        ).format(left - 1, limit, left + wide + 1, limit)
