"""A line over time beside what it may reach, as SVG; no script is needed to see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from airflow_multicloud.core.pages import duration, moment
from airflow_multicloud.text import printable

_WIDTH, _HEIGHT = 640, 170
_LEFT, _RIGHT, _TOP, _BOTTOM = 78, 12, 12, 26
_LABELS = 3
_DAY = "%d %b %Y"


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement.

    :param seconds: what was measured.
    :param limit: what it may be; ``None`` where that is not known.
    :param note: what is said of it besides.
    """

    at: datetime
    seconds: float
    limit: float | None
    note: str

    @property
    def is_over(self) -> bool:
        """Whether it is more than it may be."""
        return self.limit is not None and self.seconds > self.limit


def trend(title: str, points: Sequence[Point]) -> Markup | None:
    """The drawing; ``None`` where there are not two points to compare.

    What is over its limit is a triangle, and what is not a circle: colours alone tell some people
    nothing.

    :param title: what it shows, for who can't see it.
    """
    if len({point.at for point in points}) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    ordered = sorted(points, key=lambda point: point.at)
    scale = _Scale.of(ordered)
    line = " ".join(f"{scale.x(one.at):.1f},{scale.y(one.seconds):.1f}" for one in ordered)
    limits = [(one.at, one.limit) for one in ordered if one.limit is not None]
    parts = [*_axis(scale), _limit(scale, limits)]
    parts.append(Markup('<polyline class="line" points="{}"/>').format(line))
    parts += [_mark(scale, one) for one in ordered]
    for at, anchor in ((ordered[0].at, "start"), (ordered[-1].at, "end")):
        parts.append(
            Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(
                f"{scale.x(at):.1f}", _HEIGHT - 6, anchor, at.strftime(_DAY)
            )
        )
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        _WIDTH, _HEIGHT, printable(f"{title}: the table below has its figures"),
        Markup("").join(parts),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Scale:
    first: float
    last: float
    highest: float

    @classmethod
    def of(cls, points: Sequence[Point]) -> _Scale:
        most = max(max(one.seconds, one.limit or 0.0) for one in points)
        return cls(points[0].at.timestamp(), points[-1].at.timestamp(), max(most * 1.1, 1e-3))

    def x(self, at: datetime) -> float:
        share = (at.timestamp() - self.first) / (self.last - self.first)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(self, seconds: float) -> float:
        share = max(seconds, 0.0) / self.highest
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def _axis(scale: _Scale) -> list[Markup]:
    found: list[Markup] = []
    for step in range(_LABELS):
        seconds = scale.highest / 1.1 * step / (_LABELS - 1)
        y = f"{scale.y(seconds):.1f}"
        found.append(
            Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
                _LEFT, _WIDTH - _RIGHT, y, y
            )
        )
        found.append(
            Markup('<text x="{}" y="{}" dy=".32em" text-anchor="end">{}</text>').format(
                _LEFT - 6, y, duration(seconds)
            )
        )
    return found


def _limit(scale: _Scale, limits: Sequence[tuple[datetime, float]]) -> Markup:
    """A step from each measurement's limit to the next one's, on to the right end."""
    path, last = "", None
    for at, limit in limits:
        x, y = f"{scale.x(at):.1f}", f"{scale.y(limit):.1f}"
        path += f"M{x},{y}" if last is None else f"H{x}V{y}"
        last = limit
    end = f"H{_WIDTH - _RIGHT}" if path else ""
    return Markup('<path class="limit" d="{}"/>').format(path + end) if path else Markup("")


def _mark(scale: _Scale, one: Point) -> Markup:
    x, y = scale.x(one.at), scale.y(one.seconds)
    of = "" if one.limit is None else f" of {duration(one.limit)}"
    told = printable(f"{moment(one.at)}: {duration(one.seconds)}{of}, {one.note}")
    title = Markup("<title>{}</title>").format(told)
    if one.is_over:
        corners = f"{x:.1f},{y - 5:.1f} {x + 5:.1f},{y + 4:.1f} {x - 5:.1f},{y + 4:.1f}"
        return Markup('<polygon class="over" points="{}">{}</polygon>').format(corners, title)
    return Markup('<circle class="within" cx="{}" cy="{}" r="3.5">{}</circle>').format(
        f"{x:.1f}", f"{y:.1f}", title
    )
